// What storage does when the disk is full, fails to sync, or gives less than was asked for.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>

#include "node/base/error.h"
#include "node/os/file.h"
#include "node/os/file_system.h"
#include "node/shm/interrupts.h"
#include "node/wal/record_builder.h"
#include "tests/unit/storage_node.h"

namespace walden {
namespace {

// The kernel's file system with hooks; everything else passes through.
class FaultyFileSystem final : public FileSystem {
 public:
  FaultyFileSystem() : real_(fs()) { InstallFileSystem(this); }
  ~FaultyFileSystem() override { InstallFileSystem(nullptr); }

  std::function<ssize_t(int fd, size_t bytes)> before_write;  // negative: fail with it; else bytes to write
  std::function<int(int fd)> before_sync;
  std::function<size_t(size_t bytes)> before_read;

  int Open(const char* path, int flags, mode_t mode) override { return real_.Open(path, flags, mode); }
  int Close(int fd) override { return real_.Close(fd); }
  ssize_t ReadAt(int fd, void* to, size_t bytes, uint64_t offset) override {
    return real_.ReadAt(fd, to, before_read ? before_read(bytes) : bytes, offset);
  }
  ssize_t WriteAt(int fd, const void* from, size_t bytes, uint64_t offset) override {
    ssize_t allowed = before_write ? before_write(fd, bytes) : static_cast<ssize_t>(bytes);
    return allowed < 0 ? allowed : real_.WriteAt(fd, from, static_cast<size_t>(allowed), offset);
  }
  ssize_t WriteVectorAt(int fd, const iovec* parts, int count, uint64_t offset) override {
    if (before_write && before_write(fd, 1) < 0) return before_write(fd, 1);
    return real_.WriteVectorAt(fd, parts, count, offset);
  }
  int Sync(int fd, bool data_only) override {
    int error = before_sync ? before_sync(fd) : 0;
    return error < 0 ? error : real_.Sync(fd, data_only);
  }
  int Truncate(int fd, uint64_t size) override { return real_.Truncate(fd, size); }
  int Stat(const char* path, struct stat* result) override { return real_.Stat(path, result); }
  int StatFd(int fd, struct stat* result) override { return real_.StatFd(fd, result); }
  int Rename(const char* from, const char* to) override { return real_.Rename(from, to); }
  int Link(const char* from, const char* to) override { return real_.Link(from, to); }
  int Unlink(const char* path) override { return real_.Unlink(path); }
  int MakeDirectory(const char* path, mode_t mode) override { return real_.MakeDirectory(path, mode); }
  int RemoveDirectory(const char* path) override { return real_.RemoveDirectory(path); }
  int List(const char* path, std::vector<std::string>* names) override { return real_.List(path, names); }
  int SymbolicLink(const char* target, const char* path) override { return real_.SymbolicLink(target, path); }
  int ReadLink(const char* path, std::string* target) override { return real_.ReadLink(path, target); }
  void Prefetch(int fd, uint64_t offset, uint64_t bytes) override { real_.Prefetch(fd, offset, bytes); }
  void StartWriteBack(int fd, uint64_t offset, uint64_t bytes) override {
    real_.StartWriteBack(fd, offset, bytes);
  }

