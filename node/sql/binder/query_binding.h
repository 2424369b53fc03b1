// Whole statements: SELECT in all its forms, INSERT, UPDATE, DELETE. Internal to sql/binder.
#pragma once

#include "node/sql/binder/bind_state.h"

namespace walden {

// A statement of this query level.
Query* BindStatementIn(BindState& state, const ast::Node& statement);
// A statement one level below `parent`. `cte`: the WITH item whose query it is; `resolve_unknowns`: literals of
// the output become text (not where an outer construct will decide).
Query* BindSubquery(BindState& parent, const ast::Node& statement, CommonTableExpr* cte,
                    bool locked_from_parent, bool resolve_unknowns);

Query* BindSelect(BindState& state, const ast::SelectStmt& select);
Query* BindSetOperation(BindState& state, const ast::SelectStmt& select);  // set_operations.cpp
Query* BindInsert(BindState& state, const ast::InsertStmt& insert);        // modify.cpp
Query* BindUpdate(BindState& state, const ast::UpdateStmt& update);
Query* BindDelete(BindState& state, const ast::DeleteStmt& statement);

// What all kinds of queries end with: range table, join tree, flags. Collations are assigned after it.
void FinishQuery(BindState& state, Query* query, Expr* condition);
void BindWith(BindState& state, const ast::WithClause* with, Query* query);  // with_clause.cpp
void BindLocking(BindState& state, Query* query, const ast::NodeList& clauses,
                 bool pushed_down);  // row_locks.cpp
const char* LockStrengthName(LockClauseStrength strength);

// WITH RECURSIVE: the columns that the non-recursive term gives its CTE.
void SetCteColumns(BindState& state, CommonTableExpr* cte, const List<TargetEntry*>& targets);
// RETURNING; the target relation must be the only name visible beside FROM or USING.
List<TargetEntry*> BindReturning(BindState& state, const ast::NodeList& list);

}  // namespace walden
