// Files made durable beside the main thread, which hears how far they are and learns of a failure.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "node/shm/latch.h"
#include "node/shm/process.h"
#include "replication/sync_thread.h"

namespace walden::replication {
namespace {

class SyncThreads : public ::testing::Test {
 protected:
  SyncThreads() : before_(current_process_slot) {
    slot_.latch.Init();
    slot_.latch.Own();
    current_process_slot = &slot_;
  }
  ~SyncThreads() override { current_process_slot = before_; }
  // A file without a name.
  static std::shared_ptr<File> SomeFile() {
    char name[] = "/tmp/walden-sync-XXXXXX";
    close(mkstemp(name));
    auto file = std::make_shared<File>(File::Open(name, O_RDWR));
    unlink(name);
    return file;
  }

  ProcessSlot slot_{};
  ProcessSlot* before_;
};

TEST_F(SyncThreads, TellTheirOwnerHowFarFilesAreDurable) {
  std::shared_ptr<File> file = SomeFile();
  SyncThread syncing;
  EXPECT_TRUE(syncing.Idle());
  file->WriteAt("abc", 3, 0);
  syncing.Begin(file, Lsn{100});
  syncing.Begin(nullptr, Lsn{200});
  for (slot_.latch.Reset(); syncing.Done() < Lsn{200}; slot_.latch.Reset()) WaitLatch(-1, WaitEvent::kNone);
  EXPECT_TRUE(syncing.Idle());
}

TEST_F(SyncThreads, FinishWhatWasHandedOver) {
  std::shared_ptr<File> file = SomeFile();
  {
    SyncThread syncing;
    for (uint64_t n = 1; n <= 20; ++n) syncing.Begin(file, Lsn{n});
  }
  EXPECT_EQ(file.use_count(), 1);
  SyncThread syncing;
  syncing.Begin(file, Lsn{7});
  syncing.Await();
  EXPECT_EQ(syncing.Done(), Lsn{7});
}

TEST_F(SyncThreads, AFailureIsThePanicOfTheirOwner) {
  EXPECT_DEATH(
      {
        SyncThread syncing;
        syncing.Begin(std::make_shared<File>(File::Open("/dev/null", O_RDWR)), Lsn{1});
        syncing.Await();
        syncing.Begin(nullptr, Lsn{2});
        syncing.Await();
        syncing.Done();
      },
      "could not fsync file");
}

}  // namespace
}  // namespace walden::replication
