#include <vector>

#include "node/access/counted_read.h"
#include "node/access/heap/heap.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/prune.h"
#include "node/access/heap/visibility.h"
#include "node/shm/interrupts.h"
#include "node/txn/horizon.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"

namespace walden {

namespace {

class BuildScan {
 public:
  BuildScan(const TableRef& table, const Snapshot* snapshot, IndexBuildRows* rows)
      : table_(table), snapshot_(snapshot), rows_(rows), horizon_(ComputeHorizon(table.locator.database)) {}

  double Run() {
    BlockNumber blocks = RelationBlocks(table_.locator);
    BufferStrategy strategy(StrategyKind::kBulkRead);
    table_.stats.Count(RelationCounter::kScans);
    for (BlockNumber block = 0; block < blocks; ++block) {
      CheckInterrupts();
      pin_ = ReadPageOf(table_, block, ReadMode::kNormal, &strategy);
      // Short chains: fewer versions to index.
      PruneIfWorthwhile(table_, pin_);
      while (!JudgePage()) {
        RowWaitContext context{"creating index over", table_.name, {block, kFirstOffset}};
        WaitForXid(wait_for_, &context);
      }
      table_.stats.Count(RelationCounter::kTuplesReturned, static_cast<int64_t>(judged_.size()));
      for (const Judged& judged : judged_) {
        if (judged.alive) ++live_rows_;
        rows_->Row(judged.row, judged.root, judged.alive);
      }
    }
    return live_rows_;
  }

 private:
  struct Judged {
    TupleView row;
    TupleId root;
    bool alive;
  };
  enum class Verdict : uint8_t { kSkip, kAlive, kDead, kWait };

  // Decides about every row of the page under one lock; false: wait for `wait_for_` first.
  bool JudgePage() {
    judged_.clear();
    PageLock lock(pin_, PageLockMode::kShared);
    char* page = pin_.page();
    OffsetNumber roots[kMaxItemsPerPage + 1];
    FindRoots(page, roots);
    HintWriter hints(pin_);
    for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(page); ++offset) {
      ItemId item = *PageItemId(page, offset);
      if (!item.IsNormal()) continue;
      TupleHeader* row = RowAt(page, offset);
      Verdict verdict = Judge(row, hints);
      if (verdict == Verdict::kSkip) continue;
      if (verdict == Verdict::kWait) return false;
      BlockNumber block = pin_.block();
      OffsetNumber root = row->is_heap_only() ? roots[offset] : offset;
      if (root == 0) root = offset;
      judged_.push_back({{page + item.offset(), item.length(), {block, offset}, table_.oid},
                         {block, root},
                         verdict == Verdict::kAlive});
    }
    return true;
  }

  Verdict Judge(TupleHeader* row, HintWriter& hints) {
    if (snapshot_ != nullptr)
      return VisibleToSnapshot(row, *snapshot_, hints) ? Verdict::kAlive : Verdict::kSkip;
    switch (VacuumStateOf(row, horizon_, hints)) {
      case VacuumState::kDead: return Verdict::kSkip;
      case VacuumState::kLive: return Verdict::kAlive;
      case VacuumState::kRecentlyDead: return OldVersion(row);
      case VacuumState::kInsertInProgress:
        if (IsCurrentXid(row->xmin()) || !rows_->wait_for_others) return Verdict::kAlive;
        wait_for_ = row->xmin();
        return Verdict::kWait;
      case VacuumState::kDeleteInProgress: {
        Xid deleter = UpdateXid(*row);
        if (IsCurrentXid(deleter)) return OldVersion(row);
        if (!rows_->wait_for_others) return Verdict::kAlive;
        wait_for_ = deleter;
        return Verdict::kWait;
      }
    }
    return Verdict::kSkip;
  }

  // An entry for the root of its chain would carry the newest version's key.
  Verdict OldVersion(TupleHeader* row) {
    if (!row->is_hot_updated()) return Verdict::kDead;
    rows_->broken_hot_chain = true;
    return Verdict::kSkip;
  }

  const TableRef& table_;
  const Snapshot* snapshot_;
  IndexBuildRows* rows_;
  Lsn horizon_;
  BufferPin pin_;
  std::vector<Judged> judged_;
  Xid wait_for_;
  double live_rows_ = 0;
};

}  // namespace

double HeapIndexBuildScan(const TableRef& table, const Snapshot* snapshot, IndexBuildRows* rows) {
  return BuildScan(table, snapshot, rows).Run();
}

}  // namespace walden
