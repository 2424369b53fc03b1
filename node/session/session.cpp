#include "node/session/session.h"

#include "node/base/log.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/namespace.h"
#include "node/catalog/syscache.h"
#include "node/config/settings.h"
#include "node/recovery/replication_slots.h"
#include "node/session/notifications.h"
#include "node/session/role_settings.h"
#include "node/session/session_state.h"
#include "node/session/text_format_settings.h"
#include "node/shm/interrupts.h"
#include "node/txn/durability.h"
#include "node/txn/lock_manager.h"
#include "node/txn/txn_state.h"
#include "node/txn/untold.h"

namespace walden {
namespace {

thread_local ResultSink* reporting_sink = nullptr;

void ReportSetting(std::string_view name, const std::string& value) {
  if (reporting_sink != nullptr) reporting_sink->ParameterStatus(name, value);
}

SqlError Fatal(SqlError error) {
  error.WithSeverity(Severity::kFatal);
  return error;
}

// Limits of roles and databases bind everybody but superusers.
void RefuseTooManySessions(const PgAuthidRow& role, const PgDatabaseRow& database) {
  if (role.rolsuper || (role.rolconnlimit < 0 && database.datconnlimit < 0)) return;
  int of_role = 0, of_database = 0;
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    const ProcessSlot& process = SlotAt(slot);
    if (process.pid.load(std::memory_order_acquire) == 0 ||
        !process.is_session.load(std::memory_order_relaxed))
      continue;
    if (process.role.load(std::memory_order_relaxed) == role.oid) ++of_role;
    if (process.database.load(std::memory_order_relaxed) == database.oid) ++of_database;
  }
  if (database.datconnlimit >= 0 && of_database > database.datconnlimit) {
    throw Fatal(SqlError(ErrorCode::kTooManyConnections, "too many connections for database \"{}\"",
                         database.datname));
  }
  if (role.rolconnlimit >= 0 && of_role > role.rolconnlimit) {
    throw Fatal(
        SqlError(ErrorCode::kTooManyConnections, "too many connections for role \"{}\"", role.rolname));
  }
}

}  // namespace

Session::Result CatchStatementError(CallableRef<void()> body) {
  try {
    body();
    return std::nullopt;
  } catch (const SqlError& error) {
    if (error.fields().severity >= Severity::kFatal) throw;
    TellContents();
    LeaveReplicationSlots();
    return error.fields();
  } catch (const std::bad_alloc&) {
    return SqlError(ErrorCode::kOutOfMemory, "out of memory").fields();
  }
}

Session::Session(ResultSink& sink) : sink_(sink), state_(std::make_unique<SessionState>(*this)) {}

Session::~Session() { End(); }

void Session::Start(const SessionStart& start) {
  SessionIdentity& identity = session_identity();
  if (!HearsInvalidations()) JoinInvalidations();
  BeginTransaction();
  RowRef<PgAuthidRow> role = RoleRow(start.user);
  if (role == nullptr) {
    throw Fatal(
        SqlError(ErrorCode::kInvalidAuthorizationSpecification, "role \"{}\" does not exist", start.user));
  }
  if (!role->rolcanlogin) {
    throw Fatal(SqlError(ErrorCode::kInvalidAuthorizationSpecification,
                         "role \"{}\" is not permitted to log in", start.user));
  }
  RowRef<PgDatabaseRow> database = DatabaseRow(start.database);
  if (database == nullptr) {
    throw Fatal(SqlError(ErrorCode::kInvalidCatalogName, "database \"{}\" does not exist", start.database));
  }
  identity.authenticated_role = identity.session_role = identity.current_role = role->oid;
  if (!database->datallowconn) {
    throw Fatal(SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                         "database \"{}\" is not currently accepting connections", start.database));
  }
  if (CheckDatabase(database->oid, role->oid, acl::kConnect) != AclResult::kOk) {
    throw Fatal(
        SqlError(ErrorCode::kInsufficientPrivilege, "permission denied for database \"{}\"", start.database)
            .WithDetail("User does not have CONNECT privilege."));
  }
  AcquireLock(LockTag::Object(Oid::kInvalid, catalog_oid::kPgDatabase, database->oid, 0),
              LockMode::kRowExclusive);
  // The process may hold caches of another database, for an earlier session.
  bool other_database = IsValid(identity.database) && identity.database != database->oid;
  identity.database = database->oid;
  identity.database_tablespace = database->dattablespace;
  identity.text_format = &format_;
  identity.object_names = &state_->functions;
  identity.report = [this](const ErrorFields& fields) { state_->functions.Report(fields); };
  state_->database_name = start.database;
  if (other_database) DropAllCaches();
  self().database.store(database->oid, std::memory_order_relaxed);
  self().role.store(role->oid, std::memory_order_relaxed);
  InstallFormatHooks(&format_);
  state_->log.Use(&format_, &state_->functions);
  InstallTransactionSettingHooks();
  OverrideSetting(Setting::kInHotStandby, InRecovery() ? "on" : "off", SettingSource::kDynamicDefault);
  InstallRoleSettings(start.user);
  ApplyStoredSettings(database->oid, role->oid, state_->functions);
  SetRequest request;
  request.context = SettingContext::kBackend;
  request.source = SettingSource::kClient;
  request.is_superuser = role->rolsuper;
  for (const auto& [name, value] : start.settings) {
    try {
      SetSetting(name, value, request);
    } catch (SqlError& error) {
      throw Fatal(error);
    }
  }
  RefuseTooManySessions(*role, *database);
  CommitTransaction();
  state_->started = true;
  ResetSeenLsn();
  reporting_sink = &sink_;
  SetReportHook(ReportSetting);
}

