// TID scan: rows by their ctid.
#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/scan_columns.h"
#include "node/sql/executor/tid_list.h"

namespace walden {
namespace {

class TidScanOperator : public Operator {
 public:
  TidScanOperator(Executor& executor, const TidScanPlan& plan)
      : Operator(executor, plan), plan_(plan), columns_(plan), tids_(plan) {}
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
    for (int64_t tid : tids_.Read(eval())) wanted_.push_back(tid);
  }

  const TidScanPlan& plan_;
  ScanColumns columns_;
  TidList tids_;
  std::unique_ptr<HeapFetcher> fetcher_;
  std::vector<int64_t> wanted_;
  size_t at_ = 0;
};

}  // namespace

OperatorPtr MakeTidScan(Executor& executor, const TidScanPlan& plan) {
  return std::make_unique<TidScanOperator>(executor, plan);
}

}  // namespace walden
