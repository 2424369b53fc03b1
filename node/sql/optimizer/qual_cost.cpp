#include "node/sql/optimizer/qual_cost.h"

#include <algorithm>
#include <tuple>

#include "node/catalog/builtin.h"
#include "node/catalog/syscache.h"
#include "node/sql/optimizer/cost.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/tree_walk.h"
#include "node/types/array.h"

namespace walden {
namespace {

double FunctionCost(Oid function) {
  if (const BuiltinFunction* row = FindBuiltinFunction(function)) return row->cost * CpuOperatorCost();
  RowRef<PgProcRow> row = FunctionRow(function);
  return (row ? row->procost : 1) * CpuOperatorCost();
}

double OperatorCost(Oid op) {
  const BuiltinOperator* row = FindBuiltinOperator(op);
  return row != nullptr ? FunctionCost(row->function) : CpuOperatorCost();
}

// How many elements an array expression has, if that shows; PostgreSQL's guess otherwise.
double ElementCount(const Node* array) {
  array = StripRelabel(static_cast<const Expr*>(array));
  if (const Const* constant = TryAs<Const>(array)) {
    return constant->IsNull() ? 0 : ArrayView(constant->value.datum.string.view()).count();
  }
  if (const ArrayExpr* expr = TryAs<ArrayExpr>(array); expr != nullptr && !expr->multidims)
    return expr->elements.size();
  return 10;
}

double ArrayOperatorCost(const ScalarArrayOpExpr& op) {
  double of_operator = FunctionCost(op.opfuncid);
  if (IsValid(op.hashfuncid)) return FunctionCost(op.hashfuncid) + of_operator;
  return of_operator * ElementCount(op.args[1]) * 0.5;  // half of the elements, on average
}

// Of the node alone, without what stands below it.
double OwnCost(const Node* node) {
  if (const FuncExpr* call = TryAs<FuncExpr>(node)) return FunctionCost(call->funcid);
  if (Is<OpExpr>(node) || Is<DistinctExpr>(node) || Is<NullIfExpr>(node))
    return FunctionCost(static_cast<const OpExprFields*>(node)->opfuncid);
  if (const ScalarArrayOpExpr* op = TryAs<ScalarArrayOpExpr>(node)) return ArrayOperatorCost(*op);
  if (Is<CoerceViaIo>(node)) return 2 * CpuOperatorCost();
  if (const ArrayCoerceExpr* coerce = TryAs<ArrayCoerceExpr>(node))
    return QualCost(coerce->elemexpr) * ElementCount(coerce->arg);
  if (const RowCompareExpr* compare = TryAs<RowCompareExpr>(node)) {
    double cost = 0;
    for (Oid op : compare->opnos) cost += OperatorCost(op);
    return cost;
  }
  bool is_call = Is<MinMaxExpr>(node) || Is<SqlValueFunction>(node) || Is<XmlExpr>(node) ||
                 Is<CoerceToDomain>(node) || Is<NextValueExpr>(node);
  return is_call ? CpuOperatorCost() : 0;
}

// "a = b" whose sides equal what other conditions may equal as well: PostgreSQL works them out last, from classes of equal expressions.
bool IsEquivalence(const Node* condition) {
  const OpExpr* op = TryAs<OpExpr>(condition);
  if (op == nullptr || op->args.size() != 2) return false;
  const BuiltinOperator* row = FindBuiltinOperator(op->opno);
  return row != nullptr && row->can_merge && VolatilityOf(condition) != 'v';
}

}  // namespace

double QualCost(const Node* expr) {
  if (expr == nullptr || Is<Aggref>(expr) || Is<WindowFunc>(expr) || Is<GroupingFunc>(expr))
    return 0;  // computed below
  if (const SubPlan* subplan = TryAs<SubPlan>(expr)) return subplan->per_call_cost;
  double cost = OwnCost(expr);
  AnyChild(expr, [&](const Node* child) {
    cost += QualCost(child);
    return false;
  });
  return cost;
}

void SetSubPlanCosts(SubPlan* subplan, const Plan& plan, bool materialized) {
  double run_cost = plan.total_cost - plan.startup_cost, rows = std::max(1.0, plan.rows);
  subplan->per_call_cost = QualCost(subplan->testexpr);
  if (subplan->use_hash_table) {
    subplan->startup_cost = plan.total_cost + CpuOperatorCost() * rows;
    return;
  }
  if (subplan->sub_link_type == SubLinkType::kExists) {
    subplan->per_call_cost += run_cost / rows;
  } else if (subplan->sub_link_type == SubLinkType::kAll || subplan->sub_link_type == SubLinkType::kAny) {
    subplan->per_call_cost +=
        0.5 * run_cost + 0.5 * rows * CpuOperatorCost();  // half of the rows, on average
  } else {
    subplan->per_call_cost += run_cost;
  }
  (materialized ? subplan->startup_cost : subplan->per_call_cost) += plan.startup_cost;
}

std::vector<Qual> InCostOrder(std::vector<Qual> quals) {
  if (quals.size() < 2) return quals;
  // Rounded: the same calls cost the same, in whichever order they were added up.
  std::vector<std::tuple<float, bool, size_t>> order;
  order.reserve(quals.size());
  for (size_t i = 0; i < quals.size(); ++i)
    order.emplace_back(static_cast<float>(QualCost(quals[i].expr)), IsEquivalence(quals[i].expr), i);
  std::ranges::sort(order);
  std::vector<Qual> ordered;
  ordered.reserve(quals.size());
  for (auto [cost, is_equivalence, at] : order) ordered.push_back(quals[at]);
  return ordered;
}

}  // namespace walden
