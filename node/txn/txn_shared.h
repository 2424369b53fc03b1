// Internal to txn: shared state of transactions, and process-local links to it.
#pragma once

#include <atomic>
#include <cstdint>

#include "node/base/ids.h"
#include "node/shm/lwlock.h"
#include "node/shm/process.h"
#include "node/txn/transaction_slots.h"

namespace walden {

struct alignas(128) TxnShared {
  // What a snapshot reads: one line, written by committers only.
  alignas(64)
      std::atomic<uint64_t> published;   // Guarded by: commit_latch for writing (recovery: startup process)
  std::atomic<uint64_t> oldest_running;  // by compare-and-swap upwards
  std::atomic<uint64_t> horizon_floor;   // by compare-and-swap upwards; see horizon.h
  // Snapshots that moved to another slot: who looked at the slots meanwhile may have missed one in both.
  std::atomic<uint64_t> snapshot_imports;

  alignas(64) LwLock xid_lock;            // kXidGeneration
  std::atomic<uint64_t> next_xid;         // Guarded by: xid_lock for writing
  uint64_t xid_limit;                     // end of the reserved batch. Guarded by: xid_lock
  std::atomic<uint64_t> reservation_lsn;  // end of the record that reserved it

  alignas(64) LwLock commit_latch;  // kCommit

  alignas(64) LwLock oid_lock;     // kOidGeneration
  std::atomic<uint32_t> next_oid;  // Guarded by: oid_lock for writing
  uint32_t oids_left;              // Guarded by: oid_lock

  std::atomic<uint64_t>
      redo_xid_limit;  // end of the batch as far as redo knows: ids below may have been seen
  std::atomic<uint64_t> oldest_clog_xid;
  std::atomic<uint64_t> announced_settled;  // standby: bound of what replay may publish
  std::atomic<bool> replay_awaits_settled;
  std::atomic<uint32_t>
      floor_waiters;  // sessions that want a snapshot and wait until replay shows horizon_floor
  std::atomic<bool> in_recovery;
  std::atomic<int64_t> lease_deadline_us;  // BootClockUs; INT64_MAX: no lease needed
  int32_t slot_count;

  TransactionSlot* slots() { return reinterpret_cast<TransactionSlot*>(this + 1); }
};

extern TxnShared* txn_shared;

inline TransactionSlot& OwnTransactionSlot() { return txn_shared->slots()[self_slot()]; }

// Moves oldest_running over every finished and published xid. Called by whoever finished one, after its entry
// is final.
void AdvanceOldestRunning();
// Raises *position to `to` if that is higher.
inline void RaiseTo(std::atomic<uint64_t>& position, uint64_t to) {
  uint64_t now = position.load(std::memory_order_seq_cst);
  while (now < to && !position.compare_exchange_weak(now, to, std::memory_order_seq_cst)) {
  }
}

// CLOG bits (clog.cpp). Aborted is what is not committed: nothing is written for it.
void ClogSetCommitted(Xid xid, Lsn csn);
bool ClogIsCommitted(Xid xid);
void ClogPreload(Xid xid);
void ClogWriteDirty();

// Redo (txn_state.cpp): the reserved batch ends here; what is in progress below `oldest_running` was lost.
void RaiseRedoXidLimit(uint64_t limit);
void ReplayAbortBelow(Xid oldest_running);

// Replay: returns when the primary has announced `csn` as settled, or this node is being promoted.
void AwaitAnnouncedSettled(Lsn csn);

// A session's decision rests on the commit `csn`: raises seen_lsn unless it is settled; returns whether it
// is.
bool RestOnCommit(Lsn csn);
// Called as a snapshot is taken, so that RecentHorizon knows that a newer result may be worth computing.
extern thread_local constinit uint32_t tls_snapshots_taken;

}  // namespace walden
