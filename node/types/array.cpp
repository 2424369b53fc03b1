#include "node/types/array.h"

#include <cstring>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/types/element.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/wire.h"

namespace walden {

namespace {
constexpr size_t kHeaderBytes = 12;
constexpr uint32_t kHasNulls = 1;
constexpr uint32_t kMaxElements = 134217727;
}  // namespace

ArrayView::ArrayView(std::string_view bytes)
    : header_(bytes.data()),
      dimensions_(Load<int32_t>(bytes.data())),
      element_(Oid{Load<uint32_t>(bytes.data() + 8)}) {
  count_ = dimensions_ == 0 ? 0 : 1;
  for (int i = 0; i < dimensions_; ++i) count_ *= static_cast<uint32_t>(Length(i));
  const char* at = header_ + kHeaderBytes + 8 * dimensions_;
  if ((Load<uint32_t>(header_ + 4) & kHasNulls) != 0) {
    bitmap_ = reinterpret_cast<const uint8_t*>(at);
    at += (count_ + 7) / 8;
  }
  elements_ = at;
}

int32_t ArrayView::Length(int dimension) const {
  return Load<int32_t>(header_ + kHeaderBytes + 8 * dimension);
}
int32_t ArrayView::LowerBound(int dimension) const {
  return Load<int32_t>(header_ + kHeaderBytes + 8 * dimension + 4);
}

Value ArrayView::At(uint32_t index, PhysicalType type) const {
  Value result;
  if (IsNull(index)) return result;
  result.is_null = false;
  const char* at = elements_;
  if (!IsByReference(type)) {
    at += index * PhysicalWidth(type);
  } else {
    for (uint32_t i = 0; i < index; ++i) {
      if (!IsNull(i)) SkipElement(type, &at);
    }
  }
  result.datum = ReadElement(type, &at);
  return result;
}

bool ArrayReader::Next(Value* value) {
  if (index_ >= view_.count()) return false;
  value->is_null = view_.IsNull(index_++);
  if (!value->is_null)
    value->datum = ReadElement(type_, &at_);
  else if (!IsByReference(type_))
    at_ += PhysicalWidth(type_);
  return true;
}

void ArrayBuilder::Add(const Value& value) {
  if (count_ % 8 == 0) bitmap_.push_back(0);
  if (value.is_null) {
    has_nulls_ = true;
    if (!IsByReference(type_)) elements_.append(PhysicalWidth(type_), '\0');
  } else {
    bitmap_.back() = static_cast<char>(bitmap_.back() | (1 << (count_ % 8)));
    AppendElement(type_, value.datum, &elements_);
  }
  ++count_;
}

std::string_view ArrayBuilder::Finish(Arena& arena, int32_t lower_bound) const {
  if (count_ == 0) return Finish(arena, {}, {});
  auto length = static_cast<int32_t>(count_);
  return Finish(arena, {&length, 1}, {&lower_bound, 1});
}

std::string_view ArrayBuilder::Finish(Arena& arena, std::span<const int32_t> lengths,
                                      std::span<const int32_t> lower_bounds) const {
  size_t bitmap_bytes = has_nulls_ ? bitmap_.size() : 0;
  size_t size = kHeaderBytes + 8 * lengths.size() + bitmap_bytes + elements_.size();
  char* to = static_cast<char*>(arena.Allocate(size));
  Store<int32_t>(to, static_cast<int32_t>(lengths.size()));
  Store<uint32_t>(to + 4, has_nulls_ ? kHasNulls : 0);
  Store<uint32_t>(to + 8, OidNumber(element_));
  char* at = to + kHeaderBytes;
  for (size_t i = 0; i < lengths.size(); ++i, at += 8) {
    Store<int32_t>(at, lengths[i]);
    Store<int32_t>(at + 4, lower_bounds[i]);
  }
  std::memcpy(at, bitmap_.data(), bitmap_bytes);
  std::memcpy(at + bitmap_bytes, elements_.data(), elements_.size());
  return {to, size};
}

std::string_view MakeTextArray(std::span<const std::string_view> items, Oid element, Arena& arena) {
  ArrayBuilder builder(element, PhysicalType::kString);
  for (std::string_view item : items) builder.Add(Value{StringDatum(item), false});
  return builder.Finish(arena);
}

namespace {
std::string_view MakeOids(std::span<const Oid> items, int32_t lower_bound, Arena& arena) {
  ArrayBuilder builder(type_oid::kOid, PhysicalType::kInt32);
  for (Oid item : items) builder.Add(Value{Datum{.i32 = static_cast<int32_t>(OidNumber(item))}, false});
  if (lower_bound == 0 && items.empty()) {
    int32_t zero = 0;
    return builder.Finish(arena, {&zero, 1}, {&zero, 1});
  }
  return builder.Finish(arena, lower_bound);
}
}  // namespace

std::string_view MakeOidVector(std::span<const Oid> items, Arena& arena) { return MakeOids(items, 0, arena); }
std::string_view MakeOidArray(std::span<const Oid> items, Arena& arena) { return MakeOids(items, 1, arena); }
std::string_view MakeInt2Vector(std::span<const int16_t> items, Arena& arena) {
  ArrayBuilder builder(type_oid::kInt2, PhysicalType::kInt16);
  for (int16_t item : items) builder.Add(Value{Datum{.i16 = item}, false});
  auto length = static_cast<int32_t>(items.size());
  int32_t zero = 0;
  return builder.Finish(arena, {&length, 1}, {&zero, 1});
}

uint32_t CountElements(std::span<const int32_t> lengths) {
  uint64_t count = lengths.empty() ? 0 : 1;
  for (int32_t length : lengths) {
    if (length < 0)
      throw SqlError(ErrorCode::kProgramLimitExceeded, "array size exceeds the maximum allowed ({})",
                     kMaxElements);
    count *= static_cast<uint64_t>(length);
    if (count > kMaxElements) {
      throw SqlError(ErrorCode::kProgramLimitExceeded, "array size exceeds the maximum allowed ({})",
                     kMaxElements);
    }
  }
  return static_cast<uint32_t>(count);
}

int CompareArrays(std::string_view a, std::string_view b) {
  ArrayView left(a), right(b);
  if (left.element_type() != right.element_type()) {
    throw SqlError(ErrorCode::kDatatypeMismatch, "cannot compare arrays of different element types");
  }
  const TypeDescriptor& element = TypeOf(left.element_type());
  if (element.compare == nullptr) {
    throw SqlError(ErrorCode::kUndefinedFunction, "could not identify a comparison function for type {}",
                   element.name);
  }
  ArrayReader from_left(left, element.physical), from_right(right, element.physical);
  Value x, y;
  while (true) {
    bool more_left = from_left.Next(&x), more_right = from_right.Next(&y);
    if (!more_left || !more_right) break;
    if (x.is_null || y.is_null) {
      if (x.is_null && y.is_null) continue;
      return x.is_null ? 1 : -1;
    }
    int order = element.compare(x.datum, y.datum, nullptr);
    if (order != 0) return order;
  }
  auto order = [](auto p, auto q) { return p < q ? -1 : p > q ? 1 : 0; };
  if (int by = order(left.count(), right.count())) return by;
  if (int by = order(left.dimensions(), right.dimensions())) return by;
  for (int i = 0; i < left.dimensions(); ++i) {
    if (int by = order(left.Length(i), right.Length(i))) return by;
    if (int by = order(left.LowerBound(i), right.LowerBound(i))) return by;
  }
  return 0;
}

bool ArraysEqual(std::string_view a, std::string_view b) {
  if (a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  ArrayView left(a), right(b);
  if (left.dimensions() != right.dimensions() || left.count() != right.count()) {
    if (left.element_type() == right.element_type()) return false;
  }
  return CompareArrays(a, b) == 0;
}

uint64_t HashArray(std::string_view array) {
  ArrayView view(array);
  const TypeDescriptor& element = TypeOf(view.element_type());
  if (element.hash == nullptr) {
    throw SqlError(ErrorCode::kUndefinedFunction, "could not identify a hash function for type {}",
                   element.name);
  }
  uint64_t hash = 1;
  Value value;
  for (ArrayReader reader(view, element.physical); reader.Next(&value);) {
    hash = HashCombine(hash, value.is_null ? 0 : element.hash(value.datum));
  }
  return hash;
}

// --- Descriptors -----------------------------------------------------------------------------------------------

namespace {

int ArrayCompare(const Datum& a, const Datum& b, const void*) {
  return CompareArrays(a.string.view(), b.string.view());
}
uint64_t ArrayHash(const Datum& v) { return HashArray(v.string.view()); }

// "1 2 3": how oidvector and int2vector print.
void VectorIn(std::string_view text, TypeIo& io, Datum* result) {
  bool is_oid = io.type->element == type_oid::kOid;
  ArrayBuilder builder(io.type->element, is_oid ? PhysicalType::kInt32 : PhysicalType::kInt16);
  std::string_view rest = TrimSpace(text);
  while (!rest.empty()) {
    size_t end = 0;
    while (end < rest.size() && !IsSpace(rest[end])) ++end;
    Value item{Datum{.words = {0, 0}}, false};
    if (is_oid)
      item.datum.i32 = static_cast<int32_t>(ParseUint32(rest.substr(0, end), "oid"));
    else
      item.datum.i16 = ParseInt16(rest.substr(0, end));
    builder.Add(item);
    rest = TrimSpace(rest.substr(end));
  }
  auto length = static_cast<int32_t>(builder.count());
  int32_t zero = 0;
  std::string_view stored = builder.Finish(io.arena, {&length, 1}, {&zero, 1});
  result->string = {stored.data(), stored.size()};
}

void VectorOut(const Datum& value, TypeIo&, std::string* to) {
  ArrayView view(value.string.view());
  bool is_oid = view.element_type() == type_oid::kOid;
  Value item;
  bool first = true;
  for (ArrayReader reader(view, is_oid ? PhysicalType::kInt32 : PhysicalType::kInt16); reader.Next(&item);) {
    if (!first) to->push_back(' ');
    first = false;
    if (is_oid)
      AppendUint(to, static_cast<uint32_t>(item.datum.i32));
    else
      AppendInt(to, item.datum.i16);
  }
}

constexpr TypeDescriptor kVectors[] = {
    {Oid{22}, "int2vector", PhysicalType::kString, -1, 'i', 'b', ',', Oid{21}, Oid{1006}, VectorIn, VectorOut,
     ArrayReceive, ArraySend, nullptr, nullptr, ArrayCompare, ArrayHash},
    {Oid{30}, "oidvector", PhysicalType::kString, -1, 'i', 'b', ',', Oid{26}, Oid{1013}, VectorIn, VectorOut,
     ArrayReceive, ArraySend, nullptr, nullptr, ArrayCompare, ArrayHash},
};

}  // namespace

std::span<const TypeDescriptor> VectorTypes() { return kVectors; }

TypeDescriptor ArrayTypeOver(const TypeDescriptor& element, std::string_view name) {
  return {element.array,
          name,
          PhysicalType::kString,
          -1,
          element.align == 'd' ? 'd' : 'i',
          'b',
          element.delimiter,
          element.oid,
          Oid::kInvalid,
          ArrayIn,
          ArrayOut,
          element.receive == nullptr ? nullptr : ArrayReceive,
          element.send == nullptr ? nullptr : ArraySend,
          element.typmod_in,
          element.typmod_out,
          element.compare == nullptr ? nullptr : ArrayCompare,
          element.hash == nullptr ? nullptr : ArrayHash};
}

}  // namespace walden
