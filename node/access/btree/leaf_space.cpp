#include "node/access/btree/leaf_space.h"

#include <algorithm>
#include <vector>

#include "node/access/btree/records.h"
#include "node/access/heap/heap.h"
#include "node/shm/interrupts.h"
#include "node/txn/horizon.h"
#include "node/wal/record_builder.h"

namespace walden::btree {

namespace {

bool HasRoom(const char* page, size_t need) { return PageFreeSpace(page) >= AlignUp(need, 8); }

// Replaces the leaf's items by those of `rebuilt`, logged as an image.
void ReplacePage(const IndexDesc& index, BufferPin& leaf, const char* rebuilt, RecordKind kind,
                 const void* data, size_t size) {
  CriticalSection critical;
  std::memcpy(leaf.page(), rebuilt, kPageSize);
  leaf.MarkDirty();
  if (!index.NeedsWal()) return;
  WalRecord record(kind);
  record.AddData(data, size);
  record.AddPage(0, leaf.key(), leaf.page(), kWalStandard | kWalForceImage);
  record.InsertAndStamp();
}

// A page like `page`, with its high key but without data.
void BeginRebuild(const char* page, char* rebuilt) {
  InitNode(rebuilt, 0, 0);
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

bool MayDeduplicate(const IndexDesc& index) {
  if (!index.deduplicate || index.desc->size() != index.key_count()) return false;
  return std::all_of(index.keys.begin(), index.keys.end(),
                     [](const IndexKeyColumn& key) { return key.equal_image; });
}

// Collects runs of equal entries into posting lists.
class Deduplicator {
 public:
  explicit Deduplicator(const char* page) : page_(page) { BeginRebuild(page, rebuilt_); }

  // False: nothing was merged.
  bool Run() {
    for (OffsetNumber offset = FirstData(page_); offset <= PageMaxOffset(page_); ++offset) {
      Entry entry = EntryAt(page_, offset);
      if (!Joins(entry) && !Flush()) return false;
      if (tids_.empty())
        base_ = entry;
      else
        merged_ = true;
      for (int i = 0; i < entry.tid_count(); ++i) tids_.push_back(entry.tid(i));
    }
    return Flush() && merged_;
  }
  const char* page() const { return rebuilt_; }

 private:
  bool Joins(const Entry& entry) {
    if (tids_.empty()) return true;
    size_t size = base_.columns_end() + (tids_.size() + static_cast<size_t>(entry.tid_count())) * kTidSize;
    return size <= kMaxPostingSize && SameColumns(base_, entry);
  }
  bool Flush() {
    if (tids_.empty()) return true;
    EntryBuffer merged;
    FormPosting(base_, tids_.data(), static_cast<int>(tids_.size()), &merged);
    tids_.clear();
    return AddRebuilt(rebuilt_, merged.entry());
  }

  const char* page_;
  alignas(8) char rebuilt_[kPageSize];
  Entry base_{};
  std::vector<TupleId> tids_;
  bool merged_ = false;
};

int RemoveMarkedDead(const IndexDesc& index, const TableRef& table, BufferPin& leaf) {
  const char* page = leaf.page();
  // They were marked when a horizon said that nobody needs them; the present one is not lower.
  Lsn conflict = RecentHorizon(table.locator.database);
  return RemoveTids(index, leaf, RecordKind::kBtreeDelete, conflict,
                    [page](OffsetNumber offset, TupleId) { return PageItemId(page, offset)->IsDead(); });
}

constexpr size_t kMostLookedUpBlocks = 6;

// Heap blocks that a leaf's entries point to, with how many do.
class BlockCounts {
 public:
  void Add(BlockNumber block) {
    size_t at = block * 2654435761u % kSlots;
    while (slots_[at].count != 0 && slots_[at].block != block) at = (at + 1) % kSlots;
    slots_[at].block = block;
    ++slots_[at].count;
  }
  // Those with most entries, most first.
  std::vector<BlockNumber> Favourites() {
    std::vector<std::pair<uint32_t, BlockNumber>> used;
    for (const Slot& slot : slots_) {
      if (slot.count > 0) used.push_back({slot.count, slot.block});
    }
    size_t wanted = std::min(used.size(), kMostLookedUpBlocks);
    std::partial_sort(used.begin(), used.begin() + static_cast<ptrdiff_t>(wanted), used.end(),
                      std::greater<>());
    std::vector<BlockNumber> blocks;
    for (size_t i = 0; i < wanted; ++i) blocks.push_back(used[i].second);
    return blocks;
  }

 private:
  struct Slot {
    BlockNumber block = 0;
    uint32_t count = 0;
  };
  static constexpr size_t kSlots = 2048;  // more than the identities that a page holds
  static_assert(kSlots > kPageSize / kTidSize);
  Slot slots_[kSlots];
};

template <class Visit>
void ForEachTid(const char* page, Visit&& visit) {
  for (OffsetNumber offset = FirstData(page); offset <= PageMaxOffset(page); ++offset) {
    Entry entry = EntryAt(page, offset);
    for (int i = 0; i < entry.tid_count(); ++i) visit(entry.tid(i));
  }
}

// Entries of versions that are dead to everybody, found by looking at a few heap pages: those that most
// entries of this leaf point to, until one of them has nothing to give. Keeps an index on unchanged columns
// from growing with every UPDATE, and costs a statement that updates a whole table little.
int RemoveDeadVersions(const IndexDesc& index, const TableRef& table, BufferPin& leaf) {
  const char* page = leaf.page();
  BlockCounts counts;
  ForEachTid(page, [&](TupleId tid) { counts.Add(tid.block); });
  std::vector<TupleId> dead;
  for (BlockNumber block : counts.Favourites()) {
    size_t before = dead.size();
    ForEachTid(page, [&](TupleId tid) {
      Xid wait_for;
      uint32_t token;
      TupleId live;
      bool all_dead = false;
      if (tid.block == block && !HeapChainIsLiveDirty(table, tid, &wait_for, &token, &live, &all_dead) &&
          all_dead) {
        dead.push_back(tid);
      }
    });
    if (dead.size() == before) break;
  }
  if (dead.empty()) return 0;
  std::sort(dead.begin(), dead.end());
  Lsn conflict = RecentHorizon(table.locator.database);
  return RemoveTids(index, leaf, RecordKind::kBtreeDelete, conflict, [&](OffsetNumber, TupleId tid) {
    return std::binary_search(dead.begin(), dead.end(), tid);
  });
}

}  // namespace

int RemoveTids(const IndexDesc& index, BufferPin& leaf, RecordKind kind, Lsn conflict_lsn,
               const std::function<bool(OffsetNumber offset, TupleId tid)>& dead) {
  char* page = leaf.page();
  std::vector<OffsetNumber> whole;
  struct Shrunk {
    OffsetNumber offset;
    std::vector<TupleId> kept;
  };
  std::vector<Shrunk> shrunk;
  int removed = 0;
  for (OffsetNumber offset = FirstData(page); offset <= PageMaxOffset(page); ++offset) {
    Entry entry = EntryAt(page, offset);
    int count = entry.tid_count();
    int first_dead = 0;
    while (first_dead < count && !dead(offset, entry.tid(first_dead))) ++first_dead;
    if (first_dead == count) continue;
    std::vector<TupleId> kept;
    for (int i = 0; i < first_dead; ++i) kept.push_back(entry.tid(i));
    for (int i = first_dead + 1; i < count; ++i) {
      TupleId tid = entry.tid(i);
      if (!dead(offset, tid)) kept.push_back(tid);
    }
    removed += count - static_cast<int>(kept.size());
    if (kept.empty())
      whole.push_back(offset);
    else
      shrunk.push_back({offset, std::move(kept)});
  }
  if (removed == 0) return 0;
  DeleteRecord rec{conflict_lsn.value, static_cast<uint16_t>(whole.size()), {}};
  if (!shrunk.empty()) {
    alignas(8) char rebuilt[kPageSize];
    BeginRebuild(page, rebuilt);
    auto next = shrunk.begin();
    for (OffsetNumber offset = FirstData(page); offset <= PageMaxOffset(page); ++offset) {
      if (std::binary_search(whole.begin(), whole.end(), offset)) continue;
      EntryBuffer smaller;
      Entry entry = EntryAt(page, offset);
      if (next != shrunk.end() && next->offset == offset) {
        FormPosting(entry, next->kept.data(), static_cast<int>(next->kept.size()), &smaller);
        entry = smaller.entry();
        ++next;
      }
      CHECK(AddRebuilt(rebuilt, entry));
    }
    ReplacePage(index, leaf, rebuilt, kind, &rec, sizeof(rec));
    return removed;
  }
  CriticalSection critical;
  PageRemoveItems(page, whole);
  Node(page)->flags &= static_cast<uint16_t>(~kHasGarbage);
  leaf.MarkDirty();
  if (index.NeedsWal()) {
    WalRecord record(kind);
    record.AddStruct(rec);
    record.AddPage(0, leaf.key(), page);
    record.AddPageData(0, whole.data(), whole.size() * sizeof(OffsetNumber));
    record.InsertAndStamp();
  }
  return removed;
}

void MakeRoom(const IndexDesc& index, const TableRef& table, BufferPin& leaf, size_t need, bool unchanged) {
  char* page = leaf.page();
  if ((Node(page)->flags & kHasGarbage) && RemoveMarkedDead(index, table, leaf) > 0 && HasRoom(page, need))
    return;
  if (unchanged && RemoveDeadVersions(index, table, leaf) > 0 && HasRoom(page, need)) return;
  if (!MayDeduplicate(index)) return;
  Deduplicator deduplicator(page);
  if (!deduplicator.Run()) return;
  if (PageExactFreeSpace(deduplicator.page()) <= PageExactFreeSpace(page)) return;
  ReplacePage(index, leaf, deduplicator.page(), RecordKind::kBtreeDedup, "", 0);
}

}  // namespace walden::btree
