#include "node/base/check.h"
#include "node/buffer/relation_storage.h"
#include "node/shm/lwlock.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction_state.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_shared.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

TxnEventInfo InfoOf(const TxnProcess& txn) {
  return {.nest_level = static_cast<int>(txn.levels.size()), .sub_id = txn.levels.back().sub_id};
}

// The record of a savepoint's roll-back: lets a standby forget these xids before the top-level transaction
// ends.
void LogSubAbort(Xid xid, const Xid* children, size_t count) {
  TransactionRecord header{
      .wall_time = WallClockUs(), .flags = kTxnSubtransaction, .sub_count = static_cast<uint32_t>(count)};
  WalRecord record(RecordKind::kTransactionAbort);
  record.SetXid(xid);
  record.AddStruct(header);
  if (count > 0) record.AddData(children, count * sizeof(Xid));
  record.Insert();
}

void RunLevelAbort(TxnProcess& txn) {
  TxnLevel& level = txn.current();
  size_t first = level.first_sub, count = txn.sub_xids.size() - first;
  if (count == 0) return;
  // first_sub is the level's own xid when it has one: a child's assignment gives the parent one first.
  const Xid* xids = txn.sub_xids.data() + first;
  if (WalIsWritable()) LogSubAbort(xids[0], xids + 1, count - 1);
  MarkAborted(xids[0], xids + 1, count - 1);
  txn.sub_xids.resize(first);
}

}  // namespace

int BeginSubtransaction() {
  TxnProcess& txn = OwnTxn();
  CHECK(txn.phase == TxnPhase::kInProgress);
  txn.levels.push_back(
      {kInvalidXid, ++txn.last_sub_id, static_cast<uint32_t>(txn.sub_xids.size()), txn.read_only});
  RefreshOwnXids(txn);
  RunTxnHooks(TxnEvent::kSubBegin, InfoOf(txn));
  return static_cast<int>(txn.levels.size());
}

void CommitSubtransaction() {
  TxnProcess& txn = OwnTxn();
  int level = static_cast<int>(txn.levels.size());
  CHECK(level > 1);
  CommandCounterIncrement();
  RunTxnHooks(TxnEvent::kSubCommit, InfoOf(txn));
  ReassignSubtransactionLocks(level);
  SubCommitPendingFileDrops(level);
  for (auto* actions : {&txn.on_commit, &txn.on_abort}) {
    for (TxnAction& action : *actions) {
      if (action.level == level) action.level = level - 1;
    }
  }
  txn.read_only = txn.current().outer_read_only;
  txn.levels.pop_back();
  RefreshOwnXids(txn);
}

void AbortSubtransaction() noexcept {
  try {
    TxnProcess& txn = OwnTxn();
    int level = static_cast<int>(txn.levels.size());
    CHECK(level > 1);
    HoldInterrupts hold;
    ReleaseAllLwLocks();
    RunActions(txn.on_abort, level);
    while (!txn.on_commit.empty() && txn.on_commit.back().level >= level) txn.on_commit.pop_back();
    RunTxnHooks(TxnEvent::kSubAbort, InfoOf(txn));
    RunLevelAbort(txn);
    SubAbortPendingFileDrops(level);
    ReleaseSubtransactionLocks(level);
    ReleaseAwaitedXidLocks();
    txn.read_only = txn.current().outer_read_only;
    txn.levels.pop_back();
    RefreshOwnXids(txn);
    AdvanceOldestRunning();
  } catch (const std::exception& error) {
    Panic("rollback to savepoint failed: {}", error.what());
  }
}

}  // namespace walden
