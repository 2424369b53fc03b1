#include "node/stats/counter_tables.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>

#include "node/base/bytes.h"
#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/os/file.h"
#include "node/shm/spinlock.h"
#include "node/stats/counter_layout.h"

namespace walden {
namespace {

// Finds a row; makes it when `make` (Requires then: table lock, exclusive). nullptr: none, or the table is full.
RelationSumRow* FindRelation(uint64_t key, bool make) {
  StatsArea& stats = *TheStats();
  uint32_t at = static_cast<uint32_t>((key * 0x9E3779B97F4A7C15ull) >> 50);
  RelationSumRow* reusable = nullptr;
  for (uint32_t probe = 0; probe < kMaxRelationSums; ++probe) {
    RelationSumRow& row = stats.relations[(at + probe) % kMaxRelationSums];
    uint64_t seen = row.key.load(std::memory_order_acquire);
    if (seen == key) return &row;
    if (seen == kForgotten && reusable == nullptr) reusable = &row;
    if (seen != 0) continue;
    if (reusable == nullptr) reusable = &row;
    break;
  }
  if (!make || reusable == nullptr) return nullptr;
  for (auto& value : reusable->values) value.store(0, std::memory_order_relaxed);
  for (auto& time : reusable->times) time.store(0, std::memory_order_relaxed);
  reusable->label_change.fetch_add(1, std::memory_order_acq_rel);
  reusable->label = {};
  reusable->label_change.fetch_add(1, std::memory_order_release);
  reusable->key.store(key, std::memory_order_release);
  return reusable;
}

DatabaseSumRow* FindDatabase(Oid database, bool make) {
  uint64_t key = uint64_t{OidNumber(database)} + 1;
  for (DatabaseSumRow& row : TheStats()->databases) {
    uint64_t seen = row.key.load(std::memory_order_acquire);
    if (seen == key) return &row;
    if (seen != 0 && (seen != kForgotten || !make)) continue;
    if (!make) return nullptr;
    for (auto& value : row.values) value.store(0, std::memory_order_relaxed);
    row.reset_time.store(0, std::memory_order_relaxed);
    row.last_checksum_failure.store(0, std::memory_order_relaxed);
    row.name[0] = '\0';
    row.key.store(key, std::memory_order_release);
    return &row;
  }
  return nullptr;
}

RelationSumRow* MakeRelation(uint64_t key) {
  if (RelationSumRow* row = FindRelation(key, false)) return row;
  LwLockGuard guard(TheStats()->table_lock, LwMode::kExclusive);
  return FindRelation(key, true);
}

DatabaseSumRow* MakeDatabase(Oid database) {
  if (DatabaseSumRow* row = FindDatabase(database, false)) return row;
  LwLockGuard guard(TheStats()->table_lock, LwMode::kExclusive);
  return FindDatabase(database, true);
}

// What relations count counts for their database too.
constexpr std::pair<RelationCounter, DatabaseCounter> kShared[] = {
    {RelationCounter::kTuplesReturned, DatabaseCounter::kDbTuplesReturned},
    {RelationCounter::kTuplesFetched, DatabaseCounter::kDbTuplesFetched},
    {RelationCounter::kTuplesInserted, DatabaseCounter::kDbTuplesInserted},
    {RelationCounter::kTuplesUpdated, DatabaseCounter::kDbTuplesUpdated},
    {RelationCounter::kTuplesDeleted, DatabaseCounter::kDbTuplesDeleted},
    {RelationCounter::kBlocksRead, DatabaseCounter::kDbBlocksRead},
    {RelationCounter::kBlocksHit, DatabaseCounter::kDbBlocksHit},
};
class DatabaseShares {
 public:
  void Add(uint64_t key, size_t counter, uint64_t grown) {
    for (const auto& [from, to] : kShared) {
      if (static_cast<size_t>(from) != counter) continue;
      Oid database{static_cast<uint32_t>(key >> 32)};
      if (row_ == nullptr || database != database_) row_ = MakeDatabase(database);
      database_ = database;
      if (row_ != nullptr) row_->values[static_cast<size_t>(to)].fetch_add(grown, std::memory_order_relaxed);
    }
  }

