#include "node/types/numeric.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/types/decimal.h"
#include "node/types/hash.h"
#include "node/types/integer.h"

namespace walden {
namespace {

using Int128 = __int128;

NumericRef Small(int64_t scaled, int scale) {
  NumericRef ref;
  std::memset(&ref, 0, sizeof(ref));
  ref.kind = NumericKind::kSmall;
  ref.scaled = scaled;
  ref.scale = static_cast<int16_t>(scale);
  return ref;
}
NumericRef Special(NumericKind kind) {
  NumericRef ref = Small(0, 0);
  ref.kind = kind;
  return ref;
}

bool FitsInt64(Int128 v) {
  return v >= -Int128{std::numeric_limits<int64_t>::max()} && v <= std::numeric_limits<int64_t>::max();
}

bool BothSmall(const NumericRef& a, const NumericRef& b) {
  return a.kind == NumericKind::kSmall && b.kind == NumericKind::kSmall;
}
bool BothFinite(const NumericRef& a, const NumericRef& b) { return IsNumericFinite(a) && IsNumericFinite(b); }

// Rank for comparison of values of which one is not finite.
int SpecialRank(const NumericRef& v) {
  switch (v.kind) {
    case NumericKind::kNegativeInfinity: return 0;
    case NumericKind::kPositiveInfinity: return 2;
    case NumericKind::kNaN: return 3;
    default: return 1;
  }
}

}  // namespace

NumericRef NumericFromInt64(int64_t value) {
  if (value == std::numeric_limits<int64_t>::min()) {
    static const char kDigits[] = {4,      0,      1,      0,      /* 922 3372 0368 5477 5808 */ '\x9A',
                                   '\x03', '\x2C', '\x0D', '\x70', '\x01',
                                   '\x65', '\x15', '\xB0', '\x16'};
    NumericRef ref = Small(0, 0);
    ref.kind = NumericKind::kBig;
    ref.digits = kDigits;
    ref.digits_size = sizeof(kDigits);
    return ref;
  }
  return Small(value, 0);
}

NumericRef NumericFromInt128(Int128 scaled, int scale, Arena& arena) {
  if (scale <= kNumericMaxSmallScale && FitsInt64(scaled)) return Small(static_cast<int64_t>(scaled), scale);
  return Decimal::FromInt128(scaled, scale).ToRef(arena);
}

namespace {

NumericRef FromFloating(double value, int digits, Arena& arena) {
  if (std::isnan(value)) return Special(NumericKind::kNaN);
  if (std::isinf(value))
    return Special(value < 0 ? NumericKind::kNegativeInfinity : NumericKind::kPositiveInfinity);
  char buffer[64];
  int length = std::snprintf(buffer, sizeof(buffer), "%.*g", digits, value);
  return ParseNumeric({buffer, static_cast<size_t>(length)}, arena);
}

}  // namespace

NumericRef NumericFromDouble(double value, Arena& arena) { return FromFloating(value, 15, arena); }
NumericRef NumericFromFloat(float value, Arena& arena) {
  return FromFloating(static_cast<double>(value), 6, arena);
}

namespace {

bool EqualsWord(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 32) != lower[i]) return false;
  }
  return true;
}

// The digits of a literal without sign: mantissa, point position, exponent.
struct Literal {
  std::string digits;
  int scale = 0;  // digits behind the point as written
  int exponent = 0;
};

bool ParseLiteral(std::string_view text, Literal* to) {
  size_t at = 0;
  bool any = false, point = false;
  for (; at < text.size(); ++at) {
    char c = text[at];
    if (c >= '0' && c <= '9') {
      any = true;
      to->digits.push_back(c);
      to->scale += point;
    } else if (c == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (!any) return false;
  if (at < text.size() && (text[at] | 32) == 'e') {
    ++at;
    if (at < text.size() && text[at] == '+') {
      ++at;
      if (at < text.size() && text[at] == '-') return false;
    }
    auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), to->exponent);
    if (error == std::errc::invalid_argument || end != text.data() + text.size()) return false;
    if (error == std::errc::result_out_of_range ||
        std::abs(to->exponent) >= std::numeric_limits<int>::max() / 2) {
      to->exponent = std::numeric_limits<int>::max();
    }
    return true;
  }
  return at == text.size();
}

