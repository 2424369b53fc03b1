// has_*_privilege, pg_has_role, aclitem: who may do what.
#include <memory>

#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation.h"
#include "node/catalog/rows/pg_language.h"
#include "node/catalog/rows/pg_tablespace.h"
#include "node/catalog/syscache.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/object_names.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/identifier.h"
#include "node/types/integer.h"

namespace walden {
namespace {

using View = std::string_view;

std::string Upper(View text) {
  std::string upper(TrimSpace(text));
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return upper;
}

// One mode per item of "SELECT, UPDATE WITH GRANT OPTION".
std::vector<AclMode> ParseModes(View text, AclMode allowed) {
  std::vector<AclMode> modes;
  while (true) {
    size_t comma = text.find(',');
    View item = TrimSpace(text.substr(0, comma));
    std::string upper = Upper(item);
    constexpr View kGrant = " WITH GRANT OPTION";
    bool grant = upper.size() > kGrant.size() && upper.ends_with(kGrant);
    if (grant) upper = Upper(View(upper).substr(0, upper.size() - kGrant.size()));
    if (upper == "TEMP") upper = "TEMPORARY";
    std::optional<AclMode> mode = ParsePrivilege(upper);
    if (!mode || (*mode & allowed) == 0) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "unrecognized privilege type: \"{}\"", item);
    }
    modes.push_back(grant ? acl::Grantable(*mode) : *mode);
    if (comma == text.npos) return modes;
    text = text.substr(comma + 1);
  }
}

bool IsOidType(Oid type) { return type == type_oid::kOid || TypeOf(type).physical == PhysicalType::kInt32; }

// A role argument: a name ("public" too) or an OID.
Oid RoleArgument(CallContext& c, size_t index, const Value& value) {
  if (IsOidType(c.site.arg_types[index])) return Oid{static_cast<uint32_t>(value.datum.i32)};
  View name = value.datum.string.view();
  return name == "public" ? Oid::kInvalid : FindRole(name);
}

// How to find an object by name or OID and to ask about one mode.
struct PrivilegeKind {
  AclMode allowed;
  Oid (*find)(CallContext& c, View name);
  bool (*exists)(Oid oid);
  AclResult (*check)(Oid object, Oid role, AclMode mode);
};

Oid FindRelationByText(CallContext&, View name) {
  return FindRelation(ToCatalogName(ParseIdentifiers(name)));
}
bool RelationExists(Oid oid) { return ClassRow(oid) != nullptr; }
AclResult CheckOneRelation(Oid oid, Oid role, AclMode mode) { return CheckRelation(oid, role, mode); }

constexpr PrivilegeKind kTable{acl::kAllTable, &FindRelationByText, &RelationExists, &CheckOneRelation};
AclResult CheckOneSequence(Oid oid, Oid role, AclMode mode) {
  auto row = ClassRow(oid);
  if (row != nullptr && row->relkind != relkind::kSequence) {
    throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is not a sequence", row->relname);
  }
  return CheckRelation(oid, role, mode);
}
constexpr PrivilegeKind kSequence{acl::kAllSequence, &FindRelationByText, &RelationExists, &CheckOneSequence};
constexpr PrivilegeKind kAnyColumn{acl::kAllColumn, &FindRelationByText, &RelationExists,
                                   [](Oid oid, Oid role, AclMode mode) {
                                     AclResult whole = CheckRelation(oid, role, mode);
                                     return whole == AclResult::kOk ? whole : CheckAnyColumn(oid, role, mode);
                                   }};
constexpr PrivilegeKind kDatabase{acl::kAllDatabase,
                                  [](CallContext&, View name) {
                                    auto row = DatabaseRow(name);
                                    if (row == nullptr) {
                                      throw SqlError(ErrorCode::kUndefinedDatabase,
                                                     "database \"{}\" does not exist", name);
                                    }
                                    return row->oid;
                                  },
                                  [](Oid oid) { return DatabaseRow(oid) != nullptr; }, &CheckDatabase};
