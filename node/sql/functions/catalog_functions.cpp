// Functions over the catalogs: names, visibility, comments, schemas.
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/rows/pg_description.h"
#include "node/catalog/rows/pg_opclass.h"
#include "node/catalog/rows/pg_opfamily.h"
#include "node/catalog/rows/pg_shdescription.h"
#include "node/catalog/syscache.h"
#include "node/catalog/type_name.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/object_names.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/datetime.h"
#include "node/types/encoding.h"
#include "node/types/keyword.h"
#include "node/types/text.h"
#include "node/types/timezone.h"

namespace walden {
namespace {

using View = std::string_view;
using Maybe = std::optional<View>;

Maybe FormatTypeText(CallContext& c, std::optional<Oid> type, std::optional<int32_t> typmod) {
  if (!type) return std::nullopt;
  return Keep(c, typmod ? FormatTypeWithTypmod(*type, *typmod) : FormatType(*type));
}
View UserName(CallContext& c, Oid role) {
  auto row = RoleRow(role);
  return Keep(c, row == nullptr ? fmt::format("unknown (OID={})", OidNumber(role)) : row->rolname);
}

// --- Visibility: null for what does not exist --------------------------------------------------------------------

using MaybeBool = std::optional<bool>;
MaybeBool TableVisible(Oid oid) { return ClassRow(oid) == nullptr ? MaybeBool() : RelationIsVisible(oid); }
MaybeBool TypeVisible(Oid oid) { return TypeRow(oid) == nullptr ? MaybeBool() : TypeIsVisible(oid); }
MaybeBool FunctionVisible(Oid oid) {
  return FunctionRow(oid) == nullptr ? MaybeBool() : FunctionIsVisible(oid);
}
MaybeBool OperatorVisible(Oid oid) {
  return OperatorRow(oid) == nullptr ? MaybeBool() : OperatorIsVisible(oid);
}
MaybeBool CollationVisible(Oid oid) {
  auto row = CollationRow(oid);
  if (row == nullptr) return std::nullopt;
  return FindCollation(CatalogName{"", "", row->collname}, true) == oid;
}
bool InSearchPath(Oid schema) {
  for (Oid searched : SearchPath()) {
    if (searched == schema) return true;
  }
  return false;
}
MaybeBool OpclassVisible(Oid oid) {
  auto row = FindRow<PgOpclassRow>(catalog_index::kPgOpclassOidIndex, {oid});
  return row == nullptr ? MaybeBool() : InSearchPath(row->opcnamespace);
}
MaybeBool OpfamilyVisible(Oid oid) {
  auto row = FindRow<PgOpfamilyRow>(catalog_index::kPgOpfamilyOidIndex, {oid});
  return row == nullptr ? MaybeBool() : InSearchPath(row->opfnamespace);
}
// Kinds of object that this product has none of beyond the built-in ones.
MaybeBool NothingVisible(Oid) { return std::nullopt; }

// --- Comments --------------------------------------------------------------------------------------------------

Maybe Comment(CallContext& c, Oid object, Oid catalog, int32_t column) {
  auto row = FindRow<PgDescriptionRow>(catalog_index::kPgDescriptionOCOIndex, {object, catalog, column});
  return row == nullptr ? Maybe() : Keep(c, row->description);
}
void ObjectComment(CallContext& c, std::span<const Value> args, Value* result) {
  Oid object{static_cast<uint32_t>(args[0].datum.i32)};
  Maybe text;
  if (args.size() > 1) {
    Oid catalog = FindRelation(CatalogName{"", "pg_catalog", std::string(args[1].datum.string.view())}, true);
    if (IsValid(catalog)) text = Comment(c, object, catalog, 0);
  } else {  // whatever the object is
    auto rows = FindRows<PgDescriptionRow>(catalog_index::kPgDescriptionOCOIndex, {object});
    for (const auto& row : *rows) {
      if (row->objsubid == 0) text = Keep(c, row->description);
    }
  }
  if (text) *result = Value{StringDatum(*text), false};
}
Maybe ColumnComment(CallContext& c, Oid relation, int32_t column) {
  return Comment(c, relation, catalog_oid::kPgClass, column);
}
Maybe SharedComment(CallContext& c, Oid object, View catalog_name) {
  Oid catalog = FindRelation(CatalogName{"", "pg_catalog", std::string(catalog_name)}, true);
  auto row = FindRow<PgShdescriptionRow>(catalog_index::kPgShdescriptionOCIndex, {object, catalog});
  return row == nullptr ? Maybe() : Keep(c, row->description);
}

// --- Names to OIDs ---------------------------------------------------------------------------------------------

template <uint32_t kType>
std::optional<Oid> ToReg(CallContext& c, View text) {
  if (c.session == nullptr) throw NotSupported("a name in an object identifier outside a session");
  Oid found = c.session->FindOrInvalid(Oid{kType}, text);
  return IsValid(found) ? std::optional<Oid>(found) : std::nullopt;
}
Oid TextToRegClass(CallContext& c, View text) {
  if (c.session == nullptr) throw NotSupported("a name in an object identifier outside a session");
  return c.session->Find(type_oid::kRegClass, text);
}

// --- Schemas ---------------------------------------------------------------------------------------------------

Maybe CurrentSchema(CallContext& c) {
  for (Oid schema : ActivePath(false)) {
    std::string name = SchemaName(schema);
    if (!name.empty()) return Keep(c, name);
  }
  return std::nullopt;
}
View CurrentSchemas(CallContext& c, bool implicit) {
  ArrayBuilder builder(type_oid::kName, PhysicalType::kString);
  for (Oid schema : ActivePath(implicit)) {
    std::string name = SchemaName(schema);
    if (!name.empty()) builder.Add(Value{StringDatum(Keep(c, name)), false});
  }
  return builder.Finish(c.arena);
}
Oid MyTempSchema() { return TemporaryNamespaceIfAny(); }
bool OtherTempSchema(Oid schema) { return IsOtherTemporaryNamespace(schema); }

View EncodingName(int32_t number) {
  const Encoding* encoding = EncodingById(number);
  return encoding == nullptr ? "" : encoding->name;
}
int32_t EncodingNumber(View name) {
  const Encoding* encoding = FindEncoding(name);
  return encoding == nullptr ? -1 : encoding->id;
}

constexpr ScalarFunction kTable[] = {
    Scalar<&FormatTypeText>("format_type"),
    Scalar<&UserName>("pg_get_userbyid"),
    Scalar<&TableVisible>("pg_table_is_visible"),
    Scalar<&TypeVisible>("pg_type_is_visible"),
    Scalar<&FunctionVisible>("pg_function_is_visible"),
    Scalar<&OperatorVisible>("pg_operator_is_visible"),
    Scalar<&CollationVisible>("pg_collation_is_visible"),
    Scalar<&OpclassVisible>("pg_opclass_is_visible"),
    Scalar<&OpfamilyVisible>("pg_opfamily_is_visible"),
    Scalar<&NothingVisible>("pg_conversion_is_visible"),
    Scalar<&NothingVisible>("pg_statistics_obj_is_visible"),
    Scalar<&NothingVisible>("pg_ts_parser_is_visible"),
    Scalar<&NothingVisible>("pg_ts_dict_is_visible"),
    Scalar<&NothingVisible>("pg_ts_template_is_visible"),
    Scalar<&NothingVisible>("pg_ts_config_is_visible"),
    RowForm<&ObjectComment, true>("obj_description"),
    Scalar<&ColumnComment>("col_description"),
    Scalar<&SharedComment>("shobj_description"),
    Scalar<&ToReg<2205>>("to_regclass"),
    Scalar<&ToReg<2206>>("to_regtype"),
    Scalar<&ToReg<24>>("to_regproc"),
    Scalar<&ToReg<2202>>("to_regprocedure"),
    Scalar<&ToReg<2203>>("to_regoper"),
    Scalar<&ToReg<2204>>("to_regoperator"),
    Scalar<&ToReg<4089>>("to_regnamespace"),
    Scalar<&ToReg<4096>>("to_regrole"),
    Scalar<&ToReg<4191>>("to_regcollation"),
    Scalar<&TextToRegClass>("text_regclass"),
    Scalar<&CurrentSchema>("current_schema"),
    Scalar<&CurrentSchemas>("current_schemas"),
    Scalar<&MyTempSchema>("pg_my_temp_schema"),
    Scalar<&OtherTempSchema>("pg_is_other_temp_schema"),
    Scalar<&EncodingName>("PG_encoding_to_char"),
    Scalar<&EncodingNumber>("PG_char_to_encoding"),
};

// --- As tables -------------------------------------------------------------------------------------------------

class KeywordRows : public TableFunction {
 public:
  uint32_t Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) override {
    static constexpr View kCategories[] = {"unreserved", "unreserved (cannot be function or type name)",
                                           "reserved (can be function or type name)", "reserved"};
    static constexpr char kCodes[] = {'U', 'C', 'T', 'R'};
    uint32_t count = 0;
    for (; count < max_rows && at_ < Keywords().size(); ++count, ++at_) {
      const Keyword& keyword = Keywords()[at_];
      auto category = static_cast<size_t>(keyword.category);
      columns[0]->Set(count, Value{StringDatum(keyword.word), false});
      columns[1]->Set(count, Value{Datum{.i8 = static_cast<int8_t>(kCodes[category])}, false});
      columns[2]->Set(count, Value{Datum{.b = keyword.bare_label}, false});
      columns[3]->Set(count, Value{StringDatum(kCategories[category]), false});
      columns[4]->Set(count,
                      Value{StringDatum(keyword.bare_label ? "can be bare label" : "requires AS"), false});
    }
    return count;
  }

