// Above the joins: grouping, target list, DISTINCT, ORDER BY, row locks, LIMIT.
#include <algorithm>
#include <cmath>

#include "node/catalog/builtin.h"
#include "node/config/settings.h"
#include "node/sql/optimizer/cost.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

void CollectAggregates(Node* node, ExprList* to, Arena& arena) {
  if (node == nullptr) return;
  if (Aggref* aggref = TryAs<Aggref>(node); aggref != nullptr && aggref->agglevelsup == 0) {
    for (Expr* known : *to) {
      if (EqualNodes(known, aggref)) return;
    }
    to->Append(arena, aggref);
    return;
  }
  if (Is<GroupingFunc>(node)) return;  // its arguments are not evaluated
  AnyChild(node, [&](const Node* child) {
    CollectAggregates(const_cast<Node*>(child), to, arena);
    return false;
  });
}

void CollectGroupings(Node* node, ExprList* to, Arena& arena) {
  if (node == nullptr) return;
  if (GroupingFunc* grouping = TryAs<GroupingFunc>(node); grouping != nullptr && grouping->agglevelsup == 0) {
    for (Expr* known : *to) {
      if (EqualNodes(known, grouping)) return;
    }
    to->Append(arena, grouping);
    return;
  }
  AnyChild(node, [&](const Node* child) {
    CollectGroupings(const_cast<Node*>(child), to, arena);
    return false;
  });
}

Node* ReplaceInput(Node* node, int32_t column, Expr* by, Arena& arena) {
  if (const Var* var = TryAs<Var>(node))
    return var->varno == kInputVar && var->varattno == column ? by : node;
  return MutateChildren(node, arena, [&](Node* child) { return ReplaceInput(child, column, by, arena); });
}

void CollectSetCalls(Node* node, ExprList* to, Arena& arena) {
  if (FuncExpr* call = TryAs<FuncExpr>(node); call != nullptr && call->funcretset) {
    for (const Expr* arg : call->args) {
      if (ContainsSetReturning(arg)) throw NotSupported("set-returning function as an argument of another");
    }
    to->Append(arena, call);
    return;
  }
  AnyChild(node, [&](const Node* child) {
    CollectSetCalls(const_cast<Node*>(child), to, arena);
    return false;
  });
}

void CollectVars(const Node* node, std::vector<Expr*>* to) {
  if (node == nullptr) return;
  if (const Var* var = TryAs<Var>(node)) {
    if (var->varlevelsup == 0 && var->varno > 0) to->push_back(const_cast<Var*>(var));
    return;
  }
  AnyChild(node, [&](const Node* child) {
    CollectVars(child, to);
    return false;
  });
}

void SetCosts(Plan* plan, const Path& path, int32_t width) {
  plan->rows = path.rows;
  plan->width = width;
  plan->startup_cost = path.startup_cost;
  plan->total_cost = path.total_cost;
}

}  // namespace

bool OrderSatisfies(const std::vector<OrderElement>& have, const std::vector<OrderElement>& want) {
  if (want.size() > have.size()) return false;
  for (size_t i = 0; i < want.size(); ++i) {
    if (!EqualNodes(have[i].expr, want[i].expr) || have[i].descending != want[i].descending ||
        have[i].nulls_first != want[i].nulls_first) {
      return false;
    }
  }
  return true;
}

OrderKey QueryPlanner::KeyFor(const SortGroupClause& clause, int32_t column) {
  OrderKey key;
  key.column = column;
  TargetEntry* target = SortGroupTarget(clause, query_->target_list);
  key.type = ExprType(target->expr);
  key.collation = ExprCollation(target->expr);
  key.descending = IsDescending(clause);
  key.nulls_first = clause.nulls_first;
  return key;
}

std::vector<OrderElement> QueryPlanner::OrderOf(const List<SortGroupClause*>& clauses) const {
  std::vector<OrderElement> order;
  for (const SortGroupClause* clause : clauses) {
    order.push_back(
        {SortGroupTarget(*clause, query_->target_list)->expr, IsDescending(*clause), clause->nulls_first});
  }
  return order;
}

