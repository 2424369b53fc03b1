#include "node/vector/vector.h"

#include <cstdlib>

#include "node/base/bytes.h"
#include "node/base/error.h"

namespace walden {

void Vector::FreeDeleter::operator()(void* memory) const { std::free(memory); }

void Vector::Reset(PhysicalType type, uint32_t capacity) {
  is_constant_ = false;
  has_nulls_ = false;
  if (capacity == 0) capacity = 1;
  if (type == type_ && capacity <= capacity_) return;
  size_t bytes = AlignUp(capacity * PhysicalWidth(type), 64);
  void* memory = std::aligned_alloc(64, bytes);
  if (memory == nullptr) throw SqlError(ErrorCode::kOutOfMemory, "out of memory");
  std::memset(memory, 0, bytes);
  data_.reset(static_cast<std::byte*>(memory));
  validity_ = std::make_unique<uint64_t[]>(ValidityWords(capacity));
  type_ = type;
  capacity_ = capacity;
}

Datum LoadDatum(PhysicalType type, const void* data, uint32_t index) {
  Datum datum{.words = {0, 0}};
  size_t width = PhysicalWidth(type);
  const char* from = static_cast<const char*>(data) + index * width;
  switch (width) {
    case 1: std::memcpy(&datum, from, 1); break;
    case 2: std::memcpy(&datum, from, 2); break;
    case 4: std::memcpy(&datum, from, 4); break;
    case 8: std::memcpy(&datum, from, 8); break;
    default: std::memcpy(&datum, from, 16); break;
  }
  return datum;
}

void StoreDatum(PhysicalType type, void* data, uint32_t index, const Datum& datum) {
  size_t width = PhysicalWidth(type);
  char* to = static_cast<char*>(data) + index * width;
  switch (width) {
    case 1: std::memcpy(to, &datum, 1); break;
    case 2: std::memcpy(to, &datum, 2); break;
    case 4: std::memcpy(to, &datum, 4); break;
    case 8: std::memcpy(to, &datum, 8); break;
    default: std::memcpy(to, &datum, 16); break;
  }
}

Datum CopyDatum(PhysicalType type, const Datum& datum, Arena* arena) {
  Datum copy = datum;
  const char* from = nullptr;
  size_t size = 0;
  if (type == PhysicalType::kString) {
    from = datum.string.data;
    size = datum.string.size;
  } else if (type == PhysicalType::kNumeric && datum.numeric.kind == NumericKind::kBig) {
    from = datum.numeric.digits;
    size = datum.numeric.digits_size;
  } else {
    return copy;
  }
  // Numeric digits and array bodies are read as aligned words: keep the copy aligned for them.
  char* to = static_cast<char*>(arena->Allocate(size, 8));
  if (size > 0) std::memcpy(to, from, size);
  if (type == PhysicalType::kString) {
    copy.string.data = to;
  } else {
    copy.numeric.digits = to;
  }
  return copy;
}

Value Vector::Get(uint32_t row) const {
  uint32_t index = Index(row);
  Value value;
  value.is_null = IsNullAt(index);
  if (!value.is_null) value.datum = LoadDatum(type_, data_.get(), index);
  return value;
}

void Vector::Set(uint32_t index, const Value& value) {
  if (value.is_null) {
    SetNull(index);
    return;
  }
  SetValid(index);
  StoreDatum(type_, data_.get(), index, value.datum);
}

void Vector::SetConstantValue(PhysicalType type, const Value& value) {
  Reset(type, 1);
  Set(0, value);
  is_constant_ = true;
}

void Vector::CopyRows(const Vector& from, const Selection& selection) {
  DCHECK(PhysicalWidth(from.type_) == PhysicalWidth(type_));
  size_t width = PhysicalWidth(type_);
  selection.ForEach([&](uint32_t row) {
    uint32_t source = from.Index(row);
    if (from.IsNullAt(source)) {
      SetNull(row);
    } else {
      SetValid(row);
      std::memcpy(data_.get() + row * width, from.data_.get() + source * width, width);
    }
  });
}

}  // namespace walden
