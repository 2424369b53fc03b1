// Result: one row from nothing, or a child's rows, behind one-time conditions.
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"

namespace walden {
namespace {

class ResultOperator : public Operator {
 public:
  ResultOperator(Executor& executor, const ResultPlan& plan)
      : Operator(executor, plan), one_time_(plan.one_time_quals) {
    if (plan.left != nullptr) left_ = MakeOperator(executor, *plan.left);
  }

 protected:
  void DoOpen() override {
    state_ = State::kUnchecked;
    left_open_ = false;
  }
  void DoRescan() override { state_ = State::kUnchecked; }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    if (state_ == State::kUnchecked) {
      bool passes = one_time_.empty() || one_time_.Matches(eval(), {}, 0);
      state_ = passes ? State::kRunning : State::kDone;
      if (passes && left_ != nullptr) StartChild();
    }
    if (state_ == State::kDone) return false;
    if (left_ != nullptr) return left_->Next(input, max_rows);
    state_ = State::kDone;
    input->columns.clear();
    input->selection = Selection{nullptr, 1};
    return true;
  }

 private:
  enum class State { kUnchecked, kRunning, kDone };
  void StartChild() {
    if (left_open_) {
      left_->Rescan();
    } else {
      left_->Open();
    }
    left_open_ = true;
  }
  Filter one_time_;
  State state_ = State::kUnchecked;
  bool left_open_ = false;
};

}  // namespace

OperatorPtr MakeResult(Executor& executor, const ResultPlan& plan) {
  return std::make_unique<ResultOperator>(executor, plan);
}

}  // namespace walden
