// VACUUM: one table at a time, each in a transaction of its own.
#include "node/access/heap/vacuum.h"

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/sql/commands/command_parts.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

bool MayVacuum(const PgClassRow& row) {
  return IsOwner(catalog_oid::kPgClass, row.oid, CurrentRole()) ||
         (IsOwner(catalog_oid::kPgDatabase, session_identity().database, CurrentRole()) && !row.relisshared);
}

bool IsVacuumable(const PgClassRow& row) {
  return row.relkind == relkind::kTable || row.relkind == relkind::kMaterializedView || row.relkind == relkind::kToast;
}

void VacuumOne(const RelationRef& table, const VacuumRequest& request) {
  std::vector<const IndexDesc*> indexes;
  for (const RelationRef& index : table->indexes) {
    if (index->index_desc.method != nullptr && index->index->indisready) indexes.push_back(&index->index_desc);
  }
  VacuumOptions options;
  options.settle = request.freeze;
  options.disable_page_skipping = request.disable_page_skipping;
  options.truncate = request.truncate;
  options.index_cleanup = request.index_cleanup;
  options.memory_kb = GetInt(Setting::kMaintenanceWorkMem);
  options.delay_point = [](int) { CheckInterrupts(); };
  LockTag tag = RelationLockTag(table->oid);
  options.try_exclusive_lock = [tag] {
    return AcquireLock(tag, LockMode::kAccessExclusive, {.nowait = true}) != LockResult::kNotAvailable;
  };
  options.release_exclusive_lock = [tag] { ReleaseLock(tag, LockMode::kAccessExclusive); };
  PgClassRow row = *ClassRow(table->oid);
  VacuumResult result = VacuumTable(table->table, indexes, options, row.relpages, row.reltuples);
  UpdateRelationStatistics(table->oid, {static_cast<int32_t>(result.pages - result.pages_removed), result.live_rows,
                                        static_cast<int32_t>(result.all_visible_pages), !table->indexes.empty()});
  for (size_t i = 0; i < indexes.size() && i < result.indexes.size(); ++i) {
    const IndexVacuumStats& stats = result.indexes[i];
    if (stats.estimated_count) continue;
    UpdateRelationStatistics(indexes[i]->oid, {static_cast<int32_t>(stats.pages), stats.entries, 0, std::nullopt});
  }
  if (request.verbose) {
    ErrorFields info;
    info.severity = Severity::kInfo;
    info.code = ErrorCode::kSuccessfulCompletion;
    info.message = fmt::format("finished vacuuming \"{}\": pages: {} removed, {} remain, tuples: {:.0f} removed, {:.0f} remain",
                               table->name(), result.pages_removed, result.pages - result.pages_removed, result.rows_removed,
                               result.live_rows);
    ReportToClient(info);
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

VacuumRequest RequestOf(const ast::VacuumStmt& statement) {
  VacuumRequest request;
  request.vacuum = statement.is_vacuumcmd;
  request.analyze = !statement.is_vacuumcmd;
  for (const ast::Node* node : statement.options) {
    const auto& option = *ast::As<ast::DefElem>(node);
    std::string_view name = option.defname;
    if (name == "verbose") request.verbose = OptionBoolean(option);
    else if (name == "skip_locked") request.skip_locked = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "analyze") request.analyze = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "freeze") request.freeze = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "full") request.full = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "disable_page_skipping") request.disable_page_skipping = OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "index_cleanup") request.index_cleanup = OptionString(option) == "auto" || OptionBoolean(option);
    else if (statement.is_vacuumcmd && name == "truncate") request.truncate = OptionBoolean(option);
    else if (statement.is_vacuumcmd && (name == "process_toast" || name == "parallel")) continue;
    else throw SqlError(ErrorCode::kSyntaxError, "unrecognized {} option \"{}\"", statement.is_vacuumcmd ? "VACUUM" : "ANALYZE", name);
  }
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
      Warning(ErrorCode::kWarning, fmt::format("skipping \"{}\" --- cannot {} non-tables or special system tables", row->relname, verb));
    } else if (!MayVacuum(*row)) {
      Warning(ErrorCode::kWarning, fmt::format("permission denied to {} \"{}\", skipping it", verb, row->relname));
    } else {
      chosen.push_back({oid, StringsOf(item.va_cols)});
    }
  }
  if (!statement.rels.empty()) return chosen;
  for (const PgClassRow& row : ReadRows<PgClassRow>(Oid::kInvalid, {})) {
    bool wanted = row.relkind == relkind::kTable || row.relkind == relkind::kMaterializedView;
    if (wanted && MayVacuum(row) && !IsOtherTemporaryNamespace(row.relnamespace)) chosen.push_back({row.oid, {}});
  }
  return chosen;
}

void ProcessTable(const Chosen& item, const VacuumRequest& request, CommandContext* context) {
  RelationRef table = OpenForVacuum(item.oid, request);
  if (!table) return;
  if (request.vacuum) {
    VacuumOne(table, request);
    if (table->toast_relation) {
      if (RelationRef toast = OpenForVacuum(table->toast_relation->oid, request)) VacuumOne(toast, request);
    }
    CommandCounterIncrement();
  }
  if (request.analyze && table->row.relkind != relkind::kToast) AnalyzeRelation(*table, item.columns, context);
}

}  // namespace

void VacuumRelationNow(Oid relation, const VacuumRequest& request) {
  BeginTransaction();
  ProcessTable({relation, {}}, request, nullptr);
  CommitTransaction();
}

void RunVacuum(const ast::VacuumStmt& statement, CommandContext& context) {
  VacuumRequest request = RequestOf(statement);
  if (request.full) throw NotSupported("VACUUM FULL");
  if (request.vacuum) RequireNoTransactionBlock(context, "VACUUM");
  std::vector<Chosen> tables = ChooseTables(statement);
  bool own_transactions = !context.in_transaction_block && context.is_top_level;
  if (own_transactions) CommitTransaction();
  for (const Chosen& table : tables) {
    if (own_transactions) BeginTransaction();
    ProcessTable(table, request, &context);
    if (own_transactions) CommitTransaction();
  }
  // The caller ends a transaction, as after any statement.
  if (own_transactions) BeginTransaction();
}

}  // namespace walden
