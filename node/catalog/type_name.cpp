#include "node/catalog/type_name.h"

#include "node/catalog/builtin.h"
#include "node/catalog/namespace.h"
#include "node/catalog/syscache.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

struct SqlName {
  Oid type;
  std::string_view before;  // the modifier stands between the two
  std::string_view after;
};
// Types that SQL calls otherwise than pg_type does.
constexpr SqlName kSqlNames[] = {
    {type_oid::kBool, "boolean", ""},
    {type_oid::kInt2, "smallint", ""},
    {type_oid::kInt4, "integer", ""},
    {type_oid::kInt8, "bigint", ""},
    {type_oid::kFloat4, "real", ""},
    {type_oid::kFloat8, "double precision", ""},
    {type_oid::kNumeric, "numeric", ""},
    {type_oid::kBit, "bit", ""},
    {type_oid::kVarbit, "bit varying", ""},
    {type_oid::kVarchar, "character varying", ""},
    {type_oid::kBpchar, "character", ""},
    {type_oid::kInterval, "interval", ""},
    {type_oid::kTime, "time", " without time zone"},
    {type_oid::kTimeTz, "time", " with time zone"},
    {type_oid::kTimestamp, "timestamp", " without time zone"},
    {type_oid::kTimestampTz, "timestamp", " with time zone"},
    {type_oid::kChar, "\"char\"", ""},
};

std::string Modifier(Oid type, int32_t typmod) {
  if (typmod < 0) return "";
  const TypeDescriptor* descriptor = FindType(type);
  std::string text;
  if (descriptor != nullptr && descriptor->typmod_out != nullptr) descriptor->typmod_out(typmod, &text);
  return text;
}

std::string FormatBase(Oid type, int32_t typmod, bool always_qualify, bool knows_typmod) {
  for (const SqlName& name : kSqlNames) {
    if (name.type != type) continue;
    if (knows_typmod && typmod < 0 && type == type_oid::kBpchar) return "bpchar";
    if (knows_typmod && typmod < 0 && type == type_oid::kBit) return "\"bit\"";
    return std::string(name.before) + Modifier(type, typmod) + std::string(name.after);
  }
  if (const BuiltinType* builtin = FindBuiltinType(type); builtin != nullptr && !always_qualify) {
    return QuoteIdentifier(builtin->name) + Modifier(type, typmod);
  }
  RowRef<PgTypeRow> row = TypeRow(type);
  if (!row) return "???";
  std::string text = QuoteIdentifier(row->typname);
  if (always_qualify || !TypeIsVisible(type))
    text = QuoteIdentifier(SchemaName(row->typnamespace)) + "." + text;
  return text + Modifier(type, typmod);
}

Oid ElementOfTrueArray(Oid type) {
  if (const BuiltinType* builtin = FindBuiltinType(type)) {
    return builtin->category == 'A' && builtin->length == -1 && builtin->storage != 'p' ? builtin->element
                                                                                        : Oid::kInvalid;
  }
  RowRef<PgTypeRow> row = TypeRow(type);
  return row && row->typcategory == 'A' && row->typlen == -1 && row->typstorage != 'p' ? row->typelem
                                                                                       : Oid::kInvalid;
}

std::string Format(Oid type, int32_t typmod, bool always_qualify, bool knows_typmod) {
  if (!IsValid(type)) return "-";
  Oid element = ElementOfTrueArray(type);
  if (IsValid(element)) return FormatBase(element, typmod, always_qualify, knows_typmod) + "[]";
  return FormatBase(type, typmod, always_qualify, knows_typmod);
}

}  // namespace

std::string FormatType(Oid type, int32_t typmod) { return Format(type, typmod, false, false); }
std::string FormatTypeWithTypmod(Oid type, int32_t typmod) { return Format(type, typmod, false, true); }
std::string FormatTypeQualified(Oid type) { return Format(type, -1, true, false); }

std::string FormatFunctionSignature(Oid function) {
  RowRef<PgProcRow> row = FunctionRow(function);
  if (!row) return std::to_string(OidNumber(function));
  std::string text = QuoteIdentifier(row->proname);
  if (!FunctionIsVisible(function)) text = QuoteIdentifier(SchemaName(row->pronamespace)) + "." + text;
  std::string args;
  for (Oid type : row->proargtypes) args += (args.empty() ? "" : ",") + FormatType(type);
  return text + "(" + args + ")";
}

std::string FormatOperatorSignature(Oid op) {
  RowRef<PgOperatorRow> row = OperatorRow(op);
  if (!row) return std::to_string(OidNumber(op));
  std::string text = row->oprname;
  if (!OperatorIsVisible(op)) text = QuoteIdentifier(SchemaName(row->oprnamespace)) + "." + text;
  auto side = [](Oid type) { return IsValid(type) ? FormatType(type) : std::string("NONE"); };
  return text + "(" + side(row->oprleft) + "," + side(row->oprright) + ")";
}

}  // namespace walden
