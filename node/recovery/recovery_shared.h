// Recovery's state in shared memory. Internal to recovery/.
#pragma once

#include <atomic>
#include <cstdint>

#include "node/recovery/control_file.h"
#include "node/recovery/recovery_state.h"
#include "node/shm/condition_variable.h"
#include "node/shm/lwlock.h"
#include "node/shm/region.h"
#include "node/shm/spinlock.h"

namespace walden {

struct RecoveryShared {
  LwLock control_lock;
  ControlFile control;          // Guarded by: control_lock
  std::atomic<uint64_t> term;   // the control file's. Written under control_lock
  std::atomic<bool> owns_term;  // the node is, or is about to be, the primary of its term

  // Startup process.
  alignas(64) std::atomic<uint64_t> replayed;
  std::atomic<uint32_t> replayed_timeline;
  std::atomic<int64_t> last_commit_time;
  std::atomic<bool> consistent;
  std::atomic<int32_t> startup_slot;   // whose latch news sets; -1: nobody recovers
  std::atomic<bool> archive_recovery;  // archive recovery or standby: restartpoints are made
  std::atomic<bool> promote;
  // When the WAL that is being replayed arrived, and whether by the stream; conflicts count from there.
  std::atomic<int64_t> wal_arrival_us;
  std::atomic<bool> wal_by_stream;
  std::atomic<ReplayPause> pause;
  std::atomic<uint32_t> replay_waiters;
  ConditionVariable replay_waiting;
  ConditionVariable pause_waiting;
  // The newest checkpoint record that replay has passed; a restartpoint may begin there. Guarded by:
  // restart_lock
  SpinLock restart_lock;
  uint64_t restart_checkpoint;
  CheckpointData restart_data;

  // WAL receiver. Guarded by: receiver_lock, but the atomics.
  SpinLock receiver_lock;
  StreamRequest stream_request;
  bool stream_wanted;
  std::atomic<ReceiverState> receiver_state;
  std::atomic<uint64_t> received;
  // Of the primary's last message, for readers that may not lock: the end of its WAL, its clock, ours.
  std::atomic<uint64_t> primary_end;
  std::atomic<int64_t> primary_sent, primary_heard;
  std::atomic<uint32_t> received_timeline;
  std::atomic<bool> stop_streaming;
  std::atomic<uint64_t> receiver_notice;  // the receiver wants to hear when replay gets here; UINT64_MAX: not
  ReceiverInfo receiver;                  // but for state, flushed and timeline, which are the atomics above
  std::atomic<uint64_t> written;

  // Checkpointer. Guarded by: checkpoint_lock
  SpinLock checkpoint_lock;
  uint32_t request_flags;
  uint64_t started, done, failed;
  ConditionVariable started_waiting;
  ConditionVariable done_waiting;
  std::atomic<int32_t> checkpointer_slot;  // -1: none
  std::atomic<int32_t> archiver_slot;
  std::atomic<uint64_t> redo;  // of the last complete checkpoint
  std::atomic<uint64_t> last_checkpoint_end;
};

inline RecoveryShared* Recovery() { return ShmArea<RecoveryShared>(Area::kRecovery); }

// Startup process: everything below `replayed` is applied.
void AnnounceReplayed(Lsn replayed, TimelineId timeline);

}  // namespace walden
