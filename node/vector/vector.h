// Typed vectors: what operators and kernels exchange.
//
// A Vector holds up to capacity() values of one PhysicalType as a plain array, with a validity bitmap. A
// *constant* vector holds one value at position 0 that stands for every row. A Selection names the rows of a batch
// that still count; kernels read and write the same row positions and touch selected rows only.
//
// Ownership: a Vector owns its arrays, never what by-reference values point at. Those bytes live in an arena or a
// pinned page; a batch's bytes stay valid until the operator that produced it is asked for its next batch.
// One process's main thread uses a vector; there is no locking.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "node/base/arena.h"
#include "node/base/check.h"
#include "node/types/value.h"

namespace walden {

inline constexpr uint32_t kBatchRows = 1024;

// Rows of a batch that count, in ascending order. `rows == nullptr` means 0 .. count-1.
struct Selection {
  const uint16_t* rows = nullptr;
  uint32_t count = 0;

  uint32_t Row(uint32_t i) const { return rows == nullptr ? i : rows[i]; }
  // Calls f(row) for each selected row.
  template <class F>
  void ForEach(F&& f) const {
    if (rows == nullptr) {
      for (uint32_t i = 0; i < count; ++i) f(i);
    } else {
      for (uint32_t i = 0; i < count; ++i) f(uint32_t{rows[i]});
    }
  }
};

class Vector {
 public:
  Vector() = default;
  explicit Vector(PhysicalType type, uint32_t capacity = 1) { Reset(type, capacity); }
  Vector(Vector&&) = default;
  Vector& operator=(Vector&&) = default;

  // Makes this an empty flat vector of `type` with room for at least `capacity` rows, all valid.
  void Reset(PhysicalType type, uint32_t capacity);
  // Grows to at least `capacity` rows; keeps no contents when it grows.
  void EnsureCapacity(uint32_t capacity) {
    if (capacity > capacity_) Reset(type_, capacity);
  }

  PhysicalType type() const { return type_; }
  uint32_t capacity() const { return capacity_; }

  bool is_constant() const { return is_constant_; }
  // A kernel that was given only constants computes row 0 and marks its result constant.
  void SetConstant(bool is_constant) { is_constant_ = is_constant; }
  // The array position of a row.
  uint32_t Index(uint32_t row) const { return is_constant_ ? 0 : row; }

  // T must have PhysicalWidth(type()) bytes.
  template <class T>
  T* data() {
    DCHECK(sizeof(T) == PhysicalWidth(type_));
    return reinterpret_cast<T*>(data_.get());
  }
  template <class T>
  const T* data() const {
    DCHECK(sizeof(T) == PhysicalWidth(type_));
    return reinterpret_cast<const T*>(data_.get());
  }
  void* raw_data() { return data_.get(); }
  const void* raw_data() const { return data_.get(); }

  // While false, every row is valid and the bitmap's contents mean nothing.
  bool has_nulls() const { return has_nulls_; }
  // Bit set = not null. Only meaningful while has_nulls().
  const uint64_t* validity() const { return validity_.get(); }
  // Marks every row valid.
  void SetAllValid() { has_nulls_ = false; }
  // For code that fills the bitmap itself (batch deform): sets all bits, declares has_nulls, returns it.
  uint64_t* MutableValidity() {
    if (!has_nulls_) {
      std::memset(validity_.get(), 0xFF, ValidityWords(capacity_) * 8);
      has_nulls_ = true;
    }
    return validity_.get();
  }
  // `index` is an array position (see Index).
  bool IsNullAt(uint32_t index) const {
    return has_nulls_ && ((validity_[index >> 6] >> (index & 63)) & 1) == 0;
  }
  bool IsNull(uint32_t row) const { return has_nulls_ && IsNullAt(Index(row)); }
  void SetNull(uint32_t index) { MutableValidity()[index >> 6] &= ~(uint64_t{1} << (index & 63)); }
  void SetValid(uint32_t index) {
    if (has_nulls_) validity_[index >> 6] |= uint64_t{1} << (index & 63);
  }

  // One value in or out, for code that is not worth a kernel. Set() copies no referenced bytes.
  Value Get(uint32_t row) const;
  void Set(uint32_t index, const Value& value);
  // Makes this a constant vector of `value`.
  void SetConstantValue(PhysicalType type, const Value& value);
  // Copies the selected rows of `from` to the same positions here; referenced bytes are shared.
  void CopyRows(const Vector& from, const Selection& selection);

  static constexpr uint32_t ValidityWords(uint32_t rows) { return (rows + 63) / 64; }
  size_t memory_bytes() const { return capacity_ * PhysicalWidth(type_) + ValidityWords(capacity_) * 8; }

 private:
  struct FreeDeleter {
    void operator()(void* memory) const;
  };
  std::unique_ptr<std::byte[], FreeDeleter> data_;  // 64-byte aligned
  std::unique_ptr<uint64_t[]> validity_;
  uint32_t capacity_ = 0;
  PhysicalType type_ = PhysicalType::kInt32;
  bool is_constant_ = false;
  bool has_nulls_ = false;
};

// The datum at array position `index`, with no null test; and its store.
Datum LoadDatum(PhysicalType type, const void* data, uint32_t index);
void StoreDatum(PhysicalType type, void* data, uint32_t index, const Datum& datum);

// Copies what a by-reference datum points at into `arena` (8-byte aligned); others are returned as they are.
Datum CopyDatum(PhysicalType type, const Datum& datum, Arena* arena);

// Columns with the rows that count. Columns are borrowed from the operators below.
struct Batch {
  std::vector<Vector*> columns;
  Selection selection;
};

}  // namespace walden
