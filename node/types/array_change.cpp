// Arrays made of arrays, and assignment to elements and slices.
#include "node/base/error.h"
#include "node/types/array.h"

namespace walden {
namespace {

SqlError WrongSubscripts() {
  return SqlError(ErrorCode::kArraySubscriptError, "wrong number of array subscripts");
}
SqlError OutOfRange() { return SqlError(ErrorCode::kArraySubscriptError, "array subscript out of range"); }

void CheckDimensions(size_t count) {
  if (count <= kMaxArrayDimensions) return;
  throw SqlError(ErrorCode::kProgramLimitExceeded,
                 "number of array dimensions ({}) exceeds the maximum allowed ({})", count,
                 kMaxArrayDimensions);
}

// An array taken apart, to be changed and put together again.
struct OpenArray {
  Oid element;
  PhysicalType physical;
  std::vector<int32_t> lengths, lower_bounds;
  std::vector<Value> values;

  OpenArray(std::string_view bytes, Oid element_type)
      : element(element_type), physical(TypeOf(element_type).physical) {
    ArrayView view(bytes);
    for (int i = 0; i < view.dimensions(); ++i) {
      lengths.push_back(view.Length(i));
      lower_bounds.push_back(view.LowerBound(i));
    }
    Value value;
    for (ArrayReader reader(view, physical); reader.Next(&value);) values.push_back(value);
  }

  int64_t End(size_t dimension) const { return int64_t{lower_bounds[dimension]} + lengths[dimension]; }

  // Of one dimension: makes positions low..high exist.
  void Grow(int32_t low, int32_t high) {
    int64_t before = std::max<int64_t>(0, int64_t{lower_bounds[0]} - low);
    int64_t after = std::max<int64_t>(0, int64_t{high} + 1 - End(0));
    int64_t length = lengths[0] + before + after;
    int32_t checked = length > INT32_MAX ? -1 : static_cast<int32_t>(length);
    CountElements({&checked, 1});
    values.insert(values.begin(), static_cast<size_t>(before), Value{});
    values.resize(static_cast<size_t>(length));
    lengths[0] = checked;
    lower_bounds[0] = std::min(lower_bounds[0], low);
  }

