#include "node/access/btree/split.h"

#include <algorithm>
#include <vector>

#include "node/access/btree/insert.h"
#include "node/access/btree/records.h"
#include "node/shm/interrupts.h"
#include "node/wal/record_builder.h"

namespace walden::btree {

namespace {

constexpr size_t kNodeRoom = kPageSize - kPageHeaderSize - sizeof(NodeInfo);
constexpr int kInnerFillPercent = 70;

size_t RoomOf(size_t entry_size) { return AlignUp(entry_size, 8) + sizeof(ItemId); }

// The node's entries in order, with the new one among them.
struct Items {
  std::vector<Entry> entries;
  size_t new_position = 0;
  EntryBuffer posting;  // the posting list that took in the new entry's row identity
  EntryBuffer added;

  Items(const char* page, OffsetNumber offset, const Entry& entry, bool posting_split) {
    Entry to_add = entry;
    if (posting_split) {
      Entry old = EntryAt(page, static_cast<OffsetNumber>(offset - 1));
      std::vector<TupleId> tids;
      for (int i = 0; i < old.tid_count(); ++i) tids.push_back(old.tid(i));
      tids.insert(std::upper_bound(tids.begin(), tids.end(), entry.tid()), entry.tid());
      TupleId last = tids.back();
      FormPosting(old, tids.data(), old.tid_count(), &posting);
      FormPosting(entry, &last, 1, &added);
      to_add = added.entry();
    }
    for (OffsetNumber i = FirstData(page); i <= PageMaxOffset(page); ++i) {
      if (i == offset) Add(to_add);
      bool replaced = posting_split && i == offset - 1;
      entries.push_back(replaced ? posting.entry() : EntryAt(page, i));
    }
    if (offset > PageMaxOffset(page)) Add(to_add);
  }
  void Add(const Entry& entry) {
    new_position = entries.size();
    entries.push_back(entry);
  }
};

// How many entries stay on the left.
class SplitPoint {
 public:
  SplitPoint(const IndexDesc& index, const char* page, const Items& items)
      : index_(index), page_(page), items_(items), leaf_(IsLeaf(page)) {}

  size_t Choose() {
    std::vector<size_t> left_sizes = LeftSizes();
    size_t total = left_sizes.back();
    size_t target = total * static_cast<size_t>(TargetPercent()) / 100;
    size_t tolerance = total / 20;
    size_t best = 0;
    int best_columns = 0;
    size_t best_distance = 0;
    for (size_t left = 1; left < items_.entries.size(); ++left) {
      if (!Fits(left, left_sizes)) continue;
      size_t size = left_sizes[left];
      size_t distance = size > target ? size - target : target - size;
      // Near the target the shortest separator wins; elsewhere only nearness counts.
      bool near_target = distance <= tolerance;
      int columns = leaf_ && near_target
                        ? ColumnsToSeparate(index_, items_.entries[left - 1], items_.entries[left])
                        : 1000;
      bool better =
          best == 0 || columns < best_columns || (columns == best_columns && distance < best_distance);
      if (better) {
        best = left;
        best_columns = columns;
        best_distance = distance;
      }
    }
    CHECK(best != 0);
    return best;
  }

 private:
  // Room that the first n entries take.
  std::vector<size_t> LeftSizes() {
    std::vector<size_t> sizes{0};
    for (const Entry& entry : items_.entries) sizes.push_back(sizes.back() + RoomOf(entry.size));
    return sizes;
  }

  int TargetPercent() {
    // Ascending inserts at the right end: the left page will not be visited again, so it is left rather full.
    if (!IsRightmost(page_)) return 50;
    if (!leaf_) return kInnerFillPercent;
    return items_.new_position + 1 == items_.entries.size() ? index_.fillfactor : 50;
  }

  bool Fits(size_t left, const std::vector<size_t>& sizes) {
    size_t separator = RoomOf(items_.entries[left].size + kTidSize);
    size_t right_high_key = IsRightmost(page_) ? 0 : RoomOf(EntryAt(page_, kHighKey).size);
    return sizes[left] + separator <= kNodeRoom && sizes.back() - sizes[left] + right_high_key <= kNodeRoom;
  }

  const IndexDesc& index_;
  const char* page_;
  const Items& items_;
  bool leaf_;
};

void AddLast(char* page, const Entry& entry) {
  CHECK(PageAddItem(page, entry.data, entry.size, static_cast<OffsetNumber>(PageMaxOffset(page) + 1),
                    ItemPlacement::kInsertShift) != kInvalidOffset);
}

}  // namespace

BufferPin SplitNode(const IndexDesc& index, BufferPin& left, OffsetNumber offset, const Entry& entry,
                    bool posting_split, BufferPin* child) {
  char* old_page = left.page();
  Items items(old_page, offset, entry, posting_split);
  size_t left_count = SplitPoint(index, old_page, items).Choose();
  EntryBuffer separator;
  FormSeparator(index, items.entries[left_count - 1], items.entries[left_count], &separator);
  const NodeInfo old_node = *Node(old_page);
  BufferPin right = AllocateNode(index);

  alignas(8) char new_left[kPageSize];
  alignas(8) char new_right[kPageSize];
  InitNode(new_left, old_node.level, kIncompleteSplit);
  Node(new_left)->left = old_node.left;
  Node(new_left)->right = right.block();
  AddLast(new_left, separator.entry());
  for (size_t i = 0; i < left_count; ++i) AddLast(new_left, items.entries[i]);
  InitNode(new_right, old_node.level, 0);
  Node(new_right)->left = left.block();
  Node(new_right)->right = old_node.right;
  if (old_node.right != kNoBlock) AddLast(new_right, EntryAt(old_page, kHighKey));
  for (size_t i = left_count; i < items.entries.size(); ++i) {
    if (i > left_count || old_node.level == 0) {
      AddLast(new_right, items.entries[i]);
      continue;
    }
    // The first downlink of an inner node has no key: its key went up as the separator.
    EntryBuffer first{};
    Store<uint32_t>(first.data, items.entries[i].child());
    Store<uint16_t>(first.data + 6, kInfoPivot);
    first.size = kEntryHeaderSize;
    AddLast(new_right, first.entry());
  }

  BufferPin sibling;
  if (old_node.right != kNoBlock) {
    sibling = LockNode(index, old_node.right, Access::kWrite);
    if (Node(sibling.page())->left != left.block()) {
      ThrowCorrupted(index, old_node.right, "has a wrong left sibling link");
    }
  }
  CriticalSection critical;
  std::memcpy(old_page, new_left, kPageSize);
  std::memcpy(right.page(), new_right, kPageSize);
  left.MarkDirty();
  right.MarkDirty();
  if (sibling) {
    Node(sibling.page())->left = right.block();
    sibling.MarkDirty();
  }
  if (child != nullptr) {
    Node(child->page())->flags &= static_cast<uint16_t>(~kIncompleteSplit);
    child->MarkDirty();
  }
  if (index.NeedsWal()) {
    SplitRecord rec{old_node.level, static_cast<uint16_t>(left_count), offset};
    WalRecord record(RecordKind::kBtreeSplit);
    record.AddStruct(rec);
    record.AddPage(0, left.key(), old_page, kWalStandard | kWalForceImage);
    record.AddPage(1, right.key(), right.page(), kWalStandard | kWalForceImage);
    if (sibling) record.AddPage(2, sibling.key(), sibling.page());
    if (child != nullptr) record.AddPage(3, child->key(), child->page());
    record.InsertAndStamp();
  }
  if (sibling) sibling.Unlock();
  return right;
}

}  // namespace walden::btree
