#include "node/types/floating.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "node/base/error.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/wire.h"

namespace walden {
namespace {

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c != lower[i]) return false;
  }
  return true;
}

template <class T>
bool ParseSpecial(std::string_view word, T* value) {
  bool negative = !word.empty() && word[0] == '-';
  std::string_view body = !word.empty() && (word[0] == '-' || word[0] == '+') ? word.substr(1) : word;
  if (EqualsIgnoringCase(body, "nan")) {
    *value = std::numeric_limits<T>::quiet_NaN();
    return true;
  }
  if (EqualsIgnoringCase(body, "infinity") || EqualsIgnoringCase(body, "inf")) {
    *value = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    return true;
  }
  return false;
}

// Decimal, or hexadecimal behind "0x".
template <class T>
std::from_chars_result FromChars(std::string_view digits, T* value) {
  bool negative = digits[0] == '-';
  std::string_view body = digits.substr(negative ? 1 : 0);
  const char* end = digits.data() + digits.size();
  if (body.size() < 3 || body[2] == '-' || body[0] != '0' || (body[1] | 32) != 'x')
    return std::from_chars(digits.data(), end, *value);
  auto result = std::from_chars(body.data() + 2, end, *value, std::chars_format::hex);
  if (negative) *value = -*value;
  return result;
}

template <class T>
T Parse(std::string_view text, std::string_view type_name) {
  std::string_view word = TrimSpace(text);
  T value = 0;
  if (ParseSpecial(word, &value)) return value;
  std::string_view digits = word;
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  if (digits.empty() || digits.back() == 'n' || digits.back() == 'y' || digits.back() == 'f') {
    ThrowInvalidSyntax(type_name, text);  // from_chars would take its own spellings of the specials
  }
  auto [end, error] = FromChars(digits, &value);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size())
    ThrowInvalidSyntax(type_name, text);
  if (error == std::errc::result_out_of_range) {
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "\"{}\" is out of range for type {}", word, type_name);
  }
  return value;
}

// Digits in fixed notation for exponents of [-4, limit), else d.ddde+XX.
void AppendDigits(std::string* to, const char* digits, int count, int exponent, int limit) {
  if (exponent < -4 || exponent >= limit) {
    to->push_back(digits[0]);
    if (count > 1) {
      to->push_back('.');
      to->append(digits + 1, static_cast<size_t>(count - 1));
    }
    char tail[8];
    int length = std::snprintf(tail, sizeof(tail), "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    to->append(tail, static_cast<size_t>(length));
  } else if (exponent < 0) {
    to->append("0.");
    to->append(static_cast<size_t>(-exponent - 1), '0');
    to->append(digits, static_cast<size_t>(count));
  } else if (count <= exponent + 1) {
    to->append(digits, static_cast<size_t>(count));
    to->append(static_cast<size_t>(exponent + 1 - count), '0');
  } else {
    to->append(digits, static_cast<size_t>(exponent + 1));
    to->push_back('.');
    to->append(digits + exponent + 1, static_cast<size_t>(count - exponent - 1));
  }
}

template <class T>
void Append(std::string* to, T value, int extra_float_digits, int limit, int precision) {
  if (std::isnan(value)) {
    to->append("NaN");
    return;
  }
  if (std::isinf(value)) {
    to->append(value < 0 ? "-Infinity" : "Infinity");
    return;
  }
  char buffer[64];
  if (extra_float_digits <= 0) {
    int digits = std::max(1, precision + extra_float_digits);
    int length = std::snprintf(buffer, sizeof(buffer), "%.*g", digits, static_cast<double>(value));
    to->append(buffer, static_cast<size_t>(length));
    return;
  }
  if (std::signbit(value)) {
    to->push_back('-');
    value = -value;
  }
  if (value == 0) {
    to->push_back('0');
    return;
  }
  char* end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific).ptr;
  char digits[32];
  int count = 0;
  const char* at = buffer;
  for (; *at != 'e'; ++at) {
    if (*at != '.') digits[count++] = *at;
  }
  int exponent = 0;
  const char* from = at[1] == '+' ? at + 2 : at + 1;
  std::from_chars(from, end, exponent);
  AppendDigits(to, digits, count, exponent, limit);
}

void Float8In(std::string_view text, TypeIo&, Datum* to) { to->f64 = ParseDouble(text); }
void Float8Out(const Datum& v, TypeIo& io, std::string* to) {
  AppendDouble(to, v.f64, io.format.extra_float_digits);
}
void Float8Receive(std::string_view bytes, TypeIo&, Datum* to) { to->f64 = WireReader(bytes).TakeDouble(); }
void Float8Send(const Datum& v, TypeIo&, std::string* to) { AppendBig(to, std::bit_cast<uint64_t>(v.f64)); }
int Float8Compare(const Datum& a, const Datum& b, const void*) { return CompareDouble(a.f64, b.f64); }
uint64_t Float8Hash(const Datum& v) { return HashDouble(v.f64); }
void Float4In(std::string_view text, TypeIo&, Datum* to) { to->f32 = ParseFloat(text); }
void Float4Out(const Datum& v, TypeIo& io, std::string* to) {
  AppendFloat(to, v.f32, io.format.extra_float_digits);
}
void Float4Receive(std::string_view bytes, TypeIo&, Datum* to) { to->f32 = WireReader(bytes).TakeFloat(); }
void Float4Send(const Datum& v, TypeIo&, std::string* to) { AppendBig(to, std::bit_cast<uint32_t>(v.f32)); }
int Float4Compare(const Datum& a, const Datum& b, const void*) {
  return CompareDouble(static_cast<double>(a.f32), static_cast<double>(b.f32));
}
uint64_t Float4Hash(const Datum& v) { return HashDouble(static_cast<double>(v.f32)); }

constexpr TypeDescriptor kTypes[] = {
    {Oid{700}, "float4", PhysicalType::kFloat32, 4, 'i', 'b', ',', Oid{0}, Oid{1021}, Float4In, Float4Out,
     Float4Receive, Float4Send, nullptr, nullptr, Float4Compare, Float4Hash},
    {Oid{701}, "float8", PhysicalType::kFloat64, 8, 'd', 'b', ',', Oid{0}, Oid{1022}, Float8In, Float8Out,
     Float8Receive, Float8Send, nullptr, nullptr, Float8Compare, Float8Hash},
};

}  // namespace

double ParseDouble(std::string_view text) { return Parse<double>(text, "double precision"); }
float ParseFloat(std::string_view text) { return Parse<float>(text, "real"); }
void AppendDouble(std::string* to, double value, int extra) { Append(to, value, extra, 15, 15); }
void AppendFloat(std::string* to, float value, int extra) { Append(to, value, extra, 6, 6); }

std::span<const TypeDescriptor> FloatTypes() { return kTypes; }

}  // namespace walden
