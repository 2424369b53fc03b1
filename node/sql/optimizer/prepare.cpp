// What is done to a query before plans are considered: join aliases are expanded, simple subqueries of FROM are
// merged into their parent, constants are folded, CTEs that are used once are inlined.
#include "node/sql/optimizer/fold.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

// Replaces Vars of the query `level` levels up that refer to join entries by what the join columns are.
Node* FlattenAliases(Node* node, const Query& query, uint32_t level, Arena& arena) {
  if (const Var* var = TryAs<Var>(node)) {
    if (var->varlevelsup != level || var->varno <= 0) return node;
    const RangeTblEntry& rte = *query.rtable[var->varno - 1];
    if (rte.rtekind != RteKind::kJoin) return node;
    if (var->varattno == 0) {
      // The whole row of a join is the row of its columns.
      RowExpr* row = arena.New<RowExpr>();
      row->row_typeid = var->vartype;
      for (uint32_t i = 0; i < rte.joinaliasvars.size(); ++i) {
        if (rte.joinaliasvars[i] == nullptr) continue;
        Expr* source = Copy(rte.joinaliasvars[i], arena);
        if (level > 0) IncrementVarLevels(source, static_cast<int>(level), 0);
        row->args.Append(arena, static_cast<Expr*>(FlattenAliases(source, query, level, arena)));
        row->colnames.Append(arena, rte.eref->colnames[i]);
      }
      return row;
    }
    Expr* source = Copy(rte.joinaliasvars[var->varattno - 1], arena);
    if (level > 0) IncrementVarLevels(source, static_cast<int>(level), 0);
    return FlattenAliases(source, query, level, arena);
  }
  // Alias lists are the source of the replacement themselves.
  if (Is<RangeTblEntry>(node) && As<RangeTblEntry>(node)->rtekind == RteKind::kJoin) return node;
  uint32_t below = Is<Query>(node) ? level + 1 : level;
  ReplaceChildren(node, [&](Node* child) { return FlattenAliases(child, query, below, arena); });
  return node;
}

// Replaces Vars of range table entry `rtindex`, `level` levels up, by the subquery's target expressions.
Node* ReplaceVars(Node* node, int32_t rtindex, const List<TargetEntry*>& targets, uint32_t level,
                  Arena& arena) {
  if (const Var* var = TryAs<Var>(node)) {
    if (var->varlevelsup != level || var->varno != rtindex) return node;
    TargetEntry* target = FindTarget(targets, var->varattno);
    if (target == nullptr)
      throw SqlError(ErrorCode::kInternalError, "could not find attribute {} in subquery", var->varattno);
    Expr* copy = Copy(target->expr, arena);
    if (level > 0) IncrementVarLevels(copy, static_cast<int>(level), 0);
    return copy;
  }
  uint32_t below = Is<Query>(node) ? level + 1 : level;
  ReplaceChildren(node, [&](Node* child) { return ReplaceVars(child, rtindex, targets, below, arena); });
  return node;
}

// Replaces the references to a CTE, `level` levels up, by its query.
void InlineCte(Node* node, const CommonTableExpr& cte, uint32_t level, Arena& arena) {
  if (RangeTblEntry* rte = TryAs<RangeTblEntry>(node); rte != nullptr && rte->rtekind == RteKind::kCte &&
                                                       rte->ctelevelsup == level &&
                                                       rte->ctename == cte.ctename) {
    rte->rtekind = RteKind::kSubquery;
    rte->subquery = Copy(cte.ctequery, arena);
    // The CTE's query stands one level below its WITH; here it is below the entry's query.
    IncrementVarLevels(rte->subquery, static_cast<int>(level), 1);
    return;
  }
  AnyChild(node, [&](const Node* child) {
    InlineCte(const_cast<Node*>(child), cte, Is<Query>(child) ? level + 1 : level, arena);
    return false;
  });
}