constexpr PrivilegeKind kSchema{acl::kAllSchema,
                                [](CallContext&, View name) { return FindNamespace(name, false, false); },
                                [](Oid oid) { return SchemaRow(oid) != nullptr; }, &CheckSchema};
constexpr PrivilegeKind kFunction{
    acl::kAllFunction,
    [](CallContext& c, View name) {
      if (c.session == nullptr) throw NotSupported("a function name outside a session");
      return c.session->Find(type_oid::kRegProcedure, name);
    },
    [](Oid oid) { return FunctionRow(oid) != nullptr; },
    [](Oid oid, Oid role, AclMode mode) { return CheckFunction(oid, role, mode); }};
constexpr PrivilegeKind kType{acl::kAllType,
                              [](CallContext&, View name) { return FindTypeBySqlName(name, false); },
                              [](Oid oid) { return TypeRow(oid) != nullptr; },
                              [](Oid oid, Oid role, AclMode mode) { return CheckType(oid, role, mode); }};
constexpr PrivilegeKind kLanguage{
    acl::kAllLanguage,
    [](CallContext&, View name) {
      auto row = FindRow<PgLanguageRow>(catalog_index::kPgLanguageNameIndex, {name});
      if (row == nullptr) {
        throw SqlError(ErrorCode::kUndefinedObject, "language \"{}\" does not exist", name);
      }
      return row->oid;
    },
    [](Oid oid) { return FindRow<PgLanguageRow>(catalog_index::kPgLanguageOidIndex, {oid}) != nullptr; },
    [](Oid oid, Oid role, AclMode mode) { return CheckLanguage(oid, role, mode); }};
constexpr PrivilegeKind kTablespace{
    acl::kAllTablespace,
    [](CallContext&, View name) {
      auto row = FindRow<PgTablespaceRow>(catalog_index::kPgTablespaceSpcnameIndex, {name});
      if (row == nullptr) {
        throw SqlError(ErrorCode::kUndefinedObject, "tablespace \"{}\" does not exist", name);
      }
      return row->oid;
    },
    [](Oid oid) { return FindRow<PgTablespaceRow>(catalog_index::kPgTablespaceOidIndex, {oid}) != nullptr; },
    [](Oid oid, Oid role, AclMode mode) { return CheckTablespace(oid, role, mode); }};

// ([role,] object, privileges)
template <const PrivilegeKind* kKind>
void HasPrivilege(CallContext& c, std::span<const Value> args, Value* result) {
  size_t object_index = args.size() - 2;
  Oid role = object_index == 0 ? session_identity().current_role : RoleArgument(c, 0, args[0]);
  Oid object;
  if (IsOidType(c.site.arg_types[object_index])) {
    object = Oid{static_cast<uint32_t>(args[object_index].datum.i32)};
    if (!kKind->exists(object)) return;
  } else {
    object = kKind->find(c, args[object_index].datum.string.view());
  }
  bool any = false;
  for (AclMode mode : ParseModes(args.back().datum.string.view(), kKind->allowed)) {
    any |= kKind->check(object, role, mode) == AclResult::kOk;
  }
  *result = Value{Datum{.b = any}, false};
}

// ([role,] table, column, privileges)
void HasColumnPrivilege(CallContext& c, std::span<const Value> args, Value* result) {
  size_t table_index = args.size() - 3;
  Oid role = table_index == 0 ? session_identity().current_role : RoleArgument(c, 0, args[0]);
  Oid table = IsOidType(c.site.arg_types[table_index])
                  ? Oid{static_cast<uint32_t>(args[table_index].datum.i32)}
                  : FindRelationByText(c, args[table_index].datum.string.view());
  if (!RelationExists(table)) return;
  RelationRef relation = OpenRelation(table, LockMode::kAccessShare);
  AttrNumber column;
  if (c.site.arg_types[table_index + 1] == type_oid::kInt2) {
    column = args[table_index + 1].datum.i16;
    if (column < 1 || column > relation->column_count() ||
        relation->columns[static_cast<size_t>(column - 1)].attisdropped)
      return;
  } else {
    View name = args[table_index + 1].datum.string.view();
    column = relation->FindColumn(name);
    if (column == 0) {
      throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name,
                     relation->name());
    }
  }
  bool any = false;
  for (AclMode mode : ParseModes(args.back().datum.string.view(), acl::kAllColumn)) {
    any |= CheckRelation(table, role, mode) == AclResult::kOk ||
           CheckColumn(table, column, role, mode) == AclResult::kOk;
  }
  *result = Value{Datum{.b = any}, false};
}

