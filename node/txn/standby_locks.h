// Internal to txn: AccessExclusive locks that standbys must take before they replay what was done under them.
#pragma once

#include "node/base/ids.h"
#include "node/txn/lock_tag.h"

namespace walden {

// Before such a lock is taken: gives the transaction an xid, which will release it there. False when no
// standby can care.
bool PrepareStandbyLock();
void LogStandbyLock(const LockTag& tag);

// Replay: the startup process holds the lock until `xid` ends.
void ReplayStandbyLock(Xid xid, Oid database, Oid relation);
void ReleaseStandbyLocks(Xid xid);
// Of every transaction below `oldest` (they ended without a record), or of all.
void ReleaseStandbyLocksBelow(Xid oldest);

}  // namespace walden
