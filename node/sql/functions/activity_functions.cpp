// What processes do now: pg_stat_get_activity and the functions per process, progress of long commands, memory.
#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/shm/wait_events.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/stats/activity.h"
#include "node/stats/progress.h"
#include "node/txn/sender_slots.h"
#include "node/txn/transaction_slots.h"
#include "node/types/array.h"
#include "node/types/network.h"

namespace walden {
namespace {

using View = std::string_view;

constexpr Oid kReadAllStatsRole{3375};
constexpr View kNotAllowed = "<insufficient privilege>";

bool MaySee(Oid role) {
  Oid me = session_identity().current_role;
  return HasRightsOf(me, kReadAllStatsRole) || (IsValid(role) && HasRightsOf(me, role));
}

RowValues& IdOrNull(RowValues& row, Oid id) { return IsValid(id) ? row.ObjectId(id) : row.Null(); }

// --- pg_stat_get_activity ------------------------------------------------------------------------------------------

void PutClient(RowValues& row, const ActivityRow& activity, Arena& arena) {
  if (activity.remote_host.empty()) {
    row.Null().Null();
    if (activity.remote_port == 0)
      row.Null();
    else
      row.Int4(-1);
    return;
  }
  // A host that is no address (a link-local one with its zone) cannot be shown as one.
  try {
    row.Text(StoreNetwork(ParseNetwork(activity.remote_host, false), arena));
  } catch (const SqlError&) {
    row.Null();
  }
  row.TextOrNull(activity.host_name).Int4(activity.remote_port);
}

void PutTls(RowValues& row, const ActivityTls& tls) {
  row.Bool(tls.on);
  if (!tls.on) {
    for (int i = 0; i < 6; ++i) row.Null();
    return;
  }
  row.Text(tls.version).Text(tls.cipher).Int4(tls.bits).TextOrNull(tls.client_dn);
  if (tls.client_serial.empty())
    row.Null();
  else
    row.Decimal(tls.client_serial);
  row.TextOrNull(tls.issuer_dn);
}

void PutXids(RowValues& row, int slot) {
  const TransactionSlot& transaction = TransactionSlotOf(slot);
  row.TransactionOrNull(Xid{transaction.xid.load()}).TransactionOrNull(Xid{transaction.snapshot_xmin.load()});
}

void Nulls(RowValues& row, int count) {
  for (int i = 0; i < count; ++i) row.Null();
}

void PutActivity(RowValues& row, const ActivityRow& activity, Arena& arena) {
  IdOrNull(row, activity.database).Int4(activity.pid);
  IdOrNull(row, activity.role).Text(activity.application_name);
  if (!MaySee(activity.role)) {
    row.Null().Text(kNotAllowed);
    Nulls(row, 9);
    PutXids(row, activity.slot);
    Nulls(row, 13);
    return;
  }
  row.TextOrNull(ActivityStateName(activity.state)).Text(activity.query);
  row.TextOrNull(WaitEventType(activity.wait_event)).TextOrNull(WaitEventName(activity.wait_event));
  row.TimeOrNull(activity.transaction_start)
      .TimeOrNull(activity.query_start)
      .TimeOrNull(activity.backend_start);
  row.TimeOrNull(activity.state_change);
  PutClient(row, activity, arena);
  PutXids(row, activity.slot);
  row.Text(activity.backend_type);
  PutTls(row, activity.tls);
  row.Bool(false).Null().Bool(false);  // gss
  row.Null();                          // leader_pid
  if (activity.query_id != 0)
    row.Int8(activity.query_id);
  else
    row.Null();
}

std::unique_ptr<TableFunction> StartActivity(CallContext& c, std::span<const Value> args) {
  auto rows = std::make_unique<RowSet>();
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    ActivityRow activity;
    if (!ReadActivity(slot, &activity)) continue;
    // A backend that waits for a client is nobody yet.
    if (activity.kind == ProcessKind::kBackend && !IsValid(activity.role)) continue;
    if (!args[0].is_null && args[0].datum.i32 != activity.pid) continue;
    RowValues row = rows->NewRow();
    PutActivity(row, activity, c.arena);
    rows->Add(row);
  }
  return rows;
}

// --- By number -----------------------------------------------------------------------------------------------------

// Numbers are slots, counted from 1.
bool BackendOf(int32_t number, ActivityRow* activity) {
  return number >= 1 && number <= MaxProcessSlots() && ReadActivity(number - 1, activity) &&
         (activity->kind != ProcessKind::kBackend || IsValid(activity->role));
}
std::unique_ptr<TableFunction> StartNumbers(CallContext&, std::span<const Value>) {
  auto rows = std::make_unique<RowSet>();
  ActivityRow activity;
  for (int32_t number = 1; number <= MaxProcessSlots(); ++number) {
    if (BackendOf(number, &activity)) rows->Add(rows->NewRow().Int4(number));
  }
  return rows;
}
std::optional<int32_t> BackendPid(int32_t number) {
  ActivityRow activity;
  return BackendOf(number, &activity) ? std::optional(activity.pid) : std::nullopt;
}
std::optional<Oid> BackendDatabase(int32_t number) {
  ActivityRow activity;
  return BackendOf(number, &activity) ? std::optional(activity.database) : std::nullopt;
}
std::optional<Oid> BackendUser(int32_t number) {
  ActivityRow activity;
  return BackendOf(number, &activity) ? std::optional(activity.role) : std::nullopt;
}
std::optional<View> BackendQuery(CallContext& c, int32_t number) {
  ActivityRow activity;
  if (!BackendOf(number, &activity)) return "<backend information not available>";
  if (!MaySee(activity.role)) return kNotAllowed;
  if (activity.query.empty()) return "<command string not enabled>";
  return Keep(c, activity.query);
}
template <View (*kName)(uint32_t)>
std::optional<View> BackendWait(CallContext& c, int32_t number) {
  ActivityRow activity;
  if (!BackendOf(number, &activity)) return "<backend information not available>";
  if (!MaySee(activity.role)) return kNotAllowed;
  View name = kName(activity.wait_event);
  return name.empty() ? std::nullopt : std::optional(Keep(c, name));
}
template <TimestampUs ActivityRow::* kTime>
std::optional<int64_t> BackendTime(int32_t number) {
  ActivityRow activity;
  if (!BackendOf(number, &activity) || !MaySee(activity.role) || activity.*kTime == 0) return std::nullopt;
  return activity.*kTime;
}
std::optional<View> BackendAddress(CallContext& c, int32_t number) {
  ActivityRow activity;
  if (!BackendOf(number, &activity) || !MaySee(activity.role) || activity.remote_host.empty())
    return std::nullopt;
  return StoreNetwork(ParseNetwork(activity.remote_host, false), c.arena);
}
std::optional<int32_t> BackendPort(int32_t number) {
  ActivityRow activity;
  if (!BackendOf(number, &activity) || !MaySee(activity.role) || activity.remote_port == 0)
    return std::nullopt;
  return activity.remote_port;
}

// --- Progress ------------------------------------------------------------------------------------------------------

ProgressCommand CommandNamed(View name) {
  static constexpr std::pair<View, ProgressCommand> kNames[] = {
      {"VACUUM", ProgressCommand::kVacuum},         {"ANALYZE", ProgressCommand::kAnalyze},
      {"CLUSTER", ProgressCommand::kCluster},       {"CREATE INDEX", ProgressCommand::kCreateIndex},
      {"BASEBACKUP", ProgressCommand::kBaseBackup}, {"COPY", ProgressCommand::kCopy},
  };
  for (const auto& [text, command] : kNames) {
    if (text == name) return command;
  }
  throw SqlError(ErrorCode::kInvalidParameterValue, "invalid command name: \"{}\"", name);
}

// Base backups: the walsender serves several at a time.
void PutBackups(RowSet* rows) {
  for (int i = 0; i < MaxSenderSlots(); ++i) {
    const SenderSlot& sender = Sender(i);
    if (sender.state.load() != SenderState::kBackup) continue;
    RowValues row = rows->NewRow();
    row.Int4(sender.pid).Null();
    bool visible = MaySee(sender.role);
    if (visible)
      row.ObjectId(Oid::kInvalid);
    else
      row.Null();
    for (size_t parameter = 0; parameter < kProgressParameters; ++parameter) {
      bool told = parameter < std::size(sender.backup_progress);
      visible ? row.Int8(told ? sender.backup_progress[parameter].load() : 0) : row.Null();
    }
    rows->Add(row);
  }
}

// pid, datid, relid, param1 ... param20; who may not see the session learns that it is there.
std::unique_ptr<TableFunction> StartProgress(CallContext&, std::span<const Value> args) {
  ProgressCommand wanted = CommandNamed(args[0].datum.string.view());
  auto rows = std::make_unique<RowSet>();
  if (wanted == ProgressCommand::kBaseBackup) PutBackups(rows.get());
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    ProgressRow progress;
    if (!ReadProgress(slot, &progress) || progress.command != wanted) continue;
    const ProcessSlot& process = SlotAt(slot);
    RowValues row = rows->NewRow();
    IdOrNull(row.Int4(process.pid.load()), process.database.load());
    bool visible = MaySee(process.role.load());
    if (visible)
      row.ObjectId(progress.relation);
    else
      row.Null();
    for (int64_t parameter : progress.parameters) visible ? row.Int8(parameter) : row.Null();
    rows->Add(row);
  }
  return rows;
}

