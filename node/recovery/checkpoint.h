// Checkpoints: making everything before a position (the redo point) durable in the data files, so that
// recovery can begin there. Steps, and what a crash at each leaves, are in the README. Owner: recovery.
#pragma once

#include <cstdint>

#include "node/base/ids.h"

namespace walden {

enum CheckpointFlag : uint32_t {
  kCheckpointImmediate = 1,  // as fast as possible, not spread
  kCheckpointForce = 2,      // even if no WAL was written since the last
  kCheckpointWait = 4,       // RequestCheckpoint returns when it is complete
  kCheckpointFlushAll = 8,   // unlogged relations too
  kCheckpointCauseWal = 16,  // asked for because of max_wal_size
  kCheckpointCauseTime = 32,
  kCheckpointShutdownFlag = 64,
  kCheckpointEndOfRecovery = 128,
};

// Asks the checkpointer (or does it here when this process is alone or the checkpointer itself). With
// kCheckpointWait: throws 58000 "checkpoint request failed" if it failed; wait events CheckpointStart,
// CheckpointDone.
void RequestCheckpoint(uint32_t flags);

// The same for who must not sleep: ask, then look again whenever the latch was set (the checkpointer wakes the walsender).
struct CheckpointTicket {
  uint64_t started_before = 0, failed_before = 0;
  uint64_t mine = 0;  // number of the checkpoint that serves the request, once it has begun
  bool done = false;
};
CheckpointTicket AskForCheckpoint(uint32_t flags);
// True when it is complete. Throws 58000 if it failed.
bool CheckpointIsDone(CheckpointTicket* ticket);
void AwaitCheckpoint(CheckpointTicket* ticket);

// The checkpointer's own: does one now. In recovery a restartpoint at the newest replayed checkpoint. Returns
// false if there was nothing to do.
bool PerformCheckpoint(uint32_t flags);
bool PerformRestartpoint(uint32_t flags);

// Whether WAL since the redo point has reached what max_wal_size allows.
bool CheckpointDueByWal(uint64_t current_segment);
// Redo position of the last complete checkpoint: crash recovery would start there. One atomic load.
Lsn LastCheckpointRedo();

// WAL that must stay: the first segment needed by recovery, wal_keep_size, and checkpoint parts (slots).
uint64_t OldestNeededSegment(Lsn redo);

}  // namespace walden
