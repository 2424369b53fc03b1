// Join order: dynamic programming over the items of a region (Selinger et al. 1979), greedy beyond kMaxExhaustive items.
#include <algorithm>
#include <cmath>
#include <map>

#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/sql/optimizer/cost.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/qual_cost.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

constexpr size_t kMaxExhaustive = 9;

bool SidesMatch(const Qual& qual, const RelSet& left, const RelSet& right) {
  return qual.is_equality && ((qual.left_rels.IsSubsetOf(left) && qual.right_rels.IsSubsetOf(right)) ||
                              (qual.left_rels.IsSubsetOf(right) && qual.right_rels.IsSubsetOf(left)));
}

bool CanHashTogether(const Expr* left, const Expr* right) {
  const TypeDescriptor* a = FindType(ExprType(left));
  const TypeDescriptor* b = FindType(ExprType(right));
  if (a == nullptr || b == nullptr || a->hash == nullptr || b->hash == nullptr) return false;
  return a->physical == b->physical;
}

}  // namespace

QueryPlanner::Item QueryPlanner::PlanJoinNode(JoinNode& node) {
  switch (node.kind) {
    case JoinNode::Kind::kBase: {
      BaseRel& base = *bases_[node.rtindex - 1];
      Item item;
      item.path = PlanBase(base);
      if (base.rte->rtekind == RteKind::kRelation) {
        bool scans = !Is<ResultPlan>(static_cast<const Plan*>(item.path.plan));
        if (scans) item.base = &base;  // else it delivers no row, whatever the parameters
        for (Path& path : BasePaths(base, {}, RelSet(), 1)) {
          if (scans && !path.order.empty()) item.ordered.push_back(path);
        }
      }
      item.rels = node.rels;
      item.required = item.path.required;
      return item;
    }
    case JoinNode::Kind::kRegion: return PlanRegion(node);
    case JoinNode::Kind::kJoin: return PlanOuterJoin(node);
  }
  throw SqlError(ErrorCode::kInternalError, "unrecognized join node");
}

double QueryPlanner::CostOfWanted(const Path& path) const {
  if (!reads_in_order_ || !(path.rels == all_rels_)) return path.total_cost;
  double part = limit_rows_ > 0 ? std::min(1.0, limit_rows_ / path.rows) : fetched_part_;
  return path.startup_cost + (path.total_cost - path.startup_cost) * part;
}

QueryPlanner::Item QueryPlanner::PlanRegion(JoinNode& node) {
  std::vector<Qual> join_quals, one_time;
  for (Qual& qual : node.quals) {
    if (qual.rels.empty()) {
      if (node.items.empty() || VolatilityOf(qual.expr) != 'v') {
        one_time.push_back(qual);
        continue;
      }
      qual.rels = node.rels;  // a volatile condition is asked for every row
    }
    bool pushed = false;
    for (auto& item : node.items) {
      if (!qual.rels.IsSubsetOf(item->rels)) continue;
      if (item->kind == JoinNode::Kind::kBase) {
        bases_[item->rtindex - 1]->quals.push_back(qual);
        pushed = true;
      } else if (item->kind == JoinNode::Kind::kJoin && item->join_type != JoinType::kFull &&
                 qual.rels.IsSubsetOf(item->left->rels)) {
        // A condition on the side that an outer join preserves holds for the join's rows too.
        item->left->quals.push_back(qual);
        pushed = true;
      }
      break;
    }
    if (!pushed) join_quals.push_back(qual);
  }
  std::vector<Item> items;
  for (auto& item : node.items) items.push_back(PlanJoinNode(*item));
  Item result;
  if (items.empty()) {
    ResultPlan* plan = arena().New<ResultPlan>();
    plan->project = false;
    plan->rows = 1;
    plan->total_cost = CpuTupleCost();
    result.path.plan = plan;
    result.path.total_cost = plan->total_cost;
  } else {
    result = SearchJoinOrder(std::move(items), std::move(join_quals));
  }
  if (!one_time.empty()) {
    result.path = AddFilterResult(result.path, one_time);
    result.base = nullptr;
    result.ordered.clear();
  }
  result.rels = node.rels;
  return result;
}

