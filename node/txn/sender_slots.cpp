#include "node/txn/sender_slots.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <new>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/shm/lwlock.h"
#include "node/shm/process.h"
#include "node/txn/sync_wait.h"
#include "node/txn/txn_shared.h"

namespace walden {
namespace {

struct SenderTable {
  LwLock lock;  // kSyncRep
  int32_t slot_count;
  int32_t waiter_slots;
  // The configuration in force. Guarded by: lock; `required` is also read without it.
  std::atomic<int32_t> required;  // 0 = no synchronous replication
  bool any;
  std::atomic<uint64_t> quorum_write, quorum_flush,
      quorum_apply;  // raised only, while the configuration stands
  std::atomic<int32_t> waiters;
  std::atomic<int32_t> in_use;          // claimed slots
  std::atomic<bool> await_wal;          // the walsender is to be woken for WAL
  std::atomic<uint64_t> slot_feedback;  // UINT64_MAX = none

  SenderSlot* senders() { return reinterpret_cast<SenderSlot*>(this + 1); }
  // wait_lsns()[process slot]: the LSN waited for, 0 = none.
  std::atomic<uint64_t>* wait_lsns() {
    return reinterpret_cast<std::atomic<uint64_t>*>(senders() + slot_count);
  }
};
SenderTable* table;

struct Candidate {
  int priority;
  int pid;
  uint64_t write, flush, apply;
};

std::vector<Candidate> SyncCandidates() {
  std::vector<Candidate> candidates;
  for (int i = 0; i < table->slot_count; ++i) {
    SenderSlot& sender = table->senders()[i];
    SenderState state = sender.state.load();
    int priority = sender.sync_priority.load();
    if ((state != SenderState::kStreaming && state != SenderState::kStopping) || priority == 0) continue;
    uint64_t flush = sender.flush_lsn.load();
    if (flush == 0) continue;
    candidates.push_back({priority, sender.pid, sender.write_lsn.load(), flush, sender.apply_lsn.load()});
  }
  return candidates;
}

// The position that `required` of the candidates have reached, the k-th highest.
uint64_t KthHighest(const std::vector<Candidate>& candidates, int k, uint64_t Candidate::* position) {
  std::vector<uint64_t> values;
  for (const Candidate& candidate : candidates) values.push_back(candidate.*position);
  std::sort(values.begin(), values.end(), std::greater<>());
  return values[static_cast<size_t>(k) - 1];
}

void WakeSatisfied(uint64_t upto) {
  if (table->waiters.load(std::memory_order_seq_cst) == 0) return;
  for (int i = 0; i < table->waiter_slots; ++i) {
    uint64_t lsn = table->wait_lsns()[i].load(std::memory_order_seq_cst);
    if (lsn != 0 && lsn <= upto) SlotAt(i).latch.Set();
  }
}

// Requires: table->lock, exclusive.
void RecomputeQuorum() {
  int required = table->required.load();
  if (required == 0) return WakeSatisfied(UINT64_MAX);
  std::vector<Candidate> candidates = SyncCandidates();
  if (static_cast<int>(candidates.size()) < required) return;
  if (!table->any) {
    // FIRST k: the k of highest priority must all have it.
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
      return a.priority != b.priority ? a.priority < b.priority : a.pid < b.pid;
    });
    candidates.resize(static_cast<size_t>(required));
  }
  RaiseTo(table->quorum_write, KthHighest(candidates, required, &Candidate::write));
  RaiseTo(table->quorum_flush, KthHighest(candidates, required, &Candidate::flush));
  RaiseTo(table->quorum_apply, KthHighest(candidates, required, &Candidate::apply));
  WakeSatisfied(
      std::max({table->quorum_write.load(), table->quorum_flush.load(), table->quorum_apply.load()}));
}

void CopyName(char (&to)[64], std::string_view from) {
  std::snprintf(to, sizeof(to), "%.*s", static_cast<int>(from.size()), from.data());
}

}  // namespace

std::string_view SenderStateName(SenderState state) {
  switch (state) {
    case SenderState::kUnused: return "";
    case SenderState::kStartup: return "startup";
    case SenderState::kBackup: return "backup";
    case SenderState::kCatchup: return "catchup";
    case SenderState::kStreaming: return "streaming";
    case SenderState::kStopping: return "stopping";
  }
  return "";
}

int MaxSenderSlots() { return table->slot_count; }
SenderSlot& Sender(int sender) { return table->senders()[sender]; }

void WakeSenders() {
  if (table->in_use.load(std::memory_order_seq_cst) == 0) return;
  SlotAt(SlotsOf(ProcessKind::kWalSender).first).latch.Set();
}

void WakeSendersForWal() {
  if (table->await_wal.load(std::memory_order_seq_cst)) WakeSenders();
}

void SetSendersAwaitWal(bool await) { table->await_wal.store(await, std::memory_order_seq_cst); }

