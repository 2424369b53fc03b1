// The sums of all counters, per relation and per database; blocks of running processes are folded into them. Readers need no
// lock and no write access: a row's key is stored last when it is made, and first cleared when it is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "node/base/clock.h"
#include "node/base/ids.h"
#include "node/stats/counters.h"

namespace walden {

enum class StatsTime : uint8_t { kLastScan, kVacuum, kAutovacuum, kAnalyze, kAutoanalyze, kReset, kCount };

struct RelationSums {
  Oid database;  // 0: shared
  Oid relation;
  uint64_t values[kRelationCounters];
  TimestampUs times[static_cast<size_t>(StatsTime::kCount)];
  uint64_t operator[](RelationCounter counter) const { return values[static_cast<size_t>(counter)]; }
  TimestampUs operator[](StatsTime time) const { return times[static_cast<size_t>(time)]; }
};
struct DatabaseSums {
  Oid database;
  uint64_t values[kDatabaseCounters];
  TimestampUs reset_time;
  uint64_t operator[](DatabaseCounter counter) const { return values[static_cast<size_t>(counter)]; }
};

// ---- Readers. False if nothing is known.
bool ReadRelationSums(Oid database, Oid relation, RelationSums* sums);
bool ReadDatabaseSums(Oid database, DatabaseSums* sums);
void ForEachRelationSums(const std::function<void(const RelationSums&)>& visit);
void ForEachDatabaseSums(const std::function<void(const DatabaseSums&)>& visit);

// ---- Writers.
void FoldAllBlocks();  // the stats collector, and a session before it reads
void FoldOwnBlock();
// What VACUUM or ANALYZE found replaces the estimates.
void SetRelationEstimates(Oid database, Oid relation, uint64_t live, uint64_t dead, bool vacuum, bool automatic);
void ResetRelationStats(Oid database, Oid relation);
void ResetDatabaseStats(Oid database);  // and all its relations
void ForgetRelationStats(Oid database, Oid relation);  // dropped
void ForgetDatabaseStats(Oid database);

// pg_stat/walden.stat. Load ignores a file that is missing, damaged or of another form.
void SaveStats(const std::string& path);
void LoadStats(const std::string& path);
inline constexpr const char* kStatsPath = "pg_stat/walden.stat";

size_t StatsAreaSize();
void StatsAreaInit(void* at);

}  // namespace walden
