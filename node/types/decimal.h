// Decimal: the working form of numeric when it does not fit an int64. Private to numeric*.cpp and its tests.
#pragma once

#include <cstdint>
#include <vector>

#include "node/base/arena.h"
#include "node/types/value.h"

namespace walden {

// value = (negative ? -1 : 1) * sum digits[i] * 10000^(weight - i), shown with `scale` decimals. Digits carry no
// leading or trailing zeros (Normalize); zero has no digits.
struct Decimal {
  bool negative = false;
  int weight = 0;
  int scale = 0;
  std::vector<int16_t> digits;

  static Decimal FromRef(const NumericRef& ref);  // finite only
  static Decimal FromInt(int64_t value);
  static Decimal FromInt128(__int128 scaled, int scale);
  NumericRef ToRef(Arena& arena) const;  // 22003 if it cannot be stored

  bool IsZero() const { return digits.empty(); }
  void Normalize();
  // Position of the leading decimal digit: value is about d.ddd * 10^exponent. 0 for zero.
  int Exponent10() const;
};

inline constexpr int kDecimalBase = 10000;
inline constexpr int kMaxDisplayScale = 1000;

// Those that 64 bits hold.
inline constexpr int64_t kPowers10[19] = {1,
                                          10,
                                          100,
                                          1000,
                                          10000,
                                          100000,
                                          1000000,
                                          10000000,
                                          100000000,
                                          1000000000,
                                          10000000000,
                                          100000000000,
                                          1000000000000,
                                          10000000000000,
                                          100000000000000,
                                          1000000000000000,
                                          10000000000000000,
                                          100000000000000000,
                                          1000000000000000000};
inline constexpr int kMaxDecimalScale = 16383;
inline constexpr int kMinSignificantDigits = 16;

int CompareMagnitude(const Decimal& a, const Decimal& b);
Decimal Add(const Decimal& a, const Decimal& b);
Decimal Subtract(const Decimal& a, const Decimal& b);
// Rounded to `scale` decimals.
Decimal Multiply(const Decimal& a, const Decimal& b, int scale);
Decimal MultiplyExact(const Decimal& a, const Decimal& b);
// `round`: to nearest, else towards zero.
Decimal Divide(const Decimal& a, const Decimal& b, int scale, bool round);
// The scale PostgreSQL gives a quotient.
int QuotientScale(const Decimal& a, const Decimal& b);
void Round(Decimal* value, int scale);     // half away from zero; scale may be negative
void Truncate(Decimal* value, int scale);  // towards zero
double ToDouble(const Decimal& value);

}  // namespace walden
