// From a bound, rewritten Query to an executable plan.
//
// The query tree is consumed: the optimizer changes it. Everything of the plan lives in PlannedStatement::arena. Relations that the plan
// touches are locked by the caller (PlannedStatement::relations). Throws SqlError.
#pragma once

#include <memory>
#include <span>

#include "node/sql/plan/plan.h"

namespace walden {

class SessionHooks;
struct BindOptions;

struct PlannerOptions {
  SessionHooks* session = nullptr;
  const BindOptions* binding = nullptr;  // for conversions that planning adds; its arena is not used
  // With values: a custom plan, $n are constants for it.
  std::span<const Value> parameters;
  std::span<const Oid> parameter_types;
  // Fraction of the result that will be fetched (cursors); 0 = all.
  double tuple_fraction = 0;
};

// `query` must live in `statement->arena` or outlive it.
void PlanQuery(Query* query, const PlannerOptions& options, PlannedStatement* statement);

}  // namespace walden