  std::string_view Finish(Arena& arena) const {
    ArrayBuilder builder(element, physical);
    for (const Value& value : values) builder.Add(value);
    return builder.Finish(arena, lengths, lower_bounds);
  }
};

// Writes `source` element by element over the box low..high in row-major order.
void FillBox(OpenArray* array, std::span<const int32_t> low, std::span<const int32_t> high, size_t dimension,
             size_t position, ArrayReader* source) {
  if (dimension == array->lengths.size()) {
    source->Next(&array->values[position]);
    return;
  }
  for (int64_t at = low[dimension]; at <= high[dimension]; ++at) {
    size_t offset = static_cast<size_t>(at - array->lower_bounds[dimension]);
    FillBox(array, low, high, dimension + 1,
            position * static_cast<size_t>(array->lengths[dimension]) + offset, source);
  }
}

struct Box {
  std::vector<int32_t> low, high;
};

// The slice of an empty array must be given in full and becomes the array.
Box BoxOfEmpty(OpenArray* array, SliceBounds lower, SliceBounds upper) {
  Box box;
  for (size_t i = 0; i < upper.size(); ++i) {
    if (!lower[i] || !upper[i]) {
      throw SqlError(ErrorCode::kArraySubscriptError, "array slice subscript must provide both boundaries")
          .WithDetail(
              "When assigning to a slice of an empty array value, slice boundaries must be fully specified.");
    }
    int64_t length = int64_t{*upper[i]} - *lower[i] + 1;
    box.low.push_back(*lower[i]);
    box.high.push_back(*upper[i]);
    array->lower_bounds.push_back(*lower[i]);
    array->lengths.push_back(length > INT32_MAX ? -1 : static_cast<int32_t>(std::max<int64_t>(length, -1)));
  }
  array->values.resize(CountElements(array->lengths));
  return box;
}

Box BoxOf(OpenArray* array, SliceBounds lower, SliceBounds upper) {
  if (upper.size() > array->lengths.size()) throw WrongSubscripts();
  Box box;
  for (size_t i = 0; i < array->lengths.size(); ++i) {
    int64_t last = array->End(i) - 1;
    int32_t low = i < lower.size() && lower[i] ? *lower[i] : array->lower_bounds[i];
    int32_t high = i < upper.size() && upper[i] ? *upper[i] : static_cast<int32_t>(last);
    if (low > high)
      throw SqlError(ErrorCode::kArraySubscriptError, "upper bound cannot be less than lower bound");
    if (array->lengths.size() > 1 && (low < array->lower_bounds[i] || high > last)) throw OutOfRange();
    box.low.push_back(low);
    box.high.push_back(high);
  }
  return box;
}

}  // namespace

void NestedArrayBuilder::Add(const Value& array) {
  if (array.is_null) throw SqlError(ErrorCode::kNullValueNotAllowed, "cannot accumulate null arrays");
  ArrayView view(array.datum.string.view());
  auto dimensions = static_cast<size_t>(view.dimensions());
  if (dimensions == 0) throw SqlError(ErrorCode::kArraySubscriptError, "cannot accumulate empty arrays");
  const TypeDescriptor& element = TypeOf(view.element_type());
  if (!builder_) {
    CheckDimensions(dimensions + 1);
    builder_.emplace(element.oid, element.physical);
    lengths_ = {0};
    lower_bounds_ = {1};
    for (int i = 0; i < view.dimensions(); ++i) {
      lengths_.push_back(view.Length(i));
      lower_bounds_.push_back(view.LowerBound(i));
    }
  }
  bool same = dimensions + 1 == lengths_.size();
  for (int i = 0; same && i < view.dimensions(); ++i) {
    same = view.Length(i) == lengths_[static_cast<size_t>(i) + 1] &&
           view.LowerBound(i) == lower_bounds_[static_cast<size_t>(i) + 1];
  }
  if (!same)
    throw SqlError(ErrorCode::kArraySubscriptError, "cannot accumulate arrays of different dimensionality");
  Value value;
  for (ArrayReader reader(view, element.physical); reader.Next(&value);) builder_->Add(value);
  ++lengths_[0];
}

std::string_view NestedArrayBuilder::Finish(Arena& arena, Oid element) const {
  if (!builder_) return ArrayBuilder(element, TypeOf(element).physical).Finish(arena);
  CountElements(lengths_);
  return builder_->Finish(arena, lengths_, lower_bounds_);
}

ArrayCollector::ArrayCollector(Oid type)
    : type_(TypeOf(type)), is_nested_(type_.output == ArrayOut), flat_(type, type_.physical) {}

std::string_view ArrayCollector::Finish(Arena& arena) const {
  return is_nested_ ? nested_.Finish(arena, type_.element) : flat_.Finish(arena);
}

std::string_view AssignArrayElement(std::string_view array, Oid element, std::span<const int32_t> at,
                                    const Value& value, Arena& arena) {
  OpenArray open(array, element);
  if (open.lengths.empty()) {
    open.lengths.assign(at.size(), 1);
    open.lower_bounds.assign(at.begin(), at.end());
    open.values = {value};
    return open.Finish(arena);
  }
  if (open.lengths.size() != at.size()) throw WrongSubscripts();
  if (at.size() == 1) open.Grow(at[0], at[0]);
  size_t position = 0;
  for (size_t i = 0; i < at.size(); ++i) {
    if (at[i] < open.lower_bounds[i] || at[i] >= open.End(i)) throw OutOfRange();
    position =
        position * static_cast<size_t>(open.lengths[i]) + static_cast<size_t>(at[i] - open.lower_bounds[i]);
  }
  open.values[position] = value;
  return open.Finish(arena);
}

std::string_view AssignArraySlice(std::string_view array, Oid element, SliceBounds lower, SliceBounds upper,
                                  std::string_view source, Arena& arena) {
  OpenArray open(array, element);
  Box box = open.lengths.empty() ? BoxOfEmpty(&open, lower, upper) : BoxOf(&open, lower, upper);
  if (open.lengths.size() == 1) open.Grow(box.low[0], box.high[0]);
  uint64_t needed = 1;
  for (size_t i = 0; i < box.low.size(); ++i)
    needed *= static_cast<uint64_t>(int64_t{box.high[i]} - box.low[i] + 1);
  ArrayView view(source);
  if (view.count() < needed) throw SqlError(ErrorCode::kArraySubscriptError, "source array too small");
  ArrayReader reader(view, open.physical);
  FillBox(&open, box.low, box.high, 0, 0, &reader);
  return open.Finish(arena);
}

}  // namespace walden
