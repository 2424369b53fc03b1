#include <algorithm>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/syscache.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/os/process.h"
#include "node/server/autovacuum.h"
#include "node/server/autovacuum_area.h"
#include "node/server/autovacuum_tables.h"
#include "node/shm/interrupts.h"
#include "node/shm/log_context.h"
#include "node/sql/commands/commands.h"
#include "node/stats/activity.h"
#include "node/stats/counters.h"
#include "node/txn/horizon.h"
#include "node/txn/lock_manager.h"
#include "node/txn/multixact.h"
#include "node/txn/transaction.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

constexpr Oid kBootstrapRole{10};
AutovacuumPlace* my_place = nullptr;

void GiveBackPlace() {
  AutovacuumArea& area = TheAutovacuum();
  {
    LwLockGuard guard(area.lock, LwMode::kExclusive);
    my_place->relation.store(Oid::kInvalid);
    my_place->balanced.store(false);
    my_place->state.store(AutovacuumState::kFree);
  }
  int launcher = area.launcher_slot.load();
  if (launcher >= 0) SlotAt(launcher).latch.Set();
}

class Worker {
 public:
  explicit Worker(Oid database) : database_(database) {}

  void Run() {
    if (!Bind()) return;
    BeginTransaction();
    settle_ = SettlingIsDue();
    oldest_xid_ = OldestRunningXid();
    oldest_multi_ = NextMultiXactId();
    FoldAllBlocks();
    bool temporary = false;
    std::vector<TableTask> tasks = ChooseTasks(settle_, &temporary);
    CommitTransaction();
    all_settled_ = settle_ && !temporary;
    for (const TableTask& task : tasks) {
      if (InterruptPending(Interrupt::kTerminate)) break;
      if (TakeInterrupt(Interrupt::kReload)) ReloadConfiguration();
      WorkOn(task);
    }
    TrimCsnWindow();
    if (settle_ && all_settled_) FinishSettling();
  }

 private:
  // Joins the database as the bootstrap superuser. False: it is gone.
  bool Bind() {
    OverrideSetting(Setting::kLockTimeout, "0");
    OverrideSetting(Setting::kSynchronousCommit, "local");
    OverrideSetting(Setting::kZeroDamagedPages, "off");
    JoinInvalidations();
    BeginTransaction();
    SessionIdentity& identity = session_identity();
    identity.authenticated_role = identity.session_role = identity.current_role = kBootstrapRole;
    RowRef<PgDatabaseRow> row = DatabaseRow(database_);
    if (!row) {
      CommitTransaction();
      return false;
    }
    // Held to the end of this transaction: whoever drops the database sees us before, or we see that it is gone.
    AcquireLock(LockTag::Object(Oid::kInvalid, catalog_oid::kPgDatabase, database_, 0),
                LockMode::kRowExclusive);
    identity.database = database_;
    identity.database_tablespace = row->dattablespace;
    self().database.store(database_, std::memory_order_relaxed);
    name_ = row->datname;
    CommitTransaction();
    SetProcessTitle(fmt::format("walden: autovacuum worker {}", name_));
    log_context().database_name = name_;
    SetActivityIdentity(database_, Oid::kInvalid);
    SetStatsDatabase(database_);
    DescribeDatabase(database_, name_);
    return true;
  }

  // One worker at a time on a table.
  bool Claim(const TableTask& task) {
    AutovacuumArea& area = TheAutovacuum();
    LwLockGuard guard(area.lock, LwMode::kExclusive);
    for (int number = 0; number < area.count; ++number) {
      AutovacuumPlace& place = area.places()[number];
      if (&place == my_place || place.state.load() != AutovacuumState::kRunning) continue;
      if (place.relation.load() == task.relation && (task.is_shared || place.database == database_))
        return false;
    }
    my_place->relation_is_shared.store(task.is_shared);
    my_place->relation.store(task.relation);
    return true;
  }

  void WorkOn(const TableTask& task) {
    if (!Claim(task)) {
      all_settled_ = false;
      return;
    }
    AutovacuumBudget budget = BudgetOf(task.options);
    my_place->delay_ms.store(budget.cost.delay_ms);
    my_place->limit.store(budget.cost.limit);
    my_place->balanced.store(budget.shared && budget.cost.delay_ms > 0);
    std::optional<VacuumRequest> request = RequestFor(task);
    if (request) Process(task, *request);
    my_place->balanced.store(false);
    my_place->relation.store(Oid::kInvalid);
  }

  // Somebody may have done the work since the list was made.
  std::optional<VacuumRequest> RequestFor(const TableTask& task) {
    FoldAllBlocks();
    BeginTransaction();
    RowRef<PgClassRow> row = ClassRow(task.relation);
    TableNeeds needs;
    RelationSums sums;
    if (row && ReadRelationSums(task.is_shared ? Oid::kInvalid : database_, task.relation, &sums)) {
      needs = NeedsOf(*row, task.is_toast ? task.options : *row, sums);
    }
    bool gone = !row;
    CommitTransaction();
    if (gone || (!settle_ && !needs.vacuum && !needs.analyze)) return std::nullopt;
    VacuumRequest request;
    request.vacuum = needs.vacuum || settle_;
    request.analyze = needs.analyze;
    request.freeze = settle_;
    request.is_autovacuum = true;
    request.process_toast = false;  // a task of its own
    request.memory_kb = GetInt(Setting::kAutovacuumWorkMem);
    request.log_min_duration_ms =
        static_cast<int64_t>(NumberOption(task.options, "log_autovacuum_min_duration")
                                 .value_or(static_cast<double>(GetInt(Setting::kLogAutovacuumMinDuration))));
    request.cost = CurrentAutovacuumCost;
    return request;
  }

