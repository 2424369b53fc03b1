// Operator expressions: resolving the operator, coercing its operands, building the node.
#pragma once

#include "node/sql/binder/bind_state.h"

namespace walden {

// left null: prefix operator. `last_srf`: what BindState::last_srf was before the operands were bound.
Expr* MakeOperator(BindState& state, const WrittenName& name, Expr* left, Expr* right, Node* last_srf,
                   Location location);
// left op ANY/ALL (array).
Expr* MakeArrayOperator(BindState& state, const WrittenName& name, bool use_or, Expr* left, Expr* array,
                        Location location);
// Throws 42883 or 42725 as PostgreSQL's oper().
const OperatorInfo& RequireOperator(BindState& state, const WrittenName& name, Oid left, Oid right,
                                    Location location);
// The names of an AST operator; 0A000 and 42601 as SplitName.
WrittenName OperatorName(BindState& state, const ast::NodeList& names);
// Coerces arguments to the declared types where they differ.
void CoerceArguments(BindState& state, ExprList* arguments, std::span<const Oid> actual,
                     std::span<const Oid> declared);
// Is a set-returning call allowed here? `last_srf` as above.
void CheckSrfPlacement(BindState& state, Node* last_srf, Location location);

// The default operators for sorting and grouping a type; 42883 when it has none.
TypeOperators SortOperators(BindState& state, Oid type, bool need_less, bool need_equal, bool need_greater);

}  // namespace walden
