// A node from BeginNewCluster to crash recovery in one process: storage, transactions and recovery without
// postmaster.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "node/buffer/buffer_pool.h"
#include "node/buffer/relation_storage.h"
#include "node/config/settings.h"
#include "node/recovery/background_processes.h"
#include "node/recovery/checkpoint.h"
#include "node/recovery/node_storage.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/replication_slots.h"
#include "node/recovery/xlog_records.h"
#include "node/shm/private_region.h"
#include "node/storage/sync_queue.h"
#include "node/txn/clog.h"
#include "node/txn/csn_window.h"
#include "node/txn/id_counters.h"
#include "node/txn/lock_manager.h"
#include "node/txn/multixact.h"
#include "node/txn/notify_queue.h"
#include "node/txn/sender_slots.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {

inline const Lsn kTestWalStart = SegmentStart(1);

class RecoveryNode {
 public:
  RecoveryNode() : directory_(NewDirectory()), home_(std::filesystem::current_path()) {
    std::filesystem::current_path(directory_);
    for (const char* sub : {"base/5", "global", "pg_wal/archive_status", "pg_tblspc"})
      std::filesystem::create_directories(sub);
    Configure();
    BindRecordHandlers(StorageRecordHandlers());
    BindRecordHandlers(XlogRecordHandlers());
    BindRecordHandlers(TxnRecordHandlers());
    RegisterCheckpointPart(TxnCheckpointPart());
    BindRecoveryHooks();
    Attach();
    BootstrapTxnFiles();
    BeginNewCluster({.data_checksums = true, .system_id = 4711});
    EndNewCluster();
    Detach();
    Start();
  }
  ~RecoveryNode() {
    Detach();
    std::filesystem::current_path(home_);
    std::filesystem::remove_all(directory_);
    for (const std::string& copy : copies_) std::filesystem::remove_all(copy);
    ResetSettingsForTest();
  }
  void Start() {
    Attach();
    RunStartup();
  }
  void Crash() { Detach(); }
  void Shutdown() {
    RequestCheckpoint(kCheckpointShutdownFlag | kCheckpointImmediate);
    Detach();
  }
  // Files as they are, with shared memory gone / still in use.
  std::string CopyOfDirectory() { return CopyOfRunningDirectory(); }
  std::string CopyOfRunningDirectory() {
    std::string copy = NewDirectory();
    std::filesystem::copy(directory_, copy, std::filesystem::copy_options::recursive);
    copies_.push_back(copy);
    return copy;
  }
  // Leaves the region attached, so that a thread may start the node while others look on.
  void RestoreDirectory(const std::string& copy) {
    Detach();
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      std::filesystem::remove_all(entry);
    std::filesystem::copy(copy, directory_, std::filesystem::copy_options::recursive);
    Attach();
  }
  void UseArchive() {
    std::string archive = NewDirectory();
    copies_.push_back(archive);
    OverrideSetting(Setting::kArchiveMode, "on");
    OverrideSetting(Setting::kArchiveCommand, "cp %p " + archive + "/%f");
    OverrideSetting(Setting::kRestoreCommand, "cp " + archive + "/%f %p 2>/dev/null");
  }

 private:
  static std::string NewDirectory() {
    char name[] = "/tmp/walden-recovery-XXXXXX";
    return mkdtemp(name);
  }
  static void Configure() {
    OverrideSetting(Setting::kSharedBuffers, "64");
    OverrideSetting(Setting::kWalBuffers, "16");
    OverrideSetting(Setting::kFsync, "off");
    OverrideSetting(Setting::kLogCheckpoints, "off");
    OverrideSetting(Setting::kWalConsistencyChecking, "all");
  }
  void Attach() {
    if (region_ != nullptr) return;
    region_ = std::make_unique<PrivateRegion>(std::vector<AreaBinding>{
        {Area::kSyncQueue, SyncQueueShmSize, SyncQueueShmInit},
        {Area::kWal, WalShmSize, WalShmInit},
        {Area::kBufferPool, BufferPoolShmSize, BufferPoolShmInit},
        {Area::kRecovery, RecoveryShmSize, RecoveryShmInit},
        {Area::kTransactions, TransactionAreaSize, TransactionAreaInit},
        {Area::kClog, ClogAreaSize, ClogAreaInit},
        {Area::kCsnWindow, CsnAreaSize, CsnAreaInit},
        {Area::kNotifyQueue, NotifyQueueSize, NotifyQueueInit},
        {Area::kMultiXact, MultiXactAreaSize, MultiXactAreaInit},
        {Area::kLocks, LockAreaSize, LockAreaInit},
        {Area::kWalSenders, SenderAreaSize, SenderAreaInit},
        {Area::kReplicationSlots, ReplicationSlotsShmSize, ReplicationSlotsShmInit},
    });
    identity_ = std::make_unique<ThreadIdentity>(0);
  }
  void Detach() {
    if (region_ == nullptr) return;
    ReleaseAllPins();
    CloseAllRelationFiles();
    identity_.reset();
    region_.reset();
  }

  std::string directory_;
  std::filesystem::path home_;
  std::vector<std::string> copies_;
  std::unique_ptr<PrivateRegion> region_;
  std::unique_ptr<ThreadIdentity> identity_;
};

}  // namespace walden
