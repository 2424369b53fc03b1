// Rows kept in arrival order in bounded memory, read any number of times by any number of readers: Materialize, CTEs,
// the work table of a recursive union.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "node/sql/executor/row_container.h"
#include "node/sql/executor/spill_file.h"

namespace walden {

class RowStore {
 public:
  RowStore(std::vector<PhysicalType> types, MemoryAccount* parent, size_t memory_limit_bytes);

  void Append(std::span<Vector* const> columns, const Selection& selection);
  size_t size() const { return count_; }
  const std::vector<PhysicalType>& types() const { return rows_.layout().types(); }
  void Clear();

  // A position of one reader. Rows appended later are seen. What it has read back is charged to the store's parent: it
  // may be destroyed after the store, as a rescan does.
  class Reader {
   public:
    explicit Reader(RowStore* store) : store_(store) {}
    // Fills positions 0..; returns how many rows (0: none left now). Bytes are valid until this reader's next Read.
    uint32_t Read(std::span<Vector* const> columns, uint32_t max_rows);
    void Rewind() { at_ = 0; }
    void Seek(size_t row) { at_ = row; }

   private:
    uint32_t ReadSpilled(std::span<Vector* const> columns, uint32_t max_rows);
    RowStore* store_;
    size_t at_ = 0;
    std::unique_ptr<RowContainer> rows_;
  };

 private:
  MemoryAccount* parent_;
  MemoryAccount account_;
  size_t memory_limit_;
  RowContainer rows_;
  std::vector<char*> in_memory_;         // the first rows
  std::unique_ptr<RecordFile> spilled_;  // the rows after them
  size_t count_ = 0;
};

}  // namespace walden
