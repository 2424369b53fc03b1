// What was counted: the pg_stat_get_* functions of relations, databases and the node, and their resets.
#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/catalog_info.h"
#include "node/catalog/identity.h"
#include "node/shm/process.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/stats/snapshot.h"
#include "node/types/numeric.h"

namespace walden {
namespace {

using View = std::string_view;
using R = RelationCounter;
using D = DatabaseCounter;
using N = NodeCounter;

constexpr double kUsPerMs = 1000.0;

Oid StatsDatabaseFor(Oid relation) {
  return IsSharedRelation(relation) ? Oid::kInvalid : session_identity().database;
}

// --- Relations ---------------------------------------------------------------------------------------------------

RelationSums RelationOf(Oid relation) {
  RelationSums sums;
  SeeRelation(StatsDatabaseFor(relation), relation, &sums);
  return sums;
}
template <RelationCounter kCounter>
int64_t RelationCount(Oid relation) {
  int64_t value = static_cast<int64_t>(RelationOf(relation)[kCounter]);
  // Estimates may fall behind what VACUUM found meanwhile.
  return Describe(kCounter).kind == CounterKind::kLevel ? std::max<int64_t>(value, 0) : value;
}
int64_t BlocksFetched(Oid relation) {
  RelationSums sums = RelationOf(relation);
  return static_cast<int64_t>(sums[R::kBlocksRead] + sums[R::kBlocksHit]);
}
template <StatsTime kTime>
std::optional<int64_t> RelationTime(Oid relation) {
  TimestampUs time = RelationOf(relation)[kTime];
  return time == 0 ? std::nullopt : std::optional(time);
}
template <RelationCounter kCounter, RelationCounter kOther = kCounter>
int64_t TransactionCount(Oid relation) {
  uint64_t values[kRelationCounters];
  ReadTransactionCounts(StatsDatabaseFor(relation), relation, values);
  uint64_t value = values[static_cast<size_t>(kCounter)];
  if (kOther != kCounter) value += values[static_cast<size_t>(kOther)];
  return static_cast<int64_t>(value);
}

// --- Databases ---------------------------------------------------------------------------------------------------

DatabaseSums DatabaseOf(Oid database) {
  DatabaseSums sums;
  SeeDatabase(database, &sums);
  return sums;
}
template <DatabaseCounter kCounter>
int64_t DatabaseCount(Oid database) {
  return static_cast<int64_t>(DatabaseOf(database)[kCounter]);
}
template <DatabaseCounter kCounter>
double DatabaseTime(Oid database) {
  return static_cast<double>(DatabaseOf(database)[kCounter]) / kUsPerMs;
}
int64_t DatabaseBlocksFetched(Oid database) {
  DatabaseSums sums = DatabaseOf(database);
  return static_cast<int64_t>(sums[D::kDbBlocksRead] + sums[D::kDbBlocksHit]);
}
int64_t AllConflicts(Oid database) {
  DatabaseSums sums = DatabaseOf(database);
  return static_cast<int64_t>(sums[D::kConflictTablespace] + sums[D::kConflictLock] +
                              sums[D::kConflictSnapshot] + sums[D::kConflictBufferPin] +
                              sums[D::kConflictStartupDeadlock]);
}
std::optional<int64_t> MomentOrNull(TimestampUs time) {
  return time == 0 ? std::nullopt : std::optional(time);
}
std::optional<int64_t> DatabaseReset(Oid database) { return MomentOrNull(DatabaseOf(database).reset_time); }
std::optional<int64_t> LastChecksumFailure(Oid database) {
  return MomentOrNull(DatabaseOf(database).last_checksum_failure);
}
int32_t DatabaseBackends(Oid database) {
  int32_t count = 0;
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    const ProcessSlot& process = SlotAt(slot);
    if (process.pid.load() != 0 && process.database.load() == database) ++count;
  }
  return count;
}

// --- The node ----------------------------------------------------------------------------------------------------

template <NodeCounter kCounter>
int64_t NodeCount() {
  return static_cast<int64_t>(SeeNode()[kCounter]);
}
template <NodeCounter kCounter>
double NodeTime() {
  return static_cast<double>(SeeNode()[kCounter]) / kUsPerMs;
}
std::optional<int64_t> WriterReset() {
  return MomentOrNull(SeeNode().reset_times[static_cast<size_t>(NodeGroup::kBackgroundWriter)]);
}

View Wal(CallContext& c) {
  NodeSums node = SeeNode();
  RowValues row(c.arena);
  auto number = [&](NodeCounter counter) { row.Int8(static_cast<int64_t>(node[counter])); };
  auto ms = [&](NodeCounter counter) { row.Float8(static_cast<double>(node[counter]) / kUsPerMs); };
  number(N::kWalRecords);
  number(N::kWalImages);
  row.Numeric(NumericFromInt64(static_cast<int64_t>(node[N::kWalBytes])));
  for (NodeCounter counter : {N::kWalBuffersFull, N::kWalWrites, N::kWalSyncs}) number(counter);
  ms(N::kWalWriteUs);
  ms(N::kWalSyncUs);
  return MakeRecord(c, row.TimeOrNull(node.reset_times[static_cast<size_t>(NodeGroup::kWal)]));
}

View Archiver(CallContext& c) {
  NodeSums node = SeeNode();
  RowValues row(c.arena);
  row.Int8(static_cast<int64_t>(node[N::kArchived]))
      .TextOrNull(node.archived.wal)
      .TimeOrNull(node.archived.time);
  row.Int8(static_cast<int64_t>(node[N::kArchiveFailures]))
      .TextOrNull(node.failed.wal)
      .TimeOrNull(node.failed.time);
  return MakeRecord(c, row.TimeOrNull(node.reset_times[static_cast<size_t>(NodeGroup::kArchiver)]));
}

// --- Page logs ---------------------------------------------------------------------------------------------------

struct PageLogRow {
  View name;
  NodeGroup group;
  NodeCounter first;  // zeroed, hit, read, written, flushes, truncates
};
constexpr PageLogRow kPageLogs[] = {
    {"MultiXactMember", NodeGroup::kSlruMultiXactMember, N::kMultiXactMemberZeroed},
    {"MultiXactOffset", NodeGroup::kSlruMultiXactOffset, N::kMultiXactOffsetZeroed},
    {"Notify", NodeGroup::kSlruNotify, N::kNotifyZeroed},
    {"Xact", NodeGroup::kSlruXact, N::kXactZeroed},
    {"Csn", NodeGroup::kSlruCsn, N::kCsnZeroed},
};

std::unique_ptr<TableFunction> StartPageLogs(CallContext&, std::span<const Value>) {
  NodeSums node = SeeNode();
  auto rows = std::make_unique<RowSet>();
  for (const PageLogRow& log : kPageLogs) {
    RowValues row = rows->NewRow();
    auto number = [&](size_t at) {
      row.Int8(static_cast<int64_t>(node.values[static_cast<size_t>(log.first) + at]));
    };
    row.Text(log.name);
    for (size_t i = 0; i < 4; ++i) number(i);
    row.Int8(0);  // blks_exists: nobody asks for a page's existence without reading it
    for (size_t i = 4; i < 6; ++i) number(i);
    rows->Add(row.TimeOrNull(node.reset_times[static_cast<size_t>(log.group)]));
  }
  return rows;
}

View ResetPageLogs(std::optional<View> name) {
  for (const PageLogRow& log : kPageLogs) {
    if (!name || *name == log.name) ResetNodeStats(log.group);
  }
  ClearStatsSnapshot();
  return {};
}

// --- Snapshots and resets ----------------------------------------------------------------------------------------

View ClearSnapshot() {
  ClearStatsSnapshot();
  return {};
}
// Everything that this session has counted joins the sums at once; nothing is ever held back longer than the collector's round.
View ForceFlush() {
  FoldOwnBlock();
  return {};
}
std::optional<int64_t> SnapshotTime() { return MomentOrNull(StatsSnapshotTime()); }

View ResetDatabase() {
  ResetDatabaseStats(session_identity().database);
  ClearStatsSnapshot();
  return {};
}
View ResetSingle(Oid relation) {
  ResetRelationStats(StatsDatabaseFor(relation), relation);
  ClearStatsSnapshot();
  return {};
}
View ResetShared(View target) {
  if (target == "archiver")
    ResetNodeStats(NodeGroup::kArchiver);
  else if (target == "bgwriter")
    ResetNodeStats(NodeGroup::kBackgroundWriter);
  else if (target == "wal")
    ResetNodeStats(NodeGroup::kWal);
  else if (target == "recovery_prefetch")
    throw NotSupported("statistics of recovery prefetching");
  else {
    throw SqlError(ErrorCode::kInvalidParameterValue, "unrecognized reset target: \"{}\"", target)
        .WithHint("Target must be \"archiver\", \"bgwriter\", \"recovery_prefetch\", or \"wal\".");
  }
  ClearStatsSnapshot();
  return {};
}
// pg_stat_have_stats(type, database, object)
bool HaveStats(View kind, Oid database, Oid object) {
  if (kind == "relation") {
    RelationSums sums;
    return ReadRelationSums(database, object, &sums);
  }
  DatabaseSums sums;
  if (kind == "database") return ReadDatabaseSums(database, &sums);
  if (kind == "archiver" || kind == "bgwriter" || kind == "checkpointer" || kind == "wal" || kind == "slru")
    return true;
  if (kind == "function" || kind == "replslot" || kind == "subscription") return false;
  throw SqlError(ErrorCode::kInvalidParameterValue, "invalid statistics kind: \"{}\"", kind);
}

constexpr ScalarFunction kTable[] = {
    Volatile<&RelationCount<R::kScans>>("pg_stat_get_numscans"),
    Volatile<&RelationCount<R::kTuplesReturned>>("pg_stat_get_tuples_returned"),
    Volatile<&RelationCount<R::kTuplesFetched>>("pg_stat_get_tuples_fetched"),
    Volatile<&RelationCount<R::kTuplesInserted>>("pg_stat_get_tuples_inserted"),
    Volatile<&RelationCount<R::kTuplesUpdated>>("pg_stat_get_tuples_updated"),
    Volatile<&RelationCount<R::kTuplesDeleted>>("pg_stat_get_tuples_deleted"),
    Volatile<&RelationCount<R::kTuplesHotUpdated>>("pg_stat_get_tuples_hot_updated"),
    Volatile<&RelationCount<R::kLiveTuples>>("pg_stat_get_live_tuples"),
    Volatile<&RelationCount<R::kDeadTuples>>("pg_stat_get_dead_tuples"),
    Volatile<&RelationCount<R::kChangesSinceAnalyze>>("pg_stat_get_mod_since_analyze"),
    Volatile<&RelationCount<R::kInsertsSinceVacuum>>("pg_stat_get_ins_since_vacuum"),
    Volatile<&BlocksFetched>("pg_stat_get_blocks_fetched"),
    Volatile<&RelationCount<R::kBlocksHit>>("pg_stat_get_blocks_hit"),
    Volatile<&RelationCount<R::kVacuums>>("pg_stat_get_vacuum_count"),
    Volatile<&RelationCount<R::kAutovacuums>>("pg_stat_get_autovacuum_count"),
    Volatile<&RelationCount<R::kAnalyzes>>("pg_stat_get_analyze_count"),
    Volatile<&RelationCount<R::kAutoanalyzes>>("pg_stat_get_autoanalyze_count"),
    Volatile<&RelationTime<StatsTime::kVacuum>>("pg_stat_get_last_vacuum_time"),
    Volatile<&RelationTime<StatsTime::kAutovacuum>>("pg_stat_get_last_autovacuum_time"),
    Volatile<&RelationTime<StatsTime::kAnalyze>>("pg_stat_get_last_analyze_time"),
    Volatile<&RelationTime<StatsTime::kAutoanalyze>>("pg_stat_get_last_autoanalyze_time"),
    Volatile<&TransactionCount<R::kScans>>("pg_stat_get_xact_numscans"),
    Volatile<&TransactionCount<R::kTuplesReturned>>("pg_stat_get_xact_tuples_returned"),
    Volatile<&TransactionCount<R::kTuplesFetched>>("pg_stat_get_xact_tuples_fetched"),
    Volatile<&TransactionCount<R::kTuplesInserted>>("pg_stat_get_xact_tuples_inserted"),
    Volatile<&TransactionCount<R::kTuplesUpdated>>("pg_stat_get_xact_tuples_updated"),
    Volatile<&TransactionCount<R::kTuplesDeleted>>("pg_stat_get_xact_tuples_deleted"),
    Volatile<&TransactionCount<R::kTuplesHotUpdated>>("pg_stat_get_xact_tuples_hot_updated"),
    Volatile<&TransactionCount<R::kBlocksRead, R::kBlocksHit>>("pg_stat_get_xact_blocks_fetched"),
    Volatile<&TransactionCount<R::kBlocksHit>>("pg_stat_get_xact_blocks_hit"),
    Volatile<&DatabaseBackends>("pg_stat_get_db_numbackends"),
    Volatile<&DatabaseCount<D::kCommits>>("pg_stat_get_db_xact_commit"),
    Volatile<&DatabaseCount<D::kRollbacks>>("pg_stat_get_db_xact_rollback"),
    Volatile<&DatabaseBlocksFetched>("pg_stat_get_db_blocks_fetched"),
    Volatile<&DatabaseCount<D::kDbBlocksHit>>("pg_stat_get_db_blocks_hit"),
    Volatile<&DatabaseCount<D::kDbTuplesReturned>>("pg_stat_get_db_tuples_returned"),
    Volatile<&DatabaseCount<D::kDbTuplesFetched>>("pg_stat_get_db_tuples_fetched"),
    Volatile<&DatabaseCount<D::kDbTuplesInserted>>("pg_stat_get_db_tuples_inserted"),
    Volatile<&DatabaseCount<D::kDbTuplesUpdated>>("pg_stat_get_db_tuples_updated"),
    Volatile<&DatabaseCount<D::kDbTuplesDeleted>>("pg_stat_get_db_tuples_deleted"),
    Volatile<&DatabaseCount<D::kConflictTablespace>>("pg_stat_get_db_conflict_tablespace"),
    Volatile<&DatabaseCount<D::kConflictLock>>("pg_stat_get_db_conflict_lock"),
    Volatile<&DatabaseCount<D::kConflictSnapshot>>("pg_stat_get_db_conflict_snapshot"),
    Volatile<&DatabaseCount<D::kConflictBufferPin>>("pg_stat_get_db_conflict_bufferpin"),
    Volatile<&DatabaseCount<D::kConflictStartupDeadlock>>("pg_stat_get_db_conflict_startup_deadlock"),
    Volatile<&AllConflicts>("pg_stat_get_db_conflict_all"),
    Volatile<&DatabaseCount<D::kTempFiles>>("pg_stat_get_db_temp_files"),
    Volatile<&DatabaseCount<D::kTempBytes>>("pg_stat_get_db_temp_bytes"),
    Volatile<&DatabaseCount<D::kDeadlocks>>("pg_stat_get_db_deadlocks"),
    Volatile<&DatabaseCount<D::kChecksumFailures>>("pg_stat_get_db_checksum_failures"),
    Volatile<&LastChecksumFailure>("pg_stat_get_db_checksum_last_failure"),
    Volatile<&DatabaseTime<D::kReadUs>>("pg_stat_get_db_blk_read_time"),
    Volatile<&DatabaseTime<D::kWriteUs>>("pg_stat_get_db_blk_write_time"),
    Volatile<&DatabaseTime<D::kSessionUs>>("pg_stat_get_db_session_time"),
    Volatile<&DatabaseTime<D::kActiveUs>>("pg_stat_get_db_active_time"),
    Volatile<&DatabaseTime<D::kIdleInTransactionUs>>("pg_stat_get_db_idle_in_transaction_time"),
    Volatile<&DatabaseCount<D::kSessions>>("pg_stat_get_db_sessions"),
    Volatile<&DatabaseCount<D::kSessionsAbandoned>>("pg_stat_get_db_sessions_abandoned"),
    Volatile<&DatabaseCount<D::kSessionsFatal>>("pg_stat_get_db_sessions_fatal"),
    Volatile<&DatabaseCount<D::kSessionsKilled>>("pg_stat_get_db_sessions_killed"),
    Volatile<&DatabaseReset>("pg_stat_get_db_stat_reset_time"),
    Volatile<&NodeCount<N::kCheckpointsTimed>>("pg_stat_get_bgwriter_timed_checkpoints"),
    Volatile<&NodeCount<N::kCheckpointsRequested>>("pg_stat_get_bgwriter_requested_checkpoints"),
    Volatile<&NodeCount<N::kBuffersCheckpoint>>("pg_stat_get_bgwriter_buf_written_checkpoints"),
    Volatile<&NodeCount<N::kBuffersClean>>("pg_stat_get_bgwriter_buf_written_clean"),
    Volatile<&NodeCount<N::kMaxWrittenClean>>("pg_stat_get_bgwriter_maxwritten_clean"),
    Volatile<&NodeCount<N::kBuffersBackend>>("pg_stat_get_buf_written_backend"),
    Volatile<&NodeCount<N::kBackendSyncs>>("pg_stat_get_buf_fsync_backend"),
    Volatile<&NodeCount<N::kBuffersAllocated>>("pg_stat_get_buf_alloc"),
    Volatile<&NodeTime<N::kCheckpointWriteUs>>("pg_stat_get_checkpoint_write_time"),
    Volatile<&NodeTime<N::kCheckpointSyncUs>>("pg_stat_get_checkpoint_sync_time"),
    Volatile<&WriterReset>("pg_stat_get_bgwriter_stat_reset_time"),
    Volatile<&Wal>("pg_stat_get_wal"),
    Volatile<&Archiver>("pg_stat_get_archiver"),
    Volatile<&ClearSnapshot>("pg_stat_clear_snapshot"),
    Volatile<&ForceFlush>("pg_stat_force_next_flush"),
    Volatile<&SnapshotTime>("pg_stat_get_snapshot_timestamp"),
    Volatile<&ResetDatabase>("pg_stat_reset"),
    Volatile<&ResetSingle>("pg_stat_reset_single_table_counters"),
    Volatile<&ResetShared>("pg_stat_reset_shared"),
    Volatile<&HaveStats>("pg_stat_have_stats"),
    Volatile<&ResetPageLogs>("pg_stat_reset_slru"),
};
constexpr SetFunction kSets[] = {{"pg_stat_get_slru", true, &StartPageLogs}};

}  // namespace

std::span<const ScalarFunction> StatisticsFunctions() { return kTable; }
std::span<const SetFunction> StatisticsSetFunctions() { return kSets; }

}  // namespace walden
