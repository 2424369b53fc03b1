#include "node/sql/binder/query_binding.h"

#include "node/base/stack_depth.h"
#include "node/sql/binder/aggregates.h"
#include "node/sql/binder/clauses.h"
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/collations.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/from_clause.h"
#include "node/sql/binder/range_table.h"
#include "node/sql/binder/target_list.h"

namespace walden {
namespace {

// One vector of expressions per VALUES column.
std::vector<ExprList> BindValuesColumns(BindState& state, const ast::NodeList& rows, size_t* row_count) {
  std::vector<ExprList> columns;
  *row_count = 0;
  for (const ast::Node* node : rows) {
    ExprList row = BindExprList(state, ast::As<ast::ListNode>(node)->items, ExprKind::kValues, false);
    if (*row_count == 0) {
      columns.resize(row.size());
    } else if (columns.size() != row.size()) {
      throw SqlError(ErrorCode::kSyntaxError, "VALUES lists must all be the same length")
          .WithPosition(state.Position(row.empty() ? Location{} : ExprLocation(row[0])));
    }
    for (uint32_t i = 0; i < row.size(); ++i) columns[i].Append(state.arena(), row[i]);
    ++*row_count;
  }
  return columns;
}

Query* BindValues(BindState& state, const ast::SelectStmt& select) {
  auto* query = state.New<Query>();
  query->command_type = CmdType::kSelect;
  BindWith(state, select.with_clause, query);
  size_t row_count = 0;
  std::vector<ExprList> columns = BindValuesColumns(state, select.values_lists, &row_count);
  auto* rte = state.New<RangeTblEntry>();
  rte->rtekind = RteKind::kValues;
  for (size_t i = 0; i < row_count; ++i) rte->values_lists.Append(state.arena(), state.New<RowExpr>());
  for (ExprList& column : columns) {
    Oid type = CommonTypeOf(state, column, "VALUES");
    for (Expr*& expr : column) expr = CoerceToCommon(state, expr, type, "VALUES");
    rte->coltypes.Append(state.arena(), type);
    rte->coltypmods.Append(state.arena(), CommonTypmodOf(column, type));
    rte->colcollations.Append(state.arena(), CommonCollation(state, column, true));
    for (uint32_t i = 0; i < column.size(); ++i) {
      rte->values_lists[i]->args.Append(state.arena(), column[i]);
      if (!state.rtable.empty() && ContainsVarOfLevel(column[i], 0)) rte->lateral = true;
    }
  }
  for (RowExpr* row : rte->values_lists) row->row_typeid = type_oid::kRecord;
  NamespaceItem* item = AddValues(state, rte, nullptr);
  AddToJoinList(state, *item);
  AddToNamespace(state, item, true, true);
  query->target_list = ExpandItemTargets(state, *item, 0, Location{});
  query->sort_clause = BindSort(state, select.sort_clause, &query->target_list, ExprKind::kOrderBy, false);
  query->limit_offset =
      BindLimit(state, select.limit_offset, ExprKind::kOffset, "OFFSET", select.limit_option);
  query->limit_count = BindLimit(state, select.limit_count, ExprKind::kLimit, "LIMIT", select.limit_option);
  query->limit_option = select.limit_option;
  if (!select.locking_clause.empty()) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "{} cannot be applied to VALUES",
                   LockStrengthName(ast::As<ast::LockingClause>(select.locking_clause[0])->strength));
  }
  FinishQuery(state, query, nullptr);
  AssignQueryCollations(state, query);
  return query;
}

void BindSelectDistinct(BindState& state, const ast::SelectStmt& select, Query* query) {
  if (select.distinct_clause.empty()) return;
  if (select.distinct_clause[0] == nullptr) {
    query->distinct_clause = BindDistinct(state, &query->target_list, query->sort_clause, false);
  } else {
    query->distinct_clause =
        BindDistinctOn(state, select.distinct_clause, &query->target_list, query->sort_clause);
    query->has_distinct_on = true;
  }
}

