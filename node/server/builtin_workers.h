// Workers that come with the node.
#pragma once

#include <string_view>

#include "node/server/background_worker.h"

namespace walden {

void RegisterBuiltinWorkers();
// nullptr if there is none of this name.
WorkerFunction FindBuiltinWorker(std::string_view function);

}  // namespace walden