  void Process(const TableTask& task, const VacuumRequest& request) {
    SetActivityState(ActivityState::kActive, fmt::format("autovacuum: {} {}",
                                                         !request.vacuum   ? "ANALYZE"
                                                         : request.analyze ? "VACUUM ANALYZE"
                                                                           : "VACUUM",
                                                         task.name));
    VacuumOutcome outcome;
    try {
      bool done = VacuumRelationNow(task.relation, request, &outcome);
      if (settle_) NoteSettled(done && outcome.settled, outcome);
    } catch (const SqlError& error) {
      all_settled_ = false;
      if (error.fields().severity >= Severity::kFatal || error.code() == ErrorCode::kAdminShutdown) throw;
      ErrorFields fields = error.fields();
      if (error.code() == ErrorCode::kQueryCanceled) fields.message = "canceling autovacuum task";
      fields.context = fmt::format("automatic {} of table \"{}.{}\"", request.vacuum ? "vacuum" : "analyze",
                                   name_, task.name);
      EmitLog(fields);
    }
    SetActivityState(ActivityState::kIdle);
  }

  void NoteSettled(bool settled, const VacuumOutcome& outcome) {
    if (!settled) {
      all_settled_ = false;
      return;
    }
    oldest_xid_ = std::min(oldest_xid_, outcome.oldest_xid);
    oldest_multi_ = std::min(oldest_multi_, outcome.oldest_multi);
  }

  // When every database has been settled since the log became old, the log needs nothing older than the oldest of them.
  void FinishSettling() {
    BeginTransaction();
    // No database is being copied meanwhile.
    AcquireLock(RelationLockTag(catalog_oid::kPgDatabase), LockMode::kShare);
    std::vector<PgDatabaseRow> databases = ReadRows<PgDatabaseRow>(Oid::kInvalid, {});
    Xid xid = oldest_xid_;
    MultiXactId multi = oldest_multi_;
    bool complete = Record(databases, &xid, &multi);
    CommitTransaction();
    if (!complete) return;
    TruncateTransactionLogs(xid, multi);
    AutovacuumArea& area = TheAutovacuum();
    LwLockGuard guard(area.lock, LwMode::kExclusive);
    area.settled_count = 0;
  }

  // Puts this database on the record; true if all are there, with the oldest of all.
  bool Record(const std::vector<PgDatabaseRow>& databases, Xid* xid, MultiXactId* multi) {
    AutovacuumArea& area = TheAutovacuum();
    LwLockGuard guard(area.lock, LwMode::kExclusive);
    SettledDatabase* end = area.settled + area.settled_count;
    SettledDatabase* mine =
        std::find_if(area.settled, end, [&](const auto& d) { return d.database == database_; });
    if (mine == end) {
      if (area.settled_count == kMaxSettledDatabases) return false;
      ++area.settled_count;
      ++end;
    }
    *mine = {database_, oldest_xid_.value, oldest_multi_.value};
    for (const PgDatabaseRow& row : databases) {
      SettledDatabase* found =
          std::find_if(area.settled, end, [&](const auto& d) { return d.database == row.oid; });
      if (found == end) return false;
      *xid = std::min(*xid, Xid{found->oldest_xid});
      *multi = std::min(*multi, MultiXactId{found->oldest_multi});
    }
    return true;
  }

  Oid database_;
  std::string name_;
  bool settle_ = false;
  bool all_settled_ = false;
  Xid oldest_xid_;
  MultiXactId oldest_multi_;
};

}  // namespace

VacuumCost CurrentAutovacuumCost() {
  VacuumCost own{my_place->delay_ms.load(std::memory_order_relaxed),
                 my_place->limit.load(std::memory_order_relaxed)};
  if (!my_place->balanced.load(std::memory_order_relaxed)) return own;
  // Everybody who takes part gets the share that his own budget is of all budgets, of what one alone would have.
  AutovacuumArea& area = TheAutovacuum();
  double total = 0;
  for (int number = 0; number < area.count; ++number) {
    const AutovacuumPlace& place = area.places()[number];
    double delay = place.delay_ms.load(std::memory_order_relaxed);
    if (place.balanced.load(std::memory_order_relaxed) && delay > 0) {
      total += static_cast<double>(place.limit.load(std::memory_order_relaxed)) / delay;
    }
  }
  double mine = static_cast<double>(own.limit) / own.delay_ms;
  if (total > mine)
    own.limit = std::clamp<int64_t>(static_cast<int64_t>(mine * static_cast<double>(own.limit) / total), 1,
                                    own.limit);
  return own;
}

void RunAutovacuumWorker(int number) {
  AutovacuumArea& area = TheAutovacuum();
  CHECK(number >= 0 && number < area.count);
  Oid database;
  {
    LwLockGuard guard(area.lock, LwMode::kExclusive);
    AutovacuumPlace& place = area.places()[number];
    if (place.state.load() != AutovacuumState::kAsked) return;  // too late: the launcher has given up
    place.state.store(AutovacuumState::kRunning);
    database = place.database;
    my_place = &place;
  }
  OnProcessExit(GiveBackPlace);
  Worker(database).Run();
}

}  // namespace walden
