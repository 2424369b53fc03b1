#include <algorithm>
#include <deque>

#include "node/access/counted_read.h"
#include "node/access/heap/heap_records.h"
#include "node/access/heap/vacuum.h"
#include "node/access/heap/visibility.h"
#include "node/access/vacuum_pace.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/txn/horizon.h"
#include "node/txn/transaction.h"

namespace walden {

namespace {

// Chooses `wanted` of `total` blocks, each set equally likely, in ascending order (Knuth's selection
// sampling).
class BlockSampler {
 public:
  BlockSampler(BlockNumber total, uint32_t wanted, Random& random)
      : total_(total), wanted_(wanted), random_(random) {}
  bool Next(BlockNumber* block) {
    while (next_ < total_ && chosen_ < wanted_) {
      BlockNumber candidate = next_++;
      BlockNumber left = total_ - candidate;
      if (random_.Below(left) < wanted_ - chosen_) {
        ++chosen_;
        *block = candidate;
        return true;
      }
    }
    return false;
  }

 private:
  BlockNumber total_;
  uint32_t wanted_;
  Random& random_;
  BlockNumber next_ = 0;
  uint32_t chosen_ = 0;
};

class Sampler {
 public:
  Sampler(const TableRef& table, uint32_t target, Random& random, Arena& arena)
      : table_(table),
        target_(target),
        random_(random),
        arena_(arena),
        horizon_(ComputeHorizon(table.locator.database)) {}

  RowSample Run() {
    RowSample sample;
    sample.pages = RelationBlocks(table_.locator);
    BlockSampler blocks(sample.pages, target_, random_);
    BufferStrategy strategy(StrategyKind::kVacuum);
    // Blocks chosen and asked of the operating system, but not read yet.
    std::deque<BlockNumber> ahead;
    size_t depth = static_cast<size_t>(GetInt(Setting::kMaintenanceIoConcurrency));
    for (bool more = true;;) {
      BlockNumber block;
      while (more && ahead.size() <= depth && (more = blocks.Next(&block))) {
        if (depth > 0) PrefetchPages(table_.locator, Fork::kMain, block, 1);
        ahead.push_back(block);
      }
      if (ahead.empty()) break;
      block = ahead.front();
      ahead.pop_front();
      PaceVacuum();
      BufferPin pin = ReadPageOf(table_, block, ReadMode::kNormal, &strategy);
      TakePage(pin);
      ++sample.pages_scanned;
    }
    std::sort(kept_.begin(), kept_.end(),
              [](const TupleView& a, const TupleView& b) { return a.tid < b.tid; });
    double scale = sample.pages_scanned == 0 ? 0 : static_cast<double>(sample.pages) / sample.pages_scanned;
    sample.live_rows = static_cast<double>(live_) * scale;
    sample.dead_rows = static_cast<double>(dead_) * scale;
    sample.rows = std::move(kept_);
    return sample;
  }

 private:
  void TakePage(BufferPin& pin) {
    PageLock lock(pin, PageLockMode::kShared);
    HintWriter hints(pin);
    char* page = pin.page();
    for (OffsetNumber offset = kFirstOffset; offset <= PageMaxOffset(page); ++offset) {
      ItemId item = *PageItemId(page, offset);
      if (item.IsDead()) ++dead_;
      if (!item.IsNormal()) continue;
      TupleHeader* row = RowAt(page, offset);
      if (Counts(row, hints)) Offer({page + item.offset(), item.length(), {pin.block(), offset}, table_.oid});
    }
  }

  bool Counts(TupleHeader* row, HintWriter& hints) {
    switch (VacuumStateOf(row, horizon_, hints)) {
      case VacuumState::kLive: return true;
      case VacuumState::kDead:
      case VacuumState::kRecentlyDead: ++dead_; return false;
      // Our own work counts as done, others' as not.
      case VacuumState::kInsertInProgress: return IsCurrentXid(row->xmin());
      case VacuumState::kDeleteInProgress:
        if (IsCurrentXid(UpdateXid(*row))) {
          ++dead_;
          return false;
        }
        return true;
    }
    return false;
  }

  void Offer(const TupleView& row) {
    ++live_;
    if (kept_.size() < target_) {
      kept_.push_back(Copy(row));
      return;
    }
    uint64_t place = random_.Below(live_);
    if (place < target_) kept_[place] = Copy(row);
  }
  TupleView Copy(const TupleView& row) {
    char* to = static_cast<char*>(arena_.Allocate(row.size, 8));
    std::memcpy(to, row.data, row.size);
    return {to, row.size, row.tid, row.table};
  }

  const TableRef& table_;
  uint32_t target_;
  Random& random_;
  Arena& arena_;
  Lsn horizon_;
  std::vector<TupleView> kept_;
  uint64_t live_ = 0;
  uint64_t dead_ = 0;
};

}  // namespace

RowSample SampleRows(const TableRef& table, uint32_t target_rows, Random& random, Arena& arena) {
  return Sampler(table, target_rows, random, arena).Run();
}

}  // namespace walden