Decimal FromLiteral(const Literal& literal, bool negative) {
  Decimal result;
  result.negative = negative;
  result.scale = std::max(0, literal.scale - literal.exponent);
  // value = digits * 10^(exponent - scale): pad so that words align with the point.
  int power = literal.exponent - literal.scale;
  int padding = ((power % 4) + 4) % 4;
  std::string digits = literal.digits + std::string(static_cast<size_t>(padding), '0');
  int last_weight = (power - padding) / 4;
  digits.insert(0, (4 - digits.size() % 4) % 4, '0');
  for (size_t i = 0; i < digits.size(); i += 4) {
    result.digits.push_back(static_cast<int16_t>((digits[i] - '0') * 1000 + (digits[i + 1] - '0') * 100 +
                                                 (digits[i + 2] - '0') * 10 + (digits[i + 3] - '0')));
  }
  result.weight = last_weight + static_cast<int>(result.digits.size()) - 1;
  result.Normalize();
  return result;
}

}  // namespace

NumericRef ParseNumeric(std::string_view text, Arena& arena) {
  std::string_view word = TrimSpace(text);
  if (EqualsWord(word, "nan")) return Special(NumericKind::kNaN);
  bool negative = !word.empty() && word[0] == '-';
  std::string_view body = !word.empty() && (word[0] == '-' || word[0] == '+') ? word.substr(1) : word;
  if (EqualsWord(body, "inf") || EqualsWord(body, "infinity")) {
    return Special(negative ? NumericKind::kNegativeInfinity : NumericKind::kPositiveInfinity);
  }
  Literal literal;
  if (!ParseLiteral(body, &literal)) ThrowInvalidSyntax("numeric", text);
  if (literal.exponent == std::numeric_limits<int>::max()) {
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "value overflows numeric format");
  }
  if (literal.exponent == 0 && literal.digits.size() <= 18 && literal.scale <= kNumericMaxSmallScale) {
    int64_t scaled = 0;
    for (char c : literal.digits) scaled = scaled * 10 + (c - '0');
    return Small(negative ? -scaled : scaled, literal.scale);
  }
  return FromLiteral(literal, negative).ToRef(arena);
}

namespace {

void AppendDecimal(std::string* to, const Decimal& v) {
  if (v.negative) to->push_back('-');
  auto word_at = [&](int w) {
    int index = v.weight - w;
    return index >= 0 && index < static_cast<int>(v.digits.size()) ? v.digits[static_cast<size_t>(index)]
                                                                   : int16_t{0};
  };
  std::string digits;
  for (int w = v.weight; w >= 0; --w) digits += fmt::format("{:04}", word_at(w));
  size_t lead = digits.find_first_not_of('0');
  to->append(lead == std::string::npos ? "0" : digits.substr(lead));
  if (v.scale <= 0) return;
  to->push_back('.');
  digits.clear();
  for (int w = -1; static_cast<int>(digits.size()) < v.scale; --w) digits += fmt::format("{:04}", word_at(w));
  to->append(digits, 0, static_cast<size_t>(v.scale));
}

void AppendSmall(std::string* to, int64_t scaled, int scale) {
  char buffer[32];
  uint64_t magnitude =
      scaled < 0 ? uint64_t{0} - static_cast<uint64_t>(scaled) : static_cast<uint64_t>(scaled);
  if (scaled < 0) to->push_back('-');
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), magnitude).ptr;
  auto length = static_cast<int>(end - buffer);
  if (scale == 0) {
    to->append(buffer, end);
  } else if (length > scale) {
    to->append(buffer, static_cast<size_t>(length - scale));
    to->push_back('.');
    to->append(end - scale, static_cast<size_t>(scale));
  } else {
    to->append("0.");
    to->append(static_cast<size_t>(scale - length), '0');
    to->append(buffer, end);
  }
}

}  // namespace

void AppendNumeric(std::string* to, const NumericRef& v) {
  switch (v.kind) {
    case NumericKind::kSmall: return AppendSmall(to, v.scaled, v.scale);
    case NumericKind::kBig: return AppendDecimal(to, Decimal::FromRef(v));
    case NumericKind::kNaN: to->append("NaN"); return;
    case NumericKind::kPositiveInfinity: to->append("Infinity"); return;
    case NumericKind::kNegativeInfinity: to->append("-Infinity"); return;
  }
}

NumericRef CopyNumeric(const NumericRef& v, Arena& arena) {
  NumericRef result = v;
  if (v.kind == NumericKind::kBig) {
    char* to = static_cast<char*>(arena.Allocate(v.digits_size, 2));
    std::memcpy(to, v.digits, v.digits_size);
    result.digits = to;
  }
  return result;
}