 private:
  Oid database_{};
  DatabaseSumRow* row_ = nullptr;
};

// Adds what has grown to the sums, and tells `seen`. `sums` is asked for only when something has.
template <size_t kCounters, class Sums, class Seen>
bool Fold(Counted<kCounters>& counted, Sums&& sums, Seen&& seen) {
  std::atomic<uint64_t>* to = nullptr;
  for (size_t i = 0; i < kCounters; ++i) {
    uint64_t now = counted.values[i].load(std::memory_order_relaxed);
    uint64_t grown = now - counted.folded[i];
    if (grown == 0) continue;
    if (to == nullptr) to = sums();
    if (to == nullptr) return false;
    to[i].fetch_add(grown, std::memory_order_relaxed);
    counted.folded[i] = now;
    seen(i, grown);
  }
  return to != nullptr;
}

// Reads what is changed between two increments of `change`. A writer holds the table lock and is quick; a reader that has no luck
// goes without.
template <class T>
T ReadLabel(const std::atomic<uint32_t>& change, const T& from) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    uint32_t before = change.load(std::memory_order_acquire);
    T copy = from;
    std::atomic_thread_fence(std::memory_order_acquire);
    if ((before & 1) == 0 && change.load(std::memory_order_relaxed) == before) return copy;
    SpinPause();
  }
  return T{};
}
template <class Change>
void WriteLabel(std::atomic<uint32_t>& change, Change&& write) {
  change.fetch_add(1, std::memory_order_acq_rel);
  write();
  change.fetch_add(1, std::memory_order_release);
}
using StatsName = std::array<char, kStatsNameBytes>;
template <size_t kBytes>
void CopyText(char (&to)[kBytes], std::string_view from) {
  size_t size = std::min(from.size(), kBytes - 1);
  std::memcpy(to, from.data(), size);
  std::memset(to + size, 0, kBytes - size);
}

void CopyRow(const RelationSumRow& row, uint64_t key, RelationSums* sums) {
  sums->database = Oid{static_cast<uint32_t>(key >> 32)};
  sums->relation = Oid{static_cast<uint32_t>(key)};
  for (size_t i = 0; i < kRelationCounters; ++i)
    sums->values[i] = row.values[i].load(std::memory_order_relaxed);
  for (size_t i = 0; i < std::size(sums->times); ++i)
    sums->times[i] = row.times[i].load(std::memory_order_relaxed);
  sums->label = ReadLabel(row.label_change, row.label);
}

void CopyRow(const DatabaseSumRow& row, uint64_t key, DatabaseSums* sums) {
  sums->database = Oid{static_cast<uint32_t>(key - 1)};
  for (size_t i = 0; i < kDatabaseCounters; ++i)
    sums->values[i] = row.values[i].load(std::memory_order_relaxed);
  sums->reset_time = row.reset_time.load(std::memory_order_relaxed);
  sums->last_checksum_failure = row.last_checksum_failure.load(std::memory_order_relaxed);
  StatsName name = ReadLabel(row.label_change, *reinterpret_cast<const StatsName*>(row.name));
  std::memcpy(sums->name, name.data(), name.size());
}

std::atomic<int64_t>& TimeOf(RelationSumRow& row, StatsTime time) {
  return row.times[static_cast<size_t>(time)];
}
std::atomic<uint64_t>& ValueOf(RelationSumRow& row, RelationCounter counter) {
  return row.values[static_cast<size_t>(counter)];
}

}  // namespace

