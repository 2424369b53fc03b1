#include <cstring>
#include <deque>
#include <utility>

#include "node/access/counted_read.h"
#include "node/access/heap/heap.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/placement.h"
#include "node/access/heap/toast.h"
#include "node/access/heap/visibility_map.h"
#include "node/base/error.h"
#include "node/shm/interrupts.h"
#include "node/txn/transaction.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {

namespace {

constexpr uint16_t kFormFlags = kHasNull | kHasVarWidth | kHasExternal;

void PrepareRow(TupleHeader& header, Xid xid, CommandId cid, const InsertOptions& options) {
  header.xmin_value = xid.value;
  header.xmax_value = 0;
  header.cid = cid;
  header.infomask = static_cast<uint16_t>((header.infomask & kFormFlags) | kXmaxInvalid);
  header.infomask2 &= kNattsMask;
  if (options.frozen || !xid.IsNormal()) header.infomask |= kXminFrozen;
}

bool Fits(const TableRef& table, TupleBuffer& row) {
  return row.size() <= table.toast_tuple_target && !(row.header().infomask & kHasExternal);
}

// The row to store: `row` itself, or `*fitted` when values had to be compressed or moved out.
TupleBuffer* FitRow(const TableRef& table, TupleBuffer* row, CommandId cid, TupleBuffer* fitted) {
  return !Fits(table, *row) && ToastRow(table, row->view(), nullptr, cid, fitted) ? fitted : row;
}

uint8_t ClearedFlag(bool vm_cleared) { return vm_cleared ? uint8_t{kRecNewPageVmCleared} : uint8_t{0}; }

WalRowHeader WalHeaderOf(const TupleHeader& header) {
  return {header.infomask2, header.infomask, header.hoff, 0};
}

// Puts the row on the page. Requires: critical section, room.
OffsetNumber PutRow(char* page, BlockNumber block, TupleBuffer& row, const InsertOptions& options) {
  OffsetNumber offset = PageAddItem(page, row.data(), row.size());
  CHECK(offset != kInvalidOffset);
  TupleHeader* stored = RowAt(page, offset);
  stored->set_ctid(options.speculative ? TupleId{options.speculative_token, kSpeculativeOffset}
                                       : TupleId{block, offset});
  return offset;
}

void LogInsert(const TableRef& table, BufferPin& pin, BufferPin& vm_pin, bool vm_cleared, OffsetNumber offset,
               TupleBuffer& row) {
  if (!table.NeedsWal()) return;
  HeapInsertRecord rec{offset, ClearedFlag(vm_cleared), 0};
  WalRowHeader header = WalHeaderOf(row.header());
  bool init = offset == kFirstOffset && PageMaxOffset(pin.page()) == kFirstOffset;
  WalRecord record(RecordKind::kHeapInsert);
  record.AddStruct(rec);
  record.AddPage(kRefNewPage, pin.key(), pin.page(), kWalStandard | (init ? kWalWillInit : 0));
  record.AddPageStruct(kRefNewPage, header);
  record.AddPageData(kRefNewPage, row.data() + kTupleHeaderSize, row.size() - kTupleHeaderSize);
  if (vm_cleared) record.AddPage(kRefNewVm, vm_pin.key(), vm_pin.page(), 0);
  record.InsertAndStamp();
}

// Rows of one page of a multi-insert, gathered for the record.
struct MultiInsertLog {
  std::vector<uint16_t> offsets;
  std::string data;
  void Add(OffsetNumber offset, const TupleBuffer& row, const TupleHeader& header) {
    offsets.push_back(offset);
    WalRowHeader wal_header = WalHeaderOf(header);
    size_t bytes = row.size() - kTupleHeaderSize;
    uint16_t size = static_cast<uint16_t>(sizeof(wal_header) + bytes);
    char prefix[sizeof(size) + sizeof(wal_header)];
    std::memcpy(prefix, &size, sizeof(size));
    std::memcpy(prefix + sizeof(size), &wal_header, sizeof(wal_header));
    data.append(prefix, sizeof(prefix));
    data.append(row.data() + kTupleHeaderSize, bytes);
  }
  void Clear() {
    offsets.clear();
    data.clear();
  }
};

void LogMultiInsert(BufferPin& pin, BufferPin& vm_pin, bool vm_cleared, const MultiInsertLog& log) {
  HeapMultiInsertRecord rec{static_cast<uint16_t>(log.offsets.size()), ClearedFlag(vm_cleared), 0};
  bool init = log.offsets[0] == kFirstOffset && PageMaxOffset(pin.page()) == log.offsets.size();
  WalRecord record(RecordKind::kHeapMultiInsert);
  record.AddStruct(rec);
  record.AddData(log.offsets.data(), log.offsets.size() * sizeof(uint16_t));
  record.AddPage(kRefNewPage, pin.key(), pin.page(), kWalStandard | (init ? kWalWillInit : 0));
  record.AddPageData(kRefNewPage, log.data.data(), log.data.size());
  if (vm_cleared) record.AddPage(kRefNewVm, vm_pin.key(), vm_pin.page(), 0);
  record.InsertAndStamp();
}

// Marks a page on which there is nothing but frozen rows. Nobody else uses the table: its file is this transaction's.
void MarkFrozen(const TableRef& table, BlockNumber block) {
  BufferPin vm_pin;
  VmPinForWrite(table.locator, block, &vm_pin);
  BufferPin pin = ReadPageOf(table, block);
  EnsureWalSpace();
  PageLock lock(pin, PageLockMode::kExclusive);
  MarkPageVisible(table, pin, vm_pin, kVmAll, Lsn{});
}

}  // namespace

