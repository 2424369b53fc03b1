#include "node/txn/txn_state.h"

#include <algorithm>
#include <cstdio>
#include <new>

#include "node/base/check.h"
#include "node/os/file.h"
#include "node/shm/interrupts.h"
#include "node/shm/latch.h"
#include "node/storage/sync_queue.h"
#include "node/txn/clog.h"
#include "node/txn/csn_window.h"
#include "node/txn/durability.h"
#include "node/txn/horizon.h"
#include "node/txn/id_counters.h"
#include "node/txn/lease.h"
#include "node/txn/multixact.h"
#include "node/txn/multixact_log.h"
#include "node/txn/notify_queue.h"
#include "node/txn/page_log.h"
#include "node/txn/standby_locks.h"
#include "node/txn/transaction_slots.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_shared.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {

TxnShared* txn_shared = nullptr;

namespace {

void Save(CheckpointData* data, bool shutdown) {
  {
    LwLockGuard guard(txn_shared->xid_lock, LwMode::kShared);
    data->next_xid = txn_shared->next_xid.load();
    data->oldest_running_xid = txn_shared->oldest_running.load();
    // Announced before the redo point, so replay may not meet the record.
    data->reserved[0] = shutdown ? data->next_xid : txn_shared->xid_limit;
  }
  data->oldest_xid = txn_shared->oldest_clog_xid.load();
  MultiXactCounters multi = CurrentMultiXactCounters();
  data->next_multixact = multi.next_multi;
  data->next_multixact_member = multi.next_member;
  data->oldest_multixact = multi.oldest_multi;
  LwLockGuard guard(txn_shared->oid_lock, LwMode::kShared);
  data->next_oid = txn_shared->next_oid.load() + (shutdown ? 0 : txn_shared->oids_left);
}

// Entries for xids that had ended before the checkpoint's redo point, from the CLOG.
void FillPage(uint64_t page, Xid oldest_running, Xid next) {
  csn::CreatePage(page);
  uint64_t first = page * kXidsPerCsnPage, end = std::min(first + kXidsPerCsnPage, next.value);
  for (uint64_t value = std::max(first, kFirstNormalXid.value); value < end; ++value) {
    Xid xid{value};
    if (ClogIsCommitted(xid)) {
      csn::Write(xid, csn::kCommittedLongAgo);
    } else if (xid < oldest_running) {
      csn::Write(xid, csn::kAborted);
    }
  }
}

void Restore(const CheckpointData& data) {
  page_log_accepts_torn_pages.store(true);
  SetInRecovery(true);
  if (!PathExists("pg_csn")) MakeDirectory("pg_csn");
  ResetNotifyQueue();
  RaiseTo(txn_shared->published, data.redo);  // all that had ended before it is visible
  Xid next{std::max(data.next_xid, kFirstNormalXid.value)};
  Xid oldest{data.oldest_running_xid != 0 ? data.oldest_running_xid : next.value};
  txn_shared->oldest_running.store(oldest.value);
  txn_shared->next_xid.store(next.value);
  txn_shared->xid_limit = next.value;
  txn_shared->redo_xid_limit.store(data.reserved[0]);
  txn_shared->oldest_clog_xid.store(data.oldest_xid);
  txn_shared->next_oid.store(data.next_oid);
  txn_shared->oids_left = 0;
  RaiseMultiXactCounters({data.next_multixact, data.next_multixact_member, data.oldest_multixact});
  csn::Reset(oldest);
  for (uint64_t page = csn::PageOf(oldest); page <= csn::PageOf(next); ++page) FillPage(page, oldest, next);
}

void Replay(const CheckpointData& data, bool shutdown) {
  if (data.next_xid > kFirstNormalXid.value) ObserveRedoXid(Xid{data.next_xid - 1});
  RaiseTo(txn_shared->redo_xid_limit, data.reserved[0]);
  RaiseMultiXactCounters({data.next_multixact, data.next_multixact_member, data.oldest_multixact});
  txn_shared->next_oid.store(data.next_oid);
  if (shutdown) ReplayAbortOfAllRunning();
}

void WriteDirtyPages(bool) {
  ClogWriteDirty();
  MultiXactWriteDirty();
}

// Marks what has neither committed nor aborted below `end` as aborted.
void AbortRunningBelow(Xid end) {
  for (uint64_t xid = txn_shared->oldest_running.load(); xid < end.value; ++xid) {
    uint64_t entry;
    if (!csn::Read(Xid{xid}, &entry)) {
      xid = (csn::PageOf(Xid{xid}) + 1) * kXidsPerCsnPage - 1;
    } else if (!csn::IsFinished(entry)) {
      csn::Write(Xid{xid}, csn::kAborted);
    }
  }
  AdvanceOldestRunning();
  ReleaseStandbyLocksBelow(end);
}

void PathOfXact(const SyncTag& tag, char* path, size_t size) {
  PageLog::PathOf("pg_xact", tag.segment, path, size);
}
void PathOfOffsets(const SyncTag& tag, char* path, size_t size) {
  PageLog::PathOf("pg_multixact/offsets", tag.segment, path, size);
}
void PathOfMembers(const SyncTag& tag, char* path, size_t size) {
  PageLog::PathOf("pg_multixact/members", tag.segment, path, size);
}

}  // namespace