// --- Conversions out -------------------------------------------------------------------------------------------

namespace {

template <class T>
T ToInteger(const NumericRef& v, std::string_view type_name) {
  if (!IsNumericFinite(v)) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot convert {} to {}",
                   IsNumericNaN(v) ? "NaN" : "infinity", type_name);
  }
  Int128 value = 0;
  bool fits = true;
  if (v.kind == NumericKind::kSmall) {
    int64_t power = kPowers10[v.scale];
    int64_t whole = v.scaled / power, rest = v.scaled % power;
    if (v.scale > 0 && std::abs(rest) >= power - std::abs(rest)) whole += v.scaled < 0 ? -1 : 1;
    value = whole;
  } else {
    Decimal decimal = Decimal::FromRef(v);
    Round(&decimal, 0);
    fits = decimal.Exponent10() <= 20;
    if (fits) {
      for (int w = decimal.weight; w >= 0; --w) {
        auto index = static_cast<size_t>(decimal.weight - w);
        value = value * kDecimalBase + (index < decimal.digits.size() ? decimal.digits[index] : 0);
      }
      if (decimal.negative) value = -value;
    }
  }
  if (!fits || value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "{} out of range", type_name);
  }
  return static_cast<T>(value);
}

}  // namespace

int64_t NumericToInt64(const NumericRef& v) { return ToInteger<int64_t>(v, "bigint"); }
int32_t NumericToInt32(const NumericRef& v) { return ToInteger<int32_t>(v, "integer"); }
int16_t NumericToInt16(const NumericRef& v) { return ToInteger<int16_t>(v, "smallint"); }

namespace {

template <class T>
T ToFloating(const NumericRef& v, std::string_view type_name) {
  switch (v.kind) {
    case NumericKind::kNaN: return std::numeric_limits<T>::quiet_NaN();
    case NumericKind::kPositiveInfinity: return std::numeric_limits<T>::infinity();
    case NumericKind::kNegativeInfinity: return -std::numeric_limits<T>::infinity();
    default: break;
  }
  if (v.kind == NumericKind::kSmall && std::abs(v.scaled) < (int64_t{1} << 53) && v.scale <= 15 &&
      sizeof(T) == 8) {
    return static_cast<T>(static_cast<double>(v.scaled) / static_cast<double>(kPowers10[v.scale]));
  }
  std::string text;
  AppendNumeric(&text, v);
  T value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "\"{}\" is out of range for type {}", text, type_name);
  }
  return value;
}

}  // namespace

double NumericToDouble(const NumericRef& v) { return ToFloating<double>(v, "double precision"); }
float NumericToFloat(const NumericRef& v) { return ToFloating<float>(v, "real"); }

// --- Comparison ------------------------------------------------------------------------------------------------

int NumericSign(const NumericRef& v) {
  switch (v.kind) {
    case NumericKind::kSmall: return v.scaled < 0 ? -1 : v.scaled > 0 ? 1 : 0;
    case NumericKind::kBig: return v.digits_size == 4 ? 0 : v.digits[2] != 0 ? -1 : 1;
    case NumericKind::kPositiveInfinity: return 1;
    case NumericKind::kNegativeInfinity: return -1;
    case NumericKind::kNaN: return 0;
  }
  return 0;
}

int CompareNumeric(const NumericRef& a, const NumericRef& b) {
  auto order = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (BothSmall(a, b)) {
    if (a.scale == b.scale) return order(a.scaled, b.scaled);
    return a.scale < b.scale ? order(Int128{a.scaled} * kPowers10[b.scale - a.scale], Int128{b.scaled})
                             : order(Int128{a.scaled}, Int128{b.scaled} * kPowers10[a.scale - b.scale]);
  }
  if (!BothFinite(a, b)) return order(SpecialRank(a), SpecialRank(b));
  Decimal x = Decimal::FromRef(a), y = Decimal::FromRef(b);
  if (x.negative != y.negative) return x.negative ? -1 : 1;
  int magnitude = CompareMagnitude(x, y);
  return x.negative ? -magnitude : magnitude;
}

