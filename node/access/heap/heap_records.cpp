#include "node/access/heap/heap_records.h"

#include <cstring>

#include "node/access/heap/visibility_map.h"
#include "node/base/error.h"
#include "node/buffer/redo.h"
#include "node/shm/interrupts.h"
#include "node/wal/record_builder.h"

namespace walden {

namespace {

constexpr size_t kRowBodyStart = kTupleHeaderSize;

// Offsets in WAL are unaligned.
struct OffsetList {
  OffsetNumber offsets[kMaxItemsPerPage * 2];
  size_t count;
  OffsetList(std::string_view bytes, size_t n) : count(n) {
    if (bytes.size() < n * sizeof(OffsetNumber) || n > kMaxItemsPerPage * 2) {
      throw SqlError(ErrorCode::kDataCorrupted, "malformed heap WAL record");
    }
    std::memcpy(offsets, bytes.data(), n * sizeof(OffsetNumber));
  }
  std::span<const OffsetNumber> span() const { return {offsets, count}; }
};

// A row rebuilt from WAL; aligned as on the page.
struct RebuiltRow {
  alignas(8) char bytes[kPageSize];
  size_t size = 0;
  TupleHeader& header() { return *reinterpret_cast<TupleHeader*>(bytes); }

  void Begin(const WalRowHeader& from, Xid xmin, TupleId ctid) {
    std::memset(bytes, 0, kRowBodyStart);
    header().xmin_value = xmin.value;
    header().infomask2 = from.infomask2;
    header().infomask = from.infomask;
    header().hoff = from.hoff;
    header().set_ctid(ctid);
    size = kRowBodyStart;
  }
  void Append(const char* data, size_t n) {
    CHECK(size + n <= kPageSize);
    std::memcpy(bytes + size, data, n);
    size += n;
  }
};

void AddRow(char* page, RebuiltRow& row, OffsetNumber offset) {
  if (PageAddItem(page, row.bytes, row.size, offset, ItemPlacement::kInsertAt) != offset) {
    Panic("redo: could not add a row at line pointer {}", offset);
  }
}

// Clears a heap page's bits in the map page that the record references.
void RedoClearVm(RedoContext& redo, int vm_ref, BlockNumber heap_block, uint8_t bits) {
  if (!redo.HasPage(vm_ref)) return;
  RedoPage map = redo.OpenPage(vm_ref);
  if (!map.NeedsRedo()) return;
  VmClearBits(map.page(), heap_block, bits);
  map.Finish();
}

void RedoInsert(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapInsertRecord>();
  BlockNumber block = redo.Key(kRefNewPage).block;
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (page.NeedsRedo()) {
    if (PageIsNew(page.page())) PageInit(page.page());
    std::string_view data = redo.record().PageData(kRefNewPage);
    RebuiltRow row;
    row.Begin(redo.record().PageStruct<WalRowHeader>(kRefNewPage), redo.xid(), {block, rec.offset});
    data.remove_prefix(sizeof(WalRowHeader));
    row.Append(data.data(), data.size());
    AddRow(page.page(), row, rec.offset);
    if (rec.flags & kRecNewPageVmCleared) ClearPageFlag(page.page(), kPageAllVisible);
    page.Finish();
  }
  RedoClearVm(redo, kRefNewVm, block, kVmAll);
}

void RedoMultiInsert(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapMultiInsertRecord>();
  BlockNumber block = redo.Key(kRefNewPage).block;
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (page.NeedsRedo()) {
    if (PageIsNew(page.page())) PageInit(page.page());
    OffsetList offsets(redo.record().AfterStruct<HeapMultiInsertRecord>(), rec.count);
    std::string_view data = redo.record().PageData(kRefNewPage);
    for (OffsetNumber offset : offsets.span()) {
      uint16_t size = Load<uint16_t>(data.data());
      data.remove_prefix(sizeof(uint16_t));
      RebuiltRow row;
      row.Begin(Load<WalRowHeader>(data.data()), redo.xid(), {block, offset});
      row.Append(data.data() + sizeof(WalRowHeader), size - sizeof(WalRowHeader));
      AddRow(page.page(), row, offset);
      data.remove_prefix(size);
    }
    if (rec.flags & kRecNewPageVmCleared) ClearPageFlag(page.page(), kPageAllVisible);
    page.Finish();
  }
  RedoClearVm(redo, kRefNewVm, block, kVmAll);
}

void RedoDelete(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapDeleteRecord>();
  BlockNumber block = redo.Key(kRefNewPage).block;
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (page.NeedsRedo()) {
    TupleHeader* row = RowAt(page.page(), rec.offset);
    SetXmax(row, rec.xmax, rec.infomask, rec.infomask2);
    row->infomask2 &= static_cast<uint16_t>(~kHotUpdated);
    row->cid = kFirstCommandId;
    row->infomask &= static_cast<uint16_t>(~kComboCid);
    row->set_ctid({block, rec.flags & kRecMovedPartition ? kMovedPartitionsOffset : rec.offset});
    if (rec.flags & kRecSuperDelete) {
      row->xmin_value = kInvalidXid.value;
      row->infomask |= kXminInvalid;
    }
    SetPagePruneXid(page.page(), redo.xid());
    if (rec.flags & kRecNewPageVmCleared) ClearPageFlag(page.page(), kPageAllVisible);
    page.Finish();
  }
  RedoClearVm(redo, kRefNewVm, block, kVmAll);
}

void RedoUpdateOld(RedoContext& redo, char* page, const HeapUpdateRecord& rec, TupleId new_tid, bool hot) {
  TupleHeader* row = RowAt(page, rec.old_offset);
  SetXmax(row, rec.old_xmax, rec.old_infomask, rec.old_infomask2);
  row->infomask2 = static_cast<uint16_t>(hot ? row->infomask2 | kHotUpdated : row->infomask2 & ~kHotUpdated);
  row->cid = kFirstCommandId;
  row->infomask &= static_cast<uint16_t>(~kComboCid);
  row->set_ctid(new_tid);
  SetPagePruneXid(page, redo.xid());
}

void RedoUpdateNew(RedoContext& redo, char* page, const HeapUpdateRecord& rec, TupleId new_tid,
                   const char* old_page) {
  if (PageIsNew(page)) PageInit(page);
  std::string_view data = redo.record().PageData(kRefNewPage);
  RebuiltRow row;
  row.Begin(redo.record().PageStruct<WalRowHeader>(kRefNewPage), redo.xid(), new_tid);
  row.header().xmax_value = rec.new_xmax;
  data.remove_prefix(sizeof(WalRowHeader));
  const char* old_row = nullptr;
  size_t old_size = 0;
  if (rec.prefix != 0 || rec.suffix != 0) {
    old_row = PageItem(old_page, rec.old_offset);
    old_size = PageItemLength(old_page, rec.old_offset);
    row.Append(old_row + kRowBodyStart, rec.prefix);
  }
  row.Append(data.data(), data.size());
  if (rec.suffix != 0) row.Append(old_row + old_size - rec.suffix, rec.suffix);
  AddRow(page, row, rec.new_offset);
}

// Both heap pages may have their bits on one map page: it is opened once, since it has the record's LSN afterwards.
void RedoClearVmOfUpdate(RedoContext& redo, const HeapUpdateRecord& rec, BlockNumber new_block,
                         BlockNumber old_block) {
  bool both = (rec.flags & kRecNewPageVmCleared) && (rec.flags & kRecOldPageVmCleared);
  if (!both || redo.HasPage(kRefOldVm)) {
    if (rec.flags & kRecNewPageVmCleared) RedoClearVm(redo, kRefNewVm, new_block, kVmAll);
    if (rec.flags & kRecOldPageVmCleared) RedoClearVm(redo, kRefOldVm, old_block, kVmAll);
    return;
  }
  RedoPage map = redo.OpenPage(kRefNewVm);
  if (!map.NeedsRedo()) return;
  VmClearBits(map.page(), new_block, kVmAll);
  VmClearBits(map.page(), old_block, kVmAll);
  map.Finish();
}

void RedoUpdate(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapUpdateRecord>();
  bool hot = redo.record().kind == RecordKind::kHeapHotUpdate;
  bool same_page = !redo.HasPage(kRefOldPage);
  BlockNumber new_block = redo.Key(kRefNewPage).block;
  TupleId new_tid{new_block, rec.new_offset};
  if (same_page) {
    RedoPage page = redo.OpenPage(kRefNewPage);
    if (page.NeedsRedo()) {
      RedoUpdateNew(redo, page.page(), rec, new_tid, page.page());
      RedoUpdateOld(redo, page.page(), rec, new_tid, hot);
      if (rec.flags & (kRecNewPageVmCleared | kRecOldPageVmCleared))
        ClearPageFlag(page.page(), kPageAllVisible);
      page.Finish();
    }
    RedoClearVm(redo, kRefNewVm, new_block, kVmAll);
    return;
  }
  BlockNumber old_block = redo.Key(kRefOldPage).block;
  RedoPage old_page = redo.OpenPage(kRefOldPage);
  if (old_page.NeedsRedo()) {
    RedoUpdateOld(redo, old_page.page(), rec, new_tid, hot);
    if (rec.flags & kRecOldPageVmCleared) ClearPageFlag(old_page.page(), kPageAllVisible);
    old_page.Finish();
  }
  // Nobody on a standby sees the new version before the commit: one page at a time will do.
  old_page.Close();
  RedoPage new_page = redo.OpenPage(kRefNewPage);
  if (new_page.NeedsRedo()) {
    RedoUpdateNew(redo, new_page.page(), rec, new_tid, nullptr);
    if (rec.flags & kRecNewPageVmCleared) ClearPageFlag(new_page.page(), kPageAllVisible);
    new_page.Finish();
  }
  RedoClearVmOfUpdate(redo, rec, new_block, old_block);
}

void RedoLock(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapLockRecord>();
  BlockNumber block = redo.Key(kRefNewPage).block;
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (page.NeedsRedo()) {
    TupleHeader* row = RowAt(page.page(), rec.offset);
    SetXmax(row, rec.xmax, rec.infomask, rec.infomask2);
    if (rec.infomask & kXmaxLockOnly) {
      row->infomask2 &= static_cast<uint16_t>(~kHotUpdated);
      row->set_ctid({block, rec.offset});
    }
    row->cid = kFirstCommandId;
    row->infomask &= static_cast<uint16_t>(~kComboCid);
    page.Finish();
  }
  RedoClearVm(redo, kRefNewVm, block, kVmAllSettled);
}

void RedoLockUpdated(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapLockRecord>();
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (page.NeedsRedo()) {
    SetXmax(RowAt(page.page(), rec.offset), rec.xmax, rec.infomask, rec.infomask2);
    page.Finish();
  }
  RedoClearVm(redo, kRefNewVm, redo.Key(kRefNewPage).block, kVmAllSettled);
}

void RedoConfirm(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapConfirmRecord>();
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (!page.NeedsRedo()) return;
  RowAt(page.page(), rec.offset)->set_ctid({page.block(), rec.offset});
  page.Finish();
}

void RedoInplace(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapInplaceRecord>();
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (!page.NeedsRedo()) return;
  std::string_view data = redo.record().PageData(kRefNewPage);
  TupleHeader* row = RowAt(page.page(), rec.offset);
  CHECK(row->hoff + data.size() == PageItemLength(page.page(), rec.offset));
  std::memcpy(reinterpret_cast<char*>(row) + row->hoff, data.data(), data.size());
  page.Finish();
}

void RedoPrune(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapPruneRecord>();
  RedoPage page = redo.OpenPage(kRefNewPage, true);
  if (!page.NeedsRedo()) return;
  size_t redirect_words = size_t{rec.redirected} * 2;
  OffsetList all(redo.record().PageData(kRefNewPage), redirect_words + rec.dead + rec.unused);
  ApplyPrune(page.page(), {all.span().first(redirect_words), all.span().subspan(redirect_words, rec.dead),
                           all.span().last(rec.unused)});
  page.Finish();
}

void RedoVacuum(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapVacuumRecord>();
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (!page.NeedsRedo()) return;
  ApplyVacuum(page.page(), OffsetList(redo.record().PageData(kRefNewPage), rec.count).span());
  page.Finish();
}

void RedoVisible(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapVisibleRecord>();
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (page.NeedsRedo()) {
    SetPageFlag(page.page(), kPageAllVisible);
    page.Finish();
  }
  // The map page also when the heap page is gone (cut off later in the log): its image is in this record alone.
  RedoPage map = redo.OpenPage(kRefNewVm);
  if (map.NeedsRedo()) {
    VmSetBits(map.page(), redo.Key(kRefNewPage).block, rec.bits);
    map.Finish();
  }
}

void RedoSettle(RedoContext& redo) {
  auto rec = redo.record().Struct<HeapSettleRecord>();
  RedoPage page = redo.OpenPage(kRefNewPage);
  if (!page.NeedsRedo()) return;
  std::string_view data = redo.record().PageData(kRefNewPage);
  CHECK(data.size() == rec.count * sizeof(SettleEntry));
  for (size_t i = 0; i < rec.count; ++i) {
    auto entry = Load<SettleEntry>(data.data() + i * sizeof(SettleEntry));
    TupleHeader* row = RowAt(page.page(), entry.offset);
    row->xmax_value = entry.xmax;
    row->infomask = entry.infomask;
    row->infomask2 = entry.infomask2;
  }
  page.Finish();
}

// ---- describe ----

template <class... Args>
void Append(std::string* out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(*out), format, std::forward<Args>(args)...);
}

void DescribeInsert(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<HeapInsertRecord>();
  Append(out, "off {} flags 0x{:02X}", rec.offset, rec.flags);
}
void DescribeMultiInsert(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<HeapMultiInsertRecord>();
  Append(out, "{} tuples flags 0x{:02X}", rec.count, rec.flags);
}
void DescribeDelete(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<HeapDeleteRecord>();
  Append(out, "off {} flags 0x{:02X} xmax {} infobits 0x{:04X}", rec.offset, rec.flags, rec.xmax,
         rec.infomask);
}
void DescribeUpdate(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<HeapUpdateRecord>();
  Append(out, "off {} xmax {} flags 0x{:02X}; new off {} xmax {}", rec.old_offset, rec.old_xmax, rec.flags,
         rec.new_offset, rec.new_xmax);
}
void DescribeLock(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<HeapLockRecord>();
  Append(out, "off {}: xid {}: flags 0x{:02X} infobits 0x{:04X}", rec.offset, rec.xmax, rec.flags,
         rec.infomask);
}
void DescribeOffset(const DecodedRecord& record, std::string* out) {
  Append(out, "off {}", record.Struct<HeapConfirmRecord>().offset);
}
void DescribePrune(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<HeapPruneRecord>();
  Append(out, "conflict lsn {} nredirected {} ndead {} nunused {}", Lsn{rec.conflict_lsn}.ToString(),
         rec.redirected, rec.dead, rec.unused);
}
void DescribeVacuum(const DecodedRecord& record, std::string* out) {
  Append(out, "nunused {}", record.Struct<HeapVacuumRecord>().count);
}
void DescribeVisible(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<HeapVisibleRecord>();
  Append(out, "conflict lsn {} flags 0x{:02X}", Lsn{rec.conflict_lsn}.ToString(), rec.bits);
}
void DescribeSettle(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<HeapSettleRecord>();
  Append(out, "conflict lsn {} ntuples {}", Lsn{rec.conflict_lsn}.ToString(), rec.count);
}

// What may differ on a replica: hints, command ids, unconfirmed speculative marks.
void MaskHeapPage(char* page, BlockNumber block) {
  if (PageIsNew(page)) return;
  PageHeader* header = HeaderOf(page);
  if (header->lower == kPageSize) return;  // a map page
  header->prune_xid = 0;
  header->flags &= static_cast<uint16_t>(~(kPageFull | kPageHasFreeLines | kPageAllVisible));
  for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(page); ++offset) {
    if (!PageItemId(page, offset)->IsNormal()) continue;
    TupleHeader* row = RowAt(page, offset);
    if (!row->xmin_is_frozen()) row->infomask &= static_cast<uint16_t>(~kXminFrozen);
    row->infomask &= static_cast<uint16_t>(~(kXmaxCommitted | kXmaxInvalid | kComboCid));
    row->cid = 0;
    if (row->is_speculative()) row->set_ctid({block, offset});
  }
}