CheckpointPart TxnCheckpointPart() {
  BindSyncPath(SyncKind::kXact, PathOfXact);
  BindSyncPath(SyncKind::kMultiXactOffsets, PathOfOffsets);
  BindSyncPath(SyncKind::kMultiXactMembers, PathOfMembers);
  return {.name = "transactions",
          .save = Save,
          .restore = Restore,
          .replay = Replay,
          .flush = WriteDirtyPages,
          .after = [](const CheckpointData&) { TrimCsnWindow(); }};
}

void TrimCsnWindow() { csn::Trim(); }

void BootstrapTxnFiles() {
  for (const char* directory : {"pg_xact", "pg_multixact", "pg_multixact/offsets", "pg_multixact/members"}) {
    MakeDirectory(directory);
  }
}

void ObserveRedoXid(Xid xid) {
  if (xid.value < txn_shared->next_xid.load(std::memory_order_relaxed)) return;
  LwLockGuard guard(txn_shared->xid_lock, LwMode::kExclusive);
  uint64_t next = txn_shared->next_xid.load(std::memory_order_relaxed);
  if (xid.value < next) return;
  for (uint64_t page = csn::PageOf(Xid{next}) + 1; page <= csn::PageOf(xid.Next()); ++page)
    csn::CreatePage(page);
  txn_shared->next_xid.store(xid.value + 1, std::memory_order_seq_cst);
}

void PublishReplayed(Lsn visible) {
  RaiseTo(txn_shared->published, visible.value);
  AdvanceOldestRunning();
}

void AnnounceSettled(Lsn settled) {
  txn_shared->announced_settled.store(settled.value, std::memory_order_seq_cst);
  if (ReplayAwaitsSettled()) SlotAt(SlotsOf(ProcessKind::kStartup).first).latch.Set();
}

Lsn AnnouncedSettledLsn() { return Lsn{txn_shared->announced_settled.load(std::memory_order_seq_cst)}; }

bool ReplayAwaitsSettled() { return txn_shared->replay_awaits_settled.load(std::memory_order_seq_cst); }

namespace {
bool (*settled_wait_is_over)() = nullptr;
}
void BindSettledWait(bool (*is_over)()) { settled_wait_is_over = is_over; }

void AwaitAnnouncedSettled(Lsn csn) {
  if (AnnouncedSettledLsn() >= csn) return;
  struct Waiting {
    Waiting() { txn_shared->replay_awaits_settled.store(true, std::memory_order_seq_cst); }
    ~Waiting() { txn_shared->replay_awaits_settled.store(false, std::memory_order_seq_cst); }
  } waiting;
  constexpr int64_t kLookAroundMs = 1000;  // a trigger file sets no latch
  for (;;) {
    self().latch.Reset();
    if (AnnouncedSettledLsn() >= csn || InterruptPending(Interrupt::kPromote)) return;
    CheckInterrupts();
    if (settled_wait_is_over != nullptr && settled_wait_is_over()) return;
    WaitLatch(kLookAroundMs, WaitEvent::kRecoveryApply);
  }
}

