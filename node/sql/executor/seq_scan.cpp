// Sequential scan: visible rows of a page at a time, deformed by column into vectors.
#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/catalog/relation.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/scan_columns.h"
#include "node/storage/page.h"
#include "node/txn/durability.h"

namespace walden {
namespace {

class SeqScanOperator : public Operator {
 public:
  SeqScanOperator(Executor& executor, const SeqScanPlan& plan)
      : Operator(executor, plan), plan_(plan), columns_(plan) {}

  void Close() override {
    scan_.reset();
    pins_.clear();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    pins_.clear();
    columns_.Bind(OpenRelation(plan_.relation, LockMode::kNone));
    scan_ = std::make_unique<HeapScan>(columns_.relation().table, executor().snapshot());
    page_ready_ = false;
  }
  void DoRescan() override {
    pins_.clear();
    scan_->Restart();
    page_ready_ = false;
  }

  bool FetchInput(Batch* input, uint32_t) override {
    pins_.clear();
    uint32_t rows = 0;
    // A batch keeps at most kMaxPins pages pinned while its by-reference values point into them.
    while (pins_.size() < kMaxPins && NextPage()) {
      std::span<const TupleView> page = scan_->rows();
      if (rows > 0 && rows + page.size() > columns_.capacity()) break;
      columns_.Prepare(static_cast<uint32_t>(page.size()), rows);
      columns_.Deform(page, rows, &batch_arena(), /*copy=*/false);
      rows += static_cast<uint32_t>(page.size());
      page_ready_ = false;
      if (columns_.has_references()) pins_.push_back(scan_->HoldPin());
      if (rows + kMaxTuplesPerPage > columns_.capacity()) break;
    }
    if (rows == 0) return false;
    columns_.Deliver(input, rows);
    return true;
  }

 private:
  static constexpr size_t kMaxPins = 8;
  bool NextPage() {
    if (!page_ready_) {
      page_ready_ = scan_->NextPage();
      if (page_ready_ && columns_.relation().row.relkind == relkind::kSequence) RestOnPage();
    }
    return page_ready_;
  }
  // A sequence's row has no creator whose commit could be waited for: what it says is as durable as its page's last record.
  void RestOnPage() {
    BufferPin pin = scan_->HoldPin();
    PageLock lock(pin, PageLockMode::kShared);
    if (columns_.relation().table.NeedsWal()) RaiseSeenLsn(PageLsn(pin.page()));
  }
  const SeqScanPlan& plan_;
  ScanColumns columns_;
  std::unique_ptr<HeapScan> scan_;
  std::vector<BufferPin> pins_;
  bool page_ready_ = false;  // the scan's page has not been consumed yet
};

}  // namespace

OperatorPtr MakeSeqScan(Executor& executor, const SeqScanPlan& plan) {
  return std::make_unique<SeqScanOperator>(executor, plan);
}

}  // namespace walden
