#include "node/access/heap/row_lock.h"

#include "node/access/heap/row_queue.h"
#include "node/access/heap/visibility.h"
#include "node/base/error.h"
#include "node/txn/clog.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"

namespace walden {

namespace {

SqlError RowNotAvailable(const TableRef& table) {
  return SqlError(ErrorCode::kLockNotAvailable, "could not obtain lock on row in relation \"{}\"",
                  table.name);
}

NewXmax SingleXmax(Xid xid, RowLockMode mode, bool is_update) {
  NewXmax result{xid.value, 0, 0};
  if (is_update) {
    if (mode == RowLockMode::kExclusive) result.infomask2 = kKeysUpdated;
    return result;
  }
  switch (mode) {
    case RowLockMode::kKeyShare: result.infomask = kXmaxKeyShareLock; break;
    case RowLockMode::kShare: result.infomask = kXmaxShareLock; break;
    case RowLockMode::kNoKeyExclusive: result.infomask = kXmaxExclusiveLock; break;
    case RowLockMode::kExclusive:
      result.infomask = kXmaxExclusiveLock;
      result.infomask2 = kKeysUpdated;
      break;
  }
  result.infomask |= kXmaxLockOnly;
  return result;
}

NewXmax FromMulti(MultiXactId multi) {
  NewXmax result{multi.value, 0, 0};
  MultiXactFlags(multi, &result.infomask, &result.infomask2);
  return result;
}

bool InProgress(Xid xid) { return IsCurrentXid(xid) || LookupCommit(xid).status == XidStatus::kInProgress; }
bool Committed(Xid xid) { return !IsCurrentXid(xid) && LookupCommit(xid).status == XidStatus::kCommitted; }

}  // namespace

MemberStatus StatusFor(RowLockMode mode, bool is_update) {
  if (is_update) return mode == RowLockMode::kExclusive ? MemberStatus::kUpdate : MemberStatus::kNoKeyUpdate;
  return static_cast<MemberStatus>(mode);
}

MemberStatus StatusOfXmax(uint16_t infomask, uint16_t infomask2) {
  bool keys_updated = (infomask2 & kKeysUpdated) != 0;
  if (!(infomask & kXmaxLockOnly)) return keys_updated ? MemberStatus::kUpdate : MemberStatus::kNoKeyUpdate;
  switch (infomask & kXmaxShareLock) {
    case kXmaxKeyShareLock: return MemberStatus::kForKeyShare;
    case kXmaxShareLock: return MemberStatus::kForShare;
    default: return keys_updated ? MemberStatus::kForUpdate : MemberStatus::kForNoKeyUpdate;
  }
}

void MultiXactFlags(MultiXactId multi, uint16_t* infomask, uint16_t* infomask2) {
  std::vector<MultiXactMember> members;
  GetMultiXactMembers(multi, &members);
  bool has_update = false;
  RowLockMode strongest = RowLockMode::kKeyShare;
  *infomask = kXmaxIsMulti;
  *infomask2 = 0;
  for (const MultiXactMember& member : members) {
    strongest = std::max(strongest, LockModeOf(member.status));
    has_update = has_update || IsUpdater(member.status);
    if (member.status == MemberStatus::kForUpdate || member.status == MemberStatus::kUpdate) {
      *infomask2 = kKeysUpdated;
    }
  }
  if (strongest >= RowLockMode::kNoKeyExclusive)
    *infomask |= kXmaxExclusiveLock;
  else
    *infomask |= strongest == RowLockMode::kShare ? kXmaxShareLock : kXmaxKeyShareLock;
  if (!has_update) *infomask |= kXmaxLockOnly;
}

NewXmax ComputeNewXmax(const TupleHeader& row, Xid xid, RowLockMode mode, bool is_update) {
  uint16_t infomask = row.infomask;
  bool lock_only = (infomask & kXmaxLockOnly) != 0;
  if (infomask & kXmaxInvalid) return SingleXmax(xid, mode, is_update);
  if (infomask & kXmaxIsMulti) {
    if (!MultiXactRunning(row.multi(), lock_only)) {
      Xid updater = lock_only ? kInvalidXid : MultiXactUpdater(row.multi());
      if (!updater.IsValid() || !Committed(updater)) return SingleXmax(xid, mode, is_update);
    }
    return FromMulti(ExpandMultiXact(row.multi(), xid, StatusFor(mode, is_update)));
  }
  Xid old_xmax = row.xmax();
  MemberStatus old_status = StatusOfXmax(infomask, row.infomask2);
  if (old_xmax == xid && lock_only) {
    return SingleXmax(xid, std::max(mode, LockModeOf(old_status)), is_update);
  }
  bool counts = InProgress(old_xmax) || (!lock_only && Committed(old_xmax));
  if (!counts) return SingleXmax(xid, mode, is_update);
  return FromMulti(MakeMultiXact(old_xmax, old_status, xid, StatusFor(mode, is_update)));
}

bool MultiXactConflicts(MultiXactId multi, uint16_t infomask, RowLockMode mode, bool* own_member) {
  *own_member = false;
  std::vector<MultiXactMember> members;
  GetMultiXactMembers(multi, &members);
  bool conflict = false;
  for (const MultiXactMember& member : members) {
    if (IsCurrentXid(member.xid)) {
      *own_member = true;
      continue;
    }
    if (!RowLocksConflict(LockModeOf(member.status), mode)) continue;
    XidStatus status = LookupCommit(member.xid).status;
    // A finished locker holds nothing; of an updater only the abort undoes it.
    conflict = conflict ||
               (IsUpdater(member.status) && !(infomask & kXmaxLockOnly) ? status != XidStatus::kAborted
                                                                        : status == XidStatus::kInProgress);
  }
  return conflict;
}

TupleResult WaitForXmax(Xid xid, WaitPolicy wait, const RowWaitContext& context, const TableRef& table) {
  if (wait == WaitPolicy::kBlock) {
    WaitForXid(xid, &context);
    return TupleResult::kOk;
  }
  if (TryWaitForXid(xid)) return TupleResult::kOk;
  if (wait == WaitPolicy::kError) throw RowNotAvailable(table);
  return TupleResult::kWouldBlock;
}

TupleResult WaitForMultiXact(MultiXactId multi, RowLockMode mode, WaitPolicy wait,
                             const RowWaitContext& context, const TableRef& table) {
  std::vector<MultiXactMember> members;
  GetMultiXactMembers(multi, &members);
  for (const MultiXactMember& member : members) {
    if (IsCurrentXid(member.xid) || !RowLocksConflict(LockModeOf(member.status), mode)) continue;
    TupleResult result = WaitForXmax(member.xid, wait, context, table);
    if (result != TupleResult::kOk) return result;
  }
  return TupleResult::kOk;
}

bool RowQueueLock::Acquire(RowLockMode mode, WaitPolicy wait, Xid creator) {
  if (held_) return true;
  mode_ = TupleLockModeOf(mode);
  // A place may be held for longer than the version stands there: another version in its stead has a queue of its own.
  tag_ = LockTag::Tuple(table_.locator.database, table_.oid, tid_);
  tag_.wide = creator.value;
  bool nowait = wait != WaitPolicy::kBlock;
  if (AcquireLock(tag_, mode_, {.session = false, .nowait = nowait}) == LockResult::kNotAvailable) {
    if (wait == WaitPolicy::kError) throw RowNotAvailable(table_);
    return false;
  }
  held_ = true;
  return true;
}

RowQueueLock::~RowQueueLock() {
  if (held_ && !RowQueuePlaces::TakeOver(table_, tag_, mode_)) ReleaseLock(tag_, mode_);
}

}  // namespace walden