bool InRecovery() { return txn_shared->in_recovery.load(std::memory_order_acquire); }
void SetInRecovery(bool in_recovery) {
  txn_shared->in_recovery.store(in_recovery, std::memory_order_release);
}

void RaiseRedoXidLimit(uint64_t limit) { RaiseTo(txn_shared->redo_xid_limit, limit); }

void ReplayAbortBelow(Xid oldest_running) { AbortRunningBelow(oldest_running); }
void ReplayAbortOfAllRunning() { AbortRunningBelow(NextXid()); }

void TxnEndRecovery(Lsn end, bool clean) {
  uint64_t limit = txn_shared->redo_xid_limit.load();
  if (!clean && limit > kFirstNormalXid.value) ObserveRedoXid(Xid{limit - 1});
  RaiseTo(txn_shared->published, end.value);
  AbortRunningBelow(NextXid());
  CHECK(OldestRunningXid() == NextXid());
  txn_shared->xid_limit = NextXid().value;  // the first assignment reserves a batch in the new WAL
  page_log_accepts_torn_pages.store(false);
  SetInRecovery(false);
}

Xid OldestClogXid() { return Xid{txn_shared->oldest_clog_xid.load()}; }

void TruncateTransactionLogs(Xid oldest_xid, MultiXactId oldest_multi) {
  csn::Trim();
  oldest_xid = std::min({oldest_xid, OldestRunningXid(), csn::FloorXid()});
  if (oldest_xid.value <= txn_shared->oldest_clog_xid.load()) oldest_xid = kInvalidXid;
  EnsureWalSpace();
  Lsn end;
  auto log = [&end](RecordKind kind, uint64_t oldest) {
    TruncateRecord body{oldest};
    WalRecord record(kind);
    record.SetXid(kInvalidXid);
    record.AddStruct(body);
    end = record.Insert();
  };
  if (oldest_xid.IsValid()) log(RecordKind::kClogTruncate, oldest_xid.value);
  log(RecordKind::kMultiXactTruncate, oldest_multi.value);
  Flush(end);
  if (oldest_xid.IsValid()) TruncateClog(oldest_xid);
  TruncateMultiXacts(oldest_multi);
}

Lsn LogRunningTransactions() {
  // Oldest first: what had ended by then has its record before this one.
  RunningXactsRecord running{};
  running.oldest_running = OldestRunningXid().value;
  running.next_xid = NextXid().value;
  WalRecord record(RecordKind::kRunningXacts);
  record.SetXid(kInvalidXid);
  record.AddStruct(running);
  return record.Insert();
}

TransactionSlot& TransactionSlotOf(int slot) { return txn_shared->slots()[slot]; }
int TransactionSlotCount() { return txn_shared->slot_count; }

size_t TransactionAreaSize() {
  return sizeof(TxnShared) + 128 + static_cast<size_t>(MaxProcessSlots()) * sizeof(TransactionSlot);
}

void TransactionAreaInit(void* at) {
  static_assert(sizeof(TxnShared) % alignof(TransactionSlot) == 0);
  txn_shared = new (at) TxnShared{};
  txn_shared->xid_lock.Init(LwRank::kXidGeneration);
  txn_shared->commit_latch.Init(LwRank::kCommit);
  txn_shared->oid_lock.Init(LwRank::kOidGeneration);
  txn_shared->next_xid.store(kFirstNormalXid.value);
  txn_shared->oldest_running.store(kFirstNormalXid.value);
  txn_shared->next_oid.store(OidNumber(kFirstNormalOid));
  txn_shared->announced_settled.store(kMaxLsn.value);
  txn_shared->in_recovery.store(true);
  txn_shared->lease_deadline_us.store(kNoLeaseNeeded);
  lease_deadline_word = &txn_shared->lease_deadline_us;
  txn_shared->slot_count = MaxProcessSlots();
  for (int i = 0; i < txn_shared->slot_count; ++i) {
    TransactionSlot* slot = new (txn_shared->slots() + i) TransactionSlot{};
    slot->snapshot_csn.store(UINT64_MAX);
  }
}

}  // namespace walden
