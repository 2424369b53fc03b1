// Replication slots, replicas, the WAL receiver.
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_authid.h"
#include "node/catalog/syscache.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/replication_slots.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/txn/sender_slots.h"

namespace walden {
namespace {

using View = std::string_view;

constexpr Oid kPgReadAllStats{3375};

// --- Slots -------------------------------------------------------------------------------------------------------

void RequireReplicationRole() {
  Oid role = session_identity().current_role;
  RowRef<PgAuthidRow> row = RoleRow(role);
  if (IsSuperuser(role) || (row != nullptr && row->rolreplication)) return;
  throw SqlError(ErrorCode::kInsufficientPrivilege,
                 "must be superuser or replication role to use replication slots");
}

View CreateSlot(CallContext& c, View name, bool reserve, bool temporary) {
  RequireReplicationRole();
  Lsn restart = CreateReplicationSlot(name, reserve, temporary);
  return MakeRecord(c, RowValues(c.arena).Text(name).PositionOrNull(restart));
}

View CopySlotAs(CallContext& c, View source, View name, std::optional<bool> temporary) {
  RequireReplicationRole();
  if (!temporary) {
    temporary = false;
    for (const ReplicationSlotInfo& info : ListReplicationSlots()) {
      if (info.name == source) temporary = info.temporary;
    }
  }
  CopyReplicationSlot(source, name, *temporary);
  // The position is a logical slot's confirmed one: a physical slot has none.
  return MakeRecord(c, RowValues(c.arena).Text(name).Null());
}
View CopySlot(CallContext& c, View source, View name) { return CopySlotAs(c, source, name, std::nullopt); }
View CopySlotWith(CallContext& c, View source, View name, bool temporary) {
  return CopySlotAs(c, source, name, temporary);
}

View DropSlot(View name) {
  RequireReplicationRole();
  DropReplicationSlot(name);
  return "";
}

void PutSlot(RowSet* set, const ReplicationSlotInfo& info) {
  RowValues row = set->NewRow();
  row.Text(info.name).Null().Text("physical").Null().Bool(info.temporary).Bool(info.active_pid != 0);
  if (info.active_pid != 0)
    row.Int4(info.active_pid);
  else
    row.Null();
  row.TransactionOrNull(info.xmin)
      .Null()
      .PositionOrNull(info.restart)
      .Null()
      .TextOrNull(SlotWalName(info.wal));
  if (info.safe_wal_bytes >= 0)
    row.Int8(info.safe_wal_bytes);
  else
    row.Null();
  set->Add(row.Bool(false));
}
std::unique_ptr<TableFunction> StartSlots(CallContext&, std::span<const Value>) {
  auto set = std::make_unique<RowSet>();
  for (const ReplicationSlotInfo& info : ListReplicationSlots()) PutSlot(set.get(), info);
  return set;
}

// Counts of logical decoding: a physical slot has none.
View SlotStatistics(CallContext& c, View name) {
  RowValues row(c.arena);
  row.Text(name);
  for (int i = 0; i < 8; ++i) row.Int8(0);
  return MakeRecord(c, row.Null());
}

// --- Replicas ----------------------------------------------------------------------------------------------------

bool MaySeeAll() { return HasRightsOf(session_identity().current_role, kPgReadAllStats); }

void PutLag(RowValues* row, int64_t lag_us) {
  if (lag_us < 0)
    row->Null();
  else
    row->Span(IntervalValue{lag_us, 0, 0});
}

void PutProgress(RowValues* row, int sender, bool may_see) {
  if (!may_see) {
    for (int i = 0; i < 11; ++i) row->Null();
    return;
  }
  const SenderSlot& slot = Sender(sender);
  row->Text(SenderStateName(slot.state.load()));
  for (const auto* lsn : {&slot.sent_lsn, &slot.write_lsn, &slot.flush_lsn, &slot.apply_lsn})
    row->PositionOrNull(Lsn{lsn->load()});
  for (const auto* lag : {&slot.write_lag_us, &slot.flush_lag_us, &slot.apply_lag_us})
    PutLag(row, lag->load());
  row->Int4(slot.sync_priority.load());
  row->Text(SyncStateOf(sender)).TimeOrNull(slot.reply_time.load());
}

template <class PutIdentity>
std::unique_ptr<TableFunction> Senders(PutIdentity&& put_identity) {
  auto set = std::make_unique<RowSet>();
  bool may_see = MaySeeAll();
  for (int i = 0; i < MaxSenderSlots(); ++i) {
    if (Sender(i).state.load() == SenderState::kUnused) continue;
    RowValues row = set->NewRow();
    row.Int4(Sender(i).pid);
    put_identity(&row, Sender(i), may_see);
    PutProgress(&row, i, may_see);
    set->Add(row);
  }
  return set;
}
std::unique_ptr<TableFunction> StartSenders(CallContext&, std::span<const Value>) {
  return Senders([](RowValues*, const SenderSlot&, bool) {});
}

void PutAddress(CallContext& c, RowValues* row, View address) {
  constexpr Oid kInet{869};
  if (address.empty()) {
    row->Null();
    return;
  }
  row->Text(ParseText(TypeOf(kInet), address, c.Io(kInet)).string.view());
}

// One process serves all replicas, so that pg_stat_activity cannot tell them apart: who they are stands in the
// table of senders.
std::unique_ptr<TableFunction> StartReplicas(CallContext& c, std::span<const Value>) {
  return Senders([&](RowValues* row, const SenderSlot& slot, bool may_see) {
    row->ObjectId(slot.role).Text(slot.application_name);
    if (!may_see) {
      for (int i = 0; i < 4; ++i) row->Null();
      return;
    }
    PutAddress(c, row, slot.client_address);
    if (slot.client_port != 0)
      row->Int4(slot.client_port);
    else
      row->Null();
    row->TimeOrNull(slot.started).TransactionOrNull(Xid{slot.feedback_xmin.load()});
  });
}

// --- The receiver ------------------------------------------------------------------------------------------------

View ReceiverStatus(ReceiverState state) {
  switch (state) {
    case ReceiverState::kStopped: return "stopped";
    case ReceiverState::kStarting: return "starting";
    case ReceiverState::kStreaming: return "streaming";
    case ReceiverState::kWaiting: return "waiting";
  }
  return "";
}

std::optional<View> Receiver(CallContext& c) {
  ReceiverInfo info = GetReceiverInfo();
  if (info.pid == 0) return std::nullopt;
  RowValues row(c.arena);
  row.Int4(info.pid);
  if (!MaySeeAll()) {
    for (int i = 0; i < 14; ++i) row.Null();
    return MakeRecord(c, row);
  }
  row.Text(ReceiverStatus(info.state)).PositionOrNull(info.start).Int4(info.start_timeline);
  row.PositionOrNull(info.written).PositionOrNull(info.flushed).Int4(info.timeline);
  row.TimeOrNull(info.last_message_sent).TimeOrNull(info.last_message_received);
  row.PositionOrNull(info.latest_end).TimeOrNull(info.latest_end_time);
  row.TextOrNull(info.connection.slot_name).TextOrNull(info.connection.sender_host);
  if (info.connection.sender_port != 0)
    row.Int4(info.connection.sender_port);
  else
    row.Null();
  return MakeRecord(c, row.TextOrNull(info.connection.conninfo));
}

constexpr ScalarFunction kTable[] = {
    Volatile<&CreateSlot>("pg_create_physical_replication_slot"),
    Volatile<&CopySlotWith>("pg_copy_physical_replication_slot_a"),
    Volatile<&CopySlot>("pg_copy_physical_replication_slot_b"),
    Volatile<&DropSlot>("pg_drop_replication_slot"),
    Volatile<&SlotStatistics>("pg_stat_get_replication_slot"),
    Volatile<&Receiver>("pg_stat_get_wal_receiver"),
};
constexpr SetFunction kSets[] = {
    {"pg_get_replication_slots", true, &StartSlots},
    {"pg_stat_get_wal_senders", true, &StartSenders},
    {"walden_stat_get_replicas", true, &StartReplicas},
};

}  // namespace

std::span<const ScalarFunction> ReplicationFunctions() { return kTable; }
std::span<const SetFunction> ReplicationSetFunctions() { return kSets; }

}  // namespace walden