BulkInsertState::BulkInsertState(bool use_ring) {
  if (use_ring) strategy = std::make_unique<BufferStrategy>(StrategyKind::kBulkWrite);
}
BulkInsertState::~BulkInsertState() = default;

TupleId HeapInsert(const TableRef& table, TupleBuffer* row, CommandId cid, const InsertOptions& options,
                   BulkInsertState* bulk) {
  Xid xid = CurrentXid();
  TupleBuffer fitted;
  row = FitRow(table, row, cid, &fitted);
  PrepareRow(row->header(), xid, cid, options);
  EnsureWalSpace();
  BufferPin vm_pin;
  BufferPin pin = PlaceRow(table, row->size(), options, bulk, &vm_pin);
  PageLock lock(pin, PageLock::Adopt{});
  TupleId tid;
  {
    CriticalSection critical;
    bool vm_cleared = ClearAllVisible(pin, vm_pin);
    tid = {pin.block(), PutRow(pin.page(), pin.block(), *row, options)};
    pin.MarkDirty();
    LogInsert(table, pin, vm_pin, vm_cleared, tid.offset, *row);
    if (vm_cleared) vm_pin.Unlock();
  }
  row->header().set_ctid(tid);
  table.stats.CountInsert(NestLevel());
  return tid;
}

namespace {

// Several rows on their way to pages.
class MultiInsert {
 public:
  MultiInsert(const TableRef& table, const InsertOptions& options, BulkInsertState* bulk, TupleId* tids)
      : table_(table), options_(options), bulk_(bulk), tids_(tids) {
    reserve_ = kPageSize * (100 - std::min<size_t>(table.fillfactor, 100)) / 100;
  }

  void Run(std::span<TupleBuffer* const> rows) {
    for (size_t next = 0; next < rows.size();) {
      CheckInterrupts();
      EnsureWalSpace();
      BufferPin pin = PlaceRow(table_, rows[next]->size(), options_, bulk_, &vm_pin_);
      PageLock lock(pin, PageLock::Adopt{});
      BlockNumber filled = options_.frozen ? NoteFrozen(pin) : kInvalidBlock;
      log_.Clear();
      log_.offsets.reserve(rows.size() - next);
      log_.data.reserve(kPageSize);
      next = FillPage(pin, rows, next);
      lock.Unlock();
      if (filled != kInvalidBlock) MarkFrozen(table_, filled);
    }
  }

 private:
  // The page before it, if that is full now.
  BlockNumber NoteFrozen(BufferPin& pin) {
    if (bulk_->frozen_block == pin.block()) return kInvalidBlock;
    bool only_ours = PageMaxOffset(pin.page()) == 0;
    return std::exchange(bulk_->frozen_block, only_ours ? pin.block() : kInvalidBlock);
  }

  // Stores rows from `next` on while they fit; returns the first that does not.
  size_t FillPage(BufferPin& pin, std::span<TupleBuffer* const> rows, size_t next) {
    CriticalSection critical;
    bool vm_cleared = ClearAllVisible(pin, vm_pin_);
    bool logged = table_.NeedsWal();
    for (bool first = true; next < rows.size(); ++next, first = false) {
      TupleBuffer& row = *rows[next];
      if (!first && PageHeapFreeSpace(pin.page()) < AlignUp(row.size(), 8) + reserve_) break;
      OffsetNumber offset = PutRow(pin.page(), pin.block(), row, options_);
      if (logged) log_.Add(offset, row, row.header());
      tids_[next] = {pin.block(), offset};
    }
    pin.MarkDirty();
    if (logged) LogMultiInsert(pin, vm_pin_, vm_cleared, log_);
    if (vm_cleared) vm_pin_.Unlock();
    return next;
  }

