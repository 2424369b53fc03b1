// INSERT, UPDATE, DELETE.
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/collations.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/from_clause.h"
#include "node/sql/binder/on_conflict.h"
#include "node/sql/binder/query_binding.h"
#include "node/sql/binder/range_table.h"
#include "node/sql/binder/target_list.h"

namespace walden {
namespace {

// One row of values with the columns it goes to.
struct InsertRow {
  BindState& state;
  const ast::InsertStmt& insert;
  const std::vector<InsertColumn>& columns;

  ExprList Bind(const ExprList& values, bool strip_indirection) const;
};

// VALUES rows keep the bare values; element and field assignments are made once, above them.
Expr* StripAssignment(Expr* expr) {
  for (;;) {
    if (auto* store = TryAs<FieldStore>(expr)) {
      expr = store->newvals[0];
    } else if (auto* ref = TryAs<SubscriptingRef>(expr); ref != nullptr && ref->refassgnexpr != nullptr) {
      expr = ref->refassgnexpr;
    } else {
      return expr;
    }
  }
}

ExprList InsertRow::Bind(const ExprList& values, bool strip_indirection) const {
  if (values.size() > columns.size()) {
    throw SqlError(ErrorCode::kSyntaxError, "INSERT has more expressions than target columns")
        .WithPosition(state.Position(ExprLocation(values[static_cast<uint32_t>(columns.size())])));
  }
  if (!insert.cols.empty() && values.size() < columns.size()) {
    SqlError error(ErrorCode::kSyntaxError, "INSERT has more target columns than expressions");
    const auto* row = values.size() == 1 ? TryAs<RowExpr>(values[0]) : nullptr;
    if (row != nullptr && row->args.size() == columns.size()) {
      error.WithHint(
          "The insertion source is a row expression containing the same number of columns expected by the "
          "INSERT. Did you accidentally use extra parentheses?");
    }
    throw error.WithPosition(state.Position(columns[values.size()].location));
  }
  ExprList result;
  for (uint32_t i = 0; i < values.size(); ++i) {
    const InsertColumn& column = columns[i];
    Expr* expr = BindAssigned(state, values[i], ExprKind::kInsertTarget, column.name, column.number,
                              column.indirection, column.location);
    result.Append(state.arena(),
                  strip_indirection && column.indirection != nullptr ? StripAssignment(expr) : expr);
  }
  return result;
}

bool IsGeneralSelect(const ast::SelectStmt& select) {
  return select.values_lists.empty() || !select.sort_clause.empty() || select.limit_offset != nullptr ||
         select.limit_count != nullptr || !select.locking_clause.empty() || select.with_clause != nullptr;
}

ExprList BindInsertSelect(const InsertRow& row, const ast::SelectStmt& select) {
  BindState& state = row.state;
  // The SELECT is a level of its own, but the INSERT's WITH and outer names are visible to it.
  BindState inner(state.context, &state);
  inner.resolve_unknowns = false;
  Query* query = BindStatementIn(inner, select);
  if (query->command_type != CmdType::kSelect) {
    throw SqlError(ErrorCode::kInternalError, "unexpected non-SELECT command in INSERT ... SELECT");
  }
  auto* alias = state.New<Alias>();
  alias->aliasname = "*SELECT*";
  NamespaceItem* item = AddSubquery(state, query, alias, false, false);
  AddToJoinList(state, *item);
  ExprList values;
  for (const TargetEntry* target : query->target_list) {
    if (target->resjunk) continue;
    Expr* expr = target->expr;
    bool literal = (Is<Const>(expr) || Is<Param>(expr)) && ExprType(expr) == type_oid::kUnknown;
    if (!literal) {
      Var* var = MakeVarFromTarget(state.arena(), item->rtindex, *target);
      var->location = ExprLocation(target->expr);
      expr = var;
    }
    values.Append(state.arena(), expr);
  }
  return row.Bind(values, false);
}

ExprList BindInsertValues(const InsertRow& row, const ast::NodeList& lists) {
  BindState& state = row.state;
  auto* rte = state.New<RangeTblEntry>();
  rte->rtekind = RteKind::kValues;
  uint32_t width = 0;
  for (const ast::Node* node : lists) {
    ExprList values = BindExprList(state, ast::As<ast::ListNode>(node)->items, ExprKind::kValues, true);
    if (rte->values_lists.empty()) {
      width = values.size();
    } else if (values.size() != width) {
      throw SqlError(ErrorCode::kSyntaxError, "VALUES lists must all be the same length")
          .WithPosition(state.Position(values.empty() ? Location{} : ExprLocation(values[0])));
    }
    values = row.Bind(values, true);
    AssignListCollations(state, values);
    auto* bound = state.New<RowExpr>();
    bound->args = values;
    bound->row_typeid = type_oid::kRecord;
    rte->values_lists.Append(state.arena(), bound);
  }
  // All rows were converted to the same target types.
  for (uint32_t i = 0; i < width; ++i) {
    const Expr* first = rte->values_lists[0]->args[i];
    int32_t typmod = ExprTypmod(first);
    for (const RowExpr* values : rte->values_lists) {
      if (ExprTypmod(values->args[i]) != typmod) typmod = -1;
    }
    rte->coltypes.Append(state.arena(), ExprType(first));
    rte->coltypmods.Append(state.arena(), typmod);
    rte->colcollations.Append(state.arena(), Oid{});
  }
  NamespaceItem* item = AddValues(state, rte, nullptr);
  AddToJoinList(state, *item);
  return row.Bind(ExpandItem(state, *item, 0, Location{}, nullptr), false);
}

void CheckTargetIsNotCatalogConflict(const BindState& state) {
  const RelationInfo* relation =
      state.catalog().GetRelation(state.target->rte->relid, RelationLockNeed::kNone);
  if (OidNumber(relation->oid) < OidNumber(kFirstNormalOid) && relation->schema == Oid{11}) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "ON CONFLICT is not supported with system catalog tables");
  }
}

}  // namespace

