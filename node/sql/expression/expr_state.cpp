#include "node/sql/expression/expression.h"

namespace walden {

uint32_t SelectTrue(const Vector& condition, const Selection& selection, uint16_t* rows) {
  uint32_t n = 0;
  const bool* values = condition.data<bool>();
  if (condition.is_constant()) {
    if (condition.IsNullAt(0) || !values[0]) return 0;
    selection.ForEach([&](uint32_t row) { rows[n++] = static_cast<uint16_t>(row); });
    return n;
  }
  if (!condition.has_nulls()) {
    // No branch on the data: the row is always written, the count advances by the condition.
    selection.ForEach([&](uint32_t row) {
      rows[n] = static_cast<uint16_t>(row);
      n += values[row] ? 1 : 0;
    });
    return n;
  }
  selection.ForEach([&](uint32_t row) {
    rows[n] = static_cast<uint16_t>(row);
    n += !condition.IsNullAt(row) && values[row] ? 1 : 0;
  });
  return n;
}

void SetExecParam(ParamSet* params, int32_t id, PhysicalType type, const Value& value) {
  ExecParam& param = params->exec[id];
  param.value = value;
  param.type = type;
  param.pending_init_plan = 0;
  ++param.version;
  for (const ExecParam::Dependent& dependent : param.dependents) {
    params->exec[dependent.param].pending_init_plan = dependent.plan_id;
    ++params->exec[dependent.param].version;
  }
}

Filter::Filter(const ExprList& conditions) {
  for (const Expr* condition : conditions) conditions_.push_back(CompileExpression(condition));
}

Selection Filter::Apply(EvalContext& context, std::span<Vector* const> input, Selection selection) {
  for (ExprStatePtr& condition : conditions_) {
    if (selection.count == 0) break;
    const Vector& result = condition->Eval(context, input, selection);
    // SelectTrue may write one row past the rows it keeps.
    if (rows_.size() < selection.count) rows_.resize(selection.count);
    selection = Selection{rows_.data(), SelectTrue(result, selection, rows_.data())};
  }
  return selection;
}

bool Filter::Matches(EvalContext& context, std::span<Vector* const> input, uint32_t row) {
  uint16_t rows[1] = {static_cast<uint16_t>(row)};
  return Apply(context, input, Selection{rows, 1}).count == 1;
}

Value EvaluateConstant(const Expr* expr, EvalContext& context) {
  return CompileExpression(expr)->Eval(context, {}, Selection{nullptr, 1}).Get(0);
}

}  // namespace walden
