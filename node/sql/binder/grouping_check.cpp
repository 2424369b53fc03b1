// The grouping rule: a column of the query must be grouped, aggregated, or determined by the grouped ones.
#include <algorithm>

#include "node/base/stack_depth.h"
#include "node/sql/binder/aggregates.h"
#include "node/sql/binder/join_aliases.h"
#include "node/sql/binder/range_table.h"

namespace walden {
namespace {

using RefSet = std::vector<int32_t>;  // sorted
constexpr size_t kMaxGroupingSets = 4096;

void Union(RefSet* set, const RefSet& other) {
  set->insert(set->end(), other.begin(), other.end());
  std::ranges::sort(*set);
  set->erase(std::unique(set->begin(), set->end()), set->end());
}

// The plain grouping sets that one GROUP BY item means.
std::vector<RefSet> ExpandSet(const GroupingSet& set) {
  std::vector<RefSet> result;
  switch (set.kind) {
    case GroupingSetKind::kEmpty: result.push_back({}); break;
    case GroupingSetKind::kSimple: {
      RefSet refs;
      Union(&refs, RefSet(set.refs.begin(), set.refs.end()));
      result.push_back(refs);
      break;
    }
    case GroupingSetKind::kRollup:
      for (uint32_t size = set.sets.size() + 1; size-- > 0;) {
        RefSet refs;
        for (uint32_t i = 0; i < size; ++i) Union(&refs, ExpandSet(*set.sets[i])[0]);
        result.push_back(refs);
      }
      break;
    case GroupingSetKind::kCube:
      for (uint32_t mask = 0; mask < (1u << set.sets.size()); ++mask) {
        RefSet refs;
        for (uint32_t i = 0; i < set.sets.size(); ++i) {
          if ((mask & (1u << i)) != 0) Union(&refs, ExpandSet(*set.sets[i])[0]);
        }
        result.push_back(refs);
      }
      break;
    case GroupingSetKind::kSets:
      for (const GroupingSet* inner : set.sets) {
        for (RefSet& refs : ExpandSet(*inner)) result.push_back(std::move(refs));
      }
      break;
  }
  return result;
}

std::vector<RefSet> ExpandSets(BindState& state, const List<GroupingSet*>& sets) {
  std::vector<RefSet> result = {{}};
  for (const GroupingSet* set : sets) {
    std::vector<RefSet> product;
    std::vector<RefSet> expanded = ExpandSet(*set);
    if (result.size() * expanded.size() > kMaxGroupingSets) {
      throw SqlError(ErrorCode::kStatementTooComplex, "too many grouping sets present (maximum {})",
                     kMaxGroupingSets)
          .WithPosition(state.Position(sets[0]->location));
    }
    for (const RefSet& left : result) {
      for (const RefSet& right : expanded) {
        product.push_back(left);
        Union(&product.back(), right);
      }
    }
    result = std::move(product);
  }
  return result;
}

class GroupingChecker {
 public:
  GroupingChecker(BindState& state, Query* query) : state_(state), query_(query) {}

  void Check();

 private:
  struct GroupItem {
    Expr* expr;
    uint32_t ref;
    bool in_all_sets;
  };
  void CollectItems();
  Node* Flattened(Node* tree) {
    return has_joins_ ? FlattenJoinAliases(*query_, tree, state_.arena()) : tree;
  }
  void ResolveGrouping(Node* node, uint32_t level);
  void Walk(const Node* node);
  void WalkChildren(const Node* node);
  bool IsGrouped(const Node* node) const;
  bool IsDetermined(const Var& var);
  [[noreturn]] void ThrowUngrouped(const Var& var);

