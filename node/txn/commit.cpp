// The end of a top-level transaction. The order of steps is DESIGN §4; README.md has the argument.
#include <optional>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/buffer/relation_storage.h"
#include "node/txn/combo_cid.h"
#include "node/txn/csn_window.h"
#include "node/txn/lease.h"
#include "node/txn/lock_manager.h"
#include "node/txn/snapshot.h"
#include "node/txn/transaction_state.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_shared.h"
#include "node/txn/txn_state.h"
#include "node/txn/untold.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

// What a commit or abort record says, gathered while errors are still harmless.
struct EndRecord {
  TransactionRecord header{};
  std::vector<RelFileLocator> drops;
  std::string_view invalidations;

  void AddTo(WalRecord& record, const Xid* subs) {
    record.AddStruct(header);
    if (header.sub_count > 0) record.AddData(subs, header.sub_count * sizeof(Xid));
    if (!drops.empty()) record.AddData(drops.data(), drops.size() * sizeof(RelFileLocator));
    if (!invalidations.empty()) record.AddData(invalidations);
  }
};

EndRecord Gather(TxnProcess& txn, bool commit) {
  EndRecord end;
  if (HasPendingFileDrops()) end.drops = PendingFileDrops(commit);
  if (commit && !end.drops.empty()) txn.force_sync = true;  // no file may go before the record is durable
  end.header.wall_time = WallClockUs();
  end.header.database = OidNumber(self().database.load(std::memory_order_relaxed));
  end.header.sub_count = static_cast<uint32_t>(txn.sub_xids.size());
  end.header.drop_count = static_cast<uint32_t>(end.drops.size());
  if (commit) {
    txn.invalidations.clear();
    bool catalog_changed = false;
    RunTxnHooks(TxnEvent::kCommitData,
                {.invalidations = &txn.invalidations, .catalog_changed = &catalog_changed});
    end.invalidations = txn.invalidations;
    end.header.invalidation_bytes = static_cast<uint32_t>(txn.invalidations.size());
    if (catalog_changed) end.header.flags |= kTxnCatalogChanged;
  }
  return end;
}

void SecureClogPages(const TxnProcess& txn) {
  ClogPreload(txn.top());
  for (Xid sub : txn.sub_xids) ClogPreload(sub);
}

// Reserves, publishes and writes the commit record; opens the critical section in `section` at the
// reservation.
Lsn PublishCommit(TxnProcess& txn, std::optional<CriticalSection>& section) {
  Xid top = txn.top();
  EndRecord end = Gather(txn, true);
  EnsureWalSpace();
  SecureClogPages(txn);
  csn::PinnedEntry entry(top);
  WalRecord record(RecordKind::kTransactionCommit);
  record.SetXid(top);
  end.AddTo(record, txn.sub_xids.data());
  record.Prepare();
  MaybeFault(FaultPoint::kBeforeCommitRecord);

  DelayCheckpoint delay;  // from before the record's position is fixed until the CLOG has it
  txn_shared->commit_latch.Acquire(LwMode::kExclusive);
  if (!LeaseHeld()) {
    txn_shared->commit_latch.Release();
    throw LeaseLost();
  }
  section.emplace();
  Lsn csn = record.Reserve();
  MaybeFault(FaultPoint::kCommitReserved);
  entry.Store(csn.value);
  txn_shared->published.store(csn.value, std::memory_order_seq_cst);
  txn_shared->commit_latch.Release();
  record.Finish();
  MaybeFault(FaultPoint::kAfterCommitRecord);

  ClogSetCommitted(top, csn);
  for (Xid sub : txn.sub_xids) ClogSetCommitted(sub, csn);
  for (Xid sub : txn.sub_xids) csn::Write(sub, csn.value);
  return csn;
}

// From here on waiters find no owner to wait for; see WaitForXid.
void LeaveSlot() {
  OwnTransactionSlot().xid.store(0, std::memory_order_release);
  OwnTransactionSlot().virtual_local.store(0, std::memory_order_release);
}

bool IsClientBackend() { return self().kind.load(std::memory_order_relaxed) == ProcessKind::kBackend; }

// A session that ends while it waits for standbys leaves no dropped files behind: the commit stands on this node as soon
// as it is flushed here.
void AwaitDropsDurable(Lsn csn, DurabilityLevel level) {
  try {
    WaitUntilDurable(csn, level);
  } catch (...) {
    Flush(csn);
    ExecutePendingFileDrops(true);
    throw;
  }
}

