#include "node/access/heap/prune.h"

#include <algorithm>
#include <cstring>

#include "node/access/heap/heap_records.h"
#include "node/access/heap/visibility.h"
#include "node/shm/interrupts.h"
#include "node/txn/clog.h"
#include "node/txn/horizon.h"
#include "node/txn/txn_state.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {

namespace {

class Pruner {
 public:
  Pruner(const TableRef& table, BufferPin& pin, Lsn horizon)
      : table_(table), pin_(pin), page_(pin.page()), horizon_(horizon) {}

  PruneResult Run() {
    OffsetNumber max = PageMaxOffset(page_);
    JudgeRows(max);
    for (size_t i = 0; i < open_count_; ++i) {
      if (!done_[open_[i]]) PruneChain(open_[i], max);
    }
    Execute();
    return result_;
  }

 private:
  // All verdicts before any change: later look-ups (multixacts, commit log) must not run in a critical
  // section. Most rows of a page are plainly live, and so is what most redirects lead to: only the others are looked
  // at again.
  void JudgeRows(OffsetNumber max) {
    HintWriter hints(pin_);
    for (OffsetNumber offset = kFirstOffset; offset <= max; ++offset) {
      ItemId item = *PageItemId(page_, offset);
      done_[offset] = false;
      if (item.IsNormal()) {
        TupleHeader* row = RowAt(page_, offset);
        if (IsPlainlyLive(*row)) {
          states_[offset] = VacuumState::kLive;
          done_[offset] = !row->is_heap_only();  // a chain of its own
          continue;
        }
        Xid deleter;
        states_[offset] = VacuumStateOf(row, horizon_, hints, &deleter);
        deleters_[offset] = deleter.value;
        open_[open_count_++] = offset;
      } else if (item.IsRedirected() && !LeadsToLiveRow(item, max)) {
        open_[open_count_++] = offset;
      }
    }
  }

  bool LeadsToLiveRow(ItemId redirect, OffsetNumber max) const {
    OffsetNumber target = redirect.redirect();
    if (target < kFirstOffset || target > max || !PageItemId(page_, target)->IsNormal()) return false;
    const TupleHeader* row = RowAt(page_, target);
    return row->is_heap_only() && IsPlainlyLive(*row);
  }

  void PruneChain(OffsetNumber root, OffsetNumber max) {
    ItemId root_item = *PageItemId(page_, root);
    if (root_item.IsNormal() && RowAt(page_, root)->is_heap_only()) {
      PruneLooseVersion(root);
      return;
    }
    OffsetNumber chain[kMaxItemsPerPage];
    int length = 0;
    int last_dead = -1;  // index in chain of the last version that nobody can see
    Xid prior_xmax;
    OffsetNumber offset = root;
    while (offset >= kFirstOffset && offset <= max && !done_[offset] &&
           length < static_cast<int>(kMaxItemsPerPage)) {
      ItemId item = *PageItemId(page_, offset);
      if (item.IsRedirected()) {
        if (length > 0) break;
        chain[length++] = offset;
        offset = item.redirect();
        continue;
      }
      if (!item.IsNormal()) break;
      const TupleHeader* row = RowAt(page_, offset);
      if (prior_xmax.IsValid() && row->xmin() != prior_xmax) break;
      chain[length++] = offset;
      VacuumState state = states_[offset];
      if (state == VacuumState::kDead) last_dead = length - 1;
      // A version that a snapshot may still need does not stop the search: a later one may be dead all the
      // same.
      if (state != VacuumState::kDead && state != VacuumState::kRecentlyDead) break;
      if (!row->is_hot_updated()) break;
      prior_xmax = UpdateXid(*row);
      if (!prior_xmax.IsValid()) break;
      offset = row->ctid().offset;
    }
    ShortenChain(root_item, chain, length, last_dead);
  }

