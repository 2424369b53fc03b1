#include "node/types/text.h"

#include <cstring>

#include "node/base/error.h"
#include "node/types/client_text.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/utf8.h"

namespace walden {

std::string_view ClipName(std::string_view text) { return Utf8Clip(text, kNameBytes - 1); }

int CompareBytes(std::string_view a, std::string_view b) {
  size_t common = a.size() < b.size() ? a.size() : b.size();
  int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order < 0 ? -1 : 1;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

std::string_view TrimTrailingSpaces(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

namespace {

// The first `limit` characters; what is cut off must be spaces unless the cast is explicit.
std::string_view CutTo(std::string_view text, size_t limit, bool is_explicit, std::string_view type_name) {
  size_t end = Utf8Offset(text, limit);
  if (end == text.size()) return text;
  if (!is_explicit && text.find_first_not_of(' ', end) != std::string_view::npos) {
    throw SqlError(ErrorCode::kStringDataRightTruncation, "value too long for type {}({})", type_name, limit);
  }
  return text.substr(0, end);
}

}  // namespace

std::string_view CoerceVarchar(std::string_view text, int32_t typmod, bool is_explicit) {
  if (typmod < 4 || text.size() <= static_cast<size_t>(typmod - 4)) return text;
  return CutTo(text, static_cast<size_t>(typmod - 4), is_explicit, "character varying");
}

std::string_view CoerceBpchar(std::string_view text, int32_t typmod, bool is_explicit, Arena& arena) {
  if (typmod < 4) return text;
  auto limit = static_cast<size_t>(typmod - 4);
  size_t length = Utf8Count(text);
  if (length == limit) return text;
  if (length > limit) return CutTo(text, limit, is_explicit, "character");
  size_t padding = limit - length;
  char* to = static_cast<char*>(arena.Allocate(text.size() + padding, 1));
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  std::memset(to + text.size(), ' ', padding);
  return {to, text.size() + padding};
}

void AppendHex(std::string* to, std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (unsigned char byte : bytes) {
    to->push_back(kDigits[byte >> 4]);
    to->push_back(kDigits[byte & 15]);
  }
}

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int RequireHexDigit(std::string_view text, size_t at) {
  int digit = HexDigit(text[at]);
  if (digit < 0) {
    std::string_view character =
        text.substr(at, static_cast<size_t>(Utf8Length(static_cast<unsigned char>(text[at]))));
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid hexadecimal digit: \"{}\"", character);
  }
  return digit;
}

}  // namespace

std::string_view DecodeHex(std::string_view text, Arena& arena) {
  char* to = static_cast<char*>(arena.Allocate(text.size() / 2 + 1, 1));
  size_t size = 0;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r') {
      ++at;
      continue;
    }
    int high = RequireHexDigit(text, at++);
    if (at >= text.size()) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "invalid hexadecimal data: odd number of digits");
    }
    int low = RequireHexDigit(text, at++);
    to[size++] = static_cast<char>(high * 16 + low);
  }
  return {to, size};
}

std::string_view ParseBytea(std::string_view text, Arena& arena) {
  if (text.starts_with("\\x")) return DecodeHex(text.substr(2), arena);
  char* to = static_cast<char*>(arena.Allocate(text.size() + 1, 1));
  size_t size = 0;
  auto octal = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      to[size++] = text[at++];
    } else if (octal(at + 1) && text[at + 1] <= '3' && octal(at + 2) && octal(at + 3)) {
      to[size++] =
          static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
      at += 4;
    } else if (at + 1 < text.size() && text[at + 1] == '\\') {
      to[size++] = '\\';
      at += 2;
    } else {
      throw SqlError(ErrorCode::kInvalidTextRepresentation, "invalid input syntax for type bytea");
    }
  }
  return {to, size};
}

void AppendBytea(std::string* to, std::string_view bytes, ByteaOutput format) {
  if (format == ByteaOutput::kHex) {
    to->append("\\x");
    AppendHex(to, bytes);
    return;
  }
  for (unsigned char byte : bytes) {
    if (byte == '\\') {
      to->append("\\\\");
    } else if (byte < 0x20 || byte > 0x7E) {
      to->push_back('\\');
      to->push_back(static_cast<char>('0' + (byte >> 6)));
      to->push_back(static_cast<char>('0' + ((byte >> 3) & 7)));
      to->push_back(static_cast<char>('0' + (byte & 7)));
    } else {
      to->push_back(static_cast<char>(byte));
    }
  }
}

namespace {

void Put(Datum* to, std::string_view text) { to->string = {text.data(), text.size()}; }

void TextIn(std::string_view text, TypeIo& io, Datum* to) { Put(to, io.arena.Copy(text)); }
void TextOut(const Datum& v, TypeIo&, std::string* to) { to->append(v.string.view()); }
void TextSend(const Datum& v, TypeIo&, std::string* to) { AppendToClient(v.string.view(), to); }
void TextReceive(std::string_view bytes, TypeIo& io, Datum* to) { Put(to, FromClient(bytes, io.arena)); }
int TextCompare(const Datum& a, const Datum& b, const void*) {
  return CompareBytes(a.string.view(), b.string.view());
}
uint64_t TextHash(const Datum& v) { return HashBytes(v.string.view()); }

void VarcharIn(std::string_view text, TypeIo& io, Datum* to) {
  Put(to, io.arena.Copy(CoerceVarchar(text, io.typmod, false)));
}
void VarcharReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  Put(to, CoerceVarchar(FromClient(bytes, io.arena), io.typmod, false));
}
void BpcharIn(std::string_view text, TypeIo& io, Datum* to) {
  std::string_view coerced = CoerceBpchar(text, io.typmod, false, io.arena);
  Put(to, coerced.data() >= text.data() && coerced.data() <= text.data() + text.size()
              ? io.arena.Copy(coerced)
              : coerced);
}
void BpcharReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  Put(to, CoerceBpchar(FromClient(bytes, io.arena), io.typmod, false, io.arena));
}
int BpcharCompare(const Datum& a, const Datum& b, const void*) {
  return CompareBytes(TrimTrailingSpaces(a.string.view()), TrimTrailingSpaces(b.string.view()));
}
uint64_t BpcharHash(const Datum& v) { return HashBytes(TrimTrailingSpaces(v.string.view())); }

