#include "node/recovery/node_storage.h"

#include <unistd.h>

#include "node/base/clock.h"
#include "node/base/random.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/recovery/checkpoint.h"
#include "node/recovery/recovery_shared.h"
#include "node/storage/relation_file.h"
#include "node/storage/sync_queue.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

uint64_t MakeSystemId() {
  uint64_t unix_us = static_cast<uint64_t>(WallClockUs() + kUnixEpochToPostgresUs);
  return unix_us / 1000000 << 32 | (unix_us % 1000000) << 12 | (static_cast<uint64_t>(getpid()) & 0xFFF);
}

CheckpointData FirstCheckpoint(Lsn redo) {
  CheckpointData data{};
  data.redo = redo.value;
  data.wall_time_us = static_cast<uint64_t>(WallClockUs());
  data.timeline = data.previous_timeline = 1;
  data.next_xid = data.oldest_xid = kFirstNormalXid.value;
  data.next_multixact = data.oldest_multixact = 1;
  data.next_multixact_member = 1;
  data.next_oid = OidNumber(kFirstNormalOid);
  data.full_page_writes = 1;
  return data;
}

}  // namespace

void BeginNewCluster(const NewCluster& options) {
  ControlFile control{};
  Lsn start = SegmentStart(1);
  control.system_id = options.system_id != 0 ? options.system_id : MakeSystemId();
  control.state = ClusterState::kStarting;
  control.term = 1;
  control.data_checksums = options.data_checksums;
  control.checkpoint = start.value;
  control.checkpoint_data = FirstCheckpoint(start);
  control.catalog_version = options.catalog_version;
  control.wal_level = GetEnum(Setting::kWalLevel);
  control.max_connections = static_cast<int32_t>(GetInt(Setting::kMaxConnections));
  control.max_worker_processes = static_cast<int32_t>(GetInt(Setting::kMaxWorkerProcesses));
  control.max_wal_senders = static_cast<int32_t>(GetInt(Setting::kMaxWalSenders));
  SecureRandom(control.authentication_nonce, sizeof control.authentication_nonce);
  WriteControlFile(control);
  data_checksums_enabled = options.data_checksums;
  Recovery()->control = control;
  Recovery()->term.store(control.term);
  Recovery()->owns_term.store(true);
  BecomeSyncOwner();
  for (const CheckpointPart& part : CheckpointParts()) {
    if (part.restore != nullptr) part.restore(control.checkpoint_data);
  }
  OpenWalForWriting({start, 1, control.system_id, start});
  TxnEndRecovery(start, true);
}

void EndNewCluster() { PerformCheckpoint(kCheckpointShutdownFlag | kCheckpointImmediate); }

}  // namespace walden
