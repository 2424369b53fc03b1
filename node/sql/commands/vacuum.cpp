// VACUUM: one table at a time, each in a transaction of its own.
#include "node/access/heap/vacuum.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/sql/commands/command_parts.h"
#include "node/sql/commands/vacuum_cost.h"
#include "node/sql/commands/vacuum_report.h"
#include "node/stats/progress.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

constexpr int64_t kMostParallelWorkers = 1024;

bool MayVacuum(const PgClassRow& row) {
  return IsOwner(catalog_oid::kPgClass, row.oid, CurrentRole()) ||
         (IsOwner(catalog_oid::kPgDatabase, session_identity().database, CurrentRole()) && !row.relisshared);
}

bool IsVacuumable(const PgClassRow& row) {
  return row.relkind == relkind::kTable || row.relkind == relkind::kMaterializedView ||
         row.relkind == relkind::kToast;
}

// pg_stat_progress_vacuum.
void ShowProgress(ProgressReport& report, const VacuumProgress& progress) {
  report.Set(progress::kVacuumPhase, static_cast<int64_t>(progress.phase));
  report.Set(progress::kVacuumBlocksTotal, static_cast<int64_t>(progress.heap_blocks_total));
  report.Set(progress::kVacuumBlocksScanned, static_cast<int64_t>(progress.heap_blocks_scanned));
  report.Set(progress::kVacuumBlocksVacuumed, static_cast<int64_t>(progress.heap_blocks_vacuumed));
  report.Set(progress::kVacuumIndexRounds, static_cast<int64_t>(progress.index_vacuum_count));
  report.Set(progress::kVacuumMaxDead, static_cast<int64_t>(progress.max_dead_tuples));
  report.Set(progress::kVacuumDead, static_cast<int64_t>(progress.dead_tuples));
}

void TellVerbose(std::string message) {
  ErrorFields info;
  info.severity = Severity::kInfo;
  info.code = ErrorCode::kSuccessfulCompletion;
  info.message = std::move(message);
  ReportToClient(info);
}

bool LogWorthy(const VacuumRequest& request, const VacuumReport& report) {
  return request.is_autovacuum && request.log_min_duration_ms >= 0 &&
         report.elapsed_us() / 1000 >= request.log_min_duration_ms;
}

bool HasOption(const PgClassRow& row, std::string_view option) {
  return row.reloptions &&
         std::find(row.reloptions->begin(), row.reloptions->end(), option) != row.reloptions->end();
}

VacuumOptions OptionsFor(const Relation& table, const VacuumRequest& request) {
  VacuumOptions options;
  options.settle = request.freeze;
  options.disable_page_skipping = request.disable_page_skipping;
  options.truncate = request.truncate && !HasOption(table.row, "vacuum_truncate=false") &&
                     !HasOption(table.row, "vacuum_truncate=off");
  options.index_cleanup = request.index_cleanup;
  options.memory_kb = request.memory_kb > 0 ? request.memory_kb : GetInt(Setting::kMaintenanceWorkMem);
  LockTag tag = RelationLockTag(table.oid);
  options.try_exclusive_lock = [tag] {
    return AcquireLock(tag, LockMode::kAccessExclusive, {.nowait = true}) != LockResult::kNotAvailable;
  };
  options.release_exclusive_lock = [tag] { ReleaseLock(tag, LockMode::kAccessExclusive); };
  return options;
}

void StoreVacuumResult(const RelationRef& table, std::span<const RelationRef> indexes,
                       const VacuumResult& result) {
  UpdateRelationStatistics(table->oid,
                           {static_cast<int32_t>(result.pages - result.pages_removed), result.live_rows,
                            static_cast<int32_t>(result.all_visible_pages), !table->indexes.empty()});
  for (size_t i = 0; i < indexes.size() && i < result.indexes.size(); ++i) {
    const IndexVacuumStats& stats = result.indexes[i];
    if (stats.estimated_count) continue;
    UpdateRelationStatistics(indexes[i]->oid,
                             {static_cast<int32_t>(stats.pages), stats.entries, 0, std::nullopt});
  }
}

