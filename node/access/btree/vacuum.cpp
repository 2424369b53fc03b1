// The leaf level is visited from left to right along the sibling links: a concurrent split only moves entries
// to the right, so that none can be missed. Every leaf is locked for cleanup once, also where nothing is
// removed: index-only scans, which keep a pin on the leaf that they stand on, are thereby waited for before
// row identities are reused.
#include "node/access/btree/vacuum.h"

#include <vector>

#include "node/access/btree/insert.h"
#include "node/access/btree/leaf_space.h"
#include "node/access/btree/records.h"
#include "node/access/btree/search.h"
#include "node/access/counted_read.h"
#include "node/access/heap/free_space_map.h"
#include "node/access/vacuum_pace.h"
#include "node/shm/interrupts.h"
#include "node/txn/durability.h"
#include "node/txn/horizon.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden::btree {

namespace {

// Removing an empty leaf. Lock order: left sibling, page, right sibling, then parent, as in a split.
class PageRemoval {
 public:
  PageRemoval(const IndexDesc& index, BlockNumber block) : index_(index), block_(block) {}

  // False if the page must stay: not empty, an edge of the tree, the last child of its parent, or in the
  // middle of something.
  bool Run() {
    EnsureWalSpace();
    if (!LockPages() || !LockParent()) return false;
    Unlink();
    return true;
  }

 private:
  static bool IsEmptyLeaf(const char* page) {
    return IsLeaf(page) && !IsDeleted(page) && !IsIncomplete(page) && !IsRightmost(page) &&
           FirstData(page) > PageMaxOffset(page);
  }

  bool LockPages() {
    BlockNumber left_block;
    {
      BufferPin look = LockNode(index_, block_, Access::kRead);
      if (!IsEmptyLeaf(look.page())) return look.Unlock(), false;
      left_block = Node(look.page())->left;
      look.Unlock();
    }
    if (left_block != kNoBlock) {
      left_ = LockNode(index_, left_block, Access::kWrite);
      // It was split or removed meanwhile: the next VACUUM will do.
      if (IsDeleted(left_.page()) || IsIncomplete(left_.page()) || Node(left_.page())->right != block_)
        return false;
    }
    target_ = LockNode(index_, block_, Access::kWrite);
    if (!IsEmptyLeaf(target_.page()) || Node(target_.page())->left != left_block) return false;
    right_ = LockNode(index_, Node(target_.page())->right, Access::kWrite);
    return Node(right_.page())->left == block_ && !IsDeleted(right_.page());
  }

  // The parent's entry is found by the page's high key, the one key that an empty page still has.
  bool LockParent() {
    BlockNumber parent = FindParentBlock();
    if (parent == kNoBlock) return false;
    parent_ = LockNode(index_, parent, Access::kWrite);
    char* page = parent_.page();
    if (IsDeleted(page) || IsIncomplete(page)) return false;
    for (OffsetNumber offset = FirstData(page); offset < PageMaxOffset(page); ++offset) {
      if (EntryAt(page, offset).child() != block_) continue;
      parent_offset_ = offset;
      // The last child stays: its key range would have to move to another parent.
      return EntryAt(page, static_cast<OffsetNumber>(offset + 1)).child() == right_.block();
    }
    return false;
  }

  // Level 1 from left to right would be slow: go down by the high key instead. It belongs to the right
  // sibling, whose parent is the same page if the target may be removed at all.
  BlockNumber FindParentBlock() {
    Entry high_key = EntryAt(target_.page(), kHighKey);
    std::vector<Value> values;
    ColumnWalk walk(high_key, *index_.desc);
    int columns = std::min(high_key.columns(), index_.key_count());
    for (int i = 0; i < columns; ++i) {
      const char* stored = walk.Next();
      if (stored == nullptr)
        values.emplace_back();
      else
        values.push_back(
            {LoadColumn((*index_.desc)[static_cast<AttrNumber>(i + 1)].physical, stored), false});
    }
    SearchKey key;
    key.values = values.data();
    key.count = columns;
    key.has_tid = high_key.has_pivot_tid();
    if (key.has_tid) key.tid = high_key.pivot_tid();
    return DescendToParent(key);
  }

  BlockNumber DescendToParent(const SearchKey& key) {
    BufferPin pin = FindEdge(index_, false, 1);
    if (!pin) return kNoBlock;
    BlockNumber leftmost = pin.block();
    pin.Unlock();
    MetaInfo meta = ReadMeta(index_);
    if (meta.level == 1) return meta.root;
    pin = LockNode(index_, meta.root, Access::kRead);
    for (;;) {
      char* page = pin.page();
      if (IsDeleted(page) || (!IsRightmost(page) && CompareKey(index_, key, EntryAt(page, kHighKey)) > 0)) {
        BlockNumber right = Node(page)->right;
        pin.Unlock();
        pin = LockNode(index_, right, Access::kRead);
        continue;
      }
      if (Node(page)->level == 1) {
        BlockNumber block = pin.block();
        pin.Unlock();
        return block;
      }
      if (Node(page)->level == 0) {
        pin.Unlock();
        return leftmost;
      }
      BlockNumber child = EntryAt(page, FindOnPage(index_, key, page)).child();
      pin.Unlock();
      pin = LockNode(index_, child, Access::kRead);
    }
  }

