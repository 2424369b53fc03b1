// Nested loop join: for each outer row, sets the inner side's parameters and scans it.
//
// Inner, left, semi and anti joins. The outer row is repeated beside each inner batch as constant vectors, so join
// conditions run over whole inner batches. Single-row inner results (unique look-ups) are gathered into one output batch.
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/row_container.h"

namespace walden {
namespace {

class NestLoopOperator : public Operator {
 public:
  NestLoopOperator(Executor& executor, const NestLoopPlan& plan)
      : Operator(executor, plan), plan_(plan), join_filter_(plan.join_quals) {
    left_ = MakeOperator(executor, *plan.left);
    right_ = MakeOperator(executor, *plan.right);
    for (const NestLoopParam* param : plan.nest_params) params_.push_back(CompileExpression(param->value));
    for (PhysicalType type : left_->output_types()) AddColumn(type);
    for (PhysicalType type : right_->output_types()) AddColumn(type);
  }

 protected:
  void DoOpen() override {
    left_->Open();
    Restart();
    right_open_ = false;
  }
  void DoRescan() override {
    left_->Rescan();
    Restart();
  }
  void Close() override {
    Operator::Close();
    right_open_ = false;
  }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    uint32_t limit = std::min(max_rows, kBatchRows);
    for (auto& column : columns_) column->Reset(column->type(), std::min(limit, capacity_));
    uint32_t room = columns_.empty() ? limit : std::min(limit, capacity_);
    uint32_t rows = 0;
    while (rows < room) {
      if (!inner_active_ && !StartOuterRow()) break;
      rows = JoinOuterRow(rows, room);
    }
    capacity_ = std::min(capacity_ * 8, kBatchRows);
    if (rows == 0) return false;
    input->columns = pointers_;
    input->selection = Selection{nullptr, rows};
    return true;
  }

 private:
  void AddColumn(PhysicalType type) {
    columns_.push_back(std::make_unique<Vector>(type));
    pointers_.push_back(columns_.back().get());
    joined_.emplace_back();
  }
  void Restart() {
    outer_.selection = {};
    outer_at_ = 0;
    inner_active_ = false;
    inner_rows_ = Selection{};
    inner_at_ = 0;
    capacity_ = 1;
  }

  bool StartOuterRow() {
    if (outer_at_ >= outer_.selection.count) {
      outer_at_ = 0;
      outer_.selection.count = 0;
      if (!left_->Next(&outer_)) return false;
    }
    uint32_t row = outer_.selection.Row(outer_at_++);
    for (size_t i = 0; i < params_.size(); ++i) {
      uint16_t one = static_cast<uint16_t>(row);
      Vector& value = params_[i]->Eval(eval(), outer_.columns, Selection{&one, 1});
      executor().SetParam(plan_.nest_params[i]->param_id, value.type(), value.Get(row));
    }
    for (size_t i = 0; i < outer_.columns.size(); ++i) {
      joined_[i].SetConstantValue(outer_.columns[i]->type(), outer_.columns[i]->Get(row));
    }
    if (right_open_) {
      right_->Rescan();
    } else {
      right_->Open();
      right_open_ = true;
    }
    inner_active_ = true;
    matched_ = false;
    inner_rows_ = Selection{};
    inner_at_ = 0;
    return true;
  }

  // The next inner rows that match; false when the inner side is at its end.
  bool NextMatches() {
    std::vector<Vector*> columns(pointers_.size());
    size_t outer_count = left_->output_types().size();
    while (right_->Next(&inner_)) {
      for (size_t i = 0; i < outer_count; ++i) columns[i] = &joined_[i];
      for (size_t i = 0; i < inner_.columns.size(); ++i) columns[outer_count + i] = inner_.columns[i];
      inner_rows_ = join_filter_.Apply(eval(), columns, inner_.selection);
      counters().rows_removed_by_join_filter += inner_.selection.count - inner_rows_.count;
      inner_at_ = 0;
      if (inner_rows_.count > 0) return true;
    }
    return false;
  }

  // Appends result rows of the current outer row from position `rows` on; returns the new count.
  uint32_t JoinOuterRow(uint32_t rows, uint32_t room) {
    while (rows < room) {
      if (inner_at_ >= inner_rows_.count) {
        if ((matched_ && StopsAtFirstMatch()) || !NextMatches()) return EndOuterRow(rows);
        matched_ = true;
        if (plan_.join_type == JoinType::kAnti) return EndOuterRow(rows);
      }
      Emit(rows++, inner_rows_.Row(inner_at_++));
      if (StopsAtFirstMatch()) {
        inner_active_ = false;
        return rows;
      }
    }
    return rows;
  }

  bool StopsAtFirstMatch() const { return plan_.join_type == JoinType::kSemi || plan_.inner_unique; }

  uint32_t EndOuterRow(uint32_t rows) {
    inner_active_ = false;
    bool emit_unmatched = plan_.join_type == JoinType::kLeft || plan_.join_type == JoinType::kAnti;
    if (matched_ || !emit_unmatched) return rows;
    Emit(rows, UINT32_MAX);
    return rows + 1;
  }

  // Writes the outer row and one inner row (UINT32_MAX: nulls) to position `at`. Bytes are copied, since both children
  // move on before the batch is consumed.
  void Emit(uint32_t at, uint32_t inner_row) {
    size_t outer_count = left_->output_types().size();
    for (size_t i = 0; i < columns_.size(); ++i) {
      Value value;
      if (i < outer_count) {
        value = joined_[i].Get(0);
      } else if (inner_row != UINT32_MAX && plan_.join_type != JoinType::kSemi) {
        value = inner_.columns[i - outer_count]->Get(inner_row);
      }
      if (!value.is_null) value.datum = CopyDatum(columns_[i]->type(), value.datum, &batch_arena());
      columns_[i]->Set(at, value);
    }
  }

  const NestLoopPlan& plan_;
  Filter join_filter_;
  std::vector<ExprStatePtr> params_;
  std::vector<std::unique_ptr<Vector>> columns_;
  std::vector<Vector*> pointers_;
  std::vector<Vector> joined_;  // the outer row, as constants
  Batch outer_, inner_;
  uint32_t outer_at_ = 0;
  Selection inner_rows_;
  uint32_t inner_at_ = 0;
  uint32_t capacity_ = 1;
  bool inner_active_ = false;
  bool matched_ = false;
  bool right_open_ = false;
};

}  // namespace

OperatorPtr MakeNestLoop(Executor& executor, const NestLoopPlan& plan) {
  return std::make_unique<NestLoopOperator>(executor, plan);
}

}  // namespace walden
