// Plans of INSERT, UPDATE and DELETE: a query that delivers what the change needs, under a ModifyTable node.
#include <algorithm>

#include "node/catalog/relation.h"
#include "node/catalog/syscache.h"
#include "node/sql/optimizer/index_paths.h"
#include "node/sql/optimizer/query_planner.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

// The columns of other relations that `node` names, whose query is `level` levels above; as its query sees them.
void CollectOtherVars(const Node* node, uint32_t level, int32_t target, int32_t excluded, Arena& arena,
                      List<Var*>* to) {
  if (node == nullptr) return;
  if (const Var* var = TryAs<Var>(node)) {
    if (var->varlevelsup != level || var->varno <= 0 || var->varno == target || var->varno == excluded)
      return;
    Var* own = Copy(var, arena);
    own->varlevelsup = 0;
    to->Append(arena, own);
    return;
  }
  uint32_t below = Is<Query>(node) ? level + 1 : level;
  AnyChild(node, [&](const Node* child) {
    CollectOtherVars(child, below, target, excluded, arena, to);
    return false;
  });
}

// Columns [attributes ..., ctid, tableoid] of relation `rtindex`, as ModifyTable's input row begins.
void AppendRowColumns(Arena& arena, const Relation& relation, int32_t rtindex, ExprList* columns) {
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    const PgAttributeRow& column = relation.columns[i];
    columns->Append(arena, MakeVar(arena, rtindex, static_cast<AttrNumber>(i + 1),
                                   column.attisdropped ? type_oid::kInt4 : column.atttypid, column.atttypmod,
                                   column.attcollation));
  }
  columns->Append(arena, MakeVar(arena, rtindex, kSelfItemPointerAttr, type_oid::kTid, -1, Oid::kInvalid));
  columns->Append(arena, MakeVar(arena, rtindex, kTableOidAttr, type_oid::kOid, -1, Oid::kInvalid));
}

// xmin, xmax and the like, which are looked at in the stored row.
void CollectStoredColumns(const Node* node, uint32_t level, int32_t target, Arena& arena, ExprList* to) {
  if (node == nullptr) return;
  if (const Var* var = TryAs<Var>(node)) {
    bool wanted = var->varlevelsup == level && var->varno == target && var->varattno < 0 &&
                  var->varattno != kSelfItemPointerAttr && var->varattno != kTableOidAttr;
    if (!wanted) return;
    Var* own = Copy(var, arena);
    own->varlevelsup = 0;
    if (std::none_of(to->begin(), to->end(), [&](const Expr* known) { return EqualNodes(own, known); }))
      to->Append(arena, own);
    return;
  }
  uint32_t below = Is<Query>(node) ? level + 1 : level;
  AnyChild(node, [&](const Node* child) {
    CollectStoredColumns(child, below, target, arena, to);
    return false;
  });
}

// One entry per attribute, in order: what the statement gives, nulls for the rest.
List<TargetEntry*> InsertTargets(Arena& arena, const Relation& relation, const List<TargetEntry*>& given) {
  List<TargetEntry*> targets;
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    AttrNumber attno = static_cast<AttrNumber>(i + 1);
    TargetEntry* entry = FindTarget(given, attno);
    if (entry == nullptr || relation.columns[i].attisdropped) {
      const PgAttributeRow& column = relation.columns[i];
      Oid type = column.attisdropped ? type_oid::kInt4 : column.atttypid;
      PhysicalType physical = (*relation.desc)[attno].physical;
      entry =
          MakeTargetEntry(arena, MakeNullConst(arena, type, column.atttypmod, column.attcollation, physical),
                          attno, {}, false);
    }
    targets.Append(arena, entry);
  }
  return targets;
}

}  // namespace