// --- Memory --------------------------------------------------------------------------------------------------------

// name, off, size, allocated_size. What no area uses stands last.
std::unique_ptr<TableFunction> StartShmem(CallContext&, std::span<const Value>) {
  auto rows = std::make_unique<RowSet>();
  size_t used = 0;
  for (const AreaInfo& area : ListAreas()) {
    rows->Add(rows->NewRow()
                  .Text(area.name)
                  .Int8(static_cast<int64_t>(area.offset))
                  .Int8(static_cast<int64_t>(area.size_bytes))
                  .Int8(static_cast<int64_t>(area.allocated_bytes)));
    used = std::max(used, area.offset + area.allocated_bytes);
  }
  int64_t left = static_cast<int64_t>(AttachedRegion().size() - used);
  rows->Add(rows->NewRow().Null().Int8(static_cast<int64_t>(used)).Int8(left).Int8(left));
  return rows;
}

// name, ident, parent, level, total_bytes, total_nblocks, free_bytes, free_chunks, used_bytes. An account knows what is charged to
// it, not how it is cut up.
void PutAccount(RowSet* rows, const MemoryAccount& account, int32_t level) {
  int64_t own = account.bytes();
  for (const MemoryAccount* child : account.children()) own -= child->bytes();
  RowValues row = rows->NewRow();
  row.Text(account.name()).Null().TextOrNull(account.parent() != nullptr ? account.parent()->name() : "");
  rows->Add(row.Int4(level).Int8(own).Null().Null().Null().Int8(own));
  for (const MemoryAccount* child : account.children()) PutAccount(rows, *child, level + 1);
}
std::unique_ptr<TableFunction> StartMemory(CallContext&, std::span<const Value>) {
  auto rows = std::make_unique<RowSet>();
  PutAccount(rows.get(), ProcessMemory(), 0);
  return rows;
}

