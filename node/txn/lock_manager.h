// Heavyweight locks: on relations, transactions, rows being waited for, catalog objects, advisory keys.
//
// Ownership. A lock belongs to the current transaction (released at its end, or when the subtransaction that
// took it rolls back) or to the session (`LockOptions::session`: advisory and VACUUM's locks; survives commit
// and rollback). The same lock may be taken many times; each owner counts.
//
// Shared state: 16 partitions, each a hash of locks under one LwLock. The three weakest modes on a relation
// normally stay in the process's own fast-path slots, so that readers and writers of different sessions touch
// no common line; a stronger request moves them into the shared table first. Every transaction implicitly
// holds ExclusiveLock on its own xid and virtual xid; the lock object is made only when somebody waits for
// it.
//
// Waiting is first come, first served on latches, interruptible (57014), ends at lock_timeout (55P03), and
// after deadlock_timeout looks for a cycle (40P01). Requires: no LwLock, spinlock or critical section held
// while acquiring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "node/base/clock.h"
#include "node/base/ids.h"
#include "node/txn/lock_modes.h"
#include "node/txn/lock_tag.h"

namespace walden {

// For a waiter that never gives way (replay on a standby): called whenever it is about to sleep, and when it has found
// itself in a deadlock. Returns after how many milliseconds it wants to be called again; < 0: only when something
// happens.
using BlockedCallback = int64_t (*)(const LockTag& tag, LockMode mode, bool deadlock);

struct LockOptions {
  bool session = false;  // owned by the session, not the transaction
  bool nowait = false;   // return kNotAvailable instead of waiting
  BlockedCallback blocked = nullptr;
};
enum class LockResult : uint8_t { kAcquired, kAlreadyHeld, kNotAvailable };

// Errors: 53200 (out of shared memory, hint max_locks_per_transaction), 55P03, 40P01, 57014, 57P01.
LockResult AcquireLock(const LockTag& tag, LockMode mode, LockOptions options = {});
// Releases one count. Returns false when it is not held (callers warn: "you don't own a lock of type ...").
bool ReleaseLock(const LockTag& tag, LockMode mode, bool session = false);
// Releases every count of one session lock kind (pg_advisory_unlock_all).
void ReleaseSessionLocks(LockKind kind);
// Whether this process holds the lock in this mode, under any owner (any stronger mode too, if asked).
bool HoldsLock(const LockTag& tag, LockMode mode, bool or_stronger = false);
// Whether some other process holds or awaits a conflicting mode (VACUUM's truncation asks).
bool LockHasWaiters(const LockTag& tag, LockMode mode);

// RAII: releases on scope exit what it acquired (used where a lock must not last until commit).
class ScopedLock {
 public:
  ScopedLock(const LockTag& tag, LockMode mode, LockOptions options = {});
  ~ScopedLock();
  ScopedLock(const ScopedLock&) = delete;
  ScopedLock& operator=(const ScopedLock&) = delete;
  bool acquired() const { return acquired_; }

 private:
  LockTag tag_;
  LockMode mode_;
  bool session_;
  bool acquired_;
};

// What a waiter for a row's holder was about to do: becomes the error context
// "while updating tuple (0,1) in relation \"t\"". `action` is e.g. "updating", "locking", "rechecking
// updated".
struct RowWaitContext {
  std::string_view action;
  std::string_view relation;
  TupleId tid;
};
// Waits until `xid` (top-level or sub) has committed or aborted; returns at once when it has. A
// subtransaction that rolls back to its savepoint wakes its waiters, as in PostgreSQL.
void WaitForXid(Xid xid, const RowWaitContext* context = nullptr);
// False when it would have to wait (NOWAIT, SKIP LOCKED).
bool TryWaitForXid(Xid xid);
// Waits for a virtual transaction of a process (CREATE INDEX CONCURRENTLY, recovery conflicts).
void WaitForVirtualTransaction(int slot, uint64_t local);
// The transactions that now hold a lock conflicting with `mode` on `tag`, ourselves excepted.
std::vector<std::pair<int, uint64_t>> ConflictingHolders(const LockTag& tag, LockMode mode);

// ---- For the transaction machinery (txn/transaction.cpp) and process exit.
void ReleaseTransactionLocks();
void ReleaseAllLocks();                            // session locks too
void ReleaseSubtransactionLocks(int nest_level);   // rollback to savepoint
void ReassignSubtransactionLocks(int nest_level);  // release savepoint: the parent now owns them

// ---- Enumeration: pg_locks, pg_blocking_pids.
struct LockRow {
  LockTag tag;
  LockMode mode;
  bool granted;
  bool fast_path;
  int slot;  // of the holder or waiter
  int pid;
  uint64_t virtual_local;  // virtualtransaction "slot/local"
  TimestampUs wait_start = 0;
};
std::vector<LockRow> EnumerateLocks();
// Process ids that block `pid`, hard holders first (pg_blocking_pids).
std::vector<int> BlockingPids(int pid);

// ---- Shared memory (bound in server/shm_areas.cpp).
size_t LockAreaSize();
void LockAreaInit(void* at);

}  // namespace walden
