#include "node/stats/counters.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "node/config/settings.h"
#include "node/stats/counter_layout.h"
#include "node/stats/snapshot.h"

namespace walden {
namespace {

// Where counts go that nobody wants. It outlives every thread: a handle that test threads share may keep its address.
std::atomic<uint64_t> relation_sink[kRelationCounters];

constexpr CounterRow kRelationRows[] = {
#define RELATION(name, table, index, kind, metric, index_metric, help) \
  {table, index, CounterKind::kind, metric, index_metric, help},
#include "node/stats/counter_rows.def"
};
constexpr CounterRow kTimeRows[] = {
#define TIME(name, column, metric, help) {column, "", CounterKind::kLevel, metric, "", help},
#include "node/stats/counter_rows.def"
    {"", "", CounterKind::kLevel, "", "", "Last reset"},
};
constexpr CounterRow kDatabaseRows[] = {
#define DATABASE(name, column, kind, metric, help) {column, "", CounterKind::kind, metric, "", help},
#include "node/stats/counter_rows.def"
};
constexpr CounterRow kNodeRows[] = {
#define NODE(name, group, column, kind, metric, help) \
  {column, "", CounterKind::kind, metric, "", help, NodeGroup::group},
#include "node/stats/counter_rows.def"
};

// What an entry of the own block held when the running transaction first met it (pg_stat_xact_*). Counts of entries that had to
// make room meanwhile are carried aside.
struct AtStart {
  uint64_t transaction;
  uint64_t values[kRelationCounters];
};
thread_local uint64_t transaction_number = 1;
thread_local AtStart at_start[kBlockRelations];
thread_local std::unordered_map<uint64_t, std::array<uint64_t, kRelationCounters>> carried_counts;

void RememberStart(std::ptrdiff_t at, const RelationEntry& entry) {
  AtStart& start = at_start[at];
  if (start.transaction == transaction_number) return;
  start.transaction = transaction_number;
  for (size_t i = 0; i < kRelationCounters; ++i)
    start.values[i] = entry.counted.values[i].load(std::memory_order_relaxed);
}

// The sums take over what is in a full block, and everybody finds a place anew.
void ClearBlock(StatsBlock& block) {
  LwLockGuard guard(block.lock, LwMode::kExclusive);
  FoldBlockLocked(block);
  for (size_t at = 0; at < kBlockRelations; ++at) {
    RelationEntry& entry = block.relations[at];
    uint64_t key = entry.key.load(std::memory_order_relaxed);
    if (key != 0 && at_start[at].transaction == transaction_number) {
      auto& carried = carried_counts[key];
      for (size_t i = 0; i < kRelationCounters; ++i) {
        carried[i] += entry.counted.values[i].load(std::memory_order_relaxed) - at_start[at].values[i];
      }
    }
    at_start[at].transaction = 0;
    entry.key.store(0, std::memory_order_relaxed);
  }
  ++stats_block_epoch;
}

// Row changes of the running transaction whose effect on the estimates is not known yet.
struct PendingRows {
  Oid database, relation;
  int level;
  int64_t inserted = 0, updated = 0, deleted = 0;
  bool truncated = false;
};
thread_local std::vector<PendingRows> pending_rows;

// Relations that the running transaction made or dropped.
struct PendingObject {
  Oid database, relation;
  int level;
  bool dropped;
};
thread_local std::vector<PendingObject> pending_objects;

PendingRows& PendingOf(Oid database, Oid relation, int level) {
  for (auto row = pending_rows.rbegin(); row != pending_rows.rend() && row->level >= level; ++row) {
    if (row->relation == relation && row->database == database && row->level == level) return *row;
  }
  return pending_rows.emplace_back(PendingRows{database, relation, level});
}

void Settle(const PendingRows& rows, bool commit) {
  RelationStats stats(rows.database, rows.relation);
  // A committed update leaves its old version dead; what an aborted transaction wrote is dead altogether.
  int64_t live = commit ? rows.inserted - rows.deleted : 0;
  int64_t dead = commit ? rows.updated + rows.deleted : rows.inserted + rows.updated;
  stats.Count(RelationCounter::kLiveTuples, live);
  stats.Count(RelationCounter::kDeadTuples, dead);
  if (commit) stats.Count(RelationCounter::kChangesSinceAnalyze, rows.inserted + rows.updated + rows.deleted);
  stats.Count(RelationCounter::kInsertsSinceVacuum, rows.inserted);
}

}  // namespace

constinit thread_local uint64_t stats_block_epoch = 1;
constinit thread_local std::atomic<uint64_t>* database_counters = nullptr;

constinit thread_local std::atomic<uint64_t>* node_counters = nullptr;

const CounterRow& Describe(RelationCounter counter) { return kRelationRows[static_cast<size_t>(counter)]; }
const CounterRow& Describe(DatabaseCounter counter) { return kDatabaseRows[static_cast<size_t>(counter)]; }
const CounterRow& Describe(NodeCounter counter) { return kNodeRows[static_cast<size_t>(counter)]; }
const CounterRow& Describe(StatsTime time) { return kTimeRows[static_cast<size_t>(time)]; }

void BeginCounting() {
  StatsBlock* block = BlockOf(self_slot());
  if (block == nullptr) return;
  {
    LwLockGuard guard(block->lock, LwMode::kExclusive);
    block->database = Oid::kInvalid;
  }
  ++stats_block_epoch;
  database_counters = block->counted.values;
  node_counters = block->node.values;
  OnProcessExit([] {
    FoldOwnBlock();
    database_counters = nullptr;
    node_counters = nullptr;
    ++stats_block_epoch;
  });
}

void SetStatsDatabase(Oid database) {
  StatsBlock* block = BlockOf(self_slot());
  if (block == nullptr) return;
  LwLockGuard guard(block->lock, LwMode::kExclusive);
  FoldBlockLocked(*block);
  block->database = database;
}

void RelationStats::Find() {
  epoch_ = stats_block_epoch;
  values_ = relation_sink;
  StatsBlock* block = BlockOf(self_slot());
  bool counting = block != nullptr && database_counters == block->counted.values && IsValid(relation_);
  if (!counting || !GetBool(Setting::kTrackCounts)) return;
  uint64_t key = StatsKey(database_, relation_);
  RelationEntry* entry = FindEntry(*block, key, true);
  if (entry == nullptr) {
    ClearBlock(*block);
    Find();
    return;
  }
  values_ = entry->counted.values;
  RememberStart(entry - block->relations, *entry);
}

bool ReadTransactionCounts(Oid database, Oid relation, uint64_t (&values)[kRelationCounters]) {
  std::fill(std::begin(values), std::end(values), 0);
  uint64_t key = StatsKey(database, relation);
  bool found = false;
  if (auto carried = carried_counts.find(key); carried != carried_counts.end()) {
    std::copy(carried->second.begin(), carried->second.end(), values);
    found = true;
  }
  StatsBlock* block = BlockOf(self_slot());
  RelationEntry* entry = block == nullptr ? nullptr : FindEntry(*block, key);
  if (entry == nullptr) return found;
  const AtStart& start = at_start[static_cast<size_t>(entry - block->relations)];
  if (start.transaction != transaction_number) return found;
  for (size_t i = 0; i < kRelationCounters; ++i) {
    values[i] += entry->counted.values[i].load(std::memory_order_relaxed) - start.values[i];
  }
  return true;
}

void RelationStats::CountInsert(int level, uint64_t rows) {
  Count(RelationCounter::kTuplesInserted, static_cast<int64_t>(rows));
  PendingOf(database_, relation_, level).inserted += static_cast<int64_t>(rows);
}

void RelationStats::CountUpdate(int level, bool hot) {
  Count(RelationCounter::kTuplesUpdated);
  if (hot) Count(RelationCounter::kTuplesHotUpdated);
  PendingOf(database_, relation_, level).updated += 1;
}

void RelationStats::CountDelete(int level, uint64_t rows) {
  Count(RelationCounter::kTuplesDeleted, static_cast<int64_t>(rows));
  PendingOf(database_, relation_, level).deleted += static_cast<int64_t>(rows);
}

void RelationStats::CountTruncate(int level) {
  for (PendingRows& rows : pending_rows) {
    if (rows.relation == relation_ && rows.database == database_)
      rows.inserted = rows.updated = rows.deleted = 0;
  }
  PendingOf(database_, relation_, level).truncated = true;
}

void RelationStats::ReportVacuum(uint64_t live, uint64_t dead, bool automatic) {
  SetRelationEstimates(database_, relation_, {live, dead, true, automatic, true});
}

void RelationStats::ReportAnalyze(uint64_t live, uint64_t dead, bool automatic, bool complete) {
  SetRelationEstimates(database_, relation_, {live, dead, false, automatic, complete});
}

void StatsOfCreatedRelation(Oid database, Oid relation, int level) {
  pending_objects.push_back({database, relation, level, false});
}
void StatsOfDroppedRelation(Oid database, Oid relation, int level) {
  pending_objects.push_back({database, relation, level, true});
}

void StatsAtSubtransactionEnd(int level, bool commit) {
  for (size_t i = pending_objects.size(); i-- > 0 && pending_objects[i].level >= level;) {
    PendingObject& object = pending_objects[i];
    if (commit) {
      object.level = level - 1;
      continue;
    }
    if (!object.dropped) ForgetRelationStats(object.database, object.relation);
    pending_objects.erase(pending_objects.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (size_t i = pending_rows.size(); i-- > 0 && pending_rows[i].level >= level;) {
    PendingRows rows = pending_rows[i];
    pending_rows.erase(pending_rows.begin() + static_cast<std::ptrdiff_t>(i));
    if (!commit) {
      Settle(rows, false);
      continue;
    }
    PendingRows& parent = PendingOf(rows.database, rows.relation, level - 1);
    if (rows.truncated) parent.inserted = parent.updated = parent.deleted = 0;
    parent.inserted += rows.inserted;
    parent.updated += rows.updated;
    parent.deleted += rows.deleted;
    parent.truncated |= rows.truncated;
  }
}

void StatsAtTransactionEnd(bool commit) {
  walden::Count(commit ? DatabaseCounter::kCommits : DatabaseCounter::kRollbacks);
  for (const PendingRows& rows : pending_rows) {
    if (commit && rows.truncated) SetRelationEmpty(rows.database, rows.relation);
    Settle(rows, commit);
  }
  pending_rows.clear();
  for (const PendingObject& object : pending_objects) {
    if (object.dropped == commit) ForgetRelationStats(object.database, object.relation);
  }
  pending_objects.clear();
  ClearStatsSnapshot();
  // Relations met from now on belong to the next transaction.
  ++transaction_number;
  if (!carried_counts.empty()) carried_counts.clear();
  ++stats_block_epoch;
}

}  // namespace walden
