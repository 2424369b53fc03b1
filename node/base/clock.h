// Time sources. Wall time is microseconds since 2000-01-01 00:00:00 UTC, as PostgreSQL's timestamptz.
#pragma once

#include <cstdint>

namespace walden {

using TimestampUs = int64_t;
inline constexpr int64_t kUnixEpochToPostgresUs = 946684800LL * 1000000;

TimestampUs WallClockUs();
int64_t MonotonicUs();
// CLOCK_BOOTTIME: goes on while the machine sleeps; lease deadlines count on it (I9).
int64_t BootClockUs();

}  // namespace walden