  void Unlink() {
    // Whoever has a snapshot now may still come here by an old link.
    Lsn deleted_at = PublishedLsn();
    BlockNumber left = left_ ? left_.block() : kNoBlock;
    CriticalSection critical;
    RemoveDownlink(parent_.page(), parent_offset_);
    if (left_) Node(left_.page())->right = right_.block();
    Node(right_.page())->left = left;
    InitNode(target_.page(), 0, kDeleted);
    Node(target_.page())->left = left;
    Node(target_.page())->right = right_.block();
    Node(target_.page())->deleted_at = deleted_at.value;
    target_.MarkDirty();
    right_.MarkDirty();
    parent_.MarkDirty();
    if (left_) left_.MarkDirty();
    if (!index_.NeedsWal()) return;
    UnlinkRecord rec{deleted_at.value, left, right_.block(), parent_offset_, {}};
    WalRecord record(RecordKind::kBtreeUnlinkPage);
    record.AddStruct(rec);
    record.AddPage(0, target_.key(), target_.page(), kWalStandard | kWalWillInit);
    if (left_) record.AddPage(1, left_.key(), left_.page());
    record.AddPage(2, right_.key(), right_.page());
    record.AddPage(3, parent_.key(), parent_.page());
    record.InsertAndStamp();
  }

  // Destruction unlocks what is still locked.
  struct LockedPin : BufferPin {
    LockedPin() = default;
    ~LockedPin() { Drop(); }
    LockedPin& operator=(BufferPin&& pin) {
      Drop();
      BufferPin::operator=(std::move(pin));
      return *this;
    }
    void Drop() {
      if (*this && IsLocked()) Unlock();
      Release();
    }
  };

  const IndexDesc& index_;
  BlockNumber block_;
  LockedPin parent_;
  LockedPin right_;
  LockedPin target_;
  LockedPin left_;
  OffsetNumber parent_offset_ = 0;
};

int CountTids(const char* page) {
  int count = 0;
  for (OffsetNumber offset = FirstData(page); offset <= PageMaxOffset(page); ++offset) {
    count += EntryAt(page, offset).tid_count();
  }
  return count;
}

}  // namespace

void BulkDelete(const IndexDesc& index, const DeadTids& dead, IndexVacuumStats* stats) {
  stats->entries = 0;
  stats->estimated_count = false;
  std::vector<BlockNumber> empty;
  LeafDeletion deletion;
  BufferPin edge = FindEdge(index, false);
  if (!edge) return;
  BlockNumber block = edge.block();
  edge.Unlock();
  edge.Release();
  while (block != kNoBlock) {
    PaceVacuum();
    EnsureWalSpace();
    BufferPin leaf = ReadPageOf(index, block);
    PageLock lock(leaf, PageLockMode::kCleanup);
    char* page = leaf.page();
    CheckNode(index, page, block);
    if (!IsDeleted(page)) {
      FindDead(page, [&](OffsetNumber, TupleId tid) { return dead.Contains(tid); }, &deletion);
      Remove(index, leaf, RecordKind::kBtreeVacuum, kInvalidLsn, deletion);
      stats->entries_removed += deletion.removed;
      stats->entries += deletion.kept;
      if (FirstData(page) > PageMaxOffset(page) && !IsRightmost(page)) empty.push_back(block);
    }
    block = Node(page)->right;
  }
  for (BlockNumber candidate : empty) stats->pages_newly_deleted += PageRemoval(index, candidate).Run();
}

void VacuumCleanup(const IndexDesc& index, IndexVacuumStats* stats) {
  stats->pages = RelationBlocks(index.locator);
  stats->pages_deleted = 0;
  stats->pages_free = 0;
  bool count_entries = stats->entries == 0 && stats->entries_removed == 0;
  Lsn horizon = ComputeHorizon();
  BufferStrategy strategy(StrategyKind::kVacuum);
  for (BlockNumber block = kMetaBlock + 1; block < stats->pages; ++block) {
    PaceVacuum();
    BufferPin pin = ReadPageOf(index, block, ReadMode::kNormal, &strategy);
    PageLock lock(pin, PageLockMode::kShared);
    char* page = pin.page();
    bool reusable = PageIsNew(page) || (IsDeleted(page) && Lsn{Node(page)->deleted_at} <= horizon);
    if (!PageIsNew(page) && IsDeleted(page)) ++stats->pages_deleted;
    if (count_entries && !PageIsNew(page) && !IsDeleted(page) && IsLeaf(page))
      stats->entries += CountTids(page);
    lock.Unlock();
    pin.Release();
    if (reusable) {
      ++stats->pages_free;
      FsmRecord(index.locator, block, kPageSize - 1);
    }
  }
}

}  // namespace walden::btree
