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

// Runs of equal entries that make posting lists.
std::vector<MergedRun> FindEqualRuns(const char* page) {
  std::vector<MergedRun> runs;
  OffsetNumber max = PageMaxOffset(page);
  for (OffsetNumber first = FirstData(page), next; first <= max; first = next) {
    Entry base = EntryAt(page, first);
    size_t size = base.columns_end() + static_cast<size_t>(base.tid_count()) * kTidSize;
    for (next = static_cast<OffsetNumber>(first + 1); next <= max; ++next) {
      Entry entry = EntryAt(page, next);
      size += static_cast<size_t>(entry.tid_count()) * kTidSize;
      if (size > kMaxPostingSize || !SameColumns(base, entry)) break;
    }
    if (next - first > 1) runs.push_back({first, static_cast<uint16_t>(next - first)});
  }
  return runs;
}

void Deduplicate(const IndexDesc& index, BufferPin& leaf) {
  std::vector<MergedRun> runs = FindEqualRuns(leaf.page());
  if (runs.empty()) return;
  alignas(8) char rebuilt[kPageSize];
  MergeRuns(leaf.page(), runs, rebuilt);
  if (PageExactFreeSpace(rebuilt) <= PageExactFreeSpace(leaf.page())) return;
  CriticalSection critical;
  std::memcpy(leaf.page(), rebuilt, kPageSize);
  leaf.MarkDirty();
  if (!index.NeedsWal()) return;
  WalRecord record(RecordKind::kBtreeDedup);
  record.AddPage(0, leaf.key(), leaf.page());
  record.AddPageData(0, runs.data(), runs.size() * sizeof(MergedRun));
  record.InsertAndStamp();
}

// Returns how many row identities.
template <class Dead>
int RemoveDead(const IndexDesc& index, BufferPin& leaf, Lsn conflict, Dead&& dead) {
  LeafDeletion deletion;
  FindDead(leaf.page(), dead, &deletion);
  Remove(index, leaf, RecordKind::kBtreeDelete, conflict, deletion);
  return deletion.removed;
}

int RemoveMarkedDead(const IndexDesc& index, const TableRef& table, BufferPin& leaf) {
  const char* page = leaf.page();
  // They were marked when a horizon said that nobody needs them; the present one is not lower.
  Lsn conflict = RecentHorizon(table.locator.database);
  return RemoveDead(index, leaf, conflict,
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
  return RemoveDead(index, leaf, conflict, [&](OffsetNumber, TupleId tid) {
    return std::binary_search(dead.begin(), dead.end(), tid);
  });
}

}  // namespace

void Remove(const IndexDesc& index, BufferPin& leaf, RecordKind kind, Lsn conflict_lsn,
            const LeafDeletion& deletion) {
  if (deletion.removed == 0) return;
  const auto& [whole, shrunk, removed, kept] = deletion;
  const char* page = leaf.page();
  DeleteRecord rec{
      conflict_lsn.value, static_cast<uint16_t>(whole.size()), static_cast<uint16_t>(shrunk.size()), {}};
  alignas(8) char rebuilt[kPageSize];
  RemoveEntries(page, whole, shrunk, rebuilt);
  CriticalSection critical;
  std::memcpy(leaf.page(), rebuilt, kPageSize);
  leaf.MarkDirty();
  if (!index.NeedsWal()) return;
  WalRecord record(kind);
  record.AddStruct(rec);
  record.AddPage(0, leaf.key(), page);
  record.AddPageData(0, whole.data(), whole.size() * sizeof(OffsetNumber));
  record.AddPageData(0, shrunk.data(), shrunk.size() * sizeof(uint16_t));
  record.InsertAndStamp();
}

bool MayDeduplicate(const IndexDesc& index) {
  if (!index.deduplicate || index.desc->size() != index.key_count()) return false;
  return std::all_of(index.keys.begin(), index.keys.end(),
                     [](const IndexKeyColumn& key) { return key.equal_image; });
}

bool MakeRoom(const IndexDesc& index, const TableRef& table, BufferPin& leaf, size_t need, bool unchanged) {
  char* page = leaf.page();
  if ((Node(page)->flags & kHasGarbage) && RemoveMarkedDead(index, table, leaf) > 0 && HasRoom(page, need))
    return true;
  int versions = unchanged ? RemoveDeadVersions(index, table, leaf) : 0;
  if (versions > 0 && HasRoom(page, need)) return true;
  if (MayDeduplicate(index)) Deduplicate(index, leaf);
  return !unchanged || versions > 0;
}

}  // namespace walden::btree
