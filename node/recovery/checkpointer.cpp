// The checkpointer process, and pacing.
#include <algorithm>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/recovery/background_processes.h"
#include "node/recovery/checkpoint.h"
#include "node/recovery/checkpoint_pace.h"
#include "node/recovery/recovery_shared.h"
#include "node/shm/interrupts.h"
#include "node/stats/counters.h"
#include "node/storage/relation_file.h"
#include "node/storage/sync_queue.h"
#include "node/txn/sender_slots.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

constexpr int64_t kNapUs = 100000;

struct Pacing {
  bool on = false;
  int64_t start_us = 0;
  Lsn start;
  int writes_since_absorb = 0;
};
thread_local Pacing pacing;

bool OnSchedule(double fraction_done) {
  fraction_done *= GetReal(Setting::kCheckpointCompletionTarget);
  double elapsed = static_cast<double>(MonotonicUs() - pacing.start_us) / 1e6 /
                   static_cast<double>(GetInt(Setting::kCheckpointTimeout));
  if (fraction_done < elapsed) return false;
  Lsn now = WalIsWritable() ? InsertPosition() : ReplayedLsn();
  double allowed = static_cast<double>(GetInt(Setting::kMaxWalSize)) * 1024 * 1024 /
                   (1 + GetReal(Setting::kCheckpointCompletionTarget));
  return fraction_done >= static_cast<double>(now - pacing.start) / allowed;
}

uint32_t RequestedFlags() {
  SpinGuard guard(Recovery()->checkpoint_lock);
  return Recovery()->request_flags;
}

}  // namespace

bool ImmediateCheckpointRequested() {
  return (RequestedFlags() & kCheckpointImmediate) != 0 || InterruptPending(Interrupt::kShutdown);
}

void BeginPacing(uint32_t flags) {
  bool alone = Recovery()->checkpointer_slot.load() != self_slot() || self_slot() < 0;
  pacing.on =
      (flags & (kCheckpointImmediate | kCheckpointShutdownFlag | kCheckpointEndOfRecovery)) == 0 && !alone;
  pacing.start_us = MonotonicUs();
  pacing.start = WalIsWritable() ? InsertPosition() : ReplayedLsn();
  pacing.writes_since_absorb = 0;
}

void PaceCheckpoint(double fraction_done) {
  if (!pacing.on || ImmediateCheckpointRequested()) {
    if (++pacing.writes_since_absorb < 1000) return;
    pacing.writes_since_absorb = 0;
    CheckInterrupts();
    AbsorbSyncRequests();
    return;
  }
  CheckInterrupts();
  // One nap a write at most: a checkpoint of a few pages is not stretched over minutes.
  int64_t until_us = MonotonicUs() + kNapUs;
  while (OnSchedule(fraction_done) && !ImmediateCheckpointRequested()) {
    self().latch.Reset();
    AbsorbSyncRequests();
    int64_t left_us = until_us - MonotonicUs();
    if (left_us <= 0) return;
    WaitLatch(left_us / 1000 + 1, WaitEvent::kCheckpointWriteDelay);
    CheckInterrupts();
  }
}

