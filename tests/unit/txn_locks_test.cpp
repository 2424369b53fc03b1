#include <atomic>

#include "node/base/error.h"
#include "node/shm/interrupts.h"
#include "tests/unit/txn_fixture.h"

namespace walden {
namespace {

constexpr Oid kDatabase{5};
LockTag Rel(uint32_t number) { return LockTag::Relation(kDatabase, Oid{number}); }
void SetForTest(Setting setting, const char* value) { OverrideSetting(setting, value, SettingSource::kTest); }

class LockTest : public TxnTest {
 protected:
  ~LockTest() override { ResetSettingsForTest(); }
  // Until somebody waits for the lock.
  static void AwaitWaiter(const LockTag& tag) {
    while (!LockHasWaiters(tag, LockMode::kAccessExclusive)) std::this_thread::yield();
  }
};

TEST_F(LockTest, ConflictTableIsPostgres) {
  // Rows and columns: AccessShare .. AccessExclusive, from the manual's table.
  const char* expected[] = {"       X", "      XX", "    XXXX", "   XXXXX",
                            "  XX XXX", "  XXXXXX", " XXXXXXX", "XXXXXXXX"};
  BeginTransaction();
  for (int a = 1; a <= 8; ++a) {
    AcquireLock(Rel(100 + static_cast<uint32_t>(a)), static_cast<LockMode>(a));
  }
  InProcesses(1, 1, [&](int) {
    for (int a = 1; a <= 8; ++a) {
      for (int b = 1; b <= 8; ++b) {
        LockTag tag = Rel(100 + static_cast<uint32_t>(a));
        BeginTransaction();
        bool got = AcquireLock(tag, static_cast<LockMode>(b), {.nowait = true}) == LockResult::kAcquired;
        EXPECT_EQ(got, expected[a - 1][b - 1] == ' ') << a << " " << b;
        AbortTransaction();
      }
    }
  });
  CommitTransaction();
}

TEST_F(LockTest, CountsAndOwners) {
  LockTag tag = LockTag::Advisory(kDatabase, 0, 7, 1);
  BeginTransaction();
  EXPECT_EQ(AcquireLock(tag, LockMode::kExclusive), LockResult::kAcquired);
  EXPECT_EQ(AcquireLock(tag, LockMode::kExclusive, {.session = true}), LockResult::kAlreadyHeld);
  EXPECT_EQ(AcquireLock(tag, LockMode::kExclusive, {.session = true}), LockResult::kAlreadyHeld);
  CommitTransaction();
  EXPECT_TRUE(HoldsLock(tag, LockMode::kExclusive));
  EXPECT_TRUE(ReleaseLock(tag, LockMode::kExclusive, true));
  EXPECT_TRUE(ReleaseLock(tag, LockMode::kExclusive, true));
  EXPECT_FALSE(HoldsLock(tag, LockMode::kExclusive));
  EXPECT_FALSE(ReleaseLock(tag, LockMode::kExclusive, true));
  AcquireLock(tag, LockMode::kShare, {.session = true});
  ReleaseSessionLocks(LockKind::kAdvisory);
  EXPECT_FALSE(HoldsLock(tag, LockMode::kShare));
}

TEST_F(LockTest, SavepointRollbackReleases) {
  BeginTransaction();
  AcquireLock(Rel(1), LockMode::kRowExclusive);
  BeginSubtransaction();
  AcquireLock(Rel(1), LockMode::kRowExclusive);
  AcquireLock(Rel(2), LockMode::kAccessExclusive);
  BeginSubtransaction();
  AcquireLock(Rel(3), LockMode::kShare);
  CommitSubtransaction();
  AbortSubtransaction();
  EXPECT_TRUE(HoldsLock(Rel(1), LockMode::kRowExclusive));
  EXPECT_FALSE(HoldsLock(Rel(2), LockMode::kAccessExclusive));
  EXPECT_FALSE(HoldsLock(Rel(3), LockMode::kShare));
  BeginSubtransaction();
  AcquireLock(Rel(4), LockMode::kShare);
  CommitSubtransaction();
  EXPECT_TRUE(HoldsLock(Rel(4), LockMode::kShare));
  CommitTransaction();
  EXPECT_FALSE(HoldsLock(Rel(4), LockMode::kShare));
}

// Weak locks of many processes against a strong one: never both at once.
TEST_F(LockTest, FastPathGivesWayToStrongLocks) {
  std::atomic<int> weak{0}, strong{0}, together{0};
  InProcesses(1, 32, [&](int n) {
    for (int i = 0; i < 60; ++i) {
      BeginTransaction();
      if (n == 0 && i % 3 == 0) {
        AcquireLock(Rel(9), LockMode::kAccessExclusive);
        ++strong;
        if (weak.load() != 0) ++together;
        --strong;
      } else {
        AcquireLock(Rel(9), LockMode::kRowExclusive);
        ++weak;
        if (strong.load() != 0) ++together;
        --weak;
      }
      CommitTransaction();
    }
  });
  EXPECT_EQ(together.load(), 0);
  EXPECT_EQ(EnumerateLocks().size(), 0u);
}

TEST_F(LockTest, QueueIsFirstComeFirstServed) {
  BeginTransaction();
  AcquireLock(Rel(1), LockMode::kAccessShare);
  std::atomic<int> order{0}, exclusive_at{-1}, share_at{-1};
  std::thread writer([&] {
    ThreadIdentity identity(1);
    BeginTransaction();
    AcquireLock(Rel(1), LockMode::kAccessExclusive);
    exclusive_at = order++;
    CommitTransaction();
  });
  AwaitWaiter(Rel(1));
  std::thread reader([&] {
    ThreadIdentity identity(2);
    BeginTransaction();
    AcquireLock(
        Rel(1),
        LockMode::kAccessShare);  // would not conflict with what is held, but queues behind the writer
    share_at = order++;
    CommitTransaction();
  });
  for (int waiting = 0; waiting < 2;) {
    waiting = 0;
    for (const LockRow& row : EnumerateLocks()) waiting += !row.granted;
  }
  CommitTransaction();
  writer.join();
  reader.join();
  EXPECT_EQ(exclusive_at.load(), 0);
  EXPECT_EQ(share_at.load(), 1);
}

// Rule 12: behind the waiter that waits for it, this request would be a deadlock; before it, it is served at
// once.
TEST_F(LockTest, AHolderGoesBeforeThoseWhoWaitForIt) {
  BeginTransaction();
  AcquireLock(Rel(1), LockMode::kAccessShare);
  std::thread writer([&] {
    ThreadIdentity identity(1);
    BeginTransaction();
    AcquireLock(Rel(1), LockMode::kAccessExclusive);
    CommitTransaction();
  });
  AwaitWaiter(Rel(1));
  EXPECT_EQ(AcquireLock(Rel(1), LockMode::kExclusive, {.nowait = true}), LockResult::kAcquired);
  EXPECT_EQ(BlockingPids(0).size(), 0u);
  CommitTransaction();
  writer.join();
}

// n processes in a ring: exactly one is sacrificed.
void RunDeadlock(int n) {
  std::atomic<int> ready{0}, victims{0}, served{0};
  std::string detail;
  InProcesses(1, n, [&](int i) {
    BeginTransaction();
    AcquireLock(Rel(static_cast<uint32_t>(i)), LockMode::kAccessExclusive);
    ++ready;
    while (ready.load() < n) std::this_thread::yield();
    try {
      AcquireLock(Rel(static_cast<uint32_t>((i + 1) % n)), LockMode::kAccessShare);
      ++served;
      CommitTransaction();
    } catch (const SqlError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kDeadlockDetected);
      EXPECT_STREQ(error.what(), "deadlock detected");
      detail = error.fields().detail;
      ++victims;
      AbortTransaction();
    }
  });
  EXPECT_EQ(victims.load(), 1);
  EXPECT_EQ(served.load(), n - 1);
  EXPECT_NE(detail.find("waits for AccessShareLock on relation"), std::string::npos) << detail;
  EXPECT_NE(detail.find("of database 5; blocked by process"), std::string::npos) << detail;
}

TEST_F(LockTest, DeadlockOfTwo) {
  SetForTest(Setting::kDeadlockTimeout, "10ms");
  RunDeadlock(2);
}
TEST_F(LockTest, DeadlockOfThree) {
  SetForTest(Setting::kDeadlockTimeout, "10ms");
  RunDeadlock(3);
}

TEST_F(LockTest, LockTimeoutAndCancel) {
  BeginTransaction();
  AcquireLock(Rel(1), LockMode::kAccessExclusive);
  SetForTest(Setting::kLockTimeout, "5ms");
  InProcesses(1, 1, [&](int) {
    BeginTransaction();
    try {
      AcquireLock(Rel(1), LockMode::kAccessShare);
      ADD_FAILURE();
    } catch (const SqlError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kLockNotAvailable);
      EXPECT_STREQ(error.what(), "canceling statement due to lock timeout");
    }
    AbortTransaction();
  });
  SetForTest(Setting::kLockTimeout, "0");
  std::atomic<int> waiter_slot{-1};
  std::thread waiter([&] {
    ThreadIdentity identity(1);
    waiter_slot = self_slot();
    BeginTransaction();
    EXPECT_THROW(AcquireLock(Rel(1), LockMode::kAccessShare), SqlError);
    AbortTransaction();
  });
  AwaitWaiter(Rel(1));
  RaiseInterrupt(waiter_slot, Interrupt::kCancel);
  waiter.join();
  EXPECT_FALSE(LockHasWaiters(Rel(1), LockMode::kAccessExclusive));
  CommitTransaction();
}

