// Replication slots: what they keep, what a kill -9 at each step of their file operations leaves, and how much WAL they
// may hold.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/os/file.h"
#include "node/recovery/replication_slots.h"
#include "tests/unit/recovery_node.h"

namespace walden {
namespace {

template <class Call>
ErrorCode CodeOf(Call&& call) {
  try {
    call();
  } catch (const SqlError& error) {
    return error.code();
  }
  return ErrorCode::kSuccessfulCompletion;
}

std::optional<ReplicationSlotInfo> Slot(std::string_view name) {
  for (const ReplicationSlotInfo& info : ListReplicationSlots()) {
    if (info.name == name) return info;
  }
  return std::nullopt;
}

// Runs `operation` in a child that is killed at the fault point; the node then restarts from its files.
template <class Operation>
void KillAt(RecoveryNode& node, const char* point, Operation&& operation) {
  pid_t pid = fork();
  if (pid == 0) {
    ArmFaultPoints(fmt::format("{}=kill", point));
    operation();
    _exit(1);
  }
  int status;
  waitpid(pid, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
  node.Crash();
  node.Start();
}

void WriteSegments(int count) {
  for (int i = 0; i < count; ++i) {
    LogRestorePoint("filler");
    Flush(SwitchWalSegment());
  }
}

bool SegmentExists(Lsn at) { return PathExists(WalSegmentPath(1, SegmentOf(at))); }

TEST(ReplicationSlotTest, NamesAndLimitsAreChecked) {
  RecoveryNode node;
  EXPECT_EQ(CodeOf([] { CreateReplicationSlot("", false, false); }), ErrorCode::kInvalidName);
  EXPECT_EQ(CodeOf([] { CreateReplicationSlot("Upper", false, false); }), ErrorCode::kInvalidName);
  EXPECT_EQ(CodeOf([] { CreateReplicationSlot(std::string(64, 'a'), false, false); }),
            ErrorCode::kNameTooLong);
  CreateReplicationSlot("a", false, false);
  EXPECT_EQ(CodeOf([] { CreateReplicationSlot("a", false, false); }), ErrorCode::kDuplicateObject);
  for (int i = 1; i < 10; ++i) CreateReplicationSlot(fmt::format("s{}", i), false, false);
  EXPECT_EQ(CodeOf([] { CreateReplicationSlot("more", false, false); }),
            ErrorCode::kConfigurationLimitExceeded);
  EXPECT_EQ(CodeOf([] { DropReplicationSlot("none"); }), ErrorCode::kUndefinedObject);
  EXPECT_EQ(CodeOf([] { CopyReplicationSlot("a", "b", false); }), ErrorCode::kObjectNotInPrerequisiteState);
}

TEST(ReplicationSlotTest, OneStreamAtATime) {
  RecoveryNode node;
  CreateReplicationSlot("a", true, false);
  int handle = AcquireReplicationSlot("a");
  EXPECT_EQ(CodeOf([] { AcquireReplicationSlot("a"); }), ErrorCode::kObjectInUse);
  EXPECT_EQ(CodeOf([] { DropReplicationSlot("a"); }), ErrorCode::kObjectInUse);
  ReleaseReplicationSlot(handle);
  DropReplicationSlot("a");
  EXPECT_FALSE(Slot("a"));
  CreateReplicationSlot("own", false, true);
  EXPECT_TRUE(Slot("own")->temporary);
  DropReplicationSlot("own");
}

TEST(ReplicationSlotTest, SurvivesARestartAsLastSaved) {
  RecoveryNode node;
  Lsn first = CreateReplicationSlot("a", true, false);
  CreateReplicationSlot("gone", false, true);
  int handle = AcquireReplicationSlot("a");
  WriteSegments(1);
  Lsn saved = FlushedLsn();
  AdvanceReplicationSlot(handle, saved);
  AdvanceReplicationSlot(handle, first);  // never back
  SetReplicationSlotFeedback(handle, first, Xid{7});
  EXPECT_EQ(OldestSlotWal(), first) << "a crash now would need it";
  EXPECT_EQ(OldestReplicaFeedback(), first);
  SaveReplicationSlots();
  EXPECT_EQ(OldestSlotWal(), saved);
  WriteSegments(1);
  AdvanceReplicationSlot(handle, FlushedLsn());
  node.Crash();
  node.Start();
  ASSERT_TRUE(Slot("a"));
  EXPECT_FALSE(Slot("gone"));
  EXPECT_EQ(Slot("a")->restart, saved);
  EXPECT_EQ(Slot("a")->xmin, Xid{7});
  EXPECT_EQ(Slot("a")->active_pid, 0);
  EXPECT_EQ(OldestReplicaFeedback(), first);
  DropReplicationSlot("a");
  EXPECT_EQ(OldestReplicaFeedback(), kMaxLsn);
}

TEST(ReplicationSlotTest, AKillLeavesEachSlotWholeOrNotAtAll) {
  RecoveryNode node;
  auto create = [] { CreateReplicationSlot("a", true, false); };
  KillAt(node, "slot-directory-made", create);
  EXPECT_FALSE(Slot("a"));
  KillAt(node, "slot-directory-renamed", create);
  ASSERT_TRUE(Slot("a"));
  Lsn old = Slot("a")->restart;
  EXPECT_TRUE(old.IsValid());
  auto save = [] {
    AdvanceReplicationSlot(AcquireReplicationSlot("a"), Lsn{FlushedLsn().value + 1});
    SaveReplicationSlots();
  };
  KillAt(node, "slot-state-written", save);
  EXPECT_EQ(Slot("a")->restart, old);
  KillAt(node, "slot-state-renamed", save);
  EXPECT_GT(Slot("a")->restart, old);
  KillAt(node, "slot-drop-renamed", [] { DropReplicationSlot("a"); });
  EXPECT_FALSE(Slot("a"));
  CreateReplicationSlot("a", true, false);  // nothing is in the way
}

TEST(ReplicationSlotTest, KeepsWalUpToALimit) {
  RecoveryNode node;
  OverrideSetting(Setting::kMaxSlotWalKeepSize, "64MB");
  OverrideSetting(Setting::kWalRecycle, "off");
  Lsn restart = CreateReplicationSlot("a", true, false);
  WriteSegments(2);
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  EXPECT_TRUE(SegmentExists(restart));
  EXPECT_EQ(Slot("a")->wal, SlotWal::kReserved);
  EXPECT_GT(Slot("a")->safe_wal_bytes, 0);
  WriteSegments(6);
  EXPECT_EQ(Slot("a")->wal, SlotWal::kUnreserved);
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  EXPECT_FALSE(SegmentExists(restart));
  EXPECT_EQ(Slot("a")->wal, SlotWal::kLost);
  EXPECT_FALSE(Slot("a")->restart.IsValid());
  EXPECT_EQ(CodeOf([] { AcquireReplicationSlot("a"); }), ErrorCode::kObjectNotInPrerequisiteState);
  node.Crash();
  node.Start();
  EXPECT_EQ(Slot("a")->wal, SlotWal::kLost);
}

TEST(ReplicationSlotTest, AStreamLearnsThatItsWalIsLost) {
  RecoveryNode node;
  OverrideSetting(Setting::kMaxSlotWalKeepSize, "16MB");
  OverrideSetting(Setting::kWalRecycle, "off");
  CreateReplicationSlot("a", true, false);
  int handle = AcquireReplicationSlot("a");
  WriteSegments(4);
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
  EXPECT_TRUE(ReplicationSlotLost(handle));
  AdvanceReplicationSlot(handle, FlushedLsn());
  EXPECT_FALSE(Slot("a")->restart.IsValid()) << "lost is lost";
  ReleaseReplicationSlot(handle);
}

}  // namespace
}  // namespace walden
