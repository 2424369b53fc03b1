#include "node/shm/lwlock.h"

#include <sched.h>

#include "node/base/check.h"
#include "node/os/futex.h"
#include "node/shm/process.h"
#include "node/shm/server_state.h"
#include "node/shm/spinlock.h"

namespace walden {
namespace {

constexpr bool kOneOfRank = false;
constexpr bool kManyOfRank = true;
struct RankRow {
  const char* name;
  bool many;
};
constexpr RankRow kRanks[] = {
#define X(name, text, same) {text, same},
#include "node/shm/lwlock_ranks.def"
#undef X
};

constexpr int kMaxHeld = 256;
struct HeldLock {
  LwLock* lock;
  LwMode mode;
};
thread_local HeldLock held[kMaxHeld];
thread_local int held_count = 0;

void Remember(LwLock* lock, LwMode mode) {
  CHECK(held_count < kMaxHeld);
  held[held_count++] = {lock, mode};
}

void CheckRank([[maybe_unused]] LwRank rank) {
  CheckMayBlock();
#ifdef WALDEN_DCHECK
  for (int i = 0; i < held_count; ++i) {
    LwRank other = held[i].lock->rank();
    if (other < rank || (other == rank && kRanks[static_cast<size_t>(rank)].many)) continue;
    Panic("lock rank violation: taking {} while holding {}", LwRankName(rank), LwRankName(other));
  }
#endif
}

}  // namespace

const char* LwRankName(LwRank rank) {
  return static_cast<size_t>(rank) < std::size(kRanks) ? kRanks[static_cast<size_t>(rank)].name : "unknown";
}

void LwLock::Init(LwRank rank) {
  state_.store(0, std::memory_order_relaxed);
  rank_ = static_cast<uint16_t>(rank);
  holder_.store(-1, std::memory_order_relaxed);
  queue_head_ = queue_tail_ = -1;
}

bool LwLock::TryState(LwMode mode) {
  uint32_t seen = state_.load(std::memory_order_relaxed);
  for (;;) {
    bool free = mode == LwMode::kExclusive ? (seen & (kExclusiveBit | kSharedMask)) == 0
                                           : (seen & kExclusiveBit) == 0;
    if (!free) return false;
    uint32_t wanted = mode == LwMode::kExclusive ? seen | kExclusiveBit : seen + 1;
    if (state_.compare_exchange_weak(seen, wanted, std::memory_order_seq_cst)) return true;
  }
}

void LwLock::Acquire(LwMode mode) {
  CheckRank(rank());
  while (!TryState(mode)) Sleep(mode, false);
  if (mode == LwMode::kExclusive) holder_.store(self_slot(), std::memory_order_relaxed);
  Remember(this, mode);
}

bool LwLock::TryAcquire(LwMode mode) {
  if (!TryState(mode)) return false;
  if (mode == LwMode::kExclusive) holder_.store(self_slot(), std::memory_order_relaxed);
  Remember(this, mode);
  return true;
}

bool LwLock::AcquireOrWait() {
  CheckRank(rank());
  if (TryState(LwMode::kExclusive)) {
    holder_.store(self_slot(), std::memory_order_relaxed);
    Remember(this, LwMode::kExclusive);
    return true;
  }
  Sleep(LwMode::kExclusive, true);
  return false;
}

void LwLock::LockQueue() {
  for (int spin = 0; state_.fetch_or(kQueueBit, std::memory_order_acquire) & kQueueBit; ++spin) {
    if (spin < 100) {
      SpinPause();
    } else {
      sched_yield();
    }
  }
}

void LwLock::UnlockQueue() { state_.fetch_and(~kQueueBit, std::memory_order_release); }

// Returns false without queueing if the lock became free meanwhile.
bool LwLock::Enqueue(LwMode mode, bool wait_only) {
  ProcessSlot& me = self();
  CHECK(me.index >= 0);
  LockQueue();
  // Waiters are announced before the last look: a releaser either sees the bit or has released before the
  // look.
  state_.fetch_or(kWaitersBit, std::memory_order_seq_cst);
  uint32_t seen = state_.load(std::memory_order_seq_cst);
  bool free =
      mode == LwMode::kExclusive ? (seen & (kExclusiveBit | kSharedMask)) == 0 : (seen & kExclusiveBit) == 0;
  if (free) {
    if (queue_head_ < 0) state_.fetch_and(~kWaitersBit, std::memory_order_relaxed);
    UnlockQueue();
    return false;
  }
  me.lwlock_mode = static_cast<uint8_t>(mode);
  me.lwlock_wait_only = wait_only;
  me.lwlock_next = -1;
  me.lwlock_wake.store(1, std::memory_order_relaxed);
  if (queue_tail_ >= 0) {
    SlotAt(queue_tail_).lwlock_next = me.index;
  } else {
    queue_head_ = me.index;
  }
  queue_tail_ = me.index;
  UnlockQueue();
  return true;
}

void LwLock::Sleep(LwMode mode, bool wait_only) {
  if (!Enqueue(mode, wait_only)) return;
  ProcessSlot& me = self();
  uint32_t previous = me.wait_event.exchange(kLwLockWaitBase + rank_, std::memory_order_relaxed);
  if (ServerState* state = TheServerState())
    state->lwlock_waits[rank_].fetch_add(1, std::memory_order_relaxed);
  while (me.lwlock_wake.load(std::memory_order_acquire) != 0) FutexWait(&me.lwlock_wake, 1);
  me.wait_event.store(previous, std::memory_order_relaxed);
  // The next release may wake others again: this process is running and takes part in the competition.
  if (!wait_only) state_.fetch_and(~kWakePendingBit, std::memory_order_seq_cst);
}

// Takes from the queue: processes that only wait, then either the first exclusive waiter or all shared ones
// before it. Woken ones compete with newcomers; until one of them runs, kWakePendingBit keeps further
// releases from waking more.
void LwLock::WakeWaiters() {
  int woken[64];
  int count = 0;
  bool woke_taker = false;
  LockQueue();
  while (queue_head_ >= 0 && count < 64) {
    ProcessSlot& first = SlotAt(queue_head_);
    bool exclusive = first.lwlock_mode == static_cast<uint8_t>(LwMode::kExclusive);
    if (!first.lwlock_wait_only && exclusive && woke_taker) break;
    woken[count++] = queue_head_;
    queue_head_ = first.lwlock_next;
    if (queue_head_ < 0) queue_tail_ = -1;
    if (first.lwlock_wait_only) continue;
    woke_taker = true;
    if (exclusive) break;
  }
  if (woke_taker) state_.fetch_or(kWakePendingBit, std::memory_order_relaxed);
  if (queue_head_ < 0) state_.fetch_and(~kWaitersBit, std::memory_order_relaxed);
  UnlockQueue();
  for (int i = 0; i < count; ++i) {
    ProcessSlot& slot = SlotAt(woken[i]);
    slot.lwlock_wake.store(0, std::memory_order_release);
    FutexWake(&slot.lwlock_wake, 1);
  }
}

void LwLock::Release() {
  for (int i = held_count - 1; i >= 0; --i) {
    if (held[i].lock != this) continue;
    LwMode mode = held[i].mode;
    for (--held_count; i < held_count; ++i) held[i] = held[i + 1];
    if (mode == LwMode::kExclusive) holder_.store(-1, std::memory_order_relaxed);
    uint32_t change = mode == LwMode::kExclusive ? kExclusiveBit : 1;
    uint32_t now = state_.fetch_sub(change, std::memory_order_seq_cst) - change;
    if ((now & kWaitersBit) && !(now & (kExclusiveBit | kSharedMask | kWakePendingBit))) WakeWaiters();
    return;
  }
  Panic("lock {} is not held", LwRankName(rank()));
}

bool LwLock::HeldByMe() const {
  for (int i = 0; i < held_count; ++i) {
    if (held[i].lock == this) return true;
  }
  return false;
}

bool LwLock::HeldByMe(LwMode mode) const {
  for (int i = 0; i < held_count; ++i) {
    if (held[i].lock == this) return held[i].mode == mode;
  }
  return false;
}

void ReleaseAllLwLocks() {
  while (held_count > 0) held[held_count - 1].lock->Release();
}

int HeldLwLockCount() { return held_count; }

}  // namespace walden
