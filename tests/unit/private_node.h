// A private node below recovery: shared areas, a data directory of its own, an open WAL. What the fixtures of
// txn and access share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "node/buffer/buffer_pool.h"
#include "node/shm/private_region.h"
#include "node/storage/relation_file.h"
#include "node/storage/sync_queue.h"
#include "node/txn/clog.h"
#include "node/txn/csn_window.h"
#include "node/txn/lock_manager.h"
#include "node/txn/multixact.h"
#include "node/txn/notify_queue.h"
#include "node/txn/sender_slots.h"
#include "node/txn/transaction.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {

// Runs body(n) in `count` threads, each with its own process slot from `first` on.
template <class Body>
void InProcesses(int first, int count, Body body) {
  std::vector<std::thread> threads;
  for (int n = 0; n < count; ++n) {
    threads.emplace_back([n, first, &body] {
      ThreadIdentity identity(first + n);
      body(n);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// The shared areas of a node without catalogs.
inline std::vector<AreaBinding> PrivateNodeAreas() {
  return {{Area::kWal, WalShmSize, WalShmInit},
          {Area::kSyncQueue, SyncQueueShmSize, SyncQueueShmInit},
          {Area::kBufferPool, BufferPoolShmSize, BufferPoolShmInit},
          {Area::kTransactions, TransactionAreaSize, TransactionAreaInit},
          {Area::kClog, ClogAreaSize, ClogAreaInit},
          {Area::kCsnWindow, CsnAreaSize, CsnAreaInit},
          {Area::kNotifyQueue, NotifyQueueSize, NotifyQueueInit},
          {Area::kMultiXact, MultiXactAreaSize, MultiXactAreaInit},
          {Area::kLocks, LockAreaSize, LockAreaInit},
          {Area::kWalSenders, SenderAreaSize, SenderAreaInit}};
}

class PrivateNodeTest : public ::testing::Test {
 protected:
  static constexpr Lsn kStart{kWalSegmentSize};

  // The data directory, with these folders, becomes the current one.
  explicit PrivateNodeTest(std::initializer_list<const char*> folders)
      : previous_(std::filesystem::current_path()) {
    char name[] = "/tmp/walden_unit_XXXXXX";
    directory_ = mkdtemp(name);
    std::filesystem::current_path(directory_);
    for (const char* folder : folders) std::filesystem::create_directories(directory_ + "/" + folder);
    BootstrapTxnFiles();
  }
  ~PrivateNodeTest() override {
    Stop();
    std::filesystem::current_path(previous_);
    std::filesystem::remove_all(directory_);
  }

  // Start of a node at WAL position `at`, with the counters of `checkpoint`. `open`: to running; else it
  // stays in recovery.
  void Start(Lsn at, const CheckpointData& checkpoint, bool open) {
    region_ = std::make_unique<PrivateRegion>(PrivateNodeAreas());
    me_ = std::make_unique<ThreadIdentity>(0);
    TxnCheckpointPart().restore(checkpoint);
    if (!open) return;
    OpenWalForWriting({at, 1, 42, at});
    TxnEndRecovery(at, true);
  }
  void Stop() {
    if (region_ == nullptr) return;
    if (InTransaction()) AbortTransaction();
    ReleaseAllPins();
    CloseAllRelationFiles();
    me_.reset();
    region_.reset();
  }

  std::filesystem::path previous_;
  std::string directory_;
  std::unique_ptr<PrivateRegion> region_;
  std::unique_ptr<ThreadIdentity> me_;
};

}  // namespace walden
