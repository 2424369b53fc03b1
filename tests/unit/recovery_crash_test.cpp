// Recovery over real files: a relation of counters changed with WAL, crashes, checkpoints, archives,
// timelines.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <map>
#include <thread>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/base/random.h"
#include "node/buffer/redo.h"
#include "node/buffer/relation_storage.h"
#include "node/os/file.h"
#include "node/os/unsettled_file_system.h"
#include "node/recovery/archive.h"
#include "node/recovery/background_processes.h"
#include "node/recovery/backup.h"
#include "node/recovery/checkpoint.h"
#include "node/recovery/control_file.h"
#include "node/recovery/node_storage.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/xlog_records.h"
#include "node/shm/interrupts.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_state.h"
#include "node/wal/record_builder.h"
#include "tests/unit/recovery_node.h"
#include "tests/unit/storage_golden.h"

namespace walden {
namespace {

const RelFileLocator kRel{kDefaultTablespace, Oid{5}, 16384};

int64_t* CounterOf(BufferPin& pin) { return reinterpret_cast<int64_t*>(PageItem(pin.page(), 1)); }

void MakeCounters(int blocks) {
  CreateRelationStorage(kRel, 1);
  ForgetPendingFileDrops();
  for (int i = 0; i < blocks; ++i) {
    BufferPin pin = ExtendRelation(kRel);
    PageInit(pin.page());
    int64_t zero = 0;
    PageAddItem(pin.page(), &zero, sizeof zero);
    pin.MarkDirty();
    LogNewPage(pin.key(), pin.page());
    pin.Unlock();
  }
}

// "Heap inplace" stands for any page change: the test binds its own redo to the kind.
Lsn Set(BlockNumber block, int64_t value) {
  EnsureWalSpace();
  if (!WalIsWritable()) throw SqlError(ErrorCode::kReadOnlySqlTransaction, "in recovery");
  BufferPin pin = ReadPage({kRel, Fork::kMain, block});
  PageLock lock(pin, PageLockMode::kExclusive);
  CriticalSection critical;
  *CounterOf(pin) = value;
  pin.MarkDirty();
  WalRecord record(RecordKind::kHeapInplace);
  record.AddPage(0, pin.key(), pin.page());
  record.AddPageStruct(0, value);
  return record.InsertAndStamp();
}
int64_t Get(BlockNumber block) {
  BufferPin pin = ReadPage({kRel, Fork::kMain, block});
  PageLock lock(pin, PageLockMode::kShared);
  return *CounterOf(pin);
}
void RedoSet(RedoContext& redo) {
  RedoPage page = redo.OpenPage(0);
  if (!page.NeedsRedo()) return;
  *CounterOf(page.pin()) = redo.record().PageStruct<int64_t>(0);
  page.Finish();
}
void DescribeSet(const DecodedRecord&, std::string*) {}

class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() {
    static constexpr RecordHandler kSet[] = {{RecordKind::kHeapInplace, RedoSet, DescribeSet}};
    BindRecordHandlers(kSet);
  }
  RecoveryNode node_;
};

TEST_F(RecoveryTest, CleanShutdownNeedsNoRecovery) {
  MakeCounters(3);
  Set(1, 11);
  node_.Shutdown();
  EXPECT_EQ(ReadControlFile().state, ClusterState::kShutDown);
  Lsn end{ReadControlFile().checkpoint};
  node_.Start();
  EXPECT_EQ(Get(1), 11);
  EXPECT_EQ(ReadControlFile().state, ClusterState::kInProduction);
  EXPECT_GT(InsertPosition(), end);
  EXPECT_EQ(ReadControlFile().checkpoint, end.value) << "no checkpoint was needed";
}

TEST_F(RecoveryTest, CrashRestoresWhatWasFlushed) {
  MakeCounters(10);
  for (int i = 0; i < 100; ++i) Flush(Set(static_cast<BlockNumber>(i % 10), i));
  node_.Crash();
  node_.Start();
  for (BlockNumber block = 0; block < 10; ++block) EXPECT_EQ(Get(block), 90 + block);
  node_.Crash();
  node_.Start();
  EXPECT_EQ(Get(3), 93);
}

TEST_F(RecoveryTest, CheckpointMovesTheRedoPoint) {
  MakeCounters(10);
  for (BlockNumber block = 0; block < 10; ++block) Set(block, 5);
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  Lsn redo{ReadControlFile().checkpoint_data.redo};
  EXPECT_GT(redo, kTestWalStart);
  Flush(Set(4, 6));
  node_.Crash();
  node_.Start();
  EXPECT_EQ(Get(3), 5);
  EXPECT_EQ(Get(4), 6);
}

TEST_F(RecoveryTest, TornPageIsRepairedFromItsImage) {
  MakeCounters(2);
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  Flush(Set(1, 77));
  FlushRelationBuffers(kRel);
  node_.Crash();
  {
    // The second half of the page is from another time.
    std::fstream file("base/5/16384", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(kPageSize + kPageSize / 2);
    file.write(std::string(kPageSize / 2, '\xAB').data(), kPageSize / 2);
  }
  node_.Start();
  EXPECT_EQ(Get(1), 77);
}

// fsyncs of the file in a journal of UnsettledFileSystem.
int SyncsOf(const std::string& path, const std::string& journal) {
  struct stat info;
  EXPECT_EQ(stat(path.c_str(), &info), 0);
  std::string records = ReadWholeFile(journal);
  int syncs = 0;
  for (size_t at = 0; at + 36 <= records.size(); at += Load<uint32_t>(&records[at + 4])) {
    syncs += records[at + 2] == 's' && Load<uint64_t>(&records[at + 8]) == info.st_ino;
  }
  return syncs;
}

// Replay finds such a page done and does not write it: the checkpoint at the end, after which nobody replays its change any more,
// must still bring it to the disk.
TEST_F(RecoveryTest, PagesThatOnlyTheKernelHasAreSynced) {
  OverrideSetting(Setting::kFullPageWrites, "off");
  node_.Crash();
  // In a process of its own, since what is to be synced is known to the process.
  pid_t child = fork();
  if (child == 0) {
    node_.Start();
    MakeCounters(2);
    RequestCheckpoint(kCheckpointForce | kCheckpointWait);
    Flush(Set(1, 77));
    FlushRelationBuffers(kRel);
    _exit(0);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  OverrideSetting(Setting::kFsync, "on");
  std::filesystem::create_directory("unsettled");
  std::unique_ptr<FileSystem> watched = MakeUnsettledFileSystem("unsettled");
  FileSystem* before = InstallFileSystem(watched.get());
  node_.Start();
  InstallFileSystem(before);
  EXPECT_EQ(Get(1), 77);
  EXPECT_EQ(SyncsOf("base/5/16384", "unsettled/journal"), 1);
}

TEST_F(RecoveryTest, EveryPrefixOfTheLogIsAConsistentPast) {
  MakeCounters(4);
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  Lsn start = InsertPosition();
  std::map<uint64_t, std::pair<BlockNumber, int64_t>> changes;  // by end
  for (int i = 0; i < 12; ++i)
    changes[Set(static_cast<BlockNumber>(i % 4), 100 + i).value] = {i % 4, 100 + i};
  Flush(InsertPosition());
  node_.Crash();
  std::string saved = node_.CopyOfDirectory();
  Random random(1);
  uint64_t size = changes.rbegin()->first - start.value;
  for (int round = 0; round < 25; ++round) {
    node_.RestoreDirectory(saved);
    Lsn cut = start + random.Below(size);
    {
      std::fstream file(WalSegmentPath(1, SegmentOf(cut)), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(kWalSegmentHeaderSize + OffsetInSegment(cut)));
      std::string rest(kWalSegmentSize - OffsetInSegment(cut), 0);
      file.write(rest.data(), static_cast<std::streamsize>(rest.size()));
    }
    node_.Start();
    std::map<BlockNumber, int64_t> expected;
    for (const auto& [end, change] : changes) {
      // A record whose cut-off tail is only padding is whole.
      if (end <= cut.value) expected[change.first] = change.second;
    }
    for (const auto& [block, value] : expected) ASSERT_GE(Get(block), value) << "cut at " << cut.ToString();
    for (BlockNumber block = 0; block < 4; ++block) {
      int64_t limit = expected.count(block) != 0 ? expected[block] + 4 : 103;
      ASSERT_LE(Get(block), limit);
    }
    node_.Crash();
  }
}

TEST_F(RecoveryTest, DroppedRelationExplainsMissingPages) {
  MakeCounters(3);
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  Set(1, 5);  // with image: replay re-creates the page
  Set(1, 6);
  ForkSize none[] = {{Fork::kMain, 1}};
  TruncateRelationStorage(kRel, none);
  EXPECT_EQ(RelationBlocks(kRel), 1u);
  node_.Crash();
  node_.Start();
  EXPECT_EQ(RelationBlocks(kRel), 1u);
  EXPECT_EQ(Get(0), 0);
}

TEST_F(RecoveryTest, CreatedFileComesBack) {
  MakeCounters(2);
  Flush(Set(0, 9));
  node_.Crash();
  std::filesystem::remove("base/5/16384");
  node_.Start();
  EXPECT_EQ(Get(0), 9);
}

TEST_F(RecoveryTest, UnloggedRelationIsEmptiedByACrashOnly) {
  RelFileLocator unlogged = kRel;
  unlogged.number = 20000;
  unlogged.owner = RelFileLocator::kUnlogged;
  CreateRelationStorage(unlogged, 1);
  ForgetPendingFileDrops();
  CreateRelationFork(unlogged, Fork::kInit);
  BufferPin pin = ExtendRelation(unlogged);
  PageInit(pin.page());
  pin.MarkDirty();
  pin.Unlock();
  pin.Release();
  node_.Shutdown();
  node_.Start();
  EXPECT_EQ(RelationBlocks(unlogged), 1u);
  Flush(InsertPosition());
  node_.Crash();
  node_.Start();
  EXPECT_EQ(RelationBlocks(unlogged), 0u);
}

TEST_F(RecoveryTest, SegmentsAreRecycledAfterCheckpoints) {
  MakeCounters(1);
  for (int i = 0; i < 6; ++i) {
    Set(0, i);
    SwitchWalSegment();
  }
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  EXPECT_FALSE(PathExists(WalSegmentPath(1, 1)));
  EXPECT_TRUE(PathExists(WalSegmentPath(1, SegmentOf(InsertPosition()) + 1)));
  Flush(Set(0, 42));
  node_.Crash();
  node_.Start();
  EXPECT_EQ(Get(0), 42);
}

TEST_F(RecoveryTest, SegmentsBehindTheEndGoWithTheNextCheckpointAndHalfMadeOnesAtOnce) {
  Flush(LogRestorePoint("end"));
  std::string behind = WalSegmentPath(1, SegmentOf(FlushedLsn()) + 5);
  CreateWalSegment(1, SegmentOf(FlushedLsn()) + 5, 4711);
  ASSERT_TRUE(PathExists(behind));
  std::string half_made = "pg_wal/xlogtemp.4711.1";
  File::Open(half_made, O_WRONLY | O_CREAT);
  node_.Crash();
  node_.Start();
  EXPECT_FALSE(PathExists(behind));
  EXPECT_FALSE(PathExists(half_made));
  RequestCheckpoint(kCheckpointForce | kCheckpointImmediate | kCheckpointWait);
  for (const std::string& name : ListDirectory("pg_wal")) EXPECT_FALSE(name.starts_with("erased.")) << name;
}

TEST_F(RecoveryTest, ArchiveRecoveryStopsAtARestorePoint) {
  node_.UseArchive();
  MakeCounters(2);
  Set(0, 1);
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  std::string base = node_.CopyOfRunningDirectory();
  Set(0, 2);
  LogRestorePoint("here");
  Set(0, 3);
  Flush(InsertPosition());
  SwitchWalSegment();
  Flush(InsertPosition());
  ASSERT_TRUE(ArchiveReadyFiles());
  node_.Crash();

  node_.RestoreDirectory(base);
  std::filesystem::remove_all("pg_wal");
  std::filesystem::create_directories("pg_wal/archive_status");
  std::ofstream("recovery.signal");
  OverrideSetting(Setting::kRecoveryTargetName, "here");
  OverrideSetting(Setting::kRecoveryTargetAction, "promote");
  node_.Start();
  EXPECT_EQ(Get(0), 2);
  EXPECT_EQ(WalTimeline(), 2u);
  EXPECT_FALSE(PathExists("recovery.signal"));
  EXPECT_TRUE(PathExists("pg_wal/00000002.history"));
  Flush(Set(0, 20));
  OverrideSetting(Setting::kRecoveryTargetName, "");
  node_.Crash();
  node_.Start();
  EXPECT_EQ(Get(0), 20);
  EXPECT_EQ(WalTimeline(), 2u);
}

TEST_F(RecoveryTest, BackupTakenUnderLoadIsConsistent) {
  MakeCounters(4);
  Set(0, 1);
  BackupStart start = StartBackup("test", true);
  Set(1, 10);
  std::string copy = node_.CopyOfRunningDirectory();
  Set(2, 20);
  BackupStop stop = StopBackup();
  EXPECT_GT(stop.stop, start.start);
  Flush(Set(3, 30));
  std::filesystem::copy(
      "pg_wal", copy + "/pg_wal",
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  node_.Crash();
  std::ofstream(copy + "/backup_label") << start.label_file;
  // The control file in the copy may be of any moment.
  node_.RestoreDirectory(copy);
  node_.Start();
  EXPECT_EQ(Get(0), 1);
  EXPECT_EQ(Get(1), 10);
  EXPECT_EQ(Get(2), 20);
  EXPECT_EQ(Get(3), 30);
  EXPECT_FALSE(PathExists("backup_label"));
}

TEST_F(RecoveryTest, BackupWithoutItsEndIsRefused) {
  MakeCounters(1);
  BackupStart start = StartBackup("test", true);
  Flush(Set(0, 10));
  std::string copy = node_.CopyOfRunningDirectory();
  AbortBackup();
  node_.Crash();
  std::ofstream(copy + "/backup_label") << start.label_file;
  node_.RestoreDirectory(copy);
  EXPECT_THROW(node_.Start(), SqlError);
}

// The main thread is the WAL receiver of a standby whose startup process is another thread.
TEST_F(RecoveryTest, StandbyFollowsAStreamAndIsPromoted) {
  MakeCounters(2);
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  std::string base = node_.CopyOfRunningDirectory();
  Lsn first = Set(0, 1), second = Set(0, 2);
  Set(0, 3);  // never reaches the standby
  Flush(InsertPosition());
  std::string wal = ReadWholeFile(WalSegmentPath(1, 1));
  node_.Crash();

  node_.RestoreDirectory(base);
  std::ofstream("standby.signal");
  OverrideSetting(Setting::kPrimaryConninfo, "host=primary");
  std::thread startup([this] {
    ThreadIdentity me(1);
    node_.Start();
    CloseAllRelationFiles();
  });
  StreamRequest request;
  while (!TakeStreamRequest(&request)) std::this_thread::yield();
  EXPECT_EQ(request.start, SegmentStart(1));
  EXPECT_EQ(request.timeline, 1u);
  SetReceiverState(ReceiverState::kStreaming);
  {
    std::fstream file(WalSegmentPath(1, 1), std::ios::in | std::ios::out | std::ios::binary);
    file.write(wal.data(), static_cast<std::streamsize>(wal.size()));
  }
  ReportReceived(first, 1);
  ASSERT_TRUE(WaitForReplay(first, 20000));
  EXPECT_EQ(ReplayedLsn(), first);
  EXPECT_EQ(Get(0), 1);
  EXPECT_THROW(Set(0, 99), SqlError) << "a standby is read-only";
  ReleaseAllPins();
  ReportReceived(second, 1);
  ASSERT_TRUE(WaitForReplay(second, 20000));
  EXPECT_EQ(Get(0), 2);
  RequestPromotion();
  while (!StreamingStopRequested()) std::this_thread::yield();
  SetReceiverState(ReceiverState::kStopped);
  startup.join();
  EXPECT_EQ(WalTimeline(), 2u);
  EXPECT_EQ(Get(0), 2);
  Flush(Set(0, 100));
  EXPECT_FALSE(PathExists("standby.signal"));
  node_.Crash();
  node_.Start();
  EXPECT_EQ(Get(0), 100);
}

TEST_F(RecoveryTest, MissingTargetIsAnError) {
  node_.UseArchive();
  MakeCounters(1);
  node_.Shutdown();
  std::ofstream("recovery.signal");
  OverrideSetting(Setting::kRecoveryTargetName, "nowhere");
  EXPECT_THROW(node_.Start(), SqlError);
}

TEST_F(RecoveryTest, DamagedControlFileIsRefused) {
  node_.Shutdown();
  {
    std::fstream file(kControlFilePath, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(60);
    file.put('x');
  }
  EXPECT_THROW(ReadControlFile(), SqlError);
}

TEST_F(RecoveryTest, CommitsAreKnownAfterACrash) {
  MakeCounters(1);
  uint64_t next = ReadControlFile().checkpoint_data.next_xid;
  WalRecord record(RecordKind::kTransactionCommit);
  record.SetXid(Xid{next + 3});
  TransactionRecord body{};
  record.AddStruct(body);
  Flush(record.Insert());
  node_.Crash();
  node_.Start();
  EXPECT_GT(NextXid().value, next + 3);
}

TEST(ControlFileTest, GoldenFile) {
  ControlFile control{};
  control.system_id = 0x1122334455667788;
  control.state = ClusterState::kInProduction;
  control.data_checksums = 1;
  control.time_us = 123456789;
  control.checkpoint = 0x1000028;
  control.checkpoint_data.redo = 0x1000000;
  control.checkpoint_data.next_xid = 700;
  control.term = 3;
  std::string path = "/tmp/walden-control-" + std::to_string(getpid());
  WriteControlFile(control, path);
  std::string bytes = ReadWholeFile(path);
  EXPECT_EQ(bytes.size(), kPageSize);
  ExpectGolden("control_v1", bytes);
  EXPECT_EQ(ReadControlFile(path).term, 3u);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace walden