uint64_t HashNumeric(const NumericRef& v) {
  if (v.kind == NumericKind::kSmall) {
    int64_t scaled = v.scaled;
    int scale = v.scale;
    if (scaled == 0) return HashInteger(0);
    while (scale > 0 && scaled % 10 == 0) {
      scaled /= 10;
      --scale;
    }
    // An integer hashes as the kBig form of the same value would.
    return HashCombine(HashInteger(static_cast<uint64_t>(scaled)), static_cast<uint64_t>(scale));
  }
  if (v.kind != NumericKind::kBig) return HashInteger(0x1000 + static_cast<uint64_t>(v.kind));
  Arena arena(&ProcessMemory(), 256);
  NumericRef trimmed = NumericTrimScale(v, arena);
  if (trimmed.kind == NumericKind::kSmall) return HashNumeric(trimmed);
  return HashBytes({trimmed.digits, trimmed.digits_size});
}

// --- Arithmetic ------------------------------------------------------------------------------------------------

namespace {

NumericRef AddSpecial(const NumericRef& a, const NumericRef& b, bool negate_b) {
  if (IsNumericNaN(a) || IsNumericNaN(b)) return Special(NumericKind::kNaN);
  int sign_a = IsNumericFinite(a) ? 0 : NumericSign(a);
  int sign_b = IsNumericFinite(b) ? 0 : NumericSign(b) * (negate_b ? -1 : 1);
  if (sign_a != 0 && sign_b != 0 && sign_a != sign_b) return Special(NumericKind::kNaN);
  int sign = sign_a != 0 ? sign_a : sign_b;
  return Special(sign < 0 ? NumericKind::kNegativeInfinity : NumericKind::kPositiveInfinity);
}

NumericRef Sum(const NumericRef& a, const NumericRef& b, bool negate_b, Arena& arena) {
  if (BothSmall(a, b)) {
    Int128 x = a.scaled, y = negate_b ? -Int128{b.scaled} : Int128{b.scaled};
    int scale = std::max(a.scale, b.scale);
    x *= kPowers10[scale - a.scale];
    y *= kPowers10[scale - b.scale];
    return NumericFromInt128(x + y, scale, arena);
  }
  if (!BothFinite(a, b)) return AddSpecial(a, b, negate_b);
  Decimal x = Decimal::FromRef(a), y = Decimal::FromRef(b);
  return (negate_b ? Subtract(x, y) : Add(x, y)).ToRef(arena);
}

[[noreturn]] void DivisionByZero() { throw SqlError(ErrorCode::kDivisionByZero, "division by zero"); }

NumericRef SignedInfinity(int sign) {
  return sign == 0 ? Special(NumericKind::kNaN)
                   : Special(sign < 0 ? NumericKind::kNegativeInfinity : NumericKind::kPositiveInfinity);
}

NumericRef DivideSpecial(const NumericRef& a, const NumericRef& b) {
  if (IsNumericNaN(a) || IsNumericNaN(b)) return Special(NumericKind::kNaN);
  if (!IsNumericFinite(a)) {
    if (!IsNumericFinite(b)) return Special(NumericKind::kNaN);
    if (NumericSign(b) == 0) DivisionByZero();
    return SignedInfinity(NumericSign(a) * NumericSign(b));
  }
  return Small(0, 0);
}

}  // namespace

NumericRef NumericAdd(const NumericRef& a, const NumericRef& b, Arena& arena) {
  return Sum(a, b, false, arena);
}
NumericRef NumericSubtract(const NumericRef& a, const NumericRef& b, Arena& arena) {
  return Sum(a, b, true, arena);
}

NumericRef NumericMultiply(const NumericRef& a, const NumericRef& b, Arena& arena) {
  if (BothSmall(a, b)) return NumericFromInt128(Int128{a.scaled} * b.scaled, a.scale + b.scale, arena);
  if (!BothFinite(a, b)) {
    if (IsNumericNaN(a) || IsNumericNaN(b)) return Special(NumericKind::kNaN);
    return SignedInfinity(NumericSign(a) * NumericSign(b));
  }
  Decimal result = MultiplyExact(Decimal::FromRef(a), Decimal::FromRef(b));
  if (result.scale > kMaxDecimalScale) Round(&result, kMaxDecimalScale);
  return result.ToRef(arena);
}