bool HasVolatileTarget(const Query& query) {
  for (const TargetEntry* entry : query.target_list) {
    if (VolatilityOf(entry) == 'v') return true;
  }
  return false;
}

bool AllPlainVars(const Query& query) {
  for (const TargetEntry* entry : query.target_list) {
    if (!Is<Var>(static_cast<const Node*>(entry->expr))) return false;
  }
  return true;
}

}  // namespace

void QueryPlanner::FlattenJoinAliases() {
  for (RangeTblEntry* rte : query_->rtable) {
    if (rte->rtekind != RteKind::kJoin) continue;
    for (uint32_t i = 0; i < rte->joinaliasvars.size(); ++i) {
      if (rte->joinaliasvars[i] == nullptr) continue;
      rte->joinaliasvars[i] = static_cast<Expr*>(FlattenAliases(rte->joinaliasvars[i], *query_, 0, arena()));
    }
  }
  ReplaceChildren(query_, [&](Node* child) { return FlattenAliases(child, *query_, 0, arena()); });
  ExpandWholeRows();
}

bool QueryPlanner::IsSimpleSubquery(const RangeTblEntry& rte) const {
  const Query& sub = *rte.subquery;
  return sub.command_type == CmdType::kSelect && sub.set_operations == nullptr && !sub.has_aggs &&
         !sub.has_window_funcs && !sub.has_target_srfs && sub.group_clause.empty() &&
         sub.grouping_sets.empty() && sub.having_qual == nullptr && sub.sort_clause.empty() &&
         sub.distinct_clause.empty() && sub.limit_count == nullptr && sub.limit_offset == nullptr &&
         !sub.has_for_update && sub.row_marks.empty() && sub.cte_list.empty() && !rte.lateral &&
         !rte.security_barrier && !sub.jointree->fromlist.empty() && !HasVolatileTarget(sub);
}

// Merges simple subqueries of FROM into this query, bottom up. Below the nullable side of an outer join, and where grouping sets null
// columns, only subqueries that merely rename columns qualify: computed columns would not become null.
void QueryPlanner::PullUpSubqueries() { PullUpInTree(query_->jointree, false); }

Node* QueryPlanner::PullUpInTree(Node* node, bool nullable) {
  if (FromExpr* from = TryAs<FromExpr>(node)) {
    for (uint32_t i = 0; i < from->fromlist.size(); ++i)
      from->fromlist[i] = PullUpInTree(from->fromlist[i], nullable);
    return node;
  }
  if (JoinExpr* join = TryAs<JoinExpr>(node)) {
    bool left_nullable = nullable || join->jointype == JoinType::kRight || join->jointype == JoinType::kFull;
    bool right_nullable = nullable || join->jointype == JoinType::kLeft || join->jointype == JoinType::kFull;
    join->larg = PullUpInTree(join->larg, left_nullable);
    join->rarg = PullUpInTree(join->rarg, right_nullable);
    return node;
  }
  int32_t rtindex = As<RangeTblRef>(node)->rtindex;
  RangeTblEntry* rte = query_->rtable[rtindex - 1];
  if (rte->rtekind != RteKind::kSubquery || !IsSimpleSubquery(*rte)) return node;
  Query* sub = rte->subquery;
  auto must_stay = [&] {
    return ((nullable || !query_->grouping_sets.empty()) && !AllPlainVars(*sub)) ||
           (nullable && sub->jointree->quals != nullptr);
  };
  if (must_stay()) return node;
  // Flatten the subquery's own aliases and its own subqueries first.
  QueryPlanner inner(global_, parent_, sub);
  inner.FlattenJoinAliases();
  inner.PullUpSubqueries();
  // What was merged into it may have brought computed columns.
  if (must_stay()) return node;
  int offset = static_cast<int>(query_->rtable.size());
  OffsetVarNumbers(sub, offset);
  IncrementVarLevels(sub, -1, 1);
  List<TargetEntry*> targets = sub->target_list;
  for (RangeTblEntry* entry : sub->rtable) query_->rtable.Append(arena(), entry);
  query_->has_sub_links |= sub->has_sub_links;
  rte->rtekind = RteKind::kResult;  // nothing refers to it any more; it stays for the numbering
  rte->subquery = nullptr;
  ReplaceSubqueryVars(rtindex, targets);
  return sub->jointree;
}

