#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "node/base/error.h"
#include "node/base/random.h"
#include "node/shm/interrupts.h"
#include "node/shm/lwlock.h"
#include "node/wal/record_builder.h"
#include "tests/unit/storage_node.h"

namespace walden {
namespace {

const RelFileLocator kRel = StorageNode::Relation();

// One counter a page, changed under the exclusive lock with WAL.
void AddToCounter(BufferPin& pin, int64_t delta) {
  EnsureWalSpace();
  PageLock lock(pin, PageLockMode::kExclusive);
  CriticalSection critical;
  int64_t value;
  std::memcpy(&value, PageItem(pin.page(), 1), sizeof value);
  value += delta;
  std::memcpy(PageItem(pin.page(), 1), &value, sizeof value);
  pin.MarkDirty();
  WalRecord record(RecordKind::kFullPageImage);
  record.AddPage(0, pin.key(), pin.page());
  record.AddPageStruct(0, value);
  record.InsertAndStamp();
}
int64_t Counter(BlockNumber block) {
  BufferPin pin = ReadPage({kRel, Fork::kMain, block});
  PageLock lock(pin, PageLockMode::kShared);
  int64_t value;
  std::memcpy(&value, PageItem(pin.page(), 1), sizeof value);
  return value;
}

void MakeRelation(int blocks) {
  CreateRelationFile(kRel, Fork::kMain);
  int64_t zero = 0;
  for (int i = 0; i < blocks; ++i) {
    BufferPin pin = ExtendRelation(kRel);
    ASSERT_EQ(pin.block(), static_cast<BlockNumber>(i));
    PageInit(pin.page());
    PageAddItem(pin.page(), &zero, sizeof zero);
    pin.MarkDirty();
    LogNewPage(pin.key(), pin.page());
    pin.Unlock();
  }
}

TEST(BufferTest, PagesSurviveEvictionThroughSixteenBuffers) {
  StorageNode node(16);
  MakeRelation(200);
  for (int round = 0; round < 3; ++round) {
    for (BlockNumber block = 0; block < 200; ++block) {
      BufferPin pin = ReadPage({kRel, Fork::kMain, block});
      AddToCounter(pin, block);
    }
  }
  for (BlockNumber block = 0; block < 200; ++block) ASSERT_EQ(Counter(block), 3 * block);
  EXPECT_EQ(HeldPins(), 0);
  EXPECT_EQ(RelationBlocks(kRel), 200u);
}

TEST(BufferTest, WalGoesFirst) {
  StorageNode node(16);
  MakeRelation(1);
  BufferPin pin = ReadPage({kRel, Fork::kMain, 0});
  AddToCounter(pin, 5);
  Lsn lsn = PageLsn(pin.page());
  EXPECT_LT(FlushedLsn(), lsn);
  pin.Release();
  FlushRelationBuffers(kRel);
  EXPECT_GE(FlushedLsn(), lsn);
}

TEST(BufferTest, ConcurrentReadersWritersAndEviction) {
  constexpr int kBlocks = 300, kThreads = 32, kRounds = 400;
  StorageNode node(3 * kThreads);  // each may pin two pages at once
  MakeRelation(kBlocks);
  std::vector<std::thread> threads;
  std::atomic<int64_t> expected{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t, &expected] {
      ThreadIdentity me(t + 1);
      Random random(static_cast<uint64_t>(t));
      for (int i = 0; i < kRounds; ++i) {
        BufferPin pin = ReadPage({kRel, Fork::kMain, static_cast<BlockNumber>(random.Below(kBlocks))});
        if (random.Below(3) == 0) {
          AddToCounter(pin, 1);
          expected.fetch_add(1);
        } else {
          PageLock lock(pin, PageLockMode::kShared);
          ASSERT_EQ(PageMaxOffset(pin.page()), 1);
        }
        if (i % 200 == 0) WriteDirtyBuffers(true, nullptr);
      }
      EXPECT_EQ(HeldPins(), 0);
      CloseAllRelationFiles();
    });
  }
  for (std::thread& thread : threads) thread.join();
  int64_t sum = 0;
  for (BlockNumber block = 0; block < kBlocks; ++block) sum += Counter(block);
  EXPECT_EQ(sum, expected.load());
}