void FoldBlockLocked(StatsBlock& block) {
  auto ignore = [](size_t, uint64_t) {};
  Oid database = block.database;
  Fold(
      block.counted,
      [&]() -> std::atomic<uint64_t>* {
        DatabaseSumRow* row = MakeDatabase(database);
        return row == nullptr ? nullptr : row->values;
      },
      ignore);
  Fold(block.node, [] { return TheStats()->node.values; }, ignore);
  DatabaseShares shares;
  for (RelationEntry& entry : block.relations) {
    uint64_t key = entry.key.load(std::memory_order_acquire);
    if (key == 0) continue;
    auto sums = [&]() -> std::atomic<uint64_t>* {
      RelationSumRow* row = MakeRelation(key);
      return row == nullptr ? nullptr : row->values;
    };
    if (!Fold(entry.counted, sums, [&](size_t i, uint64_t grown) { shares.Add(key, i, grown); })) continue;
  }
}

void FoldAllBlocks() {
  if (TheStats() == nullptr) return;
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    StatsBlock& block = *BlockOf(slot);
    LwLockGuard guard(block.lock, LwMode::kExclusive);
    FoldBlockLocked(block);
  }
}

void FoldOwnBlock() {
  StatsBlock* block = BlockOf(self_slot());
  if (block == nullptr) return;
  LwLockGuard guard(block->lock, LwMode::kExclusive);
  FoldBlockLocked(*block);
}

bool ReadRelationSums(Oid database, Oid relation, RelationSums* sums) {
  uint64_t key = StatsKey(database, relation);
  RelationSumRow* row = TheStats() == nullptr ? nullptr : FindRelation(key, false);
  if (row == nullptr) return false;
  CopyRow(*row, key, sums);
  return true;
}

bool ReadDatabaseSums(Oid database, DatabaseSums* sums) {
  DatabaseSumRow* row = TheStats() == nullptr ? nullptr : FindDatabase(database, false);
  if (row == nullptr) return false;
  CopyRow(*row, uint64_t{OidNumber(database)} + 1, sums);
  return true;
}

void ForEachRelationSums(const std::function<void(const RelationSums&)>& visit) {
  if (TheStats() == nullptr) return;
  RelationSums sums;
  for (RelationSumRow& row : TheStats()->relations) {
    uint64_t key = row.key.load(std::memory_order_acquire);
    if (key == 0 || key == kForgotten) continue;
    CopyRow(row, key, &sums);
    visit(sums);
  }
}

void ForEachDatabaseSums(const std::function<void(const DatabaseSums&)>& visit) {
  if (TheStats() == nullptr) return;
  DatabaseSums sums;
  for (DatabaseSumRow& row : TheStats()->databases) {
    uint64_t key = row.key.load(std::memory_order_acquire);
    if (key == 0 || key == kForgotten) continue;
    CopyRow(row, key, &sums);
    visit(sums);
  }
}

void ReadNodeSums(NodeSums* sums) {
  *sums = {};
  if (TheStats() == nullptr) return;
  const NodeSumRow& node = TheStats()->node;
  for (size_t i = 0; i < kNodeCounters; ++i) sums->values[i] = node.values[i].load(std::memory_order_relaxed);
  for (size_t i = 0; i < std::size(sums->reset_times); ++i) {
    sums->reset_times[i] = node.reset_times[i].load(std::memory_order_relaxed);
  }
  sums->archived = ReadLabel(node.archive_change, node.archived);
  sums->failed = ReadLabel(node.archive_change, node.failed);
}

void DescribeRelation(Oid database, Oid relation, const RelationLabel& label) {
  if (TheStats() == nullptr) return;
  RelationSumRow* row = MakeRelation(StatsKey(database, relation));
  if (row == nullptr || row->label == label) return;
  LwLockGuard guard(TheStats()->table_lock, LwMode::kExclusive);
  WriteLabel(row->label_change, [&] { row->label = label; });
}

void DescribeDatabase(Oid database, std::string_view name) {
  DatabaseSumRow* row = TheStats() == nullptr ? nullptr : MakeDatabase(database);
  if (row == nullptr) return;
  LwLockGuard guard(TheStats()->table_lock, LwMode::kExclusive);
  WriteLabel(row->label_change, [&] { CopyText(row->name, name); });
}

