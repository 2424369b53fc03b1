// How far back anybody can look: the bound under which row versions, index entries, pages and CSN entries may
// go.
//
// A horizon is an LSN. A version whose deleter's CSN is at or below it is invisible to every live and every
// future snapshot, here and on replicas that send feedback, and it never exceeds settled_lsn (I5).
//
// Protocol against a concurrent snapshot: the pruner publishes its floor F, fences, then scans the slots; a
// snapshot stores itself in its slot, fences, then reads F and starts again when F has passed it. One of the
// two sees the other.
#pragma once

#include "node/base/ids.h"
#include "node/txn/clog.h"

namespace walden {

// Computes it: O(process slots). `database` restricts to snapshots of one database (its tables are invisible
// to others); kInvalid counts all (shared catalogs).
Lsn ComputeHorizon(Oid database = Oid::kInvalid);
// A recent result of ComputeHorizon for `database`, recomputed when it is old or too low to be useful: the
// cheap form for pruning on access.
Lsn RecentHorizon(Oid database = Oid::kInvalid);

// Whether a version deleted by `deleter` is dead to everyone under `horizon`. False when it is not committed.
bool DeadToAll(Xid deleter, Lsn horizon);
bool DeadToAll(const CommitState& deleter, Lsn horizon);
// Whether the commit of `creator` is visible to everyone under `horizon` (all-visible bits).
bool VisibleToAll(Xid creator, Lsn horizon);

// Every xid below has finished (and, by then, been published). Never falls.
Xid OldestRunningXid();
// The newest position up to which commits are removed-for-sure conflicts: callers put it into WAL records as
// the conflict LSN of what they remove. Raises *conflict to the CSN of `xid`, or to `horizon` when that is
// forgotten.
void RaiseConflictLsn(Xid xid, Lsn horizon, Lsn* conflict);

// Oldest position that replicas still read: SenderSlot::feedback_lsn (sender_slots.h).

// What a standby tells its primary to keep for the snapshots here and on the replicas behind it, as
// hot_standby_feedback asks; {kMaxLsn, invalid}: nothing.
struct SnapshotFeedback {
  Lsn oldest = kMaxLsn;
  Xid xmin;
};
SnapshotFeedback HotStandbyFeedback();

// On a standby: whether any snapshot older than `lsn` lives here, and in which process slots (recovery
// conflicts).
bool SnapshotsOlderThan(Lsn lsn, Oid database, int* slots, int max_slots, int* count);
// Replay, ahead of what it shows: whether nobody, in any database, reads below `lsn`. If so (kHolds) nobody will: whoever wants a
// snapshot waits until everything up to there is shown. kLeft: somebody reads, or waits for an earlier position: nobody waits longer than
// for one. kRaisedInVain: somebody began to read just now, and others wait all the same. Unless it was left, the caller sees to it that it
// is shown soon (PublishReplayed).
enum class SnapshotFloor : uint8_t { kLeft, kRaisedInVain, kHolds };
SnapshotFloor KeepSnapshotsFrom(Lsn lsn);

}  // namespace walden