// Conditions of ON: those on the nullable side alone are pushed into it; the others decide matches.
QueryPlanner::Item QueryPlanner::PlanOuterJoin(JoinNode& node) {
  std::vector<Qual> join_quals;
  bool left_is_preserved = node.join_type != JoinType::kSemi;
  for (Qual& qual : node.quals) {
    if (node.join_type != JoinType::kFull && !qual.rels.empty() && qual.rels.IsSubsetOf(node.right->rels)) {
      node.right->quals.push_back(qual);
    } else if (!left_is_preserved && !qual.rels.empty() && qual.rels.IsSubsetOf(node.left->rels)) {
      node.left->quals.push_back(qual);
    } else {
      join_quals.push_back(qual);
    }
  }
  Item left = PlanJoinNode(*node.left);
  Item right = PlanJoinNode(*node.right);
  Item joined = JoinItems(left, right, node.join_type, join_quals);
  joined.rels = node.rels;
  return joined;
}

QueryPlanner::Item QueryPlanner::SearchJoinOrder(std::vector<Item> items, std::vector<Qual> quals) {
  // Quals of one non-base item: filters on top of it.
  auto applicable = [&](const RelSet& left, const RelSet& right) {
    RelSet both = left | right;
    std::vector<Qual> found;
    for (const Qual& qual : quals) {
      if (qual.rels.IsSubsetOf(both) && !qual.rels.IsSubsetOf(left) && !qual.rels.IsSubsetOf(right))
        found.push_back(qual);
    }
    return found;
  };
  for (Item& item : items) {
    std::vector<Qual> own;
    for (const Qual& qual : quals) {
      if (qual.rels.IsSubsetOf(item.rels)) own.push_back(qual);
    }
    if (own.empty()) continue;
    if (!item.path.join_input.empty()) {
      // An outer join filters its own rows.
      item.path.plan->quals.AppendAll(arena(), BindList(own, item.path.join_input));
      for (const Qual& qual : own) item.path.rows *= Selectivity(*this, qual.expr);
      item.path.rows = item.path.plan->rows = std::max(1.0, item.path.rows);
      item.base = nullptr;
      item.ordered.clear();
      continue;
    }
    SubqueryScanPlan* plan = arena().New<SubqueryScanPlan>();
    plan->left = item.path.plan;
    plan->quals = BindList(own, item.path.columns);
    plan->target = TargetsFor(item.path.columns);
    plan->project = false;
    for (const Qual& qual : own) item.path.rows *= Selectivity(*this, qual.expr);
    item.path.rows = std::max(1.0, item.path.rows);
    plan->rows = item.path.rows;
    plan->total_cost = item.path.total_cost;
    plan->startup_cost = item.path.startup_cost;
    item.path.plan = plan;
    item.base = nullptr;
    item.ordered.clear();
  }
  if (items.size() == 1) return items[0];

  auto can_join = [](const Item& left, const Item& right) {
    // A side that takes parameters from the other must be the inner one of a nested loop.
    return !left.required.Overlaps(right.rels);
  };
  auto connected = [&](const Item& a, const Item& b) {
    if (a.required.Overlaps(b.rels) || b.required.Overlaps(a.rels)) return true;
    for (const Qual& qual : quals) {
      if (qual.rels.Overlaps(a.rels) && qual.rels.Overlaps(b.rels)) return true;
    }
    return false;
  };
  auto better_of_both = [&](const Item& a, const Item& b) -> Item {
    CheckInterrupts();  // many relations have very many orders
    Item best;
    bool found = false;
    std::vector<Qual> between = applicable(a.rels, b.rels);
    if (can_join(a, b)) {
      best = JoinItems(a, b, JoinType::kInner, between);
      found = true;
    }
    if (can_join(b, a)) {
      Item other = JoinItems(b, a, JoinType::kInner, between);
      if (!found || other.path.total_cost < best.path.total_cost) best = std::move(other);
      found = true;
    }
    if (!found) best.path.total_cost = INFINITY;
    return best;
  };

  size_t n = items.size();
  if (n <= kMaxExhaustive) {
    std::vector<Item> best(size_t{1} << n);
    std::vector<bool> known(size_t{1} << n, false);
    for (size_t i = 0; i < n; ++i) {
      best[size_t{1} << i] = items[i];
      known[size_t{1} << i] = true;
    }
    for (size_t set = 1; set < (size_t{1} << n); ++set) {
      if (std::popcount(set) < 2) continue;
      for (int pass = 0; pass < 2 && !known[set]; ++pass) {
        for (size_t part = (set - 1) & set; part > 0; part = (part - 1) & set) {
          size_t rest = set ^ part;
          if (part < rest || !known[part] || !known[rest]) continue;
          // Cartesian products only where nothing connects the parts.
          if (pass == 0 && !connected(best[part], best[rest])) continue;
          Item joined = better_of_both(best[rest], best[part]);  // of equals, in the order written
          if (joined.path.plan == nullptr) continue;
          if (!known[set] || joined.path.total_cost < best[set].path.total_cost) {
            best[set] = std::move(joined);
            known[set] = true;
          }
        }
      }
    }
    CHECK(known.back());
    return best.back();
  }
  // Greedy: always the pair with the fewest resulting rows.
  while (items.size() > 1) {
    size_t best_a = 0, best_b = 0;
    Item best;
    bool found = false, best_connected = false;
    for (size_t a = 0; a < items.size(); ++a) {
      for (size_t b = a + 1; b < items.size(); ++b) {
        bool linked = connected(items[a], items[b]);
        if (best_connected && !linked) continue;
        Item joined = better_of_both(items[a], items[b]);
        if (joined.path.plan == nullptr) continue;
        if (!found || (linked && !best_connected) || joined.path.rows < best.path.rows ||
            (joined.path.rows == best.path.rows && joined.path.total_cost < best.path.total_cost)) {
          best = std::move(joined);
          best_a = a;
          best_b = b;
          best_connected = linked;
          found = true;
        }
      }
    }
    CHECK(found);
    items[best_a] = std::move(best);
    items.erase(items.begin() + static_cast<ptrdiff_t>(best_b));
  }
  return items[0];
}

