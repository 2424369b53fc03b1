// Arrays, oidvector and int2vector: one flat form, in memory and on disk alike.
//
// Format (little-endian, no alignment): i32 ndim (0 = empty, at most 6), u32 flags (1 = a null bitmap follows),
// u32 element type, then ndim times {i32 length, i32 lower bound}, then if flagged a bitmap with one bit per element
// (bit set = not null), then the elements in row-major order as element.h packs them; a null takes no room among
// by-reference elements and a zeroed slot among fixed-width ones.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/arena.h"
#include "node/base/ids.h"
#include "node/types/type_table.h"
#include "node/types/value.h"

namespace walden {

inline constexpr int kMaxArrayDimensions = 6;

// Reads an array in place; `bytes` must outlive the view and what it returns.
class ArrayView {
 public:
  explicit ArrayView(std::string_view bytes);
  int dimensions() const { return dimensions_; }
  int32_t Length(int dimension) const;
  int32_t LowerBound(int dimension) const;
  Oid element_type() const { return element_; }
  uint32_t count() const { return count_; }  // of elements, all dimensions
  bool has_nulls() const { return bitmap_ != nullptr; }
  bool IsNull(uint32_t index) const {
    return bitmap_ != nullptr && ((bitmap_[index >> 3] >> (index & 7)) & 1) == 0;
  }
  const char* elements() const { return elements_; }
  // Element by position in row-major order; O(1) for fixed-width types, O(n) else.
  Value At(uint32_t index, PhysicalType type) const;

 private:
  const char* header_;
  int dimensions_;
  Oid element_;
  uint32_t count_;
  const uint8_t* bitmap_ = nullptr;
  const char* elements_;
};

// Elements in order: for (ArrayReader r(view, type); r.Next(&value);)
class ArrayReader {
 public:
  ArrayReader(const ArrayView& view, PhysicalType type) : view_(view), type_(type), at_(view.elements()) {}
  bool Next(Value* value);

 private:
  const ArrayView& view_;
  PhysicalType type_;
  const char* at_;
  uint32_t index_ = 0;
};

// Collects elements, then makes the array in an arena.
class ArrayBuilder {
 public:
  ArrayBuilder(Oid element, PhysicalType type) : element_(element), type_(type) {}
  void Add(const Value& value);
  void AddNull() { Add(Value{}); }
  uint32_t count() const { return count_; }
  // One-dimensional with the given lower bound; no elements make the empty array (ndim 0).
  std::string_view Finish(Arena& arena, int32_t lower_bound = 1) const;
  // The product of `lengths` must be count().
  std::string_view Finish(Arena& arena, std::span<const int32_t> lengths,
                          std::span<const int32_t> lower_bounds) const;

 private:
  Oid element_;
  PhysicalType type_;
  uint32_t count_ = 0;
  bool has_nulls_ = false;
  std::string bitmap_;
  std::string elements_;
};

// Collects arrays of one shape into an array of one dimension more.
class NestedArrayBuilder {
 public:
  // 22004, 2202E, 54000: null, empty, of another shape, too many dimensions.
  void Add(const Value& array);
  // The empty array of this element type when nothing was added.
  std::string_view Finish(Arena& arena, Oid element) const;

 private:
  std::optional<ArrayBuilder> builder_;
  std::vector<int32_t> lengths_, lower_bounds_;  // [0] is the new dimension
};

// ARRAY(SELECT ...): values of any type become elements, arrays become one array of a dimension more.
class ArrayCollector {
 public:
  explicit ArrayCollector(Oid type);
  void Add(const Value& value) { is_nested_ ? nested_.Add(value) : flat_.Add(value); }
  std::string_view Finish(Arena& arena) const;

 private:
  const TypeDescriptor& type_;
  bool is_nested_;
  ArrayBuilder flat_;
  NestedArrayBuilder nested_;
};

// array[at...] = value, array[lower:upper, ...] = source: the changed array, PostgreSQL's rules. An array of one
// dimension grows, gaps become null; the empty one takes the shape of what is assigned. An absent slice bound is the
// array's own. 2202E when subscripts do not fit. The result may share nothing with its arguments' memory.
std::string_view AssignArrayElement(std::string_view array, Oid element, std::span<const int32_t> at,
                                    const Value& value, Arena& arena);
using SliceBounds = std::span<const std::optional<int32_t>>;
std::string_view AssignArraySlice(std::string_view array, Oid element, SliceBounds lower, SliceBounds upper,
                                  std::string_view source, Arena& arena);

// For C++ code that fills catalog columns.
std::string_view MakeTextArray(std::span<const std::string_view> items, Oid element, Arena& arena);
std::string_view MakeOidVector(std::span<const Oid> items, Arena& arena);
std::string_view MakeInt2Vector(std::span<const int16_t> items, Arena& arena);
std::string_view MakeOidArray(std::span<const Oid> items, Arena& arena);

// Throws 54000 if there are too many elements. Returns the product.
uint32_t CountElements(std::span<const int32_t> lengths);
int CompareArrays(std::string_view a, std::string_view b);
bool ArraysEqual(std::string_view a, std::string_view b);
uint64_t HashArray(std::string_view array);

// Input, output and so on of every array type; `io.type` is the array type.
void ArrayIn(std::string_view text, TypeIo& io, Datum* result);
void ArrayOut(const Datum& value, TypeIo& io, std::string* to);
void ArrayReceive(std::string_view bytes, TypeIo& io, Datum* result);
void ArraySend(const Datum& value, TypeIo& io, std::string* to);
// The descriptor of the array type over `element` (which must have an array type).
TypeDescriptor ArrayTypeOver(const TypeDescriptor& element, std::string_view name);
std::span<const TypeDescriptor> VectorTypes();

}  // namespace walden