namespace {

// Weight in base 10,000 and leading digit of a nonzero small value.
struct Leading {
  int weight;
  int digit;
};
Leading LeadingDigit(const NumericRef& v) {
  if (v.scaled == 0) return {0, 0};
  uint64_t magnitude = static_cast<uint64_t>(v.scaled < 0 ? -v.scaled : v.scaled);
  int digits = 1;
  while (digits < 19 && magnitude >= static_cast<uint64_t>(kPowers10[digits])) ++digits;
  int exponent = digits - 1 - v.scale;
  int weight = exponent >= 0 ? exponent / 4 : -((3 - exponent) / 4);
  int shift = v.scale + 4 * weight;  // digit = magnitude / 10^shift
  if (shift >= 0) return {weight, static_cast<int>(magnitude / static_cast<uint64_t>(kPowers10[shift]))};
  return {weight, static_cast<int>(magnitude * static_cast<uint64_t>(kPowers10[-shift]))};
}

// The quotient of small values when the scaled dividend fits 128 bits.
bool DivideSmall(const NumericRef& a, const NumericRef& b, Arena& arena, NumericRef* result) {
  Leading la = LeadingDigit(a), lb = LeadingDigit(b);
  int weight = la.weight - lb.weight - (la.digit <= lb.digit ? 1 : 0);
  int scale = std::min(std::max({kMinSignificantDigits - weight * 4, int{a.scale}, int{b.scale}, 0}),
                       kMaxDisplayScale);
  int shift = scale + b.scale - a.scale;
  if (shift < 0 || shift > 36) return false;
  Int128 numerator = a.scaled;
  for (int left = shift; left > 0;) {
    int step = std::min(left, 18);
    Int128 next;
    if (__builtin_mul_overflow(numerator, Int128{kPowers10[step]}, &next)) return false;
    numerator = next;
    left -= step;
  }
  Int128 quotient = numerator / b.scaled;
  Int128 rest = numerator % b.scaled;
  Int128 magnitude_rest = rest < 0 ? -rest : rest;
  Int128 magnitude_divisor = b.scaled < 0 ? -Int128{b.scaled} : Int128{b.scaled};
  if (magnitude_rest >= magnitude_divisor - magnitude_rest)
    quotient += (a.scaled < 0) != (b.scaled < 0) ? -1 : 1;
  *result = NumericFromInt128(quotient, scale, arena);
  return true;
}

}  // namespace

NumericRef NumericDivide(const NumericRef& a, const NumericRef& b, Arena& arena) {
  if (!BothFinite(a, b)) return DivideSpecial(a, b);
  if (NumericSign(b) == 0) DivisionByZero();
  NumericRef result;
  if (BothSmall(a, b) && DivideSmall(a, b, arena, &result)) return result;
  Decimal x = Decimal::FromRef(a), y = Decimal::FromRef(b);
  return Divide(x, y, QuotientScale(x, y), true).ToRef(arena);
}

NumericRef NumericDivideTruncate(const NumericRef& a, const NumericRef& b, Arena& arena) {
  if (!BothFinite(a, b)) return DivideSpecial(a, b);
  if (NumericSign(b) == 0) DivisionByZero();
  return Divide(Decimal::FromRef(a), Decimal::FromRef(b), 0, false).ToRef(arena);
}

NumericRef NumericModulo(const NumericRef& a, const NumericRef& b, Arena& arena) {
  if (!BothFinite(a, b)) {
    if (IsNumericNaN(a) || IsNumericNaN(b)) return Special(NumericKind::kNaN);
    if (!IsNumericFinite(a)) {
      if (NumericSign(b) == 0) DivisionByZero();
      return Special(NumericKind::kNaN);
    }
    return a;
  }
  if (NumericSign(b) == 0) DivisionByZero();
  int scale = std::max(a.scale, b.scale);
  if (BothSmall(a, b)) {
    Int128 x = Int128{a.scaled} * kPowers10[scale - a.scale],
           y = Int128{b.scaled} * kPowers10[scale - b.scale];
    return NumericFromInt128(x % y, scale, arena);
  }
  Decimal x = Decimal::FromRef(a), y = Decimal::FromRef(b);
  Decimal result = Subtract(x, MultiplyExact(Divide(x, y, 0, false), y));
  result.scale = scale;
  return result.ToRef(arena);
}

NumericRef NumericNegate(const NumericRef& a, Arena& arena) {
  switch (a.kind) {
    case NumericKind::kSmall: return Small(-a.scaled, a.scale);
    case NumericKind::kBig: {
      NumericRef result = CopyNumeric(a, arena);
      auto sign = const_cast<char*>(result.digits) + 2;
      if (result.digits_size > 4) *sign = *sign == 0;
      return result;
    }
    case NumericKind::kPositiveInfinity: return Special(NumericKind::kNegativeInfinity);
    case NumericKind::kNegativeInfinity: return Special(NumericKind::kPositiveInfinity);
    case NumericKind::kNaN: return a;
  }
  return a;
}

