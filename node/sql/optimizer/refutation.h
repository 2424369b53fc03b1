// Constraint exclusion: proofs that no row of a table can meet a query's conditions.
#pragma once

#include "node/base/arena.h"
#include "node/sql/optimizer/query_planner.h"

namespace walden {

// kFalse: the predicate is proved false. kNotTrue: false or null, which is enough for a condition of WHERE but not for a CHECK
// constraint, which a null passes.
enum class Refutation : uint8_t { kFalse, kNotTrue };

// Where `given` is true, is `predicate` never true? "No" means "not proved".
bool Refutes(const Expr* given, const Expr* predicate, Refutation kind);

// No row can pass the conditions: a constant false among them, two that contradict each other, or one that contradicts a valid CHECK
// or NOT NULL constraint. What is looked at depends on constraint_exclusion.
bool IsExcluded(const BaseRel& base, Arena& arena, const PlannerOptions& options);

}  // namespace walden
