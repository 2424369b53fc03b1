#include "node/server/composition.h"

#include "node/access/btree/records.h"
#include "node/access/heap/heap_records.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/buffer/relation_storage.h"
#include "node/catalog/builtin.h"
#include "node/catalog/database_records.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/orphaned_files.h"
#include "node/catalog/row_types.h"
#include "node/config/settings.h"
#include "node/pgwire/client_access_functions.h"
#include "node/pgwire/password.h"
#include "node/recovery/background_processes.h"
#include "node/recovery/basic_archive.h"
#include "node/recovery/recovery_target.h"
#include "node/recovery/xlog_records.h"
#include "node/server/metric_sources.h"
#include "node/session/notifications.h"
#include "node/session/session_functions.h"
#include "node/sql/binder/updatable_functions.h"
#include "node/sql/commands/commands.h"
#include "node/sql/commands/sequence_storage.h"
#include "node/sql/commands/setting_values.h"
#include "node/sql/commands/verification.h"
#include "node/sql/executor/deferred_checks.h"
#include "node/sql/executor/ordered_set.h"
#include "node/sql/executor/window_call.h"
#include "node/sql/functions/registry.h"
#include "node/sql/query/definition_functions.h"
#include "node/stats/counters.h"
#include "node/txn/sender_slots.h"
#include "node/txn/transaction_hooks.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_state.h"
#include "node/types/datetime.h"
#include "node/types/text_format.h"
#include "node/types/timezone.h"
#include "node/wal/record_handler.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

void BindRecords() {
  BindRecordHandlers(StorageRecordHandlers());
  BindRecordHandlers(XlogRecordHandlers());
  BindRecordHandlers(TxnRecordHandlers());
  BindRecordHandlers(HeapRecordHandlers());
  BindRecordHandlers(btree::BtreeRecordHandlers());
  BindRecordHandlers(DatabaseRecordHandlers());
  BindRecordHandlers(SequenceRecordHandlers());
  CheckRecordHandlersComplete();
  BindInvalidationRedo(
      [](std::string_view messages, uint32_t, bool) { SendReplayedInvalidations(messages); });
}

void BindCheckpointParts() { RegisterCheckpointPart(TxnCheckpointPart()); }

// The order in which modules act when a transaction ends: invalidations are the catalog's (InstallCatalogHooks), counting last.
constexpr int kStatsHookOrder = 900;

void CountTransactions(TxnEvent event, const TxnEventInfo& info) {
  switch (event) {
    case TxnEvent::kCommitted: StatsAtTransactionEnd(true); break;
    case TxnEvent::kAborted: StatsAtTransactionEnd(false); break;
    case TxnEvent::kSubCommit: StatsAtSubtransactionEnd(info.nest_level, true); break;
    case TxnEvent::kSubAbort: StatsAtSubtransactionEnd(info.nest_level, false); break;
    default: break;
  }
}

// A built-in is there when its C++ is: scalar and set-returning functions by prosrc (those that PostgreSQL writes in
// SQL by their name), aggregates and window functions by OID.
bool IsImplemented(const BuiltinFunction& function) {
  if (function.kind == 'a')
    return FindAggregate(function.oid) != nullptr || IsOrderedSetAggregate(function.oid);
  if (function.kind == 'w') return IsWindowFunction(function.oid);
  return HasFunction(function.source.empty() ? function.name : function.source);
}

void BindArchiveLibrary() {
  InstallSettingHooks(Setting::kArchiveLibrary,
                      {.check = [](ProposedValue& value) { CheckArchiveLibrary(value.text); }});
  CheckArchiveLibrary(GetString(Setting::kArchiveLibrary));
}

void BindFaultPoints() {
  InstallSettingHooks(Setting::kWaldenFaultPoints,
                      {.check = [](ProposedValue& value) { CheckFaultPoints(value.text); },
                       .assign = [] { ArmFaultPoints(GetString(Setting::kWaldenFaultPoints)); }});
  ArmFaultPoints(GetString(Setting::kWaldenFaultPoints));
}

// recovery_target_time: what depends on when it is read means nothing.
TimestampUs ParseTargetTime(const std::string& text) {
  auto invalid = [&] {
    return SqlError(ErrorCode::kInvalidParameterValue,
                    "invalid value for parameter \"recovery_target_time\": \"{}\"", text);
  };
  for (const char* word : {"now", "today", "tomorrow", "yesterday"}) {
    if (text == word) throw invalid();
  }
  TextFormat format;
  format.zone = TimeZone::Find(GetString(Setting::kTimeZone));
  try {
    return ParseTimestampTz(text, format);
  } catch (const SqlError& error) {
    throw invalid().WithDetail(error.what());
  }
}

}  // namespace

void ComposeNode() {
  static bool composed = false;
  if (composed) return;
  composed = true;
  BindFaultPoints();
  BindArchiveLibrary();
  BindRecords();
  BindCheckpointParts();
  BindRecoveryHooks();
  AddScalarFunctions(DefinitionFunctions());
  AddScalarFunctions(UpdatableFunctions());
  InstallCommandHooks();
  InstallDeferredChecks();
  SetPasswordEncoder(EncodeRolePassword);
  AddScalarFunctions(SequenceFunctions());
  AddScalarFunctions(VerificationFunctions());
  AddSetFunctions(VerificationSetFunctions());
  AddSetFunctions(SessionSetFunctions());
  AddScalarFunctions(NotificationFunctions());
  AddSetFunctions(NotificationSetFunctions());
  InstallNotificationHooks();
  AddScalarFunctions(ClientAccessFunctions());
  AddSetFunctions(ClientAccessSetFunctions());
  BindTimestampParser(ParseTargetTime);
  InstallBuiltins(IsImplemented);
  InstallCatalogHooks();
  SetTypeResolver(ResolveStoredType);
  RegisterTxnHook(kStatsHookOrder, CountTransactions,
                  {TxnEvent::kCommitted, TxnEvent::kAborted, TxnEvent::kSubCommit, TxnEvent::kSubAbort});
  BindRecoveryEnd(RemoveOrphanedFiles);
  RegisterMetricSources();
  OnFlushed([](Lsn) { WakeSendersForWal(); });
  InstallValueHooks();
}

}  // namespace walden
