// The rewriter: from an analysed query to what can be planned. Views are expanded, writes to simple views become
// writes to their table, defaults and identity rules of INSERT and UPDATE are applied, named and default arguments
// of calls are put in place.
#pragma once

#include <vector>

#include "node/sql/binder/binder.h"

namespace walden {

// May change `query` in place and returns the queries to run, in order (one, while rules are not supported). Utility
// queries pass through; their utility_query is rewritten. Relations below views are locked as if they stood in the
// query; their permissions are checked as the view's owner (RangeTblEntry::check_as_user).
List<Query*> Rewrite(Query* query, const BindOptions& options);

// ON CONFLICT: OIDs of the unique indexes that the inference specification or constraint means. 42P10 when there is
// none. Empty for DO NOTHING without a specification (any index).
List<Oid> InferArbiterIndexes(const Query& query, CatalogReader& catalog, Arena& arena);

// Is this view simple enough to be written through? Else the reason, as in the DETAIL of PostgreSQL's error.
// `check_columns`: at least one column must be updatable.
const char* WhyViewNotUpdatable(const Query& view_query, bool check_columns);

}  // namespace walden