// Row identity of what stays above: only columns still needed leave the join.
void QueryPlanner::PruneJoinOutput(Path* path) {
  ExprList kept;
  List<TargetEntry*> targets;
  for (Expr* column : path->columns) {
    const Var* var = TryAs<Var>(static_cast<const Node*>(column));
    bool needed = var == nullptr;
    for (const Expr* above : upper_needed_) needed |= EqualNodes(above, column);
    for (const Qual* qual : all_quals_) {
      // Also those that this join could decide: under an outer join they are applied above it.
      if (needed || var == nullptr) break;
      needed = qual->rels.Contains(var->varno);
    }
    for (const auto& base : bases_) {
      if (needed || var == nullptr) break;
      needed = base != nullptr && base->lateral.Contains(var->varno);
    }
    if (!needed) continue;
    targets.Append(arena(), MakeTargetEntry(arena(), BindToInput(column, path->columns),
                                            static_cast<AttrNumber>(kept.size() + 1), {}, false));
    kept.Append(arena(), column);
  }
  path->plan->project = kept.size() != path->columns.size();
  path->plan->target = targets;
  path->columns = kept;
}

Path QueryPlanner::HashJoinPath(const Item& left, const Item& right, JoinType type,
                                const std::vector<Qual>& quals, double rows) {
  HashJoinPlan* plan = arena().New<HashJoinPlan>();
  std::vector<Qual> rest;
  for (const Qual& qual : quals) {
    if (!SidesMatch(qual, left.rels, right.rels) || !CanHashTogether(qual.left, qual.right)) {
      rest.push_back(qual);
      continue;
    }
    bool straight = qual.left_rels.IsSubsetOf(left.rels);
    plan->outer_keys.Append(arena(), BindToInput(straight ? qual.left : qual.right, left.path.columns));
    plan->inner_keys.Append(arena(), BindToInput(straight ? qual.right : qual.left, right.path.columns));
    plan->equal_operators.Append(arena(), As<OpExpr>(static_cast<const Node*>(qual.expr))->opno);
  }
  Path path;
  // FULL JOIN ON false (or true): all rows meet in one bucket.
  bool constant = type == JoinType::kFull && std::all_of(rest.begin(), rest.end(), [](const Qual& qual) {
                    return Is<Const>(static_cast<const Node*>(qual.expr));
                  });
  if (plan->outer_keys.empty() && !constant) {
    path.total_cost = INFINITY;
    return path;
  }
  plan->left = left.path.plan;
  plan->right = right.path.plan;
  plan->join_type = type;
  path.columns = left.path.columns.Clone(arena());
  path.columns.AppendAll(arena(), right.path.columns);
  plan->join_quals = BindList(rest, path.columns);
  path.plan = plan;
  path.rels = left.rels | right.rels;
  path.required = (left.path.required | right.path.required) - path.rels;
  path.rows = rows;
  double inner_rows = right.path.rows, outer_rows = left.path.rows;
  path.startup_cost =
      right.path.total_cost + inner_rows * (CpuOperatorCost() * plan->outer_keys.size() + CpuTupleCost());
  path.total_cost = path.startup_cost + left.path.total_cost +
                    outer_rows * CpuOperatorCost() * plan->outer_keys.size() +
                    rows * (CpuTupleCost() + CpuOperatorCost() * static_cast<double>(rest.size()));
  double inner_bytes = inner_rows * (WidthOf(right.path.columns) + 32.0);
  if (inner_bytes >
      static_cast<double>(GetInt(Setting::kWorkMem)) * 1024 * GetReal(Setting::kHashMemMultiplier)) {
    double outer_bytes = outer_rows * (WidthOf(left.path.columns) + 32.0);
    path.total_cost += 2 * GetReal(Setting::kSeqPageCost) * (inner_bytes + outer_bytes) / kPageSize;
  }
  if (!GetBool(Setting::kEnableHashjoin)) path.total_cost += kDisabledCost;
  return path;
}

