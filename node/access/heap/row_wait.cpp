#include "node/access/heap/row_wait.h"

#include "node/access/deform.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/placement.h"
#include "node/access/heap/visibility.h"
#include "node/base/error.h"
#include "node/txn/clog.h"
#include "node/txn/combo_cid.h"
#include "node/txn/transaction.h"

namespace walden {

TupleHeader* RowWaiter::row() { return RowAt(pin.page(), tid.offset); }
void RowWaiter::Lock() { LockWithVmPin(table, pin, vm_pin); }

TupleResult RowWaiter::Check(CommandId cid) {
  HintWriter hints(pin);
  return CanUpdate(row(), tid, cid, hints);
}

bool RowWaiter::VisibleTo(const Snapshot& snapshot) {
  HintWriter hints(pin);
  return VisibleToSnapshot(row(), snapshot, hints);
}

TupleResult RowWaiter::Sleep(const XmaxState& state, RowLockMode mode, WaitPolicy wait, bool queue_up) {
  RowWaitContext context{action, table.name, tid};
  if (queue_up && !queue.Acquire(mode, wait, state.creator)) return TupleResult::kWouldBlock;
  if (state.is_multi()) return WaitForMultiXact(state.multi(), mode, wait, context, table);
  return WaitForXmax(state.xid(), wait, context, table);
}

TupleResult RowWaiter::Decide() {
  const TupleHeader& now = *row();
  if (OnlyLocked(now)) return TupleResult::kOk;
  DecideXidNow(UpdateXid(now));  // whatever is told of the row rests on that commit
  return now.ctid() == tid ? TupleResult::kDeleted : TupleResult::kUpdated;
}

RowWaiter::Outcome RowWaiter::WaitToChange(RowLockMode mode, WaitPolicy wait) {
  XmaxState state(*row());
  bool own_member = false;
  bool must_wait;
  if (state.is_multi()) {
    must_wait = MultiXactConflicts(state.multi(), state.infomask, mode, &own_member);
  } else if (IsCurrentXid(state.xid())) {
    must_wait = false;
  } else {
    must_wait = RowLocksConflict(LockModeOf(StatusOfXmax(state.infomask, state.infomask2)), mode);
  }
  if (!must_wait) return {false, Decide()};
  if (wait == WaitPolicy::kReturn) return {false, TupleResult::kBeingModified};
  pin.Unlock();
  // A member of the multixact must not queue behind those who wait for it.
  TupleResult slept = Sleep(state, mode, wait, !own_member);
  Lock();
  if (slept != TupleResult::kOk) return {false, slept};
  if (state.Changed(*row())) return {true, TupleResult::kOk};
  return {false, Decide()};
}

void FillFailure(const TupleHeader& row, TupleResult result, TupleFailure* failure) {
  failure->ctid = row.ctid();
  failure->xmax = UpdateXid(row);
  failure->cmax = result == TupleResult::kSelfModified ? VisibleCmax(row) : kInvalidCommandId;
}

NewCid CmaxFor(const TupleHeader& row, CommandId cid) {
  if (!(row.infomask & kXminCommitted) && IsCurrentXid(row.xmin())) {
    CommandId cmin = VisibleCmin(row);
    return {MakeComboCid(cmin, cid), true};
  }
  return {cid, false};
}

void SetCmax(TupleHeader* row, const NewCid& cid) {
  row->cid = cid.cid;
  row->infomask = static_cast<uint16_t>(cid.combo ? row->infomask | kComboCid : row->infomask & ~kComboCid);
}

void NotePrunable(char* page, Xid xid) {
  Xid noted = PagePruneXid(page);
  if (!noted.IsValid() || xid < noted) SetPagePruneXid(page, xid);
}

void CheckRowExists(const TableRef& table, const char* page, TupleId tid) {
  if (tid.offset == kInvalidOffset || tid.offset > PageMaxOffset(page) ||
      !PageItemId(page, tid.offset)->IsNormal()) {
    throw SqlError(ErrorCode::kInternalError, "invalid tuple identity ({},{}) in relation \"{}\"", tid.block,
                   tid.offset, table.name);
  }
}

}  // namespace walden
