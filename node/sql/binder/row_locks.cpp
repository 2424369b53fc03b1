// FOR UPDATE, FOR SHARE and the key forms: which range table entries they lock.
#include <algorithm>

#include "node/sql/binder/query_binding.h"
#include "node/sql/binder/range_table.h"

namespace walden {
namespace {

void CheckLockable(const Query& query, LockClauseStrength strength) {
  const char* obstacle = query.set_operations != nullptr  ? "UNION/INTERSECT/EXCEPT"
                         : !query.distinct_clause.empty() ? "DISTINCT clause"
                         : !query.group_clause.empty() || !query.grouping_sets.empty() ? "GROUP BY clause"
                         : query.having_qual != nullptr                                ? "HAVING clause"
                         : query.has_aggs                                              ? "aggregate functions"
                         : query.has_window_funcs                                      ? "window functions"
                         : query.has_target_srfs ? "set-returning functions in the target list"
                                                 : nullptr;
  if (obstacle == nullptr) return;
  throw SqlError(ErrorCode::kFeatureNotSupported, "{} is not allowed with {}", LockStrengthName(strength),
                 obstacle);
}

void MarkLocked(BindState& state, Query* query, uint32_t rtindex, const ast::LockingClause& clause,
                bool pushed_down) {
  if (!pushed_down) query->has_for_update = true;
  for (RowMarkClause* mark : query->row_marks) {
    if (mark->rti != rtindex) continue;
    // Several clauses for one table: the strongest lock, the least patient wait.
    mark->strength = std::max(mark->strength, clause.strength);
    mark->wait_policy = std::max(mark->wait_policy, clause.wait_policy);
    mark->pushed_down = mark->pushed_down && pushed_down;
    return;
  }
  auto* mark = state.New<RowMarkClause>();
  mark->rti = rtindex;
  mark->strength = clause.strength;
  mark->wait_policy = clause.wait_policy;
  mark->pushed_down = pushed_down;
  query->row_marks.Append(state.arena(), mark);
}

void LockAll(BindState& state, Query* query, const ast::LockingClause& clause, bool pushed_down);

bool LockEntry(BindState& state, Query* query, uint32_t rtindex, const ast::LockingClause& clause,
               bool pushed_down) {
  RangeTblEntry& rte = *query->rtable[rtindex - 1];
  if (rte.rtekind == RteKind::kRelation) {
    MarkLocked(state, query, rtindex, clause, pushed_down);
    rte.required_perms |= acl_mode::kSelectForUpdate;
    return true;
  }
  if (rte.rtekind == RteKind::kSubquery) {
    MarkLocked(state, query, rtindex, clause, pushed_down);
    LockAll(state, rte.subquery, clause, true);
    return true;
  }
  return false;
}

void LockAll(BindState& state, Query* query, const ast::LockingClause& clause, bool pushed_down) {
  CheckLockable(*query, clause.strength);
  for (uint32_t i = 1; i <= query->rtable.size(); ++i) {
    if (query->rtable[i - 1]->in_from_cl) LockEntry(state, query, i, clause, pushed_down);
  }
}

const char* Unlockable(RteKind kind) {
  switch (kind) {
    case RteKind::kJoin: return "a join";
    case RteKind::kFunction: return "a function";
    case RteKind::kTableFunc: return "a table function";
    case RteKind::kValues: return "VALUES";
    case RteKind::kCte: return "a WITH query";
    default: return "a named tuplestore";
  }
}

void LockNamed(BindState& state, Query* query, const ast::LockingClause& clause, const ast::RangeVar& name) {
  int position = state.Position(name.location);
  if (!name.catalogname.empty() || !name.schemaname.empty()) {
    throw SqlError(ErrorCode::kSyntaxError, "{} must specify unqualified relation names",
                   LockStrengthName(clause.strength))
        .WithPosition(position);
  }
  for (uint32_t i = 1; i <= query->rtable.size(); ++i) {
    const RangeTblEntry& rte = *query->rtable[i - 1];
    if (!rte.in_from_cl) continue;
    std::string_view visible = rte.eref->aliasname;
    if (rte.rtekind == RteKind::kJoin && rte.alias == nullptr) {
      if (rte.join_using_alias == nullptr) continue;
      visible = rte.join_using_alias->aliasname;
    }
    if (visible != name.relname) continue;
    if (LockEntry(state, query, i, clause, false)) return;
    throw SqlError(ErrorCode::kFeatureNotSupported, "{} cannot be applied to {}",
                   LockStrengthName(clause.strength), Unlockable(rte.rtekind))
        .WithPosition(position);
  }
  throw SqlError(ErrorCode::kUndefinedTable, "relation \"{}\" in {} clause not found in FROM clause",
                 name.relname, LockStrengthName(clause.strength))
      .WithPosition(position);
}

}  // namespace

const char* LockStrengthName(LockClauseStrength strength) {
  switch (strength) {
    case LockClauseStrength::kForKeyShare: return "FOR KEY SHARE";
    case LockClauseStrength::kForShare: return "FOR SHARE";
    case LockClauseStrength::kForNoKeyUpdate: return "FOR NO KEY UPDATE";
    default: return "FOR UPDATE";
  }
}

void BindLocking(BindState& state, Query* query, const ast::NodeList& clauses, bool pushed_down) {
  for (const ast::Node* node : clauses) {
    const auto& clause = *ast::As<ast::LockingClause>(node);
    if (clause.locked_rels.empty()) {
      LockAll(state, query, clause, pushed_down);
      continue;
    }
    CheckLockable(*query, clause.strength);
    for (const ast::Node* relation : clause.locked_rels) {
      LockNamed(state, query, clause, *ast::As<ast::RangeVar>(relation));
    }
  }
}

}  // namespace walden
