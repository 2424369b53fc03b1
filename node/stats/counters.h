// Counting, by the process that does the work. Everything is a plain increment of memory that only this process writes; nobody
// waits. Nothing is counted in a process without a slot, or with track_counts off (relations).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "node/base/ids.h"

namespace walden {

enum class RelationCounter : uint8_t {
#define RELATION(name, ...) name,
#include "node/stats/counter_rows.def"
  kCount
};
enum class DatabaseCounter : uint8_t {
#define DATABASE(name, ...) name,
#include "node/stats/counter_rows.def"
  kCount
};
enum class NodeCounter : uint8_t {
#define NODE(name, ...) name,
#include "node/stats/counter_rows.def"
  kCount
};
// Moments in the life of a relation; kReset is not shown.
enum class StatsTime : uint8_t {
#define TIME(name, ...) name,
#include "node/stats/counter_rows.def"
  kReset,
  kCount
};
inline constexpr size_t kRelationCounters = static_cast<size_t>(RelationCounter::kCount);
inline constexpr size_t kDatabaseCounters = static_cast<size_t>(DatabaseCounter::kCount);
inline constexpr size_t kNodeCounters = static_cast<size_t>(NodeCounter::kCount);
inline constexpr size_t kStatsTimes = static_cast<size_t>(StatsTime::kCount);

// A row of counter_rows.def. "" where there is none.
enum class CounterKind : uint8_t { kGrows, kBytes, kTimeUs, kLevel };
enum class NodeGroup : uint8_t {  // reset together; one view, or one row of pg_stat_slru, each
  kWal,
  kBackgroundWriter,
  kArchiver,
  kSlruXact,
  kSlruMultiXactOffset,
  kSlruMultiXactMember,
  kSlruCsn,
  kSlruNotify,
  kCount
};
struct CounterRow {
  const char* column;        // of a table's, the database's or the node's view
  const char* index_column;  // relations only
  CounterKind kind;
  const char* metric;
  const char* index_metric;  // relations only
  const char* help;
  NodeGroup group = NodeGroup::kCount;  // the node's only
};
const CounterRow& Describe(RelationCounter counter);
const CounterRow& Describe(DatabaseCounter counter);
const CounterRow& Describe(NodeCounter counter);
const CounterRow& Describe(StatsTime time);

// ---- Database of the session; set when it is bound. Counts before that go to database 0 (shared relations).
void SetStatsDatabase(Oid database);
// Changes whenever the places that handles remember may have become another relation's, and with each transaction. Never 0.
extern constinit thread_local uint64_t stats_block_epoch;
extern constinit thread_local std::atomic<uint64_t>* database_counters;  // nullptr: nothing is counted
inline void Count(DatabaseCounter counter, uint64_t amount = 1) {
  if (database_counters == nullptr) return;
  std::atomic<uint64_t>& value = database_counters[static_cast<size_t>(counter)];
  value.store(value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}
// Of the whole node.
extern constinit thread_local std::atomic<uint64_t>* node_counters;  // nullptr: nothing is counted
inline void Count(NodeCounter counter, uint64_t amount = 1) {
  if (node_counters == nullptr) return;
  std::atomic<uint64_t>& value = node_counters[static_cast<size_t>(counter)];
  value.store(value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

// ---- Relations. A handle is cheap to keep (in a relation cache entry, a scan) and finds its place again by itself
// when the block was cleared.
class RelationStats {
 public:
  RelationStats() = default;
  RelationStats(Oid database, Oid relation) : database_(database), relation_(relation) {}
  void Count(RelationCounter counter, int64_t amount = 1) {
    std::atomic<uint64_t>& value = Values()[static_cast<size_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) + static_cast<uint64_t>(amount),
                std::memory_order_relaxed);
  }

  // Row changes of the running transaction: counted at once, and taken into the row estimates when it is known how the transaction
  // (or savepoint, `level` counted from 1) ends.
  void CountInsert(int level, uint64_t rows = 1);
  void CountUpdate(int level, bool hot);
  void CountDelete(int level, uint64_t rows = 1);
  void CountTruncate(int level);
  // VACUUM and ANALYZE report what they found.
  void ReportVacuum(uint64_t live, uint64_t dead, bool automatic);
  // `complete`: of all columns, so that nothing counts as changed since.
  void ReportAnalyze(uint64_t live, uint64_t dead, bool automatic, bool complete = true);

 private:
  std::atomic<uint64_t>* Values() {
    if (__builtin_expect(epoch_ != stats_block_epoch, 0)) Find();
    return values_;
  }
  void Find();

  Oid database_{};
  Oid relation_{};
  uint64_t epoch_ = 0;
  std::atomic<uint64_t>* values_ = nullptr;
};

// A relation made or dropped at savepoint `level`: its statistics go when the making is undone or the drop is committed.
void StatsOfCreatedRelation(Oid database, Oid relation, int level);
void StatsOfDroppedRelation(Oid database, Oid relation, int level);

// What the running transaction has counted of a relation; false (and zeroes) if nothing.
bool ReadTransactionCounts(Oid database, Oid relation, uint64_t (&values)[kRelationCounters]);

// The start of a process that counts (after SetSelf): takes its slot's block. Its end folds what is left (an exit handler).
void BeginCounting();
// `server` registers these with txn's hooks.
void StatsAtSubtransactionEnd(int level, bool commit);
void StatsAtTransactionEnd(bool commit);

}  // namespace walden
