// UNION, INTERSECT, EXCEPT: a tree over subqueries, and the output columns they agree on.
#include "node/sql/binder/clauses.h"
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/collations.h"
#include "node/sql/binder/operators.h"
#include "node/sql/binder/query_binding.h"
#include "node/sql/binder/range_table.h"

namespace walden {
namespace {

// The outer query's clauses belong to the whole; a branch with its own is a subquery of its own.
bool IsLeaf(const ast::SelectStmt& select) {
  return select.op == SetOperation::kNone || !select.sort_clause.empty() || select.limit_offset != nullptr ||
         select.limit_count != nullptr || !select.locking_clause.empty() || select.with_clause != nullptr;
}

SqlError LockingRefused(const ast::SelectStmt& select) {
  return SqlError(ErrorCode::kFeatureNotSupported, "{} is not allowed with UNION/INTERSECT/EXCEPT",
                  LockStrengthName(ast::As<ast::LockingClause>(select.locking_clause[0])->strength));
}

TargetList VisibleTargets(BindState& state, const Query& query) {
  TargetList targets;
  for (TargetEntry* target : query.target_list) {
    if (!target->resjunk) targets.Append(state.arena(), target);
  }
  return targets;
}

// A set operation being bound: its node and the columns it delivers.
struct Branch {
  Node* node = nullptr;
  TargetList targets;
};

Branch BindBranch(BindState& state, const ast::SelectStmt& select, bool top);

Branch BindLeaf(BindState& state, const ast::SelectStmt& select) {
  Branch branch;
  Query* query = BindSubquery(state, select, nullptr, false, false);
  branch.targets = VisibleTargets(state, *query);
  auto* alias = state.New<Alias>();
  alias->aliasname = state.arena().Copy(fmt::format("*SELECT* {}", state.rtable.size() + 1));
  NamespaceItem* item = AddSubquery(state, query, alias, false, false);
  auto* reference = state.New<RangeTblRef>();
  reference->rtindex = item->rtindex;
  branch.node = reference;
  return branch;
}

// Checks that a branch's column can become the common type; literals are converted on the spot.
Expr* CheckBranchColumn(BindState& state, TargetEntry* target, Oid type, const char* context) {
  Expr* expr = target->expr;
  if (ExprType(expr) != type_oid::kUnknown) return CoerceToCommon(state, expr, type, context);
  if (Is<Const>(expr) || Is<Param>(expr)) target->expr = expr = CoerceToCommon(state, expr, type, context);
  return expr;
}

SortGroupClause* ColumnGrouping(BindState& state, Oid type, Location location) {
  TypeOperators operators;
  try {
    operators = SortOperators(state, type, false, true, false);
  } catch (SqlError& error) {
    error.WithPosition(state.Position(location));
    throw;
  }
  auto* clause = state.New<SortGroupClause>();
  clause->eqop = operators.equal;
  clause->sortop = operators.less;
  clause->hashable = operators.hashable;
  return clause;
}

void BindColumn(BindState& state, const ast::SelectStmt& select, TargetEntry* left, TargetEntry* right,
                SetOperationStmt* operation, TargetList* targets) {
  const char* context = SetOperationName(select.op);
  ExprList pair(state.arena(), {left->expr, right->expr});
  Expr* deciding = nullptr;
  Oid type = CommonTypeOf(state, pair, context, &deciding);
  Location location = ExprLocation(deciding);
  Expr* left_expr = CheckBranchColumn(state, left, type, context);
  Expr* right_expr = CheckBranchColumn(state, right, type, context);
  ExprList typed(state.arena(), {left_expr, right_expr});
  int32_t typmod = CommonTypmodOf(typed, type);
  Oid collation = CommonCollation(state, typed, select.op == SetOperation::kUnion && select.all);
  operation->col_types.Append(state.arena(), type);
  operation->col_typmods.Append(state.arena(), typmod);
  operation->col_collations.Append(state.arena(), collation);
  if (select.op != SetOperation::kUnion || !select.all) {
    operation->group_clauses.Append(state.arena(), ColumnGrouping(state, type, location));
  }
  auto* placeholder = state.New<SetToDefault>();
  placeholder->type_id = type;
  placeholder->type_mod = typmod;
  placeholder->collation = collation;
  placeholder->location = location;
  targets->Append(state.arena(), MakeTargetEntry(state.arena(), placeholder, 0, {}, false));
}

const RangeTblRef* Leftmost(const Node* node) {
  while (const auto* operation = TryAs<SetOperationStmt>(node)) node = operation->larg;
  return As<RangeTblRef>(node);
}

// The non-recursive term of a recursive CTE decides its columns: names of the leftmost SELECT, common types.
void SetRecursiveColumns(BindState& state, const Node* left, const TargetList& targets) {
  const Query& leftmost = *state.Rte(Leftmost(left)->rtindex)->subquery;
  TargetList columns;
  AttrNumber number = 1;
  uint32_t next = 0;
  for (const TargetEntry* named : leftmost.target_list) {
    if (named->resjunk) continue;
    columns.Append(state.arena(),
                   MakeTargetEntry(state.arena(), targets[next++]->expr, number++, named->resname, false));
  }
  SetCteColumns(state, state.parent_cte, columns);
}

Branch BindBranch(BindState& state, const ast::SelectStmt& select, bool top) {
  if (select.into_clause != nullptr) {
    throw SqlError(ErrorCode::kSyntaxError, "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT")
        .WithPosition(state.Position(select.into_clause->rel->location));
  }
  if (!select.locking_clause.empty()) throw LockingRefused(select);
  if (top ? select.op == SetOperation::kNone : IsLeaf(select)) return BindLeaf(state, select);
  Branch left = BindBranch(state, *select.larg, false);
  if (top && state.parent_cte != nullptr && state.parent_cte->cterecursive) {
    SetRecursiveColumns(state, left.node, left.targets);
  }
  Branch right = BindBranch(state, *select.rarg, false);
  if (left.targets.size() != right.targets.size()) {
    throw SqlError(ErrorCode::kSyntaxError, "each {} query must have the same number of columns",
                   SetOperationName(select.op))
        .WithPosition(
            state.Position(right.targets.empty() ? Location{} : ExprLocation(right.targets[0]->expr)));
  }
  Branch branch;
  auto* operation = state.New<SetOperationStmt>();
  operation->op = select.op;
  operation->all = select.all;
  operation->larg = left.node;
  operation->rarg = right.node;
  for (uint32_t i = 0; i < left.targets.size(); ++i) {
    BindColumn(state, select, left.targets[i], right.targets[i], operation, &branch.targets);
  }
  branch.node = operation;
  return branch;
}

// The output columns: named by the leftmost SELECT, typed by the whole operation.
void MakeOutputColumns(BindState& state, const SetOperationStmt& operation, Query* query,
                       List<std::string_view>* names, List<NamespaceColumn>* columns, ExprList* vars) {
  int32_t leftmost = Leftmost(operation.larg)->rtindex;
  const Query& first = *state.Rte(leftmost)->subquery;
  uint32_t next = 0;
  for (const TargetEntry* named : first.target_list) {
    if (named->resjunk) continue;
    Var* var = MakeVar(state.arena(), leftmost, named->resno, operation.col_types[next],
                       operation.col_typmods[next], operation.col_collations[next]);
    var->location = ExprLocation(named->expr);
    query->target_list.Append(state.arena(),
                              MakeTargetEntry(state.arena(), var, state.next_resno++, named->resname, false));
    NamespaceColumn column;
    column.varno = leftmost;
    column.varattno = named->resno;
    column.type = var->vartype;
    column.typmod = var->vartypmod;
    column.collation = var->varcollid;
    column.varnosyn = static_cast<uint32_t>(leftmost);
    column.varattnosyn = named->resno;
    names->Append(state.arena(), named->resname);
    columns->Append(state.arena(), column);
    vars->Append(state.arena(), var);
    ++next;
  }
}

// ORDER BY sees the output columns and nothing else.
void BindOutputSort(BindState& state, const ast::SelectStmt& select, Query* query,
                    const List<std::string_view>& names, const List<NamespaceColumn>& columns,
                    const ExprList& vars) {
  auto* rte = state.New<RangeTblEntry>();
  rte->joinaliasvars = vars;
  std::vector<NamespaceItem*> saved = std::move(state.names);
  state.names.clear();
  uint32_t rtable_size = state.rtable.size();
  NamespaceItem* item = AddJoin(state, rte, nullptr, names, columns, false);
  AddToNamespace(state, item, false, true);
  uint32_t visible = query->target_list.size();
  query->sort_clause = BindSort(state, select.sort_clause, &query->target_list, ExprKind::kOrderBy, false);
  state.names = std::move(saved);
  state.rtable.Resize(state.arena(), rtable_size);
  state.join_exprs.Resize(state.arena(), rtable_size);
  if (query->target_list.size() != visible) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
        .WithDetail("Only result column names can be used, not expressions or functions.")
        .WithHint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
        .WithPosition(state.Position(ExprLocation(query->target_list[visible]->expr)));
  }
}

}  // namespace

