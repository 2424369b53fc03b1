// Internal to txn: the shared lock table.
//
// Lock order: a process's fast_lock, then partition locks in rising number, then what clog.h takes.
// Guarded by: the partition lock of its tag covers a LockEntry, its HolderEntries, its queue, the wait fields
// of the processes in that queue, and the partition's list of holders of each process.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/shm/lwlock.h"
#include "node/shm/shm_hash.h"
#include "node/txn/lock_manager.h"
#include "node/txn/lock_modes.h"
#include "node/txn/lock_tag.h"

namespace walden {

inline constexpr uint32_t kLockPartitions = 16;
inline constexpr int kFastPathLocks = 16;
inline constexpr uint32_t kStrongCounters = 1024;

struct HolderEntry;

struct LockEntry {
  LockTag key;
  int32_t next;
  LockMask granted_mask;
  LockMask waiting_mask;
  int32_t granted[kLockModes];
  int32_t waiting[kLockModes];
  HolderEntry* holders;  // holders and waiters
  int32_t queue_head;    // process slots, -1 = none
  int32_t queue_tail;
};

struct HolderKey {
  const LockEntry* lock;
  uint64_t slot;
  bool operator==(const HolderKey&) const = default;
};

// One process's interest in one lock.
struct HolderEntry {
  HolderKey key;
  int32_t next;
  LockMask held;
  bool waiting;
  HolderEntry *lock_next, *lock_previous;
  HolderEntry *slot_next, *slot_previous;
  int slot() const { return static_cast<int>(key.slot); }
  LockEntry* lock() const { return const_cast<LockEntry*>(key.lock); }
};

enum class WaitState : int32_t { kNone, kWaiting, kGranted };

struct FastPathLock {
  uint32_t database;
  uint32_t relation;
};

struct alignas(128) LockSlot {
  LwLock fast_lock;  // kLockFastPath
  int32_t awaited;   // own xids and virtual xid that others put into the table. Guarded by: fast_lock
  uint8_t fast_modes[kFastPathLocks];      // bit m: mode m held, 0 = free. Guarded by: fast_lock
  FastPathLock fast_tags[kFastPathLocks];  // Guarded by: fast_lock
  HolderEntry* held[kLockPartitions];      // Guarded by: partition
  LockEntry* wait_lock;                    // all wait fields: Guarded by: partition of wait_lock
  HolderEntry* wait_holder;
  LockMode wait_mode;
  int32_t wait_next, wait_previous;
  std::atomic<WaitState> wait_state;  // also read by its owner without the partition lock
  std::atomic<TimestampUs> wait_start;
};

struct alignas(64) PaddedLwLock {
  LwLock lock;
};

struct LockTable {
  PaddedLwLock partitions[kLockPartitions];       // kLockManager
  std::atomic<uint32_t> strong[kStrongCounters];  // strong locks held or awaited, by hash of the relation
  ShmHash<LockEntry, kLockPartitions>* locks;
  ShmHash<HolderEntry, kLockPartitions>* holders;
  int32_t slot_count;
  LockSlot* slots;

  LwLock& PartitionLock(uint64_t hash) { return partitions[hash % kLockPartitions].lock; }
};
extern LockTable* lock_table;

LockSlot& OwnLockSlot();
inline std::atomic<uint32_t>& StrongCounter(const LockTag& tag) {
  return lock_table->strong[(tag.Hash() >> 8) % kStrongCounters];
}

// All below require the partition lock, exclusive.

// Finds or makes the lock and this process's holder entry; false when the table is full.
bool EnterTable(const LockTag& tag, uint64_t hash, int slot, LockEntry** lock, HolderEntry** holder);
// Whether `mode` conflicts with what others hold.
bool ConflictsWithOthers(const LockEntry& lock, const HolderEntry& holder, LockMode mode);
void Grant(LockEntry* lock, HolderEntry* holder, LockMode mode);
// Gives up one mode, wakes whom that lets through, and removes what is no longer needed.
void Ungrant(LockEntry* lock, HolderEntry* holder, LockMode mode, uint64_t hash);
// Removes the entries if nobody holds or awaits anything.
void LeaveTable(LockEntry* lock, HolderEntry* holder, uint64_t hash);
// Grants to waiters in order, as far as conflicts allow.
void WakeWaiters(LockEntry* lock);
void Enqueue(LockEntry* lock, HolderEntry* holder, LockMode mode,
             int before_slot);  // before_slot -1: at the end
void Dequeue(int slot);         // also wakes those behind

// lock_wait.cpp. Requires: partition lock held exclusively; releases it. Returns when granted; throws 57014,
// 55P03, 40P01, 57P01 after taking itself out of the queue.
// With `blocked`, deadlocks and lock_timeout do not end the wait.
void WaitForGrant(LockEntry* lock, LockMode mode, uint64_t hash, BlockedCallback blocked);

// deadlock.cpp. Takes every partition lock. When this process is part of a cycle that no other order of the wait queues
// avoids: leaves the queue, returns true and fills *detail. (Else queues may have been reordered and waiters, this process
// too, granted.) Otherwise *autovacuum_slot names an autovacuum worker that blocks us, or -1.
bool FindDeadlock(std::string* detail, int* autovacuum_slot);
// The same; this process stays in the queue.
bool IsDeadlocked();

SqlError OutOfLockMemory();

}  // namespace walden
