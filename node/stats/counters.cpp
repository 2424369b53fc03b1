#include "node/stats/counters.h"

#include <algorithm>
#include <vector>

#include "node/config/settings.h"
#include "node/stats/counter_layout.h"

namespace walden {
namespace {

// Where counts go that nobody wants: one per thread, so that test threads do not race.
thread_local std::atomic<uint64_t> relation_sink[kRelationCounters];

constexpr const char* kRelationNames[] = {
#define RELATION(name, text) text,
#include "node/stats/counter_rows.def"
};
constexpr const char* kDatabaseNames[] = {
#define DATABASE(name, text) text,
#include "node/stats/counter_rows.def"
};

// Row changes of the running transaction whose effect on the estimates is not known yet.
struct PendingRows {
  Oid database, relation;
  int level;
  int64_t inserted = 0, updated = 0, deleted = 0;
  bool truncated = false;
};
thread_local std::vector<PendingRows> pending_rows;

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

const char* CounterName(RelationCounter counter) { return kRelationNames[static_cast<size_t>(counter)]; }
const char* CounterName(DatabaseCounter counter) { return kDatabaseNames[static_cast<size_t>(counter)]; }

void BeginCounting() {
  StatsBlock* block = BlockOf(self_slot());
  if (block == nullptr) return;
  {
    LwLockGuard guard(block->lock, LwMode::kExclusive);
    block->database = Oid::kInvalid;
  }
  ++stats_block_epoch;
  database_counters = block->counted.values;
  OnProcessExit([] {
    FoldOwnBlock();
    database_counters = nullptr;
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
  size_t at = (key * 0x9E3779B97F4A7C15ull) >> 57;
  for (size_t probe = 0; probe < kBlockRelations; ++probe) {
    RelationEntry& entry = block->relations[(at + probe) % kBlockRelations];
    uint64_t seen = entry.key.load(std::memory_order_relaxed);
    if (seen == 0) entry.key.store(key, std::memory_order_release);
    if (seen != 0 && seen != key) continue;
    values_ = entry.counted.values;
    return;
  }
  // Full: the sums take over what is here, and everybody finds a place anew.
  LwLockGuard guard(block->lock, LwMode::kExclusive);
  FoldBlockLocked(*block);
  for (RelationEntry& entry : block->relations) entry.key.store(0, std::memory_order_relaxed);
  guard.Release();
  ++stats_block_epoch;
  Find();
}

void RelationStats::CountInsert(int level, uint64_t rows) {
  Count(RelationCounter::kTuplesInserted, static_cast<int64_t>(rows));
  walden::Count(DatabaseCounter::kDbTuplesInserted, rows);
  PendingOf(database_, relation_, level).inserted += static_cast<int64_t>(rows);
}

void RelationStats::CountUpdate(int level, bool hot) {
  Count(RelationCounter::kTuplesUpdated);
  if (hot) Count(RelationCounter::kTuplesHotUpdated);
  walden::Count(DatabaseCounter::kDbTuplesUpdated);
  PendingOf(database_, relation_, level).updated += 1;
}

void RelationStats::CountDelete(int level, uint64_t rows) {
  Count(RelationCounter::kTuplesDeleted, static_cast<int64_t>(rows));
  walden::Count(DatabaseCounter::kDbTuplesDeleted, rows);
  PendingOf(database_, relation_, level).deleted += static_cast<int64_t>(rows);
}

void RelationStats::CountTruncate(int level) {
  for (PendingRows& rows : pending_rows) {
    if (rows.relation == relation_ && rows.database == database_) rows.inserted = rows.updated = rows.deleted = 0;
  }
  PendingOf(database_, relation_, level).truncated = true;
}

void RelationStats::ReportVacuum(uint64_t live, uint64_t dead, bool automatic) {
  SetRelationEstimates(database_, relation_, live, dead, true, automatic);
}

void RelationStats::ReportAnalyze(uint64_t live, uint64_t dead, bool automatic) {
  SetRelationEstimates(database_, relation_, live, dead, false, automatic);
}

void StatsAtSubtransactionEnd(int level, bool commit) {
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
    if (commit && rows.truncated) SetRelationEstimates(rows.database, rows.relation, 0, 0, false, false);
    Settle(rows, commit);
  }
  pending_rows.clear();
}

}  // namespace walden
