// The right to commit (I9): until when, on CLOCK_BOOTTIME. Kept by the leader elector; without one the lease
// never ends. Checked under the commit latch, and by whoever sends bytes to a client.
#pragma once

#include <cstdint>

#include "node/base/error.h"

namespace walden {

inline constexpr int64_t kNoLeaseNeeded = INT64_MAX;

// BootClockUs at which the lease ends. Rebuilt shared memory starts with the lease expired when one is
// needed.
void SetLeaseDeadline(int64_t boot_clock_us);
int64_t LeaseDeadline();
bool LeaseHeld();
// A higher term was met: no commit any more until restart.
void FenceNode();
// FATAL 57P01-class error for a session that met an expired lease.
SqlError LeaseLost();

}  // namespace walden
