#include <algorithm>

#include "node/base/check.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/shm/latch.h"
#include "node/shm/process.h"
#include "node/stats/counters.h"
#include "node/txn/lock_manager.h"
#include "node/txn/lock_table.h"

namespace walden {
namespace {

WaitEvent WaitEventOf(LockKind kind) {
  switch (kind) {
    case LockKind::kRelation: return WaitEvent::kLockRelation;
    case LockKind::kRelationExtend: return WaitEvent::kLockExtend;
    case LockKind::kPage: return WaitEvent::kLockPage;
    case LockKind::kTuple: return WaitEvent::kLockTuple;
    case LockKind::kTransaction: return WaitEvent::kLockTransaction;
    case LockKind::kVirtualTransaction: return WaitEvent::kLockVirtualTransaction;
    case LockKind::kAdvisory: return WaitEvent::kLockAdvisory;
    case LockKind::kDatabaseFrozenIds:
    case LockKind::kObject: break;
  }
  return WaitEvent::kLockObject;
}

// One wait: its deadlines and what is done about them. The tag is a copy: once granted or given up, the entry
// may go.
class LockWait {
 public:
  LockWait(const LockTag& tag, LockMode mode, uint64_t hash, BlockedCallback blocked)
      : tag_(tag), mode_(mode), hash_(hash), blocked_(blocked) {
    start_us_ = MonotonicUs();
    deadlock_at_us_ = start_us_ + GetInt(Setting::kDeadlockTimeout) * 1000;
    int64_t limit_ms = GetInt(Setting::kLockTimeout);
    timeout_at_us_ = limit_ms > 0 && blocked == nullptr ? start_us_ + limit_ms * 1000 : INT64_MAX;
    own_.wait_start.store(WallClockUs(), std::memory_order_relaxed);
  }

  void Run() {
    for (;;) {
      self().latch.Reset();
      if (Granted()) break;
      int64_t now = MonotonicUs();
      if (now >= deadlock_at_us_ && blocked_ == nullptr) LookForDeadlock();
      if (now >= timeout_at_us_) TimeOut();
      if (Granted()) break;
      int64_t wait_ms = MillisecondsUntil(std::min(deadlock_at_us_, timeout_at_us_));
      try {
        CheckInterrupts();
        // As unsigned numbers -1, for ever, is the longest wait.
        if (blocked_ != nullptr) {
          wait_ms = static_cast<int64_t>(std::min(static_cast<uint64_t>(wait_ms), AskCallback(now)));
        }
      } catch (...) {
        GiveUp();
        throw;
      }
      WaitLatch(wait_ms, WaitEventOf(tag_.kind));
    }
    own_.wait_state.store(WaitState::kNone, std::memory_order_relaxed);
    own_.wait_start.store(0, std::memory_order_relaxed);
    if (told_) LogWait("acquired");
  }

 private:
  bool Granted() const { return own_.wait_state.load(std::memory_order_acquire) == WaitState::kGranted; }

  static int64_t MillisecondsUntil(int64_t at_us) {
    if (at_us == INT64_MAX) return -1;
    return std::max<int64_t>(0, (at_us - MonotonicUs() + 999) / 1000);
  }

  // Milliseconds until the callback wants to be asked again; the highest number for never.
  uint64_t AskCallback(int64_t now) {
    bool deadlock = now >= deadlock_at_us_ && IsDeadlocked();
    if (now >= deadlock_at_us_) deadlock_at_us_ = INT64_MAX;
    return static_cast<uint64_t>(blocked_(tag_, mode_, deadlock));
  }

  // Leaves the queue; a lock granted meanwhile is given back, because the caller will not learn of it.
  void GiveUp() {
    LwLockGuard guard(lock_table->PartitionLock(hash_), LwMode::kExclusive);
    if (Granted()) {
      LockEntry* lock;
      HolderEntry* holder;
      CHECK(EnterTable(tag_, hash_, self_slot(), &lock, &holder));
      own_.wait_state.store(WaitState::kNone, std::memory_order_relaxed);
      Ungrant(lock, holder, mode_, hash_);
    } else {
      Dequeue(self_slot());
    }
    own_.wait_start.store(0, std::memory_order_relaxed);
  }

  void TimeOut() {
    if (Granted()) return;
    GiveUp();
    throw SqlError(ErrorCode::kLockNotAvailable, "canceling statement due to lock timeout");
  }

  void LookForDeadlock() {
    deadlock_at_us_ = INT64_MAX;  // looked at once: whoever closes a cycle later looks itself
    std::string detail;
    int autovacuum_slot = -1;
    if (FindDeadlock(&detail, &autovacuum_slot)) {
      own_.wait_start.store(0, std::memory_order_relaxed);
      Count(DatabaseCounter::kDeadlocks);
      throw SqlError(ErrorCode::kDeadlockDetected, "deadlock detected")
          .WithDetail(std::move(detail))
          .WithHint("See server log for query details.");
    }
    if (autovacuum_slot >= 0) RaiseInterrupt(autovacuum_slot, Interrupt::kCancel);
    if (GetBool(Setting::kLogLockWaits) && !Granted()) {
      told_ = true;
      LogWait("still waiting for");
    }
  }

  void LogWait(std::string_view what) const {
    int64_t waited_us = MonotonicUs() - start_us_;
    Log(Severity::kLog, "process {} {} {} on {} after {}.{:03} ms", self().pid.load(), what,
        LockModeName(mode_), DescribeLockTag(tag_), waited_us / 1000, waited_us % 1000);
  }

  LockTag tag_;
  LockMode mode_;
  uint64_t hash_;
  BlockedCallback blocked_;
  LockSlot& own_ = OwnLockSlot();
  int64_t start_us_, deadlock_at_us_, timeout_at_us_;
  bool told_ = false;
};

}  // namespace

void WaitForGrant(LockEntry* lock, LockMode mode, uint64_t hash, BlockedCallback blocked) {
  LockTag tag = lock->key;
  lock_table->PartitionLock(hash).Release();
  LockWait(tag, mode, hash, blocked).Run();
}

}  // namespace walden
