// What this process has written to the log since it started: for EXPLAIN (WAL).
#pragma once

#include <cstdint>

namespace walden {

struct WalUsage {
  uint64_t records, page_images, bytes;
};
extern constinit thread_local WalUsage own_wal_usage;

}  // namespace walden