TEST(BufferTest, ConcurrentExtensionGivesEveryBlockOnce) {
  constexpr int kThreads = 32, kEach = 10;
  StorageNode node(3 * kThreads);
  CreateRelationFile(kRel, Fork::kMain);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      ThreadIdentity me(t + 1);
      for (int i = 0; i < kEach; ++i) {
        BufferPin pin = ExtendRelation(kRel);
        ASSERT_TRUE(PageIsNew(pin.page()));
        PageInit(pin.page());
        pin.MarkDirty();
        LogNewPage(pin.key(), pin.page());
        pin.Unlock();
      }
      CloseAllRelationFiles();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(RelationBlocks(kRel), static_cast<BlockNumber>(kThreads * kEach));
  for (BlockNumber block = 0; block < kThreads * kEach; ++block)
    ASSERT_FALSE(PageIsNew(ReadPage({kRel, Fork::kMain, block}).page()));
}

TEST(BufferTest, BulkReadStaysInItsRing) {
  StorageNode node(128);
  MakeRelation(300);
  WriteDirtyBuffers(true, nullptr);
  DropRelationBuffers(kRel);
  RelFileLocator hot = StorageNode::Relation(999);
  CreateRelationFile(hot, Fork::kMain);
  ExtendRelation(hot).Unlock();
  uint64_t reads = buffer_statistics.shared_reads;
  BufferStrategy strategy(StrategyKind::kBulkRead);
  for (BlockNumber block = 0; block < 300; ++block) {
    BufferPin pin = ReadPage({kRel, Fork::kMain, block}, ReadMode::kNormal, &strategy);
    ASSERT_EQ(PageMaxOffset(pin.page()), 1);
  }
  EXPECT_EQ(buffer_statistics.shared_reads - reads, 300u);
  int cached = 0;
  for (BlockNumber block = 0; block < 300; ++block)
    cached += static_cast<bool>(ReadPageIfCached({kRel, Fork::kMain, block}));
  EXPECT_LE(cached, 40);
  EXPECT_TRUE(ReadPageIfCached({hot, Fork::kMain, 0}));
}

