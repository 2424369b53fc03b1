// Simplification of expressions before planning.
#pragma once

#include "node/sql/optimizer/planner.h"
#include "node/sql/query/query.h"

namespace walden {

// Evaluates what is constant (immutable calls of constants; $n when the options have values), simplifies AND, OR, NOT,
// CASE, COALESCE. Errors of the evaluation are raised, as PostgreSQL does. The result may share subtrees with `node`.
Node* FoldConstants(Node* node, Arena& arena, const PlannerOptions& options);

// The worst volatility of any function in the tree: 'i' immutable, 's' stable, 'v' volatile.
char VolatilityOf(const Node* node);
// A null argument from any of the functions or operators makes the expression null or false (for outer join reduction).
bool IsStrictCondition(const Expr* condition);

}  // namespace walden
