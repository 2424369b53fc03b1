#include "node/sql/optimizer/planner.h"

#include <algorithm>
#include <set>

#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

// Exec parameters that a plan takes from outside itself: a change of one invalidates its rows. Also numbers the nodes.
class ParamFinder {
 public:
  explicit ParamFinder(PlannedStatement& statement) : statement_(statement) {}

  std::set<int32_t> Visit(Plan* plan) {
    plan->node_id = statement_.node_count++;
    std::set<int32_t> params;
    for (const TargetEntry* entry : plan->target) Collect(entry, &params);
    CollectList(plan->quals, &params);
    CollectSpecific(plan, &params);
    if (plan->left != nullptr) Merge(Visit(plan->left), &params);
    if (plan->right != nullptr) {
      std::set<int32_t> inner = Visit(plan->right);
      if (NestLoopPlan* loop = plan->kind == PlanKind::kNestLoop ? As<NestLoopPlan>(plan) : nullptr) {
        for (const NestLoopParam* own : loop->nest_params) inner.erase(own->param_id);
      }
      Merge(inner, &params);
    }
    for (Plan* child : ChildrenOf(plan)) Merge(Visit(child), &params);
    plan->params.Clear();
    for (int32_t id : params) plan->params.Append(statement_.arena, id);
    return params;
  }

 private:
  static void Merge(const std::set<int32_t>& from, std::set<int32_t>* to) {
    to->insert(from.begin(), from.end());
  }

  static List<Plan*> ChildrenOf(Plan* plan) {
    if (plan->kind == PlanKind::kAppend) return As<AppendPlan>(plan)->children;
    if (plan->kind == PlanKind::kMergeAppend) return As<MergeAppendPlan>(plan)->children;
    return {};
  }

  void CollectList(const ExprList& list, std::set<int32_t>* to) {
    for (const Expr* expr : list) Collect(expr, to);
  }

  void Collect(const Node* node, std::set<int32_t>* to) {
    if (node == nullptr) return;
    if (const Param* param = TryAs<Param>(node)) {
      if (param->paramkind == ParamKind::kExec) to->insert(param->paramid);
      return;
    }
    if (const SubPlan* sub = TryAs<SubPlan>(node)) {
      // The subplan's own needs, but for what this node sets before each run.
      std::set<int32_t> inside = SubplanParams(sub->plan_id);
      for (int32_t id : sub->par_param) inside.erase(id);
      for (int32_t id : sub->param_ids) inside.erase(id);
      Merge(inside, to);
      std::set<int32_t> test;
      Collect(sub->testexpr, &test);
      for (int32_t id : sub->param_ids) test.erase(id);
      Merge(test, to);
      for (const Expr* arg : sub->args) Collect(arg, to);
      return;
    }
    AnyChild(node, [&](const Node* child) {
      Collect(child, to);
      return false;
    });
  }

  void CollectBitmap(const BitmapNode* node, std::set<int32_t>* to) {
    for (const IndexCondition* condition : node->conditions) {
      Collect(condition->value, to);
      CollectList(condition->row_values, to);
    }
    for (const BitmapNode* child : node->children) CollectBitmap(child, to);
  }

  std::set<int32_t> SubplanParams(int32_t id) {
    const Plan* plan = statement_.subplans[id - 1]->plan;
    return {plan->params.begin(), plan->params.end()};
  }

  void CollectSpecific(Plan* plan, std::set<int32_t>* to) {
    switch (plan->kind) {
      case PlanKind::kResult: CollectList(As<ResultPlan>(plan)->one_time_quals, to); break;
      case PlanKind::kIndexScan:
        for (const IndexCondition* condition : As<IndexScanPlan>(plan)->conditions) {
          Collect(condition->value, to);
          CollectList(condition->row_values, to);
        }
        break;
      case PlanKind::kBitmapScan:
        CollectBitmap(As<BitmapScanPlan>(plan)->bitmap, to);
        CollectList(As<BitmapScanPlan>(plan)->recheck, to);
        break;
      case PlanKind::kTidScan: CollectList(As<TidScanPlan>(plan)->tids, to); break;
      case PlanKind::kFunctionScan:
        for (const RangeTblFunction* function : As<FunctionScanPlan>(plan)->functions)
          Collect(function->funcexpr, to);
        break;
      case PlanKind::kValuesScan:
        for (const RowExpr* row : As<ValuesScanPlan>(plan)->values) Collect(row, to);
        break;
      case PlanKind::kNestLoop: CollectList(As<NestLoopPlan>(plan)->join_quals, to); break;
      case PlanKind::kHashJoin: {
        HashJoinPlan* join = As<HashJoinPlan>(plan);
        CollectList(join->join_quals, to);
        CollectList(join->outer_keys, to);
        CollectList(join->inner_keys, to);
        break;
      }
      case PlanKind::kAgg:
        CollectList(As<AggPlan>(plan)->group_keys, to);
        for (const Aggref* aggref : As<AggPlan>(plan)->aggregates) Collect(aggref, to);
        break;
      case PlanKind::kMergeJoin: {
        MergeJoinPlan* join = As<MergeJoinPlan>(plan);
        CollectList(join->join_quals, to);
        CollectList(join->outer_keys, to);
        CollectList(join->inner_keys, to);
        break;
      }
      case PlanKind::kWindowAgg:
        for (const WindowFunc* function : As<WindowAggPlan>(plan)->functions) Collect(function, to);
        Collect(As<WindowAggPlan>(plan)->start_offset, to);
        Collect(As<WindowAggPlan>(plan)->end_offset, to);
        break;
      case PlanKind::kModifyTable:
        CollectList(As<ModifyTablePlan>(plan)->conflict_values, to);
        CollectList(As<ModifyTablePlan>(plan)->conflict_where, to);
        break;
      case PlanKind::kLimit:
        Collect(As<LimitPlan>(plan)->offset, to);
        Collect(As<LimitPlan>(plan)->count, to);
        break;
      case PlanKind::kCteScan: Merge(SubplanParams(As<CteScanPlan>(plan)->subplan_id), to); break;
      default: break;
    }
  }

