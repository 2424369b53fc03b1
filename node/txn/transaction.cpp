#include "node/txn/transaction.h"

#include <algorithm>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/txn/combo_cid.h"
#include "node/txn/id_counters.h"
#include "node/txn/lock_manager.h"
#include "node/txn/multixact_log.h"
#include "node/txn/snapshot.h"
#include "node/txn/transaction_state.h"
#include "node/txn/txn_shared.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {

thread_local constinit OwnXids tls_own_xids{};

thread_local constinit TxnProcess* tls_txn = nullptr;

namespace {

struct RegisteredHook {
  int order;
  TxnHook hook;
};
std::vector<RegisteredHook>& HooksOf(TxnEvent event) {
  static std::vector<RegisteredHook> hooks[kTxnEvents];
  return hooks[static_cast<size_t>(event)];
}

// Process exit: whatever still runs is rolled back, session locks go too.
void EndOfProcess() {
  if (tls_txn->phase != TxnPhase::kIdle) AbortTransaction();
  DropAllSnapshots();
  ReleaseAllLocks();
  ForgetMultiXactCache();
  ResetSeenLsn();
  delete tls_txn;
  tls_txn = nullptr;
}

void AssignXids(TxnProcess& txn) {
  for (size_t i = 0; i < txn.levels.size(); ++i) {
    TxnLevel& level = txn.levels[i];
    if (level.xid.IsValid()) continue;
    if (i == 0) {
      level.xid = AssignXid(kInvalidXid);
    } else {
      txn.sub_xids.reserve(txn.sub_xids.size() + 1);
      level.xid = AssignXid(txn.top());
      txn.sub_xids.push_back(level.xid);
    }
    RefreshOwnXids(txn);
  }
}

}  // namespace

TxnProcess& MakeOwnTxn() {
  tls_txn = new TxnProcess;
  if (self_slot() >= 0) OnProcessExit(EndOfProcess);
  return *tls_txn;
}

void RegisterTxnHook(int order, TxnHook hook, std::initializer_list<TxnEvent> events) {
  for (TxnEvent event : events) {
    auto& hooks = HooksOf(event);
    auto at = std::upper_bound(hooks.begin(), hooks.end(), order,
                               [](int value, const RegisteredHook& other) { return value < other.order; });
    hooks.insert(at, {order, hook});
  }
}

void RunTxnHooks(TxnEvent event, const TxnEventInfo& info) {
  for (const RegisteredHook& registered : HooksOf(event)) registered.hook(event, info);
}

void RefreshOwnXids(TxnProcess& txn) {
  tls_own_xids = {txn.top(), !txn.sub_xids.empty()};
  wal_writer_xid = txn.levels.empty() ? kInvalidXid : txn.current().xid;
}

void BeginTransaction() {
  TxnProcess& txn = OwnTxn();
  CHECK(txn.phase == TxnPhase::kIdle);
  auto isolation = GetEnum<IsolationLevel>(Setting::kDefaultTransactionIsolation);
  if (isolation == IsolationLevel::kSerializable) SetIsolation(isolation);
  TransactionSlot& slot = OwnTransactionSlot();
  txn.phase = TxnPhase::kInProgress;
  txn.isolation = isolation;
  txn.read_only = InRecovery() || GetBool(Setting::kDefaultTransactionReadOnly);
  txn.force_sync = false;
  txn.command = kFirstCommandId;
  txn.command_used = false;
  txn.last_sub_id = 1;
  if (txn.statement_time == 0) txn.statement_time = WallClockUs();
  txn.start_time = txn.statement_time;
  txn.levels.clear();
  txn.levels.push_back(TxnLevel{});
  slot.virtual_local.store(++slot.last_virtual_local, std::memory_order_relaxed);
}

bool InTransaction() { return tls_txn != nullptr && tls_txn->phase != TxnPhase::kIdle; }

void ForceSyncCommit() { OwnTxn().force_sync = true; }

void PrepareTransaction(std::string_view) { throw NotSupported("PREPARE TRANSACTION"); }

IsolationLevel CurrentIsolation() { return OwnTxn().isolation; }

void SetIsolation(IsolationLevel level) {
  if (level == IsolationLevel::kSerializable) {
    throw NotSupported("transaction isolation level \"serializable\"")
        .WithHint("Use REPEATABLE READ, which gives snapshot isolation.");
  }
  OwnTxn().isolation = level;
}

bool TransactionReadOnly() { return OwnTxn().read_only; }
void SetTransactionReadOnly(bool read_only) { OwnTxn().read_only = read_only || InRecovery(); }

TimestampUs TransactionStartTime() { return OwnTxn().start_time; }
TimestampUs StatementStartTime() { return OwnTxn().statement_time; }
void SetStatementStartTime(TimestampUs at) { OwnTxn().statement_time = at; }

int NestLevel() { return static_cast<int>(OwnTxn().levels.size()); }
uint32_t CurrentSubId() { return OwnTxn().current().sub_id; }

Xid CurrentXid() {
  TxnProcess& txn = OwnTxn();
  DCHECK(txn.phase == TxnPhase::kInProgress || txn.phase == TxnPhase::kCommitting);
  if (!txn.current().xid.IsValid()) AssignXids(txn);
  return txn.current().xid;
}

Xid CurrentXidIfAny() { return InTransaction() ? OwnTxn().current().xid : kInvalidXid; }
Xid TopXidIfAny() { return InTransaction() ? OwnTxn().top() : kInvalidXid; }

Xid TopXid() {
  TxnProcess& txn = OwnTxn();
  if (!txn.top().IsValid()) {
    txn.levels.front().xid = AssignXid(kInvalidXid);
    RefreshOwnXids(txn);
  }
  return txn.top();
}

bool IsCurrentSubXid(Xid xid) {
  const std::vector<Xid>& subs = OwnTxn().sub_xids;
  return std::binary_search(subs.begin(), subs.end(), xid);
}

CommandId CurrentCommandId(bool used) {
  if (tls_txn == nullptr) return kFirstCommandId;
  if (used) tls_txn->command_used = true;
  return tls_txn->command;
}

void CommandCounterIncrement() {
  TxnProcess& txn = OwnTxn();
  if (!txn.command_used) return;
  if (txn.command + 1 == kInvalidCommandId) {
    throw SqlError(ErrorCode::kProgramLimitExceeded,
                   "cannot have more than 2^32-2 commands in a transaction");
  }
  ++txn.command;
  txn.command_used = false;
  RunTxnHooks(TxnEvent::kCommand, {});
}

uint64_t CurrentVirtualLocal() { return OwnTransactionSlot().virtual_local.load(std::memory_order_relaxed); }

void OnCommit(void (*action)(void*), void* argument) {
  OwnTxn().on_commit.push_back({action, argument, NestLevel()});
}
void OnAbort(void (*action)(void*), void* argument) {
  OwnTxn().on_abort.push_back({action, argument, NestLevel()});
}

void RunActions(std::vector<TxnAction>& actions, int level) {
  while (!actions.empty() && actions.back().level >= level) {
    TxnAction last = actions.back();
    actions.pop_back();
    last.action(last.argument);
  }
}

}  // namespace walden