void Session::End() {
  if (!state_->started) return;
  state_->started = false;
  reporting_sink = nullptr;
  state_->transaction.AbortAll();
  ForgetNotifications();
  state_->portals.clear();
  state_->prepared.clear();
  state_->unnamed_statement.reset();
  state_->statements.Clear();
  try {
    DropTemporaryObjects();
  } catch (const SqlError& error) {
    Log(Severity::kWarning, "could not remove temporary objects: {}", error.what());
    AbortTransaction();
  }
}

void Session::ClientSent(TimestampUs at) { state_->transaction.ClientSent(at); }

TransactionStatus Session::transaction_status() const { return state_->transaction.status(); }

void Session::Fail(const ErrorFields&) { state_->transaction.AbortStatement(); }

uint64_t Session::RunQuery(Query* query, const std::function<void(std::span<const Value> row)>& row) {
  PlannedQuery planned;
  BindOptions options = state_->MakeBindOptions(planned.statement->arena, {}, nullptr);
  RewriteAndPlan(query, options, &state_->functions, {}, &planned);
  LockRelations(*planned.statement);
  CheckPermissions(&planned);
  Executor executor(*planned.statement);
  SnapshotHold snapshot = TransactionSnapshot();
  ActiveSnapshotScope active(*snapshot);
  ExecutionSettings settings;
  settings.snapshot = &*snapshot;
  settings.session = &state_->functions;
  settings.format = &format_;
  executor.Start(settings);
  uint64_t count = 0;
  Batch batch;
  std::vector<Value> values(planned.columns.size());
  while (executor.Next(&batch)) {
    count += batch.selection.count;
    if (!row) continue;
    batch.selection.ForEach([&](uint32_t at) {
      for (size_t i = 0; i < values.size(); ++i) values[i] = batch.columns[i]->Get(at);
      row(values);
    });
  }
  if (planned.statement->command != CmdType::kSelect) count = executor.rows_affected();
  executor.Finish();
  return count;
}

uint64_t Session::RunSql(std::string_view sql, const std::function<void(std::span<const Value> row)>& row) {
  ParseResult tree = walden::Parse(sql);
  uint64_t count = 0;
  for (const ast::RawStmt* raw : tree->statements) {
    PreparedStatement statement(tree, raw);
    if (statement.is_query()) {
      Arena* arena = &tree->arena;
      BindOptions options = state_->MakeBindOptions(*arena, tree->text, nullptr);
      SessionReader::Instance().Refresh();
      count += RunQuery(walden::Bind(*raw, options), row);
    } else {
      Arena arena;
      CommandContext context = state_->MakeCommandContext(arena, tree->text);
      context.is_top_level = false;
      RunCommand(*raw->stmt, context);
    }
    CommandCounterIncrement();
  }
  return count;
}

}  // namespace walden