constexpr ScalarFunction kTable[] = {
    Volatile<&BackendPid>("pg_stat_get_backend_pid"),
    Volatile<&BackendDatabase>("pg_stat_get_backend_dbid"),
    Volatile<&BackendUser>("pg_stat_get_backend_userid"),
    Volatile<&BackendQuery>("pg_stat_get_backend_activity"),
    Volatile<&BackendWait<WaitEventType>>("pg_stat_get_backend_wait_event_type"),
    Volatile<&BackendWait<WaitEventName>>("pg_stat_get_backend_wait_event"),
    Volatile<&BackendTime<&ActivityRow::query_start>>("pg_stat_get_backend_activity_start"),
    Volatile<&BackendTime<&ActivityRow::transaction_start>>("pg_stat_get_backend_xact_start"),
    Volatile<&BackendTime<&ActivityRow::backend_start>>("pg_stat_get_backend_start"),
    Volatile<&BackendAddress>("pg_stat_get_backend_client_addr"),
    Volatile<&BackendPort>("pg_stat_get_backend_client_port"),
};
constexpr SetFunction kSets[] = {
    {"pg_stat_get_activity", false, &StartActivity},
    {"pg_stat_get_backend_idset", true, &StartNumbers},
    {"pg_stat_get_progress_info", true, &StartProgress},
    {"pg_get_shmem_allocations", true, &StartShmem},
    {"pg_get_backend_memory_contexts", true, &StartMemory},
};

}  // namespace

std::span<const ScalarFunction> ActivityFunctions() { return kTable; }
std::span<const SetFunction> ActivitySetFunctions() { return kSets; }

}  // namespace walden