// Joins of FROM, filtered by WHERE.
Path QueryPlanner::PlanFromAndWhere() {
  std::unique_ptr<JoinNode> tree = BuildRegion(query_->jointree);
  ReduceOuterJoins(tree.get(), RelSet());
  all_rels_ = tree->rels;
  CollectNeeded();
  struct Quals {
    static void Note(QueryPlanner* planner, const JoinNode& node, std::vector<const Qual*>* all) {
      for (const Qual& qual : node.quals) all->push_back(&qual);
      for (const auto& item : node.items) Note(planner, *item, all);
      if (node.left != nullptr) Note(planner, *node.left, all);
      if (node.right != nullptr) Note(planner, *node.right, all);
    }
  };
  // Quals move between nodes while paths are made: keep copies for deciding what is needed above.
  std::vector<const Qual*> found;
  Quals::Note(this, *tree, &found);
  std::vector<Qual> copies;
  for (const Qual* qual : found) copies.push_back(*qual);
  for (const Qual& qual : copies) all_quals_.push_back(&qual);
  for (const Qual& qual : copies) {
    int32_t single = 0;
    if (qual.rels.count() == 1) {
      for (size_t i = 0; i < bases_.size(); ++i) {
        if (bases_[i] != nullptr && qual.rels.Contains(static_cast<int>(i) + 1))
          single = static_cast<int32_t>(i) + 1;
      }
      // Under an outer join the condition may stay above its relation.
      bool top_level = false;
      for (const auto& item : tree->items)
        top_level |= item->kind == JoinNode::Kind::kBase && item->rtindex == single;
      if (!top_level) single = 0;
    }
    NoteNeeded(qual.expr, single);
  }
  Item item = PlanRegion(*tree);
  all_quals_.clear();
  Path best = item.path;
  // An order that saves a sort may be worth a dearer path, more so when few rows are wanted.
  if (!wanted_order_.empty() && !OrderSatisfies(best.order, wanted_order_)) {
    double sort = best.rows * std::log2(std::max(2.0, best.rows)) * 2 * CpuOperatorCost();
    if (!GetBool(Setting::kEnableSort)) sort += kDisabledCost;
    double cost_best = best.total_cost + sort;
    for (const Path& path : item.ordered) {
      if (!OrderSatisfies(path.order, wanted_order_) || !path.required.empty()) continue;
      double fraction = limit_rows_ > 0 && path.rows > limit_rows_ ? limit_rows_ / path.rows : fetched_part_;
      double cost = path.startup_cost + (path.total_cost - path.startup_cost) * fraction;
      if (cost < cost_best) {
        best = path;
        cost_best = cost;
      }
    }
  }
  return best;
}

void QueryPlanner::CollectNeeded() {
  std::vector<Expr*> vars;
  for (const TargetEntry* entry : query_->target_list) CollectVars(entry, &vars);
  CollectVars(query_->having_qual, &vars);
  for (const WindowClause* window : query_->window_clause) CollectVars(window, &vars);
  for (const TargetEntry* entry : query_->returning_list) CollectVars(entry, &vars);
  upper_needed_ = vars;
  for (const Expr* var : vars) NoteNeeded(var, 0);
  for (const auto& base : bases_) {
    if (base == nullptr) continue;
    if (base->rte->rtekind == RteKind::kSubquery && base->rte->lateral) {
      struct Lateral {
        static void Note(QueryPlanner* planner, const Node* node, uint32_t level) {
          if (const Var* var = TryAs<Var>(node)) {
            if (var->varlevelsup != level || level == 0) return;
            Var* own = static_cast<Var*>(CopyShallow(node, planner->arena()));
            own->varlevelsup = 0;
            planner->NoteNeeded(own, 0);
            return;
          }
          AnyChild(node, [&](const Node* child) {
            Note(planner, child, Is<Query>(node) ? level + 1 : level);
            return false;
          });
        }
      };
      Lateral::Note(this, base->rte->subquery, 0);
    } else if (base->rte->rtekind != RteKind::kRelation && base->rte->rtekind != RteKind::kSubquery) {
      NoteNeeded(base->rte, 0);
    }
  }
}

