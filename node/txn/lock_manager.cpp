#include "node/txn/lock_manager.h"

#include <utility>

#include "node/base/check.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"
#include "node/txn/fast_path.h"
#include "node/txn/local_locks.h"
#include "node/txn/lock_table.h"
#include "node/txn/standby_locks.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_state.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

// Also makes sure that this process's exit releases its locks.
int OwnerLevel(const LockOptions& options) {
  int level = std::max<int>(1, static_cast<int>(OwnTxn().levels.size()));
  return options.session ? 0 : level;
}

void CheckAllowedInRecovery(const LockTag& tag, LockMode mode) {
  bool database_object = tag.kind == LockKind::kRelation || tag.kind == LockKind::kObject;
  if (!database_object || mode <= LockMode::kRowExclusive || !InRecovery()) return;
  if (self().kind.load(std::memory_order_relaxed) == ProcessKind::kStartup) return;
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                 "cannot acquire lock mode {} on database objects while recovery is in progress",
                 LockModeName(mode))
      .WithHint("Only RowExclusiveLock or less can be acquired on database objects during recovery.");
}

// A waiter that already holds something on this lock goes before those who wait for that: they could not be
// served before it anyway, and behind them it would deadlock. Returns the slot to stand before, -1 = at the
// end.
int PlaceInQueue(const LockEntry& lock, const HolderEntry& holder) {
  if (holder.held == 0) return -1;
  for (int at = lock.queue_head; at >= 0; at = lock_table->slots[at].wait_next) {
    if ((ConflictsOf(lock_table->slots[at].wait_mode) & holder.held) != 0) return at;
  }
  return -1;
}

// Whether somebody who would be served before `place` conflicts with `mode`.
bool MustQueueBehind(const LockEntry& lock, int place, LockMode mode) {
  if (place < 0) return (ConflictsOf(mode) & lock.waiting_mask) != 0;
  for (int at = lock.queue_head; at >= 0 && at != place; at = lock_table->slots[at].wait_next) {
    if (Conflict(mode, lock_table->slots[at].wait_mode)) return true;
  }
  return false;
}

// Returns nullptr when `nowait` and not to be had.
HolderEntry* AcquireShared(const LockTag& tag, uint64_t hash, LockMode mode, const LockOptions& options) {
  LwLock& partition = lock_table->PartitionLock(hash);
  partition.Acquire(LwMode::kExclusive);
  LockEntry* lock;
  HolderEntry* holder;
  if (!EnterTable(tag, hash, self_slot(), &lock, &holder)) {
    partition.Release();
    throw OutOfLockMemory();
  }
  int place = PlaceInQueue(*lock, *holder);
  if (!MustQueueBehind(*lock, place, mode) && !ConflictsWithOthers(*lock, *holder, mode)) {
    Grant(lock, holder, mode);
    partition.Release();
    return holder;
  }
  if (options.nowait) {
    LeaveTable(lock, holder, hash);
    partition.Release();
    return nullptr;
  }
  Enqueue(lock, holder, mode, place);
  WaitForGrant(lock, mode, hash, options.blocked);
  return holder;
}

bool UsesFastPath(const LockTag& tag, LockMode mode) {
  return tag.kind == LockKind::kRelation && mode <= LockMode::kRowExclusive;
}
bool IsStrong(const LockTag& tag, LockMode mode) {
  return tag.kind == LockKind::kRelation && mode >= LockMode::kShare;
}

// The shared side of `local`, which holds nothing yet. False when `nowait` and not to be had.
bool TakeShared(LocalLock* local, const LockOptions& options) {
  LockTag tag = local->tag;
  uint64_t hash = local->hash;
  LockMode mode = local->mode;
  if (UsesFastPath(tag, mode) && FastPathAcquire(tag, mode)) {
    local->fast = true;
    return true;
  }
  bool strong = IsStrong(tag, mode);
  if (strong) {
    StrongCounter(tag).fetch_add(1, std::memory_order_seq_cst);
    local->strong = true;
    FastPathMoveAll(tag, hash);  // throws when the table is full
  }
  local->holder = AcquireShared(tag, hash, mode, options);
  return local->holder != nullptr;
}

void GiveUpShared(LocalLock* local) {
  if (local->fast && FastPathRelease(local->tag, local->mode)) return;
  HolderEntry* holder = local->holder;
  LwLockGuard guard(lock_table->PartitionLock(local->hash), LwMode::kExclusive);
  if (local->fast) {
    // Was moved into the table by somebody's strong request.
    LockEntry* lock;
    CHECK(EnterTable(local->tag, local->hash, self_slot(), &lock, &holder));
  }
  Ungrant(holder->lock(), holder, local->mode, local->hash);
  // Only now may weak locks use the fast path again.
  if (local->strong) StrongCounter(local->tag).fetch_sub(1, std::memory_order_seq_cst);
}

void Forget(LocalLock* local) {
  GiveUpShared(local);
  OwnLocalLocks().Erase(local);
}

}  // namespace