 private:
  size_t at_ = 0;
};
std::unique_ptr<TableFunction> StartKeywords(CallContext&, std::span<const Value>) {
  return std::make_unique<KeywordRows>();
}

IntervalValue Seconds(int32_t seconds) { return {seconds * kUsPerSecond, 0, 0}; }

class ZoneRows : public TableFunction {
 public:
  uint32_t Next(CallContext& c, std::span<Vector* const> columns, uint32_t max_rows) override {
    int64_t now = WallClockUs() / kUsPerSecond + 946684800;
    uint32_t count = 0;
    for (; count < max_rows && at_ < names_.size(); ++at_) {
      const TimeZone* zone = TimeZone::Find(names_[at_]);
      if (zone == nullptr) continue;
      ZoneOffset offset = zone->At(now);
      columns[0]->Set(count, Value{StringDatum(names_[at_]), false});
      columns[1]->Set(count, Value{StringDatum(Keep(c, offset.abbreviation)), false});
      columns[2]->Set(count, Value{Datum{.interval = Seconds(offset.seconds_east)}, false});
      columns[3]->Set(count++, Value{Datum{.b = offset.is_dst}, false});
    }
    return count;
  }

 private:
  std::vector<std::string> names_ = TimeZoneNames();
  size_t at_ = 0;
};
std::unique_ptr<TableFunction> StartZones(CallContext&, std::span<const Value>) {
  return std::make_unique<ZoneRows>();
}

class AbbreviationRows : public TableFunction {
 public:
  uint32_t Next(CallContext& c, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    for (; count < max_rows && at_ < ZoneAbbreviations().size(); ++count, ++at_) {
      const ZoneAbbreviation& entry = ZoneAbbreviations()[at_];
      std::string upper(entry.word);
      for (char& ch : upper) ch = ch >= 'a' && ch <= 'z' ? static_cast<char>(ch - 32) : ch;
      columns[0]->Set(count, Value{StringDatum(Keep(c, upper)), false});
      columns[1]->Set(count, Value{Datum{.interval = Seconds(entry.seconds_east)}, false});
      columns[2]->Set(count, Value{Datum{.b = entry.is_dst}, false});
    }
    return count;
  }

 private:
  size_t at_ = 0;
};
std::unique_ptr<TableFunction> StartAbbreviations(CallContext&, std::span<const Value>) {
  return std::make_unique<AbbreviationRows>();
}

constexpr SetFunction kSets[] = {
    {"pg_get_keywords", true, &StartKeywords},
    {"pg_timezone_names", true, &StartZones},
    {"pg_timezone_abbrevs", true, &StartAbbreviations},
};

}  // namespace

std::span<const ScalarFunction> CatalogFunctions() { return kTable; }
std::span<const SetFunction> CatalogSetFunctions() { return kSets; }

}  // namespace walden
