// Threads that stand in for processes share a counter under a lightweight lock, and one that no lock guards: the thread
// sanitizer must report the second, with the suppressions that the unit tests have, and not the first. Built by the option
// WALDEN_PLANTED_RACE only.
#include <cstdint>
#include <thread>
#include <vector>

#include "node/shm/lwlock.h"
#include "node/shm/private_region.h"

namespace walden {
namespace {

constexpr int kProcesses = 32, kRounds = 100;

struct Counters {
  LwLock lock;
  int64_t guarded = 0;
  int64_t unguarded = 0;
};

[[gnu::noinline]] void CountWithLock(Counters& counters) {
  LwLockGuard guard(counters.lock, LwMode::kExclusive);
  ++counters.guarded;
}

[[gnu::noinline]] void CountWithoutLock(Counters& counters) { ++counters.unguarded; }

void Run() {
  PrivateRegion region({});
  Counters counters;
  counters.lock.Init(LwRank::kBufferMapping);
  std::vector<std::thread> threads;
  for (int n = 0; n < kProcesses; ++n) {
    threads.emplace_back([n, &counters] {
      ThreadIdentity identity(n);
      for (int i = 0; i < kRounds; ++i) {
        CountWithLock(counters);
        CountWithoutLock(counters);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace walden

int main() { walden::Run(); }
