#include "node/access/btree/insert.h"

#include "node/access/btree/leaf_space.h"
#include "node/access/btree/records.h"
#include "node/access/btree/split.h"
#include "node/access/counted_read.h"
#include "node/access/heap/free_space_map.h"
#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/shm/interrupts.h"
#include "node/txn/horizon.h"
#include "node/txn/lock_manager.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden::btree {

namespace {

// What the unique check found.
struct Conflict {
  bool possible = false;  // kPartial: some row has the key
  bool definite = false;  // throw
  Xid wait_for;           // undecided: wait, then start again
};

class UniqueChecker {
 public:
  UniqueChecker(const IndexDesc& index, const TableRef& table, const SearchKey& key, TupleId own,
                UniqueCheck check)
      : index_(index), table_(table), key_(key), own_(own), check_(check) {}

  // `first` is the leaf where the key would begin, locked exclusively; it stays so.
  Conflict Run(BufferPin& first) {
    BufferPin later;
    BufferPin* pin = &first;
    for (;;) {
      if (CheckPage(*pin)) break;
      char* page = pin->page();
      if (IsRightmost(page) || CompareKey(index_, key_, EntryAt(page, kHighKey)) != 0) break;
      BlockNumber right = Node(page)->right;
      // Left to right; the first page stays locked so that nobody inserts the key meanwhile.
      if (later) later.Unlock();
      later = LockNode(index_, right, Access::kRead);
      while (IsDeleted(later.page())) {
        right = Node(later.page())->right;
        later.Unlock();
        later = LockNode(index_, right, Access::kRead);
      }
      pin = &later;
    }
    if (later) later.Unlock();
    if (check_ == UniqueCheck::kExisting && !found_own_ && !result_.definite && !result_.wait_for.IsValid()) {
      first.Unlock();
      throw SqlError(ErrorCode::kInternalError, "failed to re-find tuple within index \"{}\"", index_.name)
          .WithHint("This may be because of a non-immutable index expression.");
    }
    return result_;
  }

 private:
  // True when the answer is known or the keys end on this page.
  bool CheckPage(BufferPin& pin) {
    char* page = pin.page();
    OffsetNumber max = PageMaxOffset(page);
    bool killed = false;
    bool done = false;
    for (OffsetNumber offset = FindOnPage(index_, key_, page); offset <= max && !done; ++offset) {
      Entry entry = EntryAt(page, offset);
      if (PageItemId(page, offset)->IsDead()) continue;
      if (CompareKey(index_, key_, entry) != 0) {
        done = true;
        break;
      }
      bool all_dead = true;
      done = CheckEntry(entry, &all_dead);
      if (all_dead && !done) {
        PageItemId(page, offset)->MarkDead();
        Node(page)->flags |= kHasGarbage;
        killed = true;
      }
    }
    if (killed) pin.MarkDirtyHint();
    return done;
  }

  bool CheckEntry(const Entry& entry, bool* all_dead) {
    for (int i = 0; i < entry.tid_count(); ++i) {
      TupleId tid = entry.tid(i);
      if (check_ == UniqueCheck::kExisting && tid == own_) {
        found_own_ = true;
        *all_dead = false;
        continue;
      }
      Xid wait_for;
      uint32_t token = 0;
      TupleId live;
      bool dead = false;
      if (HeapChainIsLiveDirty(table_, tid, &wait_for, &token, &live, &dead)) {
        *all_dead = false;
        if (check_ == UniqueCheck::kPartial) {
          result_.possible = true;
          return true;
        }
        if (wait_for.IsValid()) {
          result_.wait_for = wait_for;
          return true;
        }
        if (OwnRowIsLive()) {
          result_.definite = true;
          return true;
        }
        return true;
      }
      *all_dead = *all_dead && dead;
    }
    return false;
  }

  // A row that is itself dead by now (deferred checks, index builds) conflicts with nothing.
  bool OwnRowIsLive() {
    HeapFetcher fetcher(table_);
    TupleView row;
    return fetcher.FetchChain(own_, kSnapshotSelf, &row) || fetcher.FetchVersion(own_, kSnapshotSelf, &row);
  }

