// Pages and entries of a btree.
//
// Block 0 is the meta page; every other page is a node with the special space below. On a page that has a
// right sibling item 1 is the high key: an upper bound (inclusive of nothing beyond it) for every entry of
// the page; data begins at item 2. On the rightmost page of a level data begins at item 1. The first data
// item of an inner page has no key (minus infinity).
//
// Format: special space (32 bytes)
//   0 4 left sibling (0 none)   4 4 right sibling (0 none)   8 4 level (0 leaf)   12 2 flags   14 2 zero
//  16 8 deleted pages: position that every snapshot must have passed before the page is reused
//  24 8 zero
// Format: meta page, behind the page header
//   0 4 magic  4 4 version  8 4 root block (0 none)  12 4 level of the root
// Format: entry (items; unaligned inside)
//   0 4 block  4 2 offset   row identity | inner: child block, unused | posting list: bytes from the entry's
//   start to
//                           the list, number of row identities
//   6 2 info   0x8000 null bitmap present, 0x4000 pivot (inner entry or high key), 0x2000 posting list,
//              0x1000 pivot ends with a row identity; low 8 bits: columns stored
//   8   .      null bitmap (columns / 8 rounded up; set = present), then packed columns as in access/tuple.h,
//              then with 0x2000 the posting list (6 bytes each, ascending), with 0x1000 one row identity (6
//              bytes)
// Pivots store only the leading columns that tell the two sides apart; a missing one counts as minus
// infinity.
#pragma once

#include <cstdint>
#include <cstring>

#include "node/access/index.h"
#include "node/base/bytes.h"
#include "node/storage/page.h"

namespace walden::btree {

inline constexpr BlockNumber kMetaBlock = 0;
inline constexpr BlockNumber kNoBlock = 0;
inline constexpr uint32_t kMagic = 0x57425431;
inline constexpr uint32_t kVersion = 1;
inline constexpr OffsetNumber kHighKey = 1;

enum NodeFlag : uint16_t {
  kLeaf = 1,
  kDeleted = 4,
  kIncompleteSplit = 8,  // the right sibling has no downlink yet
  kHasGarbage = 16,      // hint: some item is marked dead
};

struct NodeInfo {
  uint32_t left;
  uint32_t right;
  uint32_t level;
  uint16_t flags;
  uint16_t zero;
  uint64_t deleted_at;
  uint64_t zero2;
};
static_assert(sizeof(NodeInfo) == 32);

struct MetaInfo {
  uint32_t magic;
  uint32_t version;
  uint32_t root;
  uint32_t level;
};

inline NodeInfo* Node(char* page) { return reinterpret_cast<NodeInfo*>(PageSpecial(page)); }
inline const NodeInfo* Node(const char* page) { return reinterpret_cast<const NodeInfo*>(PageSpecial(page)); }
inline MetaInfo* Meta(char* page) { return reinterpret_cast<MetaInfo*>(page + kPageHeaderSize); }
inline bool IsLeaf(const char* page) { return (Node(page)->flags & kLeaf) != 0; }
inline bool IsRightmost(const char* page) { return Node(page)->right == kNoBlock; }
inline bool IsLeftmost(const char* page) { return Node(page)->left == kNoBlock; }
inline bool IsDeleted(const char* page) { return (Node(page)->flags & kDeleted) != 0; }
inline bool IsIncomplete(const char* page) { return (Node(page)->flags & kIncompleteSplit) != 0; }
inline OffsetNumber FirstData(const char* page) { return IsRightmost(page) ? 1 : 2; }

void InitNode(char* page, uint32_t level, uint16_t flags);
void InitMeta(char* page, BlockNumber root, uint32_t level);
// Throws XX002 unless the page looks like a node of this index.
void CheckNode(const IndexDesc& index, const char* page, BlockNumber block);
[[noreturn]] void ThrowCorrupted(const IndexDesc& index, BlockNumber block, const char* what);

inline constexpr uint16_t kInfoNulls = 0x8000;
inline constexpr uint16_t kInfoPivot = 0x4000;
inline constexpr uint16_t kInfoPosting = 0x2000;
inline constexpr uint16_t kInfoPivotTid = 0x1000;
inline constexpr uint16_t kInfoColumns = 0x00ff;
inline constexpr size_t kEntryHeaderSize = 8;
inline constexpr size_t kTidSize = 6;
// Three entries must fit a page, so that it can always be split.
inline constexpr size_t kMaxEntrySize =
    ((kPageSize - kPageHeaderSize - sizeof(NodeInfo)) / 3 - sizeof(ItemId) - 8) & ~size_t{7};
// Posting lists stay smaller than that, so that there is something to choose when splitting.
inline constexpr size_t kMaxPostingSize = kMaxEntrySize / 2 & ~size_t{7};

inline TupleId LoadTid(const char* p) { return {Load<uint32_t>(p), Load<uint16_t>(p + 4)}; }
inline void StoreTid(char* p, TupleId tid) {
  Store<uint32_t>(p, tid.block);
  Store<uint16_t>(p + 4, tid.offset);
}

// An entry somewhere in memory.
struct Entry {
  const char* data;
  uint32_t size;