  // The dead versions at the front of the chain go; the root stays as redirect or dead pointer.
  void ShortenChain(ItemId root_item, const OffsetNumber* chain, int length, int last_dead) {
    for (int i = 0; i < length; ++i) {
      if (i > last_dead) break;
      done_[chain[i]] = true;
    }
    if (last_dead < 0) {
      // A redirect that leads nowhere any more.
      if (root_item.IsRedirected() && length <= 1) AddDead(chain[0]);
      return;
    }
    for (int i = 0; i <= last_dead; ++i) {
      if (PageItemId(page_, chain[i])->IsNormal()) NoteRemoved(chain[i]);
      if (i > 0) unused_[unused_count_++] = chain[i];
    }
    if (last_dead + 1 < length) {
      redirects_[redirect_count_++] = chain[0];
      redirects_[redirect_count_++] = chain[last_dead + 1];
    } else {
      AddDead(chain[0]);
    }
  }

  // A heap-only version that no chain leads to: left by an aborted update.
  void PruneLooseVersion(OffsetNumber offset) {
    const TupleHeader* row = RowAt(page_, offset);
    if (states_[offset] != VacuumState::kDead || row->is_hot_updated()) return;
    if (!row->xmin_is_invalid()) return;
    NoteRemoved(offset);
    unused_[unused_count_++] = offset;
    done_[offset] = true;
  }

  void NoteRemoved(OffsetNumber offset) {
    ++result_.removed;
    Xid deleter{deleters_[offset]};
    if (!deleter.IsValid() || deleter == last_deleter_) return;
    RaiseConflictLsn(deleter, horizon_, &conflict_);
    last_deleter_ = deleter;
  }
  void AddDead(OffsetNumber offset) {
    dead_[dead_count_++] = offset;
    ++result_.new_dead;
  }

  void Execute() {
    if (redirect_count_ + dead_count_ + unused_count_ == 0) {
      // Nothing to gain before the next change of the page.
      if (PagePruneXid(page_).IsValid() && !MoreLater()) {
        SetPagePruneXid(page_, kInvalidXid);
        ClearPageFlag(page_, kPageFull);
        pin_.MarkDirtyHint();
      }
      return;
    }
    Xid later = LaterPruneXid();
    CriticalSection critical;
    ApplyPrune(page_, {{redirects_, redirect_count_}, {dead_, dead_count_}, {unused_, unused_count_}});
    SetPagePruneXid(page_, later);
    pin_.MarkDirty();
    if (!table_.NeedsWal()) return;
    HeapPruneRecord rec{conflict_.value, static_cast<uint16_t>(redirect_count_ / 2),
                        static_cast<uint16_t>(dead_count_), static_cast<uint16_t>(unused_count_), 0};
    WalRecord record(RecordKind::kHeapPrune);
    record.AddStruct(rec);
    record.AddPage(kRefNewPage, pin_.key(), page_);
    record.AddPageData(kRefNewPage, redirects_, redirect_count_ * sizeof(OffsetNumber));
    record.AddPageData(kRefNewPage, dead_, dead_count_ * sizeof(OffsetNumber));
    record.AddPageData(kRefNewPage, unused_, unused_count_ * sizeof(OffsetNumber));
    record.InsertAndStamp();
  }

  bool MoreLater() { return LaterPruneXid().IsValid(); }
  // The lowest xid whose end may make one of the remaining versions removable.
  Xid LaterPruneXid() {
    Xid lowest;
    for (size_t i = 0; i < open_count_; ++i) {
      OffsetNumber offset = open_[i];
      if (!PageItemId(page_, offset)->IsNormal() || done_[offset]) continue;
      Xid candidate;
      switch (states_[offset]) {
        case VacuumState::kRecentlyDead: candidate = Xid{deleters_[offset]}; break;
        case VacuumState::kDeleteInProgress: candidate = UpdateXid(*RowAt(page_, offset)); break;
        case VacuumState::kInsertInProgress: candidate = RowAt(page_, offset)->xmin(); break;
        default: break;
      }
      if (candidate.IsValid() && (!lowest.IsValid() || candidate < lowest)) lowest = candidate;
    }
    return lowest;
  }

