// UNION, INTERSECT, EXCEPT, and WITH: CTE subplans and recursive unions.
#include <algorithm>

#include "node/config/settings.h"
#include "node/sql/binder/binder.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

// Target entries of positions 1..n with the types of the operation's columns.
List<TargetEntry*> PositionTargets(Arena& arena, const SetOperationStmt& operation) {
  List<TargetEntry*> targets;
  for (uint32_t i = 0; i < operation.col_types.size(); ++i) {
    Var* var = MakeVar(arena, kInputVar, static_cast<AttrNumber>(i + 1), operation.col_types[i],
                       operation.col_typmods[i], operation.col_collations[i]);
    targets.Append(arena, MakeTargetEntry(arena, var, static_cast<AttrNumber>(i + 1), {}, false));
  }
  return targets;
}

List<OrderKey> AllKeys(Arena& arena, const SetOperationStmt& operation) {
  List<OrderKey> keys;
  for (uint32_t i = 0; i < operation.col_types.size(); ++i) {
    OrderKey key;
    key.column = static_cast<int32_t>(i + 1);
    key.type = operation.col_types[i];
    key.collation = operation.col_collations[i];
    keys.Append(arena, key);
  }
  return keys;
}

bool AllHashable(const SetOperationStmt& operation) {
  for (Oid type : operation.col_types) {
    if (TypeOf(type).hash == nullptr) return false;
  }
  return true;
}

}  // namespace

Path QueryPlanner::PlanSetOperationTree(Node* node, const SetOperationStmt& top) {
  if (RangeTblRef* ref = TryAs<RangeTblRef>(node)) {
    Query* sub = query_->rtable[ref->rtindex - 1]->subquery;
    QueryPlanner planner(global_, this, sub);
    Path path = planner.PlanSelect(0);
    path.order.clear();
    ConvertArm(&path, sub->target_list, top);
    return path;
  }
  SetOperationStmt& operation = *As<SetOperationStmt>(node);
  Path path = PlanSetOperation(operation);
  ConvertArm(&path, path.plan->target, top);
  return path;
}

// Gives the arm's visible columns the operation's types. Junk columns (ORDER BY of the arm) are not part of it.
void QueryPlanner::ConvertArm(Path* path, const List<TargetEntry*>& columns,
                              const SetOperationStmt& operation) {
  List<TargetEntry*> targets;
  bool as_is = columns.size() == operation.col_types.size();
  for (const TargetEntry* column : columns) {
    if (column->resjunk) continue;
    uint32_t i = targets.size();
    Var* var = MakeVar(arena(), kInputVar, static_cast<AttrNumber>(column->resno), ExprType(column->expr),
                       ExprTypmod(column->expr), ExprCollation(column->expr));
    Expr* converted = var;
    if (var->vartype != operation.col_types[i]) {
      BindOptions options{.arena = arena(),
                          .catalog = global_.options.binding->catalog,
                          .source = {},
                          .format = global_.options.binding->format,
                          .names = global_.options.binding->names};
      converted = BindCommonConversion(var, operation.col_types[i], SetOperationName(operation.op), options);
      as_is = false;
    }
    targets.Append(arena(), MakeTargetEntry(arena(), converted, static_cast<AttrNumber>(i + 1), {}, false));
  }
  if (as_is) return;
  ResultPlan* result = arena().New<ResultPlan>();
  result->left = path->plan;
  result->target = targets;
  result->rows = path->rows;
  result->startup_cost = path->startup_cost;
  result->total_cost = path->total_cost;
  path->plan = result;
}