Path QueryPlanner::PlanModification() {
  Query& query = *query_;
  int32_t target = query.result_relation;
  RangeTblEntry& rte = *query.rtable[target - 1];
  RelationRef relation = OpenRelation(rte.relid, LockMode::kNone);
  ModifyTablePlan* plan = arena().New<ModifyTablePlan>();
  plan->command = query.command_type;
  plan->relation = rte.relid;
  plan->has_returning = !query.returning_list.empty();
  plan->sets_tag = parent_ == nullptr;
  locks_rows_ = query.command_type != CmdType::kInsert;
  FlattenJoinAliases();

  List<TargetEntry*> targets;
  if (query.command_type == CmdType::kInsert) {
    targets = InsertTargets(arena(), *relation, query.target_list);
  } else {
    std::vector<TargetEntry*> entries;
    if (query.command_type == CmdType::kUpdate)
      entries.assign(query.target_list.begin(), query.target_list.end());
    std::sort(entries.begin(), entries.end(),
              [](const TargetEntry* a, const TargetEntry* b) { return a->resno < b->resno; });
    for (TargetEntry* entry : entries) {
      if (entry->resjunk) continue;
      plan->update_columns.Append(arena(), entry->resno);
      targets.Append(arena(), entry);
    }
    Var* ctid = MakeVar(arena(), target, kSelfItemPointerAttr, type_oid::kTid, -1, Oid::kInvalid);
    targets.Append(arena(), MakeTargetEntry(arena(), ctid, 0, "ctid", true));
    plan->ctid_column = static_cast<int32_t>(targets.size());
  }
  // What RETURNING takes from other relations, and the identity of their rows for re-checks.
  List<Var*> others;
  int32_t excluded = query.on_conflict != nullptr ? query.on_conflict->excl_rel_index : 0;
  for (const TargetEntry* entry : query.returning_list)
    CollectOtherVars(entry, 0, target, excluded, arena(), &others);
  uint32_t first_other = targets.size();
  for (Var* var : others) targets.Append(arena(), MakeTargetEntry(arena(), Copy(var, arena()), 0, {}, true));
  std::vector<std::pair<int32_t, int32_t>> mark_columns;  // rtindex, column
  if (locks_rows_) {
    for (uint32_t i = 0; i < query.rtable.size(); ++i) {
      int32_t other = static_cast<int32_t>(i + 1);
      if (other == target || query.rtable[i]->rtekind != RteKind::kRelation ||
          query.rtable[i]->relkind == relkind::kView)
        continue;
      Var* ctid = MakeVar(arena(), other, kSelfItemPointerAttr, type_oid::kTid, -1, Oid::kInvalid);
      targets.Append(arena(), MakeTargetEntry(arena(), ctid, 0, {}, true));
      mark_columns.emplace_back(other, static_cast<int32_t>(targets.size()));
    }
  }
  for (uint32_t i = 0; i < targets.size(); ++i) {
    targets[i] = static_cast<TargetEntry*>(CopyShallow(targets[i], arena()));
    targets[i]->resno = static_cast<AttrNumber>(i + 1);
  }

  // The child is planned as a SELECT of these targets.
  List<TargetEntry*> returning = query.returning_list;
  query.returning_list.Clear();
  query.target_list = targets;
  Path child = PlanQueryLevel(0);
  plan->rtindex = flat(target);
  plan->left = child.plan;
  for (auto [other, column] : mark_columns) {
    RowMark* mark = arena().New<RowMark>();
    mark->rtindex = flat(other);
    mark->relation = query.rtable[other - 1]->relid;
    mark->ctid_column = column;
    plan->marks.Append(arena(), mark);
  }

  ExprList columns;
  AppendRowColumns(arena(), *relation, target, &columns);
  ExprList stored;
  for (const TargetEntry* entry : returning) CollectStoredColumns(entry, 0, target, arena(), &stored);
  for (Expr* column : stored) {
    columns.Append(arena(), column);
    plan->returned_system.Append(arena(), static_cast<const Var*>(column)->varattno);
  }
  // The row's own columns come first in the list, so that they win over equal ones of the child (an old ctid).
  for (uint32_t i = 0; i < child.columns.size(); ++i) {
    // RETURNING still names columns of a subquery that the child's planning may have dissolved.
    bool other = i >= first_other && i - first_other < others.size();
    columns.Append(arena(), other ? others[i - first_other] : child.columns[i]);
  }
  List<TargetEntry*> returned;
  ExprList returned_columns;
  for (TargetEntry* entry : returning) {
    TargetEntry* bound = static_cast<TargetEntry*>(CopyShallow(entry, arena()));
    Expr* folded = PlanSubLinks(entry->expr);
    bound->expr = BindToInput(folded, columns);
    returned.Append(arena(), bound);
    returned_columns.Append(arena(), entry->expr);
  }
  plan->target = returned;
  plan->project = true;

  if (query.on_conflict != nullptr && query.on_conflict->action != OnConflictAction::kNone) {
    OnConflictExpr& conflict = *query.on_conflict;
    plan->on_conflict = conflict.action;
    if (conflict.excl_rel_index != 0) plan->excluded_rtindex = flat(conflict.excl_rel_index);
    if (IsValid(conflict.constraint)) {
      RowRef<PgConstraintRow> constraint = ConstraintRow(conflict.constraint);
      plan->arbiter_indexes.Append(arena(), constraint->conindid);
    } else if (!conflict.arbiter_elems.empty()) {
      InferArbiters(relation, target, conflict, plan);
    }
    ExprList row;
    AppendRowColumns(arena(), *relation, target, &row);
    for (size_t i = 0; i < relation->columns.size(); ++i) {
      const PgAttributeRow& column = relation->columns[i];
      row.Append(arena(), MakeVar(arena(), conflict.excl_rel_index, static_cast<AttrNumber>(i + 1),
                                  column.attisdropped ? type_oid::kInt4 : column.atttypid, column.atttypmod,
                                  column.attcollation));
    }
    for (TargetEntry* entry : conflict.on_conflict_set) {
      plan->conflict_columns.Append(arena(), entry->resno);
      plan->conflict_values.Append(arena(), BindToInput(PlanSubLinks(entry->expr), row));
    }
    for (const Qual& qual : MakeQuals(conflict.on_conflict_where)) {  // in the order of the text
      plan->conflict_where.Append(arena(), BindToInput(qual.expr, row));
      plan->conflict_where_shown.Append(arena(), FlatCopy(qual.expr));
    }
  }
  for (WithCheckOption* option : query.with_check_options) {
    if (option->qual == nullptr) continue;  // only there to make the checks of the views below cascade
    WithCheckOption* bound = static_cast<WithCheckOption*>(CopyShallow(option, arena()));
    bound->qual = BindToInput(PlanSubLinks(option->qual), columns);
    plan->check_options.Append(arena(), bound);
  }
  Path path = child;
  path.columns = returned_columns;
  path.plan = plan;
  plan->rows = plan->has_returning ? child.rows : 0;
  plan->width = plan->has_returning ? child.plan->width : 0;
  plan->startup_cost = child.startup_cost;
  plan->total_cost = child.total_cost;
  query.returning_list = returning;
  AttachInitPlans(plan);
  return path;
}

