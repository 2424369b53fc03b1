// The sums of all counters, per relation and per database; blocks of running processes are folded into them. Readers need no
// lock and no write access: a row's key is stored last when it is made, and first cleared when it is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "node/base/clock.h"
#include "node/base/ids.h"
#include "node/stats/counters.h"

namespace walden {

// What a relation is called, for readers that cannot look it up. Names are NUL-terminated; "" before anybody has told.
inline constexpr size_t kStatsNameBytes = 64;
struct RelationLabel {
  char schema[kStatsNameBytes], name[kStatsNameBytes];
  char table[kStatsNameBytes];  // of an index or TOAST table: the table that it belongs to
  Oid table_oid;
  char kind;  // pg_class.relkind; 0: unknown
  bool operator==(const RelationLabel&) const = default;
};
struct ArchiveOutcome {
  char wal[64];
  TimestampUs time;  // 0: never
};

struct RelationSums {
  Oid database;  // 0: shared
  Oid relation;
  uint64_t values[kRelationCounters];
  TimestampUs times[kStatsTimes];
  RelationLabel label;
  uint64_t operator[](RelationCounter counter) const { return values[static_cast<size_t>(counter)]; }
  TimestampUs operator[](StatsTime time) const { return times[static_cast<size_t>(time)]; }
};
struct DatabaseSums {
  Oid database;  // 0: shared relations
  char name[kStatsNameBytes];
  uint64_t values[kDatabaseCounters];
  TimestampUs reset_time, last_checksum_failure;
  uint64_t operator[](DatabaseCounter counter) const { return values[static_cast<size_t>(counter)]; }
};
struct NodeSums {
  uint64_t values[kNodeCounters];
  TimestampUs reset_times[static_cast<size_t>(NodeGroup::kCount)];
  ArchiveOutcome archived, failed;
  uint64_t operator[](NodeCounter counter) const { return values[static_cast<size_t>(counter)]; }
};

// ---- Readers. False if nothing is known.
bool ReadRelationSums(Oid database, Oid relation, RelationSums* sums);
bool ReadDatabaseSums(Oid database, DatabaseSums* sums);
void ReadNodeSums(NodeSums* sums);
void ForEachRelationSums(const std::function<void(const RelationSums&)>& visit);
void ForEachDatabaseSums(const std::function<void(const DatabaseSums&)>& visit);

// ---- Writers.
void FoldAllBlocks();  // the stats collector, and a session before it reads
void FoldOwnBlock();
// Makes the row if there is none yet; cheap if nothing changed.
void DescribeRelation(Oid database, Oid relation, const RelationLabel& label);
void DescribeDatabase(Oid database, std::string_view name);
// A WAL file was archived, or could not be.
void CountArchived(std::string_view wal, bool success);
void CountChecksumFailure(Oid database);
// What VACUUM or ANALYZE found replaces the estimates.
struct RelationFindings {
  uint64_t live, dead;
  bool vacuum;     // else ANALYZE
  bool automatic;  // by autovacuum
  bool complete;   // ANALYZE of all columns
};
void SetRelationEstimates(Oid database, Oid relation, const RelationFindings& found);
void SetRelationEmpty(Oid database, Oid relation);  // TRUNCATE
void ResetRelationStats(Oid database, Oid relation);
void ResetDatabaseStats(Oid database);  // and all its relations
void ResetNodeStats(NodeGroup group);
void ForgetRelationStats(Oid database, Oid relation);  // dropped
void ForgetDatabaseStats(Oid database);

// pg_stat/walden.stat. Load ignores a file that is missing, damaged or of another form.
void SaveStats(const std::string& path);
void LoadStats(const std::string& path);
inline constexpr const char* kStatsPath = "pg_stat/walden.stat";

size_t StatsAreaSize();
void StatsAreaInit(void* at);

}  // namespace walden
