#include "node/server/builtin_workers.h"

namespace walden {

void RegisterBuiltinWorkers() {}

WorkerFunction FindBuiltinWorker(std::string_view) { return nullptr; }

}  // namespace walden
