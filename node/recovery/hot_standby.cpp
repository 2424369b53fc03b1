#include "node/recovery/hot_standby.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/config/settings.h"
#include "node/recovery/recovery_shared.h"
#include "node/recovery/startup.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"
#include "node/stats/counters.h"
#include "node/txn/horizon.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

// Milliseconds that replay may still wait; < 0: for ever.
int64_t PatienceMs() {
  bool by_stream = Recovery()->wal_by_stream.load(std::memory_order_relaxed);
  int64_t delay = GetInt(by_stream ? Setting::kMaxStandbyStreamingDelay : Setting::kMaxStandbyArchiveDelay);
  if (delay < 0) return -1;
  return std::max<int64_t>(
      0, delay - (MonotonicUs() - Recovery()->wal_arrival_us.load(std::memory_order_relaxed)) / 1000);
}

// Why a session is cancelled; stored in its process slot.
enum class ConflictReason : uint8_t { kSnapshot, kLock, kDatabase, kDeadlock, kBufferPin };

struct ReasonInfo {
  const char* detail;
  const char* waits_for;  // in the log
};
constexpr ReasonInfo kReasons[] = {
    {"User query might have needed to see row versions that must be removed.",
     "recovery conflict on snapshot"},
    {"User was holding a relation lock for too long.", "recovery conflict on lock"},
    {"User was connected to a database that must be dropped.", "recovery conflict on database"},
    {"User transaction caused buffer deadlock with recovery.", "recovery conflict on buffer deadlock"},
    {"User was holding shared buffer pin for too long.", "recovery conflict on buffer pin"},
};
const ReasonInfo& InfoOf(ConflictReason reason) { return kReasons[static_cast<size_t>(reason)]; }

void Cancel(int slot, ConflictReason reason) {
  SlotAt(slot).recovery_conflict.store(static_cast<uint8_t>(reason), std::memory_order_relaxed);
  RaiseInterrupt(slot, Interrupt::kRecoveryConflict);
}

// log_recovery_conflict_waits: once a wait has lasted deadlock_timeout, and at its end.
class ConflictLog {
 public:
  explicit ConflictLog(ConflictReason reason) : reason_(reason), start_us_(MonotonicUs()) {}
  ConflictLog(const ConflictLog&) = delete;
  ConflictLog& operator=(const ConflictLog&) = delete;
  ~ConflictLog() {
    if (told_)
      Log(Severity::kLog, "recovery finished waiting after {}: {}", Waited(), InfoOf(reason_).waits_for);
  }
  void StillWaiting() {
    if (told_ || !GetBool(Setting::kLogRecoveryConflictWaits)) return;
    if (MonotonicUs() - start_us_ < GetInt(Setting::kDeadlockTimeout) * 1000) return;
    told_ = true;
    Log(Severity::kLog, "recovery still waiting after {}: {}", Waited(), InfoOf(reason_).waits_for);
  }

  // The wait, or what is left until there is something to log.
  int64_t Sooner(int64_t wait_ms) const {
    if (told_ || !GetBool(Setting::kLogRecoveryConflictWaits)) return wait_ms;
    int64_t log_ms =
        std::max<int64_t>(0, GetInt(Setting::kDeadlockTimeout) - (MonotonicUs() - start_us_) / 1000) + 1;
    return wait_ms < 0 ? log_ms : std::min(wait_ms, log_ms);
  }

 private:
  std::string Waited() const {
    int64_t us = MonotonicUs() - start_us_;
    return fmt::format("{}.{:03} ms", us / 1000, us % 1000);
  }
  ConflictReason reason_;
  int64_t start_us_;
  bool told_ = false;
};

// ---- in the session ----

bool (*client_is_idle)() = nullptr;

void CountConflict(ConflictReason reason) {
  switch (reason) {
    case ConflictReason::kSnapshot: return Count(DatabaseCounter::kConflictSnapshot);
    case ConflictReason::kLock: return Count(DatabaseCounter::kConflictLock);
    case ConflictReason::kDeadlock: return Count(DatabaseCounter::kConflictStartupDeadlock);
    case ConflictReason::kBufferPin: return Count(DatabaseCounter::kConflictBufferPin);
    case ConflictReason::kDatabase: return;  // its counters go with it
  }
}

void ObeyConflict() {
  auto reason = static_cast<ConflictReason>(self().recovery_conflict.load(std::memory_order_relaxed));
  bool gone = reason == ConflictReason::kDatabase;
  // The transaction that was in the way has ended by itself.
  if (!gone && !InTransaction()) return;
  // Everybody is asked whose pins replay waits for.
  if (reason == ConflictReason::kBufferPin && !PinsAwaitedPage()) return;
  CountConflict(reason);
  if (gone) {
    throw SqlError(ErrorCode::kDatabaseDropped, "terminating connection due to conflict with recovery")
        .WithDetail(InfoOf(reason).detail)
        .WithSeverity(Severity::kFatal);
  }
  bool idle = client_is_idle != nullptr && client_is_idle();
  if (!idle && NestLevel() <= 1) {
    throw SqlError(ErrorCode::kSerializationFailure, "canceling statement due to conflict with recovery")
        .WithDetail(InfoOf(reason).detail);
  }
  throw SqlError(ErrorCode::kSerializationFailure, "terminating connection due to conflict with recovery")
      .WithDetail(InfoOf(reason).detail)
      .WithHint("In a moment you should be able to reconnect to the database and repeat your command.")
      .WithSeverity(Severity::kFatal);
}

