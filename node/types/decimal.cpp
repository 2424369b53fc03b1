#include "node/types/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/types/numeric.h"

namespace walden {

namespace {

constexpr int kDigitsPerWord = 4;
constexpr int kPowers[4] = {1, 10, 100, 1000};

int DecimalDigits(int word) { return word >= 1000 ? 4 : word >= 100 ? 3 : word >= 10 ? 2 : 1; }

int FloorDivide4(int v) { return v >= 0 ? v / 4 : -((3 - v) / 4); }

}  // namespace

void Decimal::Normalize() {
  size_t lead = 0;
  while (lead < digits.size() && digits[lead] == 0) ++lead;
  if (lead > 0) {
    digits.erase(digits.begin(), digits.begin() + static_cast<std::ptrdiff_t>(lead));
    weight -= static_cast<int>(lead);
  }
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
  if (digits.empty()) {
    weight = 0;
    negative = false;
  }
}

int Decimal::Exponent10() const {
  return digits.empty() ? 0 : weight * kDigitsPerWord + DecimalDigits(digits[0]) - 1;
}

Decimal Decimal::FromInt(int64_t value) { return FromInt128(value, 0); }

Decimal Decimal::FromInt128(__int128 scaled, int scale) {
  Decimal result;
  result.scale = scale;
  result.negative = scaled < 0;
  unsigned __int128 magnitude =
      scaled < 0 ? -static_cast<unsigned __int128>(scaled) : static_cast<unsigned __int128>(scaled);
  // Align the decimal point to a word boundary, then split.
  int fraction_words = (scale + kDigitsPerWord - 1) / kDigitsPerWord;
  int shift = fraction_words * kDigitsPerWord - scale;
  std::vector<int16_t> reversed;
  if (shift > 0 && magnitude != 0) {
    int low_power = kPowers[kDigitsPerWord - shift];
    reversed.push_back(static_cast<int16_t>(static_cast<int>(magnitude % static_cast<unsigned>(low_power)) *
                                            kPowers[shift]));
    magnitude /= static_cast<unsigned>(low_power);
  }
  while (magnitude != 0) {
    reversed.push_back(static_cast<int16_t>(magnitude % kDecimalBase));
    magnitude /= kDecimalBase;
  }
  result.digits.assign(reversed.rbegin(), reversed.rend());
  result.weight = static_cast<int>(result.digits.size()) - 1 - fraction_words;
  result.Normalize();
  return result;
}

Decimal Decimal::FromRef(const NumericRef& ref) {
  if (ref.kind == NumericKind::kSmall) return FromInt128(ref.scaled, ref.scale);
  Decimal result;
  result.scale = ref.scale;
  result.weight = Load<int16_t>(ref.digits);
  result.negative = ref.digits[2] != 0;
  result.digits.resize((ref.digits_size - 4) / 2);
  if (!result.digits.empty()) std::memcpy(result.digits.data(), ref.digits + 4, ref.digits_size - 4);
  return result;
}

namespace {

// The value times 10^scale, if that is an exact int64.
bool ScaledInt64(const Decimal& v, int64_t* scaled) {
  if (v.scale > kNumericMaxSmallScale) return false;
  if (v.digits.empty()) {
    *scaled = 0;
    return true;
  }
  if (v.Exponent10() + v.scale > 18) return false;
  unsigned __int128 magnitude = 0;
  int last_weight = v.weight - static_cast<int>(v.digits.size()) + 1;
  for (int16_t word : v.digits) magnitude = magnitude * kDecimalBase + static_cast<unsigned>(word);
  int exponent = last_weight * kDigitsPerWord + v.scale;  // magnitude * 10^exponent
  for (; exponent > 0; --exponent) magnitude *= 10;
  for (; exponent < 0; ++exponent) magnitude /= 10;
  if (magnitude > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return false;
  auto value = static_cast<int64_t>(magnitude);
  *scaled = v.negative ? -value : value;
  return true;
}

}  // namespace

NumericRef Decimal::ToRef(Arena& arena) const {
  NumericRef ref;
  std::memset(&ref, 0, sizeof(ref));
  ref.scale = static_cast<int16_t>(scale);
  int64_t scaled;
  if (ScaledInt64(*this, &scaled)) {
    ref.kind = NumericKind::kSmall;
    ref.scaled = scaled;
    return ref;
  }
  if (weight > 32767 || scale > kMaxDecimalScale) {
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "value overflows numeric format");
  }
  ref.kind = NumericKind::kBig;
  ref.digits_size = static_cast<uint32_t>(4 + digits.size() * 2);
  char* to = static_cast<char*>(arena.Allocate(ref.digits_size, 2));
  Store<int16_t>(to, static_cast<int16_t>(weight));
  to[2] = negative ? 1 : 0;
  to[3] = 0;
  if (!digits.empty()) std::memcpy(to + 4, digits.data(), digits.size() * 2);
  ref.digits = to;
  return ref;
}

int CompareMagnitude(const Decimal& a, const Decimal& b) {
  if (a.digits.empty() || b.digits.empty()) return int{!a.digits.empty()} - int{!b.digits.empty()};
  if (a.weight != b.weight) return a.weight < b.weight ? -1 : 1;
  size_t common = std::min(a.digits.size(), b.digits.size());
  for (size_t i = 0; i < common; ++i) {
    if (a.digits[i] != b.digits[i]) return a.digits[i] < b.digits[i] ? -1 : 1;
  }
  return a.digits.size() < b.digits.size() ? -1 : a.digits.size() > b.digits.size() ? 1 : 0;
}

namespace {

// Digit of 10000^w.
int DigitAt(const Decimal& v, int w) {
  int index = v.weight - w;
  return index >= 0 && index < static_cast<int>(v.digits.size()) ? v.digits[static_cast<size_t>(index)] : 0;
}
int LastWeight(const Decimal& v) { return v.weight - static_cast<int>(v.digits.size()) + 1; }

Decimal AddMagnitudes(const Decimal& a, const Decimal& b) {
  if (a.digits.empty()) return b;
  if (b.digits.empty()) return a;
  Decimal result;
  int high = std::max(a.weight, b.weight) + 1;
  int low = std::min(LastWeight(a), LastWeight(b));
  result.weight = high;
  result.digits.resize(static_cast<size_t>(high - low + 1));
  int carry = 0;
  for (int w = low; w <= high; ++w) {
    int sum = DigitAt(a, w) + DigitAt(b, w) + carry;
    carry = sum >= kDecimalBase;
    result.digits[static_cast<size_t>(high - w)] = static_cast<int16_t>(carry ? sum - kDecimalBase : sum);
  }
  return result;
}

// |a| >= |b|
Decimal SubtractMagnitudes(const Decimal& a, const Decimal& b) {
  if (b.digits.empty()) return a;
  Decimal result;
  int high = a.weight;
  int low = std::min(LastWeight(a), LastWeight(b));
  result.weight = high;
  result.digits.resize(static_cast<size_t>(high - low + 1));
  int borrow = 0;
  for (int w = low; w <= high; ++w) {
    int difference = DigitAt(a, w) - DigitAt(b, w) - borrow;
    borrow = difference < 0;
    result.digits[static_cast<size_t>(high - w)] =
        static_cast<int16_t>(borrow ? difference + kDecimalBase : difference);
  }
  return result;
}

Decimal AddSigned(const Decimal& a, const Decimal& b, bool b_negative) {
  Decimal result;
  if (a.negative == b_negative) {
    result = AddMagnitudes(a, b);
    result.negative = a.negative;
  } else if (CompareMagnitude(a, b) >= 0) {
    result = SubtractMagnitudes(a, b);
    result.negative = a.negative;
  } else {
    result = SubtractMagnitudes(b, a);
    result.negative = b_negative;
  }
  result.scale = std::max(a.scale, b.scale);
  result.Normalize();
  return result;
}

}  // namespace

Decimal Add(const Decimal& a, const Decimal& b) { return AddSigned(a, b, b.negative); }
Decimal Subtract(const Decimal& a, const Decimal& b) { return AddSigned(a, b, !b.negative); }

Decimal MultiplyExact(const Decimal& a, const Decimal& b) {
  Decimal result;
  result.scale = a.scale + b.scale;
  if (a.digits.empty() || b.digits.empty()) return result;
  std::vector<int64_t> sums(a.digits.size() + b.digits.size());
  for (size_t i = 0; i < a.digits.size(); ++i) {
    int64_t x = a.digits[i];
    if (x == 0) continue;
    for (size_t j = 0; j < b.digits.size(); ++j) sums[i + j + 1] += x * b.digits[j];
  }
  for (size_t i = sums.size() - 1; i > 0; --i) {
    sums[i - 1] += sums[i] / kDecimalBase;
    sums[i] %= kDecimalBase;
  }
  result.digits.resize(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) result.digits[i] = static_cast<int16_t>(sums[i]);
  result.weight = a.weight + b.weight + 1;
  result.negative = a.negative != b.negative;
  result.Normalize();
  return result;
}

Decimal Multiply(const Decimal& a, const Decimal& b, int scale) {
  Decimal result = MultiplyExact(a, b);
  Round(&result, scale);
  return result;
}

int QuotientScale(const Decimal& a, const Decimal& b) {
  int weight_a = a.digits.empty() ? 0 : a.weight, first_a = a.digits.empty() ? 0 : a.digits[0];
  int weight_b = b.digits.empty() ? 0 : b.weight, first_b = b.digits.empty() ? 0 : b.digits[0];
  int quotient_weight = weight_a - weight_b;
  if (first_a <= first_b) --quotient_weight;
  int scale = kMinSignificantDigits - quotient_weight * kDigitsPerWord;
  scale = std::max({scale, a.scale, b.scale, 0});
  return std::min(scale, kMaxDisplayScale);
}

// Long division in base 10,000 (Knuth, The Art of Computer Programming vol. 2, 4.3.1, algorithm D).
Decimal Divide(const Decimal& a, const Decimal& b, int scale, bool round) {
  Decimal result;
  result.scale = std::max(scale, 0);
  if (a.digits.empty()) return result;
  int weight = a.weight - b.weight;
  // Words needed behind the point for `scale` decimals and one more to round by.
  int fraction_words = FloorDivide4(scale + kDigitsPerWord - 1) + 1;
  int quotient_words = weight + 1 + fraction_words;
  if (quotient_words < 1) quotient_words = 1;
  size_t n = b.digits.size();
  std::vector<int64_t> divisor(b.digits.begin(), b.digits.end());
  std::vector<int64_t> rest(static_cast<size_t>(quotient_words) + n + 1);
  for (size_t i = 0; i < a.digits.size() && i + 1 < rest.size(); ++i) rest[i + 1] = a.digits[i];
  int64_t factor = kDecimalBase / (divisor[0] + 1);
  if (factor > 1) {
    int64_t carry = 0;
    for (size_t i = n; i-- > 0;) {
      int64_t product = divisor[i] * factor + carry;
      divisor[i] = product % kDecimalBase;
      carry = product / kDecimalBase;
    }
    carry = 0;
    for (size_t i = rest.size(); i-- > 0;) {
      int64_t product = rest[i] * factor + carry;
      rest[i] = product % kDecimalBase;
      carry = product / kDecimalBase;
    }
  }
  result.digits.resize(static_cast<size_t>(quotient_words));
  for (int q = 0; q < quotient_words; ++q) {
    auto at = static_cast<size_t>(q);
    int64_t numerator = rest[at] * kDecimalBase + rest[at + 1];
    int64_t guess = numerator / divisor[0];
    int64_t remainder = numerator % divisor[0];
    if (guess >= kDecimalBase) {
      remainder += (guess - (kDecimalBase - 1)) * divisor[0];
      guess = kDecimalBase - 1;
    }
    while (n > 1 && remainder < kDecimalBase &&
           guess * divisor[1] > remainder * kDecimalBase + (at + 2 < rest.size() ? rest[at + 2] : 0)) {
      --guess;
      remainder += divisor[0];
    }
    int64_t borrow = 0;
    for (size_t i = n; i-- > 0;) {
      int64_t value = rest[at + i + 1] - guess * divisor[i] - borrow;
      borrow = 0;
      if (value < 0) {
        borrow = (-value + kDecimalBase - 1) / kDecimalBase;
        value += borrow * kDecimalBase;
      }
      rest[at + i + 1] = value;
    }
    int64_t top = rest[at] - borrow;
    rest[at] = 0;
    if (top < 0) {  // the guess was one too high
      --guess;
      int64_t carry = 0;
      for (size_t i = n; i-- > 0;) {
        int64_t value = rest[at + i + 1] + divisor[i] + carry;
        carry = value >= kDecimalBase;
        rest[at + i + 1] = carry ? value - kDecimalBase : value;
      }
    }
    result.digits[at] = static_cast<int16_t>(guess);
  }
  result.weight = weight;
  result.negative = a.negative != b.negative;
  if (round)
    Round(&result, scale);
  else
    Truncate(&result, scale);
  result.scale = std::max(scale, 0);
  result.Normalize();
  return result;
}

namespace {

// Cuts to `scale` decimals. Returns the first decimal digit cut off.
int Cut(Decimal* v, int scale) {
  int kept_words_behind =
      FloorDivide4(scale + kDigitsPerWord - 1);  // words behind the point that keep any digit
  int keep = v->weight + 1 + kept_words_behind;
  v->scale = std::max(scale, 0);
  if (keep < 0) {
    v->digits.clear();
    return 0;
  }
  int extra = kept_words_behind * kDigitsPerWord - scale;  // decimal digits of the last kept word to drop
  auto size = static_cast<int>(v->digits.size());
  if (keep > size) return 0;
  int dropped_digit = 0;
  if (extra > 0) {
    if (keep == 0) {
      dropped_digit = 0;
    } else {
      int word = v->digits[static_cast<size_t>(keep - 1)];
      dropped_digit = word / kPowers[extra - 1] % 10;
      v->digits[static_cast<size_t>(keep - 1)] = static_cast<int16_t>(word - word % kPowers[extra]);
    }
  } else if (keep < size) {
    dropped_digit = v->digits[static_cast<size_t>(keep)] / 1000;
  }
  v->digits.resize(static_cast<size_t>(keep));
  return dropped_digit;
}

}  // namespace

void Truncate(Decimal* v, int scale) {
  Cut(v, scale);
  v->Normalize();
}

void Round(Decimal* v, int scale) {
  // A leading zero word gives a carry room.
  v->digits.insert(v->digits.begin(), 0);
  ++v->weight;
  int dropped = Cut(v, scale);
  if (dropped >= 5 && !v->digits.empty()) {
    int kept_words_behind = FloorDivide4(scale + kDigitsPerWord - 1);
    int extra = kept_words_behind * kDigitsPerWord - scale;
    int carry = kPowers[extra];
    for (size_t i = v->digits.size(); i-- > 0 && carry != 0;) {
      int word = v->digits[i] + carry;
      carry = word >= kDecimalBase ? 1 : 0;
      v->digits[i] = static_cast<int16_t>(carry ? word - kDecimalBase : word);
    }
  }
  v->Normalize();
}

double ToDouble(const Decimal& v) {
  std::string text = v.negative ? "-" : "";
  if (v.digits.empty()) return 0;
  for (int16_t word : v.digits) {
    for (int power = 1000; power > 0; power /= 10) text.push_back(static_cast<char>('0' + word / power % 10));
  }
  text += 'e';
  text += std::to_string((v.weight - static_cast<int>(v.digits.size()) + 1) * kDigitsPerWord);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    return v.Exponent10() < 0 ? 0.0 : v.negative ? -HUGE_VAL : HUGE_VAL;
  }
  return value;
}

}  // namespace walden
