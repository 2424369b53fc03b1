#include <atomic>
#include <mutex>

#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/shm/lwlock.h"
#include "node/shm/wait_events.h"
#include "node/txn/horizon.h"
#include "node/txn/id_counters.h"
#include "node/txn/lease.h"
#include "node/txn/multixact.h"
#include "node/txn/transaction_hooks.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"
#include "tests/unit/txn_fixture.h"

namespace walden {
namespace {

TEST_F(TxnTest, CommitIsVisibleToLaterSnapshotsOnly) {
  BeginTransaction();
  SetIsolation(IsolationLevel::kRepeatableRead);
  SnapshotHold before = TransactionSnapshot();
  CommitResult other;
  InProcesses(1, 1, [&](int) { other = CommitOne(); });
  EXPECT_FALSE(Sees(*before, other.xid));
  EXPECT_EQ(DecideXid(other.xid, *before).status, XidStatus::kCommitted);
  EXPECT_FALSE(Sees(*TransactionSnapshot(), other.xid)) << "repeatable read keeps its snapshot";
  SnapshotHold after = LatestSnapshot();
  EXPECT_TRUE(Sees(*after, other.xid));
  EXPECT_EQ(LookupCommit(other.xid).csn, other.csn);
  EXPECT_EQ(after->csn, other.csn);
  before.Reset();
  after.Reset();
  CommitTransaction();
}

// The commit log stays as far back as anybody may ask, and nothing of it goes before the log says so.
TEST_F(TxnTest, TheCommitLogIsNotCutAboveWhatRuns) {
  BeginTransaction();
  Xid running = CurrentXid();
  InProcesses(1, 1, [&](int) {
    for (int i = 0; i < 3; ++i) CommitOne();
    TruncateTransactionLogs(NextXid(), NextMultiXactId());
    EXPECT_LE(OldestClogXid(), running);
    EXPECT_EQ(FlushedLsn(), InsertPosition());
  });
  CommitTransaction();
}

// Rule 3: below xmin a hint suffices; at or above it the CSN decides, also for a hinted row.
TEST_F(TxnTest, HintedRowsAboveXminArePlacedByCsn) {
  CommitResult old = CommitOne();
  BeginTransaction();
  Xid running = CurrentXid();
  InProcesses(1, 1, [&](int) {
    BeginTransaction();
    SnapshotHold before = LatestSnapshot();
    EXPECT_EQ(before->xmin, running);
    CommitResult later;
    InProcesses(2, 1, [&](int) { later = CommitOne(); });
    EXPECT_GT(later.xid, running);
    EXPECT_TRUE(HintedCommitVisible(old.xid, *before));
    EXPECT_FALSE(HintedCommitVisible(later.xid, *before));
    EXPECT_TRUE(HintedCommitVisible(later.xid, *LatestSnapshot()));
    EXPECT_EQ(OldestRunningXid(), running);
    before.Reset();
    CommitTransaction();
  });
  CommitTransaction();
  EXPECT_EQ(OldestRunningXid(), NextXid());
}

// Rule 9: the oldest live hold of a process bounds the horizon, whichever was taken or released first.
TEST_F(TxnTest, TheOldestHoldBoundsTheHorizon) {
  BeginTransaction();
  SnapshotHold first = LatestSnapshot();
  CommitResult one, two;
  InProcesses(1, 1, [&](int) { one = CommitOne(); });
  SnapshotHold second = LatestSnapshot();
  SnapshotHold copy(*second);
  InProcesses(1, 1, [&](int) { two = CommitOne(); });
  Flush(two.csn);
  EXPECT_EQ(ComputeHorizon(), first->csn);
  first.Reset();
  EXPECT_EQ(ComputeHorizon(), one.csn);
  second.Reset();
  EXPECT_EQ(ComputeHorizon(), one.csn) << "the copy still holds it";
  SnapshotHold moved = std::move(copy);
  EXPECT_EQ(ComputeHorizon(), one.csn);
  moved.Reset();
  EXPECT_EQ(ComputeHorizon(), two.csn);
  CommitTransaction();
}

TEST_F(TxnTest, ReadCommittedSeesMoreWithEachStatement) {
  BeginTransaction();
  {
    SnapshotHold first = TransactionSnapshot();
  }
  CommitResult other;
  InProcesses(1, 1, [&](int) { other = CommitOne(); });
  EXPECT_TRUE(Sees(*TransactionSnapshot(), other.xid));
  EXPECT_EQ(CommitTransaction().csn, kInvalidLsn);
}

TEST_F(TxnTest, AbortAndRunningAreInvisible) {
  BeginTransaction();
  Xid aborted = CurrentXid();
  EXPECT_TRUE(IsCurrentXid(aborted));
  EXPECT_EQ(LookupCommit(aborted).status, XidStatus::kInProgress);
  AbortTransaction();
  EXPECT_FALSE(IsCurrentXid(aborted));
  EXPECT_EQ(LookupCommit(aborted).status, XidStatus::kAborted);
  EXPECT_EQ(LookupCommit(kFrozenXid).status, XidStatus::kCommitted);
}

TEST_F(TxnTest, SavepointsRollBackAlone) {
  BeginTransaction();
  Xid top = CurrentXid();
  BeginSubtransaction();
  Xid lost = CurrentXid();
  BeginSubtransaction();
  Xid inner = CurrentXid();
  CommitSubtransaction();
  EXPECT_TRUE(IsCurrentXid(inner));
  AbortSubtransaction();
  EXPECT_FALSE(IsCurrentXid(lost));
  EXPECT_FALSE(IsCurrentXid(inner));
  BeginSubtransaction();
  Xid kept = CurrentXid();
  CommitSubtransaction();
  EXPECT_EQ(TopXidOf(kept), top);
  EXPECT_EQ(LookupCommit(kept).status, XidStatus::kInProgress);
  CommitResult result = CommitTransaction();
  EXPECT_EQ(LookupCommit(lost).status, XidStatus::kAborted);
  EXPECT_EQ(LookupCommit(inner).status, XidStatus::kAborted);
  EXPECT_EQ(LookupCommit(kept).csn, result.csn);
  EXPECT_EQ(LookupCommit(top).csn, result.csn);
}

// If a snapshot sees a commit it sees every commit with a lower CSN, and all subtransactions of it, however
// they race.
TEST_F(TxnTest, SnapshotsSeePrefixesOfTheCommitOrder) {
  constexpr int kWriters = 28, kCommits = 40;
  std::vector<std::atomic<uint64_t>> published(kWriters * kCommits);
  std::atomic<int> count{0}, running{kWriters}, half{0}, disorder{0};
  InProcesses(1, kWriters + 4, [&](int n) {
    if (n < kWriters) {
      for (int i = 0; i < kCommits; ++i) {
        BeginTransaction();
        Xid top = CurrentXid();
        BeginSubtransaction();
        CurrentXid();
        CommitSubtransaction();
        published[static_cast<size_t>(count.fetch_add(1))].store(top.value);
        CommitTransaction();
      }
      --running;
      return;
    }
    while (running.load() > 0) {
      BeginTransaction();
      SnapshotHold snapshot = LatestSnapshot();
      Lsn newest_seen, oldest_unseen = kMaxLsn;
      int known = count.load();
      for (int i = std::max(0, known - 50); i < known; ++i) {
        Xid top{published[static_cast<size_t>(i)].load()};
        if (top.value == 0) continue;
        bool seen = Sees(*snapshot, top);
        bool both = seen == Sees(*snapshot, top.Next()) || TopXidOf(top.Next()) != top;
        CommitState state = LookupCommit(top);
        if (!both && LookupCommit(top.Next()).csn == state.csn) ++half;
        if (state.status != XidStatus::kCommitted || !state.csn.IsValid()) continue;
        if (seen)
          newest_seen = std::max(newest_seen, state.csn);
        else
          oldest_unseen = std::min(oldest_unseen, state.csn);
      }
      if (newest_seen >= oldest_unseen) ++disorder;
      snapshot.Reset();
      CommitTransaction();
    }
  });
  EXPECT_EQ(half.load(), 0);
  EXPECT_EQ(disorder.load(), 0);
  EXPECT_EQ(OldestRunningXid(), NextXid());
}

// A horizon computed while a snapshot is held never passes it; both sides race.
TEST_F(TxnTest, HorizonNeverPassesALiveSnapshot) {
  std::atomic<bool> stop{false};
  std::atomic<int> passed{0};
  std::atomic<uint64_t> held{0};  // the snapshot that process 2 surely holds, 0 = none
  InProcesses(1, 3, [&](int n) {
    if (n == 0) {
      for (int i = 0; i < 200; ++i) Flush(CommitOne().csn);
      stop = true;
    } else if (n == 1) {
      while (!stop) {
        BeginTransaction();
        SnapshotHold snapshot = LatestSnapshot();
        held = snapshot->csn.value;
        for (int i = 0; i < 20; ++i) std::this_thread::yield();
        held = 0;
        snapshot.Reset();
        CommitTransaction();
      }
    } else {
      while (!stop) {
        uint64_t before = held;
        Lsn horizon = ComputeHorizon();
        if (before != 0 && held == before && horizon.value > before) ++passed;
      }
    }
  });
  EXPECT_EQ(passed.load(), 0);
}

// Stops one thread of the protocol at a chosen step, runs the other side to its end, and lets the first go
// on.
class StopPoint {
 public:
  explicit StopPoint(FaultPoint point) {
    armed_point = point;
    state = kArmed;
    SetFaultPointCallback([](FaultPoint reached) {
      int expected = kArmed;
      if (reached != armed_point || !state.compare_exchange_strong(expected, kStopped)) return;
      while (state != kReleased) std::this_thread::yield();
    });
  }
  ~StopPoint() { SetFaultPointCallback(nullptr); }
  void Await() const {
    while (state != kStopped) std::this_thread::yield();
  }
  void Release() const { state = kReleased; }

