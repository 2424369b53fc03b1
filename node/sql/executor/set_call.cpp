#include "node/sql/executor/set_call.h"

#include "node/catalog/builtin.h"
#include "node/sql/executor/row_container.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/record.h"

namespace walden {

SetCall::SetCall(const Expr* expr, std::vector<PhysicalType> types) : types_(std::move(types)) {
  if (!ExprReturnsSet(expr)) {
    scalar_ = CompileExpression(expr);
    return;
  }
  if (types_.size() == 1 && ExprType(expr) == type_oid::kRecord) {
    throw NotSupported("function returning rows in the target list");
  }
  const FuncExpr* call = TryAs<FuncExpr>(expr);
  if (call == nullptr) throw NotSupported("set-returning operator");
  const BuiltinFunction* row = FindBuiltinFunction(call->funcid);
  function_ = row == nullptr ? nullptr : FindSetFunction(row->source.empty() ? row->name : row->source);
  if (function_ == nullptr) throw NotSupported("this set-returning function");
  CheckMayExecute(call->funcid);
  for (const Expr* arg : call->args) {
    args_.push_back(CompileExpression(arg));
    arg_types_.push_back(ExprType(arg));
  }
  site_.function = call->funcid;
  site_.result_type = call->funcresulttype;
  site_.collation = call->inputcollid;
  site_.arg_types = arg_types_;
  site_.is_variadic_array = call->funcvariadic;
}

void SetCall::Start(EvalContext& context, std::span<Vector* const> input, uint32_t row) {
  call_.reset();
  call_arena_.Reset();
  has_single_ = false;
  uint16_t one = static_cast<uint16_t>(row);
  Selection selection{&one, 1};
  if (scalar_ != nullptr) {
    single_ = scalar_->Eval(context, input, selection).Get(row);
    if (!single_.is_null) single_.datum = CopyDatum(scalar_->type(), single_.datum, &call_arena_);
    has_single_ = true;
    return;
  }
  std::vector<Value> values;
  for (ExprStatePtr& arg : args_) {
    Value value = arg->Eval(context, input, selection).Get(row);
    if (value.is_null && function_->is_strict) return;
    if (!value.is_null) value.datum = CopyDatum(arg->type(), value.datum, &call_arena_);
    values.push_back(value);
  }
  CallContext call{call_arena_, *context.format, context.session, site_};
  call_ = function_->start(call, values);
}

// A null record is a row of nulls.
void SetCall::PutSingle(std::span<Vector* const> columns) {
  if (types_.size() == 1) return columns[0]->Set(0, single_);
  std::vector<RecordField> fields;
  if (!single_.is_null) fields = ReadRecord(single_.datum.string.view());
  for (size_t i = 0; i < columns.size(); ++i)
    columns[i]->Set(0, i < fields.size() ? fields[i].value : Value{});
}

uint32_t SetCall::Next(EvalContext& context, Arena& arena, std::span<Vector* const> columns,
                       uint32_t max_rows) {
  if (max_rows > kBatchRows) max_rows = kBatchRows;
  for (size_t i = 0; i < types_.size(); ++i) columns[i]->Reset(types_[i], max_rows);
  if (has_single_) {
    has_single_ = false;
    PutSingle(columns);
    return 1;
  }
  if (call_ == nullptr) return 0;
  CallContext call{arena, *context.format, context.session, site_};
  return call_->Next(call, columns, max_rows);
}

}  // namespace walden
