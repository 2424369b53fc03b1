// GROUPING SETS, ROLLUP, CUBE and GROUPING().
#include <algorithm>
#include <set>

#include "node/config/settings.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

constexpr size_t kMaxSets = 4096;

Expr* NullOf(const Expr* column, Arena& arena) {
  Oid type = ExprType(column);
  return MakeNullConst(arena, type, ExprTypmod(column), ExprCollation(column), TypeOf(type).physical);
}

bool Holds(const std::vector<int32_t>& set, uint32_t column) {
  return std::find(set.begin(), set.end(), static_cast<int32_t>(column)) != set.end();
}

// Grouping columns that a set does not have are null for it.
Node* NullAbsentColumns(Node* node, const ExprList& columns, const std::vector<int32_t>& set, Arena& arena) {
  for (uint32_t i = 0; i < columns.size(); ++i) {
    if (!Holds(set, i) && EqualNodes(node, columns[i])) return NullOf(columns[i], arena);
  }
  return MutateChildren(node, arena,
                        [&](Node* child) { return NullAbsentColumns(child, columns, set, arena); });
}

// Direct arguments are values of the group, not of its rows.
Aggref* ForSet(const Aggref& aggregate, const ExprList& columns, const std::vector<int32_t>& set,
               Arena& arena) {
  Aggref* own = arena.New<Aggref>(aggregate);
  own->aggdirectargs = {};
  for (Expr* arg : aggregate.aggdirectargs) {
    own->aggdirectargs.Append(arena, static_cast<Expr*>(NullAbsentColumns(arg, columns, set, arena)));
  }
  return own;
}

using RefSet = std::vector<int32_t>;  // sort group references
using RefSets = std::vector<RefSet>;

void CheckCount(size_t count) {
  if (count > kMaxSets) {
    throw SqlError(ErrorCode::kStatementTooComplex, "too many grouping sets present (maximum {})", kMaxSets);
  }
}

RefSet Joined(const RefSet& a, const RefSet& b) {
  RefSet joined = a;
  for (int32_t ref : b) {
    if (std::find(joined.begin(), joined.end(), ref) == joined.end()) joined.push_back(ref);
  }
  return joined;
}

// The references of one element of ROLLUP or CUBE: a column, or several in parentheses.
RefSet RefsOf(const GroupingSet& set) {
  RefSet refs(set.refs.begin(), set.refs.end());
  for (const GroupingSet* nested : set.sets) refs = Joined(refs, RefsOf(*nested));
  return refs;
}

RefSets Expand(const GroupingSet& set) {
  RefSets result;
  switch (set.kind) {
    case GroupingSetKind::kEmpty: result.push_back({}); break;
    case GroupingSetKind::kSimple: result.push_back(RefsOf(set)); break;
    case GroupingSetKind::kRollup:
      for (uint32_t length = set.sets.size() + 1; length-- > 0;) {
        RefSet refs;
        for (uint32_t i = 0; i < length; ++i) refs = Joined(refs, RefsOf(*set.sets[i]));
        result.push_back(std::move(refs));
      }
      break;
    case GroupingSetKind::kCube: {
      uint32_t members = set.sets.size();
      CheckCount(size_t{1} << members);
      for (uint32_t chosen = 1u << members; chosen-- > 0;) {
        RefSet refs;
        for (uint32_t i = 0; i < members; ++i) {
          if (chosen & (1u << (members - 1 - i))) refs = Joined(refs, RefsOf(*set.sets[i]));
        }
        result.push_back(std::move(refs));
      }
      break;
    }
    case GroupingSetKind::kSets:
      for (const GroupingSet* nested : set.sets) {
        RefSets inner = Expand(*nested);
        result.insert(result.end(), inner.begin(), inner.end());
      }
      break;
  }
  return result;
}

}  // namespace

// A column that is grouped by twice has a value where one of the two is null: the later one is relabelled, so that it equals only itself.
void QueryPlanner::TellGroupingColumnsApart() {
  std::vector<const Expr*> earlier;
  for (const SortGroupClause* clause : query_->group_clause) {
    Expr*& expr = SortGroupTarget(*clause, query_->target_list)->expr;
    auto is_equal = [&](const Expr* other) { return EqualNodes(expr, other); };
    while (std::any_of(earlier.begin(), earlier.end(), is_equal)) {
      expr = MakeRelabelType(arena(), expr, ExprType(expr), ExprTypmod(expr), ExprCollation(expr),
                             CoercionForm::kImplicitCast);
    }
    earlier.push_back(expr);
  }
}

