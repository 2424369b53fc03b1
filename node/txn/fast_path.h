// Internal to txn: weak relation locks kept in their process's own slot.
//
// Protocol against a strong request (mode Share and up): it raises the relation's strong counter, then visits
// every process's slots under that process's fast_lock and moves matching locks into the shared table. A weak
// request looks at the counter while it holds its own fast_lock. So either it sees the counter and goes to
// the table, or the visitor finds its lock.
#pragma once

#include "node/txn/local_locks.h"
#include "node/txn/lock_table.h"

namespace walden {

// False when a strong lock exists or no slot is free.
bool FastPathAcquire(const LockTag& tag, LockMode mode);
// False when it is not there any more (moved).
bool FastPathRelease(const LockTag& tag, LockMode mode);
// Moves every process's fast locks on the relation into the table; 53200 when it is full.
void FastPathMoveAll(const LockTag& tag, uint64_t hash);
// Releases at once all fast locks of the process that no session owner keeps, and erases their local entries.
void FastPathReleaseTransaction(LocalLocks& locks);
// Modes that the process in `slot` holds on the relation by the fast path.
LockMask FastPathModes(int slot, const LockTag& tag);

}  // namespace walden
