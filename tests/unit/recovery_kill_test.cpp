// Real processes write through one shared region and are killed with -9 at a random moment, again and again:
// what was acknowledged (flushed) is there afterwards, and nothing is half there.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "node/base/random.h"
#include "node/buffer/redo.h"
#include "node/shm/interrupts.h"
#include "node/wal/record_builder.h"
#include "tests/unit/recovery_node.h"

namespace walden {
namespace {

const RelFileLocator kRel{kDefaultTablespace, Oid{5}, 16384};
constexpr int kWriters = 3, kBlocksEach = 60;

// Two copies of a counter on each of two pages, changed by one record: they always agree.
struct Cell {
  int64_t first;
  int64_t second;
};
Cell* CellOf(BufferPin& pin) { return reinterpret_cast<Cell*>(PageItem(pin.page(), 1)); }
void Store(BufferPin& pin, int64_t value) { *CellOf(pin) = {value, value}; }

BlockNumber BlockOf(int writer, int64_t value) {
  return static_cast<BlockNumber>(writer * kBlocksEach + value % (kBlocksEach / 2) * 2);
}

Lsn Write(int writer, int64_t value) {
  EnsureWalSpace();
  BlockNumber block = BlockOf(writer, value);
  BufferPin left = ReadPage({kRel, Fork::kMain, block}), right = ReadPage({kRel, Fork::kMain, block + 1});
  PageLock lock_left(left, PageLockMode::kExclusive), lock_right(right, PageLockMode::kExclusive);
  CriticalSection critical;
  Store(left, value);
  Store(right, value);
  left.MarkDirty();
  right.MarkDirty();
  WalRecord record(RecordKind::kHeapInplace);
  record.AddStruct(value);
  record.AddPage(0, left.key(), left.page());
  record.AddPage(1, right.key(), right.page());
  return record.InsertAndStamp();
}

void RedoWrite(RedoContext& redo) {
  auto value = redo.record().Struct<int64_t>();
  for (int id : {0, 1}) {
    RedoPage page = redo.OpenPage(id);
    if (!page.NeedsRedo()) continue;
    Store(page.pin(), value);
    page.Finish();
  }
}

void MakePages() {
  CreateRelationStorage(kRel, 1);
  ForgetPendingFileDrops();
  for (int i = 0; i < kWriters * kBlocksEach; ++i) {
    BufferPin pin = ExtendRelation(kRel);
    PageInit(pin.page());
    Cell cell{-1, -1};
    PageAddItem(pin.page(), &cell, sizeof cell);
    pin.MarkDirty();
    LogNewPage(pin.key(), pin.page());
    pin.Unlock();
  }
  RequestCheckpoint(kCheckpointForce | kCheckpointWait);
}

// Acknowledges each flushed value through the pipe.
[[noreturn]] void Writer(int writer, int64_t from, int ack_fd) {
  ThreadIdentity me(writer + 1);
  for (int64_t value = from;; ++value) {
    Flush(Write(writer, value));
    if (write(ack_fd, &value, sizeof value) != sizeof value) _exit(1);
  }
}
[[noreturn]] void Checkpoints() {
  ThreadIdentity me(kWriters + 1);
  for (;;) {
    RequestCheckpoint(kCheckpointForce | kCheckpointWait);
    BackgroundWriterRound();
    PreallocateWalSegments();
  }
}

int64_t LastAcknowledged(int fd, int64_t before) {
  int64_t value, last = before;
  while (read(fd, &value, sizeof value) == sizeof value) last = value;
  return last;
}

// The newest value of the writer that is on both pages; fails the test on a half-applied record.
int64_t Newest(int writer) {
  int64_t newest = -1;
  for (int i = 0; i < kBlocksEach; i += 2) {
    BlockNumber block = static_cast<BlockNumber>(writer * kBlocksEach + i);
    BufferPin left = ReadPage({kRel, Fork::kMain, block}), right = ReadPage({kRel, Fork::kMain, block + 1});
    Cell a = *CellOf(left), b = *CellOf(right);
    EXPECT_TRUE(a.first == a.second && a.first == b.first && b.first == b.second)
        << "block " << block << ": " << a.first << " " << a.second << " " << b.first << " " << b.second;
    newest = std::max(newest, a.first);
  }
  return newest;
}

TEST(KillTest, AcknowledgedWritesSurviveKillsOfAllProcesses) {
  static constexpr RecordHandler kHandlers[] = {
      {RecordKind::kHeapInplace, RedoWrite, [](const DecodedRecord&, std::string*) {}}};
  RecoveryNode node;
  BindRecordHandlers(kHandlers);
  MakePages();
  int64_t next[kWriters] = {};
  Random random(7);
  for (int round = 0; round < 8; ++round) {
    int acks[kWriters][2];
    std::vector<pid_t> children;
    CloseAllRelationFiles();
    for (int writer = 0; writer < kWriters; ++writer) {
      ASSERT_EQ(pipe(acks[writer]), 0);
      fcntl(acks[writer][1], F_SETPIPE_SZ, 1 << 20);
      pid_t pid = fork();
      if (pid == 0) Writer(writer, next[writer], acks[writer][1]);
      children.push_back(pid);
      close(acks[writer][1]);
    }
    pid_t pid = fork();
    if (pid == 0) Checkpoints();
    children.push_back(pid);
    usleep(static_cast<useconds_t>(50000 + random.Below(150000)));
    for (pid_t child : children) kill(child, SIGKILL);
    for (pid_t child : children) waitpid(child, nullptr, 0);
    node.Crash();
    node.Start();
    for (int writer = 0; writer < kWriters; ++writer) {
      int64_t acknowledged = LastAcknowledged(acks[writer][0], next[writer] - 1);
      close(acks[writer][0]);
      int64_t found = Newest(writer);
      EXPECT_GE(found, acknowledged) << "round " << round << " writer " << writer;
      EXPECT_LE(found, acknowledged + 1);
      next[writer] = std::max(found, acknowledged) + 1;
    }
  }
  for (int64_t written : next) EXPECT_GT(written, 8);
}

}  // namespace
}  // namespace walden