template <class T>
RedoConflict RemovalConflict(const DecodedRecord& record) {
  return {Lsn{record.Struct<T>().conflict_lsn}, record.pages.front().key.rel.database};
}

constexpr RecordHandler kHandlers[] = {
    {RecordKind::kHeapInsert, RedoInsert, DescribeInsert, MaskHeapPage},
    {RecordKind::kHeapDelete, RedoDelete, DescribeDelete, MaskHeapPage},
    {RecordKind::kHeapUpdate, RedoUpdate, DescribeUpdate, MaskHeapPage},
    {RecordKind::kHeapHotUpdate, RedoUpdate, DescribeUpdate, MaskHeapPage},
    {RecordKind::kHeapLock, RedoLock, DescribeLock, MaskHeapPage},
    {RecordKind::kHeapConfirm, RedoConfirm, DescribeOffset, MaskHeapPage},
    {RecordKind::kHeapInplace, RedoInplace, DescribeOffset, MaskHeapPage},
    {RecordKind::kHeapMultiInsert, RedoMultiInsert, DescribeMultiInsert, MaskHeapPage},
    {RecordKind::kHeapPrune, RedoPrune, DescribePrune, MaskHeapPage, RemovalConflict<HeapPruneRecord>},
    {RecordKind::kHeapVacuum, RedoVacuum, DescribeVacuum, MaskHeapPage},
    {RecordKind::kHeapVisible, RedoVisible, DescribeVisible, MaskHeapPage,
     RemovalConflict<HeapVisibleRecord>},
    {RecordKind::kHeapSettle, RedoSettle, DescribeSettle, MaskHeapPage, RemovalConflict<HeapSettleRecord>},
    {RecordKind::kHeapLockUpdated, RedoLockUpdated, DescribeLock, MaskHeapPage},
};

}  // namespace