  const IndexDesc& index_;
  const TableRef& table_;
  const SearchKey& key_;
  TupleId own_;
  UniqueCheck check_;
  bool found_own_ = false;
  Conflict result_;
};

bool HasNullKey(const IndexDesc& index, const Value* values) {
  for (int i = 0; i < index.key_count(); ++i) {
    if (values[i].is_null) return true;
  }
  return false;
}

void LogInsert(const IndexDesc& index, BufferPin& pin, OffsetNumber offset, const Entry& entry,
               bool posting_split, BufferPin* child) {
  if (!index.NeedsWal()) return;
  InsertRecord rec{offset, static_cast<uint16_t>(posting_split ? 1 : 0)};
  WalRecord record(child == nullptr ? RecordKind::kBtreeInsertLeaf : RecordKind::kBtreeInsertUpper);
  record.AddStruct(rec);
  record.AddPage(0, pin.key(), pin.page());
  record.AddPageData(0, entry.data, entry.size);
  if (child != nullptr) record.AddPage(1, child->key(), child->page());
  record.InsertAndStamp();
}

void MarkSplitComplete(BufferPin& child) {
  Node(child.page())->flags &= static_cast<uint16_t>(~kIncompleteSplit);
  child.MarkDirty();
}

// The parent's entry for `child`, with the parent locked exclusively.
BufferPin FindDownlink(const IndexDesc& index, BlockNumber child, BlockNumber start,
                       std::span<const DescentStep> above, OffsetNumber* offset) {
  BufferPin pin = LockNode(index, start, Access::kWrite);
  for (;;) {
    char* page = pin.page();
    if (IsIncomplete(page)) {
      BlockNumber block = pin.block();
      Descent descent(above.begin(), above.end());
      FinishSplit(index, std::move(pin), &descent);
      pin = LockNode(index, block, Access::kWrite);
      continue;
    }
    if (!IsDeleted(page)) {
      for (OffsetNumber i = FirstData(page); i <= PageMaxOffset(page); ++i) {
        if (EntryAt(page, i).child() == child) {
          *offset = i;
          return pin;
        }
      }
    }
    if (IsRightmost(page)) {
      pin.Unlock();
      ThrowCorrupted(index, child, "has no parent downlink");
    }
    BlockNumber right = Node(page)->right;
    pin.Unlock();
    pin = LockNode(index, right, Access::kWrite);
  }
}

void NewRoot(const IndexDesc& index, BufferPin& left, BufferPin& right, BufferPin& meta) {
  BufferPin root = AllocateNode(index);
  uint32_t level = Node(left.page())->level + 1;
  EntryBuffer first{};
  Store<uint32_t>(first.data, left.block());
  Store<uint16_t>(first.data + 6, kInfoPivot);
  first.size = kEntryHeaderSize;
  EntryBuffer second;
  CopyAsPivot(EntryAt(left.page(), kHighKey), right.block(), &second);
  {
    CriticalSection critical;
    InitNode(root.page(), level, 0);
    PageAddItem(root.page(), first.data, first.size);
    PageAddItem(root.page(), second.data, second.size);
    root.MarkDirty();
    MarkSplitComplete(left);
    Meta(meta.page())->root = root.block();
    Meta(meta.page())->level = level;
    meta.MarkDirty();
    if (index.NeedsWal()) {
      NewRootRecord rec{level};
      WalRecord record(RecordKind::kBtreeNewRoot);
      record.AddStruct(rec);
      record.AddPage(0, root.key(), root.page(), kWalStandard | kWalForceImage);
      record.AddPage(1, left.key(), left.page());
      record.AddPage(2, meta.key(), meta.page());
      record.InsertAndStamp();
    }
  }
  root.Unlock();
}

void InsertOnNode(const IndexDesc& index, BufferPin pin, OffsetNumber offset, const Entry& entry,
                  bool posting_split, BufferPin* child, std::span<const DescentStep> above);

// After a split of `left` into `left` and `right`, both locked: the parent gets right's downlink. Releases
// both.
void InsertDownlink(const IndexDesc& index, BufferPin left, BufferPin right,
                    std::span<const DescentStep> above) {
  EnsureWalSpace();
  if (above.empty()) {
    BufferPin meta = ReadPageOf(index, kMetaBlock);
    meta.LockExclusive();
    if (Meta(meta.page())->root == left.block()) {
      NewRoot(index, left, right, meta);
      meta.Unlock();
      right.Unlock();
      left.Unlock();
      return;
    }
    meta.Unlock();
  }
  EntryBuffer downlink;
  CopyAsPivot(EntryAt(left.page(), kHighKey), right.block(), &downlink);
  right.Unlock();
  BlockNumber start;
  if (above.empty()) {
    // The root was split by somebody else since this descent began: look along the level above.
    BufferPin edge = FindEdge(index, false, Node(left.page())->level + 1);
    if (!edge) ThrowCorrupted(index, left.block(), "has no parent level");
    start = edge.block();
    edge.Unlock();
  } else {
    start = above.back().block;
    above = above.first(above.size() - 1);
  }
  OffsetNumber offset;
  BufferPin parent = FindDownlink(index, left.block(), start, above, &offset);
  InsertOnNode(index, std::move(parent), static_cast<OffsetNumber>(offset + 1), downlink.entry(), false,
               &left, above);
  left.Unlock();
}

// Adds the entry, splitting the node if it is full. Takes over the lock of `pin`; `child` (inner nodes) is
// the left half of the split that this completes, locked, and stays locked.
void InsertOnNode(const IndexDesc& index, BufferPin pin, OffsetNumber offset, const Entry& entry,
                  bool posting_split, BufferPin* child, std::span<const DescentStep> above) {
  if (PageFreeSpace(pin.page()) < AlignUp(entry.size, 8)) {
    BufferPin right = SplitNode(index, pin, offset, entry, posting_split, child);
    InsertDownlink(index, std::move(pin), std::move(right), above);
    return;
  }
  {
    CriticalSection critical;
    AddEntry(pin.page(), offset, entry, posting_split);
    pin.MarkDirty();
    if (child != nullptr) MarkSplitComplete(*child);
    LogInsert(index, pin, offset, entry, posting_split, child);
  }
  pin.Unlock();
}

// Where the entry goes on the leaf; `*posting_split`: into the posting list before that place.
OffsetNumber PlaceOnLeaf(const IndexDesc& index, const SearchKey& key, const char* page,
                         bool* posting_split) {
  OffsetNumber offset = FindOnPage(index, key, page);
  *posting_split = false;
  if (offset <= PageMaxOffset(page)) {
    Entry there = EntryAt(page, offset);
    if (there.is_posting() && CompareKey(index, key, there) == 0) {
      *posting_split = true;
      return static_cast<OffsetNumber>(offset + 1);
    }
  }
  return offset;
}

}  // namespace

