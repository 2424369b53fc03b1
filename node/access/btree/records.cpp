#include "node/access/btree/records.h"

#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "node/base/check.h"
#include "node/buffer/redo.h"

namespace walden::btree {

namespace {

void ClearIncomplete(RedoContext& redo, int ref) {
  if (!redo.HasPage(ref)) return;
  RedoPage page = redo.OpenPage(ref);
  if (!page.NeedsRedo()) return;
  Node(page.page())->flags &= static_cast<uint16_t>(~kIncompleteSplit);
  page.Finish();
}

void RedoInsert(RedoContext& redo) {
  auto rec = redo.record().Struct<InsertRecord>();
  // The child first: a reader that comes down meanwhile moves right, as it would before the record.
  ClearIncomplete(redo, 1);
  RedoPage page = redo.OpenPage(0);
  if (!page.NeedsRedo()) return;
  std::string_view data = redo.record().PageData(0);
  EntryBuffer entry;
  CHECK(data.size() <= sizeof(entry.data));
  std::memcpy(entry.data, data.data(), data.size());
  entry.size = static_cast<uint32_t>(data.size());
  AddEntry(page.page(), rec.offset, entry.entry(), rec.posting_split != 0);
  page.Finish();
}

// Both halves come as images; the left one is held until the right sibling points back correctly.
void RedoSplit(RedoContext& redo) {
  ClearIncomplete(redo, 3);
  RedoPage right = redo.OpenPage(1);
  RedoPage left = redo.OpenPage(0);
  if (!redo.HasPage(2)) return;
  RedoPage sibling = redo.OpenPage(2);
  if (!sibling.NeedsRedo()) return;
  Node(sibling.page())->left = redo.Key(1).block;
  sibling.Finish();
}

void RedoNewRoot(RedoContext& redo) {
  auto rec = redo.record().Struct<NewRootRecord>();
  RedoPage root = redo.OpenPage(0);
  BlockNumber root_block = redo.Key(0).block;
  root.Close();
  ClearIncomplete(redo, 1);
  RedoPage meta = redo.OpenPage(2);
  if (!meta.NeedsRedo()) return;
  InitMeta(meta.page(), root_block, rec.level);
  meta.Finish();
}

void RedoInsertMany(RedoContext& redo) {
  RedoPage page = redo.OpenPage(0);
  if (!page.NeedsRedo()) return;
  AddEntries(page.page(), redo.record().PageData(0));
  page.Finish();
}

void RedoDedup(RedoContext& redo) {
  RedoPage page = redo.OpenPage(0);
  if (!page.NeedsRedo()) return;
  std::string_view data = redo.record().PageData(0);
  std::vector<MergedRun> runs(data.size() / sizeof(MergedRun));
  std::memcpy(runs.data(), data.data(), runs.size() * sizeof(MergedRun));
  alignas(8) char rebuilt[kPageSize];
  MergeRuns(page.page(), runs, rebuilt);
  std::memcpy(page.page(), rebuilt, kPageSize);
  page.Finish();
}

void RedoDelete(RedoContext& redo) {
  auto rec = redo.record().Struct<DeleteRecord>();
  RedoPage page = redo.OpenPage(0, redo.record().kind == RecordKind::kBtreeVacuum);
  if (!page.NeedsRedo()) return;
  std::string_view data = redo.record().PageData(0);
  std::vector<uint16_t> numbers(size_t{rec.count} + rec.shrunk_size);
  CHECK(data.size() == numbers.size() * sizeof(uint16_t));
  std::memcpy(numbers.data(), data.data(), data.size());
  std::span<const uint16_t> all = numbers;
  alignas(8) char rebuilt[kPageSize];
  RemoveEntries(page.page(), all.first(rec.count), all.subspan(rec.count), rebuilt);
  std::memcpy(page.page(), rebuilt, kPageSize);
  page.Finish();
}

void RedoUnlink(RedoContext& redo) {
  auto rec = redo.record().Struct<UnlinkRecord>();
  BlockNumber target_block = redo.Key(0).block;
  if (redo.HasPage(1)) {
    RedoPage left = redo.OpenPage(1);
    if (left.NeedsRedo()) {
      Node(left.page())->right = rec.right;
      left.Finish();
    }
  }
  RedoPage target = redo.OpenPage(0);
  if (target.NeedsRedo()) {
    InitNode(target.page(), 0, kDeleted);
    Node(target.page())->left = rec.left;
    Node(target.page())->right = rec.right;
    Node(target.page())->deleted_at = rec.deleted_at;
    target.Finish();
  }
  target.Close();
  RedoPage right = redo.OpenPage(2);
  if (right.NeedsRedo()) {
    Node(right.page())->left = rec.left;
    right.Finish();
  }
  right.Close();
  RedoPage parent = redo.OpenPage(3);
  if (parent.NeedsRedo()) {
    DCHECK(EntryAt(parent.page(), rec.parent_offset).child() == target_block);
    (void)target_block;
    RemoveDownlink(parent.page(), rec.parent_offset);
    parent.Finish();
  }
}

template <class... Args>
void Append(std::string* out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(*out), format, std::forward<Args>(args)...);
}
void DescribeInsert(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<InsertRecord>();
  Append(out, "off {}{}", rec.offset, rec.posting_split ? " posting split" : "");
}
void DescribeInsertMany(const DecodedRecord& record, std::string* out) {
  Append(out, "nentries {}", record.Struct<InsertManyRecord>().count);
}
void DescribeSplit(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<SplitRecord>();
  Append(out, "level {}, firstrightoff {}, newitemoff {}", rec.level, rec.first_right, rec.new_offset);
}
void DescribeNewRoot(const DecodedRecord& record, std::string* out) {
  Append(out, "level {}", record.Struct<NewRootRecord>().level);
}
void DescribeDedup(const DecodedRecord& record, std::string* out) {
  size_t runs = record.PageData(0).size() / sizeof(MergedRun);
  if (runs > 0) Append(out, "nintervals {}", runs);
}
void DescribeDelete(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<DeleteRecord>();
  Append(out, "conflict lsn {}, ndeleted {}", Lsn{rec.conflict_lsn}.ToString(), rec.count);
  if (rec.shrunk_size > 0) Append(out, ", shrunk {}", rec.shrunk_size);
}
void DescribeUnlink(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<UnlinkRecord>();
  Append(out, "left {}; right {}; safe lsn {}; poffset {}", rec.left, rec.right,
         Lsn{rec.deleted_at}.ToString(), rec.parent_offset);
}
void DescribeReuse(const DecodedRecord& record, std::string* out) {
  auto rec = record.Struct<ReuseRecord>();
  Append(out, "rel {}/{}/{}; block {}; conflict lsn {}", OidNumber(rec.rel.tablespace),
         OidNumber(rec.rel.database), rec.rel.number, rec.block, Lsn{rec.conflict_lsn}.ToString());
}

void MaskBtreePage(char* page, BlockNumber block) {
  if (PageIsNew(page) || block == kMetaBlock) return;
  if (IsDeleted(page)) return;
  Node(page)->flags &= static_cast<uint16_t>(~(kHasGarbage | kIncompleteSplit));
  for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(page); ++offset) {
    ItemId* item = PageItemId(page, offset);
    *item = ItemId::Make(item->offset(), ItemState::kNormal, item->length());
  }
}