void SetXmax(TupleHeader* row, uint64_t xmax, uint16_t infomask, uint16_t infomask2) {
  row->xmax_value = xmax;
  row->infomask = static_cast<uint16_t>((row->infomask & ~kXmaxBits) | (infomask & kXmaxBits));
  row->infomask2 = static_cast<uint16_t>((row->infomask2 & ~kKeysUpdated) | (infomask2 & kKeysUpdated));
}

namespace {

// Closing so few gaps one by one is cheaper than packing the page.
constexpr size_t kFewGaps = 4;

void FreeStorageOf(char* page, const PruneChanges& changes) {
  for (size_t i = 0; i < changes.redirects.size(); i += 2) PageFreeStorage(page, changes.redirects[i]);
  for (OffsetNumber offset : changes.dead) PageFreeStorage(page, offset);
  for (OffsetNumber offset : changes.unused) PageFreeStorage(page, offset);
}

}  // namespace

void ApplyPrune(char* page, const PruneChanges& changes) {
  bool few = changes.redirects.size() / 2 + changes.dead.size() + changes.unused.size() <= kFewGaps;
  if (few) FreeStorageOf(page, changes);
  for (size_t i = 0; i + 1 < changes.redirects.size(); i += 2) {
    PageItemId(page, changes.redirects[i])->SetRedirect(changes.redirects[i + 1]);
  }
  for (OffsetNumber offset : changes.dead) PageItemId(page, offset)->SetDead();
  for (OffsetNumber offset : changes.unused) PageItemId(page, offset)->SetUnused();
  SetPagePruneXid(page, kInvalidXid);
  ClearPageFlag(page, kPageFull);
  if (few) {
    PageTidyLines(page);
  } else {
    PageCompact(page);
  }
}