// ([member,] role, "MEMBER" or "USAGE")
void HasRole(CallContext& c, std::span<const Value> args, Value* result) {
  size_t role_index = args.size() - 2;
  Oid member = role_index == 0 ? session_identity().current_role : RoleArgument(c, 0, args[0]);
  Oid role = RoleArgument(c, role_index, args[role_index]);
  View text = args.back().datum.string.view();
  bool any = false;
  while (true) {
    size_t comma = text.find(',');
    std::string word = Upper(text.substr(0, comma));
    bool admin = word.ends_with(" WITH GRANT OPTION") || word.ends_with(" WITH ADMIN OPTION");
    std::string kind = word.substr(0, word.find(' '));
    if (kind != "MEMBER" && kind != "USAGE") {
      throw SqlError(ErrorCode::kInvalidParameterValue, "unrecognized privilege type: \"{}\"",
                     TrimSpace(text.substr(0, comma)));
    }
    any |= admin             ? IsAdminOf(member, role)
           : kind == "USAGE" ? HasRightsOf(member, role)
                             : IsMember(member, role);
    if (comma == text.npos) break;
    text = text.substr(comma + 1);
  }
  *result = Value{Datum{.b = any}, false};
}

// --- aclitem ---------------------------------------------------------------------------------------------------

bool AclItemEq(View a, View b) { return a == b; }
bool AclContains(View list, View item) {
  AclItem wanted = LoadAclItem(item);
  ArrayView view(list);
  Value element;
  for (ArrayReader reader(view, PhysicalType::kString); reader.Next(&element);) {
    AclItem have = LoadAclItem(element.datum.string.view());
    if (have.grantee == wanted.grantee && have.grantor == wanted.grantor &&
        (have.rights & wanted.rights) == wanted.rights)
      return true;
  }
  return false;
}
View MakeAclItem(CallContext& c, Oid grantee, Oid grantor, View privileges, bool grantable) {
  AclItem item{grantee, grantor, 0};
  for (AclMode mode : ParseModes(privileges, 0xFFFF))
    item.rights |= mode | (grantable ? acl::Grantable(mode) : 0);
  return StoreAclItem(item, c.arena);
}
std::optional<View> DefaultAclOf(CallContext& c, int8_t kind, Oid owner) {
  ObjectKind object;
  switch (kind) {
    case 'c': object = ObjectKind::kColumn; break;
    case 'r': object = ObjectKind::kTable; break;
    case 's': object = ObjectKind::kSequence; break;
    case 'd': object = ObjectKind::kDatabase; break;
    case 'f': object = ObjectKind::kFunction; break;
    case 'l': object = ObjectKind::kLanguage; break;
    case 'L': object = ObjectKind::kLargeObject; break;
    case 'n': object = ObjectKind::kSchema; break;
    case 'p': object = ObjectKind::kParameter; break;
    case 't': object = ObjectKind::kTablespace; break;
    case 'F': object = ObjectKind::kForeignDataWrapper; break;
    case 'S': object = ObjectKind::kForeignServer; break;
    case 'T': object = ObjectKind::kType; break;
    default:
      throw SqlError(ErrorCode::kInternalError, "unrecognized objtype abbreviation: {}",
                     static_cast<char>(kind));
  }
  ArrayBuilder builder(type_oid::kAclItem, PhysicalType::kString);
  for (const AclItem& item : DefaultAcl(object, owner))
    builder.Add(Value{StringDatum(StoreAclItem(item, c.arena)), false});
  return builder.Finish(c.arena);
}