VacuumResult VacuumOne(const RelationRef& table, const VacuumRequest& request) {
  std::vector<RelationRef> ready;
  std::vector<const IndexDesc*> indexes;
  for (const RelationRef& index : table->indexes) {
    if (index->index_desc.method == nullptr || !index->index->indisready) continue;
    ready.push_back(index);
    indexes.push_back(&index->index_desc);
  }
  VacuumReport report;
  ProgressReport progress(ProgressCommand::kVacuum, table->oid);
  VacuumPacing pacing(request.cost != nullptr ? request.cost : SessionVacuumCost);
  if (request.verbose) TellVerbose(fmt::format("vacuuming \"{}\"", FullName(*table)));
  VacuumOptions options = OptionsFor(*table, request);
  options.progress = [&](const VacuumProgress& now) { ShowProgress(progress, now); };
  PgClassRow row = *ClassRow(table->oid);
  VacuumResult result = VacuumTable(table->table, indexes, options, row.relpages, row.reltuples);
  StoreVacuumResult(table, ready, result);
  table->table.stats.ReportVacuum(static_cast<uint64_t>(result.live_rows),
                                  static_cast<uint64_t>(result.dead_rows_remaining), request.is_autovacuum);
  if (request.verbose) {
    TellVerbose(fmt::format("finished vacuuming \"{}\": {}", FullName(*table),
                            report.OfVacuum(result, indexes, options.index_cleanup)));
  }
  if (LogWorthy(request, report)) {
    Log(Severity::kLog, "automatic vacuum of table \"{}\": {}", FullName(*table),
        report.OfVacuum(result, indexes, options.index_cleanup));
  }
  return result;
}

void AnalyzeOne(const RelationRef& table, const std::vector<std::string>& columns,
                const VacuumRequest& request) {
  VacuumReport report;
  ProgressReport progress(ProgressCommand::kAnalyze, table->oid);
  VacuumPacing pacing(request.cost != nullptr ? request.cost : SessionVacuumCost);
  std::string name = fmt::format("{}.{}", SchemaName(table->row.relnamespace), table->name());
  if (request.verbose) TellVerbose(fmt::format("analyzing \"{}\"", name));
  AnalyzeOutcome outcome = AnalyzeRelation(*table, columns, &progress);
  if (request.verbose) {
    TellVerbose(
        fmt::format("\"{}\": scanned {} of {} pages, containing {:.0f} live rows and {:.0f} dead rows; {} "
                    "rows in sample, {:.0f} "
                    "estimated total rows",
                    table->name(), outcome.pages_scanned, outcome.pages, outcome.sampled_live,
                    outcome.sampled_dead, outcome.sample_rows, outcome.live_rows));
  }
  table->table.stats.ReportAnalyze(static_cast<uint64_t>(outcome.live_rows),
                                   static_cast<uint64_t>(outcome.dead_rows), request.is_autovacuum,
                                   columns.empty());
  if (LogWorthy(request, report)) {
    Log(Severity::kLog, "automatic analyze of table \"{}\"\n{}", FullName(*table), report.OfAnalyze());
  }
}

// Locks without waiting when asked to; null when skipped or gone.
RelationRef OpenForVacuum(Oid oid, const VacuumRequest& request) {
  if (request.skip_locked || request.is_autovacuum) {
    LockResult result = AcquireLock(RelationLockTag(oid), LockMode::kShareUpdateExclusive, {.nowait = true});
    if (result == LockResult::kNotAvailable) return nullptr;
  }
  return TryOpenRelation(oid, LockMode::kShareUpdateExclusive);
}

bool IndexCleanupOption(const ast::DefElem& option) {
  // "auto" decides by the table, which here means: clean up.
  return option.arg == nullptr ||
         (ast::TryAs<ast::String>(option.arg) != nullptr && OptionString(option) == "auto") ||
         OptionBoolean(option);
}

// Index clean-up is done by one process whatever is asked for.
void CheckParallelOption(const ast::DefElem& option, int position, bool* wanted) {
  if (option.arg == nullptr) {
    throw SqlError(ErrorCode::kSyntaxError, "parallel option requires a value between 0 and {}",
                   kMostParallelWorkers)
        .WithPosition(position);
  }
  int64_t workers = OptionInteger(option);
  if (workers < 0 || workers > kMostParallelWorkers) {
    throw SqlError(ErrorCode::kSyntaxError, "parallel workers for vacuum must be between 0 and {}",
                   kMostParallelWorkers)
        .WithPosition(position);
  }
  *wanted = workers > 0;
}

