// Conflicts between replay and queries of a hot standby. Used by the startup process, but for what is marked.
//
// Replay waits for those in its way up to max_standby_streaming_delay (max_standby_archive_delay), counted from when the
// WAL arrived, then cancels exactly them: the sessions whose snapshots are too old, the holders of the lock that it waits
// for, those connected to a database that goes.
#pragma once

#include "node/txn/lock_manager.h"
#include "node/wal/record_handler.h"

namespace walden {

// Whether somebody is in the way now.
bool RedoConflictExists(const RedoConflict& conflict);
// Returns when nobody needs what the record removes.
void ResolveRedoConflict(const RedoConflict& conflict);
// While replay waits for a relation lock (BlockedCallback).
int64_t ResolveLockConflict(const LockTag& tag, LockMode mode, bool deadlock);
void LockConflictResolved();
// When the WAL that is being replayed arrived; the delay counts from there.
void NoteWalArrival(bool from_stream);

// Startup process and redo workers: waits for the pins of others end in the same way.
void BindReplayWaits();

// Every process: what a session does when it is cancelled for replay. 40001: the statement fails at its next safe point;
// a session that waits for its client inside a transaction, or is in a subtransaction, ends.
void BindRecoveryConflictHandler();
// The session layer: whether this process now waits for its client's next command.
void BindClientIsIdle(bool (*is_idle)());

}  // namespace walden