  const TableRef& table_;
  const InsertOptions& options_;
  BulkInsertState* bulk_;
  TupleId* tids_;
  size_t reserve_;
  MultiInsertLog log_;
  BufferPin vm_pin_;
};

}  // namespace

void HeapMultiInsert(const TableRef& table, std::span<TupleBuffer* const> rows, CommandId cid,
                     const InsertOptions& options, BulkInsertState* bulk, TupleId* tids) {
  Xid xid = CurrentXid();
  std::deque<TupleBuffer> fitted;
  std::vector<TupleBuffer*> stored(rows.begin(), rows.end());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!Fits(table, *rows[i])) stored[i] = FitRow(table, rows[i], cid, &fitted.emplace_back());
    PrepareRow(stored[i]->header(), xid, cid, options);
  }
  MultiInsert(table, options, bulk, tids).Run(stored);
  table.stats.CountInsert(NestLevel(), rows.size());
}

void HeapFinishFrozen(const TableRef& table, BulkInsertState* bulk) {
  if (bulk->frozen_block == kInvalidBlock) return;
  MarkFrozen(table, bulk->frozen_block);
  bulk->frozen_block = kInvalidBlock;
}

void HeapFinishSpeculative(const TableRef& table, TupleId tid) {
  EnsureWalSpace();
  BufferPin pin = ReadPageOf(table, tid.block);
  PageLock lock(pin, PageLockMode::kExclusive);
  TupleHeader* row = RowAt(pin.page(), tid.offset);
  CHECK(row->is_speculative());
  CriticalSection critical;
  row->set_ctid(tid);
  pin.MarkDirty();
  if (!table.NeedsWal()) return;
  HeapConfirmRecord rec{tid.offset};
  WalRecord record(RecordKind::kHeapConfirm);
  record.AddStruct(rec);
  record.AddPage(kRefNewPage, pin.key(), pin.page());
  record.InsertAndStamp();
}

void HeapAbortSpeculative(const TableRef& table, TupleId tid) {
  EnsureWalSpace();
  BufferPin pin = ReadPageOf(table, tid.block);
  {
    PageLock lock(pin, PageLockMode::kExclusive);
    TupleHeader* row = RowAt(pin.page(), tid.offset);
    CHECK(IsCurrentXid(row->xmin()));
    CriticalSection critical;
    // Invisible to everyone at once: no creator.
    row->xmin_value = kInvalidXid.value;
    row->infomask |= kXminInvalid;
    row->set_ctid(tid);
    SetPagePruneXid(pin.page(), CurrentXid());
    pin.MarkDirty();
    if (table.NeedsWal()) {
      HeapDeleteRecord rec{row->xmax_value, tid.offset, static_cast<uint16_t>(row->infomask & kXmaxBits), 0,
                           kRecSuperDelete, 0};
      WalRecord record(RecordKind::kHeapDelete);
      record.AddStruct(rec);
      record.AddPage(kRefNewPage, pin.key(), pin.page());
      record.InsertAndStamp();
    }
  }
  TupleView view{PageItem(pin.page(), tid.offset),
                 static_cast<uint32_t>(PageItemLength(pin.page(), tid.offset)), tid, table.oid};
  if (view.header().infomask & kHasExternal) DeleteToasted(table, view, nullptr);
  table.stats.CountDelete(NestLevel());
}

void HeapInplaceUpdate(const TableRef& table, TupleId tid, std::span<const char> attributes) {
  EnsureWalSpace();
  BufferPin pin = ReadPageOf(table, tid.block);
  PageLock lock(pin, PageLockMode::kExclusive);
  if (tid.offset > PageMaxOffset(pin.page()) || !PageItemId(pin.page(), tid.offset)->IsNormal()) {
    throw SqlError(ErrorCode::kInternalError, "invalid lp");
  }
  TupleHeader* row = RowAt(pin.page(), tid.offset);
  if (row->hoff + attributes.size() != PageItemLength(pin.page(), tid.offset)) {
    throw SqlError(ErrorCode::kInternalError, "wrong tuple length");
  }
  CriticalSection critical;
  std::memcpy(reinterpret_cast<char*>(row) + row->hoff, attributes.data(), attributes.size());
  pin.MarkDirty();
  if (!table.NeedsWal()) return;
  HeapInplaceRecord rec{tid.offset};
  WalRecord record(RecordKind::kHeapInplace);
  record.AddStruct(rec);
  record.AddPage(kRefNewPage, pin.key(), pin.page());
  record.AddPageData(kRefNewPage, attributes.data(), attributes.size());
  record.InsertAndStamp();
}

}  // namespace walden
