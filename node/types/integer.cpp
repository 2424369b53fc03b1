#include "node/types/integer.h"

#include <charconv>

#include "node/base/error.h"
#include "node/types/hash.h"
#include "node/types/wire.h"

namespace walden {

void ThrowInvalidSyntax(std::string_view type_name, std::string_view text) {
  throw SqlError(ErrorCode::kInvalidTextRepresentation, "invalid input syntax for type {}: \"{}\"", type_name,
                 text);
}

std::string_view TrimSpace(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

namespace {

[[noreturn]] void ThrowOutOfRange(std::string_view type_name, std::string_view text) {
  throw SqlError(ErrorCode::kNumericValueOutOfRange, "value \"{}\" is out of range for type {}", text,
                 type_name);
}

// Digits of an optionally signed integer. from_chars takes '-' but not '+'.
template <class T>
T ParseInteger(std::string_view text, std::string_view type_name) {
  std::string_view digits = TrimSpace(text);
  if (!digits.empty() && digits[0] == '+' && digits.size() > 1 && digits[1] != '-') digits.remove_prefix(1);
  T value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size()) {
    ThrowInvalidSyntax(type_name, text);
  }
  if (error == std::errc::result_out_of_range) ThrowOutOfRange(type_name, text);
  return value;
}

template <class T>
T ParseUnsigned(std::string_view text, std::string_view type_name) {
  std::string_view digits = TrimSpace(text);
  if (!digits.empty() && digits[0] == '-') {
    using Signed = std::make_signed_t<T>;
    return static_cast<T>(ParseInteger<Signed>(text, type_name));
  }
  return ParseInteger<T>(text, type_name);
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool IsPrefix(std::string_view text, std::string_view word, size_t at_least) {
  if (text.size() < at_least || text.size() > word.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (Lower(text[i]) != word[i]) return false;
  }
  return true;
}

}  // namespace

int16_t ParseInt16(std::string_view text) { return ParseInteger<int16_t>(text, "smallint"); }
int32_t ParseInt32(std::string_view text) { return ParseInteger<int32_t>(text, "integer"); }
int64_t ParseInt64(std::string_view text) { return ParseInteger<int64_t>(text, "bigint"); }
uint32_t ParseUint32(std::string_view text, std::string_view name) {
  return ParseUnsigned<uint32_t>(text, name);
}
uint64_t ParseUint64(std::string_view text, std::string_view name) {
  return ParseUnsigned<uint64_t>(text, name);
}

bool TryParseBool(std::string_view text, bool* value) {
  text = TrimSpace(text);
  if (IsPrefix(text, "true", 1) || IsPrefix(text, "yes", 1) || IsPrefix(text, "on", 2) || text == "1") {
    *value = true;
    return true;
  }
  if (IsPrefix(text, "false", 1) || IsPrefix(text, "no", 1) || IsPrefix(text, "off", 2) || text == "0") {
    *value = false;
    return true;
  }
  return false;
}

bool ParseBool(std::string_view text) {
  bool value;
  if (!TryParseBool(text, &value)) ThrowInvalidSyntax("boolean", text);
  return value;
}

void AppendInt(std::string* to, int64_t value) {
  char buffer[24];
  auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  to->append(buffer, result.ptr);
}
void AppendUint(std::string* to, uint64_t value) {
  char buffer[24];
  auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  to->append(buffer, result.ptr);
}

namespace {

template <class T>
int Order(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

void BoolIn(std::string_view text, TypeIo&, Datum* to) { to->b = ParseBool(text); }
void BoolOut(const Datum& v, TypeIo&, std::string* to) { to->push_back(v.b ? 't' : 'f'); }
void BoolReceive(std::string_view bytes, TypeIo&, Datum* to) {
  to->b = WireReader(bytes).Take<uint8_t>() != 0;
}
void BoolSend(const Datum& v, TypeIo&, std::string* to) { to->push_back(v.b ? 1 : 0); }
int BoolCompare(const Datum& a, const Datum& b, const void*) { return int{a.b} - int{b.b}; }
uint64_t BoolHash(const Datum& v) { return HashInteger(v.b ? 1 : 0); }

void Int2In(std::string_view text, TypeIo&, Datum* to) { to->i16 = ParseInt16(text); }
void Int2Out(const Datum& v, TypeIo&, std::string* to) { AppendInt(to, v.i16); }
void Int2Receive(std::string_view bytes, TypeIo&, Datum* to) { to->i16 = WireReader(bytes).TakeInt16(); }
void Int2Send(const Datum& v, TypeIo&, std::string* to) {
  AppendBig<uint16_t>(to, static_cast<uint16_t>(v.i16));
}
int Int2Compare(const Datum& a, const Datum& b, const void*) { return Order(a.i16, b.i16); }
uint64_t Int2Hash(const Datum& v) { return HashInteger(static_cast<uint64_t>(int64_t{v.i16})); }

void Int4In(std::string_view text, TypeIo&, Datum* to) { to->i32 = ParseInt32(text); }
void Int4Out(const Datum& v, TypeIo&, std::string* to) { AppendInt(to, v.i32); }
void Int4Receive(std::string_view bytes, TypeIo&, Datum* to) { to->i32 = WireReader(bytes).TakeInt32(); }
void Int4Send(const Datum& v, TypeIo&, std::string* to) {
  AppendBig<uint32_t>(to, static_cast<uint32_t>(v.i32));
}
int Int4Compare(const Datum& a, const Datum& b, const void*) { return Order(a.i32, b.i32); }
// The integer types hash alike, so that joins across them may hash.
uint64_t Int4Hash(const Datum& v) { return HashInteger(static_cast<uint64_t>(int64_t{v.i32})); }

void Int8In(std::string_view text, TypeIo&, Datum* to) { to->i64 = ParseInt64(text); }
void Int8Out(const Datum& v, TypeIo&, std::string* to) { AppendInt(to, v.i64); }
void Int8Receive(std::string_view bytes, TypeIo&, Datum* to) { to->i64 = WireReader(bytes).TakeInt64(); }
void Int8Send(const Datum& v, TypeIo&, std::string* to) {
  AppendBig<uint64_t>(to, static_cast<uint64_t>(v.i64));
}
int Int8Compare(const Datum& a, const Datum& b, const void*) { return Order(a.i64, b.i64); }
uint64_t Int8Hash(const Datum& v) { return HashInteger(static_cast<uint64_t>(v.i64)); }

int OctalDigit(char c) { return c >= '0' && c <= '7' ? c - '0' : -1; }

void CharIn(std::string_view text, TypeIo&, Datum* to) {
  if (text.size() == 4 && text[0] == '\\' && OctalDigit(text[1]) >= 0 && OctalDigit(text[2]) >= 0 &&
      OctalDigit(text[3]) >= 0) {
    to->i8 = static_cast<int8_t>(OctalDigit(text[1]) * 64 + OctalDigit(text[2]) * 8 + OctalDigit(text[3]));
  } else {
    to->i8 = text.empty() ? 0 : static_cast<int8_t>(text[0]);
  }
}
void CharOut(const Datum& v, TypeIo&, std::string* to) {
  auto byte = static_cast<uint8_t>(v.i8);
  if (byte >= 0x80) {
    to->push_back('\\');
    to->push_back(static_cast<char>('0' + (byte >> 6)));
    to->push_back(static_cast<char>('0' + ((byte >> 3) & 7)));
    to->push_back(static_cast<char>('0' + (byte & 7)));
  } else if (byte != 0) {
    to->push_back(static_cast<char>(byte));
  }
}
void CharReceive(std::string_view bytes, TypeIo&, Datum* to) {
  to->i8 = static_cast<int8_t>(WireReader(bytes).Take<uint8_t>());
}
void CharSend(const Datum& v, TypeIo&, std::string* to) { to->push_back(static_cast<char>(v.i8)); }
int CharCompare(const Datum& a, const Datum& b, const void*) {
  return int{static_cast<uint8_t>(a.i8)} - int{static_cast<uint8_t>(b.i8)};
}
uint64_t CharHash(const Datum& v) { return HashInteger(static_cast<uint8_t>(v.i8)); }

constexpr TypeDescriptor kTypes[] = {
    {Oid{16}, "bool", PhysicalType::kBool, 1, 'c', 'b', ',', Oid{0}, Oid{1000}, BoolIn, BoolOut, BoolReceive,
     BoolSend, nullptr, nullptr, BoolCompare, BoolHash},
    {Oid{18}, "char", PhysicalType::kInt8, 1, 'c', 'b', ',', Oid{0}, Oid{1002}, CharIn, CharOut, CharReceive,
     CharSend, nullptr, nullptr, CharCompare, CharHash},
    {Oid{21}, "int2", PhysicalType::kInt16, 2, 's', 'b', ',', Oid{0}, Oid{1005}, Int2In, Int2Out, Int2Receive,
     Int2Send, nullptr, nullptr, Int2Compare, Int2Hash},
    {Oid{23}, "int4", PhysicalType::kInt32, 4, 'i', 'b', ',', Oid{0}, Oid{1007}, Int4In, Int4Out, Int4Receive,
     Int4Send, nullptr, nullptr, Int4Compare, Int4Hash},
    {Oid{20}, "int8", PhysicalType::kInt64, 8, 'd', 'b', ',', Oid{0}, Oid{1016}, Int8In, Int8Out, Int8Receive,
     Int8Send, nullptr, nullptr, Int8Compare, Int8Hash},
};

}  // namespace

std::span<const TypeDescriptor> IntegerTypes() { return kTypes; }

}  // namespace walden