Path QueryPlanner::PlanSetOperation(const SetOperationStmt& operation) {
  Path left = PlanSetOperationTree(operation.larg, operation);
  Path right = PlanSetOperationTree(operation.rarg, operation);
  Path path;
  path.columns = {};
  if (operation.op != SetOperation::kUnion) {
    if (!AllHashable(operation)) throw NotSupported("INTERSECT or EXCEPT of columns that cannot be hashed");
    SetOpPlan* plan = arena().New<SetOpPlan>();
    plan->op = operation.op;
    plan->all = operation.all;
    plan->left = left.plan;
    plan->right = right.plan;
    plan->keys = AllKeys(arena(), operation);
    path.plan = plan;
    path.rows =
        std::max(1.0, operation.op == SetOperation::kIntersect ? std::min(left.rows, right.rows) : left.rows);
    path.startup_cost = left.total_cost + right.total_cost;
    path.total_cost = path.startup_cost + path.rows * GetReal(Setting::kCpuTupleCost);
  } else {
    AppendPlan* plan = arena().New<AppendPlan>();
    // Nested unions of the same kind are one Append.
    for (const Path* side : {&left, &right}) {
      bool nested = side->plan->kind == PlanKind::kAppend && operation.all;
      if (nested) {
        plan->children.AppendAll(arena(), As<AppendPlan>(side->plan)->children);
      } else {
        plan->children.Append(arena(), side->plan);
      }
    }
    path.plan = plan;
    path.rows = left.rows + right.rows;
    path.total_cost = left.total_cost + right.total_cost + path.rows * GetReal(Setting::kCpuTupleCost) * 0.5;
  }
  Plan* plan = path.plan;
  plan->target = PositionTargets(arena(), operation);
  plan->project = false;
  plan->rows = path.rows;
  plan->startup_cost = path.startup_cost;
  plan->total_cost = path.total_cost;
  for (uint32_t i = 0; i < operation.col_types.size(); ++i)
    plan->width += TypeWidth(operation.col_types[i], operation.col_typmods[i]);
  if (operation.op != SetOperation::kUnion || operation.all) return path;

  // UNION: the rows of both, each once.
  if (AllHashable(operation)) {
    AggPlan* agg = arena().New<AggPlan>();
    agg->strategy = AggStrategy::kHashed;
    agg->left = plan;
    for (const TargetEntry* entry : plan->target) agg->group_keys.Append(arena(), entry->expr);
    agg->groups = path.rows;
    agg->target = PositionTargets(arena(), operation);
    path.plan = agg;
  } else {
    SortPlan* sort = arena().New<SortPlan>();
    sort->left = plan;
    sort->keys = AllKeys(arena(), operation);
    sort->target = PositionTargets(arena(), operation);
    sort->project = false;
    sort->rows = path.rows;
    UniquePlan* unique = arena().New<UniquePlan>();
    unique->left = sort;
    unique->keys = sort->keys;
    unique->target = PositionTargets(arena(), operation);
    unique->project = false;
    path.plan = unique;
  }
  path.startup_cost = path.total_cost;
  path.total_cost += path.rows * GetReal(Setting::kCpuTupleCost);
  path.plan->rows = path.rows;
  path.plan->width = plan->width;
  path.plan->startup_cost = path.startup_cost;
  path.plan->total_cost = path.total_cost;
  return path;
}

Path QueryPlanner::PlanSetOperations() {
  AppendRangeTable();
  Path path = PlanSetOperation(*As<SetOperationStmt>(query_->set_operations));
  // The query's target list refers to the first arm's entry; output columns are in its order.
  path.columns.Clear();
  for (const TargetEntry* entry : query_->target_list) path.columns.Append(arena(), entry->expr);
  List<TargetEntry*> targets;
  for (uint32_t i = 0; i < query_->target_list.size(); ++i) {
    TargetEntry* named = static_cast<TargetEntry*>(CopyShallow(query_->target_list[i], arena()));
    named->expr = path.plan->target[i]->expr;
    targets.Append(arena(), named);
  }
  path.plan->target = targets;
  return path;
}

Path QueryPlanner::PlanRecursiveUnion(const SetOperationStmt& operation, int32_t work_table_id) {
  RecursiveUnionPlan* plan = arena().New<RecursiveUnionPlan>();
  plan->work_table_id = work_table_id;
  plan->distinct = !operation.all;
  plan->keys = AllKeys(arena(), operation);
  if (plan->distinct && !AllHashable(operation))
    throw NotSupported("recursive UNION of columns that cannot be hashed");
  Path left = PlanSetOperationTree(operation.larg, operation);
  Path right = PlanSetOperationTree(operation.rarg, operation);
  plan->left = left.plan;
  plan->right = right.plan;
  plan->target = PositionTargets(arena(), operation);
  plan->project = false;
  Path path;
  path.plan = plan;
  path.rows = left.rows + 10 * right.rows;
  path.total_cost = left.total_cost + 10 * right.total_cost;
  plan->rows = path.rows;
  plan->total_cost = path.total_cost;
  return path;
}

void QueryPlanner::PlanCtes() {
  for (CommonTableExpr* cte : query_->cte_list) {
    if (cte->cterefcount == 0 && cte->ctequery->command_type == CmdType::kSelect)
      continue;  // inlined, or never read
    bool modifies = cte->ctequery->command_type != CmdType::kSelect;
    if (cte->search_clause != nullptr || cte->cycle_clause != nullptr)
      throw NotSupported("SEARCH and CYCLE of a recursive query");
    PlannedCte planned;
    planned.name = cte->ctename;
    Path path;
    if (cte->cterecursive) {
      planned.work_table_id = global_.next_work_table++;
      planned.rows = 10;
      ctes_.push_back(planned);
      QueryPlanner planner(global_, this, cte->ctequery);
      planner.AppendRangeTable();
      path = planner.PlanRecursiveUnion(*As<SetOperationStmt>(cte->ctequery->set_operations),
                                        planned.work_table_id);
    } else {
      QueryPlanner planner(global_, this, cte->ctequery);
      path = modifies ? planner.PlanModification() : planner.PlanSelect(0);
      ctes_.push_back(planned);
    }
    Subplan* subplan = arena().New<Subplan>();
    subplan->plan = path.plan;
    subplan->is_cte = true;
    subplan->name = arena().Copy(fmt::format("CTE {}", cte->ctename));
    ctes_.back().work_table_id = 0;
    ctes_.back().rows = path.rows;
    ctes_.back().subplan_id = global_.AddSubplan(subplan);
    init_plans_.push_back(ctes_.back().subplan_id);
    if (modifies) global_.statement->modifying_ctes.Append(arena(), ctes_.back().subplan_id);
  }
}

}  // namespace walden