// The inner side as an index scan that takes the outer row's columns; the clauses it does not check are left in `rest`.
bool QueryPlanner::ParameterizedInner(const Item& left, const Item& right, const std::vector<Qual>& quals,
                                      Path* inner, std::vector<Qual>* rest) {
  if (right.base == nullptr || right.base->relation->indexes.empty()) return false;
  std::vector<Qual> clauses;
  for (const Qual& qual : quals) {
    if (qual.rels.Contains(right.base->rtindex)) {
      clauses.push_back(qual);
    } else {
      rest->push_back(qual);
    }
  }
  bool found = false;
  std::vector<Path> paths = BasePaths(*right.base, clauses, left.rels, left.path.rows);
  std::vector<Qual> all = right.base->quals;
  all.insert(all.end(), clauses.begin(), clauses.end());
  Path bitmap;
  if (BitmapPath(*right.base, all, left.rels, left.path.rows, &bitmap)) paths.push_back(bitmap);
  for (Path& path : paths) {
    bool conditional = Is<BitmapScanPlan>(static_cast<const Plan*>(path.plan)) ||
                       !As<IndexScanPlan>(static_cast<const Plan*>(path.plan))->conditions.empty();
    if (path.required.empty() || !conditional) continue;
    if (!found || path.total_cost < inner->total_cost) *inner = path;
    found = true;
  }
  return found;
}

Path QueryPlanner::Materialize(const Path& path) {
  MaterialPlan* plan = arena().New<MaterialPlan>();
  plan->left = path.plan;
  plan->target = TargetsFor(path.columns);
  plan->project = false;
  plan->rows = path.rows;
  plan->width = path.plan->width;
  plan->startup_cost = path.startup_cost;
  plan->total_cost = path.total_cost + path.rows * 2 * CpuOperatorCost();
  Path result = path;
  result.plan = plan;
  result.total_cost = plan->total_cost;
  return result;
}