// ---- in the startup process ----

void SleepForConflict(int64_t* pause_ms, int64_t patience_ms, WaitEvent event) {
  // What is in the way ends without telling anybody: look again after growing pauses.
  self().latch.Reset();
  WaitLatch(patience_ms > 0 ? std::min(*pause_ms, patience_ms) : *pause_ms, event);
  CheckStartupInterrupts();
  *pause_ms = std::min<int64_t>(*pause_ms * 2, 100);
}

void AwaitSnapshots(const RedoConflict& conflict) {
  std::vector<int> slots(static_cast<size_t>(MaxProcessSlots()));
  ConflictLog log(ConflictReason::kSnapshot);
  for (int64_t pause_ms = 1;;) {
    int count = 0;
    if (!SnapshotsOlderThan(conflict.conflict_lsn, conflict.database, slots.data(),
                            static_cast<int>(slots.size()), &count))
      return;
    int64_t patience = PromotionRequested() ? 0 : PatienceMs();
    for (int i = 0; patience == 0 && i < count; ++i)
      Cancel(slots[static_cast<size_t>(i)], ConflictReason::kSnapshot);
    log.StillWaiting();
    SleepForConflict(&pause_ms, patience, WaitEvent::kRecoveryConflictSnapshot);
  }
}

// Sessions of a database that goes end at once, whatever the delays say.
void AwaitNoSessions(Oid database) {
  ConflictLog log(ConflictReason::kDatabase);
  for (int64_t pause_ms = 1;;) {
    bool any = false;
    for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
      const ProcessSlot& process = SlotAt(slot);
      if (process.pid.load() == 0 || slot == self_slot() || process.database.load() != database) continue;
      Cancel(slot, ConflictReason::kDatabase);
      any = true;
    }
    if (!any) return;
    log.StillWaiting();
    SleepForConflict(&pause_ms, 0, WaitEvent::kLockObject);
  }
}

}  // namespace

void BindRecoveryConflictHandler() { SetInterruptHandler(Interrupt::kRecoveryConflict, ObeyConflict); }
void BindClientIsIdle(bool (*is_idle)()) { client_is_idle = is_idle; }

void NoteWalArrival(bool from_stream) {
  Recovery()->wal_arrival_us.store(MonotonicUs(), std::memory_order_relaxed);
  Recovery()->wal_by_stream.store(from_stream, std::memory_order_relaxed);
}

bool RedoConflictExists(const RedoConflict& conflict) {
  int count = 0;
  return conflict.ends_sessions ||
         (conflict.conflict_lsn.IsValid() &&
          SnapshotsOlderThan(conflict.conflict_lsn, conflict.database, nullptr, 0, &count));
}

void ResolveRedoConflict(const RedoConflict& conflict) {
  if (conflict.ends_sessions) AwaitNoSessions(conflict.database);
  if (conflict.conflict_lsn.IsValid()) AwaitSnapshots(conflict);
}

namespace {
std::optional<ConflictLog> lock_conflict;  // while replay waits for a lock
}

void LockConflictResolved() { lock_conflict.reset(); }

int64_t ResolveLockConflict(const LockTag& tag, LockMode mode, bool deadlock) {
  constexpr int64_t kLookAgainMs = 10;  // a cancelled session needs a moment
  CheckStartupInterrupts();
  if (!lock_conflict) lock_conflict.emplace(ConflictReason::kLock);
  lock_conflict->StillWaiting();
  int64_t patience = PromotionRequested() ? 0 : PatienceMs();
  if (!deadlock && patience != 0) return lock_conflict->Sooner(patience);
  for (const auto& [slot, local] : ConflictingHolders(tag, mode))
    Cancel(slot, deadlock ? ConflictReason::kDeadlock : ConflictReason::kLock);
  return kLookAgainMs;
}

namespace {

std::optional<ConflictLog> pin_conflict;  // while replay waits for the pins of others

void PinConflictResolved() { pin_conflict.reset(); }

// Replay waits to have a page alone.
int64_t ResolvePinConflict() {
  constexpr int64_t kLookAgainMs = 10;
  CheckStartupInterrupts();
  if (!pin_conflict) pin_conflict.emplace(ConflictReason::kBufferPin);
  pin_conflict->StillWaiting();
  int64_t patience = PromotionRequested() ? 0 : PatienceMs();
  if (patience != 0) return pin_conflict->Sooner(patience);
  SlotRange sessions = SlotsOf(ProcessKind::kBackend);
  for (int slot = sessions.first; slot < sessions.first + sessions.count; ++slot) {
    if (SlotAt(slot).pid.load() != 0 && IsValid(SlotAt(slot).database.load()))
      Cancel(slot, ConflictReason::kBufferPin);
  }
  return kLookAgainMs;
}

}  // namespace

void BindReplayWaits() { BindCleanupWait(ResolvePinConflict, PinConflictResolved); }

}  // namespace walden
