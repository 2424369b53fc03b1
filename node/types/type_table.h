// The built-in types: one TypeDescriptor each, found by OID in O(1).
//
// Functions are plain and re-entrant; what they return points into the arena of their TypeIo (or into their
// arguments). Bad input throws SqlError with PostgreSQL's SQLSTATE and message. Types made by CREATE TYPE (enums,
// domains, composites and their arrays) come from a resolver that the catalog installs once per process.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "node/base/arena.h"
#include "node/base/ids.h"
#include "node/types/text_format.h"
#include "node/types/value.h"

namespace walden {

// OIDs that code needs by name. The table itself is type_table.cpp.
namespace type_oid {
inline constexpr Oid kBool{16}, kBytea{17}, kChar{18}, kName{19}, kInt8{20}, kInt2{21}, kInt2Vector{22},
    kInt4{23}, kRegProc{24}, kText{25}, kOid{26}, kTid{27}, kXid{28}, kCid{29}, kOidVector{30}, kJson{114},
    kPgNodeTree{194}, kFloat4{700}, kFloat8{701}, kUnknown{705}, kMoney{790}, kAclItem{1033}, kBpchar{1042},
    kVarchar{1043}, kDate{1082}, kTime{1083}, kTimestamp{1114}, kTimestampTz{1184}, kInterval{1186},
    kTimeTz{1266}, kBit{1560}, kVarbit{1562}, kNumeric{1700}, kRefCursor{1790}, kRegProcedure{2202},
    kRegOper{2203}, kRegOperator{2204}, kRegClass{2205}, kRegType{2206}, kRecord{2249}, kCString{2275},
    kAny{2276}, kAnyArray{2277}, kVoid{2278}, kTrigger{2279}, kInternal{2281}, kAnyElement{2283},
    kAnyNonArray{2776}, kUuid{2950}, kPgLsn{3220}, kAnyEnum{3500}, kJsonb{3802}, kRegConfig{3734},
    kRegDictionary{3769}, kRegNamespace{4089}, kRegRole{4096}, kRegCollation{4191}, kXid8{5069},
    kTextArray{1009}, kInt4Array{1007}, kOidArray{1028}, kNameArray{1003}, kCharArray{1002},
    kAclItemArray{1034}, kRecordArray{2287}, kCStringArray{1263};
}  // namespace type_oid

// What the object identifier types need from the catalog to turn names into OIDs and back. Installed by the session;
// without one only numeric text is accepted and printed.
class ObjectNames {
 public:
  virtual ~ObjectNames() = default;
  // `type` is the reg* type (regclass, regtype, ...). Throws as PostgreSQL (42P01, 42704, 42883 ...) when the name
  // does not exist. `text` is as the user wrote it: possibly quoted and qualified.
  virtual Oid Find(Oid type, std::string_view text) = 0;
  // As Find, but Oid::kInvalid for a missing object (to_regclass and friends).
  virtual Oid FindOrInvalid(Oid type, std::string_view text) = 0;
  // The text form, in `arena`; the number itself when no such object exists, "-" for OID 0.
  virtual std::string_view Name(Oid type, Oid object, Arena& arena) = 0;
  // Role name <-> OID, for aclitem. FindRole throws 42704.
  virtual Oid FindRole(std::string_view name) = 0;
  virtual std::string_view RoleName(Oid role, Arena& arena) = 0;
  // Enum labels. EnumValue throws 22P02 for an unknown label.
  virtual Oid EnumValue(Oid enum_type, std::string_view label) = 0;
  virtual std::string_view EnumLabel(Oid enum_value, Arena& arena) = 0;
  virtual int CompareEnum(Oid a, Oid b) = 0;
};

struct TypeDescriptor;

// What an input or output function may use. Cheap to make on the stack.
struct TypeIo {
  Arena& arena;
  const TextFormat& format;
  ObjectNames* names = nullptr;
  const TypeDescriptor* type = nullptr;  // the type being read or written; arrays find their element here
  int32_t typmod = -1;
};

using InputFunction = void (*)(std::string_view text, TypeIo& io, Datum* result);
using OutputFunction = void (*)(const Datum& value, TypeIo& io, std::string* to);  // appends
using ReceiveFunction = void (*)(std::string_view bytes, TypeIo& io, Datum* result);
using SendFunction = void (*)(const Datum& value, TypeIo& io, std::string* to);  // appends
// From type modifiers as written, varchar(10) => {"10"}, to typmod.
using TypmodInFunction = int32_t (*)(std::span<const std::string_view> modifiers);
// Appends "(10)".
using TypmodOutFunction = void (*)(int32_t typmod, std::string* to);
// Three-way btree order; NaN and infinities as PostgreSQL orders them. `collation` is reserved for ICU collations.
using CompareFunction = int (*)(const Datum& a, const Datum& b, const void* collation);
// Values that compare equal hash equal.
using HashFunction = uint64_t (*)(const Datum& value);

struct TypeDescriptor {
  Oid oid;
  std::string_view name;
  PhysicalType physical;
  int16_t length;  // pg_type.typlen
  char align;      // c, s, i, d
  char kind;       // b base, c composite, d domain, e enum, p pseudo, r range
  char delimiter;  // between array elements
  Oid element;     // of true arrays, oidvector, int2vector
  Oid array;
  InputFunction input;
  OutputFunction output;
  ReceiveFunction receive;  // null: no binary form
  SendFunction send;
  TypmodInFunction typmod_in;    // null: the type takes no modifier
  TypmodOutFunction typmod_out;  // null: as typmod_in
  CompareFunction compare;       // null: the type has no order
  HashFunction hash;             // null: not hashable
};

// Null when there is no such type.
const TypeDescriptor* FindType(Oid oid);
// As FindType, but throws XX000 "cache lookup failed for type n".
const TypeDescriptor& TypeOf(Oid oid);
std::span<const TypeDescriptor> BuiltinTypes();
// Answers for OIDs that are not built in; descriptors must stay valid until the statement ends.
using TypeResolver = const TypeDescriptor* (*)(Oid oid);
void SetTypeResolver(TypeResolver resolver);

// Arrays in array.h's form: int4[] and the like, oidvector, int2vector.
inline bool IsArrayType(const TypeDescriptor& type) {
  return IsValid(type.element) && type.length == -1 && type.kind == 'b';
}

// Convenience for code that is not hot.
Datum ParseText(const TypeDescriptor& type, std::string_view text, TypeIo io);
std::string_view FormatText(const TypeDescriptor& type, const Datum& value, TypeIo io);

// A session's default TextFormat for code without one (catalog bootstrap, tests).
const TextFormat& DefaultTextFormat();

}  // namespace walden
