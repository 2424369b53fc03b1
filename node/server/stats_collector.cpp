#include "node/server/stats_collector.h"

#include "node/base/clock.h"
#include "node/shm/interrupts.h"
#include "node/stats/counter_tables.h"

namespace walden {
namespace {

constexpr int64_t kFoldMs = 1000;
constexpr int64_t kSaveUs = 60 * 1000000;

}  // namespace

void RunStatsCollector() {
  LoadStats(kStatsPath);
  int64_t saved_us = MonotonicUs();
  while (!InterruptPending(Interrupt::kShutdown) && !InterruptPending(Interrupt::kTerminate)) {
    self().latch.Reset();
    CheckInterrupts();
    FoldAllBlocks();
    if (MonotonicUs() - saved_us >= kSaveUs) {
      SaveStats(kStatsPath);
      saved_us = MonotonicUs();
    }
    if (InterruptPending(Interrupt::kShutdown)) break;
    WaitLatch(kFoldMs, WaitEvent::kStatsCollectorMain);
  }
  // Everybody who counts is gone by now.
  FoldAllBlocks();
  SaveStats(kStatsPath);
}

}  // namespace walden
