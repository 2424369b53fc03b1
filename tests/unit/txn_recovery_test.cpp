#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/buffer/redo.h"
#include "node/txn/horizon.h"
#include "node/txn/id_counters.h"
#include "node/txn/txn_records.h"
#include "node/wal/reader.h"
#include "node/wal/record_handler.h"
#include "tests/unit/txn_fixture.h"

namespace walden {
namespace {

class TxnRecoveryTest : public TxnTest {
 protected:
  TxnRecoveryTest() { BindRecordHandlers(TxnRecordHandlers()); }

  // A standby that has replayed one commit.
  CommitResult CommitAndReplay() {
    CheckpointData checkpoint = Checkpoint(true);
    CommitResult last = CommitOne();
    Flush(InsertPosition());
    Stop();
    Start(kStart, checkpoint, false);
    Replay(kStart);
    return last;
  }

  // Replays pg_wal from `from`; returns the end.
  static Lsn Replay(Lsn from) {
    FileWalSource source("pg_wal", 1);
    WalReader reader(&source);
    reader.Seek(from);
    DecodedRecord record;
    while (reader.Next(&record) == ReadResult::kRecord) {
      ObserveRedoXid(record.xid);
      const RecordHandler* handler = FindRecordHandler(record.kind);
      if (handler == nullptr || handler->redo == nullptr) continue;
      RedoContext context(record, true);
      handler->redo(context);
    }
    return reader.position();
  }
  CheckpointData Checkpoint(bool shutdown) {
    CheckpointData data{};
    TxnCheckpointPart().save(&data, shutdown);
    return data;
  }
};

TEST_F(TxnRecoveryTest, CommitsSurviveACrashOthersDoNot) {
  CheckpointData checkpoint = Checkpoint(true);
  CommitResult kept = CommitOne();
  BeginTransaction();
  Xid top = CurrentXid();
  BeginSubtransaction();
  Xid sub = CurrentXid();
  CommitSubtransaction();
  BeginSubtransaction();
  Xid rolled_back = CurrentXid();
  AbortSubtransaction();
  CommitTransaction();
  BeginTransaction();
  Xid aborted = CurrentXid();
  AbortTransaction();
  BeginTransaction();
  Xid running = CurrentXid();
  Flush(InsertPosition());
  AbortTransaction();  // its record is after the flush: lost
  Xid next = NextXid();

  Stop();
  Start(kStart, checkpoint, false);
  EXPECT_TRUE(InRecovery());
  Lsn end = Replay(kStart);
  EXPECT_EQ(LookupCommit(kept.xid).csn, kept.csn);
  OpenWalForWriting({end, 1, 42, kStart});
  TxnEndRecovery(end, false);
  for (Xid xid : {kept.xid, top, sub})
    EXPECT_EQ(LookupCommit(xid).status, XidStatus::kCommitted) << xid.value;
  for (Xid xid : {rolled_back, aborted, running})
    EXPECT_EQ(LookupCommit(xid).status, XidStatus::kAborted) << xid.value;
  EXPECT_EQ(OldestRunningXid(), NextXid());
  EXPECT_GE(NextXid(), next) << "an id once given out is never given out again";
  EXPECT_GT(CommitOne().csn, end);
}

TEST_F(TxnRecoveryTest, StandbySnapshotsFollowTheReplayedPosition) {
  CheckpointData checkpoint = Checkpoint(true);
  CommitResult first = CommitOne(), second = CommitOne();
  Flush(InsertPosition());
  Stop();
  Start(kStart, checkpoint, false);
  FileWalSource source("pg_wal", 1);
  WalReader reader(&source);
  reader.Seek(kStart);
  DecodedRecord record;
  std::vector<SnapshotHold> snapshots;
  BeginTransaction();
  EXPECT_TRUE(TransactionReadOnly());
  EXPECT_THROW(CurrentXid(), SqlError);
  while (reader.Next(&record) == ReadResult::kRecord) {
    ObserveRedoXid(record.xid);
    RedoContext context(record, true);
    if (const RecordHandler* handler = FindRecordHandler(record.kind)) handler->redo(context);
    if (record.kind == RecordKind::kTransactionCommit) snapshots.push_back(LatestSnapshot());
  }
  ASSERT_EQ(snapshots.size(), 2u);
  EXPECT_TRUE(Sees(*snapshots[0], first.xid));
  EXPECT_FALSE(Sees(*snapshots[0], second.xid));
  EXPECT_TRUE(Sees(*snapshots[1], second.xid));
  EXPECT_EQ(snapshots[1]->csn, second.csn) << "the same order on both nodes";
  snapshots.clear();
  CommitTransaction();
}

TEST_F(TxnRecoveryTest, StandbyShowsOnlyWhatThePrimaryAnnouncedAsSettled) {
  CheckpointData checkpoint = Checkpoint(true);
  CommitResult first = CommitOne(), second = CommitOne();
  Flush(InsertPosition());
  Stop();
  Start(kStart, checkpoint, false);
  AnnounceSettled(first.csn);
  std::thread startup([&] {
    ThreadIdentity identity(0, ProcessKind::kStartup);
    Replay(kStart);
  });
  while (PublishedLsn() < first.csn) std::this_thread::yield();
  EXPECT_NE(LookupCommit(second.xid).status, XidStatus::kCommitted);
  AnnounceSettled(second.csn);
  startup.join();
  EXPECT_EQ(PublishedLsn(), second.csn);
}

TEST_F(TxnRecoveryTest, SnapshotsGoOnBehindAConflictThatIsNoCommit) {
  CommitResult last = CommitAndReplay();
  Lsn horizon = last.csn + 64;  // of a primary that has recovered and committed nothing since
  int slots[4], count = 0;
  EXPECT_FALSE(SnapshotsOlderThan(horizon, Oid::kInvalid, slots, 4, &count));
  BeginTransaction();
  SnapshotHold snapshot = LatestSnapshot();
  EXPECT_EQ(snapshot->csn, horizon);
  EXPECT_TRUE(Sees(*snapshot, last.xid));
  snapshot.Reset();
  CommitTransaction();
}

TEST_F(TxnRecoveryTest, WhereNobodyReadsReplayGoesAheadAndSnapshotsWaitForIt) {
  CommitResult last = CommitAndReplay();
  Lsn first = last.csn + 64, second = last.csn + 128;
  BeginTransaction();
  {
    SnapshotHold older = LatestSnapshot();
    EXPECT_EQ(KeepSnapshotsFrom(first), SnapshotFloor::kLeft) << "somebody reads below";
    InProcesses(2, 1, [&](int) { EXPECT_EQ(LatestSnapshot()->csn, last.csn) << "and others still may"; });
    EXPECT_EQ(KeepSnapshotsFrom(older->csn), SnapshotFloor::kHolds);
  }
  CommitTransaction();
  ASSERT_EQ(KeepSnapshotsFrom(first), SnapshotFloor::kHolds);
  Lsn taken;
  std::thread reader([&] { taken = TakeSnapshotIn(1); });
  // From the moment on when the reader waits nothing is put before it any more.
  while (KeepSnapshotsFrom(first) == SnapshotFloor::kHolds) std::this_thread::yield();
  EXPECT_EQ(KeepSnapshotsFrom(second), SnapshotFloor::kLeft);
  PublishReplayed(first);
  reader.join();
  EXPECT_EQ(taken, first);
  EXPECT_EQ(KeepSnapshotsFrom(second), SnapshotFloor::kHolds) << "it reads no more";
}

// The floor is raised after a session has read its position, and looked at again when that is announced: the session waits all the same.
TEST_F(TxnRecoveryTest, AFloorRaisedInVainIsToBeShownToo) {
  CommitResult last = CommitAndReplay();
  static std::atomic<bool> read, raised, announced, looked;
  read = raised = announced = looked = false;
  auto await = [](const std::atomic<bool>& what) {
    while (!what) std::this_thread::yield();
  };
  SetFaultPointCallback([](FaultPoint reached) {
    auto pass = [](std::atomic<bool>* here, const std::atomic<bool>& until) {
      *here = true;
      while (!until) std::this_thread::yield();
    };
    if (reached == FaultPoint::kSnapshotRead) pass(&read, raised);
    if (reached == FaultPoint::kHorizonFloorPublished) pass(&raised, announced);
    if (reached == FaultPoint::kSnapshotAnnounced) pass(&announced, looked);
  });
  Lsn floor = last.csn + 64, taken;
  std::thread reader([&] { taken = TakeSnapshotIn(1); });
  await(read);
  EXPECT_EQ(KeepSnapshotsFrom(floor), SnapshotFloor::kRaisedInVain);
  looked = true;
  while (KeepSnapshotsFrom(floor) != SnapshotFloor::kLeft) std::this_thread::yield();  // until it waits
  PublishReplayed(floor);
  reader.join();
  SetFaultPointCallback(nullptr);
  EXPECT_EQ(taken, floor);
}

TEST_F(TxnRecoveryTest, CleanRestartKeepsCounters) {
  CommitResult last = CommitOne();
  MultiXactId multi = MakeMultiXact(Xid{100}, MemberStatus::kForShare, Xid{101}, MemberStatus::kForKeyShare);
  CheckpointData checkpoint = Checkpoint(true);
  TxnCheckpointPart().flush(true);
  Lsn end = InsertPosition();
  Flush(end);
  Stop();
  Start(end, checkpoint, true);
  EXPECT_EQ(NextXid(), last.xid.Next());
  EXPECT_EQ(LookupCommit(last.xid).status, XidStatus::kCommitted);
  EXPECT_EQ(LookupCommit(last.xid).csn, kInvalidLsn);
  std::vector<MultiXactMember> members;
  GetMultiXactMembers(multi, &members);
  EXPECT_EQ(members.size(), 2u);
}

TEST_F(TxnRecoveryTest, MultiXactsAreReplayed) {
  CheckpointData checkpoint = Checkpoint(true);
  std::vector<MultiXactMember> set;
  for (uint64_t i = 0; i < 2000; ++i) set.push_back({Xid{1000 + i}, MemberStatus::kForKeyShare});
  MultiXactId big = CreateMultiXact(set);
  MultiXactId small = MakeMultiXact(Xid{5}, MemberStatus::kForShare, Xid{6}, MemberStatus::kNoKeyUpdate);
  Flush(InsertPosition());
  Stop();
  Start(kStart, checkpoint, false);
  Replay(kStart);
  InProcesses(1, 1, [&](int) {
    std::vector<MultiXactMember> members;
    GetMultiXactMembers(big, &members);
    EXPECT_EQ(members, set);
    EXPECT_EQ(MultiXactUpdater(small), Xid{6});
    EXPECT_EQ(MultiXactUpdater(big), kInvalidXid);
    EXPECT_THROW(GetMultiXactMembers(NextMultiXactId(), &members), SqlError);
  });
}

TEST_F(TxnRecoveryTest, ExpandingForgetsThoseWhoHoldNothing) {
  CommitResult done = CommitOne();
  BeginTransaction();
  Xid own = CurrentXid();
  MultiXactId multi = MakeMultiXact(done.xid, MemberStatus::kForShare, own, MemberStatus::kForKeyShare);
  EXPECT_TRUE(MultiXactRunning(multi, false));
  EXPECT_EQ(ExpandMultiXact(multi, own, MemberStatus::kForKeyShare), multi);
  MultiXactId stronger = ExpandMultiXact(multi, own, MemberStatus::kForUpdate);
  std::vector<MultiXactMember> members;
  GetMultiXactMembers(stronger, &members);
  EXPECT_EQ(members, (std::vector<MultiXactMember>{{own, MemberStatus::kForUpdate}}));
  CommitTransaction();
}

}  // namespace
}  // namespace walden
