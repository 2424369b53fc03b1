// What a run of VACUUM or ANALYZE cost, as VERBOSE and log_autovacuum_min_duration tell it.
#pragma once

#include <sys/resource.h>

#include <string>
#include <string_view>

#include "node/access/heap/vacuum.h"
#include "node/base/clock.h"
#include "node/buffer/buffer_pool.h"
#include "node/wal/wal_usage.h"

namespace walden {

struct Relation;

// Takes the readings at its beginning.
class VacuumReport {
 public:
  VacuumReport();
  int64_t elapsed_us() const { return MonotonicUs() - start_us_; }
  // "index scans: 1\npages: ...": everything behind 'finished vacuuming "db.schema.table": '.
  std::string OfVacuum(const VacuumResult& result, std::span<const IndexDesc* const> indexes,
                       bool index_cleanup) const;
  // "avg read rate: ...\nbuffer usage: ...\nsystem usage: ...": behind 'automatic analyze of table "..."'.
  std::string OfAnalyze() const;

 private:
  std::string Rates() const;
  std::string System() const;

  int64_t start_us_ = MonotonicUs();
  BufferStatistics buffers_ = buffer_statistics;
  WalUsage wal_ = own_wal_usage;
  rusage usage_;
};

// "db.schema.table"
std::string FullName(const Relation& relation);

}  // namespace walden