void CountArchived(std::string_view wal, bool success) {
  Count(success ? NodeCounter::kArchived : NodeCounter::kArchiveFailures);
  if (TheStats() == nullptr) return;
  NodeSumRow& node = TheStats()->node;
  LwLockGuard guard(TheStats()->table_lock, LwMode::kExclusive);
  WriteLabel(node.archive_change, [&] {
    ArchiveOutcome& outcome = success ? node.archived : node.failed;
    CopyText(outcome.wal, wal);
    outcome.time = WallClockUs();
  });
}

void CountChecksumFailure(Oid database) {
  DatabaseSumRow* row = TheStats() == nullptr ? nullptr : FindDatabase(database, false);
  if (row == nullptr) return;
  row->values[static_cast<size_t>(DatabaseCounter::kChecksumFailures)].fetch_add(1,
                                                                                 std::memory_order_relaxed);
  row->last_checksum_failure.store(WallClockUs(), std::memory_order_relaxed);
}

void SetRelationEstimates(Oid database, Oid relation, const RelationFindings& found) {
  if (TheStats() == nullptr) return;
  // What this process has counted so far is part of what was found.
  FoldOwnBlock();
  RelationSumRow* row = MakeRelation(StatsKey(database, relation));
  if (row == nullptr) return;
  ValueOf(*row, RelationCounter::kLiveTuples).store(found.live, std::memory_order_relaxed);
  ValueOf(*row, RelationCounter::kDeadTuples).store(found.dead, std::memory_order_relaxed);
  RelationCounter runs = found.vacuum
                             ? found.automatic ? RelationCounter::kAutovacuums : RelationCounter::kVacuums
                         : found.automatic ? RelationCounter::kAutoanalyzes
                                           : RelationCounter::kAnalyzes;
  StatsTime time = found.vacuum      ? found.automatic ? StatsTime::kAutovacuum : StatsTime::kVacuum
                   : found.automatic ? StatsTime::kAutoanalyze
                                     : StatsTime::kAnalyze;
  ValueOf(*row, runs).fetch_add(1, std::memory_order_relaxed);
  TimeOf(*row, time).store(WallClockUs(), std::memory_order_relaxed);
  if (found.vacuum)
    ValueOf(*row, RelationCounter::kInsertsSinceVacuum).store(0, std::memory_order_relaxed);
  else if (found.complete)
    ValueOf(*row, RelationCounter::kChangesSinceAnalyze).store(0, std::memory_order_relaxed);
}

void SetRelationEmpty(Oid database, Oid relation) {
  if (TheStats() == nullptr) return;
  FoldOwnBlock();
  RelationSumRow* row = MakeRelation(StatsKey(database, relation));
  if (row == nullptr) return;
  for (RelationCounter counter :
       {RelationCounter::kLiveTuples, RelationCounter::kDeadTuples, RelationCounter::kInsertsSinceVacuum}) {
    ValueOf(*row, counter).store(0, std::memory_order_relaxed);
  }
}

namespace {

void ClearRow(RelationSumRow& row) {
  for (auto& value : row.values) value.store(0, std::memory_order_relaxed);
  for (auto& time : row.times) time.store(0, std::memory_order_relaxed);
  TimeOf(row, StatsTime::kReset).store(WallClockUs(), std::memory_order_relaxed);
}

template <class Action>
void ForRelationsOf(Oid database, Action&& action) {
  for (RelationSumRow& row : TheStats()->relations) {
    uint64_t key = row.key.load(std::memory_order_relaxed);
    if (key != 0 && key != kForgotten && key >> 32 == OidNumber(database)) action(row);
  }
}

}  // namespace

void ResetRelationStats(Oid database, Oid relation) {
  FoldAllBlocks();
  if (RelationSumRow* row = FindRelation(StatsKey(database, relation), false)) ClearRow(*row);
}

void ResetDatabaseStats(Oid database) {
  FoldAllBlocks();
  ForRelationsOf(database, ClearRow);
  if (DatabaseSumRow* row = MakeDatabase(database)) {
    for (auto& value : row->values) value.store(0, std::memory_order_relaxed);
    row->reset_time.store(WallClockUs(), std::memory_order_relaxed);
  }
}