TEST_F(LockTest, WaitingForAnotherTransaction) {
  for (bool commit : {true, false}) {
    BeginTransaction();
    Xid xid = CurrentXid();
    std::atomic<XidStatus> seen{XidStatus::kInProgress};
    std::thread waiter([&] {
      ThreadIdentity identity(1);
      BeginTransaction();
      EXPECT_FALSE(TryWaitForXid(xid));
      WaitForXid(xid);
      seen = LookupCommit(xid).status;
      CommitTransaction();
    });
    AwaitWaiter(LockTag::Transaction(xid));
    if (commit)
      CommitTransaction();
    else
      AbortTransaction();
    waiter.join();
    EXPECT_EQ(seen.load(), commit ? XidStatus::kCommitted : XidStatus::kAborted);
  }
  EXPECT_EQ(EnumerateLocks().size(), 0u);
}

TEST_F(LockTest, SavepointRollbackWakesItsWaiters) {
  BeginTransaction();
  CurrentXid();
  BeginSubtransaction();
  Xid sub = CurrentXid();
  std::thread waiter([&] {
    ThreadIdentity identity(1);
    BeginTransaction();
    WaitForXid(sub);
    EXPECT_EQ(LookupCommit(sub).status, XidStatus::kAborted);
    CommitTransaction();
  });
  AwaitWaiter(LockTag::Transaction(sub));
  AbortSubtransaction();
  waiter.join();
  EXPECT_TRUE(InTransaction());
  CommitTransaction();
}