Path QueryPlanner::SortPath(Path input, const List<OrderKey>& keys, double bound) {
  SortPlan* plan = arena().New<SortPlan>();
  plan->left = input.plan;
  plan->keys = keys;
  plan->bound = bound;
  plan->target = TargetsFor(input.columns);
  plan->project = false;
  double rows = std::max(2.0, input.rows);
  double compared = bound > 0 ? std::min(rows, 2 * bound) : rows;
  input.startup_cost = input.total_cost + rows * std::log2(std::max(2.0, compared)) * 2 * CpuOperatorCost();
  if (!GetBool(Setting::kEnableSort)) input.startup_cost += kDisabledCost;
  input.total_cost = input.startup_cost + input.rows * CpuOperatorCost();
  input.order.clear();
  SetCosts(plan, input, input.plan->width);
  input.plan = plan;
  return input;
}

Path QueryPlanner::PlanGrouping(Path input) {
  if (!query_->grouping_sets.empty()) TellGroupingColumnsApart();
  ExprList aggregates;
  for (TargetEntry* entry : query_->target_list) CollectAggregates(entry->expr, &aggregates, arena());
  CollectAggregates(query_->having_qual, &aggregates, arena());
  ExprList groupings;
  for (TargetEntry* entry : query_->target_list) CollectGroupings(entry->expr, &groupings, arena());
  CollectGroupings(query_->having_qual, &groupings, arena());
  AggPlan* plan = arena().New<AggPlan>();
  ExprList columns;
  bool hashable = true;
  std::vector<const SortGroupClause*> clauses;
  for (const SortGroupClause* clause : query_->group_clause) {
    columns.Append(arena(), SortGroupTarget(*clause, query_->target_list)->expr);
    clauses.push_back(clause);
    hashable &= clause->hashable && TypeOf(ExprType(columns.back())).hash != nullptr;
  }
  // Columns that a primary key in GROUP BY determines may appear ungrouped: they are grouped too, which changes nothing.
  if (!columns.empty()) {
    std::vector<Expr*> used;
    struct Ungrouped {
      static void Find(const Node* node, const ExprList& grouped, std::vector<Expr*>* to) {
        if (node == nullptr || Is<Aggref>(node) || Is<GroupingFunc>(node)) return;
        for (const Expr* expr : grouped) {
          if (EqualNodes(node, expr)) return;
        }
        if (const Var* var = TryAs<Var>(node)) {
          if (var->varlevelsup == 0 && var->varno > 0) to->push_back(const_cast<Var*>(var));
          return;
        }
        AnyChild(node, [&](const Node* child) {
          Find(child, grouped, to);
          return false;
        });
      }
    };
    for (const TargetEntry* entry : query_->target_list) Ungrouped::Find(entry->expr, columns, &used);
    Ungrouped::Find(query_->having_qual, columns, &used);
    for (Expr* var : used) {
      bool known = false;
      for (const Expr* column : columns) known |= EqualNodes(column, var);
      if (!known) columns.Append(arena(), var);
    }
  }
  bool ordered_calls = false;
  double groups = 1;
  for (uint32_t i = 0; i < columns.size(); ++i) groups *= DistinctValues(*this, columns[i], input.rows);
  groups = columns.empty() ? 1 : std::clamp(groups, 1.0, std::max(1.0, input.rows));
  for (Expr* aggregate : aggregates) {
    Aggref* bound = static_cast<Aggref*>(BindToInput(aggregate, input.columns));
    ordered_calls |= !bound->aggorder.empty() || !bound->aggdistinct.empty() || bound->aggkind != 'n';
    plan->aggregates.Append(arena(), bound);
  }
  std::vector<std::vector<int32_t>> sets = ExpandGroupingSets();
  // What a key determines, every set determines: otherwise it could not have been asked for.
  for (std::vector<int32_t>& set : sets) {
    for (size_t i = clauses.size(); i < columns.size(); ++i) set.push_back(static_cast<int32_t>(i));
  }
  if (!sets.empty() && (ordered_calls || !hashable))
    return PlanSortedGroupingSets(input, columns, aggregates, groupings, sets);
  bool use_sort = !columns.empty() && query_->grouping_sets.empty() &&
                  (ordered_calls || !hashable || !GetBool(Setting::kEnableHashagg));
  if (use_sort) {
    // Project the keys to columns that can be sorted by, beside everything the aggregates need.
    List<TargetEntry*> targets;
    ExprList sorted_columns;
    List<OrderKey> keys;
    for (uint32_t i = 0; i < columns.size(); ++i) {
      targets.Append(arena(), MakeTargetEntry(arena(), BindToInput(columns[i], input.columns),
                                              static_cast<AttrNumber>(i + 1), {}, false));
      sorted_columns.Append(arena(), columns[i]);
      OrderKey key;
      key.column = static_cast<int32_t>(i + 1);
      key.type = ExprType(columns[i]);
      key.collation = ExprCollation(columns[i]);
      if (i < clauses.size()) {
        key.descending = IsDescending(*clauses[i]);
        key.nulls_first = clauses[i]->nulls_first;
      }
      keys.Append(arena(), key);
    }
    for (Expr* column : input.columns) {
      targets.Append(arena(), MakeTargetEntry(arena(), BindToInput(column, input.columns),
                                              static_cast<AttrNumber>(targets.size() + 1), {}, false));
      sorted_columns.Append(arena(), column);
    }
    input = ProjectTo(input, targets);
    input.columns = sorted_columns;
    input = SortPath(input, keys);
    plan->aggregates.Clear();
    for (Expr* aggregate : aggregates)
      plan->aggregates.Append(arena(), static_cast<Aggref*>(BindToInput(aggregate, sorted_columns)));
  }
  if (columns.empty() && query_->grouping_sets.empty()) {
    plan->strategy = AggStrategy::kPlain;
  } else {
    plan->strategy = use_sort ? AggStrategy::kSorted : AggStrategy::kHashed;
  }
  for (const std::vector<int32_t>& set : sets) {
    List<int32_t> members;
    for (int32_t column : set) members.Append(arena(), column);
    plan->grouping_sets.Append(arena(), members);
    if (set.empty()) plan->strategy = AggStrategy::kMixed;
  }
  if (!sets.empty()) {
    groups = 0;
    for (const std::vector<int32_t>& set : sets) {
      double own = 1;
      for (int32_t column : set) own *= DistinctValues(*this, columns[column], input.rows);
      groups += std::min(own, std::max(1.0, input.rows));
    }
  }
  for (Expr* column : columns) plan->group_keys.Append(arena(), BindToInput(column, input.columns));
  plan->left = input.plan;
  plan->groups = groups;

  Path path = input;
  path.columns = columns;
  for (Expr* aggregate : aggregates) path.columns.Append(arena(), aggregate);
  uint32_t set_column = path.columns.size() + 1;
  path.columns.AppendAll(arena(), groupings);
  plan->quals = BindList(MakeQuals(query_->having_qual), path.columns);
  plan->target = TargetsFor(path.columns);
  // GROUPING() follows from the number of the grouping set, the last column of the node's input row.
  for (uint32_t i = 0; i < groupings.size(); ++i) {
    Expr* value = GroupingValue(*As<GroupingFunc>(static_cast<Node*>(groupings[i])), sets,
                                static_cast<int32_t>(set_column));
    int32_t column = static_cast<int32_t>(set_column + i);
    for (Expr*& qual : plan->quals) qual = static_cast<Expr*>(ReplaceInput(qual, column, value, arena()));
    plan->target[column - 1]->expr = value;
    plan->groupings.Append(arena(), BindToInput(groupings[i], input.columns));
    plan->grouping_values.Append(arena(), value);
  }
  plan->project = true;  // drops the grouping set number
  path.plan = plan;
  path.rows = plan->quals.empty() ? groups : std::max(1.0, groups / 3);
  double calls = std::max<double>(1, aggregates.size());
  double work = input.rows * CpuOperatorCost() * (calls + static_cast<double>(columns.size()));
  path.startup_cost = use_sort ? input.startup_cost : input.total_cost + work;
  path.total_cost = input.total_cost + work + groups * CpuTupleCost();
  path.order.clear();
  SetCosts(plan, path, WidthOf(path.columns));
  return path;
}

