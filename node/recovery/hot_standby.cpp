#include "node/recovery/hot_standby.h"

#include <vector>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/startup.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"
#include "node/stats/counters.h"
#include "node/txn/horizon.h"

namespace walden {
namespace {

int64_t arrival_us = 0;
bool arrived_by_stream = false;

// Milliseconds that replay may still wait; < 0: for ever.
int64_t PatienceMs() {
  int64_t delay =
      GetInt(arrived_by_stream ? Setting::kMaxStandbyStreamingDelay : Setting::kMaxStandbyArchiveDelay);
  if (delay < 0) return -1;
  return std::max<int64_t>(0, delay - (MonotonicUs() - arrival_us) / 1000);
}

// What a cancelled session was in the way of, and how it is told and counted.
enum class ConflictReason : uint8_t { kSnapshot, kLock };

void Cancel(int slot, ConflictReason reason) {
  SlotAt(slot).recovery_conflict.store(static_cast<uint8_t>(reason), std::memory_order_relaxed);
  RaiseInterrupt(slot, Interrupt::kRecoveryConflict);
}

void CancelHolders(std::span<const int> slots) {
  for (int slot : slots) Cancel(slot, ConflictReason::kSnapshot);
}

[[noreturn]] void ThrowConflict() {
  auto reason = static_cast<ConflictReason>(self().recovery_conflict.load(std::memory_order_relaxed));
  bool lock = reason == ConflictReason::kLock;
  Count(lock ? DatabaseCounter::kConflictLock : DatabaseCounter::kConflictSnapshot);
  throw SqlError(ErrorCode::kSerializationFailure, "canceling statement due to conflict with recovery")
      .WithDetail(lock ? "User was holding a relation lock for too long."
                       : "User query might have needed to see row versions that must be removed.");
}

}  // namespace

void BindRecoveryConflictHandler() {
  SetInterruptHandler(Interrupt::kRecoveryConflict, ThrowConflict);
}

void NoteWalArrival(bool from_stream) {
  arrival_us = MonotonicUs();
  arrived_by_stream = from_stream;
}

void ResolveRedoConflict(const RedoConflict& conflict) {
  if (!conflict.conflict_lsn.IsValid()) return;
  std::vector<int> slots(static_cast<size_t>(MaxProcessSlots()));
  int64_t pause_ms = 1;
  for (;;) {
    int count = 0;
    if (!SnapshotsOlderThan(conflict.conflict_lsn, conflict.database, slots.data(),
                            static_cast<int>(slots.size()), &count))
      return;
    int64_t patience = PatienceMs();
    if (patience == 0) CancelHolders({slots.data(), static_cast<size_t>(count)});
    if (PromotionRequested() && patience != 0) CancelHolders({slots.data(), static_cast<size_t>(count)});
    // Snapshots end without telling anybody: look again after growing pauses.
    self().latch.Reset();
    WaitLatch(patience > 0 ? std::min(pause_ms, patience) : pause_ms, WaitEvent::kRecoveryConflictSnapshot);
    CheckStartupInterrupts();
    pause_ms = std::min<int64_t>(pause_ms * 2, 100);
  }
}

void ResolveLockConflict(uint32_t database, uint32_t) {
  int64_t patience = PatienceMs();
  if (patience != 0 && !PromotionRequested()) {
    self().latch.Reset();
    WaitLatch(patience > 0 ? std::min<int64_t>(patience, 10) : 10, WaitEvent::kLockRelation);
    CheckStartupInterrupts();
    return;
  }
  // Which session holds the lock is the lock manager's knowledge; all sessions of the database are in its
  // way.
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    ProcessSlot& process = SlotAt(slot);
    if (process.pid.load() != 0 && process.is_session.load() && process.database.load() == Oid{database}) {
      Cancel(slot, ConflictReason::kLock);
    }
  }
  self().latch.Reset();
  WaitLatch(10, WaitEvent::kLockRelation);
}

}  // namespace walden
