// A tiny node for unit tests: a data directory of its own, a private shared region with storage, WAL and
// buffer pool, the log open for writing. The calling thread is process slot 0; other threads take
// ThreadIdentity(n).
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "node/buffer/buffer_pool.h"
#include "node/config/settings.h"
#include "node/shm/private_region.h"
#include "node/storage/sync_queue.h"
#include "node/wal/wal.h"

namespace walden {

inline constexpr uint64_t kTestSystemId = 4711;
inline const Lsn kTestWalStart = SegmentStart(1);

class StorageNode {
 public:
  explicit StorageNode(int shared_buffers = 64, int wal_buffers = 16) : directory_(MakeDirectoryTree()) {
    previous_ = std::filesystem::current_path();
    std::filesystem::current_path(directory_);
    OverrideSetting(Setting::kSharedBuffers, std::to_string(shared_buffers));
    OverrideSetting(Setting::kWalBuffers, std::to_string(wal_buffers));
    OverrideSetting(Setting::kFsync, "off");
    MakeRegion();
    OpenWalForWriting({kTestWalStart, 1, kTestSystemId, kTestWalStart});
  }
  ~StorageNode() {
    Detach();
    std::filesystem::current_path(previous_);
    std::filesystem::remove_all(directory_);
    ResetSettingsForTest();
  }
  // What a crash leaves: the files. Shared memory is new and empty; WAL is not open.
  void Crash() {
    Detach();
    MakeRegion();
  }
  static RelFileLocator Relation(uint32_t number = 16384) { return {kDefaultTablespace, Oid{5}, number}; }

 private:
  static std::string MakeDirectoryTree() {
    char name[] = "/tmp/walden-storage-XXXXXX";
    std::string path = mkdtemp(name);
    for (const char* sub : {"base/5", "global", "pg_wal/archive_status", "pg_tblspc", "pg_xact"}) {
      std::filesystem::create_directories(path + "/" + sub);
    }
    return path;
  }
  void MakeRegion() {
    region_ = std::make_unique<PrivateRegion>(std::vector<AreaBinding>{
        {Area::kSyncQueue, SyncQueueShmSize, SyncQueueShmInit},
        {Area::kWal, WalShmSize, WalShmInit},
        {Area::kBufferPool, BufferPoolShmSize, BufferPoolShmInit},
    });
    identity_ = std::make_unique<ThreadIdentity>(0);
  }
  void Detach() {
    ReleaseAllPins();
    CloseAllRelationFiles();
    identity_.reset();
    region_.reset();
  }

  std::string directory_;
  std::filesystem::path previous_;
  std::unique_ptr<PrivateRegion> region_;
  std::unique_ptr<ThreadIdentity> identity_;
};

}  // namespace walden