List<TargetEntry*> BindReturning(BindState& state, const ast::NodeList& list) {
  List<TargetEntry*> targets;
  if (list.empty()) return targets;
  AttrNumber saved = state.next_resno;
  state.next_resno = 1;
  targets = BindTargetList(state, list, ExprKind::kReturning);
  if (targets.empty()) {
    throw SqlError(ErrorCode::kSyntaxError, "RETURNING must have at least one column")
        .WithPosition(state.Position(ast::As<ast::ResTarget>(list[0])->location));
  }
  MarkTargetOrigins(state, targets);
  if (state.resolve_unknowns) ResolveTargetUnknowns(state, targets);
  state.next_resno = saved;
  return targets;
}

Query* BindInsert(BindState& state, const ast::InsertStmt& insert) {
  auto* query = state.New<Query>();
  query->command_type = CmdType::kInsert;
  state.is_insert = true;
  BindWith(state, insert.with_clause, query);
  query->override = insert.override;
  bool updates =
      insert.on_conflict_clause != nullptr && insert.on_conflict_clause->action == OnConflictAction::kUpdate;
  uint32_t permissions = acl_mode::kInsert | (updates ? acl_mode::kUpdate : 0);
  query->result_relation = BindTargetTable(state, *insert.relation, false, false, permissions);
  std::vector<InsertColumn> columns = BindInsertColumns(state, insert.cols);
  InsertRow row{state, insert, columns};
  ExprList values;
  if (insert.select_stmt != nullptr) {
    const auto& select = *ast::As<ast::SelectStmt>(insert.select_stmt);
    if (IsGeneralSelect(select)) {
      values = BindInsertSelect(row, select);
    } else if (select.values_lists.size() > 1) {
      values = BindInsertValues(row, select.values_lists);
    } else {
      values = row.Bind(BindExprList(state, ast::As<ast::ListNode>(select.values_lists[0])->items,
                                     ExprKind::kValuesSingle, true),
                        false);
    }
  }
  for (uint32_t i = 0; i < values.size(); ++i) {
    query->target_list.Append(
        state.arena(), MakeTargetEntry(state.arena(), values[i], columns[i].number, columns[i].name, false));
    state.target->rte->inserted_cols.AppendUnique(state.arena(), columns[i].number);
  }
  if (insert.on_conflict_clause != nullptr) {
    CheckTargetIsNotCatalogConflict(state);
    query->on_conflict = BindOnConflict(state, *insert.on_conflict_clause);
  }
  if (!insert.returning_list.empty()) {
    state.names.clear();
    AddToNamespace(state, state.target, true, true);
    query->returning_list = BindReturning(state, insert.returning_list);
  }
  FinishQuery(state, query, nullptr);
  AssignQueryCollations(state, query);
  return query;
}

Query* BindDelete(BindState& state, const ast::DeleteStmt& statement) {
  auto* query = state.New<Query>();
  query->command_type = CmdType::kDelete;
  BindWith(state, statement.with_clause, query);
  query->result_relation =
      BindTargetTable(state, *statement.relation, statement.relation->inh, true, acl_mode::kDelete);
  // Subqueries in USING cannot see the target.
  state.target->lateral_only = true;
  state.target->lateral_ok = false;
  BindFrom(state, statement.using_clause);
  state.target->lateral_only = false;
  state.target->lateral_ok = true;
  Expr* where = BindWhere(state, statement.where_clause, ExprKind::kWhere, "WHERE");
  query->returning_list = BindReturning(state, statement.returning_list);
  FinishQuery(state, query, where);
  AssignQueryCollations(state, query);
  return query;
}

Query* BindUpdate(BindState& state, const ast::UpdateStmt& update) {
  auto* query = state.New<Query>();
  query->command_type = CmdType::kUpdate;
  BindWith(state, update.with_clause, query);
  query->result_relation =
      BindTargetTable(state, *update.relation, update.relation->inh, true, acl_mode::kUpdate);
  state.target->lateral_only = true;
  state.target->lateral_ok = false;
  BindFrom(state, update.from_clause);
  state.target->lateral_only = false;
  state.target->lateral_ok = true;
  Expr* where = BindWhere(state, update.where_clause, ExprKind::kWhere, "WHERE");
  query->returning_list = BindReturning(state, update.returning_list);
  query->target_list = BindUpdateTargets(state, update.target_list);
  FinishQuery(state, query, where);
  AssignQueryCollations(state, query);
  return query;
}

}  // namespace walden
