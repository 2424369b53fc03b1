#include "node/access/counted_read.h"
#include "node/access/heap/heap.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/placement.h"
#include "node/access/heap/row_wait.h"
#include "node/access/heap/visibility.h"
#include "node/access/heap/visibility_map.h"
#include "node/base/error.h"
#include "node/shm/interrupts.h"
#include "node/txn/clog.h"
#include "node/txn/transaction.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {

namespace {

// Only the all-settled bit: a lock does not make the row invisible to anyone.
bool ClearSettled(const TableRef& table, BlockNumber block, BufferPin& vm_pin) {
  if (!VmPinHolds(vm_pin, table.locator, block) || !(VmGet(vm_pin.page(), block) & kVmAllSettled))
    return false;
  vm_pin.LockExclusive();
  VmClearBits(vm_pin.page(), block, kVmAllSettled);
  vm_pin.MarkDirty();
  return true;
}

// Writes the lock into the row. Requires: page locked; unlocks nothing.
void StoreLock(const TableRef& table, BufferPin& pin, BufferPin& vm_pin, TupleId tid, const NewXmax& xmax,
               RecordKind kind) {
  CriticalSection critical;
  TupleHeader* row = RowAt(pin.page(), tid.offset);
  bool settled_cleared = PageHasFlag(pin.page(), kPageAllVisible) && ClearSettled(table, tid.block, vm_pin);
  SetXmax(row, xmax.xmax, xmax.infomask, xmax.infomask2);
  // A row that is only locked is the newest version: whatever an aborted update left in ctid goes.
  bool newest = kind == RecordKind::kHeapLock && (xmax.infomask & kXmaxLockOnly) != 0;
  if (newest) {
    row->infomask2 &= static_cast<uint16_t>(~kHotUpdated);
    row->set_ctid(tid);
  }
  pin.MarkDirty();
  if (table.NeedsWal()) {
    HeapLockRecord rec{xmax.xmax,
                       tid.offset,
                       xmax.infomask,
                       xmax.infomask2,
                       settled_cleared ? uint8_t{kRecSettledCleared} : uint8_t{0},
                       0};
    WalRecord record(kind);
    record.AddStruct(rec);
    record.AddPage(kRefNewPage, pin.key(), pin.page());
    if (settled_cleared) record.AddPage(kRefNewVm, vm_pin.key(), vm_pin.page(), 0);
    record.InsertAndStamp();
  }
  if (settled_cleared) vm_pin.Unlock();
}

// Locks the versions that follow one just locked (or about to be): an update in progress, or one that kept
// the key, made them, and they are the same row.
class ChainLocker {
 public:
  ChainLocker(const TableRef& table, Xid xid, RowLockMode mode, WaitPolicy wait)
      : table_(table), xid_(xid), mode_(mode), wait_(wait) {}

  TupleResult Run(TupleId tid, Xid prior_xmax) {
    while (true) {
      CheckInterrupts();
      Step step = LockOne(tid, &prior_xmax);
      if (step.done) return step.result;
      tid = step.next;
    }
  }

 private:
  struct Step {
    bool done;
    TupleResult result;
    TupleId next;
  };

