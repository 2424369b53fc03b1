// Ties a relation to its counters, and tells the statistics what it is called. Private to catalog.
#pragma once

#include "node/catalog/relation.h"

namespace walden {

Oid StatsDatabaseOf(const PgClassRow& row);  // 0: shared
// Of a system catalog: no names (connecting reads no catalog row for that).
RelationStats StatsOf(const Relation& relation);
// Of others; `table` is what an index or TOAST table belongs to.
void DescribeToStats(const Relation& relation, const PgClassRow* table = nullptr);

}  // namespace walden
