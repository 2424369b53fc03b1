// Conflicts between replay and queries of a hot standby. Used by the startup process.
#pragma once

#include "node/wal/record_handler.h"

namespace walden {

// Waits until no snapshot on this node needs what the record removes: up to max_standby_streaming_delay (or
// max_standby_archive_delay) counted from when the WAL arrived, then cancels the sessions that hold it.
void ResolveRedoConflict(const RedoConflict& conflict);
// A relation lock that replay must take is held by sessions: after the same delay they are cancelled.
void ResolveLockConflict(uint32_t database, uint32_t relation);
// What a session does when it is cancelled for replay: 40001 at its next safe point. Bound with
// BindRecoveryHooks.
void BindRecoveryConflictHandler();
// When the WAL that is being replayed arrived; the delay counts from there.
void NoteWalArrival(bool from_stream);

}  // namespace walden
