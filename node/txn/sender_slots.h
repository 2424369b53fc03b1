// The table of walsenders: positions that standbys report, which of them are synchronous, and the quorum
// position that results. Declared here, below replication/, because commits wait on it; walsenders write it,
// pg_stat_replication and the exporter read it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/clock.h"
#include "node/base/ids.h"

namespace walden {

enum class SenderState : uint8_t { kUnused, kStartup, kBackup, kCatchup, kStreaming, kStopping };
std::string_view SenderStateName(SenderState state);

// One standby (or one base backup). Guarded by: the table's LwLock for identity; positions are written only
// by the owning walsender and read by anybody.
struct SenderSlot {
  std::atomic<SenderState> state;
  std::atomic<int32_t> sync_priority;  // 0 = asynchronous; ANY lists give 1
  int32_t pid;
  Oid role;
  TimestampUs started;
  char role_name[64];
  char application_name[64];
  char client_address[64];
  int32_t client_port;
  std::atomic<uint64_t> sent_lsn, write_lsn, flush_lsn, apply_lsn;
  std::atomic<int64_t> write_lag_us, flush_lag_us, apply_lag_us;  // -1 = unknown
  std::atomic<TimestampUs> reply_time;
  std::atomic<uint64_t> feedback_lsn;   // hot_standby_feedback: oldest snapshot there; UINT64_MAX = none
  std::atomic<uint64_t> feedback_xmin;  // its xmin (backend_xmin); 0 = none
  std::atomic<int64_t>
      backup_progress[5];  // by progress::BaseBackup (stats/progress.h), while the state is kBackup
};

// Claims a slot for this process; 53300 when max_wal_senders are in use.
int ClaimSenderSlot(std::string_view application_name, std::string_view role_name, Oid role,
                    std::string_view client_address, int client_port);
void ReleaseSenderSlot(int sender);
int MaxSenderSlots();
// There may be something for the walsender to do: WAL was flushed or received, a checkpoint is complete. Cheap, and
// nothing while no slot is in use. Any process, any time.
void WakeSenders();
// The same for WAL that was flushed or received: nothing while the walsender gathers WAL and looks by itself soon.
void WakeSendersForWal();
// The walsender, before it looks at the end of WAL: whether it is to be woken when that moves.
void SetSendersAwaitWal(bool await);
SenderSlot& Sender(int sender);

// The owning walsender reports what its standby acknowledged (monotone per connection), recomputes the quorum
// positions and wakes committers that they satisfy. Only acknowledgements of the current term may come here
// (I9).
void ReportStandbyPositions(int sender, Lsn write, Lsn flush, Lsn apply);

// synchronous_standby_names: "", "a, b", "FIRST 2 (a, b)", "ANY 1 (a, *)".
struct SyncStandbyConfig {
  bool any = false;  // ANY k: quorum; else FIRST k: priority
  int required = 0;  // 0 = no synchronous replication
  std::vector<std::string> names;
  // 1-based position in the list, 0 when not listed.
  int PriorityOf(std::string_view application_name) const;
};
// Throws 42601 with PostgreSQL's detail on bad text.
SyncStandbyConfig ParseSyncStandbyNames(std::string_view text);
// Puts the setting in force for all: the checkpointer, at start and whenever it reloads.
void ApplySyncStandbyNames(std::string_view text);
// What the setting says of the standbys that are connected: the walsender, when it reloads. One may have come while
// it knew the old setting and the checkpointer had applied the new one.
void AssignSyncPriorities(std::string_view text);
// Whether commits wait for standbys: as the checkpointer has applied it, or as this process has read it and the
// checkpointer will apply. So a session that sees a setting with standbys never commits without them.
bool SyncReplicationConfigured();

// Lowest feedback of the connected replicas and of replication slots; kMaxLsn when none sends any.
Lsn OldestReplicaFeedback();
// What replication slots (recovery/replication_slots.h) keep for absent replicas; kMaxLsn: nothing.
void SetSlotFeedbackFloor(Lsn floor);

struct SyncPositions {
  Lsn write, flush, apply;  // reached by the quorum; kInvalidLsn while too few standbys are connected
};
SyncPositions QuorumPositions();
// "async", "potential", "sync", "quorum".
std::string_view SyncStateOf(int sender);

size_t SenderAreaSize();
void SenderAreaInit(void* at);

}  // namespace walden
