// Which row versions count for whom. All functions look at a row on a pinned page whose lock is held (shared is
// enough); they may set hint bits in it, which only happens for transactions at or below settled_lsn (I5): hints are
// the buffer's MarkDirtyHint business.
//
// Concurrency: hint bits are set under a shared lock by several processes: infomask is read and written atomically
// (relaxed); bits other than hints change only under the exclusive lock.
#pragma once

#include <cstdint>

#include "node/access/heap/heap.h"
#include "node/access/tuple.h"
#include "node/buffer/buffer_pool.h"
#include "node/txn/snapshot.h"

namespace walden {

// MVCC: creator's CSN <= snapshot (or own earlier command) and deleter's not.
bool VisibleToSnapshot(TupleHeader* row, const Snapshot& snapshot, BufferPin& page);

// Now, counting uncommitted work of others as done. Outputs the transaction to wait for when the answer hangs on it.
struct DirtyInfo {
  Xid xmin;  // inserter in progress
  Xid xmax;  // deleter in progress
  uint32_t speculative_token = 0;
};
bool VisibleDirty(TupleHeader* row, BufferPin& page, DirtyInfo* info);
// Committed now, or by this transaction.
bool VisibleToSelf(TupleHeader* row, BufferPin& page);

// May this transaction's command `cid` update the version? kOk, kInvisible, kSelfModified, kUpdated, kDeleted or
// kBeingModified.
TupleResult CanUpdate(TupleHeader* row, CommandId cid, BufferPin& page);

enum class VacuumState : uint8_t {
  kDead,          // nobody can see it: removable
  kLive,
  kRecentlyDead,  // deleted, but some snapshot (or an unsettled commit) may still need it
  kInsertInProgress,
  kDeleteInProgress,
};
// `horizon`: deleters whose commit every snapshot sees and that are settled; see txn's removal horizon. `*dead_after`
// (optional): for kRecentlyDead the deleter.
struct RemovalHorizon;
VacuumState VacuumStateOf(TupleHeader* row, const RemovalHorizon& horizon, BufferPin& page);

// The xid that deleted or updated the row: looks into a multixact. Invalid if it was only locked.
Xid UpdateXid(const TupleHeader& row);
// xmax is only a lock, or its updater aborted: the version is the newest.
bool OnlyLocked(const TupleHeader& row);

}  // namespace walden
