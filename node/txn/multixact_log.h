// Internal to txn: what checkpoints and redo need of multixacts.
#pragma once

#include <cstdint>
#include <span>

#include "node/base/ids.h"

namespace walden {

struct MultiXactCounters {
  uint64_t next_multi, next_member, oldest_multi;
};
MultiXactCounters CurrentMultiXactCounters();
void RaiseMultiXactCounters(const MultiXactCounters& counters);
void ReplayMultiXact(uint64_t multi, uint64_t first, std::span<const uint64_t> packed, Lsn lsn);
void MultiXactWriteDirty();
void ForgetMultiXactCache();  // process exit

}  // namespace walden
