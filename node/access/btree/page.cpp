#include "node/access/btree/page.h"

#include "node/access/btree/key.h"
#include "node/base/error.h"

namespace walden::btree {

void InitNode(char* page, uint32_t level, uint16_t flags) {
  PageInit(page, sizeof(NodeInfo));
  *Node(page) = NodeInfo{};
  Node(page)->level = level;
  Node(page)->flags = static_cast<uint16_t>(flags | (level == 0 ? kLeaf : 0));
}

void InitMeta(char* page, BlockNumber root, uint32_t level) {
  PageInit(page, sizeof(NodeInfo));
  *Node(page) = NodeInfo{};
  *Meta(page) = {kMagic, kVersion, root, level};
  HeaderOf(page)->lower = static_cast<uint16_t>(kPageHeaderSize + sizeof(MetaInfo));
}

void ThrowCorrupted(const IndexDesc& index, BlockNumber block, const char* what) {
  throw SqlError(ErrorCode::kIndexCorrupted, "index \"{}\" {} at block {}", index.name, what, block)
      .WithHint("Please REINDEX it.");
}

void CheckNode(const IndexDesc& index, const char* page, BlockNumber block) {
  if (PageIsNew(page)) ThrowCorrupted(index, block, "contains unexpected zero page");
  if (PageSpecialSize(page) != sizeof(NodeInfo)) ThrowCorrupted(index, block, "contains corrupted page");
}

void FormEntry(const IndexDesc& index, const Value* values, TupleId tid, EntryBuffer* out) {
  const TupleDesc& desc = *index.desc;
  int columns = desc.size();
  size_t size = kEntryHeaderSize;
  bool has_null = false;
  for (int i = 0; i < columns; ++i) {
    if (values[i].is_null)
      has_null = true;
    else
      size += StoredSize(desc[static_cast<AttrNumber>(i + 1)].physical, values[i].datum);
  }
  size_t bitmap = has_null ? (columns + 7) / 8 : 0;
  size += bitmap;
  if (size > kMaxEntrySize) {
    throw SqlError(ErrorCode::kProgramLimitExceeded,
                   "index row size {} exceeds btree version 4 maximum {} for index \"{}\"", size,
                   kMaxEntrySize, index.name)
        .WithHint(
            "Values larger than 1/3 of a buffer page cannot be indexed.\n"
            "Consider a function index of an MD5 hash of the value, or use full text indexing.");
  }
  StoreTid(out->data, tid);
  Store<uint16_t>(out->data + 6, static_cast<uint16_t>(columns | (has_null ? kInfoNulls : 0)));
  char* nulls = out->data + kEntryHeaderSize;
  std::memset(nulls, 0, bitmap);
  char* to = nulls + bitmap;
  for (int i = 0; i < columns; ++i) {
    if (values[i].is_null) continue;
    if (has_null) nulls[i >> 3] = static_cast<char>(nulls[i >> 3] | 1 << (i & 7));
    to = StoreAttribute(desc[static_cast<AttrNumber>(i + 1)].physical, values[i].datum, to);
  }
  out->size = static_cast<uint32_t>(to - out->data);
}

int ColumnsToSeparate(const IndexDesc& index, const Entry& left, const Entry& right) {
  ColumnWalk a(left, *index.desc);
  ColumnWalk b(right, *index.desc);
  int keys = std::min({index.key_count(), left.columns(), right.columns()});
  for (int i = 0; i < keys; ++i) {
    if (CompareStored(index, i, a.Next(), b.Next()) != 0) return i + 1;
  }
  return index.key_count() + 1;
}

namespace {

// The first `columns` columns of `from` as a pivot without child and row identity.
void CopyColumns(const IndexDesc& index, const Entry& from, int columns, EntryBuffer* out) {
  bool has_nulls = (from.info() & kInfoNulls) != 0;
  ColumnWalk walk(from, *index.desc);
  const char* begin = walk.position();
  for (int i = 0; i < columns; ++i) walk.Next();
  size_t bytes = static_cast<size_t>(walk.position() - begin);
  size_t bitmap = has_nulls ? (columns + 7) / 8 : 0;
  std::memset(out->data, 0, kEntryHeaderSize);
  Store<uint16_t>(out->data + 6, static_cast<uint16_t>(columns | kInfoPivot | (has_nulls ? kInfoNulls : 0)));
  std::memcpy(out->data + kEntryHeaderSize, from.data + kEntryHeaderSize, bitmap);
  std::memcpy(out->data + kEntryHeaderSize + bitmap, begin, bytes);
  out->size = static_cast<uint32_t>(kEntryHeaderSize + bitmap + bytes);
}

}  // namespace

void FormSeparator(const IndexDesc& index, const Entry& left, const Entry& right, EntryBuffer* out) {
  if (right.is_pivot()) {
    // Inner level: the separator is the right entry's own key.
    std::memcpy(out->data, right.data, right.size);
    out->size = right.size;
    SetChild(out->data, kNoBlock);
    return;
  }
  int columns = ColumnsToSeparate(index, left, right);
  bool needs_tid = columns > index.key_count();
  CopyColumns(index, right, std::min(columns, index.key_count()), out);
  if (!needs_tid) return;
  // Not the right one's: a descent for that identity would end on the left.
  StoreTid(out->data + out->size, left.last_tid());
  out->size += static_cast<uint32_t>(kTidSize);
  Store<uint16_t>(out->data + 6, static_cast<uint16_t>(Load<uint16_t>(out->data + 6) | kInfoPivotTid));
}

void CopyAsPivot(const Entry& from, BlockNumber child, EntryBuffer* out) {
  std::memcpy(out->data, from.data, from.size);
  out->size = from.size;
  SetChild(out->data, child);
}

void BeginRebuild(const char* page, char* rebuilt) {
  InitNode(rebuilt, 0, 0);
  SetPageLsn(rebuilt, PageLsn(page));  // or its next change would look like the first after a checkpoint
  *Node(rebuilt) = *Node(page);
  Node(rebuilt)->flags &= static_cast<uint16_t>(~kHasGarbage);
  if (!IsRightmost(page)) {
    Entry high_key = EntryAt(page, kHighKey);
    PageAddItem(rebuilt, high_key.data, high_key.size);
  }
}

bool AddRebuilt(char* rebuilt, const Entry& entry) {
  return PageAddItem(rebuilt, entry.data, entry.size, static_cast<OffsetNumber>(PageMaxOffset(rebuilt) + 1),
                     ItemPlacement::kInsertShift) != kInvalidOffset;
}

bool SameColumns(const Entry& a, const Entry& b) {
  uint32_t size = a.columns_end();
  constexpr uint16_t kShape = kInfoNulls | kInfoColumns;
  return size == b.columns_end() && ((a.info() ^ b.info()) & kShape) == 0 &&
         std::memcmp(a.data + kEntryHeaderSize, b.data + kEntryHeaderSize, size - kEntryHeaderSize) == 0;
}

void FormPosting(const Entry& base, const TupleId* tids, int count, EntryBuffer* out) {
  uint32_t end = base.columns_end();
  uint16_t info = static_cast<uint16_t>(base.info() & ~kInfoPosting);
  std::memcpy(out->data, base.data, end);
  if (count == 1) {
    StoreTid(out->data, tids[0]);
    Store<uint16_t>(out->data + 6, info);
    out->size = end;
    return;
  }
  Store<uint32_t>(out->data, end);
  Store<uint16_t>(out->data + 4, static_cast<uint16_t>(count));
  Store<uint16_t>(out->data + 6, static_cast<uint16_t>(info | kInfoPosting));
  for (int i = 0; i < count; ++i) StoreTid(out->data + end + static_cast<size_t>(i) * kTidSize, tids[i]);
  out->size = end + static_cast<uint32_t>(count * kTidSize);
}

}  // namespace walden::btree
