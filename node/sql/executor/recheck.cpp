#include "node/sql/executor/recheck.h"

#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/catalog/relation.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/scan_columns.h"
#include "node/sql/executor/tid_list.h"

namespace walden {
namespace {

// The conditions that an index scan leaves to its index, as filters over the scan's columns.
ExprList IndexConditionsOf(const ScanPlan& plan, Arena& arena) {
  ExprList conditions;
  if (Is<IndexScanPlan>(&plan)) {
    for (const IndexCondition* condition : As<IndexScanPlan>(&plan)->conditions)
      conditions.Append(arena, condition->original);
  } else if (Is<BitmapScanPlan>(&plan)) {
    conditions = As<BitmapScanPlan>(&plan)->recheck;
  }
  return conditions;
}

// Delivers the row that RecheckRows names for this relation.
class RecheckScanOperator : public Operator {
 public:
  RecheckScanOperator(Executor& executor, const ScanPlan& plan, const RecheckRows& rows)
      : Operator(executor, plan),
        plan_(plan),
        rows_(rows),
        columns_(plan),
        index_filter_(IndexConditionsOf(plan, arena_)) {
    // A row of a cursor stays that row.
    if (Is<TidScanPlan>(&plan) && As<TidScanPlan>(&plan)->current_of == nullptr)
      tids_.emplace(*As<TidScanPlan>(&plan));
  }
  void Close() override {
    if (fetcher_ != nullptr) fetcher_->Release();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    RelationRef relation = OpenRelation(plan_.relation, LockMode::kNone);
    fetcher_ = std::make_unique<HeapFetcher>(relation->table);
    columns_.Bind(std::move(relation));
    done_ = false;
  }
  void DoRescan() override { done_ = false; }
  bool FetchInput(Batch* input, uint32_t) override {
    if (done_) return false;
    done_ = true;
    auto found = rows_.rows.find(plan_.rtindex);
    if (found == rows_.rows.end() || !found->second.IsValid()) return false;
    TupleView row;
    if (tids_ && !tids_->Read(eval()).contains(TidToInt64(found->second))) return false;
    if (!fetcher_->FetchAny(found->second, &row)) return false;
    columns_.Prepare(1, 0);
    columns_.Deform(std::span(&row, 1), 0, &batch_arena(), false);
    columns_.Deliver(input, 1);
    return index_filter_.Matches(eval(), input->columns, 0);
  }

 private:
  const ScanPlan& plan_;
  const RecheckRows& rows_;
  ScanColumns columns_;
  Arena arena_;
  Filter index_filter_;
  std::optional<TidList> tids_;
  std::unique_ptr<HeapFetcher> fetcher_;
  bool done_ = false;
};

}  // namespace

OperatorPtr MakeRecheckScan(Executor& executor, const ScanPlan& plan) {
  return std::make_unique<RecheckScanOperator>(executor, plan, *executor.recheck_rows());
}

bool Recheck::Run(const List<RowMark*>& marks, const Batch& batch, uint32_t row, NewVersions changed,
                  Batch* result) {
  rows_.rows.clear();
  for (const RowMark* mark : marks) {
    Value identity = batch.columns[mark->ctid_column - 1]->Get(row);
    rows_.rows[mark->rtindex] = identity.is_null ? TupleId{} : TidFromInt64(identity.datum.i64);
  }
  for (const auto& [rtindex, tid] : changed) rows_.rows[rtindex] = tid;
  RecheckScope scope(executor_, &rows_);
  if (root_ == nullptr) root_ = MakeOperator(executor_, below_);
  root_->Open();
  return root_->Next(result, 1);
}

void Recheck::Close() {
  if (root_ != nullptr) root_->Close();
}

}  // namespace walden