int ClaimSenderSlot(std::string_view application_name, std::string_view role_name, Oid role,
                    std::string_view client_address, int client_port) {
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  for (int i = 0; i < table->slot_count; ++i) {
    SenderSlot& sender = Sender(i);
    if (sender.state.load() != SenderState::kUnused) continue;
    sender.sync_priority.store(
        ParseSyncStandbyNames(GetString(Setting::kSynchronousStandbyNames)).PriorityOf(application_name));
    sender.pid = self().pid.load();
    sender.role = role;
    sender.started = WallClockUs();
    CopyName(sender.role_name, role_name);
    CopyName(sender.application_name, application_name);
    CopyName(sender.client_address, client_address);
    sender.client_port = client_port;
    for (auto* lsn : {&sender.sent_lsn, &sender.write_lsn, &sender.flush_lsn, &sender.apply_lsn})
      lsn->store(0);
    for (auto* lag : {&sender.write_lag_us, &sender.flush_lag_us, &sender.apply_lag_us}) lag->store(-1);
    sender.reply_time.store(0);
    sender.feedback_lsn.store(UINT64_MAX);
    sender.feedback_xmin.store(0);
    for (std::atomic<int64_t>& value : sender.backup_progress) value.store(0);
    sender.state.store(SenderState::kStartup);
    table->in_use.fetch_add(1, std::memory_order_seq_cst);
    return i;
  }
  throw SqlError(ErrorCode::kTooManyConnections,
                 "number of requested standby connections exceeds max_wal_senders (currently {})",
                 table->slot_count);
}

void ReleaseSenderSlot(int sender) {
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  Sender(sender).state.store(SenderState::kUnused);
  table->in_use.fetch_sub(1, std::memory_order_seq_cst);
  Sender(sender).feedback_lsn.store(UINT64_MAX);
  RecomputeQuorum();
}

void ReportStandbyPositions(int sender, Lsn write, Lsn flush, Lsn apply) {
  SenderSlot& slot = Sender(sender);
  RaiseTo(slot.write_lsn, write.value);
  RaiseTo(slot.flush_lsn, flush.value);
  RaiseTo(slot.apply_lsn, apply.value);
  slot.reply_time.store(WallClockUs(), std::memory_order_relaxed);
  if (slot.sync_priority.load() == 0) return;
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  RecomputeQuorum();
}

namespace {

// Requires: table->lock, exclusive.
void AssignPriorities(const SyncStandbyConfig& config) {
  for (int i = 0; i < table->slot_count; ++i) {
    SenderSlot& sender = Sender(i);
    if (sender.state.load() != SenderState::kUnused)
      sender.sync_priority.store(config.PriorityOf(sender.application_name));
  }
  RecomputeQuorum();
}

}  // namespace

void ApplySyncStandbyNames(std::string_view text) {
  SyncStandbyConfig config = ParseSyncStandbyNames(text);
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  table->any = config.any;
  table->required.store(config.required);
  AssignPriorities(config);
}

void AssignSyncPriorities(std::string_view text) {
  SyncStandbyConfig config = ParseSyncStandbyNames(text);
  LwLockGuard guard(table->lock, LwMode::kExclusive);
  AssignPriorities(config);
}

bool SyncReplicationConfigured() {
  if (table->required.load(std::memory_order_acquire) != 0) return true;
  // One of the two is behind: this process if it is to reload.
  return !GetString(Setting::kSynchronousStandbyNames).empty() && !InterruptPending(Interrupt::kReload);
}

Lsn OldestReplicaFeedback() {
  uint64_t oldest = table->slot_feedback.load(std::memory_order_seq_cst);
  for (int i = 0; i < table->slot_count; ++i) {
    oldest = std::min(oldest, Sender(i).feedback_lsn.load(std::memory_order_seq_cst));
  }
  return Lsn{oldest};
}

void SetSlotFeedbackFloor(Lsn floor) { table->slot_feedback.store(floor.value, std::memory_order_seq_cst); }

SyncPositions QuorumPositions() {
  return {Lsn{table->quorum_write.load(std::memory_order_seq_cst)},
          Lsn{table->quorum_flush.load(std::memory_order_seq_cst)},
          Lsn{table->quorum_apply.load(std::memory_order_seq_cst)}};
}

std::string_view SyncStateOf(int sender) {
  LwLockGuard guard(table->lock, LwMode::kShared);
  int required = table->required.load();
  int priority = Sender(sender).sync_priority.load();
  if (required == 0 || priority == 0) return "async";
  if (table->any) return "quorum";
  int before = 0;
  for (const Candidate& other : SyncCandidates()) {
    before += other.priority < priority || (other.priority == priority && other.pid < Sender(sender).pid);
  }
  return before < required ? "sync" : "potential";
}

void WakeSyncWaiters() { WakeSatisfied(UINT64_MAX); }

SyncWaitRegistration::SyncWaitRegistration(Lsn lsn) {
  table->waiters.fetch_add(1, std::memory_order_seq_cst);
  table->wait_lsns()[self_slot()].store(lsn.value, std::memory_order_seq_cst);
}

SyncWaitRegistration::~SyncWaitRegistration() {
  table->wait_lsns()[self_slot()].store(0, std::memory_order_seq_cst);
  table->waiters.fetch_sub(1, std::memory_order_seq_cst);
}

size_t SenderAreaSize() {
  return sizeof(SenderTable) + static_cast<size_t>(GetInt(Setting::kMaxWalSenders)) * sizeof(SenderSlot) +
         static_cast<size_t>(MaxProcessSlots()) * sizeof(uint64_t) + 64;
}

void SenderAreaInit(void* at) {
  table = new (at) SenderTable{};
  table->lock.Init(LwRank::kSyncRep);
  table->slot_count = static_cast<int32_t>(GetInt(Setting::kMaxWalSenders));
  table->waiter_slots = MaxProcessSlots();
  table->slot_feedback.store(UINT64_MAX);
  for (int i = 0; i < table->slot_count; ++i)
    (new (table->senders() + i) SenderSlot{})->feedback_lsn.store(UINT64_MAX);
  for (int i = 0; i < table->waiter_slots; ++i) new (table->wait_lsns() + i) std::atomic<uint64_t>(0);
}

}  // namespace walden
