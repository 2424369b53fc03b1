#include "node/access/heap/chain.h"

#include <algorithm>

#include "node/access/counted_read.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/prune.h"
#include "node/access/heap/visibility_map.h"
#include "node/txn/clog.h"
#include "node/txn/durability.h"
#include "node/txn/horizon.h"
#include "node/txn/transaction.h"

namespace walden {

namespace {

// Calls `visit(offset, row)` for the versions of a chain in order until it returns false.
template <class F>
void WalkChain(char* page, TupleId root, F&& visit) {
  OffsetNumber max = PageMaxOffset(page);
  OffsetNumber offset = root.offset;
  Xid prior_xmax;
  bool at_root = true;
  for (size_t steps = 0; steps <= kMaxItemsPerPage; ++steps) {
    if (offset < kFirstOffset || offset > max) return;
    ItemId item = *PageItemId(page, offset);
    if (item.IsRedirected() && at_root) {
      offset = item.redirect();
      at_root = false;
      continue;
    }
    if (!item.IsNormal()) return;
    TupleHeader* row = RowAt(page, offset);
    // Index entries never name a heap-only version: this place was given to another row meanwhile.
    if (at_root && row->is_heap_only()) return;
    if (prior_xmax.IsValid() && row->xmin() != prior_xmax) return;
    if (!visit(offset, row)) return;
    if (!row->is_hot_updated()) return;
    prior_xmax = UpdateXid(*row);
    if (!prior_xmax.IsValid()) return;
    offset = row->ctid().offset;
    at_root = false;
  }
}

bool ChainIsDead(const TableRef& table, char* page, TupleId tid) {
  Lsn horizon = RecentHorizon(table.locator.database);
  bool dead = true;
  WalkChain(page, tid, [&](OffsetNumber, TupleHeader* header) {
    dead = IsSurelyDead(header, horizon);
    return dead;
  });
  return dead;
}

}  // namespace

bool SearchChain(const TableRef& table, char* page, TupleId tid, const Snapshot& snapshot, HintWriter& hints,
                 TupleView* row, bool* all_dead) {
  bool found = false;
  size_t steps = 0;
  WalkChain(page, tid, [&](OffsetNumber offset, TupleHeader* header) {
    ++steps;
    if (VisibleToSnapshot(header, snapshot, hints)) {
      ItemId item = *PageItemId(page, offset);
      *row = {page + item.offset(), item.length(), {tid.block, offset}, table.oid};
      found = true;
      return false;
    }
    return true;
  });
  if (__builtin_expect(steps > kLongChain, 0)) NoteLongChain(table, tid.block);
  // A horizon costs a look at every process: only for a chain that shows this snapshot nothing.
  if (all_dead != nullptr) *all_dead = !found && ChainIsDead(table, page, tid);
  return found;
}

bool HeapChainIsLiveDirty(const TableRef& table, TupleId tid, Xid* wait_for, uint32_t* speculative_token,
                          TupleId* live_tid, bool* all_dead) {
  *wait_for = kInvalidXid;
  *speculative_token = 0;
  *all_dead = true;
  BufferPin pin = ReadPageOf(table, tid.block, ReadMode::kIfExists);
  if (!pin) return false;
  PageLock lock(pin, PageLockMode::kShared);
  HintWriter hints(pin);
  bool live = false;
  Lsn horizon = RecentHorizon(table.locator.database);
  WalkChain(pin.page(), tid, [&](OffsetNumber offset, TupleHeader* header) {
    DirtyInfo info;
    if (VisibleDirty(header, hints, &info)) {
      live = true;
      *all_dead = false;
      *wait_for = info.xmin.IsValid() ? info.xmin : info.xmax;
      *speculative_token = info.speculative_token;
      *live_tid = {tid.block, offset};
      return false;
    }
    *all_dead = *all_dead && IsSurelyDead(header, horizon);
    return true;
  });
  return live;
}

namespace {

constexpr size_t kMostEarlierVersions = 32;

// predecessors[n]: the version whose HOT update made the one at n; 0: it is not on this page any more, or was none.
void FindPredecessors(const char* page, OffsetNumber* predecessors) {
  OffsetNumber max = PageMaxOffset(page);
  std::fill(predecessors, predecessors + max + 1, kInvalidOffset);
  for (OffsetNumber at = kFirstOffset; at <= max; ++at) {
    if (!PageItemId(page, at)->IsNormal()) continue;
    const TupleHeader* row = RowAt(page, at);
    OffsetNumber next = row->ctid().offset;
    if (!row->is_hot_updated() || next < kFirstOffset || next > max || !PageItemId(page, next)->IsNormal())
      continue;
    const TupleHeader* made = RowAt(page, next);
    if (made->is_heap_only() && UpdateXid(*row) == made->xmin()) predecessors[next] = at;
  }
}

}  // namespace

bool HeapEarlierVersions(const TableRef& table, TupleId tid, std::vector<TupleId>* versions) {
  versions->clear();
  BufferPin pin = ReadPageOf(table, tid.block);
  PageLock lock(pin, PageLockMode::kShared);
  OffsetNumber predecessors[kMaxItemsPerPage + 1];
  FindPredecessors(pin.page(), predecessors);
  OffsetNumber at = predecessors[tid.offset];
  while (at != kInvalidOffset && versions->size() < kMostEarlierVersions) {
    Xid creator = RowAt(pin.page(), at)->xmin();
    CommitState state = IsCurrentXid(creator) ? CommitState{} : LookupCommit(creator);
    if (state.status != XidStatus::kCommitted) return false;
    if (state.csn <= SettledLsn()) return true;
    at = predecessors[at];
    if (at != kInvalidOffset) versions->push_back({tid.block, at});
  }
  return false;
}

bool HeapPageIsAllVisible(const TableRef& table, BlockNumber block, BufferPin* vm_pin) {
  return (VmStatus(table.locator, block, vm_pin) & kVmAllVisible) != 0;
}

}  // namespace walden