namespace {

// Nodes that compute a target list of their own.
bool CanProject(PlanKind kind) {
  switch (kind) {
    case PlanKind::kSeqScan:
    case PlanKind::kIndexScan:
    case PlanKind::kBitmapScan:
    case PlanKind::kTidScan:
    case PlanKind::kFunctionScan:
    case PlanKind::kValuesScan:
    case PlanKind::kSubqueryScan:
    case PlanKind::kCteScan:
    case PlanKind::kWorkTableScan:
    case PlanKind::kNestLoop:
    case PlanKind::kHashJoin:
    case PlanKind::kMergeJoin:
    case PlanKind::kAgg:
    case PlanKind::kWindowAgg:
    case PlanKind::kResult: return true;
    default: return false;
  }
}

bool OnlyPicksColumns(const Plan& plan) {
  for (const TargetEntry* entry : plan.target) {
    const Var* var = TryAs<Var>(static_cast<const Node*>(entry->expr));
    bool is_grouping = Is<AggPlan>(&plan) && Is<CaseExpr>(static_cast<const Node*>(entry->expr));
    if (!is_grouping && (var == nullptr || var->varno != kInputVar)) return false;
  }
  return true;
}

// From positions in `plan`'s output to positions in its input row.
Node* ThroughTarget(Node* node, const Plan& plan, Arena& arena) {
  if (const Var* var = TryAs<Var>(node)) {
    if (var->varno != kInputVar) return node;
    Expr* source = plan.target[var->varattno - 1]->expr;
    if (!Is<Var>(static_cast<const Node*>(source))) return source;
    Var* input = static_cast<Var*>(CopyShallow(var, arena));
    input->varattno = As<Var>(static_cast<const Node*>(source))->varattno;
    return input;
  }
  return MutateChildren(node, arena, [&](Node* child) { return ThroughTarget(child, plan, arena); });
}

}  // namespace

