#include "replication/lag_tracker.h"

namespace walden::replication {

void LagTracker::Sent(Lsn end, int64_t now_us) {
  for (Pending& stage : stages_) {
    // A standby that far behind: later samples stand for those that do not fit.
    if (stage.samples.size() >= kMostSamples) stage.samples.pop_back();
    stage.samples.push_back({end, now_us});
  }
}

void LagTracker::Reached(Lsn write, Lsn flush, Lsn apply, int64_t now_us) {
  const Lsn positions[] = {write, flush, apply};
  bool news = false, on_the_way = false;
  for (size_t i = 0; i < stages_.size(); ++i) {
    Pending& stage = stages_[i];
    while (!stage.samples.empty() && stage.samples.front().end <= positions[i]) {
      stage.lag_us = now_us - stage.samples.front().sent_us;
      stage.samples.pop_front();
      news = true;
    }
    on_the_way = on_the_way || !stage.samples.empty();
  }
  if (news || on_the_way) return;
  for (Pending& stage : stages_) stage.lag_us = -1;
}

}  // namespace walden::replication
