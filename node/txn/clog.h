// Transaction outcomes: is an xid in progress, committed (and when), or aborted?
//
// Two stores answer: the CSN window (csn_window.h), lock-free, for every xid that a live snapshot may still
// have to place, and behind it the CLOG (two bits per xid, pg_xact/). Every function here takes any xid but
// the current transaction's own: callers test IsCurrentXid() (transaction.h) first, since own rows go by
// command id.
//
// I5: a decision that relies on a commit raises the session's seen_lsn when that commit is not yet settled.
// I5: hint bits may be set only where the decision says `may_hint`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "node/base/ids.h"
#include "node/txn/snapshot.h"

namespace walden {

enum class XidStatus : uint8_t { kInProgress, kCommitted, kAborted };

struct CommitState {
  XidStatus status = XidStatus::kInProgress;
  // Of a committed one: its CSN, or kInvalidLsn when it is settled and older than every live snapshot.
  Lsn csn;
};
// The plain fact; raises nothing. For horizons and tests.
CommitState LookupCommit(Xid xid);

struct XidDecision {
  XidStatus status = XidStatus::kInProgress;
  bool visible = false;   // committed at or before the snapshot
  bool may_hint = false;  // the outcome is final and settled: it may be written into the row's flags
};
// Places `xid` against an MVCC snapshot. A commit later than the snapshot gives {kCommitted, false, ...}.
XidDecision DecideXid(Xid xid, const Snapshot& snapshot);
// The outcome as of now (unique checks, row locks, SnapshotSelf/Dirty, re-check after a wait).
XidDecision DecideXidNow(Xid xid);

// A row hinted committed: visible without look-up when its creator is older than everything the snapshot saw
// in progress; otherwise by CSN.
bool HintedCommitVisibleSlow(Xid xid, const Snapshot& snapshot);
inline bool HintedCommitVisible(Xid xid, const Snapshot& snapshot) {
  return xid < snapshot.xmin || HintedCommitVisibleSlow(xid, snapshot);
}

// The top-level transaction that `xid` belongs to; `xid` itself when it is one, or finished.
Xid TopXidOf(Xid xid);

// Removes CLOG files wholly below `oldest`. Requires: settle records cover everything below it in every
// database (VACUUM), and the truncation has been WAL-logged and flushed.
void TruncateClog(Xid oldest);

// ---- Shared memory.
size_t ClogAreaSize();
void ClogAreaInit(void* at);

}  // namespace walden
