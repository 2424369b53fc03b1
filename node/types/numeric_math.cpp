// Roots, exponentials and logarithms of numeric. Results are computed with guard digits and rounded once; how many
// decimals a result shows follows PostgreSQL's rules.
#include <algorithm>
#include <cmath>

#include "node/base/error.h"
#include "node/types/decimal.h"
#include "node/types/numeric.h"

namespace walden {
namespace {

constexpr int kGuardDigits = 12;
constexpr double kLog10E = 0.434294481903252;
constexpr double kLn10 = 2.302585092994046;

int ClampScale(int scale) { return std::clamp(scale, 0, kMaxDisplayScale); }

[[noreturn]] void Overflow() {
  throw SqlError(ErrorCode::kNumericValueOutOfRange, "value overflows numeric format");
}

NumericRef NaN(Arena& arena) { return ParseNumeric("NaN", arena); }
NumericRef Infinity(Arena& arena) { return ParseNumeric("Infinity", arena); }

NumericRef Rounded(Decimal v, int scale, Arena& arena) {
  Round(&v, scale);
  v.scale = scale;
  return v.ToRef(arena);
}

Decimal Half(const Decimal& v, int scale) {
  static const Decimal half = Decimal::FromInt128(5, 1);
  return Multiply(v, half, scale);
}

// A Decimal near `value`.
Decimal Approximately(double value) {
  Arena arena(&ProcessMemory(), 256);
  char text[64];
  int length = std::snprintf(text, sizeof(text), "%.15g", value);
  return Decimal::FromRef(ParseNumeric({text, static_cast<size_t>(length)}, arena));
}

// log10(|v|), also where v is beyond double.
double Log10Of(const Decimal& v) {
  double mantissa = 0;
  size_t count = std::min<size_t>(v.digits.size(), 4);
  for (size_t i = 0; i < count; ++i) mantissa = mantissa * kDecimalBase + v.digits[i];
  return std::log10(mantissa) + 4.0 * (v.weight - static_cast<int>(count) + 1);
}

Decimal SquareRoot(const Decimal& a, int scale) {
  double log = Log10Of(a) / 2;
  double whole = std::floor(log);
  // Start from 15 digits of the root, then Newton doubles the correct digits each time.
  Decimal x = Approximately(std::pow(10.0, log - whole));
  Decimal shift = Decimal::FromInt(1);
  int exponent = static_cast<int>(whole);
  Decimal ten = exponent >= 0 ? Decimal::FromInt(10) : Decimal::FromInt128(1, 1);
  for (int i = 0; i < std::abs(exponent); ++i) shift = MultiplyExact(shift, ten);
  x = MultiplyExact(x, shift);
  int working = std::max(scale + kGuardDigits, kGuardDigits - exponent);
  Round(&x, working);
  int significant = working + std::max(exponent, 0) + 2;
  for (int correct = 12; correct < 2 * significant; correct *= 2) {
    x = Half(Add(x, Divide(a, x, working, true)), working);
  }
  return x;
}

// exp(x) to `scale` decimals beyond the size of the result.
Decimal Exponential(const Decimal& x, int scale) {
  double value = ToDouble(x);
  int result_digits = static_cast<int>(value * kLog10E);  // decimal digits before the point
  // Halve until small, sum the series, square back. Each squaring may lose a bit.
  int halvings = 0;
  double size = std::fabs(value);
  while (size > 0.01) {
    size /= 2;
    ++halvings;
  }
  int working = std::max(scale + std::max(result_digits, 0), scale) + kGuardDigits + halvings / 3 + 4;
  Decimal reduced = x;
  for (int i = 0; i < halvings; ++i) reduced = Half(reduced, working + halvings);
  Decimal sum = Add(Decimal::FromInt(1), reduced);
  Decimal term = reduced;
  for (int n = 2;; ++n) {
    term = Divide(Multiply(term, reduced, working), Decimal::FromInt(n), working, true);
    if (term.IsZero()) break;
    sum = Add(sum, term);
  }
  for (int i = 0; i < halvings; ++i) sum = Multiply(sum, sum, working);
  return sum;
}

// ln(x), x > 0, to about `scale` decimals: roots until near 1, then 2 atanh((x-1)/(x+1)).
Decimal NaturalLog(const Decimal& x, int scale) {
  int working = scale + kGuardDigits;
  Decimal one = Decimal::FromInt(1);
  Decimal reduced = x;
  int roots = 0;
  while (true) {
    double log = Log10Of(reduced) * kLn10;
    if (std::fabs(log) < 0.1) break;
    reduced = SquareRoot(reduced, working + static_cast<int>(std::max(0.0, -Log10Of(reduced))) + 4);
    ++roots;
  }
  int fine = working + roots / 3 + 2;
  Decimal z = Divide(Subtract(reduced, one), Add(reduced, one), fine, true);
  Decimal square = Multiply(z, z, fine);
  Decimal sum = z, power = z;
  for (int n = 3;; n += 2) {
    power = Multiply(power, square, fine);
    Decimal term = Divide(power, Decimal::FromInt(n), fine, true);
    if (term.IsZero()) break;
    sum = Add(sum, term);
  }
  Decimal factor = Decimal::FromInt(2);
  for (int i = 0; i < roots; ++i) factor = Add(factor, factor);
  return Multiply(sum, factor, working);
}

// About log10(|ln(x)|): where the first digit of ln(x) stands.
int LogWeight(const Decimal& x) {
  Decimal one = Decimal::FromInt(1);
  static const Decimal low = Decimal::FromInt128(9, 1), high = Decimal::FromInt128(11, 1);
  if (!x.negative && CompareMagnitude(x, low) >= 0 && CompareMagnitude(x, high) <= 0) {
    Decimal distance = Subtract(x, one);
    if (distance.IsZero()) return 0;
    return distance.weight * 4 + static_cast<int>(std::log10(distance.digits[0]));
  }
  return static_cast<int>(std::log10(std::fabs(Log10Of(x) * kLn10)));
}

void RequireLogDomain(const NumericRef& a) {
  if (NumericSign(a) == 0 && !IsNumericNaN(a)) {
    throw SqlError(ErrorCode::kInvalidArgumentForLog, "cannot take logarithm of zero");
  }
  if (NumericSign(a) < 0) {
    throw SqlError(ErrorCode::kInvalidArgumentForLog, "cannot take logarithm of a negative number");
  }
}

bool IsInteger(const Decimal& v) {
  return v.digits.empty() || static_cast<int>(v.digits.size()) <= v.weight + 1;
}

Decimal IntegerPower(const Decimal& base, int64_t exponent, int scale) {
  auto left = static_cast<uint64_t>(std::llabs(exponent));
  double result_log = base.IsZero() ? 0 : Log10Of(base) * static_cast<double>(exponent);
  if (result_log > 131072 + 1) Overflow();
  if (base.IsZero() || result_log + 1 < -kMaxDisplayScale) return Decimal{};
  if (exponent == 1) return base;
  // Significant digits that every intermediate product keeps.
  int significant = static_cast<int>(std::max(0.0, result_log)) + scale + 10 +
                    static_cast<int>(std::log10(static_cast<double>(left) + 1)) + 8;
  auto multiply = [&](const Decimal& x, const Decimal& y) {
    Decimal product = MultiplyExact(x, y);
    if (!product.IsZero()) {
      int keep = significant - product.Exponent10();
      if (product.weight > 40000) Overflow();
      if (keep < product.scale || static_cast<int>(product.digits.size()) > significant)
        Round(&product, keep);
    }
    return product;
  };
  Decimal result = Decimal::FromInt(1), square = base;
  for (; left != 0; left >>= 1) {
    if ((left & 1) != 0) result = multiply(result, square);
    if (left > 1) square = multiply(square, square);
  }
  if (exponent < 0) result = Divide(Decimal::FromInt(1), result, scale + 2, true);
  return result;
}

}  // namespace

// The root, known to a few digits more than `scale`, rounded to it as the exact root would be.
static Decimal RoundRoot(const Decimal& a, Decimal root, int scale) {
  Round(&root, scale);
  Decimal unit = Decimal::FromInt(1);
  if (scale > 0) {
    for (int i = 0; i < scale; ++i) unit = MultiplyExact(unit, Decimal::FromInt128(1, 1));
  }
  Decimal half = MultiplyExact(unit, Decimal::FromInt128(5, 1));
  Decimal below = Subtract(root, half), above = Add(root, half);
  if (CompareMagnitude(MultiplyExact(below, below), a) > 0) return Subtract(root, unit);
  if (CompareMagnitude(MultiplyExact(above, above), a) <= 0) return Add(root, unit);
  return root;
}

NumericRef NumericSqrt(const NumericRef& a, Arena& arena) {
  if (NumericSign(a) < 0) {
    throw SqlError(ErrorCode::kInvalidArgumentForPowerFunction,
                   "cannot take square root of a negative number");
  }
  if (!IsNumericFinite(a)) return a;
  Decimal v = Decimal::FromRef(a);
  int root_weight = (v.weight + 1) * 2 - 1;
  int scale = ClampScale(std::max(kMinSignificantDigits - root_weight, v.scale));
  return Rounded(v.IsZero() ? v : RoundRoot(v, SquareRoot(v, scale), scale), scale, arena);
}

NumericRef NumericSqrtToScale(const NumericRef& a, int scale, Arena& arena) {
  Decimal v = Decimal::FromRef(a);
  return Rounded(v.IsZero() ? v : RoundRoot(v, SquareRoot(v, scale), scale), scale, arena);
}

NumericRef NumericExp(const NumericRef& a, Arena& arena) {
  if (IsNumericNaN(a)) return a;
  if (!IsNumericFinite(a)) return NumericSign(a) > 0 ? a : NumericFromInt64(0);
  Decimal v = Decimal::FromRef(a);
  double value = ToDouble(v);
  double digits = std::clamp(value * kLog10E, -2000.0, 2000.0);
  int scale = ClampScale(std::max(kMinSignificantDigits - static_cast<int>(digits), v.scale));
  if (std::fabs(value) >= 6000) {
    if (value > 0) Overflow();
    return Rounded(Decimal{}, scale, arena);
  }
  return Rounded(Exponential(v, scale), scale, arena);
}

NumericRef NumericLn(const NumericRef& a, Arena& arena) {
  RequireLogDomain(a);
  if (!IsNumericFinite(a)) return a;
  Decimal v = Decimal::FromRef(a);
  int scale = ClampScale(std::max(kMinSignificantDigits - LogWeight(v), v.scale));
  return Rounded(NaturalLog(v, scale), scale, arena);
}

NumericRef NumericLog(const NumericRef& base, const NumericRef& a, Arena& arena) {
  if (IsNumericNaN(base) || IsNumericNaN(a)) return NaN(arena);
  RequireLogDomain(base);
  RequireLogDomain(a);
  if (!IsNumericFinite(base) || !IsNumericFinite(a)) {
    if (!IsNumericFinite(base)) return IsNumericFinite(a) ? NumericFromInt64(0) : NaN(arena);
    return Infinity(arena);
  }
  Decimal b = Decimal::FromRef(base), v = Decimal::FromRef(a);
  int base_weight = LogWeight(b), weight = LogWeight(v);
  int scale = ClampScale(std::max({kMinSignificantDigits - (weight - base_weight), b.scale, v.scale}));
  int base_scale = scale + weight - base_weight + 8, value_scale = scale + weight + 8;
  Decimal log_base = NaturalLog(b, std::max(base_scale, scale + 8));
  if (log_base.IsZero()) throw SqlError(ErrorCode::kDivisionByZero, "division by zero");
  Decimal log_value = NaturalLog(v, std::max(value_scale, scale + 8));
  Decimal result = Divide(log_value, log_base, scale, true);
  return Rounded(result, scale, arena);
}

namespace {

NumericRef PowerSpecial(const NumericRef& a, const NumericRef& b, Arena& arena) {
  NumericRef one = NumericFromInt64(1), zero = NumericFromInt64(0);
  if (IsNumericNaN(a)) return !IsNumericNaN(b) && IsNumericFinite(b) && NumericSign(b) == 0 ? one : a;
  if (IsNumericNaN(b)) return IsNumericFinite(a) && CompareNumeric(a, one) == 0 ? one : b;
  if (NumericSign(a) == 0 && NumericSign(b) < 0) {
    throw SqlError(ErrorCode::kInvalidArgumentForPowerFunction,
                   "zero raised to a negative power is undefined");
  }
  if (IsNumericFinite(a) && CompareNumeric(a, one) == 0) return one;
  if (IsNumericFinite(b) && NumericSign(b) == 0) return one;
  if (NumericSign(a) == 0) return zero;
  if (!IsNumericFinite(b)) {
    NumericRef magnitude = NumericAbsolute(a, arena);
    if (IsNumericFinite(a) && CompareNumeric(magnitude, one) == 0) return one;
    bool grows = !IsNumericFinite(a) || CompareNumeric(magnitude, one) > 0;
    return grows == (NumericSign(b) > 0) ? Infinity(arena) : zero;
  }
  if (NumericSign(a) > 0) return NumericSign(b) > 0 ? a : zero;
  Decimal exponent = Decimal::FromRef(b);
  if (!IsInteger(exponent)) {
    throw SqlError(ErrorCode::kInvalidArgumentForPowerFunction,
                   "a negative number raised to a non-integer power yields a complex result");
  }
  if (NumericSign(b) < 0) return zero;
  bool odd =
      static_cast<int>(exponent.digits.size()) == exponent.weight + 1 && (exponent.digits.back() & 1) != 0;
  return odd ? a : Infinity(arena);
}

}  // namespace

NumericRef NumericPower(const NumericRef& a, const NumericRef& b, Arena& arena) {
  if (!IsNumericFinite(a) || !IsNumericFinite(b)) return PowerSpecial(a, b, arena);
  if (NumericSign(a) == 0 && NumericSign(b) < 0) {
    throw SqlError(ErrorCode::kInvalidArgumentForPowerFunction,
                   "zero raised to a negative power is undefined");
  }
  Decimal base = Decimal::FromRef(a), exponent = Decimal::FromRef(b);
  bool integer = IsInteger(exponent);
  if (base.negative && !integer) {
    throw SqlError(ErrorCode::kInvalidArgumentForPowerFunction,
                   "a negative number raised to a non-integer power yields a complex result");
  }
  if (integer && exponent.Exponent10() <= 9) {
    int64_t power = NumericToInt64(b);
    if (power >= INT32_MIN && power <= INT32_MAX) {
      int scale = ClampScale(std::max({kMinSignificantDigits, base.scale}));
      if (power == 0) return Rounded(Decimal::FromInt(1), scale, arena);
      return Rounded(IntegerPower(base, power, scale), scale, arena);
    }
  }
  if (base.IsZero()) return Rounded(Decimal{}, kMinSignificantDigits, arena);
  bool negative = base.negative && static_cast<int>(exponent.digits.size()) == exponent.weight + 1 &&
                  (exponent.digits.back() & 1) != 0;
  base.negative = false;
  double result_log = Log10Of(base) * ToDouble(exponent);
  if (std::isnan(result_log)) result_log = 0;  // a base of one, and an exponent beyond doubles
  if (result_log > 131073 || result_log * kLn10 > 3 * 2000 * 10) Overflow();
  int scale = ClampScale(std::max(
      {kMinSignificantDigits - static_cast<int>(std::max(result_log, -2000.0)), base.scale, exponent.scale}));
  if (result_log < -kMaxDisplayScale - 1) return Rounded(Decimal{}, scale, arena);
  int log_scale =
      scale + static_cast<int>(std::max(0.0, result_log)) + std::max(0, exponent.Exponent10()) + 8;
  Decimal product = Multiply(exponent, NaturalLog(base, log_scale), log_scale);
  Decimal result = Exponential(product, scale);
  result.negative = negative && !result.IsZero();
  return Rounded(result, scale, arena);
}

NumericRef NumericFactorial(int64_t n, Arena& arena) {
  if (n < 0)
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "factorial of a negative number is undefined");
  if (n > 32177) Overflow();
  Decimal result = Decimal::FromInt(1);
  for (int64_t i = 2; i <= n; ++i) result = MultiplyExact(result, Decimal::FromInt(i));
  return result.ToRef(arena);
}

NumericRef NumericGcd(const NumericRef& a, const NumericRef& b, Arena& arena) {
  if (!IsNumericFinite(a) || !IsNumericFinite(b)) return NaN(arena);
  NumericRef x = NumericAbsolute(a, arena), y = NumericAbsolute(b, arena);
  int scale = std::max(a.scale, b.scale);
  while (NumericSign(y) != 0) {
    NumericRef rest = NumericModulo(x, y, arena);
    x = y;
    y = rest;
  }
  return NumericRound(x, scale, arena);
}

NumericRef NumericLcm(const NumericRef& a, const NumericRef& b, Arena& arena) {
  if (!IsNumericFinite(a) || !IsNumericFinite(b)) return NaN(arena);
  int scale = std::max(a.scale, b.scale);
  if (NumericSign(a) == 0 || NumericSign(b) == 0) return NumericRound(NumericFromInt64(0), scale, arena);
  NumericRef quotient = NumericDivideTruncate(a, NumericGcd(a, b, arena), arena);
  return NumericRound(NumericAbsolute(NumericMultiply(quotient, b, arena), arena), scale, arena);
}

}  // namespace walden
