#include "node/txn/lock_table.h"

#include <new>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/shm/process.h"
#include "node/txn/lock_manager.h"

namespace walden {

LockTable* lock_table = nullptr;

namespace {

uint64_t HolderHash(const HolderKey& key, uint64_t lock_hash) {
  uint64_t mixed =
      (reinterpret_cast<uint64_t>(key.lock) >> 3) * 0x9E3779B97F4A7C15ull + key.slot * 0xD6E8FEB86659FD93ull;
  return ((mixed ^ (mixed >> 31)) << 4) | (lock_hash % kLockPartitions);
}

void LinkHolder(LockEntry* lock, HolderEntry* holder, uint64_t hash) {
  holder->lock_previous = nullptr;
  holder->lock_next = lock->holders;
  if (lock->holders != nullptr) lock->holders->lock_previous = holder;
  lock->holders = holder;
  HolderEntry*& head = lock_table->slots[holder->slot()].held[hash % kLockPartitions];
  holder->slot_previous = nullptr;
  holder->slot_next = head;
  if (head != nullptr) head->slot_previous = holder;
  head = holder;
}

void UnlinkHolder(LockEntry* lock, HolderEntry* holder, uint64_t hash) {
  (holder->lock_previous != nullptr ? holder->lock_previous->lock_next : lock->holders) = holder->lock_next;
  if (holder->lock_next != nullptr) holder->lock_next->lock_previous = holder->lock_previous;
  HolderEntry*& head = lock_table->slots[holder->slot()].held[hash % kLockPartitions];
  (holder->slot_previous != nullptr ? holder->slot_previous->slot_next : head) = holder->slot_next;
  if (holder->slot_next != nullptr) holder->slot_next->slot_previous = holder->slot_previous;
}

void UnlinkWaiter(LockSlot& waiter) {
  LockEntry* lock = waiter.wait_lock;
  (waiter.wait_previous >= 0 ? lock_table->slots[waiter.wait_previous].wait_next : lock->queue_head) =
      waiter.wait_next;
  (waiter.wait_next >= 0 ? lock_table->slots[waiter.wait_next].wait_previous : lock->queue_tail) =
      waiter.wait_previous;
  int mode = static_cast<int>(waiter.wait_mode);
  if (--lock->waiting[mode] == 0) lock->waiting_mask &= static_cast<LockMask>(~ModeBit(waiter.wait_mode));
  waiter.wait_holder->waiting = false;
  waiter.wait_lock = nullptr;
}

uint32_t LockCapacity() {
  return static_cast<uint32_t>(GetInt(Setting::kMaxLocksPerTransaction) * MaxProcessSlots());
}

}  // namespace

LockSlot& OwnLockSlot() { return lock_table->slots[self_slot()]; }

SqlError OutOfLockMemory() {
  return SqlError(ErrorCode::kOutOfMemory, "out of shared memory")
      .WithHint("You might need to increase max_locks_per_transaction.");
}

bool EnterTable(const LockTag& tag, uint64_t hash, int slot, LockEntry** lock, HolderEntry** holder) {
  bool found;
  *lock = lock_table->locks->Insert(tag, hash, &found);
  if (*lock == nullptr) return false;
  if (!found) {
    (*lock)->granted_mask = (*lock)->waiting_mask = 0;
    for (int m = 0; m < kLockModes; ++m) (*lock)->granted[m] = (*lock)->waiting[m] = 0;
    (*lock)->holders = nullptr;
    (*lock)->queue_head = (*lock)->queue_tail = -1;
  }
  HolderKey key{*lock, static_cast<uint64_t>(slot)};
  *holder = lock_table->holders->Insert(key, HolderHash(key, hash), &found);
  if (*holder == nullptr) {
    if ((*lock)->holders == nullptr) lock_table->locks->Erase(tag, hash);
    return false;
  }
  if (!found) {
    (*holder)->held = 0;
    (*holder)->waiting = false;
    LinkHolder(*lock, *holder, hash);
  }
  return true;
}

bool ConflictsWithOthers(const LockEntry& lock, const HolderEntry& holder, LockMode mode) {
  LockMask conflicts = ConflictsOf(mode) & lock.granted_mask;
  for (int m = 1; conflicts >> m != 0; ++m) {
    if ((conflicts >> m & 1) == 0) continue;
    int mine = (holder.held >> m) & 1;
    if (lock.granted[m] > mine) return true;
  }
  return false;
}

void Grant(LockEntry* lock, HolderEntry* holder, LockMode mode) {
  DCHECK((holder->held & ModeBit(mode)) == 0);
  ++lock->granted[static_cast<int>(mode)];
  lock->granted_mask |= ModeBit(mode);
  holder->held |= ModeBit(mode);
}

void Ungrant(LockEntry* lock, HolderEntry* holder, LockMode mode, uint64_t hash) {
  CHECK((holder->held & ModeBit(mode)) != 0);
  holder->held &= static_cast<LockMask>(~ModeBit(mode));
  if (--lock->granted[static_cast<int>(mode)] == 0)
    lock->granted_mask &= static_cast<LockMask>(~ModeBit(mode));
  if ((ConflictsOf(mode) & lock->waiting_mask) != 0) WakeWaiters(lock);
  LeaveTable(lock, holder, hash);
}

void LeaveTable(LockEntry* lock, HolderEntry* holder, uint64_t hash) {
  if (holder->held != 0 || holder->waiting) return;
  UnlinkHolder(lock, holder, hash);
  HolderKey key = holder->key;
  lock_table->holders->Erase(key, HolderHash(key, hash));
  if (lock->holders != nullptr) return;
  DCHECK(lock->granted_mask == 0 && lock->queue_head < 0);
  LockTag tag = lock->key;
  lock_table->locks->Erase(tag, hash);
}

void WakeWaiters(LockEntry* lock) {
  LockMask ahead = 0;
  for (int at = lock->queue_head; at >= 0;) {
    LockSlot& waiter = lock_table->slots[at];
    int next = waiter.wait_next;
    HolderEntry* holder = waiter.wait_holder;
    LockMode mode = waiter.wait_mode;
    if ((ConflictsOf(mode) & ahead) == 0 && !ConflictsWithOthers(*lock, *holder, mode)) {
      UnlinkWaiter(waiter);
      Grant(lock, holder, mode);
      waiter.wait_state.store(WaitState::kGranted, std::memory_order_release);
      SlotAt(at).latch.Set();
    } else {
      ahead |= ModeBit(mode);
    }
    at = next;
  }
}

void Enqueue(LockEntry* lock, HolderEntry* holder, LockMode mode, int before_slot) {
  int own = holder->slot();
  LockSlot& waiter = lock_table->slots[own];
  waiter.wait_lock = lock;
  waiter.wait_holder = holder;
  waiter.wait_mode = mode;
  waiter.wait_next = before_slot;
  waiter.wait_previous = before_slot >= 0 ? lock_table->slots[before_slot].wait_previous : lock->queue_tail;
  (waiter.wait_previous >= 0 ? lock_table->slots[waiter.wait_previous].wait_next : lock->queue_head) = own;
  (before_slot >= 0 ? lock_table->slots[before_slot].wait_previous : lock->queue_tail) = own;
  holder->waiting = true;
  ++lock->waiting[static_cast<int>(mode)];
  lock->waiting_mask |= ModeBit(mode);
  waiter.wait_start.store(0, std::memory_order_relaxed);
  waiter.wait_state.store(WaitState::kWaiting, std::memory_order_relaxed);
}

void Dequeue(int slot) {
  LockSlot& waiter = lock_table->slots[slot];
  LockEntry* lock = waiter.wait_lock;
  HolderEntry* holder = waiter.wait_holder;
  UnlinkWaiter(waiter);
  waiter.wait_state.store(WaitState::kNone, std::memory_order_relaxed);
  WakeWaiters(lock);
  LeaveTable(lock, holder, lock->key.Hash());
}

size_t LockAreaSize() {
  uint32_t locks = LockCapacity();
  return sizeof(LockTable) + 128 + ShmHash<LockEntry, kLockPartitions>::BytesFor(locks) + 128 +
         ShmHash<HolderEntry, kLockPartitions>::BytesFor(locks * 2) + 128 +
         static_cast<size_t>(MaxProcessSlots()) * sizeof(LockSlot);
}

void LockAreaInit(void* at) {
  lock_table = new (at) LockTable{};
  uint32_t locks = LockCapacity();
  for (PaddedLwLock& partition : lock_table->partitions) partition.lock.Init(LwRank::kLockManager);
  char* next = static_cast<char*>(at) + sizeof(LockTable);
  auto align = [&next] { next = reinterpret_cast<char*>(AlignUp(reinterpret_cast<uintptr_t>(next), 128)); };
  align();
  lock_table->locks = ShmHash<LockEntry, kLockPartitions>::Create(next, locks);
  next += ShmHash<LockEntry, kLockPartitions>::BytesFor(locks);
  align();
  lock_table->holders = ShmHash<HolderEntry, kLockPartitions>::Create(next, locks * 2);
  next += ShmHash<HolderEntry, kLockPartitions>::BytesFor(locks * 2);
  align();
  lock_table->slots = reinterpret_cast<LockSlot*>(next);
  lock_table->slot_count = MaxProcessSlots();
  for (int i = 0; i < lock_table->slot_count; ++i) {
    LockSlot* slot = new (lock_table->slots + i) LockSlot{};
    slot->fast_lock.Init(LwRank::kLockFastPath);
    slot->wait_next = slot->wait_previous = -1;
  }
}

}  // namespace walden
