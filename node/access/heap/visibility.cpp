#include "node/access/heap/visibility.h"

#include "node/access/deform.h"
#include "node/txn/clog.h"
#include "node/txn/durability.h"
#include "node/txn/horizon.h"
#include "node/txn/multixact.h"
#include "node/txn/transaction.h"

namespace walden {

namespace {

uint16_t Flags(const TupleHeader* row) {
  return std::atomic_ref<uint16_t>(const_cast<TupleHeader*>(row)->infomask).load(std::memory_order_relaxed);
}

bool HasOnlyHintCommitted(uint16_t flags) { return (flags & kXminFrozen) == kXminCommitted; }
bool IsInvalidXmin(uint16_t flags) { return (flags & kXminFrozen) == kXminInvalid; }
bool IsFrozen(uint16_t flags) { return (flags & kXminFrozen) == kXminFrozen; }

// What xmax means once multixacts are looked through.
enum class XmaxKind : uint8_t { kNone, kOwn, kOther };
struct Xmax {
  XmaxKind kind;
  Xid xid;
  bool hinted_committed;
};

Xmax ResolveXmax(const TupleHeader* row, uint16_t flags) {
  if (flags & (kXmaxInvalid | kXmaxLockOnly)) return {XmaxKind::kNone, {}, false};
  Xid xid = row->xmax();
  if (flags & kXmaxIsMulti) {
    xid = MultiXactUpdater(row->multi());
    if (!xid.IsValid()) return {XmaxKind::kNone, {}, false};
  }
  if (IsCurrentXid(xid)) return {XmaxKind::kOwn, xid, false};
  return {XmaxKind::kOther, xid, (flags & kXmaxCommitted) != 0};
}

// Records the outcome of xmin or xmax in the row, where that is allowed. Multixacts get no hint: members may
// go on.
void HintXmin(TupleHeader* row, const XidDecision& decision, HintWriter& hints) {
  if (!decision.may_hint) return;
  if (decision.status == XidStatus::kCommitted) hints.Set(row, kXminCommitted);
  if (decision.status == XidStatus::kAborted) hints.Set(row, kXminInvalid);
}
void HintXmax(TupleHeader* row, uint16_t flags, const XidDecision& decision, HintWriter& hints) {
  if (!decision.may_hint || (flags & kXmaxIsMulti)) return;
  if (decision.status == XidStatus::kCommitted) hints.Set(row, kXmaxCommitted);
  if (decision.status == XidStatus::kAborted) hints.Set(row, kXmaxInvalid);
}

bool VisibleMvcc(TupleHeader* row, const Snapshot& snapshot, HintWriter& hints) {
  uint16_t flags = Flags(row);
  if (!(flags & kXminCommitted)) {
    if (flags & kXminInvalid) return false;
    if (IsCurrentXid(row->xmin())) {
      if (VisibleCmin(*row) >= snapshot.curcid) return false;
      Xmax xmax = ResolveXmax(row, flags);
      // Somebody else's xmax on our own uncommitted row is a subtransaction of ours that rolled back.
      return xmax.kind != XmaxKind::kOwn || VisibleCmax(*row) >= snapshot.curcid;
    }
    XidDecision decision = DecideXid(row->xmin(), snapshot);
    HintXmin(row, decision, hints);
    if (!decision.visible) return false;
  } else if (!IsFrozen(flags) && !HintedCommitVisible(row->xmin(), snapshot)) {
    return false;
  }
  if (flags & (kXmaxInvalid | kXmaxLockOnly)) return true;
  // Most old versions: nobody hints a transaction that has not ended.
  if ((flags & (kXmaxCommitted | kXmaxIsMulti)) == kXmaxCommitted)
    return !HintedCommitVisible(row->xmax(), snapshot);
  Xmax xmax = ResolveXmax(row, flags);
  if (xmax.kind == XmaxKind::kNone) return true;
  if (xmax.kind == XmaxKind::kOwn) return VisibleCmax(*row) >= snapshot.curcid;
  if (xmax.hinted_committed) return !HintedCommitVisible(xmax.xid, snapshot);
  XidDecision decision = DecideXid(xmax.xid, snapshot);
  HintXmax(row, flags, decision, hints);
  return !decision.visible;
}

// The state of xmin as of now.
enum class Creator : uint8_t { kAborted, kOwn, kInProgress, kCommitted };
Creator CreatorNow(TupleHeader* row, uint16_t flags, HintWriter& hints) {
  if (flags & kXminCommitted) return Creator::kCommitted;
  if (flags & kXminInvalid) return Creator::kAborted;
  if (IsCurrentXid(row->xmin())) return Creator::kOwn;
  XidDecision decision = DecideXidNow(row->xmin());
  HintXmin(row, decision, hints);
  if (decision.status == XidStatus::kInProgress) return Creator::kInProgress;
  return decision.status == XidStatus::kCommitted ? Creator::kCommitted : Creator::kAborted;
}

enum class Deleter : uint8_t { kNone, kOwn, kInProgress, kCommitted };
Deleter DeleterNow(TupleHeader* row, uint16_t flags, HintWriter& hints, Xid* xid) {
  Xmax xmax = ResolveXmax(row, flags);
  if (xid != nullptr) *xid = xmax.xid;
  if (xmax.kind == XmaxKind::kNone) return Deleter::kNone;
  if (xmax.kind == XmaxKind::kOwn) return Deleter::kOwn;
  if (xmax.hinted_committed) return Deleter::kCommitted;
  XidDecision decision = DecideXidNow(xmax.xid);
  HintXmax(row, flags, decision, hints);
  if (decision.status == XidStatus::kInProgress) return Deleter::kInProgress;
  return decision.status == XidStatus::kCommitted ? Deleter::kCommitted : Deleter::kNone;
}

// For horizons: the plain fact, without making this session's answers depend on it.
CommitState StateForVacuum(Xid xid) { return LookupCommit(xid); }

bool SettledForHint(const CommitState& state) { return !state.csn.IsValid() || state.csn <= SettledLsn(); }

}  // namespace

bool VisibleToSnapshot(TupleHeader* row, const Snapshot& snapshot, HintWriter& hints) {
  switch (snapshot.kind) {
    case Snapshot::Kind::kMvcc: return VisibleMvcc(row, snapshot, hints);
    case Snapshot::Kind::kSelf: return VisibleToSelf(row, hints);
    case Snapshot::Kind::kDirty: {
      DirtyInfo info;
      return VisibleDirty(row, hints, &info);
    }
    case Snapshot::Kind::kAny: return true;
  }
  return false;
}

bool VisibleToSelf(TupleHeader* row, HintWriter& hints) {
  uint16_t flags = Flags(row);
  Creator creator = CreatorNow(row, flags, hints);
  if (creator == Creator::kAborted || creator == Creator::kInProgress) return false;
  Deleter deleter = DeleterNow(row, flags, hints, nullptr);
  return deleter == Deleter::kNone || deleter == Deleter::kInProgress;
}

bool VisibleDirty(TupleHeader* row, HintWriter& hints, DirtyInfo* info) {
  *info = DirtyInfo{};
  uint16_t flags = Flags(row);
  Creator creator = CreatorNow(row, flags, hints);
  if (creator == Creator::kAborted) return false;
  if (creator == Creator::kInProgress) {
    if (row->is_speculative()) info->speculative_token = row->ctid_block;
    info->xmin = row->xmin();
    return true;
  }
  Xid xmax;
  Deleter deleter = DeleterNow(row, flags, hints, &xmax);
  if (deleter == Deleter::kInProgress) {
    info->xmax = xmax;
    return true;
  }
  return deleter == Deleter::kNone;
}

TupleResult CanUpdate(TupleHeader* row, TupleId self, CommandId cid, HintWriter& hints) {
  uint16_t flags = Flags(row);
  Creator creator = CreatorNow(row, flags, hints);
  if (creator == Creator::kAborted || creator == Creator::kInProgress) return TupleResult::kInvisible;
  if (creator == Creator::kOwn && VisibleCmin(*row) >= cid) return TupleResult::kInvisible;
  if (flags & kXmaxInvalid) return TupleResult::kOk;
  if (flags & kXmaxLockOnly) {
    if (flags & kXmaxIsMulti) {
      return MultiXactRunning(row->multi(), true) ? TupleResult::kBeingModified : TupleResult::kOk;
    }
    if (IsCurrentXid(row->xmax())) return TupleResult::kBeingModified;
    XidDecision decision = DecideXidNow(row->xmax());
    if (decision.status == XidStatus::kInProgress) return TupleResult::kBeingModified;
    return TupleResult::kOk;
  }
  Xid xmax;
  switch (DeleterNow(row, flags, hints, &xmax)) {
    case Deleter::kOwn:
      return VisibleCmax(*row) >= cid ? TupleResult::kSelfModified : TupleResult::kInvisible;
    case Deleter::kInProgress: return TupleResult::kBeingModified;
    case Deleter::kCommitted: return row->ctid() == self ? TupleResult::kDeleted : TupleResult::kUpdated;
    case Deleter::kNone: break;
  }
  // The updater aborted; lockers in the same multixact may still be there.
  if ((flags & kXmaxIsMulti) && MultiXactRunning(row->multi(), false)) return TupleResult::kBeingModified;
  return TupleResult::kOk;
}

VacuumState VacuumStateOf(TupleHeader* row, Lsn horizon, HintWriter& hints, Xid* deleter) {
  uint16_t flags = Flags(row);
  if (!(flags & kXminCommitted)) {
    if (flags & kXminInvalid) return VacuumState::kDead;
    Xid xmin = row->xmin();
    if (IsCurrentXid(xmin)) {
      Xmax xmax = ResolveXmax(row, flags);
      return xmax.kind == XmaxKind::kOwn ? VacuumState::kDeleteInProgress : VacuumState::kInsertInProgress;
    }
    CommitState state = StateForVacuum(xmin);
    if (state.status == XidStatus::kInProgress) {
      Xmax xmax = ResolveXmax(row, flags);
      return xmax.kind == XmaxKind::kNone ? VacuumState::kInsertInProgress : VacuumState::kDeleteInProgress;
    }
    if (state.status == XidStatus::kAborted) {
      hints.Set(row, kXminInvalid);
      return VacuumState::kDead;
    }
    if (SettledForHint(state)) hints.Set(row, kXminCommitted);
  }
  Xmax xmax = ResolveXmax(row, flags);
  if (xmax.kind == XmaxKind::kNone) return VacuumState::kLive;
  if (xmax.kind == XmaxKind::kOwn) return VacuumState::kDeleteInProgress;
  CommitState state = StateForVacuum(xmax.xid);
  if (!xmax.hinted_committed) {
    if (state.status == XidStatus::kInProgress) return VacuumState::kDeleteInProgress;
    if (state.status == XidStatus::kAborted) {
      if (!(flags & kXmaxIsMulti)) hints.Set(row, kXmaxInvalid);
      return VacuumState::kLive;
    }
    if (!(flags & kXmaxIsMulti) && SettledForHint(state)) hints.Set(row, kXmaxCommitted);
  }
  if (deleter != nullptr) *deleter = xmax.xid;
  return DeadToAll(state, horizon) ? VacuumState::kDead : VacuumState::kRecentlyDead;
}

bool IsSurelyDead(TupleHeader* row, Lsn horizon) {
  uint16_t flags = Flags(row);
  if (IsInvalidXmin(flags)) return true;
  if (!HasOnlyHintCommitted(flags) && !IsFrozen(flags)) {
    if (IsCurrentXid(row->xmin())) return false;
    XidStatus status = LookupCommit(row->xmin()).status;
    if (status != XidStatus::kCommitted) return status == XidStatus::kAborted;
  }
  Xmax xmax = ResolveXmax(row, flags);
  return xmax.kind == XmaxKind::kOther && DeadToAll(xmax.xid, horizon);
}

Xid UpdateXid(const TupleHeader& row) {
  uint16_t flags = Flags(&row);
  if (flags & (kXmaxInvalid | kXmaxLockOnly)) return kInvalidXid;
  return (flags & kXmaxIsMulti) ? MultiXactUpdater(row.multi()) : row.xmax();
}

bool OnlyLocked(const TupleHeader& row) {
  uint16_t flags = Flags(&row);
  if (flags & (kXmaxInvalid | kXmaxLockOnly)) return true;
  Xid xmax = UpdateXid(row);
  if (!xmax.IsValid()) return true;
  if (IsCurrentXid(xmax)) return false;
  return LookupCommit(xmax).status == XidStatus::kAborted;
}

}  // namespace walden