// Computes target entries (already bound to the input's columns).
Path QueryPlanner::ProjectTo(Path input, const List<TargetEntry*>& wanted) {
  // A node that only picks columns of its input row may compute the targets instead.
  Plan* plan = input.plan;
  List<TargetEntry*> targets = wanted;
  bool picks = plan->project && OnlyPicksColumns(*plan);
  if (CanProject(plan->kind) && (!plan->project || picks)) {
    if (picks) {
      targets = {};
      for (TargetEntry* entry : wanted) {
        targets.Append(arena(), static_cast<TargetEntry*>(ThroughTarget(entry, *plan, arena())));
      }
    }
  } else {
    ResultPlan* result = arena().New<ResultPlan>();
    result->left = plan;
    plan = result;
  }
  plan->target = targets;
  plan->project = true;
  input.plan = plan;
  input.total_cost += input.rows * CpuOperatorCost() * static_cast<double>(targets.size()) * 0.1;
  ExprList columns;
  for (const TargetEntry* entry : targets) columns.Append(arena(), entry->expr);
  plan->rows = input.rows;
  plan->startup_cost = input.startup_cost;
  plan->total_cost = input.total_cost;
  return input;
}

Path QueryPlanner::PlanTargets(Path input) {
  ExprList set_calls;
  if (query_->has_target_srfs) {
    for (TargetEntry* entry : query_->target_list) CollectSetCalls(entry->expr, &set_calls, arena());
  }
  if (!set_calls.empty()) {
    ProjectSetPlan* plan = arena().New<ProjectSetPlan>();
    plan->left = input.plan;
    plan->project = false;  // computes its target itself
    ExprList columns = input.columns.Clone(arena());
    List<TargetEntry*> targets = TargetsFor(input.columns);
    for (Expr* call : set_calls) {
      targets.Append(arena(), MakeTargetEntry(arena(), BindToInput(call, input.columns),
                                              static_cast<AttrNumber>(targets.size() + 1), {}, false));
      columns.Append(arena(), call);
    }
    plan->target = targets;
    input.columns = columns;
    input.rows *= 1000;
    input.total_cost += input.rows * CpuTupleCost();
    SetCosts(plan, input, WidthOf(columns));
    input.plan = plan;
    input.order.clear();
  }
  List<TargetEntry*> targets;
  ExprList columns;
  for (TargetEntry* entry : query_->target_list) {
    TargetEntry* bound = static_cast<TargetEntry*>(CopyShallow(entry, arena()));
    bound->expr = BindToInput(entry->expr, input.columns);
    targets.Append(arena(), bound);
    columns.Append(arena(), entry->expr);
  }
  std::vector<OrderElement> order = input.order;
  Path path = ProjectTo(input, targets);
  path.columns = columns;
  path.order = order;
  path.plan->width = WidthOf(columns);
  return path;
}