void ResetNodeStats(NodeGroup group) {
  FoldAllBlocks();
  NodeSumRow& node = TheStats()->node;
  for (size_t i = 0; i < kNodeCounters; ++i) {
    if (Describe(static_cast<NodeCounter>(i)).group == group)
      node.values[i].store(0, std::memory_order_relaxed);
  }
  node.reset_times[static_cast<size_t>(group)].store(WallClockUs(), std::memory_order_relaxed);
  if (group != NodeGroup::kArchiver) return;
  LwLockGuard guard(TheStats()->table_lock, LwMode::kExclusive);
  WriteLabel(node.archive_change, [&] { node.archived = node.failed = {}; });
}

// Requires: the table lock. A place behind which a search would stop anyway need not hold searches up.
static void ForgetRow(RelationSumRow* row) {
  RelationSumRow* rows = TheStats()->relations;
  uint32_t at = static_cast<uint32_t>(row - rows);
  row->key.store(kForgotten, std::memory_order_release);
  if (rows[(at + 1) % kMaxRelationSums].key.load(std::memory_order_relaxed) != 0) return;
  while (rows[at].key.load(std::memory_order_relaxed) == kForgotten) {
    rows[at].key.store(0, std::memory_order_release);
    at = (at + kMaxRelationSums - 1) % kMaxRelationSums;
  }
}

// What processes have counted of a relation that is gone must not bring its row back. Nobody counts any more: it was dropped
// under an exclusive lock.
static void DiscardCounts(uint64_t key) {
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    StatsBlock& block = *BlockOf(slot);
    LwLockGuard guard(block.lock, LwMode::kExclusive);
    RelationEntry* entry = FindEntry(block, key);
    if (entry == nullptr) continue;
    for (size_t i = 0; i < kRelationCounters; ++i) {
      entry->counted.folded[i] = entry->counted.values[i].load(std::memory_order_relaxed);
    }
  }
}

void ForgetRelationStats(Oid database, Oid relation) {
  if (TheStats() == nullptr) return;
  DiscardCounts(StatsKey(database, relation));
  LwLockGuard guard(TheStats()->table_lock, LwMode::kExclusive);
  RelationSumRow* row = FindRelation(StatsKey(database, relation), false);
  if (row != nullptr) ForgetRow(row);
}

void ForgetDatabaseStats(Oid database) {
  if (TheStats() == nullptr) return;
  LwLockGuard guard(TheStats()->table_lock, LwMode::kExclusive);
  ForRelationsOf(database, [](RelationSumRow& row) { ForgetRow(&row); });
  if (DatabaseSumRow* row = FindDatabase(database, false))
    row->key.store(kForgotten, std::memory_order_release);
}

size_t StatsAreaSize() {
  return sizeof(StatsArea) + 128 + static_cast<size_t>(MaxProcessSlots()) * sizeof(StatsBlock);
}

void StatsAreaInit(void* at) {
  // The area is zeroed: every counter and key is already what it should be, and untouched pages stay untouched.
  StatsArea* stats = static_cast<StatsArea*>(at);
  stats->table_lock.Init(LwRank::kStatsTable);
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) stats->blocks()[slot].lock.Init(LwRank::kStats);
}

