#include "node/types/element.h"

#include "node/base/bytes.h"

namespace walden {

void AppendElement(PhysicalType type, const Datum& value, std::string* to) {
  auto raw = [to](auto number) { to->append(reinterpret_cast<const char*>(&number), sizeof(number)); };
  if (type == PhysicalType::kString) {
    raw(static_cast<uint32_t>(value.string.size));
    to->append(value.string.data, value.string.size);
  } else if (type == PhysicalType::kNumeric) {
    const NumericRef& numeric = value.numeric;
    raw(static_cast<uint32_t>(4 + (numeric.kind == NumericKind::kBig ? numeric.digits_size : 8)));
    raw(static_cast<uint8_t>(numeric.kind));
    raw(uint8_t{0});
    raw(numeric.scale);
    if (numeric.kind == NumericKind::kBig)
      to->append(numeric.digits, numeric.digits_size);
    else
      raw(numeric.kind == NumericKind::kSmall ? numeric.scaled : int64_t{0});
  } else {
    to->append(reinterpret_cast<const char*>(&value), PhysicalWidth(type));
  }
}

Datum ReadElement(PhysicalType type, const char** at) {
  Datum result{.words = {0, 0}};
  if (type == PhysicalType::kString) {
    auto size = Load<uint32_t>(*at);
    result.string = {*at + 4, size};
    *at += 4 + size;
  } else if (type == PhysicalType::kNumeric) {
    auto size = Load<uint32_t>(*at);
    const char* body = *at + 4;
    NumericRef& numeric = result.numeric;
    numeric.kind = static_cast<NumericKind>(body[0]);
    numeric.scale = Load<int16_t>(body + 2);
    if (numeric.kind == NumericKind::kBig) {
      numeric.digits = body + 4;
      numeric.digits_size = size - 4;
    } else {
      numeric.scaled = Load<int64_t>(body + 4);
    }
    *at = body + size;
  } else {
    std::memcpy(&result, *at, PhysicalWidth(type));
    *at += PhysicalWidth(type);
  }
  return result;
}

void SkipElement(PhysicalType type, const char** at) {
  if (IsByReference(type))
    *at += 4 + Load<uint32_t>(*at);
  else
    *at += PhysicalWidth(type);
}

}  // namespace walden
