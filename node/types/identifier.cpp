#include "node/types/identifier.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "node/base/error.h"
#include "node/types/array.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/text.h"
#include "node/types/wire.h"

namespace walden {

// As strtoul() does: white space and a sign before the digits. What follows the closing bracket is not looked at.
int64_t ParseTid(std::string_view text) {
  std::string copy(text);
  const char* at = copy.c_str();
  auto number = [&](char delimiter) {
    char* end;
    errno = 0;
    uint64_t value = std::strtoul(at, &end, 10);
    if (errno != 0 || *end != delimiter) ThrowInvalidSyntax("tid", text);
    at = end + 1;
    return value;
  };
  size_t open = copy.find('(');
  if (open == copy.npos) ThrowInvalidSyntax("tid", text);
  at += open + 1;
  uint64_t block = number(','), offset = number(')');
  auto as_signed = static_cast<int64_t>(block);
  bool block_fits = block <= UINT32_MAX || (as_signed < 0 && as_signed >= INT32_MIN);
  if (!block_fits || offset > UINT16_MAX) ThrowInvalidSyntax("tid", text);
  return PackTid({static_cast<uint32_t>(block), static_cast<uint16_t>(offset)});
}

uint64_t ParseLsn(std::string_view text) {
  size_t slash = text.find('/');
  uint32_t high = 0, low = 0;
  if (slash == text.npos || slash == 0 || slash > 8 || text.size() - slash - 1 > 8)
    ThrowInvalidSyntax("pg_lsn", text);
  const char* middle = text.data() + slash;
  const char* end = text.data() + text.size();
  auto first = std::from_chars(text.data(), middle, high, 16);
  auto second = std::from_chars(middle + 1, end, low, 16);
  if (first.ec != std::errc() || first.ptr != middle || second.ec != std::errc() || second.ptr != end) {
    ThrowInvalidSyntax("pg_lsn", text);
  }
  return (uint64_t{high} << 32) | low;
}

void AppendLsn(std::string* to, uint64_t lsn) {
  to->append(fmt::format("{:X}/{:X}", static_cast<uint32_t>(lsn >> 32), static_cast<uint32_t>(lsn)));
}

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <class T>
int Order(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace

// Braces around it and a hyphen after each group of four digits are allowed.
UuidValue ParseUuid(std::string_view text) {
  std::string_view rest = text;
  if (rest.size() >= 2 && rest.front() == '{' && rest.back() == '}') rest = rest.substr(1, rest.size() - 2);
  UuidValue uuid;
  for (int i = 0; i < 16; ++i) {
    if (rest.size() < 2 || HexDigit(rest[0]) < 0 || HexDigit(rest[1]) < 0) ThrowInvalidSyntax("uuid", text);
    uuid.bytes[i] = static_cast<uint8_t>(HexDigit(rest[0]) * 16 + HexDigit(rest[1]));
    rest.remove_prefix(2);
    if (i % 2 == 1 && i < 15 && !rest.empty() && rest[0] == '-') rest.remove_prefix(1);
  }
  if (!rest.empty()) ThrowInvalidSyntax("uuid", text);
  return uuid;
}

void AppendUuid(std::string* to, const UuidValue& uuid) {
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) to->push_back('-');
    AppendHex(to, {reinterpret_cast<const char*>(uuid.bytes) + i, 1});
  }
}