Path QueryPlanner::PlanDistinct(Path input) {
  if (query_->distinct_clause.empty()) return input;
  List<OrderKey> keys;
  bool hashable = !query_->has_distinct_on;
  for (const SortGroupClause* clause : query_->distinct_clause) {
    for (uint32_t i = 0; i < query_->target_list.size(); ++i) {
      if (query_->target_list[i]->ressortgroupref != clause->tle_sort_group_ref) continue;
      keys.Append(arena(), KeyFor(*clause, static_cast<int32_t>(i + 1)));
      break;
    }
    hashable &= clause->hashable && TypeOf(keys.back().type).hash != nullptr;
  }
  // Every output column must be a key for hashing to keep whole rows.
  hashable &= keys.size() == query_->target_list.size() && GetBool(Setting::kEnableHashagg);
  if (hashable) {
    AggPlan* plan = arena().New<AggPlan>();
    plan->strategy = AggStrategy::kHashed;
    plan->left = input.plan;
    double groups = 1;
    for (const Expr* column : input.columns) groups *= DistinctValues(*this, column, input.rows);
    plan->groups = std::clamp(groups, 1.0, std::max(1.0, input.rows));
    for (Expr* column : input.columns) plan->group_keys.Append(arena(), BindToInput(column, input.columns));
    plan->target = TargetsFor(input.columns);
    for (uint32_t i = 0; i < input.columns.size(); ++i) {
      As<Var>(static_cast<Node*>(plan->group_keys[i]))->varattno = static_cast<AttrNumber>(i + 1);
    }
    plan->project = true;
    input.rows = plan->groups;
    input.startup_cost = input.total_cost;
    input.total_cost += input.rows * CpuTupleCost();
    input.order.clear();
    SetCosts(plan, input, input.plan->width);
    input.plan = plan;
    return input;
  }
  // Sort by the ORDER BY columns first where they begin the DISTINCT ON list, so that the right row of each set stays.
  List<OrderKey> sort_keys;
  for (const SortGroupClause* clause : query_->sort_clause) {
    for (uint32_t i = 0; i < query_->target_list.size(); ++i) {
      if (query_->target_list[i]->ressortgroupref != clause->tle_sort_group_ref) continue;
      sort_keys.Append(arena(), KeyFor(*clause, static_cast<int32_t>(i + 1)));
      break;
    }
  }
  for (const OrderKey& key : keys) {
    bool present = false;
    for (const OrderKey& sorted : sort_keys) present |= sorted.column == key.column;
    if (!present) sort_keys.Append(arena(), key);
  }
  Path path = SortPath(input, sort_keys);
  UniquePlan* plan = arena().New<UniquePlan>();
  plan->left = path.plan;
  plan->keys = keys;
  plan->target = TargetsFor(path.columns);
  plan->project = false;
  path.total_cost += path.rows * CpuOperatorCost();
  SetCosts(plan, path, path.plan->width);
  path.plan = plan;
  path.order = OrderOf(query_->sort_clause);
  return path;
}

