// LIMIT, OFFSET, FETCH FIRST ... WITH TIES.
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/row_container.h"
#include "node/sql/executor/sort_key.h"

namespace walden {
namespace {

class LimitOperator : public Operator {
 public:
  LimitOperator(Executor& executor, const LimitPlan& plan) : Operator(executor, plan), plan_(plan) {
    left_ = MakeOperator(executor, *plan.left);
    if (plan.offset != nullptr) offset_ = CompileExpression(plan.offset);
    if (plan.count != nullptr) count_ = CompileExpression(plan.count);
    ties_ = SortKeysOf(plan.ties_keys);
  }

 protected:
  void DoOpen() override {
    ReadBounds();
    left_->Open();
  }
  void DoRescan() override {
    ReadBounds();
    left_->Rescan();
  }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    while (to_skip_ > 0) {
      if (!left_->Next(input, static_cast<uint32_t>(std::min<int64_t>(to_skip_, kBatchRows)))) return false;
      to_skip_ -= input->selection.count;
    }
    if (left_to_give_ == 0) return plan_.with_ties && NextTies(input, max_rows);
    uint32_t wanted = static_cast<uint32_t>(std::min<int64_t>(left_to_give_, max_rows));
    if (!left_->Next(input, wanted)) return false;
    if (left_to_give_ != INT64_MAX) left_to_give_ -= input->selection.count;
    if (left_to_give_ == 0 && plan_.with_ties) KeepLast(*input);
    return true;
  }

 private:
  int64_t Bound(ExprStatePtr& state, const char* clause, ErrorCode code, int64_t otherwise) {
    if (state == nullptr) return otherwise;
    Value value = state->Eval(eval(), {}, Selection{nullptr, 1}).Get(0);
    if (value.is_null) return otherwise;
    if (value.datum.i64 < 0) throw SqlError(code, "{} must not be negative", clause);
    return value.datum.i64;
  }
  void ReadBounds() {
    to_skip_ = Bound(offset_, "OFFSET", ErrorCode::kInvalidRowCountInResultOffsetClause, 0);
    left_to_give_ = Bound(count_, "LIMIT", ErrorCode::kInvalidRowCountInLimitClause, INT64_MAX);
    last_ = nullptr;
    done_ = false;
    kept_.reset();
  }

  void KeepLast(const Batch& batch) {
    kept_ = std::make_unique<RowContainer>(RowLayout(left_->output_types()), &account());
    last_ = kept_->Append(batch.columns, batch.selection.Row(batch.selection.count - 1));
  }

  // Rows equal to the last one by the ORDER BY columns.
  bool NextTies(Batch* input, uint32_t) {
    if (last_ == nullptr || done_ || !left_->Next(input, 1)) return false;
    uint32_t row = input->selection.Row(0);
    for (const SortKey& key : ties_) {
      if (CompareBySortKey(key, kept_->layout().Get(last_, key.column),
                           input->columns[key.column]->Get(row)) != 0) {
        done_ = true;
        return false;
      }
    }
    return true;
  }

  const LimitPlan& plan_;
  ExprStatePtr offset_, count_;
  std::vector<SortKey> ties_;
  std::unique_ptr<RowContainer> kept_;
  char* last_ = nullptr;
  int64_t to_skip_ = 0;
  int64_t left_to_give_ = 0;
  bool done_ = false;
};

}  // namespace

OperatorPtr MakeLimit(Executor& executor, const LimitPlan& plan) {
  return std::make_unique<LimitOperator>(executor, plan);
}

}  // namespace walden
