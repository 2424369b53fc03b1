#include "node/recovery/xlog_records.h"

#include <cstring>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/buffer/redo.h"
#include "node/config/settings.h"
#include "node/recovery/recovery_shared.h"
#include "node/txn/txn_state.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

void RedoCheckpoint(RedoContext& redo) {
  auto data = redo.record().Struct<CheckpointData>();
  bool shutdown = redo.record().kind == RecordKind::kCheckpointShutdown;
  for (const CheckpointPart& part : CheckpointParts()) {
    if (part.replay != nullptr) part.replay(data, shutdown);
  }
  // A restartpoint may begin here.
  RecoveryShared* shared = Recovery();
  SpinGuard guard(shared->restart_lock);
  shared->restart_checkpoint = redo.start().value;
  shared->restart_data = data;
}

void RedoBackupEnd(RedoContext& redo) {
  auto body = redo.record().Struct<BackupEndRecord>();
  UpdateControlFile([&](ControlFile& control) {
    if (control.backup_end_required == 0 || control.backup_start != body.start) return;
    control.backup_end_required = 0;
    control.backup_start = 0;
    control.min_recovery_point = std::max(control.min_recovery_point, redo.lsn().value);
  });
}

void RedoParameterChange(RedoContext& redo) {
  auto body = redo.record().Struct<ParameterChangeRecord>();
  UpdateControlFile([&](ControlFile& control) {
    control.wal_level = body.wal_level;
    control.max_connections = body.max_connections;
    control.max_worker_processes = body.max_worker_processes;
    control.max_wal_senders = body.max_wal_senders;
  });
}

void RedoEndOfRecovery(RedoContext&) { ReplayAbortOfAllRunning(); }

void DescribeCheckpoint(const DecodedRecord& record, std::string* out) {
  auto data = record.Struct<CheckpointData>();
  *out += fmt::format(
      "redo {}; tli {}; prev tli {}; fpw {}; xid {}; oid {}; multi {}; offset {}; oldest xid {}; oldest "
      "running xid {}; {}",
      Lsn{data.redo}.ToString(), data.timeline, data.previous_timeline, data.full_page_writes != 0,
      data.next_xid, data.next_oid, data.next_multixact, data.next_multixact_member, data.oldest_xid,
      data.oldest_running_xid, record.kind == RecordKind::kCheckpointShutdown ? "shutdown" : "online");
}
void DescribeRestorePoint(const DecodedRecord& record, std::string* out) {
  auto body = record.Struct<RestorePointRecord>();
  out->append(body.name, strnlen(body.name, sizeof body.name));
}
void DescribeEndOfRecovery(const DecodedRecord& record, std::string* out) {
  auto body = record.Struct<EndOfRecoveryRecord>();
  *out += fmt::format("tli {}; prev tli {}", body.timeline, body.previous_timeline);
}
void DescribeBackupEnd(const DecodedRecord& record, std::string* out) {
  *out += Lsn{record.Struct<BackupEndRecord>().start}.ToString();
}
void DescribeParameters(const DecodedRecord& record, std::string* out) {
  auto body = record.Struct<ParameterChangeRecord>();
  *out += fmt::format("max_connections={} max_worker_processes={} max_wal_senders={} wal_level={}",
                      body.max_connections, body.max_worker_processes, body.max_wal_senders, body.wal_level);
}
void DescribeNothing(const DecodedRecord&, std::string*) {}

constexpr RecordHandler kHandlers[] = {
    {RecordKind::kCheckpointShutdown, RedoCheckpoint, DescribeCheckpoint},
    {RecordKind::kCheckpointOnline, RedoCheckpoint, DescribeCheckpoint},
    {RecordKind::kNoop, nullptr, DescribeNothing},
    {RecordKind::kSwitch, nullptr, DescribeNothing},
    {RecordKind::kBackupEnd, RedoBackupEnd, DescribeBackupEnd},
    {RecordKind::kParameterChange, RedoParameterChange, DescribeParameters},
    {RecordKind::kRestorePoint, nullptr, DescribeRestorePoint},
    {RecordKind::kEndOfRecovery, RedoEndOfRecovery, DescribeEndOfRecovery},
};

}  // namespace

std::span<const RecordHandler> XlogRecordHandlers() { return kHandlers; }

Lsn LogRestorePoint(std::string_view name) {
  if (name.size() >= sizeof(RestorePointRecord::name)) {
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "value too long for restore point (maximum {} characters)",
                   sizeof(RestorePointRecord::name) - 1);
  }
  RestorePointRecord body{};
  body.wall_time_us = WallClockUs();
  std::memcpy(body.name, name.data(), name.size());
  WalRecord record(RecordKind::kRestorePoint);
  record.AddStruct(body);
  Lsn end = record.Insert();
  Log(Severity::kLog, "restore point \"{}\" created at {}", name, end.ToString());
  return end;
}

void LogParameterChange() {
  ParameterChangeRecord now{GetEnum(Setting::kWalLevel),
                            static_cast<int32_t>(GetInt(Setting::kMaxConnections)),
                            static_cast<int32_t>(GetInt(Setting::kMaxWorkerProcesses)),
                            static_cast<int32_t>(GetInt(Setting::kMaxWalSenders))};
  ControlFile control = GetControlFile();
  bool same = control.wal_level == now.wal_level && control.max_connections == now.max_connections &&
              control.max_worker_processes == now.max_worker_processes &&
              control.max_wal_senders == now.max_wal_senders;
  if (same) return;
  WalRecord record(RecordKind::kParameterChange);
  record.AddStruct(now);
  Flush(record.Insert());
  UpdateControlFile([&](ControlFile& file) {
    file.wal_level = now.wal_level;
    file.max_connections = now.max_connections;
    file.max_worker_processes = now.max_worker_processes;
    file.max_wal_senders = now.max_wal_senders;
  });
}

}  // namespace walden
