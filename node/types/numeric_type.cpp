// The numeric type's row of the type table, with its binary form.
#include <algorithm>

#include "node/base/error.h"
#include "node/types/decimal.h"
#include "node/types/integer.h"
#include "node/types/numeric.h"
#include "node/types/wire.h"

namespace walden {
namespace {

constexpr uint16_t kWireNegative = 0x4000, kWireNaN = 0xC000, kWirePositiveInfinity = 0xD000,
                   kWireNegativeInfinity = 0xF000;

void In(std::string_view text, TypeIo& io, Datum* to) {
  to->numeric = ApplyNumericTypmod(ParseNumeric(text, io.arena), io.typmod, io.arena);
}
void Out(const Datum& v, TypeIo&, std::string* to) { AppendNumeric(to, v.numeric); }

void Receive(std::string_view bytes, TypeIo& io, Datum* to) {
  WireReader reader(bytes);
  uint16_t count = reader.Take<uint16_t>();
  Decimal decimal;
  decimal.weight = reader.TakeInt16();
  uint16_t sign = reader.Take<uint16_t>();
  uint16_t scale = reader.Take<uint16_t>();
  if (sign != 0 && sign != kWireNegative && sign != kWireNaN && sign != kWirePositiveInfinity &&
      sign != kWireNegativeInfinity) {
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid sign in external \"numeric\" value");
  }
  if ((scale & 0x3FFF) != scale) {
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid scale in external \"numeric\" value");
  }
  decimal.scale = scale;
  decimal.negative = sign == kWireNegative;
  for (uint16_t i = 0; i < count; ++i) {
    uint16_t digit = reader.Take<uint16_t>();
    if (digit >= kDecimalBase) {
      throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid digit in external \"numeric\" value");
    }
    decimal.digits.push_back(static_cast<int16_t>(digit));
  }
  if (sign == kWireNaN || sign == kWirePositiveInfinity || sign == kWireNegativeInfinity) {
    to->numeric = ParseNumeric(sign == kWireNaN                ? "NaN"
                               : sign == kWirePositiveInfinity ? "inf"
                                                               : "-inf",
                               io.arena);
  } else {
    decimal.Normalize();
    Truncate(&decimal, scale);
    to->numeric = decimal.ToRef(io.arena);
  }
  to->numeric = ApplyNumericTypmod(to->numeric, io.typmod, io.arena);
}

void Send(const Datum& v, TypeIo&, std::string* to) {
  const NumericRef& numeric = v.numeric;
  Decimal decimal;
  uint16_t sign = 0;
  if (IsNumericFinite(numeric)) {
    decimal = Decimal::FromRef(numeric);
    sign = decimal.negative ? kWireNegative : 0;
  } else {
    sign = IsNumericNaN(numeric)      ? kWireNaN
           : NumericSign(numeric) > 0 ? kWirePositiveInfinity
                                      : kWireNegativeInfinity;
  }
  AppendBig<uint16_t>(to, static_cast<uint16_t>(decimal.digits.size()));
  AppendBig<uint16_t>(to, static_cast<uint16_t>(decimal.weight));
  AppendBig<uint16_t>(to, sign);
  AppendBig<uint16_t>(to, static_cast<uint16_t>(decimal.scale));
  for (int16_t digit : decimal.digits) AppendBig<uint16_t>(to, static_cast<uint16_t>(digit));
}

int Compare(const Datum& a, const Datum& b, const void*) { return CompareNumeric(a.numeric, b.numeric); }
uint64_t Hash(const Datum& v) { return HashNumeric(v.numeric); }

int32_t TypmodIn(std::span<const std::string_view> modifiers) {
  if (modifiers.empty() || modifiers.size() > 2) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid NUMERIC type modifier");
  }
  int32_t precision = ParseInt32(modifiers[0]);
  if (precision < 1 || precision > 1000) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "NUMERIC precision {} must be between 1 and 1000",
                   precision);
  }
  int32_t scale = modifiers.size() == 2 ? ParseInt32(modifiers[1]) : 0;
  if (scale < -1000 || scale > 1000) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "NUMERIC scale {} must be between -1000 and 1000",
                   scale);
  }
  return NumericTypmod(precision, scale);
}
void TypmodOut(int32_t typmod, std::string* to) {
  if (typmod < 4) return;
  *to += fmt::format("({},{})", NumericTypmodPrecision(typmod), NumericTypmodScale(typmod));
}

constexpr TypeDescriptor kTypes[] = {
    {Oid{1700}, "numeric", PhysicalType::kNumeric, -1, 'i', 'b', ',', Oid{0}, Oid{1231}, In, Out, Receive,
     Send, TypmodIn, TypmodOut, Compare, Hash},
};

}  // namespace

std::span<const TypeDescriptor> NumericTypes() { return kTypes; }

}  // namespace walden
