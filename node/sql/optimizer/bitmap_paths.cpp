// Bitmap heap scans: the row identities of several index conditions are combined before the table is read in physical order.
#include <algorithm>
#include <cmath>

#include "node/config/settings.h"
#include "node/sql/optimizer/cost.h"
#include "node/sql/optimizer/index_paths.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"

namespace walden {
// A tree of index conditions under construction.
struct QueryPlanner::BitmapChoice {
  BitmapNode* node = nullptr;
  double selectivity = 1;
  double cost = 0;
  ExprList conditions;        // what it checks, over the query's Vars: the re-check of lossy pages
  std::vector<size_t> quals;  // which of the scan's conditions it covers
  bool is_partial = false;    // an OR some of whose arms are checked in part only: it remains a filter
};

BitmapNode* QueryPlanner::NewBitmapNode(BitmapNode::Kind kind, double cost, double rows) {
  BitmapNode* node = arena().New<BitmapNode>();
  node->kind = kind;
  node->total_cost = cost;
  node->rows = rows;
  return node;
}

bool QueryPlanner::BitmapOfIndex(BaseRel& base, const RelationRef& index, const std::vector<Qual>& quals,
                                 const RelSet& outer, double loops, BitmapChoice* choice) {
  IndexUse use;
  if (!MatchIndex(base, index, quals, outer, &use) || use.matches.empty()) return false;
  double selectivity =
      use.unique_match ? std::min(use.selectivity, 1 / std::max(1.0, base.tuples)) : use.selectivity;
  IndexCost cost = CostOfIndex(*index, base.tuples, selectivity, use.matches.size(), loops);
  choice->selectivity = selectivity;
  choice->cost = cost.total;
  choice->node = NewBitmapNode(BitmapNode::Kind::kIndex, cost.total, cost.tuples);
  choice->node->startup_cost = 0;
  choice->node->index = index->oid;
  for (const IndexMatch& match : use.matches) {
    Expr* shown = match.condition->original != nullptr ? match.condition->original : match.qual->expr;
    choice->conditions.Append(arena(), shown);
  }
  choice->node->conditions = BindIndexConditions(use, outer, nullptr);
  for (size_t i = 0; i < quals.size(); ++i) {
    if (use.used[i]) choice->quals.push_back(i);
  }
  return true;
}

// The best index for a list of conditions that all hold; null node when none fits.
QueryPlanner::BitmapChoice QueryPlanner::BitmapOfConditions(BaseRel& base, const std::vector<Qual>& quals,
                                                            const RelSet& outer, double loops) {
  BitmapChoice best;
  for (const RelationRef& index : base.relation->indexes) {
    BitmapChoice choice;
    if (!BitmapOfIndex(base, index, quals, outer, loops, &choice)) continue;
    if (best.node == nullptr || choice.selectivity < best.selectivity ||
        (choice.selectivity == best.selectivity && choice.cost < best.cost)) {
      best = choice;
    }
  }
  return best;
}

// a = 1 OR (b = 2 AND c = 3): every arm needs an index.
bool QueryPlanner::BitmapOfOr(BaseRel& base, const Qual& qual, const RelSet& outer, double loops,
                              BitmapChoice* choice) {
  const BoolExpr* either = TryAs<BoolExpr>(static_cast<const Node*>(qual.expr));
  if (either == nullptr || either->boolop != BoolExprType::kOr) return false;
  RelSet others = qual.rels - RelSet::Of(base.rtindex);
  if (!others.IsSubsetOf(outer)) return false;
  choice->node = NewBitmapNode(BitmapNode::Kind::kOr, 0, 0);
  choice->selectivity = 0;
  ExprList shown;
  for (Expr* arm : either->args) {
    std::vector<Qual> conjuncts;
    for (Expr* conjunct : Conjuncts(arena(), arm)) conjuncts.push_back(MakeQual(conjunct));
    BitmapChoice one = BitmapOfConditions(base, conjuncts, outer, loops);
    if (one.node == nullptr) return false;
    choice->is_partial |= one.is_partial || one.quals.size() != conjuncts.size();
    choice->node->children.Append(arena(), one.node);
    choice->selectivity = std::min(1.0, choice->selectivity + one.selectivity);
    choice->cost += one.cost;
    shown.Append(arena(), MakeBoolExpr(arena(), BoolExprType::kAnd, one.conditions));
  }
  choice->node->total_cost = choice->cost;
  choice->node->rows = 0;
  choice->conditions.Append(arena(), MakeBoolExpr(arena(), BoolExprType::kOr, shown));
  return true;
}

void QueryPlanner::CostBitmapScan(const BaseRel& base, const BitmapChoice& choice, size_t filters,
                                  double loops, Path* path) {
  double tuples = std::max(1.0, std::rint(choice.selectivity * base.tuples));
  double T = std::max(1.0, base.pages);
  double pages;
  if (loops > 1) {
    pages = IndexPagesFetched(tuples * loops, T) / loops;
  } else {
    pages = 2 * T * tuples / (2 * T + tuples);
  }
  pages = pages >= T ? T : std::ceil(pages);
  double random_page = GetReal(Setting::kRandomPageCost), seq_page = GetReal(Setting::kSeqPageCost);
  double per_page = pages >= 2 ? random_page - (random_page - seq_page) * std::sqrt(pages / T) : random_page;
  double index_cost = choice.cost;
  if (choice.node->kind == BitmapNode::Kind::kIndex) index_cost += 0.1 * CpuOperatorCost() * tuples;
  path->startup_cost = index_cost;
  path->total_cost = index_cost + pages * per_page +
                     tuples * (CpuTupleCost() + CpuOperatorCost() * static_cast<double>(filters));
  if (!GetBool(Setting::kEnableBitmapscan)) {
    path->startup_cost += kDisabledCost;
    path->total_cost += kDisabledCost;
  }
}

Path QueryPlanner::MakeBitmapPath(BaseRel& base, const BitmapChoice& choice, const std::vector<Qual>& quals,
                                  const RelSet& outer, double loops) {
  BitmapScanPlan* plan = arena().New<BitmapScanPlan>();
  plan->relation = base.relation->oid;
  std::vector<Qual> filters, read;
  for (size_t i = 0; i < quals.size(); ++i) {
    if (std::find(choice.quals.begin(), choice.quals.end(), i) == choice.quals.end())
      filters.push_back(quals[i]);
  }
  read = filters;
  for (Expr* condition : choice.conditions) read.push_back(MakeQual(condition));
  Path path;
  path.columns = ScanColumnsOf(base, read, locks_rows_, arena(), &plan->columns);
  path.rels.Add(base.rtindex);
  for (const Qual& qual : quals) path.required |= qual.rels;
  path.required = path.required - path.rels;
  plan->bitmap = choice.node;
  int32_t next_id = 0;
  NumberBitmapNodes(plan->bitmap, &next_id);
  double rows = base.tuples * choice.selectivity;
  for (const Qual& filter : filters) rows *= Selectivity(*this, filter.expr);
  for (Qual& filter : filters) filter.expr = static_cast<Expr*>(ReplaceByNestParams(filter.expr, outer));
  plan->quals = BindList(filters, path.columns);
  for (Expr* condition : choice.conditions) {
    Expr* bound = static_cast<Expr*>(ReplaceByNestParams(condition, outer));
    plan->recheck.Append(arena(), BindToInput(bound, path.columns));
  }
  plan->rtindex = flat(base.rtindex);
  plan->target = TargetsFor(path.columns);
  plan->project = false;
  path.plan = plan;
  path.rows = plan->rows = std::max(1.0, std::rint(rows));
  plan->width = WidthOf(path.columns);
  CostBitmapScan(base, choice, quals.size(), loops, &path);
  plan->startup_cost = path.startup_cost;
  plan->total_cost = path.total_cost;
  return path;
}

void QueryPlanner::NumberBitmapNodes(BitmapNode* node, int32_t* next) {
  node->node_id = (*next)++;
  for (BitmapNode* child : node->children) NumberBitmapNodes(child, next);
}

// The cheapest way by bitmap, if there is one: single indexes and ORs, then ANDs of them while these pay.
bool QueryPlanner::BitmapPath(BaseRel& base, const std::vector<Qual>& quals, const RelSet& outer,
                              double loops, Path* path) {
  std::vector<BitmapChoice> choices;
  for (const RelationRef& index : base.relation->indexes) {
    BitmapChoice choice;
    if (BitmapOfIndex(base, index, quals, outer, loops, &choice)) choices.push_back(choice);
  }
  for (size_t i = 0; i < quals.size(); ++i) {
    BitmapChoice choice;
    if (!BitmapOfOr(base, quals[i], outer, loops, &choice)) continue;
    if (!choice.is_partial) choice.quals.push_back(i);
    choices.push_back(choice);
  }
  if (choices.empty()) return false;
  auto cost_of = [&](const BitmapChoice& choice) {
    Path probe;
    CostBitmapScan(base, choice, quals.size(), loops, &probe);
    return probe.total_cost;
  };
  std::stable_sort(choices.begin(), choices.end(),
                   [&](const BitmapChoice& a, const BitmapChoice& b) { return cost_of(a) < cost_of(b); });
  BitmapChoice best = choices[0];
  for (size_t i = 1; i < choices.size(); ++i) {
    bool overlaps = std::any_of(choices[i].quals.begin(), choices[i].quals.end(), [&](size_t qual) {
      return std::find(best.quals.begin(), best.quals.end(), qual) != best.quals.end();
    });
    if (overlaps) continue;
    BitmapChoice both;
    both.selectivity = best.selectivity * choices[i].selectivity;
    both.cost = best.cost + choices[i].cost + 100 * CpuOperatorCost();
    both.node = NewBitmapNode(BitmapNode::Kind::kAnd, both.cost, 0);
    if (best.node->kind == BitmapNode::Kind::kAnd) {
      both.node->children = best.node->children.Clone(arena());
    } else {
      both.node->children.Append(arena(), best.node);
    }
    both.node->children.Append(arena(), choices[i].node);
    both.conditions = best.conditions.Clone(arena());
    both.conditions.AppendAll(arena(), choices[i].conditions);
    both.quals = best.quals;
    both.quals.insert(both.quals.end(), choices[i].quals.begin(), choices[i].quals.end());
    if (cost_of(both) < cost_of(best)) best = both;
  }
  *path = MakeBitmapPath(base, best, quals, outer, loops);
  return true;
}

}  // namespace walden
