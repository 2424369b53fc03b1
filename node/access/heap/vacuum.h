// VACUUM of one table, and the row sample of ANALYZE.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "node/access/index.h"
#include "node/access/table.h"
#include "node/base/arena.h"
#include "node/base/random.h"
#include "node/buffer/buffer_pool.h"
#include "node/txn/snapshot.h"

namespace walden {

// Numbers of pg_stat_progress_vacuum.
struct VacuumProgress {
  enum class Phase : uint8_t {
    kInitializing,
    kScanHeap,
    kVacuumIndexes,
    kVacuumHeap,
    kCleanupIndexes,
    kTruncate,
    kFinal
  };
  Phase phase = Phase::kInitializing;
  uint64_t heap_blocks_total = 0;
  uint64_t heap_blocks_scanned = 0;
  uint64_t heap_blocks_vacuumed = 0;
  uint64_t index_vacuum_count = 0;
  uint64_t max_dead_tuples = 0;
  uint64_t dead_tuples = 0;
};

struct VacuumOptions {
  bool settle = false;  // visit every page not known settled and write settle records (DESIGN 4)
  bool disable_page_skipping = false;
  bool truncate = true;  // give back empty pages at the end when the lock can be had at once
  bool index_cleanup = true;
  int64_t memory_kb = 65536;  // maintenance_work_mem or autovacuum_work_mem: bounds the dead-row store
  std::function<void(const VacuumProgress&)> progress;
  // Takes AccessExclusiveLock without waiting for truncation; returns false if it cannot. Null: never
  // truncate.
  std::function<bool()> try_exclusive_lock;
  std::function<void()> release_exclusive_lock;
};

struct VacuumResult {
  BlockNumber pages = 0;
  BlockNumber pages_scanned = 0;
  BlockNumber pages_removed = 0;
  BlockNumber all_visible_pages = 0;
  double live_rows = 0;  // new reltuples
  double rows_removed = 0;
  double dead_rows_remaining = 0;
  Xid settled_xid;  // no xid below it remains unsettled in the table (pg_class.relfrozenxid's role)
  MultiXactId settled_multi;
  bool settled_advanced = false;
  int index_scans = 0;
  Xid cutoff;                  // transactions from here on were running, or yet to begin
  BlockNumber dead_pages = 0;  // that had dead pointers
  double dead_pointers = 0;    // freed (or left, without index_cleanup)
  std::vector<IndexVacuumStats> indexes;
};

// Removes dead rows and their index entries, freezes what is settled, maintains both maps. The caller holds
// ShareUpdateExclusiveLock and is in a transaction of its own. `old_pages`/`old_rows`: pg_class's current
// estimates.
VacuumResult VacuumTable(const TableRef& table, std::span<const IndexDesc* const> indexes,
                         const VacuumOptions& options, double old_pages, double old_rows);

// ANALYZE: a uniform sample (Vitter's block sampling with a reservoir). Rows are copied to `arena`, in table
// order.
struct RowSample {
  std::vector<TupleView> rows;
  double live_rows = 0;  // estimate for the whole table
  double dead_rows = 0;
  BlockNumber pages = 0;
  BlockNumber pages_scanned = 0;
};
RowSample SampleRows(const TableRef& table, uint32_t target_rows, Random& random, Arena& arena);

}  // namespace walden
