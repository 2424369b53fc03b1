// Waiting for whoever holds a row version, with the page unlocked meanwhile. Shared by delete, update and
// lock.
#pragma once

#include <string_view>

#include "node/access/heap/heap.h"
#include "node/access/heap/row_lock.h"

namespace walden {

// What xmax said before the page was unlocked.
struct XmaxState {
  uint64_t xmax;
  uint16_t infomask;
  uint16_t infomask2;
  Xid creator;  // with the place, names the version
  explicit XmaxState(const TupleHeader& row)
      : xmax(row.xmax_value), infomask(row.infomask), infomask2(row.infomask2), creator(row.xmin()) {}
  // Whether the row's xmax means something else now (hints aside).
  bool Changed(const TupleHeader& row) const {
    constexpr uint16_t kMeaning = kXmaxIsMulti | kXmaxLockOnly | kXmaxShareLock;
    return row.xmax_value != xmax || ((row.infomask ^ infomask) & kMeaning) != 0 ||
           ((row.infomask2 ^ infomask2) & kKeysUpdated) != 0;
  }
  bool is_multi() const { return (infomask & kXmaxIsMulti) != 0; }
  bool lock_only() const { return (infomask & kXmaxLockOnly) != 0; }
  Xid xid() const { return Xid{xmax}; }
  MultiXactId multi() const { return MultiXactId{xmax}; }
};

struct RowWaiter {
  const TableRef& table;
  BufferPin& pin;
  BufferPin* vm_pin;
  TupleId tid;
  std::string_view action;  // "updating", for the error context
  RowQueueLock queue;

  RowWaiter(const TableRef& table, BufferPin& pin, BufferPin* vm_pin, TupleId tid, std::string_view action)
      : table(table), pin(pin), vm_pin(vm_pin), tid(tid), action(action), queue(table, tid) {}

  TupleHeader* row();
  void Lock();

  // CanUpdate and VisibleToSnapshot for the row. Page locked.
  TupleResult Check(CommandId cid);
  bool VisibleTo(const Snapshot& snapshot);

  // CanUpdate said kBeingModified, for a change that needs `mode`. Waits if it must. Page locked before and
  // after. Empty: look again (xmax changed meanwhile). Else kOk (changeable now; compatible lockers may
  // remain), kUpdated, kDeleted, kWouldBlock or kBeingModified (kReturn).
  struct Outcome {
    bool look_again;
    TupleResult result;
  };
  Outcome WaitToChange(RowLockMode mode, WaitPolicy wait);
  // Sleeps until the holders that conflict with `mode` are gone, page unlocked before and after.
  TupleResult Sleep(const XmaxState& state, RowLockMode mode, WaitPolicy wait, bool queue_up);
  // What the version is now that nobody in progress stands in the way.
  TupleResult Decide();
};

void FillFailure(const TupleHeader& row, TupleResult result, TupleFailure* failure);

// cmax for a version that this transaction deletes in command `cid`: combined with cmin when it also made it.
struct NewCid {
  CommandId cid;
  bool combo;
};
NewCid CmaxFor(const TupleHeader& row, CommandId cid);
void SetCmax(TupleHeader* row, const NewCid& cid);
// Makes pruning worth while once `xid` has ended.
void NotePrunable(char* page, Xid xid);
// Throws unless `tid` names a stored row version.
void CheckRowExists(const TableRef& table, const char* page, TupleId tid);

}  // namespace walden