// Every set as positions in the GROUP BY list; empty when the query has none.
std::vector<std::vector<int32_t>> QueryPlanner::ExpandGroupingSets() {
  if (query_->grouping_sets.empty()) return {};
  RefSets all = {{}};
  for (const GroupingSet* set : query_->grouping_sets) {
    RefSets factor = Expand(*set), product;
    CheckCount(all.size() * factor.size());
    for (const RefSet& left : all) {
      for (const RefSet& right : factor) product.push_back(Joined(left, right));
    }
    all = std::move(product);
  }
  std::vector<std::vector<int32_t>> positions;
  std::set<std::vector<int32_t>> seen;
  for (const RefSet& set : all) {
    std::vector<int32_t> columns;
    for (int32_t ref : set) {
      for (uint32_t i = 0; i < query_->group_clause.size(); ++i) {
        if (query_->group_clause[i]->tle_sort_group_ref != static_cast<uint32_t>(ref)) continue;
        if (std::find(columns.begin(), columns.end(), static_cast<int32_t>(i)) == columns.end())
          columns.push_back(static_cast<int32_t>(i));
      }
    }
    std::vector<int32_t> sorted = columns;
    std::sort(sorted.begin(), sorted.end());
    if (query_->group_distinct && !seen.insert(sorted).second) continue;
    positions.push_back(std::move(columns));
  }
  return positions;
}

// GROUPING(a, b): a bit for each argument, set when the row's grouping set does not have it.
Expr* QueryPlanner::GroupingValue(const GroupingFunc& grouping, const std::vector<std::vector<int32_t>>& sets,
                                  int32_t set_column) {
  auto bits = [&](const std::vector<int32_t>& set) {
    int32_t value = 0;
    for (int32_t ref : grouping.refs) {
      bool present = false;
      for (int32_t column : set) {
        // (Behind the clauses' columns stand those that a key determines.)
        present |= static_cast<uint32_t>(column) < query_->group_clause.size() &&
                   query_->group_clause[column]->tle_sort_group_ref == static_cast<uint32_t>(ref);
      }
      value = value * 2 + (present ? 0 : 1);
    }
    return value;
  };
  CaseExpr* by_set = arena().New<CaseExpr>();
  by_set->casetype = type_oid::kInt4;
  by_set->defresult = MakeInt4Const(arena(), 0);
  for (size_t i = 0; i < sets.size(); ++i) {
    Var* number =
        MakeVar(arena(), kInputVar, static_cast<AttrNumber>(set_column), type_oid::kInt4, -1, Oid::kInvalid);
    CaseWhen* when = arena().New<CaseWhen>();
    // int4 = int4
    when->expr = MakeOpExpr(arena(), Oid{96}, Oid{65}, type_oid::kBool, Oid::kInvalid, Oid::kInvalid,
                            ExprList(arena(), {number, MakeInt4Const(arena(), static_cast<int32_t>(i))}));
    when->result = MakeInt4Const(arena(), bits(sets[i]));
    by_set->args.Append(arena(), when);
  }
  return by_set;
}

