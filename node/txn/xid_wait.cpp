// Waiting for a transaction to end. Nobody takes a lock on his own xid: a waiter puts it into the lock table
// on the holder's behalf, under the holder's fast_lock, after seeing there that the holder still runs. The
// holder marks its end first (entry final, slot empty) and then, under the same fast_lock, releases what
// waiters made for it. So either the waiter sees the end, or the holder sees the lock.
#include "node/base/check.h"
#include "node/shm/interrupts.h"
#include "node/shm/latch.h"
#include "node/txn/clog.h"
#include "node/txn/lock_manager.h"
#include "node/txn/lock_table.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_state.h"
#include "node/txn/txn_shared.h"

namespace walden {
namespace {

bool Finished(Xid xid) { return LookupCommit(xid).status != XidStatus::kInProgress; }

// Requires: the holder's fast_lock.
void LockForHolder(int slot_number, const LockTag& tag) {
  uint64_t hash = tag.Hash();
  LwLockGuard partition(lock_table->PartitionLock(hash), LwMode::kExclusive);
  LockEntry* lock;
  HolderEntry* holder;
  if (!EnterTable(tag, hash, slot_number, &lock, &holder)) throw OutOfLockMemory();
  if ((holder->held & ModeBit(LockMode::kExclusive)) != 0) return;
  Grant(lock, holder, LockMode::kExclusive);
  ++lock_table->slots[slot_number].awaited;
}

// False when no process runs `top` any more.
bool MaterialiseXid(Xid xid, Xid top) {
  for (int i = 0; i < txn_shared->slot_count; ++i) {
    TransactionSlot& slot = txn_shared->slots()[i];
    if (slot.xid.load(std::memory_order_acquire) != top.value) continue;
    LwLockGuard guard(lock_table->slots[i].fast_lock, LwMode::kExclusive);
    if (slot.xid.load(std::memory_order_acquire) != top.value || Finished(xid)) return false;
    LockForHolder(i, LockTag::Transaction(xid));
    return true;
  }
  return false;
}

void AwaitXid(Xid xid) {
  while (!Finished(xid)) {
    if (MaterialiseXid(xid, TopXidOf(xid))) {
      LockTag tag = LockTag::Transaction(xid);
      AcquireLock(tag, LockMode::kShare);
      ReleaseLock(tag, LockMode::kShare);
      continue;
    }
    // Between its end and the final mark (or the other way round): a few instructions, unless that process
    // was stopped there.
    CheckInterrupts();
    if (!Finished(xid)) WaitLatch(1, WaitEvent::kLockTransaction);
  }
}

}  // namespace

void WaitForXid(Xid xid, const RowWaitContext* context) {
  CHECK(!IsCurrentXid(xid));
  if (context == nullptr) return AwaitXid(xid);
  try {
    AwaitXid(xid);
  } catch (SqlError& error) {
    bool is_version = context->action == "locking updated version";
    error.WithContext(fmt::format("while {}{} ({},{}){} in relation \"{}\"", context->action,
                                  is_version ? "" : " tuple", context->tid.block, context->tid.offset,
                                  is_version ? " of tuple" : "", context->relation));
    throw;
  }
}

bool TryWaitForXid(Xid xid) { return Finished(xid); }

void WaitForVirtualTransaction(int slot_number, uint64_t local) {
  TransactionSlot& slot = txn_shared->slots()[slot_number];
  LockTag tag = LockTag::VirtualTransaction(slot_number, local);
  {
    LwLockGuard guard(lock_table->slots[slot_number].fast_lock, LwMode::kExclusive);
    if (slot.virtual_local.load(std::memory_order_acquire) != local) return;
    LockForHolder(slot_number, tag);
  }
  AcquireLock(tag, LockMode::kShare);
  ReleaseLock(tag, LockMode::kShare);
}

void ReleaseAwaitedXidLocks() {
  LockSlot& own = OwnLockSlot();
  LwLockGuard guard(own.fast_lock, LwMode::kExclusive);
  if (own.awaited == 0) return;
  uint64_t running_local = OwnTransactionSlot().virtual_local.load(std::memory_order_relaxed);
  for (uint32_t p = 0; p < kLockPartitions; ++p) {
    LwLockGuard partition(lock_table->partitions[p].lock, LwMode::kExclusive);
    for (HolderEntry *holder = own.held[p], *next; holder != nullptr; holder = next) {
      next = holder->slot_next;
      LockEntry* lock = holder->lock();
      const LockTag& tag = lock->key;
      bool ended = (tag.kind == LockKind::kTransaction && Finished(Xid{tag.wide})) ||
                   (tag.kind == LockKind::kVirtualTransaction && tag.wide != running_local);
      if (!ended || (holder->held & ModeBit(LockMode::kExclusive)) == 0) continue;
      --own.awaited;
      Ungrant(lock, holder, LockMode::kExclusive, tag.Hash());
    }
  }
}

}  // namespace walden
