// WAL positions and control of recovery.
#include "node/base/error.h"
#include "node/recovery/recovery_state.h"
#include "node/shm/interrupts.h"
#include "node/shm/latch.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
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

uint64_t SwitchWal() {
  RequirePrimary();
  return SwitchWalSegment().value;
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

View PauseReplay() {
  RequireRecovery();
  SetReplayPause(true);
  return "";
}
View ResumeReplay() {
  RequireRecovery();
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
    case ReplayPause::kNotPaused:
      return "not paused";
    case ReplayPause::kPauseRequested:
      return "pause requested";
    case ReplayPause::kPaused:
      return "paused";
  }
  return "";
}

bool Promote(bool wait, int32_t seconds) {
  RequireRecovery();
  if (seconds <= 0)
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "\"wait_seconds\" must not be negative or zero");
  RequestPromotion();
  for (int32_t tenths = 0; wait && InRecovery(); ++tenths) {
    if (tenths >= seconds * 10) return false;
    self().latch.Reset();
    CheckInterrupts();
    WaitLatch(100, WaitEvent::kPromote);
  }
  return true;
}

constexpr ScalarFunction kTable[] = {
    Volatile<&SwitchWal>("pg_switch_wal"),
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