// ---- The file. Format: version 2, little-endian
//   0 magic "WALDSTA2"   8 relation, database, node counters, times (4 x 4)   24 rows of relations, of databases (2 x 4)
//   32 NodeSums, RelationSums..., DatabaseSums..., then CRC-32C (4) of all before
namespace {

constexpr char kMagic[8] = {'W', 'A', 'L', 'D', 'S', 'T', 'A', '2'};
struct StatsFileHeader {
  char magic[8];
  uint32_t relation_counters, database_counters, node_counters, times, relations, databases;
};

template <class T>
void Append(std::string* to, const T& value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}

bool CheckHeader(const StatsFileHeader& header, size_t file_bytes) {
  size_t expected = sizeof header + sizeof(NodeSums) + header.relations * sizeof(RelationSums) +
                    header.databases * sizeof(DatabaseSums) + 4;
  return std::memcmp(header.magic, kMagic, sizeof kMagic) == 0 &&
         header.relation_counters == kRelationCounters && header.times == kStatsTimes &&
         header.database_counters == kDatabaseCounters && header.node_counters == kNodeCounters &&
         file_bytes == expected;
}

// Processes may have counted already.
void Restore(const RelationSums& sums) {
  RelationSumRow* row = MakeRelation(StatsKey(sums.database, sums.relation));
  if (row == nullptr) return;
  for (size_t i = 0; i < kRelationCounters; ++i)
    row->values[i].fetch_add(sums.values[i], std::memory_order_relaxed);
  for (size_t i = 0; i < std::size(sums.times); ++i)
    row->times[i].store(sums.times[i], std::memory_order_relaxed);
  WriteLabel(row->label_change, [&] { row->label = sums.label; });
}

void Restore(const DatabaseSums& sums) {
  DatabaseSumRow* row = MakeDatabase(sums.database);
  if (row == nullptr) return;
  for (size_t i = 0; i < kDatabaseCounters; ++i)
    row->values[i].fetch_add(sums.values[i], std::memory_order_relaxed);
  row->reset_time.store(sums.reset_time, std::memory_order_relaxed);
  row->last_checksum_failure.store(sums.last_checksum_failure, std::memory_order_relaxed);
  WriteLabel(row->label_change, [&] { CopyText(row->name, sums.name); });
}

void Restore(const NodeSums& sums) {
  NodeSumRow& node = TheStats()->node;
  for (size_t i = 0; i < kNodeCounters; ++i)
    node.values[i].fetch_add(sums.values[i], std::memory_order_relaxed);
  for (size_t i = 0; i < std::size(sums.reset_times); ++i) {
    node.reset_times[i].store(sums.reset_times[i], std::memory_order_relaxed);
  }
  WriteLabel(node.archive_change, [&] {
    node.archived = sums.archived;
    node.failed = sums.failed;
  });
}

}  // namespace

void SaveStats(const std::string& path) {
  StatsFileHeader header = {};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.relation_counters = kRelationCounters;
  header.times = kStatsTimes;
  header.database_counters = kDatabaseCounters;
  header.node_counters = kNodeCounters;
  std::string rows;
  NodeSums node;
  ReadNodeSums(&node);
  Append(&rows, node);
  ForEachRelationSums([&](const RelationSums& sums) {
    Append(&rows, sums);
    ++header.relations;
  });
  ForEachDatabaseSums([&](const DatabaseSums& sums) {
    Append(&rows, sums);
    ++header.databases;
  });
  std::string content;
  Append(&content, header);
  content += rows;
  Append(&content, Crc32c(0, content.data(), content.size()));
  WriteWholeFileDurably(path, content);
}

void LoadStats(const std::string& path) {
  if (TheStats() == nullptr) return;
  std::string content;
  StatsFileHeader header;
  bool exists = TryReadWholeFile(path, &content), good = content.size() >= sizeof header + 4;
  if (good) {
    std::memcpy(&header, content.data(), sizeof header);
    size_t body = content.size() - 4;
    good = CheckHeader(header, content.size()) &&
           Load<uint32_t>(content.data() + body) == Crc32c(0, content.data(), body);
  }
  if (!good) {
    if (exists)
      Log(Severity::kLog,
          "statistics file \"{}\" is damaged or of another version: starting without statistics", path);
    for (auto& time : TheStats()->node.reset_times) time.store(WallClockUs(), std::memory_order_relaxed);
    return;
  }
  const char* at = content.data() + sizeof header;
  Restore(Load<NodeSums>(at));
  at += sizeof(NodeSums);
  for (uint32_t i = 0; i < header.relations; ++i, at += sizeof(RelationSums)) Restore(Load<RelationSums>(at));
  for (uint32_t i = 0; i < header.databases; ++i, at += sizeof(DatabaseSums)) Restore(Load<DatabaseSums>(at));
}

}  // namespace walden
