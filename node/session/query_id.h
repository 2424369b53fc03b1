// Query identifiers (compute_query_id): the same number for queries that differ in their constants only. pg_stat_activity, EXPLAIN
// VERBOSE and %Q of log_line_prefix show them.
#pragma once

#include <cstdint>
#include <string_view>

#include "node/sql/query/query.h"

namespace walden {

// Values of compute_query_id.
enum class ComputeQueryId : int { kOff, kOn, kAuto, kRegress };

// 0 where compute_query_id asks for none.
int64_t QueryIdOf(const Query& query);
// Of a command that has no plan: from its text.
int64_t UtilityQueryId(std::string_view text);

// The identifier of the client's statement that runs now; 0 forgets the one before.
void ReportQueryId(int64_t id);

}  // namespace walden
