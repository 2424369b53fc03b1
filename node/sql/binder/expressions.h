// Scalar expressions: AST to bound tree. Collations are assigned afterwards (collations.h).
#pragma once

#include "node/sql/binder/bind_state.h"

namespace walden {

// Binds an expression that stands in a clause of that kind.
Expr* BindExpr(BindState& state, const ast::Node* node, ExprKind kind);
// The same within the clause being bound.
Expr* BindNested(BindState& state, const ast::Node* node);
// A condition: boolean, 42804 otherwise. Null for null.
Expr* BindWhere(BindState& state, const ast::Node* node, ExprKind kind, const char* construct);
// Items of ROW(...) and VALUES: "t.*" is expanded; DEFAULT is let through when allowed.
ExprList BindExprList(BindState& state, const ast::NodeList& list, ExprKind kind, bool allow_default);

Const* BindConstant(BindState& state, const ast::AConst& constant);
Expr* BindColumnRef(BindState& state, const ast::ColumnRef& reference);

// ---- comparisons of rows, IN, BETWEEN, subqueries (row_expressions.cpp) ----
Expr* BindIn(BindState& state, const ast::AExpr& expr);
Expr* BindBetween(BindState& state, const ast::AExpr& expr);
Expr* BindDistinct(BindState& state, const ast::AExpr& expr);
Expr* BindSubLink(BindState& state, const ast::SubLink& link);
Expr* MakeRowComparison(BindState& state, const ast::NodeList& names, const ExprList& left,
                        const ExprList& right, Location location);

// ---- arrays, subscripts (subscripts.cpp) ----
// array_type etc. are set when a cast prescribes the type.
Expr* BindArray(BindState& state, const ast::AArrayExpr& array, Oid array_type, Oid element_type,
                int32_t typmod);
Expr* BindIndirection(BindState& state, const ast::AIndirection& indirection);
// Fetch, or the target of an assignment (then the caller fills refassgnexpr). Types of a container domain are
// resolved by the caller.
SubscriptingRef* BindSubscripts(BindState& state, Expr* base, Oid container, int32_t typmod,
                                const std::vector<const ast::AIndices*>& indices, bool is_assignment);

// Columns behind a Var of type record (a subquery's row, a join's row); empty when unknown.
std::vector<ColumnInfo> RecordVarColumns(BindState& state, const Var& var);
[[noreturn]] void ThrowUnknownAttribute(BindState& state, Expr* row, std::string_view attribute,
                                        Location location);

}  // namespace walden