int CompareUuid(const UuidValue& a, const UuidValue& b) {
  int order = std::memcmp(a.bytes, b.bytes, 16);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

AclItem LoadAclItem(std::string_view bytes) {
  return {Oid{Load<uint32_t>(bytes.data())}, Oid{Load<uint32_t>(bytes.data() + 4)},
          Load<uint32_t>(bytes.data() + 8)};
}

std::string_view StoreAclItem(const AclItem& item, Arena& arena) {
  char* to = static_cast<char*>(arena.Allocate(kAclItemBytes));
  Store<uint32_t>(to, OidNumber(item.grantee));
  Store<uint32_t>(to + 4, OidNumber(item.grantor));
  Store<uint32_t>(to + 8, item.rights);
  return {to, kAclItemBytes};
}

namespace {

uint32_t Unsigned(const Datum& v) { return static_cast<uint32_t>(v.i32); }
uint64_t Unsigned64(const Datum& v) { return static_cast<uint64_t>(v.i64); }

void OidIn(std::string_view text, TypeIo&, Datum* to) {
  to->i32 = static_cast<int32_t>(ParseUint32(text, "oid"));
}
// Whatever digits it begins with, octal and hexadecimal ones too.
uint64_t LeadingDigits(std::string_view text) { return std::strtoul(std::string(text).c_str(), nullptr, 0); }
// xid and cid.
void XidIn(std::string_view text, TypeIo&, Datum* to) {
  to->i32 = static_cast<int32_t>(static_cast<uint32_t>(LeadingDigits(text)));
}
void OidOut(const Datum& v, TypeIo&, std::string* to) { AppendUint(to, Unsigned(v)); }
void OidReceive(std::string_view bytes, TypeIo&, Datum* to) { to->i32 = WireReader(bytes).TakeInt32(); }
void OidSend(const Datum& v, TypeIo&, std::string* to) { AppendBig<uint32_t>(to, Unsigned(v)); }
int OidCompare(const Datum& a, const Datum& b, const void*) { return Order(Unsigned(a), Unsigned(b)); }
uint64_t OidHash(const Datum& v) { return HashInteger(Unsigned(v)); }

void Xid8In(std::string_view text, TypeIo&, Datum* to) {
  to->i64 = static_cast<int64_t>(LeadingDigits(text));
}
void Xid8Out(const Datum& v, TypeIo&, std::string* to) { AppendUint(to, Unsigned64(v)); }
void Word8Receive(std::string_view bytes, TypeIo&, Datum* to) { to->i64 = WireReader(bytes).TakeInt64(); }
void Word8Send(const Datum& v, TypeIo&, std::string* to) { AppendBig<uint64_t>(to, Unsigned64(v)); }
int Word8Compare(const Datum& a, const Datum& b, const void*) { return Order(Unsigned64(a), Unsigned64(b)); }
uint64_t Word8Hash(const Datum& v) { return HashInteger(Unsigned64(v)); }

void LsnIn(std::string_view text, TypeIo&, Datum* to) { to->i64 = static_cast<int64_t>(ParseLsn(text)); }
void LsnOut(const Datum& v, TypeIo&, std::string* to) { AppendLsn(to, Unsigned64(v)); }

void TidIn(std::string_view text, TypeIo&, Datum* to) { to->i64 = ParseTid(text); }
void TidOut(const Datum& v, TypeIo&, std::string* to) {
  TupleId tid = UnpackTid(v.i64);
  to->push_back('(');
  AppendUint(to, tid.block);
  to->push_back(',');
  AppendUint(to, tid.offset);
  to->push_back(')');
}
void TidReceive(std::string_view bytes, TypeIo&, Datum* to) {
  WireReader reader(bytes);
  uint32_t block = reader.Take<uint32_t>();
  to->i64 = PackTid({block, reader.Take<uint16_t>()});
}
void TidSend(const Datum& v, TypeIo&, std::string* to) {
  AppendBig<uint32_t>(to, UnpackTid(v.i64).block);
  AppendBig<uint16_t>(to, UnpackTid(v.i64).offset);
}

void UuidIn(std::string_view text, TypeIo&, Datum* to) { to->uuid = ParseUuid(text); }
void UuidOut(const Datum& v, TypeIo&, std::string* to) { AppendUuid(to, v.uuid); }
void UuidReceive(std::string_view bytes, TypeIo&, Datum* to) {
  std::memcpy(to->uuid.bytes, WireReader(bytes).TakeBytes(16).data(), 16);
}
void UuidSend(const Datum& v, TypeIo&, std::string* to) {
  to->append(reinterpret_cast<const char*>(v.uuid.bytes), 16);
}
int UuidCompare(const Datum& a, const Datum& b, const void*) { return CompareUuid(a.uuid, b.uuid); }
uint64_t UuidHash(const Datum& v) { return HashBytes({reinterpret_cast<const char*>(v.uuid.bytes), 16}); }

// --- aclitem ---------------------------------------------------------------------------------------------------

ObjectNames& Names(TypeIo& io) {
  if (io.names == nullptr) throw NotSupported("aclitem outside a session");
  return *io.names;
}

// A role name, possibly in double quotes, at the front of *text.
std::string TakeRoleName(std::string_view* text) {
  std::string name;
  bool quoted = false;
  while (!text->empty()) {
    char c = text->front();
    if (c == '"') {
      if (quoted && text->size() > 1 && (*text)[1] == '"') {
        name.push_back('"');
        text->remove_prefix(2);
        continue;
      }
      quoted = !quoted;
    } else if (!quoted && (c == '=' || c == '/' || c == ' ')) {
      break;
    } else {
      name.push_back(c);
    }
    text->remove_prefix(1);
  }
  return name;
}

void AclItemIn(std::string_view text, TypeIo& io, Datum* to) {
  std::string_view rest = TrimSpace(text);
  std::string grantee = TakeRoleName(&rest);
  AclItem item{Oid::kInvalid, Oid::kInvalid, 0};
  if (grantee == "user" || grantee == "group") {
    rest = TrimSpace(rest);
    grantee = TakeRoleName(&rest);
  }
  if (!grantee.empty()) item.grantee = Names(io).FindRole(grantee);
  if (rest.empty() || rest.front() != '=') {
    throw SqlError(ErrorCode::kInvalidTextRepresentation, "missing \"=\" sign");
  }
  rest.remove_prefix(1);
  uint32_t last = 0;
  while (!rest.empty() && rest.front() != '/' && rest.front() != ' ') {
    char letter = rest.front();
    rest.remove_prefix(1);
    if (letter == '*') {
      item.rights |= last << 16;
      continue;
    }
    size_t bit = kAclLetters.find(letter);
    if (bit == std::string_view::npos) {
      throw SqlError(ErrorCode::kInvalidTextRepresentation, "invalid mode character: must be one of \"{}\"",
                     kAclLetters);
    }
    last = uint32_t{1} << bit;
    item.rights |= last;
  }
  if (!rest.empty() && rest.front() == '/') {
    rest.remove_prefix(1);
    std::string grantor = TakeRoleName(&rest);
    if (grantor.empty()) {
      throw SqlError(ErrorCode::kInvalidTextRepresentation, "a name must follow the \"/\" sign");
    }
    item.grantor = Names(io).FindRole(grantor);
  } else {
    item.grantor = Oid{10};
  }
  std::string_view stored = StoreAclItem(item, io.arena);
  to->string = {stored.data(), stored.size()};
}

void AppendRole(Oid role, TypeIo& io, std::string* to) {
  std::string_view name;
  if (io.names != nullptr) name = io.names->RoleName(role, io.arena);
  if (name.empty()) {
    AppendUint(to, OidNumber(role));
    return;
  }
  bool safe = true;
  for (char c : name) {
    safe &= c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
  if (!safe) to->push_back('"');
  for (char c : name) {
    if (c == '"') to->push_back('"');
    to->push_back(c);
  }
  if (!safe) to->push_back('"');
}

void AclItemOut(const Datum& v, TypeIo& io, std::string* to) {
  AclItem item = LoadAclItem(v.string.view());
  if (IsValid(item.grantee)) AppendRole(item.grantee, io, to);
  to->push_back('=');
  for (size_t bit = 0; bit < kAclLetters.size(); ++bit) {
    if ((item.rights >> bit) & 1) to->push_back(kAclLetters[bit]);
    if ((item.rights >> (bit + 16)) & 1) to->push_back('*');
  }
  to->push_back('/');
  AppendRole(item.grantor, io, to);
}
int AclItemCompare(const Datum& a, const Datum& b, const void*) {
  return CompareBytes(a.string.view(), b.string.view());
}
uint64_t AclItemHash(const Datum& v) { return HashBytes(v.string.view()); }

constexpr TypeDescriptor Word4(uint32_t oid, std::string_view name, uint32_t array, InputFunction input) {
  return {Oid{oid}, name,   PhysicalType::kInt32, 4,       'i',     'b',     ',',        Oid{0}, Oid{array},
          input,    OidOut, OidReceive,           OidSend, nullptr, nullptr, OidCompare, OidHash};
}

constexpr TypeDescriptor kTypes[] = {
    Word4(26, "oid", 1028, OidIn),
    Word4(28, "xid", 1011, XidIn),
    Word4(29, "cid", 1012, XidIn),
    {Oid{5069}, "xid8", PhysicalType::kInt64, 8, 'd', 'b', ',', Oid{0}, Oid{271}, Xid8In, Xid8Out,
     Word8Receive, Word8Send, nullptr, nullptr, Word8Compare, Word8Hash},
    {Oid{3220}, "pg_lsn", PhysicalType::kInt64, 8, 'd', 'b', ',', Oid{0}, Oid{3221}, LsnIn, LsnOut,
     Word8Receive, Word8Send, nullptr, nullptr, Word8Compare, Word8Hash},
    {Oid{27}, "tid", PhysicalType::kInt64, 6, 's', 'b', ',', Oid{0}, Oid{1010}, TidIn, TidOut, TidReceive,
     TidSend, nullptr, nullptr, Word8Compare, Word8Hash},
    {Oid{2950}, "uuid", PhysicalType::kFixed16, 16, 'c', 'b', ',', Oid{0}, Oid{2951}, UuidIn, UuidOut,
     UuidReceive, UuidSend, nullptr, nullptr, UuidCompare, UuidHash},
    {Oid{1033}, "aclitem", PhysicalType::kString, 12, 'i', 'b', ',', Oid{0}, Oid{1034}, AclItemIn, AclItemOut,
     nullptr, nullptr, nullptr, nullptr, AclItemCompare, AclItemHash},
};

// --- reg* ------------------------------------------------------------------------------------------------------

bool IsNumber(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

void RegIn(std::string_view text, TypeIo& io, Datum* to) {
  if (text == "-") {
    to->i32 = 0;
  } else if (IsNumber(text)) {
    to->i32 = static_cast<int32_t>(ParseUint32(text, "oid"));
  } else if (io.names == nullptr) {
    throw NotSupported("a name in an object identifier outside a session");
  } else {
    to->i32 = static_cast<int32_t>(OidNumber(io.names->Find(io.type->oid, text)));
  }
}
void RegOut(const Datum& v, TypeIo& io, std::string* to) {
  if (v.i32 == 0) {
    to->push_back('-');
  } else if (io.names == nullptr || io.type == nullptr) {
    AppendUint(to, Unsigned(v));
  } else {
    to->append(io.names->Name(io.type->oid, Oid{Unsigned(v)}, io.arena));
  }
}

constexpr TypeDescriptor Reg(uint32_t oid, std::string_view name, uint32_t array) {
  return {Oid{oid}, name,   PhysicalType::kInt32, 4,       'i',     'b',     ',',        Oid{0}, Oid{array},
          RegIn,    RegOut, OidReceive,           OidSend, nullptr, nullptr, OidCompare, OidHash};
}

constexpr TypeDescriptor kRegTypes[] = {
    Reg(24, "regproc", 1008),       Reg(2202, "regprocedure", 2207),  Reg(2203, "regoper", 2208),
    Reg(2204, "regoperator", 2209), Reg(2205, "regclass", 2210),      Reg(2206, "regtype", 2211),
    Reg(3734, "regconfig", 3735),   Reg(3769, "regdictionary", 3770), Reg(4089, "regnamespace", 4090),
    Reg(4096, "regrole", 4097),     Reg(4191, "regcollation", 4192),
};

// --- pseudo-types ----------------------------------------------------------------------------------------------

void PseudoIn(std::string_view, TypeIo& io, Datum*) {
  throw SqlError(ErrorCode::kFeatureNotSupported, "cannot accept a value of type {}", io.type->name);
}
void PseudoOut(const Datum&, TypeIo& io, std::string*) {
  throw SqlError(ErrorCode::kFeatureNotSupported, "cannot display a value of type {}", io.type->name);
}
void VoidIn(std::string_view, TypeIo&, Datum* to) { to->string = {"", 0}; }
void VoidOut(const Datum&, TypeIo&, std::string*) {}

constexpr TypeDescriptor Pseudo(uint32_t oid, std::string_view name, int16_t length = 4, uint32_t array = 0,
                                PhysicalType physical = PhysicalType::kInt32) {
  return {Oid{oid},  name,    physical, length,     length == 8 || length == -1 ? 'd' : 'i',
          'p',       ',',     Oid{0},   Oid{array}, PseudoIn,
          PseudoOut, nullptr, nullptr,  nullptr,    nullptr,
          nullptr,   nullptr};
}

constexpr TypeDescriptor kPseudoTypes[] = {
    {Oid{2278}, "void", PhysicalType::kString, 4, 'i', 'p', ',', Oid{0}, Oid{0}, VoidIn, VoidOut, VoidIn,
     VoidOut, nullptr, nullptr, nullptr, nullptr},
    Pseudo(2276, "any"),
    Pseudo(2281, "internal", 8, 0, PhysicalType::kInt64),
    Pseudo(2283, "anyelement"),
    // Catalogs have columns of it (pg_attribute.attmissingval): a value says itself what its elements are.
    {Oid{2277}, "anyarray", PhysicalType::kString, -1, 'd', 'p', ',', Oid{0}, Oid{0}, PseudoIn, ArrayOut,
     nullptr, ArraySend, nullptr, nullptr, nullptr, nullptr},
    Pseudo(2776, "anynonarray"),
    Pseudo(3500, "anyenum"),
    Pseudo(3831, "anyrange", -1, 0, PhysicalType::kString),
    Pseudo(4537, "anymultirange", -1, 0, PhysicalType::kString),
    Pseudo(5077, "anycompatible"),
    Pseudo(5078, "anycompatiblearray", -1, 0, PhysicalType::kString),
    Pseudo(5079, "anycompatiblenonarray"),
    Pseudo(5080, "anycompatiblerange", -1, 0, PhysicalType::kString),
    Pseudo(4538, "anycompatiblemultirange", -1, 0, PhysicalType::kString),
    Pseudo(2279, "trigger"),
    Pseudo(3838, "event_trigger"),
    Pseudo(2280, "language_handler"),
    Pseudo(3115, "fdw_handler"),
    Pseudo(325, "index_am_handler"),
    Pseudo(269, "table_am_handler"),
    Pseudo(3310, "tsm_handler"),
    Pseudo(32, "pg_ddl_command", 8, 0, PhysicalType::kInt64),
};

}  // namespace

std::span<const TypeDescriptor> IdentifierTypes() { return kTypes; }
std::span<const TypeDescriptor> RegTypes() { return kRegTypes; }
std::span<const TypeDescriptor> PseudoTypes() { return kPseudoTypes; }

}  // namespace walden