 private:
  enum { kArmed, kStopped, kReleased };
  static inline FaultPoint armed_point;
  static inline std::atomic<int> state;
};

// A commit is stopped between its position in the log and its publication: no later one may be published meanwhile, or
// whoever takes a snapshot then would see the later one and, a moment after, the earlier one with it.
TEST_F(TxnTest, CommitsArePublishedInTheOrderOfTheirPositions) {
  constexpr uint32_t kWaitsForLatch = kLwLockWaitBase + static_cast<uint32_t>(LwRank::kCommit);
  StopPoint stop(FaultPoint::kCommitReserved);
  CommitResult earlier, later;
  std::atomic<bool> done{false};
  std::atomic<int> later_slot{-1};
  std::thread first([&] {
    ThreadIdentity identity(1);
    earlier = CommitOne();
  });
  stop.Await();
  std::thread second([&] {
    ThreadIdentity identity(2);
    later_slot = self_slot();
    later = CommitOne();
    done = true;
  });
  while (later_slot < 0) std::this_thread::yield();
  while (!done && SlotAt(later_slot).wait_event != kWaitsForLatch) std::this_thread::yield();
  EXPECT_FALSE(done);
  BeginTransaction();
  SnapshotHold snapshot = LatestSnapshot();
  stop.Release();
  first.join();
  second.join();
  EXPECT_FALSE(Sees(*snapshot, earlier.xid));
  EXPECT_FALSE(Sees(*snapshot, later.xid));
  EXPECT_LT(earlier.csn, later.csn);
  snapshot.Reset();
  CommitTransaction();
}

// Who gets a lock finds what its last holder committed.
TEST_F(TxnTest, LocksAreKeptUntilTheCommitIsPublished) {
  const LockTag table = LockTag::Relation(Oid{5}, Oid{16384});
  for (FaultPoint point : {FaultPoint::kBeforeCommitRecord, FaultPoint::kCommitReserved}) {
    StopPoint stop(point);
    std::thread holder([&] {
      ThreadIdentity identity(1);
      BeginTransaction();
      AcquireLock(table, LockMode::kExclusive);
      CurrentXid();
      CommitTransaction();
    });
    stop.Await();
    BeginTransaction();
    EXPECT_EQ(AcquireLock(table, LockMode::kExclusive, {.nowait = true}), LockResult::kNotAvailable);
    stop.Release();
    holder.join();
    CommitTransaction();
  }
}

// The taker is stopped before, or after, it announced its snapshot; commits settle and a horizon is computed
// meanwhile.
TEST_F(TxnTest, ASnapshotThatTheHorizonPassedIsTakenAgain) {
  for (FaultPoint point : {FaultPoint::kSnapshotRead, FaultPoint::kSnapshotAnnounced}) {
    StopPoint stop(point);
    Lsn taken;
    std::thread taker([&] { taken = TakeSnapshotIn(1); });
    stop.Await();
    CommitResult newer = CommitOne();
    Flush(newer.csn);
    Lsn horizon = ComputeHorizon();
    if (point == FaultPoint::kSnapshotRead) {
      EXPECT_EQ(horizon, newer.csn) << "an unannounced snapshot holds nothing";
    } else {
      EXPECT_LT(horizon, newer.csn) << "an announced one does";
    }
    stop.Release();
    taker.join();
    EXPECT_GE(taken, newer.csn);
    EXPECT_GE(taken, horizon);
  }
}

// The pruner is stopped between its floor and its scan; a snapshot taken meanwhile lies at or above the
// result.
TEST_F(TxnTest, AHorizonNeverPassesASnapshotTakenDuringItsScan) {
  CommitResult first = CommitOne();
  Flush(first.csn);
  StopPoint stop(FaultPoint::kHorizonFloorPublished);
  Lsn horizon;
  std::thread pruner([&] {
    ThreadIdentity identity(1);
    horizon = ComputeHorizon();
  });
  stop.Await();
  BeginTransaction();
  SnapshotHold snapshot = LatestSnapshot();
  CommitResult later;
  InProcesses(2, 1, [&](int) { later = CommitOne(); });
  Flush(later.csn);
  stop.Release();
  pruner.join();
  EXPECT_EQ(horizon, first.csn);
  EXPECT_LE(horizon, snapshot->csn);
  EXPECT_EQ(ComputeHorizon(), snapshot->csn);
  snapshot.Reset();
  CommitTransaction();
}

TEST_F(TxnTest, HorizonStopsAtUnsettledCommits) {
  CommitResult first = CommitOne();
  EXPECT_LT(SettledLsn(), first.csn) << "nobody flushed yet";
  EXPECT_FALSE(DeadToAll(first.xid, ComputeHorizon()));
  BeginTransaction();
  {
    SnapshotHold snapshot = LatestSnapshot();
    XidDecision decision = DecideXid(first.xid, *snapshot);
    EXPECT_TRUE(decision.visible);
    EXPECT_FALSE(decision.may_hint);
  }
  EXPECT_EQ(SeenLsn(), first.csn);
  AwaitSeenDurable();
  EXPECT_GE(FlushedLsn(), first.csn);
  {
    SnapshotHold snapshot = LatestSnapshot();
    EXPECT_TRUE(DecideXid(first.xid, *snapshot).may_hint);
  }
  CommitTransaction();
  EXPECT_TRUE(DeadToAll(first.xid, ComputeHorizon()));
}

TEST_F(TxnTest, WindowPagesDropOnlyWhenNoSnapshotNeedsThem) {
  CommitResult early = CommitOne();
  BeginTransaction();
  SnapshotHold old_snapshot = LatestSnapshot();
  CommitResult late;
  InProcesses(1, 1, [&](int) {
    late = CommitOne();
    while (CommitOne().xid.value < 3 * kXidsPerCsnPage) {
    }
  });
  Flush(InsertPosition());
  TrimCsnWindow();
  EXPECT_EQ(csn::FloorXid().value, 0u) << "the old snapshot must still place the late commit";
  EXPECT_TRUE(Sees(*old_snapshot, early.xid));
  EXPECT_FALSE(Sees(*old_snapshot, late.xid));
  old_snapshot.Reset();
  CommitTransaction();
  TrimCsnWindow();
  EXPECT_GT(csn::FloorXid(), late.xid);
  EXPECT_EQ(LookupCommit(late.xid).status, XidStatus::kCommitted);
  EXPECT_EQ(LookupCommit(late.xid).csn, kInvalidLsn) << "older than every snapshot";
}

class SmallWindowTest : public TxnTest {
 protected:
  struct Small {
    Small() { csn_ring_pages = 4; }
    ~Small() { csn_ring_pages = 512; }
  };
  static void UseXids(int pages) {
    for (uint64_t end = NextXid().value + static_cast<uint64_t>(pages) * kXidsPerCsnPage;
         NextXid().value < end;)
      CommitOne();
  }
};

// Far more xids than the ring holds, while an old snapshot must still place them and an old transaction still
// runs.
TEST_F(SmallWindowTest, PagesSpillAndComeBack) {
  Stop();
  Small small;
  Start(Lsn{2 * kWalSegmentSize}, {}, true);
  BeginTransaction();
  Xid old_xid = CurrentXid();
  BeginSubtransaction();
  Xid old_sub = CurrentXid();
  CommitSubtransaction();
  SnapshotHold snapshot = LatestSnapshot();
  CommitResult later, end;
  InProcesses(1, 1, [&](int) {
    later = CommitOne();
    UseXids(6);
    EXPECT_FALSE(Sees(*snapshot, later.xid)) << "its page was spilled";
    EXPECT_EQ(LookupCommit(later.xid).csn, later.csn);
    EXPECT_EQ(LookupCommit(old_sub).status, XidStatus::kInProgress);
    EXPECT_EQ(TopXidOf(old_sub), old_xid);
  });
  EXPECT_EQ(OldestRunningXid(), old_xid);
  snapshot.Reset();
  InProcesses(1, 1, [&](int) {
    Flush(InsertPosition());
    UseXids(6);
    EXPECT_EQ(LookupCommit(old_xid).status, XidStatus::kInProgress)
        << "pages above it may drop, its own may not";
  });
  end = CommitTransaction();
  EXPECT_EQ(LookupCommit(old_xid).csn, end.csn);
  EXPECT_EQ(LookupCommit(old_sub).csn, end.csn);
  EXPECT_EQ(LookupCommit(later.xid).status, XidStatus::kCommitted);
  EXPECT_EQ(OldestRunningXid(), NextXid());
  Flush(InsertPosition());
  TrimCsnWindow();
  EXPECT_GT(csn::FloorXid(), later.xid);
  EXPECT_EQ(LookupCommit(old_sub).status, XidStatus::kCommitted);
}

TEST_F(TxnTest, HooksRunInOrder) {
  static thread_local std::string* order = nullptr;  // hooks stay registered: only this test listens
  static bool registered = [] {
    RegisterTxnHook(10,
                    [](TxnEvent event, const TxnEventInfo&) {
                      if (order != nullptr) *order += static_cast<char>('a' + static_cast<int>(event));
                    },
                    {TxnEvent::kPreCommit, TxnEvent::kCommitData, TxnEvent::kPublish, TxnEvent::kCommitted,
                     TxnEvent::kDurable, TxnEvent::kAbort, TxnEvent::kAborted, TxnEvent::kSubBegin,
                     TxnEvent::kSubCommit, TxnEvent::kSubAbort});
    return true;
  }();
  ASSERT_TRUE(registered);
  std::string seen;
  order = &seen;
  BeginTransaction();
  CurrentXid();
  static int undone;
  undone = 0;
  BeginSubtransaction();
  OnAbort([](void*) { ++undone; }, nullptr);
  OnCommit([](void*) { undone += 100; }, nullptr);
  AbortSubtransaction();
  OnCommit([](void*) { undone += 10; }, nullptr);
  CommitTransaction();
  EXPECT_EQ(undone, 11);
  order = nullptr;
  EXPECT_EQ(seen, "ikabcde");
}

TEST_F(TxnTest, CommitStopsWithoutALease) {
  BeginTransaction();
  Xid xid = CurrentXid();
  FenceNode();
  EXPECT_THROW(CommitTransaction(), SqlError);
  AbortTransaction();
  EXPECT_EQ(LookupCommit(xid).status, XidStatus::kAborted);
}

TEST_F(TxnTest, SerializableIsRefused) {
  BeginTransaction();
  try {
    SetIsolation(IsolationLevel::kSerializable);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kFeatureNotSupported);
  }
  AbortTransaction();
}

TEST_F(TxnTest, OidsAreNeverBelowTheFirstNormalOne) {
  EXPECT_EQ(AllocateOid(), kFirstNormalOid);
  AdvanceOidCounter(Oid{20000});
  EXPECT_EQ(AllocateOid(), Oid{20001});
  AdvanceOidCounter(Oid{UINT32_MAX - 1});
  EXPECT_EQ(AllocateOid(), kFirstNormalOid);
}

}  // namespace
}  // namespace walden
