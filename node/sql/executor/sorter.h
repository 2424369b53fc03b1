// Sorts any number of rows in bounded memory: rows are gathered until work_mem is used up, sorted by key prefix
// and written as a run. As many runs of a level as memory has read buffers for are merged to one of the next level, so a row is
// written once a level, and the last merge gives the rows out (balanced merging: Knuth, TAOCP vol. 3, 5.4.1).
// With a row limit only the best rows are kept in memory (top-N heap).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "node/sql/executor/row_container.h"
#include "node/sql/executor/sort_key.h"
#include "node/sql/executor/spill_file.h"

namespace walden {

class Sorter {
 public:
  // `memory_limit_bytes` is work_mem; `row_limit` 0 means all rows are wanted.
  Sorter(std::vector<PhysicalType> types, std::vector<SortKey> keys, MemoryAccount* parent,
         size_t memory_limit_bytes, uint64_t row_limit = 0);

  void Add(std::span<Vector* const> columns, const Selection& selection);
  // No more rows: makes the order.
  void Finish();
  // Fills positions 0.. of the columns with the next rows in order; 0 at the end. Strings stay valid until the next call.
  uint32_t Next(std::span<Vector* const> columns, uint32_t max_rows);
  // Starts again at the first row. Only after Finish.
  void Rewind();

  // What EXPLAIN ANALYZE shows.
  enum class Method { kQuicksort, kTopN, kExternalMerge };
  Method method() const;
  size_t space_bytes() const;

 private:
  static constexpr size_t kLeastMergeRuns = 6, kMostMergeRuns = 64;
  struct Entry {
    uint64_t prefix;
    char* row;
  };
  struct Run {
    std::unique_ptr<SpillFile> file;
    std::unique_ptr<RowContainer> rows;  // holds the run's current row
    Entry head{0, nullptr};
    int level = 0;  // how often its rows were merged
  };

  bool Less(const Entry& a, const Entry& b) const;
  void AddTopN(std::span<Vector* const> columns, uint32_t row);
  void SortEntries();
  void SpillRun();
  void MergeFullLevels();
  // The last runs become one.
  void MergeLast(size_t count);
  bool AdvanceRun(Run* run);
  void StartMerge(size_t first);  // of the runs from `first` on
  void GiveBack(Run* run);        // to the tournament, unless it is at its end
  bool ComesAfter(const Run& a, const Run& b) const;
  Run* PopRun();
  uint32_t NextFromMemory(std::span<Vector* const> columns, uint32_t max_rows);
  uint32_t NextFromRuns(std::span<Vector* const> columns, uint32_t max_rows);

  MemoryAccount account_;
  size_t memory_limit_;
  size_t merge_runs_;  // at once
  uint64_t row_limit_;
  RowContainer rows_;
  RowComparator comparator_;
  bool prefix_is_exact_;
  std::vector<Entry> entries_;
  std::vector<Run> runs_;   // earlier rows first, thus higher levels first
  std::vector<Run*> heap_;  // heads of the runs, smallest on top
  RowContainer output_;     // rows of the batch given out last
  size_t position_ = 0;
  size_t spilled_bytes_ = 0;
};

}  // namespace walden
