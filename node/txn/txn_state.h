// What checkpoints and recovery need of transactions: the state that a checkpoint record carries, flushing, redo of
// transaction records, and the steps from recovery to normal running.
//
// Order at start: TxnStartup(state of the checkpoint) → redo (ObserveRedoXid, the redo functions of txn_redo.h) →
// on a standby PublishReplayed as redo advances → TxnEndRecovery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "node/base/ids.h"

namespace walden {

// Format: part of the checkpoint record and pg_control, 48 bytes.
//   0 next_xid  8 oldest_running_xid  16 next_multi  24 next_member  32 oldest_clog_xid
//  40 next_oid (4)  44 zero (4)
struct TxnCheckpointState {
  Xid next_xid = kFirstNormalXid;
  Xid oldest_running_xid = kFirstNormalXid;
  MultiXactId next_multi{1};
  uint64_t next_member = 1;
  Xid oldest_clog_xid = kFirstNormalXid;
  Oid next_oid = kFirstNormalOid;
  uint32_t zero = 0;
};
static_assert(sizeof(TxnCheckpointState) == 48);

// A checkpoint: read after its redo point is fixed. `shutdown` records exact counters instead of batch ends.
TxnCheckpointState CurrentTxnCheckpointState(bool shutdown);
// After the redo point is fixed, before pages are flushed: waits until every commit whose record lies before it has
// reached the CLOG. (A commit is between its record and its CLOG bits for microseconds.)
void WaitForCommitsInFlight();
// Writes and syncs the dirty pages of CLOG and multixacts.
void FlushTxnPages();
// Drops CSN pages that no snapshot needs and removes spill files; the checkpointer and autovacuum call it.
void TrimCsnWindow();

// `walden init`: makes pg_xact/, pg_multixact/ in the data directory that is the current directory.
void BootstrapTxnFiles();
// Start of recovery, or of normal running after a clean shutdown.
void TxnStartup(const TxnCheckpointState& state);
// For each record that redo reads, before it is dispatched: assigned ids up to `xid` become known.
void ObserveRedoXid(Xid xid);
// Standby: new snapshots may now see commits at or below `visible` (the lower of what all workers have applied and
// the settled_lsn that the primary announces). Never falls.
void PublishReplayed(Lsn visible);
// Whether recovery goes on: no xid can be assigned, transactions are read only.
bool InRecovery();
void SetInRecovery(bool in_recovery);
// End of recovery or promotion: every transaction still in progress is aborted. `end` is the position from which
// new WAL is written: published_lsn starts there.
void TxnEndRecovery(Lsn end);

// The periodic running-transactions record; returns its end.
Lsn LogRunningTransactions();

// Sizes and initialisers of shared areas (bound in server/shm_areas.cpp).
size_t TransactionAreaSize();
void TransactionAreaInit(void* at);

}  // namespace walden
