#include "node/access/counted_read.h"
#include "node/access/heap/heap.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/placement.h"
#include "node/access/heap/row_wait.h"
#include "node/access/heap/toast.h"
#include "node/access/heap/visibility.h"
#include "node/base/error.h"
#include "node/shm/interrupts.h"
#include "node/txn/transaction.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {

namespace {

TupleResult AwaitDeletable(RowWaiter& waiter, CommandId cid, const Snapshot* crosscheck, WaitPolicy wait) {
  for (;;) {
    TupleResult result = waiter.Check(cid);
    if (result == TupleResult::kBeingModified) {
      RowWaiter::Outcome outcome = waiter.WaitToChange(RowLockMode::kExclusive, wait);
      if (outcome.look_again) continue;
      result = outcome.result;
    }
    if (result == TupleResult::kOk && crosscheck != nullptr && !waiter.VisibleTo(*crosscheck)) {
      result = TupleResult::kUpdated;
    }
    return result;
  }
}

void LogDelete(const TableRef& table, BufferPin& pin, BufferPin& vm_pin, OffsetNumber offset,
               const NewXmax& xmax, uint8_t flags) {
  if (!table.NeedsWal()) return;
  HeapDeleteRecord rec{xmax.xmax, offset, xmax.infomask, xmax.infomask2, flags, 0};
  WalRecord record(RecordKind::kHeapDelete);
  record.AddStruct(rec);
  record.AddPage(kRefNewPage, pin.key(), pin.page());
  if (flags & kRecNewPageVmCleared) record.AddPage(kRefNewVm, vm_pin.key(), vm_pin.page(), 0);
  record.InsertAndStamp();
}

}  // namespace

TupleResult HeapDelete(const TableRef& table, TupleId tid, CommandId cid, const Snapshot* crosscheck,
                       WaitPolicy wait, TupleFailure* failure, bool changing_partition) {
  Xid xid = CurrentXid();
  EnsureWalSpace();
  BufferPin vm_pin;
  BufferPin pin = ReadPageOf(table, tid.block);
  RowWaiter waiter(table, pin, &vm_pin, tid, "deleting");
  waiter.Lock();
  CheckRowExists(table, pin.page(), tid);
  TupleResult result = AwaitDeletable(waiter, cid, crosscheck, wait);
  TupleHeader* row = waiter.row();
  if (result == TupleResult::kInvisible) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "attempted to delete invisible tuple");
  }
  if (result != TupleResult::kOk) {
    FillFailure(*row, result, failure);
    pin.Unlock();
    return result;
  }
  NewXmax xmax = ComputeNewXmax(*row, xid, RowLockMode::kExclusive, true);
  NewCid cmax = CmaxFor(*row, cid);
  {
    CriticalSection critical;
    bool vm_cleared = ClearAllVisible(pin, vm_pin);
    uint8_t flags = static_cast<uint8_t>((vm_cleared ? kRecNewPageVmCleared : 0) |
                                         (changing_partition ? kRecMovedPartition : 0));
    NotePrunable(pin.page(), xid);
    SetXmax(row, xmax.xmax, xmax.infomask, xmax.infomask2);
    SetCmax(row, cmax);
    row->infomask2 &= static_cast<uint16_t>(~kHotUpdated);
    row->set_ctid({tid.block, changing_partition ? kMovedPartitionsOffset : tid.offset});
    pin.MarkDirty();
    LogDelete(table, pin, vm_pin, tid.offset, xmax, flags);
    if (vm_cleared) vm_pin.Unlock();
  }
  bool has_external = (row->infomask & kHasExternal) != 0;
  pin.Unlock();
  if (has_external) {
    // The pin keeps the row's bytes where they are.
    TupleView view{PageItem(pin.page(), tid.offset),
                   static_cast<uint32_t>(PageItemLength(pin.page(), tid.offset)), tid, table.oid};
    DeleteToasted(table, view, nullptr);
  }
  table.stats.CountDelete(NestLevel());
  return TupleResult::kOk;
}

}  // namespace walden
