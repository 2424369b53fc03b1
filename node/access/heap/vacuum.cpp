#include "node/access/heap/vacuum.h"

#include <algorithm>

#include "node/access/counted_read.h"
#include "node/access/heap/dead_rows.h"
#include "node/access/heap/free_space_map.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/prune.h"
#include "node/access/heap/visibility.h"
#include "node/access/heap/visibility_map.h"
#include "node/access/vacuum_pace.h"
#include "node/buffer/relation_storage.h"
#include "node/shm/interrupts.h"
#include "node/txn/clog.h"
#include "node/txn/horizon.h"
#include "node/txn/multixact.h"
#include "node/txn/transaction.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {

namespace {

// A run of skippable pages shorter than this is read all the same: read-ahead is worth more than the skip.
constexpr BlockNumber kLeastSkip = 32;
// Giving back fewer pages than this, and than a sixteenth of the table, is not worth an exclusive lock.
constexpr BlockNumber kLeastTruncate = 1000;
constexpr BlockNumber kTruncateFraction = 16;

struct PageVerdict {
  bool all_visible = true;
  bool all_settled = true;
  bool has_dead_pointers = false;
  bool has_rows = false;
  Lsn conflict;  // newest creator, for the visible record
};

class Vacuum {
 public:
  Vacuum(const TableRef& table, std::span<const IndexDesc* const> indexes, const VacuumOptions& options)
      : table_(table),
        indexes_(indexes),
        options_(options),
        dead_(options.memory_kb),
        strategy_(StrategyKind::kVacuum) {
    result_.indexes.resize(indexes.size());
  }

  VacuumResult Run(double old_pages, double old_rows) {
    horizon_ = ComputeHorizon(table_.locator.database);
    result_.settled_xid = result_.cutoff = OldestRunningXid();
    result_.settled_multi = NextMultiXactId();
    result_.pages = RelationBlocks(table_.locator);
    progress_.heap_blocks_total = result_.pages;
    progress_.max_dead_tuples = dead_.limit();
    ScanTable();
    if (!dead_.empty()) RemoveDead();
    CleanUpIndexes();
    EstimateRows(old_pages, old_rows);
    TruncateTail();
    BlockNumber settled_pages;
    VmCount(table_.locator, &result_.all_visible_pages, &settled_pages);
    result_.settled_advanced = options_.settle && !missed_page_;
    SetPhase(VacuumProgress::Phase::kFinal);
    return std::move(result_);
  }

 private:
  void SetPhase(VacuumProgress::Phase phase) {
    progress_.phase = phase;
    Report();
  }
  void Report() {
    if (options_.progress) options_.progress(progress_);
  }
  // ---- First pass: prune, collect dead line pointers, set map bits. ----

  void ScanTable() {
    SetPhase(VacuumProgress::Phase::kScanHeap);
    BlockNumber next_unskippable = 0;
    for (BlockNumber block = 0; block < result_.pages; ++block) {
      if (block >= next_unskippable) next_unskippable = FindUnskippable(block);
      if (block < next_unskippable && next_unskippable - block >= kLeastSkip) {
        block = next_unskippable - 1;
        continue;
      }
      PaceVacuum();
      if (dead_.IsFull()) RemoveDead();
      ScanPage(block);
      progress_.heap_blocks_scanned = block + 1;
      progress_.dead_tuples = dead_.size();
      Report();
    }
  }

  // The first block at or after `block` that must be looked at. The last one always: truncation asks about
  // it.
  BlockNumber FindUnskippable(BlockNumber block) {
    if (options_.disable_page_skipping) return block;
    uint8_t enough = options_.settle ? kVmAllSettled : kVmAllVisible;
    while (block + 1 < result_.pages && (VmStatus(table_.locator, block, &vm_pin_) & enough)) ++block;
    return block;
  }

  void ScanPage(BlockNumber block) {
    VmPinForWrite(table_.locator, block, &vm_pin_);
    BufferPin pin = ReadPageOf(table_, block, ReadMode::kNormal, &strategy_);
    ++result_.pages_scanned;
    if (!pin.TryLockForCleanup()) {
      if (!options_.settle) {
        CountOnly(pin);
        return;
      }
      pin.LockForCleanup();
    }
    PageLock lock(pin, PageLock::Adopt{});
    char* page = pin.page();
    EnsureWalSpace();
    if (PageIsNew(page)) {
      // Added by somebody who then failed: usable.
      PageInit(page);
      pin.MarkDirty();
    }
    if (PageMaxOffset(page) == 0) {
      PageVerdict empty;
      MarkVisible(pin, empty);
      NoteFreeSpace(pin, &lock);
      return;
    }
    result_.rows_removed += PrunePage(table_, pin, horizon_).removed;
    PageVerdict verdict = Judge(pin, true);
    if (verdict.has_dead_pointers && indexes_.empty()) {
      FreeDeadPointers(pin);
      verdict = Judge(pin, false);
    }
    if (verdict.has_rows) nonempty_end_ = block + 1;
    if (options_.settle) Settle(pin, &verdict);
    MarkVisible(pin, verdict);
    NoteFreeSpace(pin, &lock);
  }

