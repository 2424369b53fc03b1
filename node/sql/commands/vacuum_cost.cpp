#include "node/sql/commands/vacuum_cost.h"

#include <algorithm>

#include "node/access/vacuum_pace.h"
#include "node/base/clock.h"
#include "node/buffer/buffer_pool.h"
#include "node/config/settings.h"
#include "node/shm/latch.h"
#include "node/shm/process.h"
#include "node/shm/wait_events.h"

namespace walden {
namespace {

constexpr double kLongestSleep = 4;  // delays at once

thread_local VacuumCost (*current_cost)() = nullptr;
thread_local BufferStatistics paid;  // of the buffer statistics

int64_t CostSincePaid() {
  const BufferStatistics& now = buffer_statistics;
  auto grown = [](uint64_t a, uint64_t b) { return static_cast<int64_t>(a - b); };
  return grown(now.shared_hits, paid.shared_hits) * GetInt(Setting::kVacuumCostPageHit) +
         grown(now.shared_reads, paid.shared_reads) * GetInt(Setting::kVacuumCostPageMiss) +
         grown(now.shared_dirtied, paid.shared_dirtied) * GetInt(Setting::kVacuumCostPageDirty);
}

void SleepFor(int64_t us) {
  int64_t until = MonotonicUs() + us;
  for (int64_t left = us; left > 0; left = until - MonotonicUs()) {
    self().latch.Reset();
    CheckInterrupts();
    WaitLatch(std::max<int64_t>(left / 1000, 1), WaitEvent::kVacuumDelay);
  }
}

void Pace() {
  VacuumCost cost = current_cost();
  if (cost.delay_ms <= 0) return;
  int64_t balance = CostSincePaid();
  if (balance < cost.limit) return;
  paid = buffer_statistics;
  double delays = std::min(static_cast<double>(balance) / static_cast<double>(cost.limit), kLongestSleep);
  SleepFor(static_cast<int64_t>(cost.delay_ms * delays * 1000));
}

}  // namespace

VacuumCost SessionVacuumCost() {
  return {GetReal(Setting::kVacuumCostDelay), GetInt(Setting::kVacuumCostLimit)};
}

VacuumPacing::VacuumPacing(VacuumCost (*current)()) {
  current_cost = current;
  paid = buffer_statistics;
  vacuum_pace = Pace;
}
VacuumPacing::~VacuumPacing() { vacuum_pace = nullptr; }

}  // namespace walden