  Step LockOne(TupleId tid, Xid* prior_xmax) {
    BufferPin vm_pin;
    BufferPin pin = ReadPageOf(table_, tid.block, ReadMode::kIfExists);
    if (!pin) return {true, TupleResult::kOk, {}};
    RowWaiter waiter(table_, pin, &vm_pin, tid, "locking updated version");
    for (;;) {
      waiter.Lock();
      PageLock lock(pin, PageLock::Adopt{});
      if (tid.offset > PageMaxOffset(pin.page()) || !PageItemId(pin.page(), tid.offset)->IsNormal()) {
        return {true, TupleResult::kOk, {}};
      }
      TupleHeader* row = waiter.row();
      // Another row in a reused place, or a version whose creator rolled back: the chain ends before it.
      if (row->xmin() != *prior_xmax) return {true, TupleResult::kOk, {}};
      if (!IsCurrentXid(row->xmin()) && LookupCommit(row->xmin()).status == XidStatus::kAborted) {
        return {true, TupleResult::kOk, {}};
      }
      XmaxState state(*row);
      bool own = false;
      bool conflict = Conflicts(*row, state, &own);
      if (conflict) {
        if (!OnlyLockedOrRunning(*row)) {
          DecideXidNow(UpdateXid(*row));  // whatever is told of the row rests on that commit
          return {true, row->ctid() == tid ? TupleResult::kDeleted : TupleResult::kUpdated, {}};
        }
        lock.Unlock();
        TupleResult slept = waiter.Sleep(state, mode_, wait_, false);
        if (slept != TupleResult::kOk) return {true, slept, {}};
        continue;
      }
      if (!own) {
        NewXmax xmax = ComputeNewXmax(*row, xid_, mode_, false);
        StoreLock(table_, pin, vm_pin, tid, xmax, RecordKind::kHeapLockUpdated);
      }
      Xid updater = UpdateXid(*row);
      TupleId next = row->ctid();
      if (!updater.IsValid() || next == tid || next.offset == kMovedPartitionsOffset || OnlyLocked(*row)) {
        return {true, TupleResult::kOk, {}};
      }
      *prior_xmax = updater;
      return {false, TupleResult::kOk, next};
    }
  }

  // Whether somebody holds the version against `mode_`; `*own`: this transaction holds it that strongly
  // already.
  bool Conflicts(const TupleHeader& row, const XmaxState& state, bool* own) {
    if (row.infomask & kXmaxInvalid) return false;
    if (state.is_multi()) {
      bool member = false;
      return MultiXactConflicts(state.multi(), state.infomask, mode_, &member);
    }
    RowLockMode held = LockModeOf(StatusOfXmax(state.infomask, state.infomask2));
    if (IsCurrentXid(state.xid())) {
      *own = held >= mode_;
      return false;
    }
    if (!RowLocksConflict(held, mode_)) return false;
    XidStatus status = LookupCommit(state.xid()).status;
    return status == XidStatus::kInProgress || (status == XidStatus::kCommitted && !state.lock_only());
  }
  bool OnlyLockedOrRunning(const TupleHeader& row) {
    if (OnlyLocked(row)) return true;
    return LookupCommit(UpdateXid(row)).status == XidStatus::kInProgress;
  }

  const TableRef& table_;
  Xid xid_;
  RowLockMode mode_;
  WaitPolicy wait_;
};

class Lock {
 public:
  Lock(const TableRef& table, TupleId tid, CommandId cid, RowLockMode mode, WaitPolicy wait,
       bool follow_updates)
      : table_(table),
        tid_(tid),
        cid_(cid),
        mode_(mode),
        wait_(wait),
        follow_updates_(follow_updates),
        xid_(CurrentXid()),
        pin_(ReadPageOf(table, tid.block)),
        waiter_(table, pin_, &vm_pin_, tid, "locking") {}

  TupleResult Run(TupleFailure* failure) {
    VmPinForRead(table_.locator, tid_.block, &vm_pin_);
    waiter_.Lock();
    CheckRowExists(table_, pin_.page(), tid_);
    TupleResult result;
    do {
      look_again_ = false;
      already_held_ = false;
      result = Attempt();
    } while (look_again_);
    if (result != TupleResult::kOk) {
      FillFailure(*waiter_.row(), result, failure);
    } else if (!already_held_) {
      NewXmax xmax = ComputeNewXmax(*waiter_.row(), xid_, mode_, false);
      StoreLock(table_, pin_, vm_pin_, tid_, xmax, RecordKind::kHeapLock);
    }
    pin_.Unlock();
    return result;
  }

