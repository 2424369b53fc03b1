#include "node/sql/explain/plan_text.h"

#include "node/base/error.h"
#include "node/catalog/relation.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"

namespace walden {
namespace {

bool IsScan(PlanKind kind) {
  switch (kind) {
    case PlanKind::kSeqScan:
    case PlanKind::kIndexScan:
    case PlanKind::kBitmapScan:
    case PlanKind::kTidScan:
    case PlanKind::kFunctionScan:
    case PlanKind::kValuesScan:
    case PlanKind::kSubqueryScan:
    case PlanKind::kCteScan:
    case PlanKind::kWorkTableScan: return true;
    default: return false;
  }
}

bool ReadsTable(PlanKind kind) {
  return kind == PlanKind::kSeqScan || kind == PlanKind::kIndexScan || kind == PlanKind::kBitmapScan ||
         kind == PlanKind::kTidScan;
}

bool IsJoin(PlanKind kind) {
  return kind == PlanKind::kNestLoop || kind == PlanKind::kHashJoin || kind == PlanKind::kMergeJoin;
}

void CollectUsed(const Plan* plan, std::set<int32_t>* used) {
  if (plan == nullptr) return;
  if (IsScan(plan->kind)) used->insert(static_cast<const ScanPlan*>(plan)->rtindex);
  if (Is<ModifyTablePlan>(plan)) {
    used->insert(As<ModifyTablePlan>(plan)->rtindex);
    used->insert(As<ModifyTablePlan>(plan)->excluded_rtindex);
  }
  if (Is<AppendPlan>(plan)) {
    for (const Plan* child : As<AppendPlan>(plan)->children) CollectUsed(child, used);
  }
  if (Is<MergeAppendPlan>(plan)) {
    for (const Plan* child : As<MergeAppendPlan>(plan)->children) CollectUsed(child, used);
  }
  CollectUsed(plan->left, used);
  CollectUsed(plan->right, used);
}

}  // namespace

PlanText::PlanText(const PlannedStatement& statement, const DeparseNames& names) : statement_(statement) {
  auto add_used = [&](const Plan* plan) {
    std::set<int32_t> used;
    CollectUsed(plan, &used);
    for (int32_t rtindex : used) {
      if (rtindex < 1 || !name_index_.try_emplace(rtindex, static_cast<int32_t>(rtable_.size() + 1)).second)
        continue;
      rtable_.Append(arena_, statement.rtable[rtindex - 1]);
    }
  };
  add_used(statement.plan);
  for (const Subplan* subplan : statement.subplans) add_used(subplan->plan);
  names_ = std::make_unique<RangeTableNames>(rtable_, names);
}

int32_t PlanText::NameIndex(int32_t rtindex) const {
  auto found = name_index_.find(rtindex);
  if (found == name_index_.end())
    throw SqlError(ErrorCode::kInternalError, "no plan node reads range table entry {}", rtindex);
  return found->second;
}

int32_t PlanText::ContextNumber(Context context) {
  auto [at, is_new] =
      context_numbers_.try_emplace(context, kFirstContext - static_cast<int32_t>(contexts_.size()));
  if (is_new) contexts_.push_back(context);
  return at->second;
}

const Node* PlanText::Place(const Node* expr, Context context) {
  if (const Var* var = TryAs<Var>(expr)) {
    if (var->varno > 0) return TableColumn(var->varno, var->varattno, var->vartype);
    if (var->varno != kInputVar) return expr;
    // Aggregates and window functions stand in their node's expressions themselves.
    if (context.row == Row::kInput && (Is<AggPlan>(context.plan) || Is<WindowAggPlan>(context.plan))) {
      Located found = InputColumn(*context.plan, var->varattno);
      if (Is<Aggref>(found.expr) || Is<WindowFunc>(found.expr) || Is<GroupingFunc>(found.expr))
        return Place(found.expr, found.context);
    }
    Var* placed = static_cast<Var*>(CopyShallow(var, arena_));
    placed->varno = ContextNumber(context);
    return placed;
  }
  if (const SubPlan* sub = TryAs<SubPlan>(expr)) return sub;
  if (Is<CaseExpr>(expr) && context.row == Row::kInput && Is<AggPlan>(context.plan)) {
    const AggPlan& agg = *As<AggPlan>(context.plan);
    for (uint32_t i = 0; i < agg.grouping_values.size(); ++i) {
      if (EqualNodes(agg.grouping_values[i], expr)) return Place(agg.groupings[i], {agg.left, Row::kOutput});
    }
  }
  return MutateChildren(const_cast<Node*>(expr), arena_,
                        [&](Node* child) { return const_cast<Node*>(Place(child, context)); });
}

Node* PlanText::TableColumn(int32_t rtindex, int32_t attno, Oid type) {
  return MakeVar(arena_, NameIndex(rtindex), static_cast<AttrNumber>(attno), type, -1, Oid::kInvalid);
}

PlanText::Located PlanText::Column(Context context, int32_t column) {
  if (context.row == Row::kInput) return InputColumn(*context.plan, column);
  if (column < 1 || static_cast<size_t>(column) > context.plan->target.size()) {
    return {MakeNullConst(arena_, type_oid::kText, -1, Oid::kInvalid, PhysicalType::kString), context};
  }
  return {context.plan->target[column - 1]->expr, {context.plan, Row::kInput}};
}

// Numbered by the statement's range table, as expressions in plans that name columns directly are.
Node* PlanText::FlatColumn(int32_t rtindex, int32_t attno, Oid type) {
  return MakeVar(arena_, rtindex, static_cast<AttrNumber>(attno), type, -1, Oid::kInvalid);
}

PlanText::Located PlanText::InputColumn(const Plan& plan, int32_t column) {
  Context here{&plan, Row::kInput};
  Oid type = static_cast<size_t>(column) <= plan.target.size() ? ExprType(plan.target[column - 1]->expr)
                                                               : Oid::kInvalid;
  auto from_child = [&](const Plan* child, int32_t at) -> Located {
    if (child == nullptr)
      return {MakeNullConst(arena_, type_oid::kText, -1, Oid::kInvalid, PhysicalType::kString), here};
    return Column({child, Row::kOutput}, at);
  };
  if (ReadsTable(plan.kind)) {
    const ScanPlan& scan = static_cast<const ScanPlan&>(plan);
    return {FlatColumn(scan.rtindex, scan.columns[column - 1], type), here};
  }
  // Made by the optimizer, of no range table entry: what it reads shows through.
  if (Is<CteScanPlan>(&plan) && As<CteScanPlan>(&plan)->rtindex == 0) {
    return from_child(statement_.subplans[As<CteScanPlan>(&plan)->subplan_id - 1]->plan, column);
  }
  if (Is<SubqueryScanPlan>(&plan) && As<SubqueryScanPlan>(&plan)->rtindex == 0)
    return from_child(plan.left, column);
  if (IsScan(plan.kind)) {
    const ScanPlan& scan = static_cast<const ScanPlan&>(plan);
    return {FlatColumn(scan.rtindex, column, type), here};
  }
  if (IsJoin(plan.kind)) {
    int32_t outer = static_cast<int32_t>(plan.left->target.size());
    return column <= outer ? from_child(plan.left, column) : from_child(plan.right, column - outer);
  }
  switch (plan.kind) {
    case PlanKind::kAgg: {
      const AggPlan& agg = *As<AggPlan>(&plan);
      uint32_t at = static_cast<uint32_t>(column - 1);
      Context child{plan.left, Row::kOutput};
      if (at < agg.group_keys.size()) return {agg.group_keys[at], child};
      at -= agg.group_keys.size();
      if (at < agg.aggregates.size()) return {agg.aggregates[at], child};
      return {MakeNullConst(arena_, type_oid::kInt4, -1, Oid::kInvalid, PhysicalType::kInt32),
              here};  // the grouping set's number
    }
    case PlanKind::kWindowAgg: {
      int32_t below = static_cast<int32_t>(plan.left->target.size());
      if (column <= below) return from_child(plan.left, column);
      return {As<WindowAggPlan>(&plan)->functions[column - below - 1], {plan.left, Row::kOutput}};
    }
    case PlanKind::kModifyTable: {
      const ModifyTablePlan& modify = *As<ModifyTablePlan>(&plan);
      int32_t attributes =
          static_cast<int32_t>(OpenRelation(modify.relation, LockMode::kNone)->columns.size());
      if (column <= attributes) return {FlatColumn(modify.rtindex, column, type), here};
      if (column == attributes + 1) return {FlatColumn(modify.rtindex, kSelfItemPointerAttr, type), here};
      if (column == attributes + 2) return {FlatColumn(modify.rtindex, kTableOidAttr, type), here};
      return from_child(plan.left, column - attributes - 2);
    }
    case PlanKind::kAppend: return from_child(As<AppendPlan>(&plan)->children[0], column);
    case PlanKind::kMergeAppend: return from_child(As<MergeAppendPlan>(&plan)->children[0], column);
    default: break;
  }
  return from_child(plan.left, column);
}

const Node* PlanText::Resolve(const Var& var) {
  if (var.varno > kFirstContext) return &var;
  Located found = Column(contexts_[static_cast<size_t>(kFirstContext - var.varno)], var.varattno);
  return Place(found.expr, found.context);
}

const Node* PlanText::ResolveParameter(const Param& param) {
  auto found = parameters_.find(param.paramid);
  return found == parameters_.end() ? nullptr : Place(found->second.expr, found->second.context);
}

std::string PlanText::Show(const Node* expr, Context context, bool prefix) {
  return names_->Expr(
      Place(expr, context), prefix, [this](const Var& var) { return Resolve(var); },
      [this](const Param& param) { return ResolveParameter(param); });
}

std::string PlanText::Conditions(const Plan& plan, const ExprList& quals, bool prefix) {
  if (quals.size() == 1) return Expr(plan, quals[0], prefix);
  BoolExpr* all = arena_.New<BoolExpr>();
  all->boolop = BoolExprType::kAnd;
  all->args = quals.Clone(arena_);
  return Expr(plan, all, prefix);
}

std::string PlanText::OutputColumn(const Plan& plan, int32_t column, bool prefix) {
  return Expr(plan, plan.target[column - 1]->expr, prefix);
}

void PlanText::EnterNestLoop(const NestLoopPlan& loop) {
  for (const NestLoopParam* param : loop.nest_params)
    parameters_[param->param_id] = {param->value, {loop.left, Row::kOutput}};
}

void PlanText::EnterSubPlan(const Plan& plan, const SubPlan& sub) {
  for (uint32_t i = 0; i < sub.par_param.size() && i < sub.args.size(); ++i) {
    parameters_[sub.par_param[i]] = {sub.args[i], {&plan, Row::kInput}};
  }
}

}  // namespace walden