RedoConflict DeleteConflict(const DecodedRecord& record) {
  return {Lsn{record.Struct<DeleteRecord>().conflict_lsn}, record.pages.front().key.rel.database};
}
RedoConflict ReuseConflict(const DecodedRecord& record) {
  auto rec = record.Struct<ReuseRecord>();
  return {Lsn{rec.conflict_lsn}, rec.rel.database};
}
void RedoNothing(RedoContext&) {}

constexpr RecordHandler kHandlers[] = {
    {RecordKind::kBtreeInsertLeaf, RedoInsert, DescribeInsert, MaskBtreePage},
    {RecordKind::kBtreeInsertUpper, RedoInsert, DescribeInsert, MaskBtreePage},
    {RecordKind::kBtreeSplit, RedoSplit, DescribeSplit, MaskBtreePage},
    {RecordKind::kBtreeNewRoot, RedoNewRoot, DescribeNewRoot, MaskBtreePage},
    {RecordKind::kBtreeDedup, RedoDedup, DescribeDedup, MaskBtreePage},
    {RecordKind::kBtreeDelete, RedoDelete, DescribeDelete, MaskBtreePage, DeleteConflict},
    {RecordKind::kBtreeVacuum, RedoDelete, DescribeDelete, MaskBtreePage},
    {RecordKind::kBtreeUnlinkPage, RedoUnlink, DescribeUnlink, MaskBtreePage},
    {RecordKind::kBtreeInsertMany, RedoInsertMany, DescribeInsertMany, MaskBtreePage},
    {RecordKind::kBtreeReusePage, RedoNothing, DescribeReuse, nullptr, ReuseConflict},
};

}  // namespace