// Aggregates that need their rows in order, or columns that cannot be hashed: the input is kept, and each set sorts and groups it.
Path QueryPlanner::PlanSortedGroupingSets(Path input, const ExprList& columns, const ExprList& aggregates,
                                          const ExprList& groupings,
                                          const std::vector<std::vector<int32_t>>& sets) {
  Subplan* kept = arena().New<Subplan>();
  kept->plan = input.plan;
  kept->is_cte = true;
  kept->name = "CTE grouping input";
  int32_t kept_id = global_.AddSubplan(kept);
  init_plans_.push_back(kept_id);
  AppendPlan* append = arena().New<AppendPlan>();
  ExprList output = columns.Clone(arena());
  output.AppendAll(arena(), aggregates);
  output.AppendAll(arena(), groupings);
  Path path;
  path.rels = input.rels;
  path.rows = 0;
  path.total_cost = input.total_cost;
  for (const std::vector<int32_t>& set : sets) {
    CteScanPlan* scan = arena().New<CteScanPlan>();
    scan->subplan_id = kept_id;
    scan->rtindex = 0;
    scan->rows = input.rows;
    scan->width = input.plan->width;
    scan->target = TargetsFor(input.columns);
    scan->project = false;
    Path one = input;
    one.plan = scan;
    one.order.clear();
    one.startup_cost = 0;
    one.total_cost = input.rows * GetReal(Setting::kCpuTupleCost);
    // The set's columns in front, to sort by.
    List<TargetEntry*> targets;
    ExprList sorted;
    List<OrderKey> keys;
    auto add = [&](Expr* expr) {
      targets.Append(arena(), MakeTargetEntry(arena(), BindToInput(expr, input.columns),
                                              static_cast<AttrNumber>(targets.size() + 1), {}, false));
      sorted.Append(arena(), expr);
    };
    for (int32_t column : set) {
      add(columns[column]);
      OrderKey key;
      key.column = static_cast<int32_t>(sorted.size());
      key.type = ExprType(columns[column]);
      key.collation = ExprCollation(columns[column]);
      keys.Append(arena(), key);
    }
    for (Expr* column : input.columns) add(column);
    one = ProjectTo(one, targets);
    one.columns = sorted;
    if (!keys.empty()) one = SortPath(one, keys);
    AggPlan* agg = arena().New<AggPlan>();
    agg->strategy = set.empty() ? AggStrategy::kPlain : AggStrategy::kSorted;
    agg->left = one.plan;
    for (int32_t column : set) agg->group_keys.Append(arena(), BindToInput(columns[column], sorted));
    for (Expr* aggregate : aggregates) {
      const Aggref* own = ForSet(*As<Aggref>(static_cast<Node*>(aggregate)), columns, set, arena());
      agg->aggregates.Append(arena(), static_cast<Aggref*>(BindToInput(own, sorted)));
    }
    ExprList grouped;
    for (int32_t column : set) grouped.Append(arena(), columns[column]);
    grouped.AppendAll(arena(), aggregates);
    List<TargetEntry*> results;
    auto deliver = [&](Expr* value) {
      results.Append(arena(),
                     MakeTargetEntry(arena(), value, static_cast<AttrNumber>(results.size() + 1), {}, false));
    };
    for (uint32_t i = 0; i < columns.size(); ++i) {
      deliver(Holds(set, i) ? BindToInput(columns[i], grouped) : NullOf(columns[i], arena()));
    }
    for (Expr* aggregate : aggregates) deliver(BindToInput(aggregate, grouped));
    for (Expr* grouping : groupings) {
      CaseExpr* value = As<CaseExpr>(
          static_cast<Node*>(GroupingValue(*As<GroupingFunc>(static_cast<Node*>(grouping)), {set}, 1)));
      deliver(value->args[0]->result);
    }
    agg->target = results;
    agg->project = true;
    double groups = 1;
    for (int32_t column : set) groups *= DistinctValues(*this, columns[column], input.rows);
    agg->groups = agg->rows = std::min(groups, std::max(1.0, input.rows));
    agg->startup_cost = one.startup_cost;
    agg->total_cost = one.total_cost + input.rows * GetReal(Setting::kCpuOperatorCost);
    agg->width = WidthOf(output);
    path.rows += agg->rows;
    path.total_cost += agg->total_cost;
    append->children.Append(arena(), agg);
  }
  append->target = TargetsFor(output);
  append->project = false;
  append->rows = path.rows;
  append->width = WidthOf(output);
  append->total_cost = path.total_cost;
  path.plan = append;
  path.columns = output;
  if (query_->having_qual != nullptr) {
    ResultPlan* filter = arena().New<ResultPlan>();
    filter->left = append;
    filter->quals = BindList(MakeQuals(query_->having_qual), output);
    filter->target = TargetsFor(output);
    filter->project = false;
    filter->rows = path.rows = std::max(1.0, path.rows / 3);
    filter->width = append->width;
    filter->total_cost = path.total_cost;
    path.plan = filter;
  }
  return path;
}

}  // namespace walden
