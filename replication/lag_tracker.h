// How long a standby takes to write, flush and show what it was sent: remembers when positions were sent and looks at the
// clock when they come back.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "node/base/ids.h"

namespace walden::replication {

class LagTracker {
 public:
  enum Stage : uint8_t { kWrite, kFlush, kApply };
  void Sent(Lsn end, int64_t now_us);
  // One report of the standby. One that says nothing new when nothing is on the way means that it is idle.
  void Reached(Lsn write, Lsn flush, Lsn apply, int64_t now_us);
  // Microseconds; -1: nothing is known (it is idle).
  int64_t lag_us(Stage stage) const { return stages_[stage].lag_us; }

 private:
  struct Sample {
    Lsn end;
    int64_t sent_us;
  };
  static constexpr size_t kMostSamples = 8192;
  struct Pending {
    std::deque<Sample> samples;
    int64_t lag_us = -1;
  };
  std::array<Pending, 3> stages_;
};

}  // namespace walden::replication
