// Order and equality of text, name, bpchar, bytea, uuid; concatenation; length conversions. Collations compare bytes (C.UTF-8).
#include "node/sql/functions/comparison.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/hash.h"
#include "node/types/identifier.h"
#include "node/types/text.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

using View = std::string_view;

int TextOrder(View a, View b) { return CompareBytes(a, b); }
int BpcharOrder(View a, View b) { return CompareBytes(TrimTrailingSpaces(a), TrimTrailingSpaces(b)); }
int UuidOrder(UuidValue a, UuidValue b) { return CompareUuid(a, b); }
bool TextEq(View a, View b) { return a == b; }
bool TextNe(View a, View b) { return a != b; }
using T = CompareBy<View, &TextOrder>;
using B = CompareBy<View, &BpcharOrder>;
using U = CompareBy<UuidValue, &UuidOrder>;

int32_t Hash(View a) { return static_cast<int32_t>(PgHashBytes(a)); }
int64_t HashExtended(View a, int64_t seed) {
  return static_cast<int64_t>(PgHashBytesExtended(a, static_cast<uint64_t>(seed)));
}
int32_t HashBpchar(View a) { return Hash(TrimTrailingSpaces(a)); }
int64_t HashBpcharExtended(View a, int64_t seed) { return HashExtended(TrimTrailingSpaces(a), seed); }
View UuidView(const UuidValue& a) { return {reinterpret_cast<const char*>(a.bytes), 16}; }
int32_t HashUuid(UuidValue a) { return Hash(UuidView(a)); }
int64_t HashUuidExtended(UuidValue a, int64_t seed) { return HashExtended(UuidView(a), seed); }

View Concatenate(CallContext& c, View a, View b) {
  char* to = static_cast<char*>(c.arena.Allocate(a.size() + b.size(), 1));
  if (!a.empty()) std::memcpy(to, a.data(), a.size());
  if (!b.empty()) std::memcpy(to + a.size(), b.data(), b.size());
  return {to, a.size() + b.size()};
}

View Same(View a) { return a; }
View ToName(View a) { return ClipName(a); }
View BpcharToText(View a) { return TrimTrailingSpaces(a); }
View BpcharToName(View a) { return ClipName(TrimTrailingSpaces(a)); }
View CharToText(CallContext& c, int8_t a) {
  std::string text;
  AppendText(c, type_oid::kChar, Datum{.i8 = a}, &text);
  return Keep(c, text);
}
View CharToBpchar(CallContext& c, int8_t a) {
  char byte = static_cast<char>(a);
  return Keep(c, {&byte, 1});
}
int8_t TextToChar(CallContext& c, View a) {
  TypeIo io = c.Io(type_oid::kChar);
  return ParseText(*io.type, a, io).i8;
}
View Varchar(View a, int32_t typmod, bool is_explicit) { return CoerceVarchar(a, typmod, is_explicit); }
View Bpchar(CallContext& c, View a, int32_t typmod, bool is_explicit) {
  return CoerceBpchar(a, typmod, is_explicit, c.arena);
}
int32_t Length(View a) { return static_cast<int32_t>(Utf8Count(a)); }
int32_t BpcharLength(View a) { return Length(TrimTrailingSpaces(a)); }
int32_t Bytes(View a) { return static_cast<int32_t>(a.size()); }
bool StartsWith(View a, View b) { return a.starts_with(b); }
View NameAndOid(CallContext& c, View name, uint32_t oid) {
  std::string suffix = "_" + std::to_string(oid);
  return Keep(c, std::string(Utf8Clip(name, kNameBytes - 1 - suffix.size())) + suffix);
}

#define COMPARISONS(Make, prefix, suffix, C)                                                            \
  Make<&C::Lt>(prefix "lt" suffix), Make<&C::Le>(prefix "le" suffix), Make<&C::Gt>(prefix "gt" suffix), \
      Make<&C::Ge>(prefix "ge" suffix)