void QueryPlanner::ReplaceSubqueryVars(int32_t rtindex, const List<TargetEntry*>& targets) {
  ReplaceChildren(query_, [&](Node* child) { return ReplaceVars(child, rtindex, targets, 0, arena()); });
}

// A CTE used once, without side effects, is a subquery of FROM.
void QueryPlanner::InlineCtes() {
  for (CommonTableExpr* cte : query_->cte_list) {
    Query* body = cte->ctequery;
    bool inline_it = !cte->cterecursive && body->command_type == CmdType::kSelect && !body->has_for_update &&
                     (cte->ctematerialized == CteMaterialize::kNever ||
                      (cte->ctematerialized == CteMaterialize::kDefault && cte->cterefcount == 1)) &&
                     VolatilityOf(body) != 'v';
    if (!inline_it) continue;
    InlineCte(query_, *cte, 0, arena());
    cte->cterefcount = 0;
  }
}

namespace {

bool IsConstantTrue(const Expr* condition) {
  const Const* constant = TryAs<Const>(static_cast<const Node*>(condition));
  return constant != nullptr && !constant->IsNull() && constant->value.datum.b;
}

}  // namespace

void QueryPlanner::Prepare() {
  InlineCtes();
  PlanCtes();
  FlattenJoinAliases();
  PullUpSubLinks();
  PullUpSubqueries();
  // Merged subqueries brought sublinks of their own.
  FlattenJoinAliases();
  PullUpSubLinks();
  ReplaceChildren(query_, [&](Node* child) -> Node* {
    if (Is<RangeTblEntry>(child)) {
      ReplaceChildren(child, [&](Node* part) { return FoldConstants(part, arena(), global_.options); });
      return child;
    }
    return FoldConstants(child, arena(), global_.options);
  });
  if (query_->jointree != nullptr && IsConstantTrue(query_->jointree->quals))
    query_->jointree->quals = nullptr;
  if (IsConstantTrue(query_->having_qual)) query_->having_qual = nullptr;
  MoveHavingToWhere();
  AppendRangeTable();
}

// A condition of HAVING without aggregates holds for all rows of a group or for none: the others need not be grouped.
void QueryPlanner::MoveHavingToWhere() {
  if (query_->having_qual == nullptr || query_->group_clause.empty() || !query_->grouping_sets.empty())
    return;
  ExprList kept, moved;
  for (Expr* condition : Conjuncts(arena(), query_->having_qual)) {
    bool stays = ContainsAggregate(condition) || VolatilityOf(condition) == 'v' || ContainsSubLink(condition);
    (stays ? kept : moved).Append(arena(), condition);
  }
  if (moved.empty()) return;
  ExprList where = Conjuncts(arena(), query_->jointree->quals);
  where.AppendAll(arena(), moved);
  query_->jointree->quals = MakeBoolExpr(arena(), BoolExprType::kAnd, where);
  query_->having_qual = MakeBoolExpr(arena(), BoolExprType::kAnd, kept);
}

// The statement's flat range table gets this level's entries; plans number relations by it.
void QueryPlanner::AppendRangeTable() {
  PlannedStatement& statement = *global_.statement;
  rt_offset_ = static_cast<int32_t>(statement.rtable.size());
  for (RangeTblEntry* rte : query_->rtable) {
    statement.rtable.Append(arena(), rte);
    if (!IsValid(rte->relid)) continue;
    statement.relations.Append(arena(), rte->relid);
    statement.relation_locks.Append(arena(), rte->rellockmode);
  }
}

}  // namespace walden
