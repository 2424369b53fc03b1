// What evaluating a condition costs, and the order in which a node tries its conditions: cheap ones first, as PostgreSQL, so that an
// expensive one, or one that would raise an error, sees only the rows that the others leave.
#pragma once

#include <vector>

#include "node/sql/query/query.h"

namespace walden {

struct Plan;
struct Qual;

// What each evaluation costs; a subplan's share is in its node (SetSubPlanCosts).
double QualCost(const Node* expr);
// Fills in the costs of a subplan that is not an init plan. `materialized`: its rows are kept from one evaluation to the next.
void SetSubPlanCosts(SubPlan* subplan, const Plan& plan, bool materialized);

// The conditions by cost; of those that cost the same equalities come last, otherwise they stay in their order.
std::vector<Qual> InCostOrder(std::vector<Qual> quals);

}  // namespace walden