  const TableRef& table_;
  BufferPin& pin_;
  char* page_;
  Lsn horizon_;
  Lsn conflict_;
  Xid last_deleter_;  // conflict_ counts it
  PruneResult result_;
  // By offset, written as far as the page's rows go; states of normal rows, deleters of those that are not plainly live.
  bool done_[kMaxItemsPerPage + 1];
  VacuumState states_[kMaxItemsPerPage + 1];
  uint64_t deleters_[kMaxItemsPerPage + 1];
  OffsetNumber open_[kMaxItemsPerPage];  // where a chain may begin that has something to remove
  size_t open_count_ = 0;
  OffsetNumber redirects_[kMaxItemsPerPage * 2];
  OffsetNumber dead_[kMaxItemsPerPage];
  OffsetNumber unused_[kMaxItemsPerPage];
  size_t redirect_count_ = 0;
  size_t dead_count_ = 0;
  size_t unused_count_ = 0;
};

}  // namespace

PruneResult PrunePage(const TableRef& table, BufferPin& pin, Lsn horizon) {
  return Pruner(table, pin, horizon).Run();
}

namespace {

// Pages where this process met long chains, by a hash of their place.
struct LongChains {
  static constexpr size_t kEntries = 64;
  struct Page {
    RelFileLocator rel;
    BlockNumber block = kInvalidBlock;
  };
  Page pages[kEntries];
  Page& At(const RelFileLocator& rel, BlockNumber block) {
    return pages[(rel.number * 2654435761u + block) % kEntries];
  }
};
thread_local LongChains long_chains;

bool HasLongChain(const TableRef& table, BlockNumber block) {
  const LongChains::Page& page = long_chains.At(table.locator, block);
  return page.block == block && page.rel == table.locator;
}

// Unlocked looks at hints: a wrong one costs a little work or a missed chance.
WALDEN_READS_UNLOCKED Xid PruneXidHint(const char* page) { return Xid{HeaderOf(page)->prune_xid}; }
WALDEN_READS_UNLOCKED bool IsRoomy(const char* page, int fillfactor) {
  const PageHeader* header = HeaderOf(page);
  int least_free = std::max<int>(kPageSize / 10, kPageSize * (100 - fillfactor) / 100);
  return !(header->flags & kPageFull) && header->upper - header->lower >= least_free;
}

}  // namespace

void NoteLongChain(const TableRef& table, BlockNumber block) {
  long_chains.At(table.locator, block) = {table.locator, block};
}

void PruneIfWorthwhile(const TableRef& table, BufferPin& pin) {
  Xid prunable = PruneXidHint(pin.page());
  if (!prunable.IsValid()) return;
  bool roomy = IsRoomy(pin.page(), table.fillfactor);
  if ((roomy && !HasLongChain(table, pin.block())) || InRecovery()) return;
  Lsn horizon = RecentHorizon(table.locator.database);
  if (!VisibleToAll(prunable, horizon) && LookupCommit(prunable).status != XidStatus::kAborted) return;
  if (!pin.TryLockForCleanup()) return;
  PageLock lock(pin, PageLock::Adopt{});
  EnsureWalSpace();
  PrunePage(table, pin, horizon);
  if (roomy) long_chains.At(table.locator, pin.block()) = {};
}

void FindRoots(const char* page, OffsetNumber* roots) {
  OffsetNumber max = PageMaxOffset(page);
  std::memset(roots, 0, sizeof(OffsetNumber) * (max + 1));
  for (OffsetNumber root = kFirstOffset; root <= max; ++root) {
    ItemId item = *PageItemId(page, root);
    if (!item.IsUsed() || item.IsDead()) continue;
    OffsetNumber offset = root;
    Xid prior_xmax;
    if (item.IsRedirected()) {
      offset = item.redirect();
    } else if (RowAt(page, root)->is_heap_only()) {
      continue;
    }
    while (offset >= kFirstOffset && offset <= max && PageItemId(page, offset)->IsNormal()) {
      const TupleHeader* row = RowAt(page, offset);
      if (prior_xmax.IsValid() && row->xmin() != prior_xmax) break;
      if (roots[offset] != 0) break;
      roots[offset] = root;
      if (!row->is_hot_updated()) break;
      prior_xmax = UpdateXid(*row);
      offset = row->ctid().offset;
    }
  }
}

}  // namespace walden
