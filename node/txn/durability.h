// Durability (I5): who may be told what, when.
//
//   published_lsn  every commit record at or below it is visible to new snapshots
//   settled_lsn    WAL up to it is flushed locally and by the configured synchronous quorum
//   seen_lsn       the newest commit, or other returned WAL effect, that this session's answers may depend on
//
// The one place that writes bytes to a socket (and every other outlet) calls AwaitSeenDurable() first,
// holding no pin and no lightweight lock. Functions whose answer depends on WAL that is no commit (nextval,
// pg_current_xact_id, pg_export_snapshot) call RaiseSeenLsn.
#pragma once

#include <atomic>
#include <cstdint>

#include "node/base/ids.h"
#include "node/config/setting_types.h"

namespace walden {

// synchronous_commit, weakest first.
using DurabilityLevel = SynchronousCommit;
DurabilityLevel SessionDurabilityLevel();  // from the setting

Lsn PublishedLsn();
Lsn SettledLsn();

// Session position; process-local, reset when a new session starts.
Lsn SeenLsn();
void RaiseSeenLsn(Lsn lsn);
void ResetSeenLsn();

// Flushes, and waits for standbys as `level` asks, until `lsn` is durable. Returns at once when it already
// is, at kOff, and on a standby. Requires: no LwLock, no pin, no critical section. A cancelled or terminated
// wait, or one overtaken by a demotion, throws FATAL 08007: the outcome is unknown and the session must end.
void WaitUntilDurable(Lsn lsn, DurabilityLevel level);

// Before bytes leave: WaitUntilDurable(SeenLsn(), session's level), then the lease (I9). The fast case is two
// loads. When it throws (FATAL), the caller discards every byte that it has not sent: they rest on what is
// not durable. The session no longer waits afterwards, so that the error itself can be sent; without a lease
// not even that.
void AwaitSeenDurableSlow();
extern thread_local constinit uint64_t
    tls_seen_not_settled;                          // seen_lsn while perhaps above settled_lsn, else 0
extern std::atomic<int64_t>* lease_deadline_word;  // shared; INT64_MAX: no lease needed
inline void AwaitSeenDurable() {
  bool leased = lease_deadline_word->load(std::memory_order_relaxed) != INT64_MAX;
  if (__builtin_expect(tls_seen_not_settled != 0 || leased, 0)) AwaitSeenDurableSlow();
}

}  // namespace walden
