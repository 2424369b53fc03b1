// The rewriter: from an analysed query to what can be planned. Views are expanded, writes to simple views become
// writes to their table, defaults and identity rules of INSERT and UPDATE are applied, named and default arguments
// of calls are put in place.
#pragma once

#include <vector>

#include "node/sql/binder/binder.h"

namespace walden {

// Changes `query` in place and returns the queries to run, in order (one: rules other than views' are not supported).
// Utility queries pass through with their utility_query rewritten. Relations below views are locked as if they stood
// in the query; an expanded view's entry keeps its relid and required permissions, and the entries below it are
// checked as the view's owner (RangeTblEntry::check_as_user).
List<Query*> Rewrite(Query* query, const BindOptions& options);

// Why a view with this query cannot be written through, as a DETAIL or HINT; null when it can. `check_columns`: it must
// have an updatable column (INSERT, UPDATE).
const char* WhyViewNotUpdatable(const Query& query, bool check_columns);

}  // namespace walden
