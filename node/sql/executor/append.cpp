// Operators that only pass batches on: Append and SubqueryScan; and VALUES.
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/row_container.h"
#include "node/sql/query/expr_facts.h"

namespace walden {
namespace {

class SubqueryScanOperator : public Operator {
 public:
  SubqueryScanOperator(Executor& executor, const SubqueryScanPlan& plan) : Operator(executor, plan) {
    left_ = MakeOperator(executor, *plan.left);
  }

 protected:
  void DoRescan() override { left_->Rescan(); }
  bool FetchInput(Batch* input, uint32_t max_rows) override { return left_->Next(input, max_rows); }
};

// Children one after the other. Only the child being read is open.
class AppendOperator : public Operator {
 public:
  AppendOperator(Executor& executor, const AppendPlan& plan) : Operator(executor, plan) {
    for (const Plan* child : plan.children) children_.push_back(MakeOperator(executor, *child));
    opened_.resize(children_.size());
  }
  void Close() override {
    Operator::Close();
    opened_.assign(children_.size(), false);
  }

 protected:
  void DoOpen() override {
    opened_.assign(children_.size(), false);
    current_ = 0;
    started_ = false;
  }
  void DoRescan() override {
    current_ = 0;
    started_ = false;
  }
  bool FetchInput(Batch* input, uint32_t max_rows) override {
    while (current_ < children_.size()) {
      if (!started_) StartChild();
      if (children_[current_]->Next(input, max_rows)) return true;
      ++current_;
      started_ = false;
    }
    return false;
  }

 private:
  void StartChild() {
    if (opened_[current_]) {
      children_[current_]->Rescan();
    } else {
      children_[current_]->Open();
      opened_[current_] = true;
    }
    started_ = true;
  }
  size_t current_ = 0;
  bool started_ = false;
  std::vector<bool> opened_;
};

// Rows of expressions, evaluated one by one as they are asked for.
class ValuesScanOperator : public Operator {
 public:
  ValuesScanOperator(Executor& executor, const ValuesScanPlan& plan) : Operator(executor, plan) {
    for (const RowExpr* row : plan.values) {
      std::vector<ExprStatePtr> states;
      for (const Expr* expr : row->args) states.push_back(CompileExpression(expr));
      rows_.push_back(std::move(states));
    }
    for (const Expr* expr : plan.values[0]->args) {
      columns_.push_back(std::make_unique<Vector>(TypeOf(ExprType(expr)).physical));
      pointers_.push_back(columns_.back().get());
    }
  }

 protected:
  void DoOpen() override { next_ = 0; }
  bool FetchInput(Batch* input, uint32_t max_rows) override {
    uint32_t count = static_cast<uint32_t>(std::min<size_t>({max_rows, kBatchRows, rows_.size() - next_}));
    if (count == 0) return false;
    for (auto& column : columns_) column->Reset(column->type(), count);
    for (uint32_t i = 0; i < count; ++i) {
      for (size_t c = 0; c < columns_.size(); ++c) {
        columns_[c]->Set(i, rows_[next_ + i][c]->Eval(eval(), {}, Selection{nullptr, 1}).Get(0));
      }
    }
    next_ += count;
    input->columns = pointers_;
    input->selection = Selection{nullptr, count};
    return true;
  }

 private:
  std::vector<std::vector<ExprStatePtr>> rows_;
  std::vector<std::unique_ptr<Vector>> columns_;
  std::vector<Vector*> pointers_;
  size_t next_ = 0;
};

}  // namespace

OperatorPtr MakeSubqueryScan(Executor& executor, const SubqueryScanPlan& plan) {
  return std::make_unique<SubqueryScanOperator>(executor, plan);
}
OperatorPtr MakeAppend(Executor& executor, const AppendPlan& plan) {
  return std::make_unique<AppendOperator>(executor, plan);
}
OperatorPtr MakeValuesScan(Executor& executor, const ValuesScanPlan& plan) {
  return std::make_unique<ValuesScanOperator>(executor, plan);
}

}  // namespace walden