void QueryPlanner::CollectNestParams(NestLoopPlan* plan, const Path& left, const Path& inner) {
  for (const NestParam& known : nest_params_) {
    RelSet rels = RelsOf(known.value);
    if (!rels.IsSubsetOf(left.rels) || !inner.required.Overlaps(rels)) continue;
    bool available = false;
    for (const Expr* column : left.columns) available |= EqualNodes(column, known.value);
    if (!available) continue;
    NestLoopParam* param = arena().New<NestLoopParam>();
    param->param_id = known.param->paramid;
    param->value = BindToInput(known.value, left.columns);
    plan->nest_params.Append(arena(), param);
  }
}

Path QueryPlanner::NestLoopPath(const Item& left, const Path& inner, JoinType type,
                                const std::vector<Qual>& quals, double rows) {
  NestLoopPlan* plan = arena().New<NestLoopPlan>();
  plan->join_type = type;
  plan->left = left.path.plan;
  plan->right = inner.plan;
  Path path;
  path.columns = left.path.columns.Clone(arena());
  path.columns.AppendAll(arena(), inner.columns);
  plan->join_quals = BindList(quals, path.columns);
  CollectNestParams(plan, left.path, inner);
  path.plan = plan;
  path.rels = left.rels | inner.rels;
  path.required = (left.path.required | inner.required) - path.rels;
  path.rows = rows;
  path.order = left.path.order;
  path.startup_cost = left.path.startup_cost + inner.startup_cost;
  double loops = std::max(1.0, left.path.rows);
  double rescan = inner.plan->kind == PlanKind::kMaterial ? inner.rows * CpuOperatorCost() : inner.total_cost;
  path.total_cost =
      left.path.total_cost + inner.total_cost + (loops - 1) * rescan +
      loops * inner.rows * (CpuTupleCost() + CpuOperatorCost() * static_cast<double>(quals.size()));
  if (!GetBool(Setting::kEnableNestloop)) path.total_cost += kDisabledCost;
  return path;
}

// Does a unique index say that a row of the left side has one match at most?
bool QueryPlanner::InnerIsUnique(const Item& left, const Item& right, const std::vector<Qual>& quals) const {
  if (right.base == nullptr) return false;
  auto is_fixed = [&](AttrNumber attno) {
    auto fixes = [&](const Qual& qual) {
      if (!qual.is_equality) return false;
      for (auto [column, other] :
           {std::pair(qual.left, qual.right_rels), std::pair(qual.right, qual.left_rels)}) {
        const Var* var = TryAs<Var>(static_cast<const Node*>(column));
        if (var != nullptr && var->varno == right.base->rtindex && var->varattno == attno &&
            other.IsSubsetOf(left.rels))
          return true;
      }
      return false;
    };
    return std::any_of(quals.begin(), quals.end(), fixes);
  };
  for (const RelationRef& index : right.base->relation->indexes) {
    const PgIndexRow& row = *index->index;
    if (!row.indisunique || !row.indimmediate || !row.indisvalid || row.indpred) continue;
    bool all = true;
    for (int column = 0; column < row.indnkeyatts && all; ++column)
      all = row.indkey[column] != 0 && is_fixed(row.indkey[column]);
    if (all) return true;
  }
  return false;
}

