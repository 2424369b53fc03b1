#include "node/base/clock.h"

#include <ctime>

namespace walden {
namespace {

int64_t ReadClockUs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000;
}

}  // namespace

TimestampUs WallClockUs() { return ReadClockUs(CLOCK_REALTIME) - kUnixEpochToPostgresUs; }
int64_t MonotonicUs() { return ReadClockUs(CLOCK_MONOTONIC); }
int64_t BootClockUs() { return ReadClockUs(CLOCK_BOOTTIME); }

}  // namespace walden
