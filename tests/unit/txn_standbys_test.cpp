#include <atomic>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/shm/interrupts.h"
#include "node/txn/lease.h"
#include "tests/unit/txn_fixture.h"

namespace walden {
namespace {

TEST(SyncStandbyNames, Grammar) {
  EXPECT_EQ(ParseSyncStandbyNames("").required, 0);
  EXPECT_EQ(ParseSyncStandbyNames("  ").required, 0);
  SyncStandbyConfig list = ParseSyncStandbyNames("a, \"B c\", *");
  EXPECT_EQ(list.required, 1);
  EXPECT_FALSE(list.any);
  EXPECT_EQ(list.names, (std::vector<std::string>{"a", "B c", "*"}));
  EXPECT_EQ(list.PriorityOf("A"), 1);
  EXPECT_EQ(list.PriorityOf("other"), 3);
  SyncStandbyConfig first = ParseSyncStandbyNames("FIRST 2 (a, b)");
  EXPECT_EQ(first.required, 2);
  EXPECT_EQ(first.PriorityOf("c"), 0);
  EXPECT_EQ(ParseSyncStandbyNames("2(a,b,c)").required, 2);
  SyncStandbyConfig any = ParseSyncStandbyNames("any 1 (x, y)");
  EXPECT_TRUE(any.any);
  EXPECT_EQ(any.PriorityOf("y"), 1);
  EXPECT_EQ(ParseSyncStandbyNames("first").names, std::vector<std::string>{"first"});
  for (const char* bad : {"a,", "(a)", "FIRST 1 (a", "2 (a) b", "\"a", "1 ()", "0 (a)"}) {
    EXPECT_THROW(ParseSyncStandbyNames(bad), SqlError) << bad;
  }
}

class StandbyTest : public TxnTest {
 protected:
  static int Connect(const char* name) {
    int sender = ClaimSenderSlot(name, "replicator", Oid{10}, "127.0.0.1", 1);
    Sender(sender).state = SenderState::kStreaming;
    return sender;
  }
};

TEST_F(StandbyTest, QuorumPositions) {
  OverrideSetting(Setting::kSynchronousStandbyNames, "ANY 2 (a, b, c)", SettingSource::kTest);
  ApplySyncStandbyNames("ANY 2 (a, b, c)");
  EXPECT_TRUE(SyncReplicationConfigured());
  int a = Connect("a"), b = Connect("b"), c = Connect("c"), stranger = Connect("d");
  ReportStandbyPositions(a, Lsn{100}, Lsn{90}, Lsn{80});
  EXPECT_EQ(QuorumPositions().flush, kInvalidLsn);
  ReportStandbyPositions(stranger, Lsn{500}, Lsn{500}, Lsn{500});
  EXPECT_EQ(QuorumPositions().flush, kInvalidLsn);
  ReportStandbyPositions(b, Lsn{300}, Lsn{300}, Lsn{300});
  ReportStandbyPositions(c, Lsn{200}, Lsn{200}, Lsn{70});
  EXPECT_EQ(QuorumPositions().write, Lsn{200});
  EXPECT_EQ(QuorumPositions().flush, Lsn{200});
  EXPECT_EQ(QuorumPositions().apply, Lsn{80});
  EXPECT_EQ(SyncStateOf(a), "quorum");
  EXPECT_EQ(SyncStateOf(stranger), "async");
  OverrideSetting(Setting::kSynchronousStandbyNames, "", SettingSource::kTest);
}

// FIRST k: what the k of highest priority have, however far another one is.
TEST_F(StandbyTest, QuorumPositionsOfPriorities) {
  OverrideSetting(Setting::kSynchronousStandbyNames, "FIRST 2 (a, b, c)", SettingSource::kTest);
  ApplySyncStandbyNames("FIRST 2 (a, b, c)");
  int c = Connect("c"), b = Connect("b"), a = Connect("a");
  ReportStandbyPositions(a, Lsn{100}, Lsn{90}, Lsn{80});
  ReportStandbyPositions(b, Lsn{200}, Lsn{200}, Lsn{200});
  ReportStandbyPositions(c, Lsn{300}, Lsn{300}, Lsn{300});
  EXPECT_EQ(QuorumPositions().write, Lsn{100});
  EXPECT_EQ(QuorumPositions().flush, Lsn{90});
  EXPECT_EQ(QuorumPositions().apply, Lsn{80});
  EXPECT_EQ(SyncStateOf(a), "sync");
  EXPECT_EQ(SyncStateOf(c), "potential");
  ReportStandbyPositions(a, Lsn{250}, Lsn{250}, Lsn{250});
  EXPECT_EQ(QuorumPositions().flush, Lsn{200});
  OverrideSetting(Setting::kSynchronousStandbyNames, "", SettingSource::kTest);
}

TEST_F(StandbyTest, CommitWaitsForTheStandbyAndSettlesWithIt) {
  ApplySyncStandbyNames("FIRST 1 (*)");
  CommitResult commit = CommitOne();
  Flush(commit.csn);
  EXPECT_LT(SettledLsn(), commit.csn);
  WaitUntilDurable(commit.csn, DurabilityLevel::kLocal);
  std::atomic<bool> answered{false};
  std::thread client([&] {
    ThreadIdentity identity(1);
    WaitUntilDurable(commit.csn, DurabilityLevel::kOn);
    answered = true;
  });
  OverrideSetting(Setting::kSynchronousStandbyNames, "*", SettingSource::kTest);
  int sender = Connect("r1");
  EXPECT_FALSE(answered.load());
  ReportStandbyPositions(sender, commit.csn, commit.csn, kInvalidLsn);
  client.join();
  EXPECT_GE(SettledLsn(), commit.csn);
  OverrideSetting(Setting::kSynchronousStandbyNames, "", SettingSource::kTest);
}

TEST_F(StandbyTest, FencingCutsSessionsWithoutAnAnswer) {
  AwaitSeenDurable();
  SetLeaseDeadline(BootClockUs() + 3600 * 1000000LL);
  CommitOne();
  AwaitSeenDurable();
  ApplySyncStandbyNames("*");
  CommitResult commit = CommitOne();
  std::atomic<bool> cut{false};
  std::thread client([&] {
    ThreadIdentity identity(1);
    EXPECT_THROW(WaitUntilDurable(commit.csn, DurabilityLevel::kOn), SqlError);
    cut = true;
  });
  FenceNode();
  client.join();
  EXPECT_TRUE(cut.load());
  EXPECT_THROW(AwaitSeenDurable(), SqlError) << "reads too";
  SetLeaseDeadline(BootClockUs() + 3600 * 1000000LL);
  EXPECT_FALSE(LeaseHeld()) << "a fence is final";
}

TEST_F(StandbyTest, ACancelledWaitNeverReportsSuccess) {
  ApplySyncStandbyNames("*");
  CommitResult commit = CommitOne();
  RaiseInterruptSelf(Interrupt::kCancel);
  try {
    WaitUntilDurable(commit.csn, DurabilityLevel::kOn);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTransactionResolutionUnknown);
    EXPECT_EQ(error.fields().severity, Severity::kFatal);
  }
}

}  // namespace
}  // namespace walden
