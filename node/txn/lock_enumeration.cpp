// What pg_locks and pg_blocking_pids show.
#include <algorithm>

#include "node/shm/process.h"
#include "node/txn/fast_path.h"
#include "node/txn/lock_manager.h"
#include "node/txn/lock_table.h"
#include "node/txn/txn_shared.h"

namespace walden {
namespace {

class AllPartitionsShared {
 public:
  AllPartitionsShared() {
    for (PaddedLwLock& partition : lock_table->partitions) partition.lock.Acquire(LwMode::kShared);
  }
  ~AllPartitionsShared() {
    for (PaddedLwLock& partition : lock_table->partitions) partition.lock.Release();
  }
};

LockRow RowOf(const LockTag& tag, LockMode mode, int slot, bool granted, bool fast) {
  uint64_t local = txn_shared->slots()[slot].virtual_local.load(std::memory_order_relaxed);
  return {tag, mode, granted, fast, slot, SlotAt(slot).pid.load(), local};
}

void AddFastLocks(int slot_number, std::vector<LockRow>* rows) {
  LockSlot& slot = lock_table->slots[slot_number];
  LwLockGuard guard(slot.fast_lock, LwMode::kShared);
  for (int i = 0; i < kFastPathLocks; ++i) {
    for (int m = 1; m <= 3; ++m) {
      if ((slot.fast_modes[i] >> m & 1) == 0) continue;
      LockTag tag = LockTag::Relation(Oid{slot.fast_tags[i].database}, Oid{slot.fast_tags[i].relation});
      rows->push_back(RowOf(tag, static_cast<LockMode>(m), slot_number, true, true));
    }
  }
}

// The locks that every transaction holds on itself without their being in the table.
void AddOwnIds(int slot_number, std::vector<LockRow>* rows) {
  TransactionSlot& slot = txn_shared->slots()[slot_number];
  if (uint64_t local = slot.virtual_local.load(std::memory_order_relaxed)) {
    rows->push_back(RowOf(LockTag::VirtualTransaction(slot_number, local), LockMode::kExclusive, slot_number,
                          true, true));
  }
  if (uint64_t xid = slot.xid.load(std::memory_order_relaxed)) {
    rows->push_back(RowOf(LockTag::Transaction(Xid{xid}), LockMode::kExclusive, slot_number, true, false));
  }
}

void AddTableLocks(std::vector<LockRow>* rows) {
  AllPartitionsShared all;
  for (uint32_t p = 0; p < kLockPartitions; ++p) {
    lock_table->locks->ForEachInPartition(p, [&](LockEntry& lock) {
      for (HolderEntry* holder = lock.holders; holder != nullptr; holder = holder->lock_next) {
        bool own_id =
            lock.key.kind == LockKind::kTransaction || lock.key.kind == LockKind::kVirtualTransaction;
        for (int m = 1; m < kLockModes; ++m) {
          if ((holder->held >> m & 1) == 0) continue;
          if (own_id && m == static_cast<int>(LockMode::kExclusive)) continue;  // AddOwnIds shows it
          rows->push_back(RowOf(lock.key, static_cast<LockMode>(m), holder->slot(), true, false));
        }
        if (!holder->waiting) continue;
        LockSlot& waiter = lock_table->slots[holder->slot()];
        rows->push_back(RowOf(lock.key, waiter.wait_mode, holder->slot(), false, false));
        rows->back().wait_start = waiter.wait_start.load(std::memory_order_relaxed);
      }
    });
  }
}

}  // namespace

std::vector<LockRow> EnumerateLocks() {
  std::vector<LockRow> rows;
  for (int i = 0; i < lock_table->slot_count; ++i) {
    AddFastLocks(i, &rows);
    AddOwnIds(i, &rows);
  }
  AddTableLocks(&rows);
  return rows;
}

std::vector<int> BlockingPids(int pid) {
  std::vector<int> pids;
  int slot_number = FindSlotByPid(pid);
  if (slot_number < 0) return pids;
  AllPartitionsShared all;
  LockSlot& waiter = lock_table->slots[slot_number];
  LockEntry* lock = waiter.wait_lock;
  if (lock == nullptr) return pids;
  LockMask conflicts = ConflictsOf(waiter.wait_mode);
  for (HolderEntry* holder = lock->holders; holder != nullptr; holder = holder->lock_next) {
    if (holder->slot() != slot_number && (holder->held & conflicts) != 0)
      pids.push_back(SlotAt(holder->slot()).pid.load());
  }
  for (int ahead = lock->queue_head; ahead >= 0 && ahead != slot_number;
       ahead = lock_table->slots[ahead].wait_next) {
    if ((conflicts & ModeBit(lock_table->slots[ahead].wait_mode)) == 0) continue;
    int blocker = SlotAt(ahead).pid.load();
    if (std::find(pids.begin(), pids.end(), blocker) == pids.end()) pids.push_back(blocker);
  }
  return pids;
}

std::vector<std::pair<int, uint64_t>> ConflictingHolders(const LockTag& tag, LockMode mode) {
  LockMask conflicts = ConflictsOf(mode);
  std::vector<std::pair<int, uint64_t>> found;
  auto add = [&](int slot) {
    uint64_t local = txn_shared->slots()[slot].virtual_local.load(std::memory_order_acquire);
    if (slot == self_slot() || local == 0) return;
    std::pair<int, uint64_t> holder{slot, local};
    if (std::find(found.begin(), found.end(), holder) == found.end()) found.push_back(holder);
  };
  if (tag.kind == LockKind::kRelation && mode >= LockMode::kShare) {
    for (int i = 0; i < lock_table->slot_count; ++i) {
      if ((FastPathModes(i, tag) & conflicts) != 0) add(i);
    }
  }
  uint64_t hash = tag.Hash();
  LwLockGuard guard(lock_table->PartitionLock(hash), LwMode::kShared);
  LockEntry* lock = lock_table->locks->Find(tag, hash);
  for (HolderEntry* holder = lock != nullptr ? lock->holders : nullptr; holder != nullptr;
       holder = holder->lock_next) {
    if ((holder->held & conflicts) != 0) add(holder->slot());
  }
  return found;
}

}  // namespace walden