Path QueryPlanner::PlanOrderBy(Path input) {
  if (query_->sort_clause.empty()) return input;
  if (OrderSatisfies(input.order, OrderOf(query_->sort_clause))) return input;
  List<OrderKey> keys;
  for (const SortGroupClause* clause : query_->sort_clause) {
    for (uint32_t i = 0; i < query_->target_list.size(); ++i) {
      if (query_->target_list[i]->ressortgroupref != clause->tle_sort_group_ref) continue;
      keys.Append(arena(), KeyFor(*clause, static_cast<int32_t>(i + 1)));
      break;
    }
  }
  bool bounded =
      limit_rows_ > 0 && query_->limit_option != LimitOption::kWithTies && query_->row_marks.empty();
  return SortPath(input, keys, bounded ? limit_rows_ : -1);
}

// Identity columns that row locks need, as junk entries of the target list.
void QueryPlanner::AddRowMarkTargets() {
  for (const RowMarkClause* mark : query_->row_marks) {
    Var* ctid = MakeVar(arena(), static_cast<int32_t>(mark->rti), kSelfItemPointerAttr, type_oid::kTid, -1,
                        Oid::kInvalid);
    if (query_->rtable[mark->rti - 1]->rtekind != RteKind::kRelation) continue;
    TargetEntry* entry =
        MakeTargetEntry(arena(), ctid, static_cast<AttrNumber>(query_->target_list.size() + 1),
                        arena().Copy(fmt::format("ctid{}", mark->rti)), true);
    query_->target_list.Append(arena(), entry);
  }
  // The other tables' rows stay what they are when a locked row turns out to have changed.
  for (uint32_t i = 0; i < query_->rtable.size(); ++i) {
    const RangeTblEntry& rte = *query_->rtable[i];
    if (rte.rtekind != RteKind::kRelation || rte.relkind == relkind::kView ||
        IsRowMarked(static_cast<int32_t>(i + 1)))
      continue;
    Var* ctid = MakeVar(arena(), static_cast<int32_t>(i + 1), kSelfItemPointerAttr, type_oid::kTid, -1,
                        Oid::kInvalid);
    TargetEntry* entry =
        MakeTargetEntry(arena(), ctid, static_cast<AttrNumber>(query_->target_list.size() + 1), "ctid", true);
    query_->target_list.Append(arena(), entry);
  }
}

// For WHERE CURRENT OF: only where each result row comes from one row of each table.
void QueryPlanner::AddRowIdentities() {
  const Query& query = *query_;
  if (query.has_aggs || query.has_window_funcs || query.has_target_srfs || !query.group_clause.empty() ||
      !query.grouping_sets.empty() || query.having_qual != nullptr || !query.distinct_clause.empty()) {
    return;
  }
  for (uint32_t i = 0; i < query.rtable.size(); ++i) {
    const RangeTblEntry& rte = *query.rtable[i];
    if (rte.rtekind != RteKind::kRelation || rte.relkind == relkind::kView) continue;
    Var* ctid = MakeVar(arena(), static_cast<int32_t>(i + 1), kSelfItemPointerAttr, type_oid::kTid, -1,
                        Oid::kInvalid);
    AttrNumber column = static_cast<AttrNumber>(query_->target_list.size() + 1);
    query_->target_list.Append(arena(), MakeTargetEntry(arena(), ctid, column, "ctid", true));
    global_.statement->row_identities.Append(arena(), {rte.relid, column});
  }
}

bool QueryPlanner::IsRowMarked(int32_t rtindex) const {
  for (const RowMarkClause* mark : query_->row_marks) {
    if (static_cast<int32_t>(mark->rti) == rtindex) return true;
  }
  return false;
}

