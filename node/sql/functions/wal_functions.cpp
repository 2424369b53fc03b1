// WAL positions and control of recovery.
#include <limits.h>

#include "node/base/error.h"
#include "node/catalog/identity.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/recovery/archive.h"
#include "node/recovery/backup.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/xlog_records.h"
#include "node/shm/interrupts.h"
#include "node/shm/latch.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/txn/durability.h"
#include "node/txn/txn_state.h"
#include "node/types/numeric.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

using View = std::string_view;

void RequirePrimary() {
  if (!InRecovery()) return;
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "recovery is in progress")
      .WithHint("WAL control functions cannot be executed during recovery.");
}
void RequireRecovery() {
  if (InRecovery()) return;
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "recovery is not in progress")
      .WithHint("Recovery control functions can only be executed during recovery.");
}

// The client may act on a position that it is told (copy the segment, wait for a standby): it stands in durable WAL.
uint64_t Tell(Lsn lsn) {
  RaiseSeenLsn(lsn);
  return lsn.value;
}

uint64_t SwitchWal() {
  RequirePrimary();
  return Tell(SwitchWalSegment());
}

void RequireArchivableWal(const char* message) {
  if (GetEnum<WalLevel>(Setting::kWalLevel) >= WalLevel::kReplica) return;
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "{}", message)
      .WithHint("wal_level must be set to \"replica\" or \"logical\" at server start.");
}

uint64_t CreateRestorePoint(View name) {
  RequirePrimary();
  RequireArchivableWal("WAL level not sufficient for creating a restore point");
  return Tell(LogRestorePoint(name));
}

// --- Base backups by file copy -----------------------------------------------------------------------------------

uint64_t BackupStartAt(View label, bool fast) {
  RequireArchivableWal("WAL level not sufficient for making an online backup");
  if (label.size() > PATH_MAX) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "backup label too long (max {} bytes)", PATH_MAX);
  }
  return StartBackup(std::string(label), fast).start.value;
}

void Notice(View message) {
  ErrorFields fields;
  fields.severity = Severity::kNotice;
  fields.message = message;
  ReportToClient(fields);
}

void AwaitArchived(const BackupStop& stop) {
  if (!ArchivingIsOn()) {
    if (!InRecovery()) {
      Notice(
          "WAL archiving is not enabled; you must ensure that all required WAL segments are copied through "
          "other "
          "means to complete the backup");
    }
    return;
  }
  std::string last = WalSegmentName(stop.timeline, SegmentOf(Lsn{stop.stop.value - 1}));
  while (!MayRecycle(last)) {
    self().latch.Reset();
    CheckInterrupts();
    WaitLatch(100, WaitEvent::kBackupWaitWalArchive);
  }
  Notice("all required WAL segments have been archived");
}

View BackupStopAt(CallContext& c, bool wait_for_archive) {
  BackupStop stop = StopBackup();
  if (wait_for_archive) AwaitArchived(stop);
  RaiseSeenLsn(InRecovery() ? kInvalidLsn : stop.stop);
  return MakeRecord(c,
                    RowValues(c.arena).Position(stop.stop).Text(stop.label_file).Text(stop.tablespace_map));
}

std::optional<uint64_t> Known(uint64_t value) {
  if (value == 0) return std::nullopt;
  return value;
}
std::optional<uint64_t> LastReceived() { return Known(ReceivedLsn().value); }
std::optional<uint64_t> LastReplayed() { return Known(ReplayedLsn().value); }
std::optional<int64_t> LastReplayedTime() {
  TimestampUs time = LastReplayedCommitTime();
  if (time == 0) return std::nullopt;
  return time;
}

NumericRef LsnDifference(CallContext& c, uint64_t a, uint64_t b) {
  return NumericFromInt128(static_cast<__int128>(a) - static_cast<__int128>(b), 0, c.arena);
}

// A position on a boundary belongs to the segment before it, as PostgreSQL has it.
View WalFileName(CallContext& c, uint64_t lsn) {
  RequirePrimary();
  return Keep(c, WalSegmentName(WalTimeline(), lsn == 0 ? 0 : (lsn - 1) / kWalSegmentSize));
}

View WalFileNameOffset(CallContext& c, uint64_t lsn) {
  return MakeRecord(
      c, RowValues(c.arena).Text(WalFileName(c, lsn)).Int4(static_cast<int64_t>(OffsetInSegment(Lsn{lsn}))));
}

void RequireNotPromoting(const char* function) {
  RequireRecovery();
  if (!PromotionRequested()) return;
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "standby promotion is ongoing")
      .WithHint(fmt::format("{} cannot be executed after promotion is triggered.", function));
}

View PauseReplay() {
  RequireNotPromoting("pg_wal_replay_pause()");
  SetReplayPause(true);
  return "";
}
View ResumeReplay() {
  RequireNotPromoting("pg_wal_replay_resume()");
  SetReplayPause(false);
  return "";
}
bool IsReplayPaused() {
  RequireRecovery();
  return GetReplayPause() != ReplayPause::kNotPaused;
}
View ReplayPauseState() {
  RequireRecovery();
  switch (GetReplayPause()) {
    case ReplayPause::kNotPaused: return "not paused";
    case ReplayPause::kPauseRequested: return "pause requested";
    case ReplayPause::kPaused: return "paused";
  }
  return "";
}

bool Promote(bool wait, int32_t seconds) {
  RequireRecovery();
  if (seconds <= 0)
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "\"wait_seconds\" must not be negative or zero");
  RequestPromotion();
  int64_t deadline_us = MonotonicUs() + int64_t{seconds} * 1000000;
  while (wait && InRecovery()) {
    if (MonotonicUs() >= deadline_us) {
      ErrorFields warning;
      warning.severity = Severity::kWarning;
      warning.code = ErrorCode::kWarning;
      warning.message = fmt::format("server did not promote within {} seconds", seconds);
      ReportToClient(warning);
      return false;
    }
    self().latch.Reset();
    CheckInterrupts();
    WaitLatch(100, WaitEvent::kPromote);
  }
  return true;
}

constexpr ScalarFunction kTable[] = {
    Volatile<&SwitchWal>("pg_switch_wal"),
    Volatile<&CreateRestorePoint>("pg_create_restore_point"),
    Volatile<&BackupStartAt>("pg_backup_start"),
    Volatile<&BackupStopAt>("pg_backup_stop"),
    Volatile<&WalFileNameOffset>("pg_walfile_name_offset"),
    Volatile<&LastReceived>("pg_last_wal_receive_lsn"),
    Volatile<&LastReplayed>("pg_last_wal_replay_lsn"),
    Volatile<&LastReplayedTime>("pg_last_xact_replay_timestamp"),
    Scalar<&LsnDifference>("pg_wal_lsn_diff"),
    Scalar<&WalFileName>("pg_walfile_name"),
    Volatile<&PauseReplay>("pg_wal_replay_pause"),
    Volatile<&ResumeReplay>("pg_wal_replay_resume"),
    Volatile<&IsReplayPaused>("pg_is_wal_replay_paused"),
    Volatile<&ReplayPauseState>("pg_get_wal_replay_pause_state"),
    Volatile<&Promote>("pg_promote"),
};

}  // namespace

std::span<const ScalarFunction> WalFunctions() { return kTable; }

}  // namespace walden