// After the commit is durable as far as this session asks: what cannot be undone.
void FinishFiles(bool forced, Lsn csn) {
  DurabilityLevel level = SessionDurabilityLevel();
  if (csn.IsValid()) {
    if (forced) {
      AwaitDropsDurable(csn, level == DurabilityLevel::kOff ? DurabilityLevel::kLocal : level);
    } else if (level == DurabilityLevel::kOff || !IsClientBackend()) {
      RequestFlush(csn);  // nobody will wait for it at a socket
    }
  }
  if (!HasPendingFileDrops()) return;
  MaybeFault(FaultPoint::kCommitBeforeFileDrops);
  ExecutePendingFileDrops(true);
}

void PrepareCommit(TxnProcess& txn) {
  if (txn.levels.size() != 1) {
    Log(Severity::kWarning, "CommitTransaction: unreleased savepoint at level {}", txn.levels.size());
    while (txn.levels.size() > 1) CommitSubtransaction();
  }
  RunTxnHooks(TxnEvent::kPreCommit, {});
  txn.phase = TxnPhase::kCommitting;
  if (HasPendingFileDrops() && !txn.top().IsValid() && !PendingFileDrops(true).empty()) CurrentXid();
}

void WriteAbort(TxnProcess& txn) {
  Xid top = txn.top();
  if (!top.IsValid()) return;
  if (WalIsWritable()) {
    EndRecord end = Gather(txn, false);
    WalRecord record(RecordKind::kTransactionAbort);
    record.SetXid(top);
    end.AddTo(record, txn.sub_xids.data());
    record.Insert();
  }
  MarkAborted(top, txn.sub_xids.data(), txn.sub_xids.size());
}

}  // namespace

void MarkAborted(Xid xid, const Xid* subs, size_t sub_count) {
  // Subtransactions first: once the top's entry is final, nobody may find a live pointer to it.
  for (size_t i = 0; i < sub_count; ++i) csn::Write(subs[i], csn::kAborted);
  if (xid.IsValid()) csn::Write(xid, csn::kAborted);
}

void FinishTransactionState(TxnProcess& txn) {
  txn.levels.clear();
  txn.sub_xids.clear();
  txn.on_commit.clear();
  txn.on_abort.clear();
  RefreshOwnXids(txn);
  ForgetComboCids();
  ForgetContents();
  txn.statement_time = 0;
  txn.phase = TxnPhase::kIdle;
}

CommitResult CommitTransaction() {
  TxnProcess& txn = OwnTxn();
  CHECK(txn.phase == TxnPhase::kInProgress);
  PrepareCommit(txn);
  CommitResult result{kInvalidLsn, txn.top()};
  bool forced;
  {
    HoldInterrupts hold;
    std::optional<CriticalSection> section;
    if (result.xid.IsValid()) {
      result.csn = PublishCommit(txn, section);
    }
    // A pin that outlives its transaction would make whoever drops or vacuums the page's relation wait for ever.
    DCHECK(HeldPins() == 0);
    if (int left = HeldPins(); left > 0) {
      Log(Severity::kWarning, "{} buffer pins were still held at commit", left);
      ReleaseAllPins();
    }
    LeaveSlot();
    RunTxnHooks(TxnEvent::kPublish, {.csn = result.csn});
    EndTransactionSnapshots();
    ReleaseTransactionLocks();
  }
  if (result.xid.IsValid()) AdvanceOldestRunning();
  forced = txn.force_sync;
  RaiseSeenLsn(result.csn);
  RunActions(txn.on_commit, 1);
  RunTxnHooks(TxnEvent::kCommitted, {.csn = result.csn});
  FinishTransactionState(txn);
  FinishFiles(forced, result.csn);
  RunTxnHooks(TxnEvent::kDurable, {.csn = result.csn});
  return result;
}

void AbortTransaction() noexcept {
  try {
    TxnProcess& txn = OwnTxn();
    HoldInterrupts hold;
    ReleaseAllLwLocks();
    ReleaseAllPins();
    if (txn.phase == TxnPhase::kIdle) {
      DropAllSnapshots();
      ReleaseTransactionLocks();
      return;
    }
    txn.phase = TxnPhase::kAborting;
    while (txn.levels.size() > 1) AbortSubtransaction();
    RunActions(txn.on_abort, 1);
    RunTxnHooks(TxnEvent::kAbort, {});
    DropAllSnapshots();
    WriteAbort(txn);
    LeaveSlot();
    if (txn.top().IsValid()) AdvanceOldestRunning();
    if (HasPendingFileDrops()) MaybeFault(FaultPoint::kAbortBeforeFileDrops);
    ExecutePendingFileDrops(false);
    ReleaseTransactionLocks();
    RunTxnHooks(TxnEvent::kAborted, {});
    FinishTransactionState(txn);
  } catch (const std::exception& error) {
    Panic("rollback failed: {}", error.what());
  }
}

}  // namespace walden
