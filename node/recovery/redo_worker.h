// Replaying one record, in the startup process or in a redo worker. Internal to recovery/; the worker's main loop is
// RunRedoWorker (background_processes.h).
#pragma once

#include "node/buffer/redo.h"
#include "node/wal/reader.h"

namespace walden {

// Applies what `share` owns of the record. Throws SqlError (with the record as context) if it cannot be applied.
void ReplayRecord(const DecodedRecord& record, bool hot_standby, bool check_consistency, RedoShare share);

}  // namespace walden