  uint16_t info() const { return Load<uint16_t>(data + 6); }
  int columns() const { return info() & kInfoColumns; }
  bool is_pivot() const { return (info() & kInfoPivot) != 0; }
  bool is_posting() const { return (info() & kInfoPosting) != 0; }
  BlockNumber child() const { return Load<uint32_t>(data); }
  int tid_count() const { return is_posting() ? Load<uint16_t>(data + 4) : 1; }
  const char* posting() const { return data + Load<uint32_t>(data); }
  TupleId tid(int i = 0) const { return is_posting() ? LoadTid(posting() + i * kTidSize) : LoadTid(data); }
  TupleId last_tid() const { return tid(tid_count() - 1); }
  bool has_pivot_tid() const { return (info() & kInfoPivotTid) != 0; }
  TupleId pivot_tid() const { return LoadTid(data + size - kTidSize); }
  // Bytes up to where columns end (a posting list or row identity may follow).
  uint32_t columns_end() const {
    if (is_posting()) return Load<uint32_t>(data);
    return has_pivot_tid() ? size - static_cast<uint32_t>(kTidSize) : size;
  }
};
inline Entry EntryAt(const char* page, OffsetNumber offset) {
  const ItemId* item = PageItemId(page, offset);
  return {page + item->offset(), item->length()};
}
inline void SetChild(char* entry, BlockNumber child) { Store<uint32_t>(entry, child); }

// Walks the columns of an entry: Next() gives the stored bytes, null for a null.
class ColumnWalk {
 public:
  explicit ColumnWalk(const Entry& entry, const TupleDesc& desc)
      : desc_(desc), nulls_((entry.info() & kInfoNulls) ? entry.data + kEntryHeaderSize : nullptr) {
    p_ = entry.data + kEntryHeaderSize + (nulls_ != nullptr ? (entry.columns() + 7) / 8 : 0);
  }
  const char* Next() {
    int column = column_++;
    if (nulls_ != nullptr && (nulls_[column >> 3] & (1 << (column & 7))) == 0) return nullptr;
    const char* here = p_;
    p_ += AttributeSize(desc_[static_cast<AttrNumber>(column + 1)].physical, here);
    return here;
  }
  const char* position() const { return p_; }

 private:
  const TupleDesc& desc_;
  const char* nulls_;
  const char* p_;
  int column_ = 0;
};

// A formed entry in a buffer of its own.
struct EntryBuffer {
  alignas(8) char data[kMaxEntrySize + 16];
  uint32_t size = 0;
  Entry entry() const { return {data, size}; }
};

// Forms a leaf entry. Throws 54000 when it is larger than kMaxEntrySize.
void FormEntry(const IndexDesc& index, const Value* values, TupleId tid, EntryBuffer* out);
// The pivot that separates two neighbouring entries of a level: the fewest leading columns of `right` that tell
// them apart, left < pivot <= right; if all are equal, with the last row identity of `left`, left <= pivot < right:
// descents for a key equal to the pivot go left.
void FormSeparator(const IndexDesc& index, const Entry& left, const Entry& right, EntryBuffer* out);
// The same entry as a pivot with another child.
void CopyAsPivot(const Entry& from, BlockNumber child, EntryBuffer* out);
// A page like the leaf `page`, with its high key but without data, to which entries are added in order. False: no room.
void BeginRebuild(const char* page, char* rebuilt);
bool AddRebuilt(char* rebuilt, const Entry& entry);
// How many leading key columns are needed to tell them apart; key_count() + 1 when only the row identity
// does.
int ColumnsToSeparate(const IndexDesc& index, const Entry& left, const Entry& right);
// A leaf entry with the columns of `base` and these row identities (one: plain, more: posting list,
// ascending).
void FormPosting(const Entry& base, const TupleId* tids, int count, EntryBuffer* out);
// Same columns, byte for byte.
bool SameColumns(const Entry& a, const Entry& b);

}  // namespace walden::btree