VacuumRequest RequestOf(const ast::VacuumStmt& statement, const CommandContext& context) {
  VacuumRequest request;
  request.vacuum = statement.is_vacuumcmd;
  request.analyze = !statement.is_vacuumcmd;
  bool parallel = false;
  for (const ast::Node* node : statement.options) {
    const auto& option = *ast::As<ast::DefElem>(node);
    int position = context.Position(option.location);
    std::string_view name = option.defname;
    if (name == "verbose")
      request.verbose = OptionBoolean(option);
    else if (name == "skip_locked")
      request.skip_locked = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "analyze")
      request.analyze = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "freeze")
      request.freeze = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "full")
      request.full = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "disable_page_skipping")
      request.disable_page_skipping = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "index_cleanup")
      request.index_cleanup = IndexCleanupOption(option);
    else if (statement.is_vacuumcmd && name == "truncate")
      request.truncate = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "process_toast")
      request.process_toast = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "parallel")
      CheckParallelOption(option, position, &parallel);
    else {
      throw SqlError(ErrorCode::kSyntaxError, "unrecognized {} option \"{}\"",
                     statement.is_vacuumcmd ? "VACUUM" : "ANALYZE", name)
          .WithPosition(position);
    }
  }
  auto refuse = [](const char* message) { return SqlError(ErrorCode::kFeatureNotSupported, message); };
  if (request.full && parallel) throw refuse("VACUUM FULL cannot be performed in parallel");
  for (const ast::Node* node : statement.rels) {
    if (request.analyze || ast::As<ast::VacuumRelation>(node)->va_cols.empty()) continue;
    throw refuse("ANALYZE option must be specified when a column list is provided");
  }
  if (request.full && request.disable_page_skipping)
    throw refuse("VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL");
  if (request.full && !request.process_toast) throw refuse("PROCESS_TOAST required with VACUUM FULL");
  return request;
}

struct Chosen {
  Oid oid;
  std::vector<std::string> columns;
};

std::vector<Chosen> ChooseTables(const ast::VacuumStmt& statement) {
  std::vector<Chosen> chosen;
  for (const ast::Node* node : statement.rels) {
    const auto& item = *ast::As<ast::VacuumRelation>(node);
    Oid oid = FindRelation(NameOf(*item.relation));
    RowRef<PgClassRow> row = ClassRow(oid);
    std::string_view verb = statement.is_vacuumcmd ? "vacuum" : "analyze";
    if (!IsVacuumable(*row)) {
      Warning(ErrorCode::kWarning,
              fmt::format("skipping \"{}\" --- cannot {} non-tables or special system tables", row->relname,
                          verb));
    } else if (!MayVacuum(*row)) {
      Warning(ErrorCode::kWarning,
              fmt::format("permission denied to {} \"{}\", skipping it", verb, row->relname));
    } else {
      chosen.push_back({oid, StringsOf(item.va_cols)});
    }
  }
  if (!statement.rels.empty()) return chosen;
  for (const PgClassRow& row : ReadRows<PgClassRow>(Oid::kInvalid, {})) {
    bool wanted = row.relkind == relkind::kTable || row.relkind == relkind::kMaterializedView;
    if (wanted && MayVacuum(row) && !IsOtherTemporaryNamespace(row.relnamespace))
      chosen.push_back({row.oid, {}});
  }
  return chosen;
}

// False: skipped or gone.
bool ProcessTable(const Chosen& item, const VacuumRequest& request, VacuumOutcome* outcome) {
  RelationRef table = OpenForVacuum(item.oid, request);
  if (!table) return false;
  if (request.vacuum) {
    VacuumResult result = VacuumOne(table, request);
    if (outcome != nullptr) *outcome = {result.settled_advanced, result.settled_xid, result.settled_multi};
    if (table->toast_relation && request.process_toast) {
      if (RelationRef toast = OpenForVacuum(table->toast_relation->oid, request)) VacuumOne(toast, request);
    }
    CommandCounterIncrement();
  }
  if (request.analyze && table->row.relkind != relkind::kToast) AnalyzeOne(table, item.columns, request);
  return true;
}

}  // namespace

bool VacuumRelationNow(Oid relation, const VacuumRequest& request, VacuumOutcome* outcome) {
  BeginTransaction();
  try {
    bool done = ProcessTable({relation, {}}, request, outcome);
    CommitTransaction();
    return done;
  } catch (...) {
    AbortTransaction();
    throw;
  }
}

void RunVacuum(const ast::VacuumStmt& statement, CommandContext& context) {
  VacuumRequest request = RequestOf(statement, context);
  if (request.full) throw NotSupported("VACUUM FULL");
  if (request.vacuum) RequireNoTransactionBlock(context, "VACUUM");
  std::vector<Chosen> tables = ChooseTables(statement);
  bool own_transactions = !context.in_transaction_block && context.is_top_level;
  if (own_transactions) CommitTransaction();
  for (const Chosen& table : tables) {
    if (own_transactions) BeginTransaction();
    ProcessTable(table, request, nullptr);
    if (own_transactions) CommitTransaction();
  }
  // The caller ends a transaction, as after any statement.
  if (own_transactions) BeginTransaction();
}

}  // namespace walden