  // Somebody has the page pinned: only count.
  void CountOnly(BufferPin& pin) {
    PageLock lock(pin, PageLockMode::kShared);
    missed_page_ = true;
    nonempty_end_ = pin.block() + 1;
    if (PageIsNew(pin.page())) return;
    HintWriter hints(pin);
    for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(pin.page()); ++offset) {
      if (!PageItemId(pin.page(), offset)->IsNormal()) continue;
      VacuumState state = VacuumStateOf(RowAt(pin.page(), offset), horizon_, hints);
      if (state == VacuumState::kLive)
        ++scanned_live_;
      else if (state == VacuumState::kDead || state == VacuumState::kRecentlyDead)
        ++result_.dead_rows_remaining;
    }
  }

  // What the page holds after pruning; with `collect`, dead pointers go to the store and rows are counted.
  PageVerdict Judge(BufferPin& pin, bool collect) {
    PageVerdict verdict;
    char* page = pin.page();
    HintWriter hints(pin);
    for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(page); ++offset) {
      ItemId item = *PageItemId(page, offset);
      if (!item.IsUsed()) continue;
      verdict.has_rows = verdict.has_rows || !item.IsDead();
      if (item.IsDead()) {
        verdict.has_dead_pointers = true;
        verdict.all_visible = verdict.all_settled = false;
        if (collect && !indexes_.empty()) dead_.Add({pin.block(), offset});
        continue;
      }
      if (!item.IsNormal()) continue;
      JudgeRow(RowAt(page, offset), hints, collect, &verdict);
    }
    return verdict;
  }

  void JudgeRow(TupleHeader* row, HintWriter& hints, bool collect, PageVerdict* verdict) {
    VacuumState state = VacuumStateOf(row, horizon_, hints);
    switch (state) {
      case VacuumState::kLive: {
        if (collect) ++scanned_live_;
        bool frozen = row->xmin_is_frozen();
        if (!frozen && !CreatorIsVisibleToAll(row->xmin())) {
          verdict->all_visible = verdict->all_settled = false;
          break;
        }
        if (!frozen) verdict->conflict = std::max(verdict->conflict, creator_.conflict);
        if (!frozen || !(row->infomask & kXmaxInvalid) || row->xmax_value != 0) verdict->all_settled = false;
        break;
      }
      case VacuumState::kDead:
      case VacuumState::kRecentlyDead:
        if (collect) ++result_.dead_rows_remaining;
        verdict->all_visible = verdict->all_settled = false;
        break;
      case VacuumState::kInsertInProgress:
      case VacuumState::kDeleteInProgress:
        if (collect && state == VacuumState::kDeleteInProgress) ++scanned_live_;
        verdict->all_visible = verdict->all_settled = false;
        break;
    }
  }

  // Mostly the same as that of the row before: one statement wrote them.
  bool CreatorIsVisibleToAll(Xid xid) {
    if (xid != creator_.xid) {
      creator_ = {xid, VisibleToAll(xid, horizon_), {}};
      if (creator_.visible) RaiseConflictLsn(xid, horizon_, &creator_.conflict);
    }
    return creator_.visible;
  }

  void FreeDeadPointers(BufferPin& pin) {
    OffsetNumber unused[kMaxItemsPerPage];
    size_t count = 0;
    for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(pin.page()); ++offset) {
      if (PageItemId(pin.page(), offset)->IsDead()) unused[count++] = offset;
    }
    LogFreed(pin, {unused, count});
  }

  void LogFreed(BufferPin& pin, std::span<const OffsetNumber> unused) {
    CriticalSection critical;
    ApplyVacuum(pin.page(), unused);
    pin.MarkDirty();
    if (!table_.NeedsWal()) return;
    HeapVacuumRecord rec{static_cast<uint16_t>(unused.size())};
    WalRecord record(RecordKind::kHeapVacuum);
    record.AddStruct(rec);
    record.AddPage(kRefNewPage, pin.key(), pin.page());
    record.AddPageData(kRefNewPage, unused.data(), unused.size_bytes());
    record.InsertAndStamp();
  }

  // ---- Settling: rows that name no transaction anybody would have to look up. ----

  void Settle(BufferPin& pin, PageVerdict* verdict) {
    std::vector<SettleEntry> entries;
    bool complete = true;
    Lsn conflict;
    for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(pin.page()); ++offset) {
      if (!PageItemId(pin.page(), offset)->IsNormal()) continue;
      const TupleHeader& row = *RowAt(pin.page(), offset);
      SettleEntry entry{row.xmax_value, offset, row.infomask, row.infomask2, 0};
      complete = SettleRow(row, &entry, &conflict) && complete;
      if (entry.xmax != row.xmax_value || entry.infomask != row.infomask) entries.push_back(entry);
    }
    if (!entries.empty()) LogSettled(pin, entries, conflict);
    verdict->all_settled = complete && !verdict->has_dead_pointers && verdict->all_visible;
  }

  // The row's header without what is finished; false if something must stay.
  bool SettleRow(const TupleHeader& row, SettleEntry* entry, Lsn* conflict) {
    bool complete = true;
    if (!row.xmin_is_frozen()) {
      if (VisibleToAll(row.xmin(), horizon_)) {
        entry->infomask |= kXminFrozen;
        RaiseConflictLsn(row.xmin(), horizon_, conflict);
      } else {
        Keep(row.xmin());
        complete = false;
      }
    }
    if (row.xmax_value == 0) return complete;
    if (XmaxIsFinished(row)) {
      entry->xmax = 0;
      entry->infomask = static_cast<uint16_t>((entry->infomask & ~kXmaxBits) | kXmaxInvalid);
      entry->infomask2 &= static_cast<uint16_t>(~(kHotUpdated | kKeysUpdated));
      return complete;
    }
    if (row.infomask & kXmaxIsMulti)
      result_.settled_multi = std::min(result_.settled_multi, row.multi());
    else
      Keep(row.xmax());
    return false;
  }
  // No one holds or deleted the row by it any more.
  bool XmaxIsFinished(const TupleHeader& row) {
    if (row.infomask & kXmaxInvalid) return true;
    if (row.infomask & kXmaxIsMulti) {
      return !MultiXactRunning(row.multi(), false) && OnlyLocked(row);
    }
    if (IsCurrentXid(row.xmax())) return false;
    XidStatus status = LookupCommit(row.xmax()).status;
    if (row.infomask & kXmaxLockOnly) return status != XidStatus::kInProgress;
    return status == XidStatus::kAborted;
  }
  void Keep(Xid xid) { result_.settled_xid = std::min(result_.settled_xid, xid); }

  void LogSettled(BufferPin& pin, const std::vector<SettleEntry>& entries, Lsn conflict) {
    CriticalSection critical;
    for (const SettleEntry& entry : entries) {
      TupleHeader* row = RowAt(pin.page(), entry.offset);
      row->xmax_value = entry.xmax;
      row->infomask = entry.infomask;
      row->infomask2 = entry.infomask2;
    }
    pin.MarkDirty();
    if (!table_.NeedsWal()) return;
    HeapSettleRecord rec{conflict.value, static_cast<uint16_t>(entries.size()), {}};
    WalRecord record(RecordKind::kHeapSettle);
    record.AddStruct(rec);
    record.AddPage(kRefNewPage, pin.key(), pin.page());
    record.AddPageData(kRefNewPage, entries.data(), entries.size() * sizeof(SettleEntry));
    record.InsertAndStamp();
  }

  // ---- Maps. ----

  void MarkVisible(BufferPin& pin, const PageVerdict& verdict) {
    if (!verdict.all_visible) return;
    uint8_t bits = static_cast<uint8_t>(kVmAllVisible | (verdict.all_settled ? kVmAllSettled : 0));
    // The map page was pinned before the heap page was locked.
    DCHECK(VmPinHolds(vm_pin_, table_.locator, pin.block()));
    MarkPageVisible(table_, pin, vm_pin_, bits, verdict.conflict);
  }

  void NoteFreeSpace(BufferPin& pin, PageLock* lock) {
    size_t free = PageHeapFreeSpace(pin.page());
    BlockNumber block = pin.block();
    lock->Unlock();
    FsmRecord(table_.locator, block, free);
  }

  // ---- Second pass: index entries, then line pointers. ----

  void RemoveDead() {
    CountDead();
    SetPhase(VacuumProgress::Phase::kVacuumIndexes);
    if (options_.index_cleanup) {
      for (size_t i = 0; i < indexes_.size(); ++i) {
        PaceVacuum();
        indexes_[i]->method->BulkDelete(*indexes_[i], dead_, &result_.indexes[i]);
      }
      ++result_.index_scans;
      ++progress_.index_vacuum_count;
      SetPhase(VacuumProgress::Phase::kVacuumHeap);
      for (size_t page = 0; page < dead_.page_count(); ++page) FreePage(page);
    }
    dead_.Clear();
    SetPhase(VacuumProgress::Phase::kScanHeap);
  }

  void CountDead() {
    result_.dead_pointers += static_cast<double>(dead_.size());
    result_.dead_pages += static_cast<decltype(result_.dead_pages)>(dead_.page_count());
  }

  // Frees the pointers of one page of the store.
  void FreePage(size_t page) {
    BlockNumber block = dead_.block(page);
    OffsetNumber unused[kMaxItemsPerPage + 64];
    size_t count = dead_.OffsetsOf(page, unused);
    PaceVacuum();
    VmPinForWrite(table_.locator, block, &vm_pin_);
    BufferPin pin = ReadPageOf(table_, block, ReadMode::kNormal, &strategy_);
    EnsureWalSpace();
    PageLock lock(pin, PageLockMode::kExclusive);
    LogFreed(pin, {unused, count});
    PageVerdict verdict = Judge(pin, false);
    verdict.all_settled = verdict.all_settled && options_.settle;
    MarkVisible(pin, verdict);
    NoteFreeSpace(pin, &lock);
    ++progress_.heap_blocks_vacuumed;
  }

  void CleanUpIndexes() {
    if (!options_.index_cleanup) return;
    SetPhase(VacuumProgress::Phase::kCleanupIndexes);
    for (size_t i = 0; i < indexes_.size(); ++i) {
      PaceVacuum();
      indexes_[i]->method->VacuumCleanup(*indexes_[i], &result_.indexes[i]);
    }
  }

  // Pages that were skipped are taken to be as dense as the table was thought to be.
  void EstimateRows(double old_pages, double old_rows) {
    double scanned = result_.pages_scanned;
    double live = static_cast<double>(scanned_live_);
    if (scanned >= result_.pages || old_rows < 0 || old_pages <= 0) {
      result_.live_rows = scanned == 0 ? std::max(old_rows, 0.0) : live * result_.pages / scanned;
      return;
    }
    result_.live_rows = old_rows / old_pages * (result_.pages - scanned) + live;
  }

  // ---- The empty tail. ----

  void TruncateTail() {
    BlockNumber possible = result_.pages - nonempty_end_;
    if (!options_.truncate || !options_.try_exclusive_lock || possible == 0 ||
        (possible < kLeastTruncate && possible < result_.pages / kTruncateFraction)) {
      return;
    }
    SetPhase(VacuumProgress::Phase::kTruncate);
    if (!options_.try_exclusive_lock()) return;
    // Others may have added pages, or rows to the empty ones, before the lock was had.
    if (RelationBlocks(table_.locator) == result_.pages) {
      BlockNumber keep = CountNonempty();
      if (keep < result_.pages) Truncate(keep);
    }
    options_.release_exclusive_lock();
  }

  BlockNumber CountNonempty() {
    for (BlockNumber block = result_.pages; block > nonempty_end_; --block) {
      BufferPin pin = ReadPageOf(table_, block - 1, ReadMode::kNormal, &strategy_);
      PageLock lock(pin, PageLockMode::kShared);
      for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(pin.page()); ++offset) {
        if (PageItemId(pin.page(), offset)->IsUsed()) return block;
      }
    }
    return nonempty_end_;
  }

  void Truncate(BlockNumber keep) {
    vm_pin_.Release();
    ForkSize sizes[] = {{Fork::kMain, keep},
                        {Fork::kFsm, FsmPrepareTruncate(table_.locator, keep)},
                        {Fork::kVm, VmPrepareTruncate(table_.locator, keep)}};
    std::vector<ForkSize> existing;
    for (const ForkSize& size : sizes) {
      if (RelationBlocks(table_.locator, size.fork, true) > size.blocks) existing.push_back(size);
    }
    TruncateRelationStorage(table_.locator, existing);
    result_.pages_removed = result_.pages - keep;
  }

  const TableRef& table_;
  std::span<const IndexDesc* const> indexes_;
  const VacuumOptions& options_;
  DeadRows dead_;
  BufferStrategy strategy_;
  BufferPin vm_pin_;
  VacuumResult result_;
  VacuumProgress progress_;
  Lsn horizon_;
  BlockNumber nonempty_end_ = 0;
  uint64_t scanned_live_ = 0;
  // Whose rows were looked at last. The horizon stays, and so what it says of them.
  struct {
    Xid xid;
    bool visible = false;
    Lsn conflict;
  } creator_;
  bool missed_page_ = false;
};

}  // namespace

VacuumResult VacuumTable(const TableRef& table, std::span<const IndexDesc* const> indexes,
                         const VacuumOptions& options, double old_pages, double old_rows) {
  return Vacuum(table, indexes, options).Run(old_pages, old_rows);
}

}  // namespace walden