void ApplyVacuum(char* page, std::span<const OffsetNumber> unused) {
  for (OffsetNumber offset : unused) {
    DCHECK(PageItemId(page, offset)->IsDead() && !PageItemId(page, offset)->HasStorage());
    PageItemId(page, offset)->SetUnused();
  }
  // Trailing unused pointers stay: shortening the array needs the cleanup lock that VACUUM may not have here.
  if (!unused.empty()) SetPageFlag(page, kPageHasFreeLines);
}

void MarkPageVisible(const TableRef& table, BufferPin& pin, BufferPin& vm_pin, uint8_t bits, Lsn conflict) {
  bool flagged = PageHasFlag(pin.page(), kPageAllVisible);
  if (flagged && (VmGet(vm_pin.page(), pin.block()) & bits) == bits) return;
  PageLock map_lock(vm_pin, PageLockMode::kExclusive);
  CriticalSection critical;
  SetPageFlag(pin.page(), kPageAllVisible);
  VmSetBits(vm_pin.page(), pin.block(), bits);
  pin.MarkDirty();
  vm_pin.MarkDirty();
  if (!table.NeedsWal()) return;
  HeapVisibleRecord rec{conflict.value, bits, {}};
  WalRecord record(RecordKind::kHeapVisible);
  record.AddStruct(rec);
  record.AddPage(kRefNewPage, pin.key(), pin.page());
  record.AddPage(kRefNewVm, vm_pin.key(), vm_pin.page(), 0);
  record.InsertAndStamp();
}

std::span<const RecordHandler> HeapRecordHandlers() { return kHandlers; }

}  // namespace walden
