// The walk over the tree: each node, then its init plans, children and subplans.
#include "node/sql/explain/explain_plan.h"

#include "node/sql/query/expr_facts.h"

namespace walden {
namespace {

void CollectSubPlans(const Node* node, std::vector<const SubPlan*>* to) {
  if (node == nullptr) return;
  if (const SubPlan* sub = TryAs<SubPlan>(node)) {
    for (const Expr* arg : sub->args) CollectSubPlans(arg, to);
    CollectSubPlans(sub->testexpr, to);
    to->push_back(sub);
    return;
  }
  AnyChild(node, [&](const Node* child) {
    CollectSubPlans(child, to);
    return false;
  });
}

void CollectFromList(const ExprList& list, std::vector<const SubPlan*>* to) {
  for (const Expr* expr : list) CollectSubPlans(expr, to);
}

}  // namespace

PlanExplainer::PlanExplainer(const ExplainOptions& options, const PlannedStatement& statement,
                             Executor* executor, const DeparseNames& names, ExplainWriter* writer)
    : options_(options),
      statement_(statement),
      executor_(executor),
      names_(names),
      out_(*writer),
      text_(statement, names) {
  if (executor == nullptr) return;
  Index(&executor->root());
  for (size_t i = 0; i < statement.subplans.size(); ++i)
    Index(executor->subplan(static_cast<int32_t>(i) + 1));
}

void PlanExplainer::Index(const Operator* op) {
  if (op == nullptr) return;
  operators_[&op->plan()] = op;
  Index(op->left());
  Index(op->right());
  for (const auto& child : op->children()) Index(child.get());
}

const Operator* PlanExplainer::OperatorOf(const Plan& plan) const {
  auto found = operators_.find(&plan);
  return found == operators_.end() ? nullptr : found->second;
}

void PlanExplainer::Describe() { DescribeNode(*statement_.plan, {}, {}); }

void PlanExplainer::DescribeNode(const Plan& plan, std::string_view relationship, std::string_view title) {
  int saved_indent = out_.indent;
  const Operator* op = OperatorOf(plan);
  const OperatorStats* stats = op == nullptr ? nullptr : &op->stats();
  out_.OpenGroup("Plan", relationship.empty() ? std::string_view("Plan") : std::string_view(), true);
  Headline(plan, relationship, title);
  CostsAndTimes(plan, stats, plan.startup_cost);
  if (options_.verbose) Output(plan);
  Details(plan, stats);
  Usage(stats);
  Children(plan);
  if (out_.is_text()) out_.indent = saved_indent;
  out_.CloseGroup("Plan", true);
}

void PlanExplainer::Children(const Plan& plan) {
  std::vector<const SubPlan*> subplans = SubPlansOf(plan);
  std::erase_if(subplans, [&](const SubPlan* sub) { return shown_subplans_.contains(sub->plan_id); });
  const List<Plan*>* members = Is<AppendPlan>(&plan)        ? &As<AppendPlan>(&plan)->children
                               : Is<MergeAppendPlan>(&plan) ? &As<MergeAppendPlan>(&plan)->children
                                                            : nullptr;
  bool has_bitmap = Is<BitmapScanPlan>(&plan);
  if (plan.left == nullptr && plan.right == nullptr && members == nullptr && !has_bitmap &&
      plan.init_plans.empty() && subplans.empty()) {
    return;
  }
  out_.OpenGroup("Plans", "Plans", false);
  for (int32_t id : plan.init_plans) {
    if (!shown_subplans_.insert(id).second) continue;
    const Subplan& subplan = *statement_.subplans[id - 1];
    DescribeNode(*subplan.plan, "InitPlan", subplan.name);
  }
  if (plan.left != nullptr) DescribeNode(*plan.left, Is<SubqueryScanPlan>(&plan) ? "Subquery" : "Outer", {});
  if (Is<NestLoopPlan>(&plan)) text_.EnterNestLoop(*As<NestLoopPlan>(&plan));
  if (Is<HashJoinPlan>(&plan)) {
    HashNode(*As<HashJoinPlan>(&plan));
  } else if (plan.right != nullptr) {
    DescribeNode(*plan.right, "Inner", {});
  }
  if (has_bitmap) BitmapNodes(*As<BitmapScanPlan>(&plan), *As<BitmapScanPlan>(&plan)->bitmap, "Outer");
  if (members != nullptr) {
    for (const Plan* member : *members) DescribeNode(*member, "Member", {});
  }
  for (const SubPlan* sub : subplans) {
    if (!shown_subplans_.insert(sub->plan_id).second) continue;
    text_.EnterSubPlan(plan, *sub);
    const Subplan& subplan = *statement_.subplans[sub->plan_id - 1];
    // Rows kept between executions are the subplan's own affair, as its name says.
    DescribeNode(*subplan.plan, "SubPlan", subplan.name);
  }
  out_.CloseGroup("Plans", false);
}

std::vector<const SubPlan*> PlanExplainer::SubPlansOf(const Plan& plan) const {
  std::vector<const SubPlan*> found;
  for (const TargetEntry* entry : plan.target) CollectSubPlans(entry, &found);
  CollectFromList(plan.quals, &found);
  switch (plan.kind) {
    case PlanKind::kResult: CollectFromList(As<ResultPlan>(&plan)->one_time_quals, &found); break;
    case PlanKind::kFunctionScan:
      for (const RangeTblFunction* function : As<FunctionScanPlan>(&plan)->functions)
        CollectSubPlans(function->funcexpr, &found);
      break;
    case PlanKind::kValuesScan:
      for (const RowExpr* row : As<ValuesScanPlan>(&plan)->values) CollectSubPlans(row, &found);
      break;
    case PlanKind::kNestLoop:
    case PlanKind::kMergeJoin:
    case PlanKind::kHashJoin: CollectFromList(static_cast<const JoinPlan&>(plan).join_quals, &found); break;
    case PlanKind::kAgg:
      CollectFromList(As<AggPlan>(&plan)->group_keys, &found);
      for (const Aggref* aggref : As<AggPlan>(&plan)->aggregates) CollectSubPlans(aggref, &found);
      break;
    case PlanKind::kWindowAgg:
      for (const WindowFunc* function : As<WindowAggPlan>(&plan)->functions)
        CollectSubPlans(function, &found);
      break;
    case PlanKind::kLimit:
      CollectSubPlans(As<LimitPlan>(&plan)->offset, &found);
      CollectSubPlans(As<LimitPlan>(&plan)->count, &found);
      break;
    default: break;
  }
  return found;
}

}  // namespace walden