constexpr ScalarFunction kTable[] = {
    Fast<&TextEq>("texteq"),
    Fast<&TextNe>("textne"),
    COMPARISONS(Fast, "text_", "", T),
    Scalar<&T::Order>("bttextcmp"),
    Scalar<&T::Larger>("text_larger"),
    Scalar<&T::Smaller>("text_smaller"),
    COMPARISONS(Scalar, "text_pattern_", "", T),
    Scalar<&T::Order>("bttext_pattern_cmp"),
    Fast<&TextEq>("nameeq"),
    Scalar<&TextNe>("namene"),
    COMPARISONS(Scalar, "name", "", T),
    Scalar<&T::Order>("btnamecmp"),
    Scalar<&TextEq>("nameeqtext"),
    Scalar<&TextNe>("namenetext"),
    COMPARISONS(Scalar, "name", "text", T),
    Scalar<&T::Order>("btnametextcmp"),
    Scalar<&TextEq>("texteqname"),
    Scalar<&TextNe>("textnename"),
    COMPARISONS(Scalar, "text", "name", T),
    Scalar<&T::Order>("bttextnamecmp"),
    Scalar<&B::Eq>("bpchareq"),
    Scalar<&B::Ne>("bpcharne"),
    COMPARISONS(Scalar, "bpchar", "", B),
    Scalar<&B::Order>("bpcharcmp"),
    Scalar<&B::Larger>("bpchar_larger"),
    Scalar<&B::Smaller>("bpchar_smaller"),
    COMPARISONS(Scalar, "bpchar_pattern_", "", B),
    Scalar<&B::Order>("btbpchar_pattern_cmp"),
    Scalar<&TextEq>("byteaeq"),
    Scalar<&TextNe>("byteane"),
    COMPARISONS(Scalar, "bytea", "", T),
    Scalar<&T::Order>("byteacmp"),
    Scalar<&U::Eq>("uuid_eq"),
    Scalar<&U::Ne>("uuid_ne"),
    COMPARISONS(Scalar, "uuid_", "", U),
    Scalar<&U::Order>("uuid_cmp"),
    Scalar<&Hash>("hashtext"),
    Scalar<&HashExtended>("hashtextextended"),
    Scalar<&Hash>("hashname"),
    Scalar<&HashExtended>("hashnameextended"),
    Scalar<&Hash>("hashvarlena"),
    Scalar<&HashExtended>("hashvarlenaextended"),
    Scalar<&HashBpchar>("hashbpchar"),
    Scalar<&HashBpcharExtended>("hashbpcharextended"),
    Scalar<&HashUuid>("uuid_hash"),
    Scalar<&HashUuidExtended>("uuid_hash_extended"),
    Scalar<&Concatenate>("textcat"),
    Scalar<&Concatenate>("byteacat"),
    Scalar<&Same>("name_text"),
    Scalar<&ToName>("text_name"),
    Scalar<&BpcharToText>("rtrim1"),
    Scalar<&BpcharToName>("bpchar_name"),
    Scalar<&Same>("name_bpchar"),
    Scalar<&CharToText>("char_text"),
    Scalar<&CharToBpchar>("char_bpchar"),
    Scalar<&TextToChar>("text_char"),
    Scalar<&Varchar>("varchar"),
    Scalar<&Bpchar>("bpchar"),
    Scalar<&Length>("textlen"),
    Scalar<&BpcharLength>("bpcharlen"),
    Scalar<&Bytes>("textoctetlen"),
    Scalar<&Bytes>("bpcharoctetlen"),
    Scalar<&Bytes>("byteaoctetlen"),
    Scalar<&StartsWith>("text_starts_with"),
    Scalar<&NameAndOid>("nameconcatoid"),
};

}  // namespace

std::span<const ScalarFunction> TextCompareFunctions() { return kTable; }

}  // namespace walden
