#include <vector>

#include "node/access/btree/btree.h"
#include "node/access/btree/search.h"

namespace walden {

using namespace btree;  // NOLINT: this file is the folder's public face for checking

namespace {

class Verifier {
 public:
  Verifier(const IndexDesc& index, const std::function<void(TupleId)>& each_entry)
      : index_(index), each_entry_(each_entry) {}

  void Run() {
    MetaInfo meta = ReadMeta(index_);
    if (meta.root == kNoBlock) return;
    BlockNumber leftmost = meta.root;
    for (uint32_t level = meta.level;; --level) {
      leftmost = CheckLevel(leftmost, level);
      if (level == 0) return;
    }
  }

 private:
  void Expect(bool condition, BlockNumber block, const char* what) {
    if (!condition) ThrowCorrupted(index_, block, what);
  }

  // Checks the level from its leftmost page on; returns the leftmost page of the level below.
  BlockNumber CheckLevel(BlockNumber leftmost, uint32_t level) {
    BlockNumber first_child = kNoBlock;
    BlockNumber left = kNoBlock;
    std::vector<BlockNumber> children;
    previous_high_key_.size = 0;
    for (BlockNumber block = leftmost; block != kNoBlock;) {
      BufferPin pin = LockNode(index_, block, Access::kRead);
      const char* page = pin.page();
      Expect(!IsDeleted(page), block, "links to a deleted page");
      Expect(Node(page)->level == level, block, "has a page of the wrong level");
      Expect(Node(page)->left == left, block, "has a wrong left sibling link");
      CheckPage(page, block);
      if (level > 0) {
        for (OffsetNumber i = FirstData(page); i <= PageMaxOffset(page); ++i)
          children.push_back(EntryAt(page, i).child());
        if (first_child == kNoBlock) first_child = EntryAt(page, FirstData(page)).child();
      }
      left = block;
      block = Node(page)->right;
      pin.Unlock();
    }
    if (level > 0) CheckChildren(children, first_child);
    return first_child;
  }

  // Downlinks in order name the pages of the level below in order (an incomplete split's right half has none
  // yet).
  void CheckChildren(const std::vector<BlockNumber>& children, BlockNumber first_child) {
    size_t next = 0;
    bool after_incomplete = false;
    for (BlockNumber block = first_child; block != kNoBlock;) {
      BufferPin pin = LockNode(index_, block, Access::kRead);
      if (next < children.size() && children[next] == block)
        ++next;
      else
        Expect(after_incomplete, block, "has a page without downlink");
      after_incomplete = IsIncomplete(pin.page());
      block = Node(pin.page())->right;
      pin.Unlock();
    }
    Expect(next == children.size(), first_child, "has a downlink to no page");
  }

  void CheckPage(const char* page, BlockNumber block) {
    OffsetNumber max = PageMaxOffset(page);
    OffsetNumber first = FirstData(page);
    bool leaf = IsLeaf(page);
    Expect(leaf || first <= max, block, "has an inner page without children");
    if (previous_high_key_.size != 0 && first <= max && leaf) {
      Expect(ComparePivot(previous_high_key_.entry(), EntryAt(page, first)) < 0, block,
             "has an entry below its page's range");
    }
    for (OffsetNumber i = first; i <= max; ++i) {
      Entry entry = EntryAt(page, i);
      Expect(entry.is_pivot() == !leaf, block, "has an entry of the wrong kind");
      if (leaf && i > first)
        Expect(CompareLeaf(EntryAt(page, static_cast<OffsetNumber>(i - 1)), entry) < 0, block,
               "has entries out of order");
      if (!leaf && i > first + 1) {
        Expect(ComparePivots(EntryAt(page, static_cast<OffsetNumber>(i - 1)), entry) < 0, block,
               "has downlinks out of order");
      }
      if (leaf) CheckLeafEntry(entry, block);
    }
    previous_high_key_.size = 0;
    if (IsRightmost(page)) return;
    Entry high_key = EntryAt(page, kHighKey);
    Expect(high_key.is_pivot(), block, "has no high key");
    if (leaf && first <= max) {
      Entry last = EntryAt(page, max);
      EntryBuffer highest;
      TupleId tid = last.last_tid();
      FormPosting(last, &tid, 1, &highest);
      Expect(ComparePivot(high_key, highest.entry()) >= 0, block, "has an entry above its high key");
    }
    if (!leaf && max > first)
      Expect(ComparePivots(EntryAt(page, max), high_key) < 0, block, "has a downlink above its high key");
    std::memcpy(previous_high_key_.data, high_key.data, high_key.size);
    previous_high_key_.size = high_key.size;
  }

  void CheckLeafEntry(const Entry& entry, BlockNumber block) {
    for (int i = 0; i < entry.tid_count(); ++i) {
      Expect(entry.tid(i).IsValid(), block, "has an invalid row identity");
      if (i > 0) Expect(entry.tid(i - 1) < entry.tid(i), block, "has a posting list out of order");
      if (each_entry_) each_entry_(entry.tid(i));
    }
  }

  // Whole leaf entries; posting lists by their first identity against the previous one's last.
  int CompareLeaf(const Entry& a, const Entry& b) {
    int columns = ColumnsToSeparate(index_, a, b);
    if (columns > index_.key_count()) return a.last_tid() < b.tid() ? -1 : 1;
    return CompareEntries(index_, a, b);
  }

  // Pivot against a leaf entry: missing columns and a missing identity are minus infinity.
  int ComparePivot(const Entry& pivot, const Entry& leaf) {
    ColumnWalk a(pivot, *index_.desc);
    ColumnWalk b(leaf, *index_.desc);
    for (int i = 0; i < index_.key_count(); ++i) {
      if (i >= pivot.columns()) return -1;
      int order = CompareStored(index_, i, a.Next(), b.Next());
      if (order != 0) return order;
    }
    if (!pivot.has_pivot_tid()) return -1;
    return pivot.pivot_tid() < leaf.tid() ? -1 : pivot.pivot_tid() > leaf.tid() ? 1 : 0;
  }
  int ComparePivots(const Entry& left, const Entry& right) {
    ColumnWalk a(left, *index_.desc);
    ColumnWalk b(right, *index_.desc);
    for (int i = 0; i < index_.key_count(); ++i) {
      if (i >= left.columns()) return i >= right.columns() ? 0 : -1;
      if (i >= right.columns()) return 1;
      int order = CompareStored(index_, i, a.Next(), b.Next());
      if (order != 0) return order;
    }
    if (!left.has_pivot_tid()) return right.has_pivot_tid() ? -1 : 0;
    if (!right.has_pivot_tid()) return 1;
    return left.pivot_tid() < right.pivot_tid() ? -1 : left.pivot_tid() > right.pivot_tid() ? 1 : 0;
  }

  const IndexDesc& index_;
  const std::function<void(TupleId)>& each_entry_;
  EntryBuffer previous_high_key_;
};

}  // namespace

void VerifyBtree(const IndexDesc& index, const std::function<void(TupleId)>& each_entry) {
  Verifier(index, each_entry).Run();
}

}  // namespace walden
