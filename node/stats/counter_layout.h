// Area::kStats: blocks of processes and tables of sums. Private to stats.
#pragma once

#include <atomic>
#include <cstdint>

#include "node/base/clock.h"
#include "node/shm/lwlock.h"
#include "node/shm/process.h"
#include "node/stats/counter_tables.h"
#include "node/stats/counters.h"

namespace walden {

constexpr uint64_t StatsKey(Oid database, Oid relation) {
  return uint64_t{OidNumber(database)} << 32 | OidNumber(relation);
}

// A counter with what of it is in the sums already.
template <size_t kCounters>
struct Counted {
  std::atomic<uint64_t> values[kCounters];  // written by the block's owner
  uint64_t folded[kCounters];               // Guarded by: the block's lock
};

struct RelationEntry {
  std::atomic<uint64_t> key;  // 0: free. Set by the owner; cleared by the owner under the block's lock
  Counted<kRelationCounters> counted;
};

inline constexpr size_t kBlockRelations = 128;

struct alignas(128) StatsBlock {
  LwLock lock;
  Oid database;  // of the session. Guarded by: lock, but for the owner's reads
  Counted<kDatabaseCounters> counted;
  Counted<kNodeCounters> node;
  RelationEntry relations[kBlockRelations];
};

// The entry of `key`; with `take`, by the owner, a free one becomes it. nullptr: none.
inline RelationEntry* FindEntry(StatsBlock& block, uint64_t key, bool take = false) {
  size_t at = (key * 0x9E3779B97F4A7C15ull) >> 57;
  for (size_t probe = 0; probe < kBlockRelations; ++probe) {
    RelationEntry& entry = block.relations[(at + probe) % kBlockRelations];
    uint64_t seen = entry.key.load(std::memory_order_relaxed);
    if (seen == key) return &entry;
    if (seen != 0) continue;
    if (!take) return nullptr;
    entry.key.store(key, std::memory_order_release);
    return &entry;
  }
  return nullptr;
}

struct RelationSumRow {
  std::atomic<uint64_t> key;  // StatsKey; 0 free, kForgotten a place that look-ups pass over
  std::atomic<uint64_t> values[kRelationCounters];
  std::atomic<int64_t> times[kStatsTimes];
  std::atomic<uint32_t> label_change;  // odd while the label is written. Written under: the table lock
  RelationLabel label;
};
struct DatabaseSumRow {
  std::atomic<uint64_t> key;  // database + 1; 0 free
  std::atomic<uint64_t> values[kDatabaseCounters];
  std::atomic<int64_t> reset_time, last_checksum_failure;
  std::atomic<uint32_t> label_change;
  char name[kStatsNameBytes];
};
struct NodeSumRow {
  std::atomic<uint64_t> values[kNodeCounters];
  std::atomic<int64_t> reset_times[static_cast<size_t>(NodeGroup::kCount)];
  std::atomic<uint32_t> archive_change;
  ArchiveOutcome archived, failed;
};
inline constexpr uint64_t kForgotten = UINT64_MAX;
inline constexpr uint32_t kMaxRelationSums = 16384;
inline constexpr uint32_t kMaxDatabaseSums = 1024;

struct StatsArea {
  LwLock table_lock;  // making, naming and forgetting rows of the sums
  NodeSumRow node;
  RelationSumRow relations[kMaxRelationSums];
  DatabaseSumRow databases[kMaxDatabaseSums];
  StatsBlock* blocks() {
    return reinterpret_cast<StatsBlock*>((reinterpret_cast<uintptr_t>(this + 1) + 127) & ~uintptr_t{127});
  }
};
inline StatsArea* TheStats() { return ShmArea<StatsArea>(Area::kStats); }
inline StatsBlock* BlockOf(int slot) {
  return TheStats() == nullptr || slot < 0 ? nullptr : &TheStats()->blocks()[slot];
}

// Requires: the block's lock, exclusive.
void FoldBlockLocked(StatsBlock& block);

}  // namespace walden
