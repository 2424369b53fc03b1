// Rows kept by an operator that must see many before it answers (sort, hash join, hash aggregation, materialise).
//
// A row is a fixed-width record:
//   header      header_bytes of the owner's (hash, next pointer, group state ...), rounded up to 8 bytes
//   null bits   one bit a column, 1 = null, rounded up to 8 bytes
//   values      each 8-byte aligned, PhysicalWidth bytes
// By-reference values point into the container's arena. Rows never move while the container lives.
//
// Memory is charged to the account given; when that passes work_mem the owner spills: SerializeRow writes a row as
// bytes without pointers, AppendSerialized brings it back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "node/base/arena.h"
#include "node/vector/vector.h"

namespace walden {

class RowLayout {
 public:
  RowLayout() = default;
  explicit RowLayout(std::vector<PhysicalType> types, size_t header_bytes = 0);

  const std::vector<PhysicalType>& types() const { return types_; }
  size_t row_bytes() const { return row_bytes_; }
  bool IsNull(const char* row, size_t column) const {
    return (row[null_offset_ + (column >> 3)] >> (column & 7)) & 1;
  }
  const char* Field(const char* row, size_t column) const { return row + offsets_[column]; }
  char* Field(char* row, size_t column) const { return row + offsets_[column]; }
  Value Get(const char* row, size_t column) const;
  // Stores without copying referenced bytes; sets or clears the null bit.
  void Set(char* row, size_t column, const Value& value) const;

  // Appends the pointer-free form of `row` (without its header) to `out`.
  void SerializeRow(const char* row, std::string* out) const;
  // Fills `row` from the pointer-free form; by-reference bytes are copied to `arena`. Returns the bytes consumed.
  size_t DeserializeRow(const char* bytes, char* row, Arena* arena) const;

 private:
  std::vector<PhysicalType> types_;
  std::vector<uint32_t> offsets_;
  size_t null_offset_ = 0;
  size_t row_bytes_ = 0;
};

class RowContainer {
 public:
  RowContainer(RowLayout layout, MemoryAccount* account)
      : layout_(std::move(layout)), arena_(account, 4096) {}

  // A zeroed row whose values the caller sets.
  char* AppendEmpty();
  // Copies one row of the columns.
  char* Append(std::span<Vector* const> columns, uint32_t row);
  // Brings back a spilled row.
  char* AppendSerialized(const char* bytes, size_t* consumed);

  const RowLayout& layout() const { return layout_; }
  Arena& arena() { return arena_; }
  // Frees all rows.
  void Clear() { arena_.Reset(); }
  size_t bytes() const { return arena_.bytes(); }

 private:
  RowLayout layout_;
  Arena arena_;
};

// Reads columns first_column.. of n rows into positions 0..n-1 of the vectors, which are reset first. A null row pointer reads
// as all nulls (the missing side of an outer join). Referenced bytes are shared.
void GatherRows(const RowLayout& layout, const char* const* rows, uint32_t n, size_t first_column,
                std::span<Vector* const> columns);

}  // namespace walden