void AddEntry(char* page, OffsetNumber offset, const Entry& entry, bool posting_split) {
  EntryBuffer swapped;
  Entry to_add = entry;
  if (posting_split) {
    // The list may be marked dead as a whole, and takes in a row that is not.
    ItemId* item = PageItemId(page, static_cast<OffsetNumber>(offset - 1));
    *item = ItemId::Make(item->offset(), ItemState::kNormal, item->length());
    Entry posting = EntryAt(page, static_cast<OffsetNumber>(offset - 1));
    char* list = const_cast<char*>(posting.posting());
    int count = posting.tid_count();
    TupleId last = posting.last_tid();
    TupleId added = entry.tid();
    int place = count - 1;
    for (; place > 0 && LoadTid(list + static_cast<size_t>(place - 1) * kTidSize) > added; --place) {
      StoreTid(list + static_cast<size_t>(place) * kTidSize,
               LoadTid(list + static_cast<size_t>(place - 1) * kTidSize));
    }
    StoreTid(list + static_cast<size_t>(place) * kTidSize, added);
    FormPosting(entry, &last, 1, &swapped);
    to_add = swapped.entry();
  }
  if (PageAddItem(page, to_add.data, to_add.size, offset, ItemPlacement::kInsertShift) == kInvalidOffset) {
    Panic("btree: could not add an entry at line pointer {}", offset);
  }
}

void AddEntries(char* page, std::string_view items) {
  const char* end = items.data() + items.size();
  for (const char* p = items.data(); p < end;) {
    OffsetNumber offset = Load<uint16_t>(p);
    uint32_t size = Load<uint16_t>(p + 2);
    AddEntry(page, offset, {p + 4, size}, false);
    p += 4 + size;
  }
}

void MergeRuns(const char* page, std::span<const MergedRun> runs, char* rebuilt) {
  BeginRebuild(page, rebuilt);
  auto run = runs.begin();
  std::vector<TupleId> tids;
  for (OffsetNumber offset = FirstData(page); offset <= PageMaxOffset(page);) {
    Entry entry = EntryAt(page, offset);
    if (run == runs.end() || run->first != offset) {
      CHECK(AddRebuilt(rebuilt, entry));
      ++offset;
      continue;
    }
    tids.clear();
    for (OffsetNumber end = static_cast<OffsetNumber>(offset + run->count); offset < end; ++offset) {
      Entry merged = EntryAt(page, offset);
      for (int i = 0; i < merged.tid_count(); ++i) tids.push_back(merged.tid(i));
    }
    EntryBuffer list;
    FormPosting(entry, tids.data(), static_cast<int>(tids.size()), &list);
    CHECK(AddRebuilt(rebuilt, list.entry()));
    ++run;
  }
}

void RemoveEntries(const char* page, std::span<const OffsetNumber> whole, std::span<const uint16_t> shrunk,
                   char* rebuilt) {
  if (shrunk.empty()) {
    std::memcpy(rebuilt, page, kPageSize);
    PageRemoveItems(rebuilt, whole);
    Node(rebuilt)->flags &= static_cast<uint16_t>(~kHasGarbage);
    return;
  }
  BeginRebuild(page, rebuilt);
  std::vector<TupleId> kept;
  auto removed = whole.begin();
  for (OffsetNumber offset = FirstData(page); offset <= PageMaxOffset(page); ++offset) {
    if (removed != whole.end() && *removed == offset) {
      ++removed;
      continue;
    }
    Entry entry = EntryAt(page, offset);
    if (shrunk.empty() || shrunk[0] != offset) {
      CHECK(AddRebuilt(rebuilt, entry));
      continue;
    }
    std::span<const uint16_t> places = shrunk.subspan(2, shrunk[1]);
    shrunk = shrunk.subspan(2 + places.size());
    kept.clear();
    for (int i = 0; i < entry.tid_count(); ++i) {
      if (!places.empty() && places[0] == i)
        places = places.subspan(1);
      else
        kept.push_back(entry.tid(i));
    }
    EntryBuffer smaller;
    FormPosting(entry, kept.data(), static_cast<int>(kept.size()), &smaller);
    CHECK(AddRebuilt(rebuilt, smaller.entry()));
  }
}

void RemoveDownlink(char* parent, OffsetNumber offset) {
  OffsetNumber next = static_cast<OffsetNumber>(offset + 1);
  char* entry = parent + PageItemId(parent, offset)->offset();
  SetChild(entry, EntryAt(parent, next).child());
  PageRemoveItems(parent, {&next, 1});
}

std::span<const RecordHandler> BtreeRecordHandlers() { return kHandlers; }

}  // namespace walden::btree
