#include "node/txn/durability.h"

#include <unistd.h>

#include <algorithm>

#include "node/base/check.h"
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/shm/latch.h"
#include "node/txn/lease.h"
#include "node/txn/sender_slots.h"
#include "node/txn/sync_wait.h"
#include "node/txn/txn_shared.h"
#include "node/txn/txn_state.h"
#include "node/txn/untold.h"
#include "node/wal/wal.h"

namespace walden {

thread_local constinit uint64_t tls_seen_not_settled = 0;
namespace {
std::atomic<int64_t> no_lease_needed{INT64_MAX};  // for processes without shared memory
}
std::atomic<int64_t>* lease_deadline_word = &no_lease_needed;

namespace {

thread_local constinit Lsn seen;

SqlError OutcomeUnknown() {
  return SqlError(ErrorCode::kTransactionResolutionUnknown,
                  "terminating connection because the durability of a transaction could not be confirmed")
      .WithDetail("The transaction has committed locally, but may not have been replicated to the standby.")
      .WithSeverity(Severity::kFatal);
}

Lsn PositionFor(const SyncPositions& quorum, DurabilityLevel level) {
  if (level == DurabilityLevel::kRemoteWrite) return quorum.write;
  return level == DurabilityLevel::kOn ? quorum.flush : quorum.apply;
}

bool IsDurable(Lsn lsn, DurabilityLevel level) {
  if (FlushedLsn() < lsn) return false;
  if (level <= DurabilityLevel::kLocal || !SyncReplicationConfigured()) return true;
  return PositionFor(QuorumPositions(), level) >= lsn;
}

int64_t MillisecondsOfLease() {
  int64_t deadline = LeaseDeadline();
  if (deadline == kNoLeaseNeeded) return -1;
  return std::max<int64_t>(1, (deadline - BootClockUs()) / 1000 + 1);
}

void WaitForStandbys(Lsn lsn, DurabilityLevel level) {
  SyncWaitRegistration registration(lsn);
  for (;;) {
    self().latch.Reset();
    if (IsDurable(lsn, level)) return;
    if (!LeaseHeld()) throw LeaseLost();
    try {
      CheckInterrupts();
    } catch (const SqlError&) {
      throw OutcomeUnknown();
    }
    WaitLatch(MillisecondsOfLease(), WaitEvent::kSyncRep);
  }
}

}  // namespace

DurabilityLevel SessionDurabilityLevel() { return GetEnum<SynchronousCommit>(Setting::kSynchronousCommit); }

Lsn PublishedLsn() { return Lsn{txn_shared->published.load(std::memory_order_acquire)}; }

Lsn SettledLsn() {
  // What a standby shows is already bounded by what its primary announced.
  if (InRecovery()) return PublishedLsn();
  Lsn flushed = FlushedLsn();
  return SyncReplicationConfigured() ? std::min(flushed, QuorumPositions().flush) : flushed;
}

Lsn SeenLsn() { return seen; }

void RaiseSeenLsn(Lsn lsn) {
  if (lsn <= seen || GatherSeen(lsn)) return;
  seen = lsn;
  tls_seen_not_settled = lsn.value;
}

void ResetSeenLsn() {
  seen = kInvalidLsn;
  tls_seen_not_settled = 0;
}

bool RestOnCommit(Lsn csn) {
  if (csn <= SettledLsn()) return true;
  RaiseSeenLsn(csn);
  return false;
}

namespace {

// commit_delay: with enough transactions in progress, one flush a little later may serve several commits.
void AwaitSiblings() {
  int64_t delay_us = GetInt(Setting::kCommitDelay);
  if (delay_us == 0 || !GetBool(Setting::kFsync)) return;
  int64_t siblings = 0, wanted = GetInt(Setting::kCommitSiblings);
  for (int slot = 0; slot < TransactionSlotCount() && siblings < wanted; ++slot) {
    if (slot != self_slot() && TransactionSlotOf(slot).xid.load(std::memory_order_relaxed) != 0) ++siblings;
  }
  if (siblings < wanted) return;
  WaitEventScope waiting(WaitEvent::kCommitDelay);
  usleep(static_cast<useconds_t>(delay_us));  // at most a tenth of a second
}

}  // namespace

void WaitUntilDurable(Lsn lsn, DurabilityLevel level) {
  if (level == DurabilityLevel::kOff || !lsn.IsValid() || InRecovery()) return;
  DCHECK(HeldLwLockCount() == 0);
  if (FlushedLsn() < lsn) {
    AwaitSiblings();
    Flush(lsn);
  }
  if (!IsDurable(lsn, level)) WaitForStandbys(lsn, level);
}

void AwaitSeenDurableSlow() {
  DurabilityLevel level = SessionDurabilityLevel();
  // A session that does not wait remembers what it saw: it may ask for more later.
  if (tls_seen_not_settled != 0 && level != DurabilityLevel::kOff) {
    try {
      WaitUntilDurable(seen, level);
    } catch (...) {
      tls_seen_not_settled = 0;
      throw;
    }
    if (SettledLsn() >= seen && level <= DurabilityLevel::kOn) tls_seen_not_settled = 0;
  }
  if (!LeaseHeld()) throw LeaseLost();
}

}  // namespace walden
