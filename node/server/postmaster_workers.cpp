// Background workers: started when their phase comes, again after their delay, never more than asked.
#include <signal.h>

#include "node/base/clock.h"
#include "node/server/background_worker.h"
#include "node/server/postmaster.h"

namespace walden {

void Postmaster::WantWorker(int64_t argument, bool wanted) {
  // Packed by background_worker.cpp; the postmaster does not look at the registration itself.
  WorkerRequest request = UnpackWorkerRequest(argument);
  if (!wanted) {
    auto found = workers_.entries().find(request.worker);
    if (found == workers_.entries().end()) return;
    found->second.restart_delay_s = -1;
    found->second.stopping = true;
    SignalChildren(SIGTERM, [&](const Child& child) {
      return child.kind == ProcessKind::kBackgroundWorker && child.worker == request.worker;
    });
    return;
  }
  WorkerSchedule::Entry& entry = workers_.entries()[request.worker];
  entry = {};
  entry.restart_delay_s = request.restart_delay_s;
  entry.needs_consistency_only = request.at_consistency;
}

void Postmaster::StartDueWorkers() {
  if (Stopping()) return;
  int64_t now = MonotonicUs();
  for (auto& [worker, entry] : workers_.entries()) {
    bool phase_right =
        phase_ == Phase::kRunning || (phase_ == Phase::kHotStandby && entry.needs_consistency_only);
    if (entry.running || entry.stopping || !phase_right || entry.start_at_us > now) continue;
    entry.running = Launch(ProcessKind::kBackgroundWorker, {.worker = worker}) > 0;
  }
}

void Postmaster::WorkerEnded(int worker, int exit_code) {
  auto found = workers_.entries().find(worker);
  if (found == workers_.entries().end()) return;
  WorkerSchedule::Entry& entry = found->second;
  entry.running = false;
  // As in PostgreSQL: exit code 0 means done for good, 1 means again after the delay.
  if (exit_code == 0 || entry.restart_delay_s < 0) {
    workers_.entries().erase(found);
    return;
  }
  entry.start_at_us = MonotonicUs() + int64_t{entry.restart_delay_s} * 1000000;
  int64_t& wake = restart_not_before_us_[static_cast<size_t>(ProcessKind::kBackgroundWorker)];
  if (wake < MonotonicUs() || wake > entry.start_at_us) wake = entry.start_at_us;
}

// After a crash only the workers registered at start come back; their registrations are made anew with the
// region.
void Postmaster::ForgetWorkers() { workers_.entries().clear(); }

}  // namespace walden