 private:
  FileSystem& real_;
};

const RelFileLocator kRel = StorageNode::Relation();

void AddPages(int count) {
  for (int i = 0; i < count; ++i) {
    BufferPin pin = ExtendRelation(kRel);
    PageInit(pin.page());
    pin.MarkDirty();
    LogNewPage(pin.key(), pin.page());
    pin.Unlock();
  }
}

std::string StateOf(const std::function<void()>& action) {
  try {
    action();
    return "no error";
  } catch (const SqlError& error) {
    return std::string(SqlState(error.code())) + " " + error.what();
  }
}

TEST(FailureTest, FullDiskFailsTheExtensionAndNothingElse) {
  StorageNode node(16);
  CreateRelationFile(kRel, Fork::kMain);
  AddPages(3);
  {
    FaultyFileSystem faulty;
    faulty.before_write = [](int, size_t) { return -ENOSPC; };
    EXPECT_EQ(StateOf([] { ExtendRelation(kRel); }),
              "53100 could not extend file \"base/5/16384\": No space left on device");
    // A write that gets half of the page out leaves no half page behind.
    faulty.before_write = [](int, size_t bytes) { return static_cast<ssize_t>(bytes / 2); };
    EXPECT_EQ(StateOf([] { ExtendRelation(kRel); }).substr(0, 5), "53100");
  }
  EXPECT_EQ(HeldPins(), 0);
  EXPECT_EQ(RelationBlocks(kRel), 3u);
  AddPages(1);
  EXPECT_EQ(RelationBlocks(kRel), 4u);
}

TEST(FailureTest, FullDiskFailsEnsureWalSpaceBeforeAnythingIsChanged) {
  StorageNode node(16);
  Flush(WalRecord(RecordKind::kNoop).Insert());
  FaultyFileSystem faulty;
  faulty.before_write = [](int, size_t) { return -ENOSPC; };
  EXPECT_EQ(StateOf([] { EnsureWalSpace(); }).substr(0, 5), "53100");
  for (const std::string& name : ListDirectory("pg_wal"))
    EXPECT_EQ(name.find("xlogtemp"), std::string::npos) << name;
}

TEST(FailureTest, FullDiskDoesNotLoseADirtyPage) {
  StorageNode node(16);
  CreateRelationFile(kRel, Fork::kMain);
  AddPages(2);
  Flush(InsertPosition());
  {
    FaultyFileSystem faulty;
    faulty.before_write = [](int, size_t) { return -EIO; };
    EXPECT_EQ(StateOf([] { FlushRelationBuffers(kRel); }).substr(0, 5), "58030");
  }
  EXPECT_EQ(HeldPins(), 0);
  FlushRelationBuffers(kRel);
  DropRelationBuffers(kRel);
  EXPECT_FALSE(PageIsNew(ReadPage({kRel, Fork::kMain, 1}).page()));
}

TEST(FailureTest, ShortReadIsAnError) {
  StorageNode node(16);
  CreateRelationFile(kRel, Fork::kMain);
  AddPages(1);
  FlushRelationBuffers(kRel);
  DropRelationBuffers(kRel);
  FaultyFileSystem faulty;
  faulty.before_read = [](size_t) { return size_t{0}; };
  EXPECT_EQ(StateOf([] { ReadPage({kRel, Fork::kMain, 0}); }),
            "XX001 could not read block 0 in file \"base/5/16384\": read only 0 of 8192 bytes");
}

TEST(FailureDeathTest, FailedSyncOfTheLogIsAPanic) {
  StorageNode node(16);
  OverrideSetting(Setting::kFsync, "on");
  FaultyFileSystem faulty;
  faulty.before_sync = [](int) { return -EIO; };
  WalRecord record(RecordKind::kNoop);
  record.AddData("x");
  Lsn end = record.Insert();
  EXPECT_DEATH(Flush(end), "could not f(data)?sync");
}

TEST(FailureDeathTest, FailedSyncAtACheckpointIsAPanic) {
  StorageNode node(16);
  CreateRelationFile(kRel, Fork::kMain);
  AddPages(1);
  WriteDirtyBuffers(true, nullptr);
  BecomeSyncOwner();
  OverrideSetting(Setting::kFsync, "on");
  FaultyFileSystem faulty;
  faulty.before_sync = [](int) { return -EIO; };
  EXPECT_DEATH(SyncPendingFiles(), "could not f(data)?sync");
}

TEST(SyncQueueTest, FullQueueWakesTheCheckpointer) {
  StorageNode node(16);
  std::atomic<bool> done{false};
  std::atomic<int> absorptions{0};
  std::thread checkpointer([&] {
    ThreadIdentity identity(0, ProcessKind::kCheckpointer);
    BecomeSyncOwner();
    while (!done.load()) {
      self().latch.Reset();
      AbsorbSyncRequests();
      ++absorptions;
      if (!done.load()) WaitLatch(300'000, WaitEvent::kCheckpointerMain);
    }
  });
  constexpr uint32_t kMoreThanFits = 40'000;
  // A thread of its own: another test may have made this one the owner.
  std::thread([&] {
    ThreadIdentity identity(1);
    for (uint32_t i = 0; i < kMoreThanFits; ++i) ForgetSyncs(StorageNode::Relation(20'000 + i));
  }).join();
  done = true;
  SlotAt(SlotsOf(ProcessKind::kCheckpointer).first).latch.Set();
  checkpointer.join();
  EXPECT_GT(absorptions.load(), 1);
}

TEST(FailureDeathTest, FailedWriteOfTheLogIsAPanic) {
  StorageNode node(16);
  FaultyFileSystem faulty;
  faulty.before_write = [](int, size_t) { return -ENOSPC; };
  WalRecord record(RecordKind::kNoop);
  Lsn end = record.Insert();
  EXPECT_DEATH(Flush(end), "could not write to log file");
}

TEST(FailureDeathTest, ErrorInACriticalSectionIsAPanic) {
  StorageNode node(16);
  EXPECT_DEATH(
      {
        try {
          CriticalSection critical;
          throw SqlError(ErrorCode::kInternalError, "boom");
        } catch (const SqlError&) {
        }
      },
      "critical section");
}

}  // namespace
}  // namespace walden