  BindState& state_;
  Query* query_;
  std::vector<GroupItem> items_;
  std::vector<int32_t> determined_;  // range table entries whose columns the grouping determines
  bool has_joins_ = false;
  bool has_expressions_ = false;
  bool in_direct_arguments_ = false;
  uint32_t level_ = 0;
};

void GroupingChecker::CollectItems() {
  RefSet common;
  if (!query_->grouping_sets.empty()) {
    std::vector<RefSet> sets = ExpandSets(state_, query_->grouping_sets);
    common = sets[0];
    for (const RefSet& set : sets) {
      RefSet kept;
      std::ranges::set_intersection(common, set, std::back_inserter(kept));
      common = std::move(kept);
    }
  }
  for (const SortGroupClause* clause : query_->group_clause) {
    const TargetEntry* target = FindSortGroupTarget(query_->target_list, clause->tle_sort_group_ref);
    if (target == nullptr) continue;
    auto* expr = static_cast<Expr*>(Flattened(target->expr));
    bool in_all = query_->grouping_sets.empty() ||
                  std::ranges::binary_search(common, static_cast<int32_t>(clause->tle_sort_group_ref));
    items_.push_back({expr, clause->tle_sort_group_ref, in_all});
    if (!Is<Var>(expr)) has_expressions_ = true;
  }
}

bool GroupingChecker::IsGrouped(const Node* node) const {
  return std::ranges::any_of(items_, [&](const GroupItem& item) { return EqualNodes(node, item.expr); });
}

// GROUPING's arguments must be grouping expressions of its level; their references are noted.
void GroupingChecker::ResolveGrouping(Node* node, uint32_t level) {
  if (node == nullptr) return;
  if (auto* grouping = TryAs<GroupingFunc>(node)) {
    if (grouping->agglevelsup != level) return;
    grouping->refs.Clear();
    for (Expr* argument : grouping->args) {
      Node* flat = level == 0 ? Flattened(argument) : argument;
      const GroupItem* found = nullptr;
      for (const GroupItem& item : items_) {
        const auto* var = TryAs<Var>(flat);
        const auto* item_var = TryAs<Var>(item.expr);
        bool same = level == 0 ? EqualNodes(flat, item.expr)
                               : var != nullptr && item_var != nullptr && var->varno == item_var->varno &&
                                     var->varattno == item_var->varattno && var->varlevelsup == level;
        if (same && found == nullptr) found = &item;
      }
      if (found == nullptr) {
        throw SqlError(ErrorCode::kGroupingError,
                       "arguments to GROUPING must be grouping expressions of the associated query level")
            .WithPosition(state_.Position(ExprLocation(argument)));
      }
      grouping->refs.Append(state_.arena(), static_cast<int32_t>(found->ref));
    }
    return;
  }
  uint32_t inner = level + (Is<Query>(node) ? 1 : 0);
  AnyChild(node, [&](const Node* child) {
    ResolveGrouping(const_cast<Node*>(child), inner);
    return false;
  });
}

// Grouping by all columns of a table's primary key determines its other columns.
bool GroupingChecker::IsDetermined(const Var& var) {
  const RangeTblEntry& rte = *RteAt(*query_, var.varno);
  if (rte.rtekind != RteKind::kRelation) return false;
  if (std::ranges::find(determined_, var.varno) != determined_.end()) return true;
  for (const UniqueInfo& unique : state_.catalog().UniqueIndexes(rte.relid)) {
    if (!unique.primary || !unique.immediate || !IsValid(unique.constraint)) continue;
    bool all = std::ranges::all_of(unique.keys, [&](AttrNumber key) {
      return std::ranges::any_of(items_, [&](const GroupItem& item) {
        const auto* grouped = TryAs<Var>(item.expr);
        return item.in_all_sets && grouped != nullptr && grouped->varlevelsup == 0 &&
               grouped->varno == var.varno && grouped->varattno == key;
      });
    });
    if (!all) continue;
    determined_.push_back(var.varno);
    query_->constraint_deps.AppendUnique(state_.arena(), unique.constraint);
    return true;
  }
  return false;
}

void GroupingChecker::ThrowUngrouped(const Var& var) {
  const RangeTblEntry& rte = *RteAt(*query_, var.varno);
  std::string_view column = "*";
  if (var.varattno > 0) column = rte.eref->colnames[static_cast<uint32_t>(var.varattno - 1)];
  if (var.varattno < 0) column = SystemColumnName(var.varattno);
  SqlError error(ErrorCode::kGroupingError,
                 level_ == 0
                     ? fmt::format("column \"{}.{}\" must appear in the GROUP BY clause or be used in an "
                                   "aggregate function",
                                   rte.eref->aliasname, column)
                     : fmt::format("subquery uses ungrouped column \"{}.{}\" from outer query",
                                   rte.eref->aliasname, column));
  if (level_ == 0 && in_direct_arguments_) {
    error.WithDetail("Direct arguments of an ordered-set aggregate must use only grouped columns.");
  }
  throw error.WithPosition(state_.Position(var.location));
}

void GroupingChecker::WalkChildren(const Node* node) {
  AnyChild(node, [this](const Node* child) {
    Walk(child);
    return false;
  });
}

void GroupingChecker::Walk(const Node* node) {
  if (node == nullptr || Is<Const>(node) || Is<Param>(node)) return;
  CheckStackDepth();
  if (const auto* aggregate = TryAs<Aggref>(node)) {
    if (aggregate->agglevelsup == level_) {
      bool saved = in_direct_arguments_;
      in_direct_arguments_ = true;
      for (const Expr* argument : aggregate->aggdirectargs) Walk(argument);
      in_direct_arguments_ = saved;
      return;
    }
    if (aggregate->agglevelsup > level_) return;
  }
  if (const auto* grouping = TryAs<GroupingFunc>(node);
      grouping != nullptr && grouping->agglevelsup >= level_)
    return;
  if (has_expressions_ && level_ == 0 && IsGrouped(node)) return;
  if (const auto* var = TryAs<Var>(node)) {
    if (var->varlevelsup != level_) return;
    for (const GroupItem& item : items_) {
      const auto* grouped = TryAs<Var>(item.expr);
      if (grouped != nullptr && grouped->varno == var->varno && grouped->varattno == var->varattno &&
          grouped->varlevelsup == 0) {
        return;
      }
    }
    if (IsDetermined(*var)) return;
    ThrowUngrouped(*var);
  }
  bool is_query = Is<Query>(node);
  level_ += is_query ? 1 : 0;
  WalkChildren(node);
  level_ -= is_query ? 1 : 0;
}

// Where the first aggregate of the query stands.
Location FirstAggregate(const Node* node) {
  if (node == nullptr || Is<Query>(node)) return Location{};
  if (const auto* aggregate = TryAs<Aggref>(node)) return aggregate->location;
  Location found;
  AnyChild(node, [&](const Node* child) {
    found = FirstAggregate(child);
    return found.IsKnown();
  });
  return found;
}

void GroupingChecker::Check() {
  bool self_reference = false;
  for (const RangeTblEntry* rte : query_->rtable) {
    if (rte->rtekind == RteKind::kJoin) has_joins_ = true;
    if (rte->rtekind == RteKind::kCte && rte->self_reference) self_reference = true;
  }
  CollectItems();
  for (TargetEntry* target : query_->target_list) {
    ResolveGrouping(target, 0);
    Walk(Flattened(target));
  }
  ResolveGrouping(query_->having_qual, 0);
  if (query_->having_qual != nullptr) Walk(Flattened(query_->having_qual));
  if (state_.has_aggs && self_reference) {
    Location location;
    for (const TargetEntry* target : query_->target_list) {
      if (!location.IsKnown()) location = FirstAggregate(target);
    }
    if (!location.IsKnown()) location = FirstAggregate(query_->having_qual);
    throw SqlError(ErrorCode::kInvalidRecursion,
                   "aggregate functions are not allowed in a recursive query's recursive term")
        .WithPosition(state_.Position(location));
  }
}

}  // namespace

void CheckGrouping(BindState& state, Query* query) { GroupingChecker(state, query).Check(); }

}  // namespace walden
