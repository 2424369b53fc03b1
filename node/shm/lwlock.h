// Lightweight lock for shared memory: shared/exclusive, queue of waiting processes, declared rank.
// Owner: whoever embeds it in an area; construct with Init. Held locks are recorded per process (thread), so
// that error recovery can release them all. Not cancelable: interrupts wait while one is held or awaited. A
// holder's death is a crash of the node (I2); the holder's slot of an exclusive lock is kept for diagnosis.
#pragma once

#include <atomic>
#include <cstdint>

namespace walden {

enum class LwRank : uint16_t {
#define X(name, text, same) name,
#include "node/shm/lwlock_ranks.def"
#undef X
  kCount
};
const char* LwRankName(LwRank rank);

enum class LwMode : uint8_t { kShared, kExclusive };

class LwLock {
 public:
  void Init(LwRank rank);
  // Asserts (DCHECK builds) that every held lock has a lower rank, or the same if the rank allows several.
  void Acquire(LwMode mode);
  // Never waits; no rank check, because what never waits cannot deadlock.
  bool TryAcquire(LwMode mode);
  // Takes it exclusively and returns true if free; otherwise waits until it was released and returns false
  // without taking it (group flush: somebody else probably did the work).
  bool AcquireOrWait();
  void Release();
  bool HeldByMe() const;
  bool HeldByMe(LwMode mode) const;
  LwRank rank() const { return static_cast<LwRank>(rank_); }
  // Slot of the exclusive holder, or -1. Diagnostic only.
  int exclusive_holder() const { return holder_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kExclusiveBit = 1u << 31, kWaitersBit = 1u << 30, kWakePendingBit = 1u << 29,
                            kQueueBit = 1u << 28, kSharedMask = (1u << 24) - 1;
  bool TryState(LwMode mode);
  void Sleep(LwMode mode, bool wait_only);
  void LockQueue();
  void UnlockQueue();
  bool Enqueue(LwMode mode, bool wait_only);
  void WakeWaiters();

  std::atomic<uint32_t> state_;
  uint16_t rank_;
  std::atomic<int32_t> holder_;
  int32_t queue_head_;  // slot index or -1. Guarded by: kQueueBit of state_
  int32_t queue_tail_;
};
static_assert(sizeof(LwLock) == 20);

// Releases every lock that this process holds, newest first.
void ReleaseAllLwLocks();
int HeldLwLockCount();

class LwLockGuard {
 public:
  LwLockGuard(LwLock& lock, LwMode mode) : lock_(&lock) { lock.Acquire(mode); }
  ~LwLockGuard() { Release(); }
  LwLockGuard(const LwLockGuard&) = delete;
  LwLockGuard& operator=(const LwLockGuard&) = delete;
  void Release() {
    if (lock_ != nullptr) lock_->Release();
    lock_ = nullptr;
  }

 private:
  LwLock* lock_;
};

}  // namespace walden