Query* BindSetOperation(BindState& state, const ast::SelectStmt& select) {
  auto* query = state.New<Query>();
  query->command_type = CmdType::kSelect;
  const ast::SelectStmt* leftmost = select.larg;
  while (leftmost->op != SetOperation::kNone) leftmost = leftmost->larg;
  if (leftmost->into_clause != nullptr) {
    throw SqlError(ErrorCode::kSyntaxError, "SELECT ... INTO is not allowed here")
        .WithPosition(state.Position(leftmost->into_clause->rel->location));
  }
  if (!select.locking_clause.empty()) throw LockingRefused(select);
  BindWith(state, select.with_clause, query);
  Branch top = BindBranch(state, select, true);
  auto* operation = As<SetOperationStmt>(top.node);
  query->set_operations = operation;
  List<std::string_view> names;
  List<NamespaceColumn> columns;
  ExprList vars;
  MakeOutputColumns(state, *operation, query, &names, &columns, &vars);
  BindOutputSort(state, select, query, names, columns, vars);
  query->limit_offset =
      BindLimit(state, select.limit_offset, ExprKind::kOffset, "OFFSET", select.limit_option);
  query->limit_count = BindLimit(state, select.limit_count, ExprKind::kLimit, "LIMIT", select.limit_option);
  query->limit_option = select.limit_option;
  FinishQuery(state, query, nullptr);
  AssignQueryCollations(state, query);
  if (state.has_aggs) {
    // Only an aggregate of an outer query can stand here; grouping is checked there.
    query->has_aggs = true;
  }
  return query;
}

}  // namespace walden