LockResult AcquireLock(const LockTag& tag, LockMode mode, LockOptions options) {
  DCHECK(mode != LockMode::kNone && self_slot() >= 0);
  LocalLocks& locks = OwnLocalLocks();
  uint64_t hash = tag.Hash();
  int level = OwnerLevel(options);
  if (LocalLock* local = locks.Find(tag, hash, mode)) {
    local->Add(level);
    return LockResult::kAlreadyHeld;
  }
  CheckAllowedInRecovery(tag, mode);
  bool log_for_standbys =
      mode == LockMode::kAccessExclusive && tag.kind == LockKind::kRelation && PrepareStandbyLock();
  LocalLock* local = locks.Insert(tag, hash, mode);
  bool acquired = false;
  try {
    acquired = TakeShared(local, options);
  } catch (...) {
    if (local->strong) StrongCounter(tag).fetch_sub(1, std::memory_order_seq_cst);
    locks.Erase(local);
    throw;
  }
  if (!acquired) {
    if (local->strong) StrongCounter(tag).fetch_sub(1, std::memory_order_seq_cst);
    locks.Erase(local);
    return LockResult::kNotAvailable;
  }
  local->Add(level);
  if (log_for_standbys) LogStandbyLock(tag);
  return LockResult::kAcquired;
}

bool ReleaseLock(const LockTag& tag, LockMode mode, bool session) {
  LocalLock* local = OwnLocalLocks().Find(tag, tag.Hash(), mode);
  if (local == nullptr || !local->Remove(session)) return false;
  if (!local->Held()) Forget(local);
  return true;
}

void ReleaseSessionLocks(LockKind kind) {
  LocalLocks& locks = OwnLocalLocks();
  for (size_t i = locks.size(); i-- > 0;) {
    LocalLock& local = locks[i];
    if (local.tag.kind != kind || local.session_count == 0) continue;
    local.session_count = 0;
    if (!local.Held()) Forget(&local);
  }
}

bool HoldsLock(const LockTag& tag, LockMode mode, bool or_stronger) {
  uint64_t hash = tag.Hash();
  for (int m = static_cast<int>(mode); m < kLockModes; ++m) {
    if (OwnLocalLocks().Find(tag, hash, static_cast<LockMode>(m)) != nullptr) return true;
    if (!or_stronger) break;
  }
  return false;
}

bool LockHasWaiters(const LockTag& tag, LockMode mode) {
  uint64_t hash = tag.Hash();
  LwLockGuard guard(lock_table->PartitionLock(hash), LwMode::kShared);
  LockEntry* lock = lock_table->locks->Find(tag, hash);
  return lock != nullptr && (ConflictsOf(mode) & lock->waiting_mask) != 0;
}

ScopedLock::ScopedLock(const LockTag& tag, LockMode mode, LockOptions options)
    : tag_(tag), mode_(mode), session_(options.session) {
  acquired_ = AcquireLock(tag, mode, options) != LockResult::kNotAvailable;
}

ScopedLock::~ScopedLock() {
  // After an error the transaction's end may have released it already.
  if (!acquired_) return;
  LocalLock* local = OwnLocalLocks().Find(tag_, tag_.Hash(), mode_);
  if (local != nullptr && local->Remove(session_) && !local->Held()) Forget(local);
}

void ReleaseTransactionLocks() {
  LocalLocks& locks = OwnLocalLocks();
  if (locks.size() > 0) FastPathReleaseTransaction(locks);
  for (size_t i = locks.size(); i-- > 0;) {
    LocalLock& local = locks[i];
    local.top_count = 0;
    local.deeper.clear();
    if (!local.Held()) Forget(&local);
  }
  ReleaseAwaitedXidLocks();
}

void ReleaseAllLocks() {
  LocalLocks& locks = OwnLocalLocks();
  while (locks.size() > 0) Forget(&locks[locks.size() - 1]);
  if (self_slot() >= 0) ReleaseAwaitedXidLocks();
}

void ReleaseSubtransactionLocks(int nest_level) {
  LocalLocks& locks = OwnLocalLocks();
  for (size_t i = locks.size(); i-- > 0;) {
    LocalLock& local = locks[i];
    while (!local.deeper.empty() && local.deeper.back().level >= nest_level) local.deeper.pop_back();
    if (!local.Held()) Forget(&local);
  }
}

void ReassignSubtransactionLocks(int nest_level) {
  LocalLocks& locks = OwnLocalLocks();
  for (size_t i = 0; i < locks.size(); ++i) {
    LocalLock& local = locks[i];
    if (local.deeper.empty() || local.deeper.back().level < nest_level) continue;
    uint32_t count = local.deeper.back().count;
    local.deeper.pop_back();
    if (nest_level - 1 <= 1) {
      local.top_count += count;
    } else if (!local.deeper.empty() && local.deeper.back().level == nest_level - 1) {
      local.deeper.back().count += count;
    } else {
      local.deeper.push_back({nest_level - 1, count});
    }
  }
}

}  // namespace walden
