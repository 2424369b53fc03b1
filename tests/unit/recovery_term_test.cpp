// Terms: who gives way, what persists, and what a kill -9 in the middle of a promotion or of fencing leaves.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/os/file.h"
#include "node/recovery/control_file.h"
#include "node/recovery/term.h"
#include "node/txn/lease.h"
#include "tests/unit/recovery_node.h"

namespace walden {
namespace {

// The next start is an archive recovery that finds nothing in the archive: it ends at once, as a promotion does.
void AskForArchiveRecovery() {
  OverrideSetting(Setting::kRestoreCommand, "false");
  std::ofstream("recovery.signal").flush();
}

void StartKilledAt(RecoveryNode& node, const char* point) {
  pid_t pid = fork();
  if (pid == 0) {
    ArmFaultPoints(fmt::format("{}=kill", point));
    node.Start();
    _exit(1);
  }
  int status;
  waitpid(pid, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
}

ErrorCode CodeOfStart(RecoveryNode& node) {
  try {
    node.Start();
  } catch (const SqlError& error) {
    return error.code();
  }
  return ErrorCode::kSuccessfulCompletion;
}

TEST(TermTest, APrimaryThatMeetsAHigherTermIsFencedForEver) {
  RecoveryNode node;
  EXPECT_EQ(CurrentTerm(), 1u);
  EXPECT_EQ(MeetTerm(1, "a peer"), TermOrder::kSame);
  EXPECT_EQ(MeetTerm(0, "a peer"), TermOrder::kPeerIsOlder);
  EXPECT_TRUE(LeaseHeld());
  EXPECT_EQ(MeetTerm(3, "a peer"), TermOrder::kPeerIsNewer);
  EXPECT_FALSE(LeaseHeld());
  SetLeaseDeadline(kNoLeaseNeeded);
  EXPECT_FALSE(LeaseHeld()) << "no later word lifts the fence";
  EXPECT_EQ(CurrentTerm(), 1u);
  EXPECT_EQ(FencedByTerm(), 3u);
  node.Crash();
  EXPECT_EQ(CodeOfStart(node), ErrorCode::kObjectNotInPrerequisiteState);
  AskForArchiveRecovery();
  EXPECT_EQ(CodeOfStart(node), ErrorCode::kObjectNotInPrerequisiteState)
      << "nor in recovery: it may have diverged";
}

TEST(TermTest, EveryPromotionBeginsATermThatSurvivesAKill) {
  RecoveryNode node;
  uint64_t term = CurrentTerm();
  for (const char* point :
       {"term-raised", "promotion-history-written", "promotion-log-opened", "promotion-checkpointed"}) {
    node.Crash();
    AskForArchiveRecovery();
    StartKilledAt(node, point);
    EXPECT_EQ(ReadControlFile().term, ++term) << point;
    node.Start();
    EXPECT_EQ(CurrentTerm(), ++term) << point;
    EXPECT_FALSE(PathExists("recovery.signal"));
  }
  node.Crash();
  node.Start();
  EXPECT_EQ(CurrentTerm(), term) << "a crash recovery begins none";
}

TEST(TermTest, AKillWhileFencingLeavesTheFence) {
  RecoveryNode node;
  pid_t pid = fork();
  if (pid == 0) {
    ArmFaultPoints("node-fenced=kill");
    MeetTerm(9, "a peer");
    _exit(1);
  }
  int status;
  waitpid(pid, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  node.Crash();
  EXPECT_EQ(CodeOfStart(node), ErrorCode::kObjectNotInPrerequisiteState);
}

}  // namespace
}  // namespace walden
