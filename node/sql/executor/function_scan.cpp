// Function scan: one or several functions side by side (ROWS FROM), WITH ORDINALITY.
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/set_call.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

std::vector<PhysicalType> ColumnTypes(const RangeTblFunction& function) {
  std::vector<PhysicalType> types;
  for (Oid type : function.funccoltypes) types.push_back(TypeOf(type).physical);
  if (types.empty()) types.push_back(TypeOf(ExprType(function.funcexpr)).physical);
  return types;
}

class FunctionScanOperator : public Operator {
 public:
  FunctionScanOperator(Executor& executor, const FunctionScanPlan& plan)
      : Operator(executor, plan), plan_(plan) {
    for (const RangeTblFunction* function : plan.functions) {
      calls_.push_back(std::make_unique<SetCall>(function->funcexpr, ColumnTypes(*function)));
      for (PhysicalType type : calls_.back()->types()) AddColumn(type);
    }
    if (plan.ordinality) AddColumn(PhysicalType::kInt64);
    finished_.resize(calls_.size());
  }

 protected:
  void DoOpen() override { started_ = false; }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    if (!started_) StartAll();
    uint32_t rows = calls_.size() == 1 ? ReadOne(max_rows) : ReadSideBySide(max_rows);
    if (rows == 0) return false;
    if (plan_.ordinality) NumberRows(rows);
    input->columns = pointers_;
    input->selection = Selection{nullptr, rows};
    return true;
  }

 private:
  void AddColumn(PhysicalType type) {
    columns_.push_back(std::make_unique<Vector>(type));
    pointers_.push_back(columns_.back().get());
  }
  void StartAll() {
    for (auto& call : calls_) call->Start(eval(), {}, 0);
    finished_.assign(calls_.size(), false);
    ordinal_ = 0;
    started_ = true;
  }
  uint32_t ReadOne(uint32_t max_rows) {
    return calls_[0]->Next(eval(), batch_arena(), std::span(pointers_.data(), calls_[0]->types().size()),
                           max_rows);
  }
  // Functions need not deliver equally many rows: read one row at a time, nulls for those that have ended.
  uint32_t ReadSideBySide(uint32_t) {
    bool any = false;
    size_t at = 0;
    for (size_t i = 0; i < calls_.size(); ++i) {
      size_t width = calls_[i]->types().size();
      std::span<Vector* const> columns(pointers_.data() + at, width);
      if (!finished_[i]) finished_[i] = calls_[i]->Next(eval(), batch_arena(), columns, 1) == 0;
      if (finished_[i]) {
        for (Vector* column : columns) column->SetConstantValue(column->type(), Value{});
      }
      any |= !finished_[i];
      at += width;
    }
    return any ? 1 : 0;
  }
  void NumberRows(uint32_t rows) {
    Vector& column = *columns_.back();
    column.Reset(PhysicalType::kInt64, rows);
    for (uint32_t i = 0; i < rows; ++i) column.data<int64_t>()[i] = ++ordinal_;
  }

  const FunctionScanPlan& plan_;
  std::vector<std::unique_ptr<SetCall>> calls_;
  std::vector<bool> finished_;
  std::vector<std::unique_ptr<Vector>> columns_;
  std::vector<Vector*> pointers_;
  int64_t ordinal_ = 0;
  bool started_ = false;
};

// Target list with set-returning functions: they advance in step, ended ones give nulls, until all have ended.
class ProjectSetOperator : public Operator {
 public:
  ProjectSetOperator(Executor& executor, const ProjectSetPlan& plan) : Operator(executor, plan) {
    left_ = MakeOperator(executor, *plan.left);
    for (const TargetEntry* entry : plan.target) {
      PhysicalType type = TypeOf(ExprType(entry->expr)).physical;
      Item item;
      if (ExprReturnsSet(entry->expr)) {
        item.set = std::make_unique<SetCall>(entry->expr, std::vector<PhysicalType>{type});
      } else {
        item.scalar = CompileExpression(entry->expr);
      }
      items_.push_back(std::move(item));
      columns_.push_back(std::make_unique<Vector>(type));
      pointers_.push_back(columns_.back().get());
      one_.push_back(std::make_unique<Vector>(type));
    }
  }

 protected:
  void DoOpen() override {
    left_->Open();
    Restart();
  }
  void DoRescan() override {
    left_->Rescan();
    Restart();
  }
  bool FetchInput(Batch*, uint32_t) override { return false; }
  bool NextRows(Batch* batch, uint32_t max_rows) override {
    uint32_t limit = std::min(max_rows, kBatchRows);
    batch_arena().Reset();
    for (auto& column : columns_) column->Reset(column->type(), limit);
    uint32_t rows = 0;
    while (rows < limit) {
      if (!row_open_ && !StartRow()) break;
      if (EmitRow(rows)) {
        ++rows;
      } else {
        row_open_ = false;
      }
    }
    if (rows == 0) return false;
    batch->columns = pointers_;
    batch->selection = Selection{nullptr, rows};
    return true;
  }

 private:
  struct Item {
    std::unique_ptr<SetCall> set;
    ExprStatePtr scalar;
    bool finished = false;
  };
  void Restart() {
    input_.selection.count = 0;
    at_ = 0;
    row_open_ = false;
  }
  bool StartRow() {
    if (at_ >= input_.selection.count) {
      at_ = 0;
      if (!left_->Next(&input_)) {
        input_.selection.count = 0;
        return false;
      }
    }
    row_ = input_.selection.Row(at_++);
    for (Item& item : items_) {
      item.finished = false;
      if (item.set != nullptr) item.set->Start(eval(), input_.columns, row_);
    }
    row_open_ = true;
    return true;
  }
  bool EmitRow(uint32_t to) {
    bool any = false;
    for (size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      if (item.set == nullptr) continue;
      Vector* one[] = {one_[i].get()};
      if (!item.finished) item.finished = item.set->Next(eval(), batch_arena(), one, 1) == 0;
      any |= !item.finished;
      columns_[i]->Set(to, item.finished ? Value{} : Kept(one[0]->type(), one[0]->Get(0)));
    }
    if (!any) return false;
    for (size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].scalar == nullptr) continue;
      uint16_t one = static_cast<uint16_t>(row_);
      Value value = items_[i].scalar->Eval(eval(), input_.columns, Selection{&one, 1}).Get(row_);
      columns_[i]->Set(to, Kept(columns_[i]->type(), value));
    }
    return true;
  }
  // The batch outlives the calls and the input rows that its values come from.
  Value Kept(PhysicalType type, Value value) {
    if (!value.is_null) value.datum = CopyDatum(type, value.datum, &batch_arena());
    return value;
  }

  std::vector<Item> items_;
  std::vector<std::unique_ptr<Vector>> columns_, one_;
  std::vector<Vector*> pointers_;
  Batch input_;
  uint32_t at_ = 0;
  uint32_t row_ = 0;
  bool row_open_ = false;
};

}  // namespace

OperatorPtr MakeFunctionScan(Executor& executor, const FunctionScanPlan& plan) {
  return std::make_unique<FunctionScanOperator>(executor, plan);
}
OperatorPtr MakeProjectSet(Executor& executor, const ProjectSetPlan& plan) {
  return std::make_unique<ProjectSetOperator>(executor, plan);
}

}  // namespace walden