TEST_F(LockTest, RowWaitErrorsSayWhere) {
  BeginTransaction();
  Xid xid = CurrentXid();
  SetForTest(Setting::kLockTimeout, "5ms");
  InProcesses(1, 1, [&](int) {
    BeginTransaction();
    RowWaitContext context{"updating", "accounts", {3, 4}};
    try {
      WaitForXid(xid, &context);
      ADD_FAILURE();
    } catch (const SqlError& error) {
      EXPECT_EQ(error.fields().context, "while updating tuple (3,4) in relation \"accounts\"");
    }
    AbortTransaction();
  });
  CommitTransaction();
}

TEST_F(LockTest, FullTableIsAnErrorNotACrash) {
  BeginTransaction();
  ErrorCode code = ErrorCode::kSuccessfulCompletion;
  try {
    for (uint32_t i = 0; i < 1000000; ++i)
      AcquireLock(LockTag::Advisory(kDatabase, 0, i, 1), LockMode::kExclusive);
  } catch (const SqlError& error) {
    code = error.code();
    EXPECT_EQ(error.fields().hint, "You might need to increase max_locks_per_transaction.");
  }
  EXPECT_EQ(code, ErrorCode::kOutOfMemory);
  AbortTransaction();
  EXPECT_EQ(EnumerateLocks().size(), 0u);
}

TEST_F(LockTest, EnumerationShowsOwnIdsAndFastLocks) {
  BeginTransaction();
  Xid xid = CurrentXid();
  AcquireLock(Rel(77), LockMode::kAccessShare);
  std::vector<LockRow> rows = EnumerateLocks();
  ASSERT_EQ(rows.size(), 3u);
  int seen = 0;
  for (const LockRow& row : rows) {
    EXPECT_TRUE(row.granted);
    seen |= row.tag == Rel(77) && row.fast_path ? 1 : 0;
    seen |= row.tag == LockTag::Transaction(xid) && row.mode == LockMode::kExclusive ? 2 : 0;
    seen |= row.tag.kind == LockKind::kVirtualTransaction ? 4 : 0;
  }
  EXPECT_EQ(seen, 7);
  CommitTransaction();
}

}  // namespace
}  // namespace walden
