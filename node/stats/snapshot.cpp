#include "node/stats/snapshot.h"

#include <optional>
#include <unordered_map>

#include "node/config/settings.h"
#include "node/shm/process.h"
#include "node/stats/counter_layout.h"

namespace walden {
namespace {

enum class Consistency : uint8_t { kNone, kCache, kSnapshot };

struct Seen {
  bool folded = false;
  TimestampUs taken = 0;  // of a complete snapshot
  std::unordered_map<uint64_t, std::optional<RelationSums>> relations;
  std::unordered_map<uint32_t, std::optional<DatabaseSums>> databases;
  std::optional<NodeSums> node;
};
thread_local std::optional<Seen> seen;

void TakeSnapshot(Seen* all) {
  all->taken = WallClockUs();
  Oid mine = self().database.load(std::memory_order_relaxed);
  ForEachRelationSums([&](const RelationSums& sums) {
    if (sums.database == mine || !IsValid(sums.database))
      all->relations[StatsKey(sums.database, sums.relation)] = sums;
  });
  ForEachDatabaseSums([&](const DatabaseSums& sums) { all->databases[OidNumber(sums.database)] = sums; });
  all->node.emplace();
  ReadNodeSums(&*all->node);
}

Seen& Look(Consistency consistency) {
  if (!seen) seen.emplace();
  if (!seen->folded || consistency == Consistency::kNone) FoldAllBlocks();
  seen->folded = true;
  if (consistency == Consistency::kSnapshot && seen->taken == 0) TakeSnapshot(&*seen);
  return *seen;
}

// Of what `read` finds, or found before.
template <class Map, class Key, class Sums, class Read>
bool See(Map Seen::* map, Key key, Sums* sums, Read&& read) {
  Consistency consistency = GetEnum<Consistency>(Setting::kStatsFetchConsistency);
  Seen& all = Look(consistency);
  *sums = {};
  if (consistency == Consistency::kNone) return read(sums);
  auto [at, is_new] = (all.*map).try_emplace(key);
  if (is_new && all.taken == 0 && read(sums)) at->second = *sums;
  if (!at->second) return false;
  *sums = *at->second;
  return true;
}

}  // namespace

bool SeeRelation(Oid database, Oid relation, RelationSums* sums) {
  return See(&Seen::relations, StatsKey(database, relation), sums,
             [&](RelationSums* to) { return ReadRelationSums(database, relation, to); });
}

bool SeeDatabase(Oid database, DatabaseSums* sums) {
  return See(&Seen::databases, OidNumber(database), sums,
             [&](DatabaseSums* to) { return ReadDatabaseSums(database, to); });
}

NodeSums SeeNode() {
  Consistency consistency = GetEnum<Consistency>(Setting::kStatsFetchConsistency);
  Seen& all = Look(consistency);
  if (consistency == Consistency::kNone || !all.node) {
    all.node.emplace();
    ReadNodeSums(&*all.node);
  }
  return *all.node;
}

TimestampUs StatsSnapshotTime() { return seen ? seen->taken : 0; }
void ClearStatsSnapshot() {
  if (seen) seen.reset();
}

}  // namespace walden