Query* BindPlainSelect(BindState& state, const ast::SelectStmt& select) {
  auto* query = state.New<Query>();
  query->command_type = CmdType::kSelect;
  BindWith(state, select.with_clause, query);
  if (select.into_clause != nullptr) {
    throw SqlError(ErrorCode::kSyntaxError, "SELECT ... INTO is not allowed here")
        .WithPosition(state.Position(select.into_clause->rel->location));
  }
  state.locking_clause = &select.locking_clause;
  for (const ast::Node* window : select.window_clause)
    state.windows.push_back(ast::As<ast::WindowDef>(window));
  BindFrom(state, select.from_clause);
  query->target_list = BindTargetList(state, select.target_list, ExprKind::kSelectTarget);
  MarkTargetOrigins(state, query->target_list);
  Expr* where = BindWhere(state, select.where_clause, ExprKind::kWhere, "WHERE");
  query->having_qual = BindWhere(state, select.having_clause, ExprKind::kHaving, "HAVING");
  query->sort_clause = BindSort(state, select.sort_clause, &query->target_list, ExprKind::kOrderBy, false);
  query->group_clause = BindGroup(state, select.group_clause, &query->grouping_sets, &query->target_list,
                                  query->sort_clause, ExprKind::kGroupBy, false);
  query->group_distinct = select.group_distinct;
  BindSelectDistinct(state, select, query);
  query->limit_offset =
      BindLimit(state, select.limit_offset, ExprKind::kOffset, "OFFSET", select.limit_option);
  query->limit_count = BindLimit(state, select.limit_count, ExprKind::kLimit, "LIMIT", select.limit_option);
  query->limit_option = select.limit_option;
  query->window_clause = BindWindows(state, &query->target_list);
  if (state.resolve_unknowns) ResolveTargetUnknowns(state, query->target_list);
  FinishQuery(state, query, where);
  BindLocking(state, query, select.locking_clause, false);
  AssignQueryCollations(state, query);
  if (state.has_aggs || !query->group_clause.empty() || !query->grouping_sets.empty() ||
      query->having_qual != nullptr) {
    CheckGrouping(state, query);
  }
  return query;
}

}  // namespace

void FinishQuery(BindState& state, Query* query, Expr* condition) {
  query->rtable = state.rtable;
  query->jointree = state.New<FromExpr>();
  query->jointree->fromlist = state.join_list;
  query->jointree->quals = condition;
  query->has_sub_links = state.has_sub_links;
  query->has_window_funcs = state.has_window_funcs;
  query->has_target_srfs = state.has_target_srfs;
  query->has_aggs = state.has_aggs;
}

Query* BindSelect(BindState& state, const ast::SelectStmt& select) {
  if (!select.values_lists.empty()) return BindValues(state, select);
  return select.op == SetOperation::kNone ? BindPlainSelect(state, select) : BindSetOperation(state, select);
}

Query* BindStatementIn(BindState& state, const ast::Node& statement) {
  CheckStackDepth();
  switch (statement.tag) {
    case ast::Tag::kSelectStmt: return BindSelect(state, *ast::As<ast::SelectStmt>(&statement));
    case ast::Tag::kInsertStmt: return BindInsert(state, *ast::As<ast::InsertStmt>(&statement));
    case ast::Tag::kUpdateStmt: return BindUpdate(state, *ast::As<ast::UpdateStmt>(&statement));
    case ast::Tag::kDeleteStmt: return BindDelete(state, *ast::As<ast::DeleteStmt>(&statement));
    case ast::Tag::kMergeStmt: throw NotSupported("MERGE");
    default:
      throw SqlError(ErrorCode::kInternalError, "unexpected statement {} in a query",
                     ast::TagName(statement.tag));
  }
}

Query* BindSubquery(BindState& parent, const ast::Node& statement, CommonTableExpr* cte,
                    bool locked_from_parent, bool resolve_unknowns) {
  BindState state(parent.context, &parent);
  state.parent_cte = cte;
  state.locked_from_parent = locked_from_parent;
  state.resolve_unknowns = resolve_unknowns;
  return BindStatementIn(state, statement);
}

}  // namespace walden
