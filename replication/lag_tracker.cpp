#include "replication/lag_tracker.h"

namespace walden::replication {

void LagTracker::Sent(Lsn end, int64_t now_us) {
  for (Pending& stage : stages_) {
    // A standby that far behind: later samples stand for those that do not fit.
    if (stage.samples.size() >= kMostSamples) stage.samples.pop_back();
    stage.samples.push_back({end, now_us});
  }
}

int64_t LagTracker::Reached(Stage which, Lsn position, int64_t now_us) {
  Pending& stage = stages_[which];
  bool any = false;
  while (!stage.samples.empty() && stage.samples.front().end <= position) {
    stage.lag_us = now_us - stage.samples.front().sent_us;
    stage.samples.pop_front();
    any = true;
  }
  // Two reports in a row with nothing on the way: idle.
  if (!any && stage.samples.empty()) stage.lag_us = -1;
  return stage.lag_us;
}

}  // namespace walden::replication
