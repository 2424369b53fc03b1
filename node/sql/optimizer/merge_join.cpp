// Merge join paths: inputs that come in the order of the join keys, or are sorted by them.
#include <algorithm>
#include <cmath>

#include "node/catalog/builtin.h"
#include "node/config/settings.h"
#include "node/sql/optimizer/cost.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

constexpr Oid kBtreeMethod{403};

int32_t ColumnOf(const Path& path, const Expr* expr) {
  for (uint32_t i = 0; i < path.columns.size(); ++i) {
    if (EqualNodes(path.columns[i], expr)) return static_cast<int32_t>(i + 1);
  }
  return 0;
}

// Equality of one type whose btree order both sides can be sorted by.
bool IsMergeable(const Qual& qual) {
  if (!qual.is_equality) return false;
  Oid left = ExprType(qual.left), right = ExprType(qual.right);
  if (left != right || TypeOf(left).compare == nullptr) return false;
  const OpExpr* op = As<OpExpr>(static_cast<const Node*>(qual.expr));
  for (const BuiltinAmop* amop : BuiltinAmopsOf(op->opno)) {
    if (amop->method == kBtreeMethod && amop->strategy == 3 && amop->left == amop->right) return true;
  }
  return false;
}

}  // namespace

// The item's rows in this order: as it comes, from an index, or sorted.
Path QueryPlanner::SortedBy(const Item& item, const std::vector<OrderElement>& order) {
  if (OrderSatisfies(item.path.order, order)) return item.path;
  List<OrderKey> keys;
  for (const OrderElement& element : order) {
    OrderKey key;
    key.column = ColumnOf(item.path, element.expr);
    key.type = ExprType(element.expr);
    key.collation = ExprCollation(element.expr);
    keys.Append(arena(), key);
  }
  Path best = SortPath(item.path, keys);
  best.order = order;
  for (const Path& path : item.ordered) {
    if (path.required.empty() && OrderSatisfies(path.order, order) && path.total_cost < best.total_cost)
      best = path;
  }
  return best;
}

Path QueryPlanner::MergeJoinPath(const Item& left, const Item& right, JoinType type,
                                 const std::vector<Qual>& quals, double rows) {
  Path path;
  path.total_cost = INFINITY;
  std::vector<Qual> rest;
  std::vector<OrderElement> left_order, right_order;
  MergeJoinPlan* plan = arena().New<MergeJoinPlan>();
  for (const Qual& qual : quals) {
    bool straight = qual.left_rels.IsSubsetOf(left.rels) && qual.right_rels.IsSubsetOf(right.rels);
    bool crossed = qual.left_rels.IsSubsetOf(right.rels) && qual.right_rels.IsSubsetOf(left.rels);
    Expr* own = straight ? qual.left : qual.right;
    Expr* other = straight ? qual.right : qual.left;
    if (!IsMergeable(qual) || (!straight && !crossed) || ColumnOf(left.path, own) == 0 ||
        ColumnOf(right.path, other) == 0) {
      rest.push_back(qual);
      continue;
    }
    left_order.push_back({own, false, false});
    right_order.push_back({other, false, false});
    plan->equal_operators.Append(arena(), As<OpExpr>(static_cast<const Node*>(qual.expr))->opno);
    plan->compare_types.Append(arena(), ExprType(own));
    plan->descending.Append(arena(), 0);
    plan->nulls_first.Append(arena(), 0);
  }
  if (left_order.empty()) return path;
  Path outer = SortedBy(left, left_order), inner = SortedBy(right, right_order);
  for (const OrderElement& element : left_order) {
    plan->outer_keys.Append(arena(), BindToInput(element.expr, outer.columns));
  }
  for (const OrderElement& element : right_order) {
    plan->inner_keys.Append(arena(), BindToInput(element.expr, inner.columns));
  }
  plan->left = outer.plan;
  plan->right = inner.plan;
  plan->join_type = type;
  path.columns = outer.columns.Clone(arena());
  path.columns.AppendAll(arena(), inner.columns);
  plan->join_quals = BindList(rest, path.columns);
  path.plan = plan;
  path.rels = left.rels | right.rels;
  path.required = (outer.required | inner.required) - path.rels;
  path.rows = rows;
  if (type != JoinType::kRight && type != JoinType::kFull) path.order = outer.order;
  double keys = static_cast<double>(left_order.size());
  path.startup_cost = outer.startup_cost + inner.startup_cost;
  path.total_cost = outer.total_cost + inner.total_cost +
                    (outer.rows + inner.rows) * CpuOperatorCost() * keys * 2 +
                    rows * (CpuTupleCost() + CpuOperatorCost() * static_cast<double>(rest.size()));
  if (!GetBool(Setting::kEnableMergejoin)) path.total_cost += kDisabledCost;
  return path;
}

}  // namespace walden