constexpr ScalarFunction kFunctions[] = {
#define VARIANTS(name, kind)                                                                                 \
  RowForm<&HasPrivilege<&kind>, true>(name "_name_name"), RowForm<&HasPrivilege<&kind>, true>(name "_name"), \
      RowForm<&HasPrivilege<&kind>, true>(name "_name_id"), RowForm<&HasPrivilege<&kind>, true>(name "_id"), \
      RowForm<&HasPrivilege<&kind>, true>(name "_id_name"),                                                  \
      RowForm<&HasPrivilege<&kind>, true>(name "_id_id")
    VARIANTS("has_table_privilege", kTable),
    VARIANTS("has_sequence_privilege", kSequence),
    VARIANTS("has_any_column_privilege", kAnyColumn),
    VARIANTS("has_database_privilege", kDatabase),
    VARIANTS("has_schema_privilege", kSchema),
    VARIANTS("has_function_privilege", kFunction),
    VARIANTS("has_type_privilege", kType),
    VARIANTS("has_language_privilege", kLanguage),
    VARIANTS("has_tablespace_privilege", kTablespace),
#undef VARIANTS
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_name_name_name"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_name_name_attnum"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_name_id_name"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_name_id_attnum"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_id_name_name"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_id_name_attnum"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_id_id_name"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_id_id_attnum"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_name_name"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_name_attnum"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_id_name"),
    RowForm<&HasColumnPrivilege, true>("has_column_privilege_id_attnum"),
    RowForm<&HasRole, true>("pg_has_role_name_name"),
    RowForm<&HasRole, true>("pg_has_role_name"),
    RowForm<&HasRole, true>("pg_has_role_name_id"),
    RowForm<&HasRole, true>("pg_has_role_id"),
    RowForm<&HasRole, true>("pg_has_role_id_name"),
    RowForm<&HasRole, true>("pg_has_role_id_id"),
    Scalar<&AclItemEq>("aclitem_eq"),
    Scalar<&AclContains>("aclcontains"),
    Scalar<&MakeAclItem>("makeaclitem"),
    Scalar<&DefaultAclOf>("acldefault_sql"),
};

// --- aclexplode ------------------------------------------------------------------------------------------------

class AclRows : public TableFunction {
 public:
  explicit AclRows(View list) {
    ArrayView view(list);
    Value element;
    for (ArrayReader reader(view, PhysicalType::kString); reader.Next(&element);) {
      items_.push_back(LoadAclItem(element.datum.string.view()));
    }
  }
  uint32_t Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) override {
    static constexpr View kNames[] = {"INSERT",     "SELECT",  "UPDATE",  "DELETE",      "TRUNCATE",
                                      "REFERENCES", "TRIGGER", "EXECUTE", "USAGE",       "CREATE",
                                      "TEMPORARY",  "CONNECT", "SET",     "ALTER SYSTEM"};
    uint32_t count = 0;
    while (count < max_rows && item_ < items_.size()) {
      const AclItem& item = items_[item_];
      if (((item.rights >> bit_) & 1) != 0) {
        columns[0]->Set(count, Value{Datum{.i32 = static_cast<int32_t>(OidNumber(item.grantor))}, false});
        columns[1]->Set(count, Value{Datum{.i32 = static_cast<int32_t>(OidNumber(item.grantee))}, false});
        columns[2]->Set(count, Value{StringDatum(kNames[bit_]), false});
        columns[3]->Set(count, Value{Datum{.b = ((item.rights >> (bit_ + 16)) & 1) != 0}, false});
        ++count;
      }
      if (++bit_ == std::size(kNames)) {
        bit_ = 0;
        ++item_;
      }
    }
    return count;
  }

 private:
  std::vector<AclItem> items_;
  size_t item_ = 0, bit_ = 0;
};
std::unique_ptr<TableFunction> StartAclExplode(CallContext&, std::span<const Value> args) {
  return std::make_unique<AclRows>(args[0].datum.string.view());
}
constexpr SetFunction kSets[] = {{"aclexplode", true, &StartAclExplode}};

}  // namespace

std::span<const ScalarFunction> PrivilegeFunctions() { return kFunctions; }
std::span<const SetFunction> PrivilegeSetFunctions() { return kSets; }

}  // namespace walden