// Unique indexes whose keys, columns or expressions, are exactly those of ON CONFLICT (...), in any order, and whose predicate its
// WHERE implies.
void QueryPlanner::InferArbiters(const RelationRef& relation, int32_t target, const OnConflictExpr& conflict,
                                 ModifyTablePlan* plan) {
  BaseRel base;
  base.rtindex = target;
  base.relation = relation;
  std::vector<Qual> given = MakeQuals(conflict.arbiter_where);
  for (const RelationRef& index : relation->indexes) {
    const PgIndexRow& row = *index->index;
    if (!row.indisunique || !row.indisvalid) continue;
    IndexMatcher matcher(base, *index, arena());
    if (!matcher.PredicateHolds(given)) continue;
    std::vector<bool> covered(static_cast<size_t>(row.indnkeyatts));
    bool all_match = true;
    for (const InferenceElem* element : conflict.arbiter_elems) {
      bool matched = false;
      for (int column = 0; column < row.indnkeyatts; ++column) {
        if (!matcher.IsKey(static_cast<const Expr*>(element->expr), column)) continue;
        covered[static_cast<size_t>(column)] = matched = true;
      }
      all_match &= matched;
    }
    if (all_match && std::find(covered.begin(), covered.end(), false) == covered.end()) {
      plan->arbiter_indexes.Append(arena(), index->oid);
    }
  }
  if (plan->arbiter_indexes.empty()) {
    throw SqlError(ErrorCode::kInvalidColumnReference,
                   "there is no unique or exclusion constraint matching the ON CONFLICT specification");
  }
}

}  // namespace walden