  PlannedStatement& statement_;
};

}  // namespace

void QueryPlanner::AttachInitPlans(Plan* top) {
  for (int32_t id : init_plans_) top->init_plans.Append(arena(), id);
  init_plans_.clear();
}

namespace {

// HAVING without groups or aggregates: one row or none, whatever the tables hold. They are not read.
void ReplaceSourceByHaving(Query* query) {
  if (query->having_qual == nullptr || query->has_aggs || !query->group_clause.empty() ||
      !query->grouping_sets.empty() || ContainsSubLink(query->having_qual))
    return;
  query->jointree->fromlist = {};
  query->jointree->quals = query->having_qual;
  query->having_qual = nullptr;
}

}  // namespace

Path QueryPlanner::PlanQueryLevel(double tuple_fraction) {
  if (query_->set_operations != nullptr) {
    InlineCtes();
    PlanCtes();
    Path path = PlanSetOperations();
    path = PlanOrderBy(path);
    return PlanLimit(path);
  }
  if (!query_->row_marks.empty()) {
    locks_rows_ = true;
    AddRowMarkTargets();
  }
  if (parent_ == nullptr && global_.statement->keep_row_identity && query_->command_type == CmdType::kSelect)
    AddRowIdentities();
  ReplaceSourceByHaving(query_);
  Prepare();
  for (TargetEntry* entry : query_->target_list) entry->expr = PlanSubLinks(entry->expr);
  query_->having_qual = PlanSubLinks(query_->having_qual);
  if (const Const* count = TryAs<Const>(static_cast<const Node*>(query_->limit_count));
      count != nullptr && !count->IsNull()) {
    limit_rows_ = static_cast<double>(count->value.datum.i64);
    if (const Const* offset = TryAs<Const>(static_cast<const Node*>(query_->limit_offset));
        offset != nullptr && !offset->IsNull()) {
      limit_rows_ += static_cast<double>(offset->value.datum.i64);
    } else if (query_->limit_offset != nullptr) {
      limit_rows_ = -1;
    }
  } else if (tuple_fraction > 0) {
    fetched_part_ = tuple_fraction;
  }
  bool grouped = query_->has_aggs || !query_->group_clause.empty() || !query_->grouping_sets.empty() ||
                 query_->having_qual != nullptr;
  if (!grouped && !query_->has_window_funcs && query_->distinct_clause.empty()) {
    wanted_order_ = OrderOf(query_->sort_clause);
    reads_in_order_ = wanted_order_.empty();
  }
  Path path = PlanFromAndWhere();
  if (grouped) path = PlanGrouping(path);
  if (query_->has_window_funcs) path = PlanWindows(path);
  path = PlanTargets(path);
  path = PlanDistinct(path);
  path = PlanOrderBy(path);
  path = PlanRowMarks(path);
  return PlanLimit(path);
}

void PlanQuery(Query* query, const PlannerOptions& options, PlannedStatement* statement) {
  PlannerGlobal global(options, statement);
  statement->command = query->command_type;
  QueryPlanner planner(global, nullptr, query);
  bool is_select = query->command_type == CmdType::kSelect;
  if (!is_select && query->command_type != CmdType::kInsert && query->command_type != CmdType::kUpdate &&
      query->command_type != CmdType::kDelete) {
    throw NotSupported("MERGE");
  }
  Path path = is_select ? planner.PlanSelect(options.tuple_fraction) : planner.PlanModification();
  statement->plan = path.plan;
  statement->is_read_only = is_select && statement->modifying_ctes.empty();
  statement->has_returning = !query->returning_list.empty();
  statement->is_custom = !options.parameters.empty();
  const List<TargetEntry*>& visible = is_select ? query->target_list : query->returning_list;
  for (TargetEntry* entry : visible) {
    if (!entry->resjunk) statement->result.Append(statement->arena, entry);
  }
  ParamFinder finder(*statement);
  // Subplans are made inside out: each one's parameters are known before those who use it are visited.
  for (Subplan* subplan : statement->subplans) finder.Visit(subplan->plan);
  finder.Visit(statement->plan);
}

}  // namespace walden
