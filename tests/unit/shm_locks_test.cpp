#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>
#include <vector>

#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/shm/condition_variable.h"
#include "node/shm/interrupts.h"
#include "node/shm/lwlock.h"
#include "node/shm/private_region.h"
#include "node/shm/shm_hash.h"
#include "node/shm/socket_input.h"
#include "node/shm/spinlock.h"
#include "node/shm/timeouts.h"
#include "node/shm/wait_events.h"

namespace walden {
namespace {

constexpr int kProcesses = 32;  // as many as the thread sanitizer is to see at once

// Runs body(n) in `count` threads, each with its own process slot.
template <class Body>
void InThreads(int count, Body body) {
  std::vector<std::thread> threads;
  for (int n = 0; n < count; ++n) {
    threads.emplace_back([n, &body] {
      ThreadIdentity identity(n);
      body(n);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class Shm : public ::testing::Test {
 protected:
  PrivateRegion region_{{}};
};

TEST_F(Shm, SpinLockExcludes) {
  SpinLock lock;
  int64_t counter = 0;
  InThreads(kProcesses, [&](int) {
    for (int i = 0; i < 2500; ++i) {
      SpinGuard guard(lock);
      ++counter;
    }
  });
  EXPECT_EQ(counter, kProcesses * 2500);
}

TEST_F(Shm, LwLockExcludesWritersAndAdmitsReaders) {
  LwLock lock;
  lock.Init(LwRank::kBufferMapping);
  int64_t a = 0, b = 0;
  std::atomic<int64_t> torn{0};
  InThreads(kProcesses, [&](int n) {
    for (int i = 0; i < 1000; ++i) {
      if (n % 2 == 0) {
        LwLockGuard guard(lock, LwMode::kExclusive);
        ++a;
        ++b;
      } else {
        LwLockGuard guard(lock, LwMode::kShared);
        if (a != b) ++torn;
      }
    }
  });
  EXPECT_EQ(a, kProcesses / 2 * 1000);
  EXPECT_EQ(torn.load(), 0);
}

// The group-flush pattern: whoever gets the lock does the work of all, the others find it done.
TEST_F(Shm, AcquireOrWaitReturnsAfterTheHolder) {
  LwLock lock;
  lock.Init(LwRank::kWalWrite);
  std::atomic<int64_t> requested{0}, done{0};
  InThreads(kProcesses, [&](int) {
    for (int i = 0; i < 250; ++i) {
      int64_t mine = ++requested;
      while (done.load() < mine) {
        if (!lock.AcquireOrWait()) continue;
        if (done.load() < mine) done.store(requested.load());
        lock.Release();
      }
    }
  });
  EXPECT_EQ(done.load(), kProcesses * 250);
}

TEST_F(Shm, ErrorRecoveryReleasesEveryLock) {
  ThreadIdentity identity(0);
  LwLock low, high;
  low.Init(LwRank::kLockManager);
  high.Init(LwRank::kWalInsert);
  low.Acquire(LwMode::kShared);
  high.Acquire(LwMode::kExclusive);
  EXPECT_EQ(high.exclusive_holder(), self_slot());
  EXPECT_TRUE(low.HeldByMe(LwMode::kShared));
  EXPECT_FALSE(high.TryAcquire(LwMode::kShared));
  ReleaseAllLwLocks();
  EXPECT_EQ(HeldLwLockCount(), 0);
  EXPECT_TRUE(high.TryAcquire(LwMode::kShared));
  high.Release();
}

#ifdef WALDEN_DCHECK
TEST_F(Shm, DescendingRankPanics) {
  ThreadIdentity identity(0);
  LwLock low, high;
  low.Init(LwRank::kLockManager);
  high.Init(LwRank::kWalInsert);
  high.Acquire(LwMode::kExclusive);
  EXPECT_DEATH(low.Acquire(LwMode::kShared),
               "lock rank violation: taking LockManager while holding WALInsert");
  high.Release();
}

TEST_F(Shm, BlockingWhileASpinLockIsHeldPanics) {
  ThreadIdentity identity(0);
  constexpr char kMessage[] = "a call that can block, while 1 spin locks are held";
  SpinLock lock;
  LwLock mapping;
  mapping.Init(LwRank::kBufferMapping);
  EXPECT_DEATH(
      {
        SpinGuard guard(lock);
        PathExists("postmaster.pid");
      },
      kMessage);
  EXPECT_DEATH(
      {
        SpinGuard guard(lock);
        WaitLatch(1, WaitEvent::kPgSleep);
      },
      kMessage);
  EXPECT_DEATH(
      {
        SpinGuard guard(lock);
        mapping.Acquire(LwMode::kShared);
      },
      kMessage);
  {
    SpinGuard guard(lock);
  }
  EXPECT_FALSE(PathExists("no such file"));
}
#endif

TEST_F(Shm, LatchEndsEveryKindOfSleep) {
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  Descriptor ours(sockets[0]), theirs(sockets[1]);
  const std::function<void()> sleeps[] = {
      [] { WaitLatch(10000, WaitEvent::kPgSleep); },
      [] { WaitLatchOrSockets({}, 10000, WaitEvent::kClientRead); },
      [&] { EXPECT_FALSE(SocketInput(ours.fd()).WaitOrLatch(WaitEvent::kClientRead)); },
  };
  for (const auto& sleep : sleeps) {
    std::atomic<int> stage{0};
    InThreads(2, [&](int n) {
      if (n == 0) {
        for (int expected = 1; expected <= 500; ++expected) {
          for (;;) {
            self().latch.Reset();
            if (stage.load() >= expected) break;
            sleep();
          }
        }
      } else {
        int waiter = SlotsOf(ProcessKind::kBackend).first;
        for (int i = 0; i < 500; ++i) {
          ++stage;
          SlotAt(waiter).latch.Set();
        }
      }
    });
  }
}

TEST_F(Shm, SocketInputReceivesWhatComesToItsEnd) {
  ThreadIdentity identity(0);
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  Descriptor ours(sockets[0]), theirs(sockets[1]);
  SocketInput input(ours.fd());
  char to[4];
  auto receive = [&] { return input.ReceiveOrLatch(to, sizeof to, WaitEvent::kClientRead); };
  self().latch.Set();
  EXPECT_EQ(receive(), -1);  // nothing there
  EXPECT_EQ(errno, EAGAIN);
  ASSERT_EQ(write(theirs.fd(), "abcdefgh", 8), 8);
  EXPECT_EQ(receive(), 4);
  EXPECT_EQ(receive(), 4);
  EXPECT_EQ(receive(), -1);  // it looked for more, since all the room was filled
  EXPECT_EQ(errno, EAGAIN);
  self().latch.Reset();
  std::thread peer([&] { EXPECT_EQ(write(theirs.fd(), "xy", 2), 2); });
  EXPECT_EQ(receive(), 2);
  peer.join();
  theirs.Close();
  EXPECT_EQ(receive(), 0);
}

TEST_F(Shm, ConditionVariableHandsATokenAround) {
  ConditionVariable turn;
  turn.Init();
  std::atomic<int> at{0};
  InThreads(kProcesses, [&](int n) {
    for (int round = 0; round < 40; ++round) {
      turn.Wait(WaitEvent::kCheckpointDone, [&] { return at.load() % kProcesses == n; });
      ++at;
      turn.Broadcast();
    }
  });
  EXPECT_EQ(at.load(), kProcesses * 40);
}

TEST_F(Shm, ConditionVariableTimesOut) {
  ThreadIdentity identity(0);
  ConditionVariable never;
  never.Init();
  EXPECT_FALSE(never.Wait(WaitEvent::kSyncRep, [] { return false; }, 5));
}

TEST_F(Shm, CancelArrivesAtSafePointsOnly) {
  ThreadIdentity identity(0);
  RaiseInterrupt(self_slot(), Interrupt::kCancel);
  {
    HoldInterrupts hold;
    EXPECT_NO_THROW(CheckInterrupts());
  }
  LwLock lock;
  lock.Init(LwRank::kWalInsert);
  {
    LwLockGuard guard(lock, LwMode::kShared);
    EXPECT_NO_THROW(CheckInterrupts());
  }
  try {
    CheckInterrupts();
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(SqlState(error.code()), "57014");
  }
  EXPECT_NO_THROW(CheckInterrupts());
}

TEST_F(Shm, AnErrorInACriticalSectionPanics) {
  ThreadIdentity identity(0);
  auto fail = [] {
    CriticalSection section;
    throw SqlError(ErrorCode::kInternalError, "x");
  };
  EXPECT_DEATH(try { fail(); } catch (const SqlError&){}, "an error left a critical section");
}

TEST_F(Shm, TimeoutsFireInOrderAndCanBeTakenBack) {
  ThreadIdentity identity(0);
  InstallProcessSignalHandlers();
  EnableTimeout(Interrupt::kLockTimeout, 100000);
  EnableTimeout(Interrupt::kDeadlockCheck, 5);
  EnableTimeout(Interrupt::kStatementTimeout, 15);
  DisableTimeout(Interrupt::kLockTimeout);
  while (!InterruptPending(Interrupt::kStatementTimeout)) {
    self().latch.Reset();
    if (!InterruptPending(Interrupt::kStatementTimeout)) WaitLatch(1000, WaitEvent::kPgSleep);
  }
  EXPECT_TRUE(TakeInterrupt(Interrupt::kDeadlockCheck));
  EXPECT_FALSE(TimeoutEnabled(Interrupt::kLockTimeout));
  EXPECT_THROW(CheckInterrupts(), SqlError);
}

struct HashEntry {
  uint64_t key;
  int32_t next;
  int32_t value;
};

TEST_F(Shm, HashTableFillsUpAndReusesEntries) {
  using Table = ShmHash<HashEntry, 4>;
  std::vector<char> memory(Table::BytesFor(100));
  Table* table = Table::Create(memory.data(), 100);
  bool found;
  for (uint64_t key = 0; key < 100; ++key) {
    HashEntry* entry = table->Insert(key, HashKey(key), &found);
    ASSERT_NE(entry, nullptr);
    EXPECT_FALSE(found);
    entry->value = static_cast<int32_t>(key * 2);
  }
  uint64_t extra = 1000;
  EXPECT_EQ(table->Insert(extra, HashKey(extra), &found), nullptr);
  for (uint64_t key = 0; key < 100; ++key)
    EXPECT_EQ(table->Find(key, HashKey(key))->value, static_cast<int32_t>(key * 2));
  uint64_t gone = 50;
  EXPECT_TRUE(table->Erase(gone, HashKey(gone)));
  EXPECT_EQ(table->Find(gone, HashKey(gone)), nullptr);
  EXPECT_NE(table->Insert(extra, HashKey(extra), &found), nullptr);
  int seen = 0;
  for (uint32_t partition = 0; partition < 4; ++partition)
    table->ForEachInPartition(partition, [&](HashEntry&) { ++seen; });
  EXPECT_EQ(seen, 100);
}

TEST_F(Shm, WaitEventsHaveNames) {
  EXPECT_EQ(WaitEventType(static_cast<uint32_t>(WaitEvent::kClientRead)), "Client");
  EXPECT_EQ(WaitEventName(static_cast<uint32_t>(WaitEvent::kClientRead)), "ClientRead");
  EXPECT_EQ(WaitEventType(kLwLockWaitBase), "LWLock");
}

TEST(Region, ANamedRegionIsSharedWithChildrenAndRefusedWhenTooLarge) {
  std::string name = fmt::format("walden.test.{}", getpid());
  std::vector<AreaBinding> areas = {{Area::kProcesses, ProcessTableBytes, InitProcessTable}};
  {
    std::unique_ptr<Region> region = Region::CreateNamed(name, RegionBytes(areas));
    LayOutRegion(*region, areas);
    EXPECT_EQ(Region::ListByPrefix(name), std::vector<std::string>{name});
    pid_t child = fork();
    if (child == 0) {
      SetSelf(3, ProcessKind::kBackend);
      _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    EXPECT_EQ(SlotAt(3).pid.load(), child);
    ASSERT_EQ(ListAreas().size(), 1u);
    EXPECT_STREQ(ListAreas()[0].name, "Proc Array");
    DetachAreas();
  }
  EXPECT_TRUE(Region::ListByPrefix(name).empty());
  try {
    Region::CreateNamed(name, size_t{1} << 50);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(SqlState(error.code()), "53200");
    EXPECT_FALSE(error.fields().hint.empty());
  }
}

}  // namespace
}  // namespace walden
