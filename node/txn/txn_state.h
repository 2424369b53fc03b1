// What checkpoints and recovery need of transactions: the state that a checkpoint record carries, flushing,
// redo of transaction records, and the steps from recovery to normal running.
//
// Order at start: the checkpoint part's `restore` → redo (ObserveRedoXid, the redo functions of
// txn_records.h) → on a standby PublishReplayed as redo advances → TxnEndRecovery.
#pragma once

#include <cstddef>
#include <cstdint>

#include "node/base/ids.h"
#include "node/wal/checkpoint_parts.h"

namespace walden {

// Counters of xids, multixacts and OIDs; flushing of CLOG and multixact pages. Also binds the paths of their
// files for the fsync queue.
CheckpointPart TxnCheckpointPart();
// Drops CSN pages that no snapshot needs and removes spill files; the checkpointer and autovacuum call it.
void TrimCsnWindow();

// The oldest transaction that the commit log can still tell about.
Xid OldestClogXid();

// VACUUM, after settle records cover everything below in every database: logs and flushes the truncation,
// then removes CLOG and multixact files wholly below. Never goes past what runs or what a live snapshot
// needs.
void TruncateTransactionLogs(Xid oldest_xid, MultiXactId oldest_multi);

// `walden init`: makes pg_xact/, pg_multixact/ in the data directory that is the current directory.
void BootstrapTxnFiles();
// For each record that redo reads, before it is dispatched: assigned ids up to `xid` become known.
void ObserveRedoXid(Xid xid);
// Standby: new snapshots may now see commits at or below `visible` (the lower of what all workers have
// applied and the settled_lsn that the primary announces). Never falls.
void PublishReplayed(Lsn visible);
// I8: what the primary says is settled; the walreceiver passes it on the moment it arrives. Replay makes no
// commit above it visible: it waits there, except when it is promoted. kMaxLsn (the state at start: archive
// recovery) lifts the bound.
void AnnounceSettled(Lsn settled);
Lsn AnnouncedSettledLsn();
// Replay stands before a commit that is not announced yet.
bool ReplayAwaitsSettled();
// Whether recovery goes on: no xid can be assigned, transactions are read only.
bool InRecovery();
void SetInRecovery(bool in_recovery);
// Replay of the end-of-recovery record or a shutdown checkpoint: what is still in progress there was lost.
void ReplayAbortOfAllRunning();
// End of recovery or promotion: every transaction still in progress is aborted. `end` is the position from
// which new WAL is written: published_lsn starts there. `clean`: the checkpoint that recovery started from
// was a shutdown, and nothing was replayed.
void TxnEndRecovery(Lsn end, bool clean);

// The periodic running-transactions record; returns its end.
Lsn LogRunningTransactions();

// Sizes and initialisers of shared areas (bound in server/shm_areas.cpp).
size_t TransactionAreaSize();
void TransactionAreaInit(void* at);

}  // namespace walden
