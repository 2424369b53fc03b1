// WAL records of the XLOG family that recovery writes and replays: checkpoints, restore points, backup ends,
// ends of recovery.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "node/base/clock.h"
#include "node/wal/record_handler.h"

namespace walden {

// Format: XLOG/RESTORE_POINT: 0 wall time (8)  8 name, zero-padded (64).
struct RestorePointRecord {
  int64_t wall_time_us;
  char name[64];
};
// Format: XLOG/END_OF_RECOVERY: 0 wall time (8)  8 timeline (4)  12 previous timeline (4).
struct EndOfRecoveryRecord {
  int64_t wall_time_us;
  uint32_t timeline;
  uint32_t previous_timeline;
};
// Format: XLOG/BACKUP_END: 0 redo position of the backup's start (8).
struct BackupEndRecord {
  uint64_t start;
};
// Format: XLOG/PARAMETER_CHANGE: settings of the primary that bound a standby's.
struct ParameterChangeRecord {
  int32_t wal_level, max_connections, max_worker_processes, max_wal_senders;
};

// pg_create_restore_point: returns its end.
Lsn LogRestorePoint(std::string_view name);
// Logs the settings if they differ from the control file's (start of a primary).
void LogParameterChange();

std::span<const RecordHandler> XlogRecordHandlers();

}  // namespace walden
