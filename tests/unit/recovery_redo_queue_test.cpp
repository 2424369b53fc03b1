// The rings between the dispatcher and the redo workers: order, room, who is woken, what counts as applied. One thread is both ends.
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "node/base/random.h"
#include "node/buffer/buffer_pool.h"
#include "node/config/settings.h"
#include "node/recovery/recovery_shared.h"
#include "node/recovery/redo_queue.h"
#include "node/shm/private_region.h"

namespace walden {
namespace {

class RedoQueueTest : public ::testing::Test {
 protected:
  RedoQueueTest() {
    OverrideSetting(Setting::kSharedBuffers, "64");
    OverrideSetting(Setting::kMaxParallelRedoWorkers, "2");
    region_ = std::make_unique<PrivateRegion>(
        std::vector<AreaBinding>{{Area::kBufferPool, BufferPoolShmSize, BufferPoolShmInit},
                                 {Area::kRecovery, RecoveryShmSize, RecoveryShmInit},
                                 {Area::kRedoWorkers, RedoQueuesShmSize, RedoQueuesShmInit}});
    worker_ = std::make_unique<ThreadIdentity>(0, ProcessKind::kRedoWorker);
    writer_.Attach(0);
    reader_ = std::make_unique<RedoReader>(0);
  }
  ~RedoQueueTest() override {
    worker_.reset();
    region_.reset();
    ResetSettingsForTest();
  }

  void Write(const std::string& payload) {
    lsn_ += 100;
    writer_.Write({.size = static_cast<uint32_t>(payload.size()),
                   .command = RedoCommand::kRecord,
                   .start = lsn_,
                   .end = lsn_ + 90},
                  payload.data());
  }
  std::string Read() {
    const RedoMessage* message = reader_->Peek();
    if (message == nullptr) return "nothing";
    RedoMessage header = *message;
    reader_->PrefetchBehind();
    std::string payload(reinterpret_cast<const char*>(message + 1), header.size);
    reader_->Done(header);
    return payload;
  }
  // Publishes to a worker that sleeps: is it woken?
  bool Wakes(RedoWake wake) {
    self().latch.Reset();
    RedoQueueOf(0).sleeping.store(1);
    writer_.Publish(wake);
    return self().latch.is_set();
  }

  std::unique_ptr<PrivateRegion> region_;
  std::unique_ptr<ThreadIdentity> worker_;
  RedoWriter writer_;
  std::unique_ptr<RedoReader> reader_;
  uint64_t lsn_ = 1000;
};

TEST_F(RedoQueueTest, MessagesArriveInOrderManyTimesAroundTheRing) {
  Random random(7);
  std::deque<std::string> expected;
  size_t written = 0;
  for (int step = 0; written < (20 << 20); ++step) {
    std::string payload(random.Below(step % 50 == 0 ? 100000 : 300), static_cast<char>('a' + step % 26));
    while (!writer_.HasRoom(payload.size())) {
      writer_.Publish(RedoWake::kWhenMuch);
      ASSERT_EQ(Read(), expected.front());
      expected.pop_front();
    }
    Write(payload);
    written += payload.size();
    expected.push_back(std::move(payload));
    if (step % 128 == 0) writer_.Publish(RedoWake::kWhenMuch);
  }
  writer_.Publish(RedoWake::kWhenMuch);
  for (; !expected.empty(); expected.pop_front()) ASSERT_EQ(Read(), expected.front());
  EXPECT_EQ(Read(), "nothing");
  reader_->Tell();
  EXPECT_TRUE(writer_.Idle());
}

TEST_F(RedoQueueTest, ASleepingWorkerIsWokenForMuchOrBeforeTheDispatcherStops) {
  EXPECT_FALSE(Wakes(RedoWake::kNow)) << "there is nothing to do";
  Write("little");
  EXPECT_FALSE(Wakes(RedoWake::kWhenMuch));
  EXPECT_TRUE(Wakes(RedoWake::kNow)) << "published before, and nobody was woken";
  EXPECT_EQ(Read(), "little");
  reader_->Tell();
  Write(std::string(RedoWriter::kLargestPayload, 'x'));
  Write("the straw");
  EXPECT_TRUE(Wakes(RedoWake::kWhenMuch));
}

TEST_F(RedoQueueTest, NothingCountsAsAppliedBeforeItIs) {
  EXPECT_EQ(writer_.AppliedBelow(), kMaxLsn);
  Write("first");
  Lsn first{lsn_};
  Write("second");
  Lsn second{lsn_};
  writer_.Publish(RedoWake::kWhenMuch);
  EXPECT_EQ(writer_.AppliedBelow(), first) << "it was idle: whatever lies below is none of its";
  Read();
  EXPECT_GT(writer_.AppliedBelow(), first);
  EXPECT_LT(writer_.AppliedBelow(), second);
  // The next batch, while the last one is under way.
  Write("third");
  writer_.Publish(RedoWake::kWhenMuch);
  EXPECT_LT(writer_.AppliedBelow(), second);
  Read();
  EXPECT_LT(writer_.AppliedBelow(), Lsn{lsn_});
  Read();
  reader_->Tell();
  EXPECT_EQ(writer_.AppliedBelow(), kMaxLsn);
}

}  // namespace
}  // namespace walden