QueryPlanner::Item QueryPlanner::JoinItems(const Item& left, const Item& right, JoinType type,
                                           const std::vector<Qual>& join_quals) {
  double selectivity = 1;
  for (const Qual& qual : join_quals) selectivity *= Selectivity(*this, qual.expr);
  double cross = left.path.rows * right.path.rows * selectivity;
  double rows = cross;
  switch (type) {
    case JoinType::kLeft: rows = std::max(cross, left.path.rows); break;
    case JoinType::kFull: rows = std::max({cross, left.path.rows, right.path.rows}); break;
    case JoinType::kSemi: rows = left.path.rows * std::min(1.0, right.path.rows * selectivity); break;
    case JoinType::kAnti:
      rows = left.path.rows * std::max(0.1, 1 - std::min(1.0, right.path.rows * selectivity));
      break;
    default: break;
  }
  rows = std::max(1.0, rows);

  bool inner_unique = type != JoinType::kFull && InnerIsUnique(left, right, join_quals);
  // One match at most: looking for the first is looking for all, and the sides may be exchanged.
  if (type == JoinType::kSemi && inner_unique) {
    Item joined = JoinItems(left, right, JoinType::kInner, join_quals);
    return joined;
  }
  std::vector<Path> candidates;
  bool needs_parameters = right.required.Overlaps(left.rels);
  if (!needs_parameters) {
    candidates.push_back(HashJoinPath(left, right, type, join_quals, rows));
    // The preserved side may be the one that is hashed.
    if (type == JoinType::kLeft)
      candidates.push_back(HashJoinPath(right, left, JoinType::kRight, join_quals, rows));
    candidates.push_back(MergeJoinPath(left, right, type, join_quals, rows));
  }
  if (type != JoinType::kFull) {
    Path inner;
    std::vector<Qual> rest;
    if (ParameterizedInner(left, right, join_quals, &inner, &rest)) {
      candidates.push_back(NestLoopPath(left, inner, type, rest, rows));
      for (const Path& ordered : left.ordered) {
        Item by_order = left;
        by_order.path = ordered;
        candidates.push_back(NestLoopPath(by_order, inner, type, rest, rows));
      }
    }
    candidates.push_back(NestLoopPath(left, right.path, type, join_quals, rows));
    if (GetBool(Setting::kEnableMaterial) && !needs_parameters && left.path.rows > 1) {
      candidates.push_back(NestLoopPath(left, Materialize(right.path), type, join_quals, rows));
    }
  }
  Item item;
  item.rels = left.rels | right.rels;
  const Path* best = nullptr;
  for (const Path& path : candidates) {
    if (path.plan != nullptr && (best == nullptr || CostOfWanted(path) < CostOfWanted(*best))) best = &path;
  }
  if (best == nullptr) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions");
  }
  auto finish = [&](Path path) {
    JoinPlan* join = static_cast<JoinPlan*>(path.plan);
    join->inner_unique = inner_unique && join->join_type != JoinType::kRight;
    path.join_input = path.columns;
    if (type == JoinType::kSemi || type == JoinType::kAnti) {
      // Only the outer side's columns are defined above.
      ExprList kept = left.path.columns;
      List<TargetEntry*> targets;
      for (uint32_t i = 0; i < kept.size(); ++i) {
        targets.Append(arena(), MakeTargetEntry(arena(), BindToInput(kept[i], path.columns),
                                                static_cast<AttrNumber>(i + 1), {}, false));
      }
      path.plan->target = targets;
      path.plan->project = kept.size() != path.columns.size();
      path.columns = kept;
    } else {
      PruneJoinOutput(&path);
    }
    path.plan->rows = path.rows;
    path.plan->width = WidthOf(path.columns);
    path.plan->startup_cost = path.startup_cost;
    path.plan->total_cost = path.total_cost;
    return path;
  };
  item.path = finish(*best);
  for (const Path& path : candidates) {
    if (&path == best || path.plan == nullptr || path.order.empty() || wanted_order_.empty()) continue;
    item.ordered.push_back(finish(path));
  }
  item.required = item.path.required;
  return item;
}

Path QueryPlanner::AddFilterResult(Path input, const std::vector<Qual>& one_time) {
  ResultPlan* plan = arena().New<ResultPlan>();
  plan->left = input.plan;
  for (const Qual& qual : InCostOrder(one_time)) plan->one_time_quals.Append(arena(), qual.expr);
  plan->target = TargetsFor(input.columns);
  plan->project = false;
  plan->rows = input.rows;
  plan->width = input.plan->width;
  plan->startup_cost = input.startup_cost;
  plan->total_cost = input.total_cost;
  for (const Qual& qual : one_time) {
    const Const* constant = TryAs<Const>(static_cast<const Node*>(qual.expr));
    if (constant != nullptr && (constant->IsNull() || !constant->value.datum.b))
      plan->left = nullptr;  // never a row
  }
  // Nothing below: the Result itself makes the one row.
  if (input.plan->kind == PlanKind::kResult && input.plan->left == nullptr && input.columns.empty())
    plan->left = nullptr;
  input.plan = plan;
  input.join_input.Clear();
  return input;
}

}  // namespace walden
