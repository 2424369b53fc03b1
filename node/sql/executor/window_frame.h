// The rows of one window partition and, for each of them, its peers and its frame.
//
// Rows are kept in a RowStore, which spills past work_mem. Positions count from 0 within the partition; ranges are half open.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "node/sql/executor/row_store.h"
#include "node/sql/executor/sort_key.h"
#include "node/sql/expression/expression.h"
#include "node/sql/plan/plan.h"

namespace walden {

// Reads a store by position, a piece at a time. Vectors are valid until the next Locate.
class WindowCursor {
 public:
  explicit WindowCursor(RowStore* store);
  // Makes row `row` readable; its place in the vectors.
  uint32_t Locate(size_t row);
  // Rows readable from the place that Locate gave on.
  uint32_t Available(uint32_t place) const { return static_cast<uint32_t>(count_) - place; }
  std::span<Vector* const> columns() const { return pointers_; }
  Value Get(size_t row, size_t column) { return pointers_[column]->Get(Locate(row)); }
  void Reset() { count_ = 0; }

 private:
  RowStore::Reader reader_;
  std::vector<std::unique_ptr<Vector>> vectors_;
  std::vector<Vector*> pointers_;
  size_t first_ = 0;
  size_t count_ = 0;
};

// Groups of peers (rows equal in the ORDER BY columns), one after the other.
class PeerGroups {
 public:
  PeerGroups(RowStore* store, const std::vector<SortKey>& keys, MemoryAccount* account);
  void Start();  // at the first group
  bool AtEnd() const { return start_ >= store_->size(); }
  void Next();
  size_t start() const { return start_; }
  size_t end() const { return end_; }
  int64_t index() const { return index_; }

 private:
  void FindEnd();
  RowStore* store_;
  const std::vector<SortKey>& keys_;
  WindowCursor cursor_;
  RowContainer first_row_;
  size_t start_ = 0, end_ = 0;
  int64_t index_ = 0;
};

struct RowRange {
  size_t begin = 0, end = 0;
  bool empty() const { return begin >= end; }
};

// The frame of the current row, which only moves forward.
class WindowFrame {
 public:
  WindowFrame(const WindowClause& clause, RowStore* store, const std::vector<SortKey>& order,
              MemoryAccount* account);

  // A new partition is in the store. Offsets are null where the clause has none.
  void Start(EvalContext& context, const Value& start_offset, const Value& end_offset);
  void MoveTo(size_t row);

  size_t row() const { return row_; }
  size_t partition_rows() const { return store_->size(); }
  const PeerGroups& peers() const { return peers_; }
  RowRange frame() const { return frame_; }
  // The frame without what EXCLUDE takes out: up to three ranges, in order.
  const std::vector<RowRange>& ranges() const { return ranges_; }
  bool has_exclusion() const;
  // The row at place n (from 0) of the frame, from its beginning or its end; false when it has fewer rows.
  bool RowAt(size_t n, bool from_end, size_t* row) const;

 private:
  size_t FindStart();
  size_t FindEnd();
  size_t OffsetRow(int64_t offset, bool following, bool is_end) const;
  size_t GroupBound(PeerGroups* groups, int64_t offset, bool following, bool is_end);
  size_t RangeStart();
  size_t RangeEnd();
  bool InRange(const ScalarFunction& test, CallSite& site, const Value& value, const Value& base,
               const Value& offset, bool sub, bool less);
  void Exclude();

  const WindowClause& clause_;
  RowStore* store_;
  const std::vector<SortKey>& order_;
  PeerGroups peers_;
  PeerGroups start_groups_, end_groups_;
  WindowCursor current_, start_cursor_, end_cursor_;
  const ScalarFunction* start_in_range_ = nullptr;
  const ScalarFunction* end_in_range_ = nullptr;
  CallSite start_site_, end_site_;
  std::vector<Oid> start_types_, end_types_;
  EvalContext* context_ = nullptr;
  Value start_offset_, end_offset_;
  size_t row_ = 0;
  RowRange frame_;
  std::vector<RowRange> ranges_;
};

}  // namespace walden
