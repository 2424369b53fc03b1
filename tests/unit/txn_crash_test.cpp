// Real processes, killed at any moment; the oracle is what they had acknowledged through a pipe.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <map>

#include "node/base/random.h"
#include "node/buffer/redo.h"
#include "node/txn/horizon.h"
#include "node/txn/id_counters.h"
#include "node/txn/txn_records.h"
#include "node/wal/reader.h"
#include "node/wal/record_handler.h"
#include "tests/unit/txn_fixture.h"

namespace walden {
namespace {

struct Acknowledged {
  uint64_t top, kept, lost;  // lost: a subtransaction that was rolled back; kept = 0: the top was
};

class TxnCrashTest : public TxnTest {
 protected:
  static constexpr int kChildren = 4;

  TxnCrashTest() {
    BindRecordHandlers(TxnRecordHandlers());
    EXPECT_EQ(pipe(pipe_), 0);
  }
  ~TxnCrashTest() override {
    close(pipe_[0]);
    close(pipe_[1]);
  }

  // Works for ever: transactions with savepoints, acknowledged when they are durable.
  [[noreturn]] void RunChild(int n, uint64_t seed) {
    SetSelf(SlotsOf(ProcessKind::kBackend).first + 1 + n, ProcessKind::kBackend);
    Random random(seed + static_cast<uint64_t>(n));
    for (;;) {
      Acknowledged result{};
      BeginTransaction();
      result.top = CurrentXid().value;
      BeginSubtransaction();
      result.lost = CurrentXid().value;
      AbortSubtransaction();
      BeginSubtransaction();
      uint64_t kept = CurrentXid().value;
      CommitSubtransaction();
      if (random.Below(8) == 0) {
        AbortTransaction();
      } else {
        result.kept = kept;
        CommitTransaction();
      }
      AwaitSeenDurable();
      if (write(pipe_[1], &result, sizeof(result)) != sizeof(result)) _exit(1);
    }
  }

  void ReadAcknowledged(size_t count) {
    Acknowledged one;
    while (acknowledged_.size() < count && read(pipe_[0], &one, sizeof(one)) == sizeof(one))
      acknowledged_.push_back(one);
  }

  // A checkpoint as the checkpointer does it; recovery starts from it.
  void TakeCheckpoint() {
    redo_ = BeginRedoEpoch();
    WaitForCheckpointDelays();
    checkpoint_ = {};
    TxnCheckpointPart().save(&checkpoint_, false);
    checkpoint_.redo = redo_.value;
    TxnCheckpointPart().flush(false);
  }

  void KillAll(const std::vector<pid_t>& children) {
    for (pid_t child : children) kill(child, SIGKILL);
    for (pid_t child : children) waitpid(child, nullptr, 0);
    fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
    ReadAcknowledged(SIZE_MAX);
    fcntl(pipe_[0], F_SETFL, 0);
  }

  void Recover() {
    Stop();
    Start(redo_, checkpoint_, false);
    FileWalSource source("pg_wal", 1);
    WalReader reader(&source);
    reader.Seek(redo_);
    DecodedRecord record;
    while (reader.Next(&record) == ReadResult::kRecord) {
      ObserveRedoXid(record.xid);
      const RecordHandler* handler = FindRecordHandler(record.kind);
      if (handler == nullptr || handler->redo == nullptr) continue;
      RedoContext context(record, false);
      handler->redo(context);
    }
    Lsn end = reader.position();
    OpenWalForWriting({end, 1, 42, redo_});
    TxnEndRecovery(end, false);
  }

  void CheckOracle() {
    std::map<uint64_t, int> seen;
    for (const Acknowledged& one : acknowledged_) {
      for (uint64_t xid : {one.top, one.lost})
        EXPECT_EQ(++seen[xid], 1) << "xid " << xid << " was given out twice";
      XidStatus expected = one.kept != 0 ? XidStatus::kCommitted : XidStatus::kAborted;
      EXPECT_EQ(LookupCommit(Xid{one.top}).status, expected) << one.top;
      EXPECT_EQ(LookupCommit(Xid{one.lost}).status, XidStatus::kAborted) << one.lost;
      if (one.kept != 0) {
        EXPECT_EQ(LookupCommit(Xid{one.kept}).status, expected) << one.kept;
      }
    }
    EXPECT_EQ(OldestRunningXid(), NextXid());
  }

  int pipe_[2];
  std::vector<Acknowledged> acknowledged_;
  CheckpointData checkpoint_{};
  Lsn redo_ = kStart;
};

TEST_F(TxnCrashTest, AcknowledgedCommitsSurviveKillNine) {
  TakeCheckpoint();
  for (uint64_t round = 1; round <= 3; ++round) {
    std::vector<pid_t> children;
    for (int n = 0; n < kChildren; ++n) {
      pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) RunChild(n, round * 100);
      children.push_back(child);
    }
    size_t before = acknowledged_.size();
    ReadAcknowledged(before + 100);
    TakeCheckpoint();
    ReadAcknowledged(before + 250);
    KillAll(children);
    Recover();
    CheckOracle();
    CommitOne();
  }
}

}  // namespace
}  // namespace walden