NumericRef NumericAbsolute(const NumericRef& a, Arena& arena) {
  return NumericSign(a) < 0 ? NumericNegate(a, arena) : a;
}

// --- Rounding --------------------------------------------------------------------------------------------------

namespace {

constexpr int kMostDigitsBeforePoint = 131072;

NumericRef ToScale(const NumericRef& a, int scale, bool round, Arena& arena) {
  if (!IsNumericFinite(a)) return a;
  // Beyond these nothing changes any more.
  scale = std::clamp(scale, -kMostDigitsBeforePoint - 1, kMaxDecimalScale);
  if (a.kind == NumericKind::kSmall && scale >= 0 && scale <= kNumericMaxSmallScale) {
    if (scale >= a.scale)
      return NumericFromInt128(Int128{a.scaled} * kPowers10[scale - a.scale], scale, arena);
    int64_t power = kPowers10[a.scale - scale];
    int64_t whole = a.scaled / power, rest = std::abs(a.scaled % power);
    if (round && rest >= power - rest) whole += a.scaled < 0 ? -1 : 1;
    return Small(whole, scale);
  }
  Decimal v = Decimal::FromRef(a);
  if (round)
    Round(&v, scale);
  else
    Truncate(&v, scale);
  v.scale = std::max(scale, 0);
  return v.ToRef(arena);
}

NumericRef ToInteger(const NumericRef& a, int away_sign, Arena& arena) {
  NumericRef whole = ToScale(a, 0, false, arena);
  if (!IsNumericFinite(a) || NumericSign(a) != away_sign || CompareNumeric(whole, a) == 0) return whole;
  return NumericAdd(whole, Small(away_sign, 0), arena);
}

}  // namespace

NumericRef NumericRound(const NumericRef& a, int scale, Arena& arena) {
  return ToScale(a, scale, true, arena);
}
NumericRef NumericTruncate(const NumericRef& a, int scale, Arena& arena) {
  return ToScale(a, scale, false, arena);
}
NumericRef NumericCeil(const NumericRef& a, Arena& arena) { return ToInteger(a, 1, arena); }
NumericRef NumericFloor(const NumericRef& a, Arena& arena) { return ToInteger(a, -1, arena); }

int NumericMinScale(const NumericRef& a) {
  Decimal v = Decimal::FromRef(a);
  if (v.digits.empty()) return 0;
  int scale = (static_cast<int>(v.digits.size()) - 1 - v.weight) * 4;
  for (int word = v.digits.back(); scale > 0 && word % 10 == 0; word /= 10) --scale;
  return std::max(scale, 0);
}

NumericRef NumericTrimScale(const NumericRef& a, Arena& arena) {
  if (!IsNumericFinite(a)) return a;
  return ToScale(a, NumericMinScale(a), false, arena);
}

NumericRef ApplyNumericTypmod(const NumericRef& value, int32_t typmod, Arena& arena) {
  if (typmod < 4 || IsNumericNaN(value)) return value;
  int precision = NumericTypmodPrecision(typmod), scale = NumericTypmodScale(typmod);
  auto overflow = [&](std::string detail) {
    return SqlError(ErrorCode::kNumericValueOutOfRange, "numeric field overflow")
        .WithDetail(std::move(detail));
  };
  if (!IsNumericFinite(value)) {
    throw overflow(
        fmt::format("A field with precision {}, scale {} cannot hold an infinite value.", precision, scale));
  }
  NumericRef rounded = ToScale(value, scale, true, arena);
  int whole_digits = precision - scale;
  bool fits;
  if (rounded.kind == NumericKind::kSmall && whole_digits >= 0 && whole_digits + rounded.scale <= 18) {
    fits = std::abs(rounded.scaled) < kPowers10[whole_digits + rounded.scale];
  } else {
    Decimal v = Decimal::FromRef(rounded);
    fits = v.digits.empty() || v.Exponent10() < whole_digits;
  }
  if (!fits) {
    throw overflow(
        fmt::format("A field with precision {}, scale {} must round to an absolute value less than {}{}.",
                    precision, scale, whole_digits != 0 ? "10^" : "", whole_digits != 0 ? whole_digits : 1));
  }
  return rounded;
}

}  // namespace walden
