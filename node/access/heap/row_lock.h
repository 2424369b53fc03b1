// What a row's xmax becomes when one more transaction locks or updates it, and who conflicts with whom.
#pragma once

#include <cstdint>
#include <vector>

#include "node/access/heap/heap.h"
#include "node/txn/lock_manager.h"
#include "node/txn/multixact.h"

namespace walden {

struct NewXmax {
  uint64_t xmax = 0;
  uint16_t infomask = 0;   // among kXmaxBits
  uint16_t infomask2 = 0;  // kKeysUpdated
};

// The xmax of `row` (its current xmax, infomask, infomask2) after `xid` locked it in `mode`, or updated or
// deleted it
// (`is_update`). May make a multixact (WAL): call before the critical section; the row's page may be locked.
NewXmax ComputeNewXmax(const TupleHeader& row, Xid xid, RowLockMode mode, bool is_update);

// Flags that describe an existing multixact.
void MultiXactFlags(MultiXactId multi, uint16_t* infomask, uint16_t* infomask2);

// How a single xid holds the row.
MemberStatus StatusOfXmax(uint16_t infomask, uint16_t infomask2);
MemberStatus StatusFor(RowLockMode mode, bool is_update);

// Whether a member other than this transaction holds the row against `mode`. `*own_member`: this transaction
// is one.
bool MultiXactConflicts(MultiXactId multi, uint16_t infomask, RowLockMode mode, bool* own_member);

// Waits for all members that conflict with `mode`. kOk, or kWouldBlock (kSkip). Throws 55P03 (kError).
TupleResult WaitForMultiXact(MultiXactId multi, RowLockMode mode, WaitPolicy wait,
                             const RowWaitContext& context, const TableRef& table);
TupleResult WaitForXmax(Xid xid, WaitPolicy wait, const RowWaitContext& context, const TableRef& table);

// The heavyweight lock on a row that waiters queue on, so that they go in order. Held from the first wait to
// the change (RAII), and then perhaps longer (row_queue.h).
class RowQueueLock {
 public:
  RowQueueLock(const TableRef& table, TupleId tid) : table_(table), tid_(tid) {}
  ~RowQueueLock();
  RowQueueLock(const RowQueueLock&) = delete;
  RowQueueLock& operator=(const RowQueueLock&) = delete;
  // False: kSkip and not available. Requires: no page lock.
  bool Acquire(RowLockMode mode, WaitPolicy wait, Xid creator);
  bool held() const { return held_; }

 private:
  const TableRef& table_;
  TupleId tid_;
  LockTag tag_;
  LockMode mode_ = LockMode::kNone;
  bool held_ = false;
};

}  // namespace walden