int32_t LengthTypmod(std::span<const std::string_view> modifiers, std::string_view type_name) {
  if (modifiers.size() != 1) throw SqlError(ErrorCode::kInvalidParameterValue, "invalid type modifier");
  int32_t length = ParseInt32(modifiers[0]);
  if (length < 1)
    throw SqlError(ErrorCode::kInvalidParameterValue, "length for type {} must be at least 1", type_name);
  if (length > 10485760) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "length for type {} cannot exceed 10485760", type_name);
  }
  return length + 4;
}
int32_t VarcharTypmodIn(std::span<const std::string_view> modifiers) {
  return LengthTypmod(modifiers, "varchar");
}
int32_t BpcharTypmodIn(std::span<const std::string_view> modifiers) {
  return LengthTypmod(modifiers, "char");
}
void LengthTypmodOut(int32_t typmod, std::string* to) {
  if (typmod > 4) {
    to->push_back('(');
    AppendInt(to, typmod - 4);
    to->push_back(')');
  }
}

void NameIn(std::string_view text, TypeIo& io, Datum* to) { Put(to, io.arena.Copy(ClipName(text))); }
void NameReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  std::string_view text = FromClient(bytes, io.arena);
  if (text.size() >= kNameBytes) {
    throw SqlError(ErrorCode::kNameTooLong, "identifier too long")
        .WithDetail("Identifier must be less than 64 characters.");
  }
  Put(to, text);
}

void ByteaIn(std::string_view text, TypeIo& io, Datum* to) { Put(to, ParseBytea(text, io.arena)); }
void ByteaOut(const Datum& v, TypeIo& io, std::string* to) {
  AppendBytea(to, v.string.view(), io.format.bytea_output);
}
void ByteaReceive(std::string_view bytes, TypeIo& io, Datum* to) { Put(to, io.arena.Copy(bytes)); }

// Types that exist inside the catalogs only: they print but cannot be typed in.
void CatalogOnlyIn(std::string_view, TypeIo& io, Datum*) {
  throw SqlError(ErrorCode::kFeatureNotSupported, "cannot accept a value of type {}", io.type->name);
}

constexpr TypeDescriptor Plain(uint32_t oid, std::string_view name, uint32_t array) {
  return {
      Oid{oid}, name,    PhysicalType::kString, -1,       'i',     'b',     ',',         Oid{0},  Oid{array},
      TextIn,   TextOut, TextReceive,           TextSend, nullptr, nullptr, TextCompare, TextHash};
}

constexpr TypeDescriptor CatalogOnly(uint32_t oid, std::string_view name, OutputFunction output) {
  return {Oid{oid},      name,   PhysicalType::kString, -1,      'i',     'b',     ',',     Oid{0}, Oid{0},
          CatalogOnlyIn, output, CatalogOnlyIn,         TextOut, nullptr, nullptr, nullptr, nullptr};
}

constexpr TypeDescriptor kTypes[] = {
    Plain(25, "text", 1009),
    Plain(1790, "refcursor", 2201),
    {Oid{1043}, "varchar", PhysicalType::kString, -1, 'i', 'b', ',', Oid{0}, Oid{1015}, VarcharIn, TextOut,
     VarcharReceive, TextSend, VarcharTypmodIn, LengthTypmodOut, TextCompare, TextHash},
    {Oid{1042}, "bpchar", PhysicalType::kString, -1, 'i', 'b', ',', Oid{0}, Oid{1014}, BpcharIn, TextOut,
     BpcharReceive, TextSend, BpcharTypmodIn, LengthTypmodOut, BpcharCompare, BpcharHash},
    {Oid{19}, "name", PhysicalType::kString, 64, 'c', 'b', ',', Oid{18}, Oid{1003}, NameIn, TextOut,
     NameReceive, TextSend, nullptr, nullptr, TextCompare, TextHash},
    {Oid{17}, "bytea", PhysicalType::kString, -1, 'i', 'b', ',', Oid{0}, Oid{1001}, ByteaIn, ByteaOut,
     ByteaReceive, TextOut, nullptr, nullptr, TextCompare, TextHash},
    CatalogOnly(194, "pg_node_tree", TextOut),
    CatalogOnly(3361, "pg_ndistinct", TextOut),
    CatalogOnly(3402, "pg_dependencies", TextOut),
    CatalogOnly(5017, "pg_mcv_list", ByteaOut),
    {Oid{705}, "unknown", PhysicalType::kString, -2, 'c', 'p', ',', Oid{0}, Oid{0}, TextIn, TextOut,
     TextReceive, TextSend, nullptr, nullptr, nullptr, nullptr},
    {Oid{2275}, "cstring", PhysicalType::kString, -2, 'c', 'p', ',', Oid{0}, Oid{1263}, TextIn, TextOut,
     TextReceive, TextSend, nullptr, nullptr, nullptr, nullptr},
};

}  // namespace

std::span<const TypeDescriptor> TextTypes() { return kTypes; }

}  // namespace walden
