// Window functions: a WindowAgg node for each window that has any, in an order that lets windows share their sorts.
#include <algorithm>
#include <cmath>

#include "node/config/settings.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

void CollectWindowFuncs(Node* node, std::vector<WindowFunc*>* to) {
  if (node == nullptr) return;
  if (WindowFunc* function = TryAs<WindowFunc>(node)) {
    for (const WindowFunc* known : *to) {
      if (EqualNodes(known, function)) return;
    }
    to->push_back(function);
    return;
  }
  AnyChild(node, [&](const Node* child) {
    CollectWindowFuncs(const_cast<Node*>(child), to);
    return false;
  });
}

// What the window's input is sorted by: the partition, then the order within it.
std::vector<const SortGroupClause*> SortClauses(const WindowClause& window) {
  std::vector<const SortGroupClause*> clauses(window.partition_clause.begin(), window.partition_clause.end());
  for (const SortGroupClause* clause : window.order_clause) {
    bool known = false;
    for (const SortGroupClause* other : clauses)
      known |= other->tle_sort_group_ref == clause->tle_sort_group_ref;
    if (!known) clauses.push_back(clause);
  }
  return clauses;
}

// Windows that begin with the same columns come together, the longest first: the others need no sort of their own.
bool ComesBefore(const WindowClause* a, const WindowClause* b) {
  std::vector<const SortGroupClause*> left = SortClauses(*a), right = SortClauses(*b);
  for (size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (left[i]->tle_sort_group_ref != right[i]->tle_sort_group_ref)
      return left[i]->tle_sort_group_ref > right[i]->tle_sort_group_ref;
    if (left[i]->sortop != right[i]->sortop) return left[i]->sortop > right[i]->sortop;
    if (left[i]->nulls_first != right[i]->nulls_first) return left[i]->nulls_first;
  }
  return left.size() > right.size();
}

int32_t FindColumn(const ExprList& columns, const Expr* expr) {
  for (uint32_t i = 0; i < columns.size(); ++i) {
    if (EqualNodes(columns[i], expr)) return static_cast<int32_t>(i + 1);
  }
  return 0;
}

}  // namespace

Path QueryPlanner::PlanWindows(Path input) {
  std::vector<WindowFunc*> functions;
  for (TargetEntry* entry : query_->target_list) CollectWindowFuncs(entry->expr, &functions);
  std::vector<const WindowClause*> active;
  for (const WindowClause* window : query_->window_clause) {
    bool used = std::any_of(functions.begin(), functions.end(),
                            [&](const WindowFunc* f) { return f->winref == window->winref; });
    if (used) active.push_back(window);
  }
  std::stable_sort(active.begin(), active.end(), ComesBefore);
  for (const WindowClause* window : active) {
    std::vector<WindowFunc*> own;
    for (WindowFunc* function : functions) {
      if (function->winref == window->winref) own.push_back(function);
    }
    input = PlanWindow(input, *window, own);
  }
  return input;
}

Path QueryPlanner::PlanWindow(Path input, const WindowClause& window,
                              const std::vector<WindowFunc*>& functions) {
  std::vector<const SortGroupClause*> clauses = SortClauses(window);
  // The sort columns are columns of the input, computed if need be.
  List<TargetEntry*> targets = TargetsFor(input.columns);
  ExprList columns = input.columns.Clone(arena());
  for (const SortGroupClause* clause : clauses) {
    Expr* expr = SortGroupTarget(*clause, query_->target_list)->expr;
    if (FindColumn(columns, expr) != 0) continue;
    targets.Append(arena(), MakeTargetEntry(arena(), BindToInput(expr, input.columns),
                                            static_cast<AttrNumber>(targets.size() + 1), {}, false));
    columns.Append(arena(), expr);
  }
  if (columns.size() != input.columns.size()) {
    std::vector<OrderElement> order = input.order;
    input = ProjectTo(input, targets);
    input.columns = columns;
    input.order = order;
    input.plan->width = WidthOf(columns);
  }
  auto key_of = [&](const SortGroupClause& clause) {
    return KeyFor(clause, FindColumn(input.columns, SortGroupTarget(clause, query_->target_list)->expr));
  };
  List<OrderKey> sort_keys;
  std::vector<OrderElement> wanted;
  for (const SortGroupClause* clause : clauses) {
    sort_keys.Append(arena(), key_of(*clause));
    wanted.push_back(
        {SortGroupTarget(*clause, query_->target_list)->expr, IsDescending(*clause), clause->nulls_first});
  }
  if (!sort_keys.empty() && !OrderSatisfies(input.order, wanted)) {
    input = SortPath(input, sort_keys);
    input.order = wanted;
  }
  WindowAggPlan* plan = arena().New<WindowAggPlan>();
  plan->left = input.plan;
  plan->clause = const_cast<WindowClause*>(&window);
  for (const SortGroupClause* clause : window.partition_clause)
    plan->partition_keys.Append(arena(), key_of(*clause));
  for (const SortGroupClause* clause : window.order_clause) plan->order_keys.Append(arena(), key_of(*clause));
  plan->start_offset = PlanSubLinks(window.start_offset);
  plan->end_offset = PlanSubLinks(window.end_offset);
  ExprList output = input.columns.Clone(arena());
  for (WindowFunc* function : functions) {
    plan->functions.Append(arena(), static_cast<WindowFunc*>(BindToInput(function, input.columns)));
    output.Append(arena(), function);
  }
  plan->target = TargetsFor(output);
  plan->project = false;
  Path path = input;
  path.columns = output;
  path.plan = plan;
  double per_row =
      GetReal(Setting::kCpuTupleCost) +
      GetReal(Setting::kCpuOperatorCost) * static_cast<double>(functions.size() + clauses.size());
  path.total_cost += path.rows * per_row;
  plan->rows = path.rows;
  plan->width = WidthOf(output);
  plan->startup_cost = path.startup_cost;
  plan->total_cost = path.total_cost;
  return path;
}

}  // namespace walden
