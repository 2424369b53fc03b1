// WAL records of the Database family; bound by `server` with the others.
#pragma once

#include <span>

#include "node/wal/record_handler.h"

namespace walden {

std::span<const RecordHandler> DatabaseRecordHandlers();

}  // namespace walden
