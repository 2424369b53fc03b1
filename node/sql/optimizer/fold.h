// Simplification of expressions before planning.
#pragma once

#include "node/sql/optimizer/planner.h"
#include "node/sql/optimizer/relset.h"
#include "node/sql/query/query.h"

namespace walden {

// Evaluates what is constant (immutable calls of constants; $n when the options have values), simplifies AND, OR, NOT,
// CASE, COALESCE. Errors of the evaluation are raised, as PostgreSQL does. The result may share subtrees with `node`.
Node* FoldConstants(Node* node, Arena& arena, const PlannerOptions& options);

// The worst volatility of any function in the tree: 'i' immutable, 's' stable, 'v' volatile.
char VolatilityOf(const Node* node);
// How many volatile calls stand in it.
int VolatileCalls(const Node* node);
// Relations of whose rows the condition cannot be true when all their columns are null (for outer join reduction).
RelSet NonNullableRels(const Expr* condition);

}  // namespace walden
