// TID scan: rows by their ctid.
#include <algorithm>

#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/scan_columns.h"
#include "node/types/array.h"

namespace walden {
namespace {

class TidScanOperator : public Operator {
 public:
  TidScanOperator(Executor& executor, const TidScanPlan& plan) : Operator(executor, plan), plan_(plan), columns_(plan) {
    for (const Expr* tid : plan.tids) tids_.push_back(CompileExpression(tid));
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
    ReadTids();
  }
  void DoRescan() override { ReadTids(); }
  bool FetchInput(Batch* input, uint32_t) override {
    while (at_ < wanted_.size()) {
      TupleView row;
      if (!fetcher_->FetchVersion(TidFromInt64(wanted_[at_++]), executor().snapshot(), &row)) continue;
      columns_.Prepare(1, 0);
      columns_.Deform(std::span(&row, 1), 0, &batch_arena(), false);
      columns_.Deliver(input, 1);
      return true;
    }
    return false;
  }

 private:
  // All wanted identities, sorted, each once.
  void ReadTids() {
    wanted_.clear();
    at_ = 0;
    if (plan_.current_of != nullptr) {
      SessionHooks* session = executor().settings().session;
      if (session == nullptr) throw NotSupported("WHERE CURRENT OF without a session");
      TupleId row = session->CurrentCursorRow(plan_.current_of->cursor_name, plan_.relation);
      // The cursor may have read an older version than this statement sees.
      wanted_.push_back(TidToInt64(HeapLatestTid(columns_.relation().table, row, executor().snapshot())));
      return;
    }
    for (size_t i = 0; i < tids_.size(); ++i) {
      Value value = tids_[i]->Eval(eval(), {}, Selection{nullptr, 1}).Get(0);
      if (value.is_null) continue;
      if (plan_.tid_is_array[i] == 0) {
        wanted_.push_back(value.datum.i64);
        continue;
      }
      ArrayView view(value.datum.string.view());
      ArrayReader reader(view, PhysicalType::kInt64);
      for (Value element; reader.Next(&element);) {
        if (!element.is_null) wanted_.push_back(element.datum.i64);
      }
    }
    std::sort(wanted_.begin(), wanted_.end());
    wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  }

  const TidScanPlan& plan_;
  ScanColumns columns_;
  std::vector<ExprStatePtr> tids_;
  std::unique_ptr<HeapFetcher> fetcher_;
  std::vector<int64_t> wanted_;
  size_t at_ = 0;
};

}  // namespace

OperatorPtr MakeTidScan(Executor& executor, const TidScanPlan& plan) { return std::make_unique<TidScanOperator>(executor, plan); }

}  // namespace walden
