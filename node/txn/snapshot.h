// Snapshots (I4): one number, the published commit position when the snapshot was taken, plus the oldest
// transaction that was in progress.
//
// Taking one costs O(1): two loads of one read-mostly line, one store to the process's own slot, one fence.
// While it is held (SnapshotHold), no version that it can see is removed: the slot bounds every horizon
// (horizon.h).
#pragma once

#include <cstdint>
#include <vector>

#include "node/base/ids.h"

namespace walden {

struct Snapshot {
  enum class Kind : uint8_t {
    kMvcc,   // committed at or before csn, or ours at an earlier command
    kSelf,   // committed by now, or ours including the current command
    kDirty,  // as kSelf, and in-progress transactions' work is visible and reported (unique checks)
    kAny,    // everything (TOAST by exact version)
  };
  Kind kind = Kind::kMvcc;
  CommandId curcid = kFirstCommandId;  // our own rows are visible when written by a command below this
  Lsn csn;                             // commits at or below are visible
  Xid xmin;  // Invariant: every transaction below had finished, and been published, when csn was read

  bool IsMvcc() const { return kind == Kind::kMvcc; }
};

extern const Snapshot kSnapshotSelf;
extern const Snapshot kSnapshotDirty;
extern const Snapshot kSnapshotAny;

// Holds a snapshot: a node of the process's list of live snapshots. Move-only, no allocation. Must not
// outlive the transaction, except session-level holds (replication base backup, exported snapshots).
class SnapshotHold {
 public:
  SnapshotHold() = default;
  // Holds a copy of `snapshot`, which must be held by somebody now.
  explicit SnapshotHold(const Snapshot& snapshot);
  SnapshotHold(SnapshotHold&& other) noexcept;
  SnapshotHold& operator=(SnapshotHold&& other) noexcept;
  SnapshotHold(const SnapshotHold&) = delete;
  SnapshotHold& operator=(const SnapshotHold&) = delete;
  ~SnapshotHold() { Reset(); }

  void Reset();
  bool held() const { return held_; }
  const Snapshot& operator*() const { return snapshot_; }
  const Snapshot* operator->() const { return &snapshot_; }
  // Moves our own visibility forward to the current command (a cursor never does; a statement may).
  void UpdateCommandId();

 private:
  friend SnapshotHold LatestSnapshot();
  friend SnapshotHold TransactionSnapshot();
  friend void DropAllSnapshots();
  void Link();
  void Unlink();

  Snapshot snapshot_;
  bool held_ = false;
  SnapshotHold* previous_ = nullptr;
  SnapshotHold* next_ = nullptr;
};

// The snapshot for a statement: a fresh one in READ COMMITTED, the transaction's first in REPEATABLE READ;
// with the current command id. Requires: in a transaction.
SnapshotHold TransactionSnapshot();
// Always fresh: catalog look-ups, foreign-key and unique checks, COMMIT-time triggers.
SnapshotHold LatestSnapshot();
// Whether TransactionSnapshot() was called in this transaction (SET TRANSACTION ISOLATION LEVEL must come
// before).
bool TransactionSnapshotTaken();

// pg_current_snapshot's view: top-level xids that were in progress for it lie in [xmin, xmax).
struct SnapshotXids {
  Xid xmin, xmax;
  std::vector<Xid> running;  // ascending
};
// O(xmax - xmin). The answer depends on every commit that it sees: raises seen_lsn.
SnapshotXids DescribeSnapshot(const Snapshot& snapshot);

// The stack of active snapshots: what a function called by the executor sees, and what ActiveSnapshot
// returns.
class ActiveSnapshotScope {
 public:
  explicit ActiveSnapshotScope(const Snapshot& snapshot);
  ~ActiveSnapshotScope();
  ActiveSnapshotScope(const ActiveSnapshotScope&) = delete;
  ActiveSnapshotScope& operator=(const ActiveSnapshotScope&) = delete;

 private:
  friend const Snapshot& ActiveSnapshot();
  Snapshot snapshot_;
  ActiveSnapshotScope* below_;
};
const Snapshot& ActiveSnapshot();  // Requires: HasActiveSnapshot()
bool HasActiveSnapshot();

// ---- For the transaction machinery.
void EndTransactionSnapshots();  // forgets the transaction's own snapshot
void DropAllSnapshots();         // abort and error recovery: every hold becomes unheld

}  // namespace walden