TEST(BufferTest, DamagedPageIsReported) {
  StorageNode node(16);
  MakeRelation(2);
  FlushRelationBuffers(kRel);
  DropRelationBuffers(kRel);
  {
    std::fstream file("base/5/16384", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(kPageSize + 5000);
    file.put('!');
  }
  EXPECT_EQ(Counter(0), 0);
  try {
    ReadPage({kRel, Fork::kMain, 1});
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(SqlState(error.code()), "XX001");
    EXPECT_STREQ(error.what(), "invalid page in block 1 of relation base/5/16384");
  }
  EXPECT_EQ(HeldPins(), 0);
  EXPECT_TRUE(PageIsNew(ReadPage({kRel, Fork::kMain, 1}, ReadMode::kZeroOnError).page()));
}

TEST(BufferTest, ReadingPastTheEndFailsOrSaysSo) {
  StorageNode node(16);
  MakeRelation(1);
  EXPECT_THROW(ReadPage({kRel, Fork::kMain, 1}), SqlError);
  EXPECT_FALSE(ReadPage({kRel, Fork::kMain, 1}, ReadMode::kIfExists));
  BufferPin pin = ExtendRelation(kRel);  // over the remains of the failed read
  EXPECT_EQ(pin.block(), 1u);
  pin.Unlock();
}

TEST(BufferTest, FirstHintAfterCheckpointLogsTheImage) {
  StorageNode node(16);
  MakeRelation(1);
  WriteDirtyBuffers(true, nullptr);
  BeginRedoEpoch();
  BufferPin pin = ReadPage({kRel, Fork::kMain, 0});
  auto hint = [&] {
    PageLock lock(pin, PageLockMode::kShared);
    Lsn before = InsertPosition();
    SetPageFlag(pin.page(), kPageFull);
    pin.MarkDirtyHint();
    return InsertPosition() - before;
  };
  EXPECT_GT(hint(), 0u);
  EXPECT_EQ(PageLsn(pin.page()), InsertPosition());
  EXPECT_EQ(hint(), 0u) << "dirty already";
  pin.Release();
  WriteDirtyBuffers(true, nullptr);
  pin = ReadPage({kRel, Fork::kMain, 0});
  EXPECT_EQ(hint(), 0u) << "its image is in this epoch's WAL";
}

TEST(BufferTest, CleanupLockWaitsForOtherPins) {
  StorageNode node(16);
  MakeRelation(1);
  BufferPin pin = ReadPage({kRel, Fork::kMain, 0});
  std::atomic<int> stage{0};
  std::thread other([&stage] {
    ThreadIdentity me(1);
    BufferPin theirs = ReadPage({kRel, Fork::kMain, 0});
    EXPECT_FALSE(theirs.TryLockForCleanup());
    stage = 1;
    theirs.LockForCleanup();
    EXPECT_EQ(stage.load(), 2);
    theirs.Unlock();
    theirs.Release();
    CloseAllRelationFiles();
  });
  while (stage.load() == 0) std::this_thread::yield();
  stage = 2;
  pin.Release();
  other.join();
  pin = ReadPage({kRel, Fork::kMain, 0});
  EXPECT_TRUE(pin.TryLockForCleanup());
  EXPECT_TRUE(pin.IsCleanupLock());
  pin.Unlock();
}

TEST(BufferTest, ExceptionReleasesLocksAndPins) {
  StorageNode node(16);
  MakeRelation(1);
  try {
    BufferPin pin = ReadPage({kRel, Fork::kMain, 0});
    pin.LockExclusive();
    throw SqlError(ErrorCode::kInternalError, "test");
  } catch (const SqlError&) {
  }
  EXPECT_EQ(HeldPins(), 0);
  EXPECT_EQ(HeldLwLockCount(), 0);
  BufferPin pin = ReadPage({kRel, Fork::kMain, 0});
  BufferPin second = pin.Share();
  pin.LockShared();
  EXPECT_EQ(ReleaseAllPins(), 1);
  EXPECT_EQ(HeldLwLockCount(), 0);
}

TEST(BufferTest, AllPinnedIsAnError) {
  StorageNode node(16);
  MakeRelation(17);
  std::vector<BufferPin> pins;
  for (BlockNumber block = 0; block < 16; ++block) pins.push_back(ReadPage({kRel, Fork::kMain, block}));
  EXPECT_THROW(ReadPage({kRel, Fork::kMain, 16}), SqlError);
}

TEST(BufferTest, TemporaryPagesStayPrivateAndUnlogged) {
  StorageNode node(16);
  OverrideSetting(Setting::kTempBuffers, "100");
  RelFileLocator temp = StorageNode::Relation(5000);
  temp.owner = RelFileLocator::kFirstTemporary;
  CreateRelationFile(temp, Fork::kMain);
  Lsn before = InsertPosition();
  for (int i = 0; i < 150; ++i) {
    BufferPin pin = ExtendRelation(temp);
    PageInit(pin.page());
    PageAddItem(pin.page(), &i, sizeof i);
    pin.MarkDirty();
    pin.Unlock();
  }
  for (int i = 0; i < 150; ++i) {
    BufferPin pin = ReadPage({temp, Fork::kMain, static_cast<BlockNumber>(i)});
    int value;
    std::memcpy(&value, PageItem(pin.page(), 1), sizeof value);
    ASSERT_EQ(value, i);
  }
  EXPECT_EQ(InsertPosition(), before);
  DropRelationBuffers(temp);
  UnlinkRelationFiles(temp, false);
  EXPECT_FALSE(RelationFileExists(temp, Fork::kMain));
}

}  // namespace
}  // namespace walden