void CreateRoot(const IndexDesc& index) {
  EnsureWalSpace();
  BufferPin meta = ReadPageOf(index, kMetaBlock);
  PageLock meta_lock(meta, PageLockMode::kExclusive);
  if (Meta(meta.page())->root != kNoBlock) return;
  BufferPin root = AllocateNode(index);
  {
    CriticalSection critical;
    InitNode(root.page(), 0, 0);
    root.MarkDirty();
    Meta(meta.page())->root = root.block();
    Meta(meta.page())->level = 0;
    meta.MarkDirty();
    if (index.NeedsWal()) {
      NewRootRecord rec{0};
      WalRecord record(RecordKind::kBtreeNewRoot);
      record.AddStruct(rec);
      record.AddPage(0, root.key(), root.page(), kWalStandard | kWalForceImage);
      record.AddPage(2, meta.key(), meta.page());
      record.InsertAndStamp();
    }
  }
  root.Unlock();
}

void FinishSplit(const IndexDesc& index, BufferPin left, const Descent* descent) {
  BufferPin right = LockNode(index, Node(left.page())->right, Access::kWrite);
  InsertDownlink(index, std::move(left), std::move(right),
                 descent == nullptr ? std::span<const DescentStep>() : *descent);
}

BufferPin AllocateNode(const IndexDesc& index) {
  for (;;) {
    BlockNumber block = FsmFind(index.locator, kPageSize / 2);
    if (block == kInvalidBlock) break;
    FsmRecord(index.locator, block, 0);
    BufferPin pin = ReadPageOf(index, block, ReadMode::kIfExists);
    if (!pin || !pin.TryLockExclusive()) continue;
    if (PageIsNew(pin.page())) return pin;
    if (IsDeleted(pin.page()) && Lsn{Node(pin.page())->deleted_at} <= ComputeHorizon()) {
      if (index.NeedsWal()) {
        // Scans on a standby may still come to the page by an old link.
        ReuseRecord rec{Node(pin.page())->deleted_at, index.locator, block, 0};
        WalRecord record(RecordKind::kBtreeReusePage);
        record.AddStruct(rec);
        record.Insert();
      }
      return pin;
    }
    pin.Unlock();
  }
  return ExtendRelation(index.locator);
}

void InsertOnLeaf(const IndexDesc& index, const SearchKey& key, const Entry& entry, BufferPin leaf,
                  const Descent& descent) {
  bool posting_split;
  OffsetNumber offset = PlaceOnLeaf(index, key, leaf.page(), &posting_split);
  InsertOnNode(index, std::move(leaf), offset, entry, posting_split, nullptr, descent);
}

bool InsertEntry(const IndexDesc& index, const TableRef& table, const Value* values, TupleId tid,
                 UniqueCheck check, bool unchanged) {
  EntryBuffer entry;
  FormEntry(index, values, tid, &entry);
  bool check_unique =
      index.unique && check != UniqueCheck::kNo && (index.nulls_not_distinct || !HasNullKey(index, values));
  if (check == UniqueCheck::kExisting && !check_unique) return true;
  SearchKey key;
  key.values = values;
  key.count = index.key_count();
  static thread_local Descent descent;
  bool is_unique = true;
  BufferPin leaf;
  for (;;) {
    EnsureWalSpace();
    key.has_tid = !check_unique;
    key.tid = tid;
    leaf = FindLeaf(index, key, Access::kWrite, &descent);
    if (!check_unique) break;
    Conflict conflict = UniqueChecker(index, table, key, tid, check).Run(leaf);
    if (conflict.wait_for.IsValid()) {
      leaf.Unlock();
      leaf.Release();
      RowWaitContext context{"inserting index", index.name, tid};
      WaitForXid(conflict.wait_for, &context);
      continue;
    }
    if (conflict.definite) {
      leaf.Unlock();
      leaf.Release();
      index.throw_unique_violation(index, values);
    }
    is_unique = !conflict.possible;
    break;
  }
  if (check == UniqueCheck::kExisting) {
    leaf.Unlock();
    return is_unique;
  }
  key.has_tid = true;
  MoveRight(index, key, Access::kWrite, &descent, &leaf);
  if (PageFreeSpace(leaf.page()) < AlignUp(entry.size, 8))
    MakeRoom(index, table, leaf, entry.size, unchanged);
  InsertOnLeaf(index, key, entry.entry(), std::move(leaf), descent);
  return is_unique;
}

}  // namespace walden::btree
