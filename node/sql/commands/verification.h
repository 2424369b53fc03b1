// SQL functions that check indexes and heaps, with the names and forms of PostgreSQL's amcheck. Superusers only.
#pragma once

#include <span>

#include "node/sql/functions/registry.h"

namespace walden {

// bt_index_check(index regclass [, heapallindexed boolean]): XX002 / XX001 at the first defect. heapallindexed: every row
// that a snapshot sees in the table is reached by exactly one entry (indexes with a predicate: entries lead to rows).
std::span<const ScalarFunction> VerificationFunctions();
// verify_heapam(relation regclass): one row per defect.
std::span<const SetFunction> VerificationSetFunctions();

}  // namespace walden
