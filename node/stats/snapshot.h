// What the pg_stat_* functions of one transaction see (stats_fetch_consistency): `none` looks at the sums each time, `cache`
// (the default) keeps what was looked at until the transaction ends, `snapshot` keeps everything from the first look on.
// Process-local.
#pragma once

#include "node/stats/counter_tables.h"

namespace walden {

// False (and zeroes) if nothing is known. The first look of a transaction takes in what processes have counted so far.
bool SeeRelation(Oid database, Oid relation, RelationSums* sums);
bool SeeDatabase(Oid database, DatabaseSums* sums);
NodeSums SeeNode();

// When `snapshot` was taken; 0: there is none.
TimestampUs StatsSnapshotTime();
void ClearStatsSnapshot();  // also by the end of the transaction

}  // namespace walden
