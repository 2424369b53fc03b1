// numeric: exact decimal arithmetic with PostgreSQL 15's result scales and rounding (half away from zero).
//
// A NumericRef (value.h) is kSmall when |value| * 10^scale fits an int64 and scale <= 18; otherwise kBig. kBig bytes
// (little-endian, no alignment): i16 weight, u8 sign (1 = negative), u8 0, then u16 digits in base 10,000, most significant first;
// value = sum digit[i] * 10000^(weight - i); no leading or trailing zero digits. Every function returns this canonical
// choice, so equal values of equal scale have equal representations.
//
// Results that are kBig live in the arena given. Overflow of the format is 22003.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "node/base/arena.h"
#include "node/types/type_table.h"
#include "node/types/value.h"

namespace walden {

inline constexpr int kNumericMaxSmallScale = 18;

NumericRef NumericFromInt64(int64_t value);
NumericRef NumericFromInt128(__int128 scaled, int scale, Arena& arena);
NumericRef NumericFromDouble(double value, Arena& arena);  // 15 significant digits, as the cast from float8
NumericRef NumericFromFloat(float value, Arena& arena);    // 6
NumericRef ParseNumeric(std::string_view text, Arena& arena);  // 22P02
void AppendNumeric(std::string* to, const NumericRef& value);
NumericRef CopyNumeric(const NumericRef& value, Arena& arena);

// Rounded to the nearest integer; 22003 beyond the type, 0A000 for NaN and infinity.
int64_t NumericToInt64(const NumericRef& value);
int32_t NumericToInt32(const NumericRef& value);
int16_t NumericToInt16(const NumericRef& value);
double NumericToDouble(const NumericRef& value);  // 22003 out of range
float NumericToFloat(const NumericRef& value);

int CompareNumeric(const NumericRef& a, const NumericRef& b);
uint64_t HashNumeric(const NumericRef& value);
inline bool IsNumericFinite(const NumericRef& v) { return v.kind <= NumericKind::kBig; }
inline bool IsNumericNaN(const NumericRef& v) { return v.kind == NumericKind::kNaN; }
int NumericSign(const NumericRef& value);  // -1, 0, 1; infinities by their sign; NaN 0

NumericRef NumericAdd(const NumericRef& a, const NumericRef& b, Arena& arena);
NumericRef NumericSubtract(const NumericRef& a, const NumericRef& b, Arena& arena);
NumericRef NumericMultiply(const NumericRef& a, const NumericRef& b, Arena& arena);
NumericRef NumericDivide(const NumericRef& a, const NumericRef& b, Arena& arena);
NumericRef NumericDivideTruncate(const NumericRef& a, const NumericRef& b, Arena& arena);  // div()
NumericRef NumericModulo(const NumericRef& a, const NumericRef& b, Arena& arena);
NumericRef NumericNegate(const NumericRef& a, Arena& arena);
NumericRef NumericAbsolute(const NumericRef& a, Arena& arena);
// Negative scales round left of the point.
NumericRef NumericRound(const NumericRef& a, int scale, Arena& arena);
NumericRef NumericTruncate(const NumericRef& a, int scale, Arena& arena);
NumericRef NumericCeil(const NumericRef& a, Arena& arena);
NumericRef NumericFloor(const NumericRef& a, Arena& arena);
NumericRef NumericTrimScale(const NumericRef& a, Arena& arena);
int NumericMinScale(const NumericRef& a);

// numeric_math.cpp
NumericRef NumericSqrt(const NumericRef& a, Arena& arena);
NumericRef NumericSqrtToScale(const NumericRef& a, int scale, Arena& arena);  // a >= 0 and finite
NumericRef NumericExp(const NumericRef& a, Arena& arena);
NumericRef NumericLn(const NumericRef& a, Arena& arena);
NumericRef NumericLog(const NumericRef& base, const NumericRef& a, Arena& arena);
NumericRef NumericPower(const NumericRef& a, const NumericRef& b, Arena& arena);
NumericRef NumericFactorial(int64_t n, Arena& arena);
NumericRef NumericGcd(const NumericRef& a, const NumericRef& b, Arena& arena);
NumericRef NumericLcm(const NumericRef& a, const NumericRef& b, Arena& arena);

// numeric(precision, scale) packed as PostgreSQL packs it. Applying rounds to the scale and checks the precision (22003).
NumericRef ApplyNumericTypmod(const NumericRef& value, int32_t typmod, Arena& arena);
constexpr int32_t NumericTypmod(int precision, int scale) {
  return ((precision << 16) | (scale & 0x7FF)) + 4;
}
constexpr int NumericTypmodPrecision(int32_t typmod) { return ((typmod - 4) >> 16) & 0xFFFF; }
constexpr int NumericTypmodScale(int32_t typmod) { return (((typmod - 4) & 0x7FF) ^ 1024) - 1024; }

std::span<const TypeDescriptor> NumericTypes();

}  // namespace walden