Path QueryPlanner::PlanRowMarks(Path input) {
  if (query_->row_marks.empty()) return input;
  LockRowsPlan* plan = arena().New<LockRowsPlan>();
  plan->left = input.plan;
  for (const RowMarkClause* clause : query_->row_marks) {
    const RangeTblEntry& rte = *query_->rtable[clause->rti - 1];
    if (rte.rtekind != RteKind::kRelation) continue;
    RowMark* mark = arena().New<RowMark>();
    mark->rtindex = flat(static_cast<int32_t>(clause->rti));
    mark->relation = rte.relid;
    mark->strength = clause->strength;
    mark->wait_policy = clause->wait_policy;
    for (uint32_t i = 0; i < query_->target_list.size(); ++i) {
      const Var* var = TryAs<Var>(static_cast<const Node*>(query_->target_list[i]->expr));
      if (var != nullptr && var->varno == static_cast<int32_t>(clause->rti) &&
          var->varattno == kSelfItemPointerAttr) {
        mark->ctid_column = static_cast<int32_t>(i + 1);
      }
    }
    plan->marks.Append(arena(), mark);
  }
  for (uint32_t i = 0; i < query_->target_list.size(); ++i) {
    const TargetEntry& entry = *query_->target_list[i];
    const Var* var = TryAs<Var>(static_cast<const Node*>(entry.expr));
    if (!entry.resjunk || var == nullptr || var->varattno != kSelfItemPointerAttr || IsRowMarked(var->varno))
      continue;
    RowMark* mark = arena().New<RowMark>();
    mark->rtindex = flat(var->varno);
    mark->relation = query_->rtable[var->varno - 1]->relid;
    mark->ctid_column = static_cast<int32_t>(i + 1);
    plan->marks.Append(arena(), mark);
  }
  plan->target = TargetsFor(input.columns);
  for (uint32_t i = 0; i < input.columns.size(); ++i) {
    As<Var>(static_cast<Node*>(plan->target[i]->expr))->varattno = static_cast<AttrNumber>(i + 1);
  }
  plan->project = false;
  SetCosts(plan, input, input.plan->width);
  input.plan = plan;
  global_.statement->has_row_marks = true;
  return input;
}

namespace {

// LIMIT ALL and OFFSET 0 leave nothing out.
bool LeavesNothingOut(const Expr* count, const Expr* offset) {
  const Const* constant_count = TryAs<Const>(static_cast<const Node*>(count));
  const Const* constant_offset = TryAs<Const>(static_cast<const Node*>(offset));
  return (count == nullptr || (constant_count != nullptr && constant_count->IsNull())) &&
         (offset == nullptr || (constant_offset != nullptr &&
                                (constant_offset->IsNull() || constant_offset->value.datum.i64 == 0)));
}

}  // namespace

Path QueryPlanner::PlanLimit(Path input) {
  if (LeavesNothingOut(query_->limit_count, query_->limit_offset)) return input;
  LimitPlan* plan = arena().New<LimitPlan>();
  plan->left = input.plan;
  plan->offset = PlanSubLinks(query_->limit_offset);
  plan->count = PlanSubLinks(query_->limit_count);
  plan->with_ties = query_->limit_option == LimitOption::kWithTies;
  if (plan->with_ties) {
    for (const SortGroupClause* clause : query_->sort_clause) {
      for (uint32_t i = 0; i < query_->target_list.size(); ++i) {
        if (query_->target_list[i]->ressortgroupref == clause->tle_sort_group_ref) {
          plan->ties_keys.Append(arena(), KeyFor(*clause, static_cast<int32_t>(i + 1)));
          break;
        }
      }
    }
  }
  plan->target = TargetsFor(input.columns);
  plan->project = false;
  if (const Const* count = TryAs<Const>(static_cast<const Node*>(plan->count));
      count != nullptr && !count->IsNull()) {
    double wanted = static_cast<double>(count->value.datum.i64);
    if (wanted < input.rows) {
      input.total_cost =
          input.startup_cost + (input.total_cost - input.startup_cost) * wanted / std::max(1.0, input.rows);
      input.rows = std::max(1.0, wanted);
    }
  }
  SetCosts(plan, input, input.plan->width);
  input.plan = plan;
  return input;
}

}  // namespace walden
