// Index scan and index-only scan.
#include "node/access/heap/heap.h"
#include "node/catalog/relation.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/index_keys.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/row_container.h"
#include "node/sql/executor/scan_columns.h"

namespace walden {
namespace {

class IndexScanOperator : public Operator {
 public:
  IndexScanOperator(Executor& executor, const IndexScanPlan& plan)
      : Operator(executor, plan), plan_(plan), columns_(plan), keys_(plan.conditions) {}

  void Describe(OperatorDetails* details) const override {
    if (plan_.index_only) details->heap_fetches = heap_fetches_;
  }
  void Close() override {
    if (scan_ != nullptr) scan_->End();
    if (fetcher_ != nullptr) fetcher_->Release();
    map_pin_ = BufferPin();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    RelationRef table = OpenRelation(plan_.relation, LockMode::kNone);
    RelationRef index = OpenRelation(plan_.index, LockMode::kNone);
    if (index != index_ || scan_ == nullptr) {
      scan_.reset();
      index_ = std::move(index);
      scan_ = index_->index_desc.method->BeginScan(index_->index_desc, plan_.index_only);
    }
    if (table_ != table || fetcher_ == nullptr) {
      fetcher_.reset();
      table_ = table;
      fetcher_ = std::make_unique<HeapFetcher>(table_->table, &index_->index_desc.stats);
    }
    columns_.Bind(std::move(table));
    DoRescan();
  }
  void DoRescan() override {
    batch_rows_ = 1;
    exhausted_ = !keys_.Evaluate(eval(), index_->index_desc);
    if (!exhausted_) scan_->Rescan(keys_.keys());
  }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    if (exhausted_) return false;
    // One row first, then more and more: a point query pays for one row only.
    uint32_t limit = std::min({batch_rows_, max_rows, kBatchRows});
    batch_rows_ = std::min(batch_rows_ * 8, kBatchRows);
    columns_.Prepare(limit, 0);
    uint32_t rows = 0;
    while (rows < limit) {
      if (!NextRow(rows, limit > 1)) {
        exhausted_ = true;
        break;
      }
      ++rows;
    }
    if (rows == 0) return false;
    columns_.Deliver(input, rows);
    return true;
  }

 private:
  // Reads the next visible row into position `at`.
  bool NextRow(uint32_t at, bool copy) {
    TupleId tid;
    while (scan_->Next(plan_.direction, &tid)) {
      if (plan_.index_only && HeapPageIsAllVisible(table_->table, tid.block, &map_pin_)) {
        TakeIndexValues(at);
        return true;
      }
      TupleView row;
      bool all_dead = false;
      ++heap_fetches_;
      if (!fetcher_->FetchChain(tid, executor().snapshot(), &row, &all_dead)) {
        if (all_dead) scan_->KillLast();
        continue;
      }
      if (plan_.index_only) {
        TakeIndexValues(at);
      } else {
        columns_.Deform(std::span(&row, 1), at, &batch_arena(), copy);
      }
      return true;
    }
    return false;
  }

  void TakeIndexValues(uint32_t at) {
    const Value* values = scan_->values();
    for (size_t i = 0; i < plan_.index_columns.size(); ++i) {
      Value value = values[plan_.index_columns[i] - 1];
      Vector& column = columns_.ColumnOf(i);
      if (!value.is_null) value.datum = CopyDatum(column.type(), value.datum, &batch_arena());
      columns_.SetValue(i, at, value);
    }
  }

  const IndexScanPlan& plan_;
  ScanColumns columns_;
  IndexKeys keys_;
  RelationRef table_, index_;
  std::unique_ptr<IndexScan> scan_;
  std::unique_ptr<HeapFetcher> fetcher_;
  BufferPin map_pin_;
  uint32_t batch_rows_ = 1;
  bool exhausted_ = false;
  int64_t heap_fetches_ = 0;
};

}  // namespace

OperatorPtr MakeIndexScan(Executor& executor, const IndexScanPlan& plan) {
  return std::make_unique<IndexScanOperator>(executor, plan);
}

}  // namespace walden
