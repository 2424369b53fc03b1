// From FROM and WHERE to a tree of join regions with their conditions, and what each base relation must deliver.
#include <algorithm>

#include "node/catalog/builtin.h"
#include "node/config/settings.h"
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"
#include "node/storage/relation_file.h"

namespace walden {

Qual QueryPlanner::MakeQual(Expr* expr) {
  Qual qual;
  qual.expr = expr;
  qual.rels = RelsOf(expr);
  const OpExpr* op = TryAs<OpExpr>(static_cast<const Node*>(expr));
  if (op == nullptr || op->args.size() != 2) return qual;
  const BuiltinOperator* row = FindBuiltinOperator(op->opno);
  if (row == nullptr || !row->can_hash) return qual;
  RelSet left = RelsOf(op->args[0]), right = RelsOf(op->args[1]);
  if (left.empty() || right.empty() || left.Overlaps(right)) return qual;
  qual.is_equality = true;
  qual.left = op->args[0];
  qual.right = op->args[1];
  qual.left_rels = left;
  qual.right_rels = right;
  return qual;
}

std::vector<Qual> QueryPlanner::MakeQuals(Expr* condition) {
  std::vector<Qual> quals;
  for (Expr* conjunct : Conjuncts(arena(), PlanSubLinks(condition))) quals.push_back(MakeQual(conjunct));
  return quals;
}

namespace {

void TakeAll(JoinNode* from, JoinNode* to) {
  for (auto& item : from->items) to->items.push_back(std::move(item));
  for (const Qual& qual : from->quals) to->quals.push_back(qual);
  to->rels |= from->rels;
}

// A part of one item is no part of its own.
void TakeAsItem(std::unique_ptr<JoinNode> part, JoinNode* to) {
  if (part->items.size() <= 1) return TakeAll(part.get(), to);
  to->rels |= part->rels;
  to->items.push_back(std::move(part));
}

// Both sides of an inner join: one region as long as join_collapse_limit allows, else their own order stays.
void TakeSides(std::unique_ptr<JoinNode> left, std::unique_ptr<JoinNode> right, JoinNode* to) {
  bool fits =
      static_cast<int64_t>(left->items.size() + right->items.size()) <= GetInt(Setting::kJoinCollapseLimit);
  for (auto* side : {&left, &right}) {
    if (fits) {
      TakeAll(side->get(), to);
    } else {
      TakeAsItem(std::move(*side), to);
    }
  }
}

std::unique_ptr<JoinNode> NewRegion() {
  auto region = std::make_unique<JoinNode>();
  region->kind = JoinNode::Kind::kRegion;
  return region;
}

}  // namespace

std::unique_ptr<JoinNode> QueryPlanner::BuildRegion(FromExpr* from) { return BuildPart(from); }

// A region of what stands below `node`. Nested FROM lists and inner joins are flattened into it as from_collapse_limit and
// join_collapse_limit allow; other joins become items of it.
std::unique_ptr<JoinNode> QueryPlanner::BuildPart(Node* node) {
  std::unique_ptr<JoinNode> region = NewRegion();
  auto add_quals = [&](Expr* condition) {
    for (const Qual& qual : MakeQuals(condition)) region->quals.push_back(qual);
  };
  if (FromExpr* from = TryAs<FromExpr>(node)) {
    int64_t remaining = from->fromlist.size();
    for (Node* item : from->fromlist) {
      std::unique_ptr<JoinNode> part = BuildPart(item);
      --remaining;
      int64_t together = static_cast<int64_t>(region->items.size() + part->items.size()) + remaining;
      if (together <= GetInt(Setting::kFromCollapseLimit)) {
        TakeAll(part.get(), region.get());
      } else {
        TakeAsItem(std::move(part), region.get());
      }
    }
    add_quals(from->quals);
    return region;
  }
  if (RangeTblRef* ref = TryAs<RangeTblRef>(node)) {
    auto base = std::make_unique<JoinNode>();
    base->kind = JoinNode::Kind::kBase;
    base->rtindex = ref->rtindex;
    base->rels.Add(ref->rtindex);
    region->rels |= base->rels;
    region->items.push_back(std::move(base));
    AddBaseRel(ref->rtindex);
    return region;
  }
  JoinExpr* join = As<JoinExpr>(node);
  std::unique_ptr<JoinNode> left = BuildPart(join->larg), right = BuildPart(join->rarg);
  if (join->jointype == JoinType::kInner) {
    TakeSides(std::move(left), std::move(right), region.get());
    add_quals(join->quals);
    return region;
  }
  auto item = std::make_unique<JoinNode>();
  item->kind = JoinNode::Kind::kJoin;
  item->join_type = join->jointype;
  item->left = std::move(left);
  item->right = std::move(right);
  if (item->join_type == JoinType::kRight) {
    std::swap(item->left, item->right);
    item->join_type = JoinType::kLeft;
  }
  item->quals = MakeQuals(join->quals);
  item->rels = item->left->rels | item->right->rels;
  region->rels |= item->rels;
  region->items.push_back(std::move(item));
  return region;
}

// An outer join whose nullable side is asked for non-null values by a condition above is an inner join.
void QueryPlanner::ReduceOuterJoins(JoinNode* node, const RelSet& from_above) {
  if (node->kind == JoinNode::Kind::kBase) return;
  RelSet nonnullable = from_above;
  if (node->kind == JoinNode::Kind::kRegion) {
    for (const Qual& qual : node->quals) {
      nonnullable |= NonNullableRels(qual.expr);
    }
    for (auto& item : node->items) ReduceOuterJoins(item.get(), nonnullable);
    // What has become an inner join dissolves into the region.
    for (size_t i = 0; i < node->items.size(); ++i) {
      JoinNode* item = node->items[i].get();
      if (item->kind != JoinNode::Kind::kJoin || item->join_type != JoinType::kInner) continue;
      std::unique_ptr<JoinNode> taken = std::move(node->items[i]);
      node->items.erase(node->items.begin() + static_cast<ptrdiff_t>(i));
      std::unique_ptr<JoinNode> part = NewRegion();
      TakeSides(std::move(taken->left), std::move(taken->right), part.get());
      for (const Qual& qual : taken->quals) part->quals.push_back(qual);
      if (static_cast<int64_t>(node->items.size() + part->items.size()) <=
          GetInt(Setting::kJoinCollapseLimit)) {
        TakeAll(part.get(), node);
      } else {
        TakeAsItem(std::move(part), node);
      }
      i = static_cast<size_t>(-1);  // start over: the list has changed
    }
    return;
  }
  if (node->join_type == JoinType::kLeft && nonnullable.Overlaps(node->right->rels))
    node->join_type = JoinType::kInner;
  if (node->join_type == JoinType::kFull) {
    bool left = nonnullable.Overlaps(node->left->rels), right = nonnullable.Overlaps(node->right->rels);
    if (left && right) {
      node->join_type = JoinType::kInner;
    } else if (left) {
      node->join_type = JoinType::kLeft;
    } else if (right) {
      std::swap(node->left, node->right);
      node->join_type = JoinType::kLeft;
    }
  }
  RelSet own = nonnullable;
  bool on_applies_to_left = node->join_type == JoinType::kInner || node->join_type == JoinType::kSemi;
  for (const Qual& qual : node->quals) {
    own |= NonNullableRels(qual.expr);
  }
  ReduceOuterJoins(node->left.get(), on_applies_to_left ? own : nonnullable);
  ReduceOuterJoins(node->right.get(), node->join_type == JoinType::kFull ? nonnullable : own);
}

void QueryPlanner::AddBaseRel(int32_t rtindex) {
  bases_.resize(std::max(bases_.size(), static_cast<size_t>(query_->rtable.size())));
  auto base = std::make_unique<BaseRel>();
  base->rtindex = rtindex;
  base->rte = query_->rtable[rtindex - 1];
  if (base->rte->rtekind == RteKind::kRelation) {
    base->relation = OpenRelation(base->rte->relid, LockMode::kNone);
    const Relation& relation = *base->relation;
    if (!relation.has_storage()) {
      throw SqlError(ErrorCode::kFeatureNotSupported, "cannot scan relation \"{}\"", relation.name());
    }
    base->pages = RelationBlocks(relation.table.locator, Fork::kMain, true);
    double known_pages = relation.row.relpages, known_tuples = relation.row.reltuples;
    if (known_tuples >= 0 && known_pages > 0) {
      base->tuples = std::max(1.0, base->pages * (known_tuples / known_pages));
    } else if (known_tuples >= 0 && base->pages == 0) {
      base->tuples = 1;
    } else {
      // Never vacuumed: assume ten pages of rows of the declared width.
      double pages = std::max(base->pages, 10.0);
      int32_t width = 32;
      for (const PgAttributeRow& column : relation.columns) {
        if (!column.attisdropped) width += TypeWidth(column.atttypid, column.atttypmod);
      }
      base->tuples = std::max(1.0, pages * (8168.0 / width));
    }
    base->all_visible_fraction =
        known_pages > 0 ? std::min(1.0, relation.row.relallvisible / known_pages) : 0;
  }
  base->lateral =
      RelsOf(base->rte->rtekind == RteKind::kSubquery ? nullptr : static_cast<const Node*>(base->rte));
  if (base->rte->rtekind == RteKind::kSubquery && base->rte->lateral) {
    // References to siblings are one level up in the subquery.
    struct Finder {
      static void Find(const Node* node, uint32_t level, RelSet* rels) {
        if (const Var* var = TryAs<Var>(node)) {
          if (var->varlevelsup == level && var->varno > 0) rels->Add(var->varno);
          return;
        }
        uint32_t below = Is<Query>(node) ? level + 1 : level;
        AnyChild(node, [&](const Node* child) {
          Find(child, below, rels);
          return false;
        });
      }
    };
    Finder::Find(base->rte->subquery, 0, &base->lateral);
  }
  bases_[rtindex - 1] = std::move(base);
}

const Relation* QueryPlanner::RelationOf(int32_t rtindex) const {
  if (rtindex < 1 || static_cast<size_t>(rtindex) > bases_.size() || bases_[rtindex - 1] == nullptr)
    return nullptr;
  return bases_[rtindex - 1]->relation.get();
}

double QueryPlanner::TuplesOf(int32_t rtindex) const {
  return bases_[rtindex - 1] == nullptr ? 1 : bases_[rtindex - 1]->tuples;
}

// Marks the columns that `node` mentions as needed above the scans, but for those of own_rel.
void QueryPlanner::NoteNeeded(const Node* node, int32_t own_rel) {
  if (node == nullptr) return;
  if (const Var* var = TryAs<Var>(node)) {
    if (var->varlevelsup != 0 || var->varno <= 0 || var->varno == own_rel) return;
    if (static_cast<size_t>(var->varno) > bases_.size() || bases_[var->varno - 1] == nullptr) return;
    std::vector<int32_t>& output = bases_[var->varno - 1]->output;
    if (std::find(output.begin(), output.end(), var->varattno) == output.end())
      output.push_back(var->varattno);
    return;
  }
  AnyChild(node, [&](const Node* child) {
    NoteNeeded(child, own_rel);
    return false;
  });
}

}  // namespace walden
