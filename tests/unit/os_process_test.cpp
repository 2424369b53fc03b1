#include "node/os/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace walden {
namespace {

TEST(Process, ExistsUntilItIsDead) {
  EXPECT_TRUE(ProcessExists(getpid()));
  EXPECT_FALSE(ProcessExists(0));
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  EXPECT_TRUE(ProcessExists(child));
  kill(child, SIGKILL);
  while (ProcessExists(child)) {  // a zombie soon: nobody has waited for it
    std::this_thread::yield();
  }
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(ProcessExists(child));
}

// Its entry in /proc may vanish between any two looks at it; `walden stop` once failed for that.
TEST(Process, MayGoWhileItIsLookedAt) {
  for (int i = 0; i < 300; ++i) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    std::jthread reaper([child] { waitpid(child, nullptr, 0); });
    while (ProcessExists(child)) {
    }
  }
}

}  // namespace
}  // namespace walden