namespace {

struct Schedule {
  int64_t last_checkpoint_us;
  int64_t last_switch_us;
  Lsn last_switch;
};

uint32_t TakeRequest() {
  RecoveryShared* shared = Recovery();
  SpinGuard guard(shared->checkpoint_lock);
  uint32_t flags = shared->request_flags;
  shared->request_flags = 0;
  return flags;
}

void AnnounceStart() {
  RecoveryShared* shared = Recovery();
  {
    SpinGuard guard(shared->checkpoint_lock);
    ++shared->started;
  }
  shared->started_waiting.Broadcast();
}

void AnnounceEnd(bool failed) {
  RecoveryShared* shared = Recovery();
  {
    SpinGuard guard(shared->checkpoint_lock);
    shared->done = shared->started;
    shared->failed += failed;
  }
  shared->done_waiting.Broadcast();
  WakeSenders();  // a base backup may wait for it
}

void WarnIfTooOften(const Schedule& schedule, uint32_t flags) {
  int64_t seconds = (MonotonicUs() - schedule.last_checkpoint_us) / 1000000;
  if ((flags & kCheckpointCauseWal) == 0 || seconds >= GetInt(Setting::kCheckpointWarning) ||
      !WalIsWritable())
    return;
  ErrorFields fields;
  fields.severity = Severity::kLog;
  fields.message = fmt::format("checkpoints are occurring too frequently ({} second{} apart)", seconds,
                               seconds == 1 ? "" : "s");
  fields.hint = "Consider increasing the configuration parameter \"max_wal_size\".";
  EmitLog(fields);
}

void DoCheckpoint(uint32_t flags, Schedule* schedule) {
  if ((flags & ~uint32_t{kCheckpointCauseTime}) == 0)
    Count(NodeCounter::kCheckpointsTimed);
  else
    Count(NodeCounter::kCheckpointsRequested);
  WarnIfTooOften(*schedule, flags);
  schedule->last_checkpoint_us = MonotonicUs();
  AnnounceStart();
  bool failed = false;
  try {
    if (WalIsWritable())
      PerformCheckpoint(flags);
    else
      PerformRestartpoint(flags);
  } catch (const SqlError& error) {
    // A full disk or the like: the old redo point stands, and the next round tries again.
    EmitLog(error.fields());
    ReleaseAllLwLocks();
    ReleaseAllPins();
    failed = true;
  }
  CloseAllRelationFiles();
  AnnounceEnd(failed);
}

// archive_timeout: an idle primary still archives what it has.
void SwitchIfDue(Schedule* schedule) {
  int64_t timeout_s = GetInt(Setting::kArchiveTimeout);
  if (timeout_s <= 0 || !WalIsWritable()) return;
  int64_t now = MonotonicUs();
  if (now - schedule->last_switch_us < timeout_s * 1000000) return;
  schedule->last_switch_us = now;
  if (InsertPosition() == Lsn{Recovery()->last_checkpoint_end.load()} ||
      InsertPosition() == schedule->last_switch)
    return;
  RequestFlush(SwitchWalSegment());
  schedule->last_switch = InsertPosition();
}

int64_t SleepMs(const Schedule& schedule) {
  int64_t now = MonotonicUs();
  int64_t until = schedule.last_checkpoint_us + GetInt(Setting::kCheckpointTimeout) * 1000000;
  if (GetInt(Setting::kArchiveTimeout) > 0 && WalIsWritable()) {
    until = std::min(until, schedule.last_switch_us + GetInt(Setting::kArchiveTimeout) * 1000000);
  }
  return std::max<int64_t>((until - now) / 1000, 1);
}

void FinalCheckpoint() {
  if (WalIsWritable()) {
    PerformCheckpoint(kCheckpointShutdownFlag | kCheckpointImmediate);
    return;
  }
  if (PerformRestartpoint(kCheckpointShutdownFlag | kCheckpointImmediate)) return;
  UpdateControlFile([](ControlFile& control) {
    if (control.state == ClusterState::kInArchiveRecovery) control.state = ClusterState::kShutDownInRecovery;
  });
}

}  // namespace

void RunCheckpointer() {
  RecoveryShared* shared = Recovery();
  BecomeSyncOwner();
  shared->checkpointer_slot.store(self_slot());
  // Also while a checkpoint is spread over minutes: what follows from a setting must not wait for its end.
  SetInterruptHandler(Interrupt::kReload, [] {
    ReloadConfiguration();
    ApplySyncStandbyNames(GetString(Setting::kSynchronousStandbyNames));
  });
  ApplySyncStandbyNames(GetString(Setting::kSynchronousStandbyNames));
  Schedule schedule{MonotonicUs(), MonotonicUs(), kInvalidLsn};
  for (;;) {
    self().latch.Reset();
    CheckInterrupts();
    AbsorbSyncRequests();
    if (InterruptPending(Interrupt::kShutdown)) break;
    uint32_t flags = TakeRequest();
    bool timed_out =
        MonotonicUs() - schedule.last_checkpoint_us >= GetInt(Setting::kCheckpointTimeout) * 1000000;
    if (timed_out) flags |= kCheckpointCauseTime;
    if (flags != 0) DoCheckpoint(flags, &schedule);
    SwitchIfDue(&schedule);
    if (RequestedFlags() == 0) WaitLatch(SleepMs(schedule), WaitEvent::kCheckpointerMain);
  }
  FinalCheckpoint();
  shared->checkpointer_slot.store(-1);
}

}  // namespace walden