 private:
  // Page locked before and after.
  TupleResult Attempt() {
    TupleResult result = waiter_.Check(cid_);
    if (result != TupleResult::kBeingModified && result != TupleResult::kUpdated &&
        result != TupleResult::kDeleted) {
      return result;
    }
    XmaxState state(*waiter_.row());
    TupleId next = waiter_.row()->ctid();
    if (result == TupleResult::kBeingModified && HeldAlready(state)) {
      already_held_ = true;
      return TupleResult::kOk;
    }
    if (MayShare(state)) return ShareWithHolder(state, next);
    if (result != TupleResult::kBeingModified) return result;
    if (!state.is_multi() && IsCurrentXid(state.xid())) return waiter_.Decide();
    return WaitForHolder(state, next);
  }

  bool HeldAlready(const XmaxState& state) {
    if (!state.is_multi()) {
      return IsCurrentXid(state.xid()) && state.lock_only() &&
             LockModeOf(StatusOfXmax(state.infomask, state.infomask2)) >= mode_;
    }
    std::vector<MultiXactMember> members;
    GetMultiXactMembers(state.multi(), &members);
    for (const MultiXactMember& member : members) {
      if (IsCurrentXid(member.xid) && LockModeOf(member.status) >= mode_) return true;
    }
    return false;
  }

  // Nobody who holds the version minds, whether still running or committed.
  bool MayShare(const XmaxState& state) {
    if (state.is_multi()) {
      bool own = false;
      return !MultiXactConflicts(state.multi(), state.infomask, mode_, &own);
    }
    if (IsCurrentXid(state.xid())) return false;
    return !RowLocksConflict(LockModeOf(StatusOfXmax(state.infomask, state.infomask2)), mode_);
  }

  TupleResult ShareWithHolder(const XmaxState& state, TupleId next) {
    bool updated = !OnlyLocked(*waiter_.row());
    if (!updated || !follow_updates_ || next == tid_) return TupleResult::kOk;
    TupleResult result = LockLaterVersions(next);
    if (result == TupleResult::kOk && state.Changed(*waiter_.row())) look_again_ = true;
    return result;
  }

  TupleResult WaitForHolder(const XmaxState& state, TupleId next) {
    if (wait_ == WaitPolicy::kReturn) return TupleResult::kBeingModified;
    bool own = false;
    if (state.is_multi()) MultiXactConflicts(state.multi(), state.infomask, mode_, &own);
    pin_.Unlock();
    TupleResult slept = waiter_.Sleep(state, mode_, wait_, !own);
    waiter_.Lock();
    if (slept != TupleResult::kOk) return slept;
    if (state.Changed(*waiter_.row())) {
      look_again_ = true;
      return TupleResult::kOk;
    }
    TupleResult result = waiter_.Decide();
    // The updater kept the key and so did not conflict, or it rolled back.
    if (result == TupleResult::kOk && follow_updates_ && !state.lock_only() && next != tid_ &&
        !OnlyLocked(*waiter_.row())) {
      return LockLaterVersions(next);
    }
    return result;
  }

  TupleResult LockLaterVersions(TupleId next) {
    if (next.offset == kMovedPartitionsOffset) return TupleResult::kOk;
    Xid updater = UpdateXid(*waiter_.row());
    pin_.Unlock();
    TupleResult result = ChainLocker(table_, xid_, mode_, wait_).Run(next, updater);
    waiter_.Lock();
    return result;
  }

  const TableRef& table_;
  TupleId tid_;
  CommandId cid_;
  RowLockMode mode_;
  WaitPolicy wait_;
  bool follow_updates_;
  Xid xid_;
  BufferPin vm_pin_;
  BufferPin pin_;
  RowWaiter waiter_;
  bool look_again_ = false;
  bool already_held_ = false;
};

}  // namespace

TupleResult HeapLock(const TableRef& table, TupleId tid, CommandId cid, RowLockMode mode, WaitPolicy wait,
                     bool follow_updates, TupleFailure* failure) {
  EnsureWalSpace();
  return Lock(table, tid, cid, mode, wait, follow_updates).Run(failure);
}

}  // namespace walden
