// Privilege and ownership checks.
#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/catalog_info.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/rows/pg_language.h"
#include "node/catalog/rows/pg_tablespace.h"
#include "node/catalog/syscache.h"

namespace walden {
namespace {

constexpr Oid kReadAllData{6181}, kWriteAllData{6182};

AclResult FromMask(AclMode found, AclMode wanted, bool all_needed) {
  return (all_needed ? found == wanted : found != 0) ? AclResult::kOk : AclResult::kNoPrivilege;
}

AclMode MaskOf(ObjectKind kind, const std::optional<Acl>& stored, Oid owner, Oid role, AclMode mode,
               bool all_needed) {
  return AclMask(stored ? *stored : DefaultAcl(kind, owner), role, owner, mode, all_needed);
}

AclResult CheckObject(ObjectKind kind, const std::optional<Acl>& stored, Oid owner, Oid role, AclMode mode) {
  if (IsSuperuser(role)) return AclResult::kOk;
  return FromMask(MaskOf(kind, stored, owner, role, mode, false), mode, false);
}

[[noreturn]] void ThrowMissing(std::string_view what, Oid oid) {
  throw SqlError(ErrorCode::kUndefinedObject, "{} with OID {} does not exist", what, OidNumber(oid));
}

// Rights that the predefined roles pg_read_all_data and pg_write_all_data give.
AclMode DataRoleRights(Oid role, AclMode missing, AclMode readable) {
  AclMode extra = 0;
  constexpr AclMode kWrites = acl::kInsert | acl::kUpdate | acl::kDelete;
  if ((missing & readable) != 0 && HasRightsOf(role, kReadAllData)) extra |= missing & readable;
  if ((missing & kWrites) != 0 && HasRightsOf(role, kWriteAllData)) extra |= missing & kWrites;
  return extra;
}

AclMode RelationMask(const PgClassRow& row, Oid role, AclMode mode, bool all_needed) {
  constexpr AclMode kWrites = acl::kInsert | acl::kUpdate | acl::kDelete | acl::kTruncate | acl::kUsage;
  bool is_system =
      row.oid < kFirstNormalOid && (IsCatalogRelation(row.oid) || row.relkind == relkind::kToast);
  // Even a superuser changes catalogs only by DDL, unless told otherwise.
  if (is_system && row.relkind != relkind::kView && (mode & kWrites) != 0 &&
      !session_identity().allow_system_table_mods && !IsSuperuser(role)) {
    mode &= ~kWrites;
  }
  if (IsSuperuser(role)) return mode;
  ObjectKind kind = row.relkind == relkind::kSequence ? ObjectKind::kSequence : ObjectKind::kTable;
  AclMode found = MaskOf(kind, row.relacl, row.relowner, role, mode, all_needed);
  if (!is_system || row.relkind == relkind::kView) found |= DataRoleRights(role, mode & ~found, acl::kSelect);
  return found;
}

RowRef<PgClassRow> ClassRowOrThrow(Oid relation) {
  RowRef<PgClassRow> row = ClassRow(relation);
  if (!row)
    throw SqlError(ErrorCode::kUndefinedTable, "relation with OID {} does not exist", OidNumber(relation));
  return row;
}

}  // namespace

AclResult CheckRelation(Oid relation, Oid role, AclMode mode, bool all_needed) {
  RowRef<PgClassRow> row = ClassRowOrThrow(relation);
  return FromMask(RelationMask(*row, role, mode, all_needed), mode, all_needed);
}

AclResult CheckColumn(Oid relation, AttrNumber attno, Oid role, AclMode mode) {
  if (IsSuperuser(role)) return AclResult::kOk;
  RowRef<PgAttributeRow> column = AttributeRow(relation, attno);
  if (!column || column->attisdropped || !column->attacl) return AclResult::kNoPrivilege;
  RowRef<PgClassRow> row = ClassRowOrThrow(relation);
  return FromMask(AclMask(*column->attacl, role, row->relowner, mode, false), mode, false);
}

AclResult CheckAnyColumn(Oid relation, Oid role, AclMode mode) {
  RowRef<PgClassRow> row = ClassRowOrThrow(relation);
  if (RelationMask(*row, role, mode, false) != 0) return AclResult::kOk;
  for (AttrNumber attno = 1; attno <= row->relnatts; ++attno) {
    if (CheckColumn(relation, attno, role, mode) == AclResult::kOk) return AclResult::kOk;
  }
  return AclResult::kNoPrivilege;
}

AclResult CheckAllColumns(Oid relation, Oid role, AclMode mode) {
  RowRef<PgClassRow> row = ClassRowOrThrow(relation);
  if (RelationMask(*row, role, mode, false) != 0) return AclResult::kOk;
  for (AttrNumber attno = 1; attno <= row->relnatts; ++attno) {
    RowRef<PgAttributeRow> column = AttributeRow(relation, attno);
    if (!column || column->attisdropped) continue;
    if (CheckColumn(relation, attno, role, mode) != AclResult::kOk) return AclResult::kNoPrivilege;
  }
  return row->relnatts > 0 ? AclResult::kOk : AclResult::kNoPrivilege;
}

AclResult CheckFunction(Oid function, Oid role, AclMode mode) {
  RowRef<PgProcRow> row = FunctionRow(function);
  if (!row) ThrowMissing("function", function);
  return CheckObject(ObjectKind::kFunction, row->proacl, row->proowner, role, mode);
}

AclResult CheckSchema(Oid schema, Oid role, AclMode mode) {
  if (IsSuperuser(role)) return AclResult::kOk;
  // Our own temporary schema is ours whoever we have become; whether it may be used at all was checked when it was made.
  if (schema == TemporaryNamespaceIfAny() && IsValid(schema)) return AclResult::kOk;
  RowRef<PgNamespaceRow> row = SchemaRow(schema);
  if (!row)
    throw SqlError(ErrorCode::kUndefinedSchema, "schema with OID {} does not exist", OidNumber(schema));
  AclMode found = MaskOf(ObjectKind::kSchema, row->nspacl, row->nspowner, role, mode, false);
  if ((mode & acl::kUsage) != 0 && (found & acl::kUsage) == 0 &&
      (HasRightsOf(role, kReadAllData) || HasRightsOf(role, kWriteAllData))) {
    found |= acl::kUsage;
  }
  return FromMask(found, mode, false);
}

AclResult CheckDatabase(Oid database, Oid role, AclMode mode) {
  RowRef<PgDatabaseRow> row = DatabaseRow(database);
  if (!row)
    throw SqlError(ErrorCode::kUndefinedDatabase, "database with OID {} does not exist", OidNumber(database));
  return CheckObject(ObjectKind::kDatabase, row->datacl, row->datdba, role, mode);
}

AclResult CheckLanguage(Oid language, Oid role, AclMode mode) {
  auto row = FindRow<PgLanguageRow>(catalog_index::kPgLanguageOidIndex, {language});
  if (!row) ThrowMissing("language", language);
  return CheckObject(ObjectKind::kLanguage, row->lanacl, row->lanowner, role, mode);
}

AclResult CheckType(Oid type, Oid role, AclMode mode) {
  RowRef<PgTypeRow> row = TypeRow(type);
  if (!row) ThrowMissing("type", type);
  // An array type has its element's privileges.
  if (IsValid(row->typelem) && row->typlen == -1) {
    if (RowRef<PgTypeRow> element = TypeRow(row->typelem)) row = element;
  }
  return CheckObject(ObjectKind::kType, row->typacl, row->typowner, role, mode);
}

AclResult CheckTablespace(Oid tablespace, Oid role, AclMode mode) {
  if (IsSuperuser(role)) return AclResult::kOk;
  auto row = FindRow<PgTablespaceRow>(catalog_index::kPgTablespaceOidIndex, {tablespace});
  if (!row) ThrowMissing("tablespace", tablespace);
  return CheckObject(ObjectKind::kTablespace, row->spcacl, row->spcowner, role, mode);
}

void ThrowUnlessOk(AclResult result, ObjectKind kind, std::string_view name) {
  if (result == AclResult::kOk) return;
  if (result == AclResult::kNotOwner) {
    throw SqlError(
        ErrorCode::kInsufficientPrivilege, "must be owner of {} {}",
        kind == ObjectKind::kColumn || kind == ObjectKind::kToastTable ? "relation" : ObjectKindName(kind),
        name);
  }
  throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied for {} {}", ObjectKindName(kind),
                 name);
}

void ThrowColumnDenied(Oid relation, std::string_view column) {
  throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied for column \"{}\" of relation \"{}\"",
                 column, RelationName(relation));
}

std::string_view ObjectKindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kColumn: return "column";
    case ObjectKind::kTable: return "table";
    case ObjectKind::kIndex: return "index";
    case ObjectKind::kSequence: return "sequence";
    case ObjectKind::kView: return "view";
    case ObjectKind::kMaterializedView: return "materialized view";
    case ObjectKind::kForeignTable: return "foreign table";
    case ObjectKind::kToastTable: return "relation";
    case ObjectKind::kDatabase: return "database";
    case ObjectKind::kFunction: return "function";
    case ObjectKind::kProcedure: return "procedure";
    case ObjectKind::kAggregate: return "aggregate";
    case ObjectKind::kLanguage: return "language";
    case ObjectKind::kSchema: return "schema";
    case ObjectKind::kTablespace: return "tablespace";
    case ObjectKind::kType: return "type";
    case ObjectKind::kDomain: return "domain";
    case ObjectKind::kOperator: return "operator";
    case ObjectKind::kOpclass: return "operator class";
    case ObjectKind::kOpfamily: return "operator family";
    case ObjectKind::kCollation: return "collation";
    case ObjectKind::kConversion: return "conversion";
    case ObjectKind::kConstraint: return "constraint";
    case ObjectKind::kDefault: return "default value";
    case ObjectKind::kRule: return "rule";
    case ObjectKind::kTrigger: return "trigger";
    case ObjectKind::kRole: return "role";
    case ObjectKind::kCast: return "cast";
    case ObjectKind::kExtension: return "extension";
    case ObjectKind::kStatistics: return "statistics object";
    case ObjectKind::kPolicy: return "policy";
    case ObjectKind::kPublication: return "publication";
    case ObjectKind::kSubscription: return "subscription";
    case ObjectKind::kEventTrigger: return "event trigger";
    case ObjectKind::kForeignServer: return "foreign server";
    case ObjectKind::kForeignDataWrapper: return "foreign-data wrapper";
    case ObjectKind::kLargeObject: return "large object";
    case ObjectKind::kAccessMethod: return "access method";
    case ObjectKind::kDefaultAcl: return "default privileges";
    case ObjectKind::kParameter: return "parameter";
  }
  return "object";
}

ObjectKind RelationObjectKind(char kind) {
  switch (kind) {
    case relkind::kIndex:
    case relkind::kPartitionedIndex: return ObjectKind::kIndex;
    case relkind::kSequence: return ObjectKind::kSequence;
    case relkind::kView: return ObjectKind::kView;
    case relkind::kMaterializedView: return ObjectKind::kMaterializedView;
    case relkind::kForeign: return ObjectKind::kForeignTable;
    case relkind::kToast: return ObjectKind::kToastTable;
    case relkind::kComposite: return ObjectKind::kType;
    default: return ObjectKind::kTable;
  }
}

Oid OwnerOf(Oid catalog, Oid object) {
  if (catalog == catalog_oid::kPgClass) return ClassRowOrThrow(object)->relowner;
  if (catalog == catalog_oid::kPgNamespace) {
    RowRef<PgNamespaceRow> row = SchemaRow(object);
    if (!row) ThrowMissing("schema", object);
    return row->nspowner;
  }
  if (catalog == catalog_oid::kPgDatabase) {
    RowRef<PgDatabaseRow> row = DatabaseRow(object);
    if (!row) ThrowMissing("database", object);
    return row->datdba;
  }
  if (catalog == catalog_oid::kPgType) {
    RowRef<PgTypeRow> row = TypeRow(object);
    if (!row) ThrowMissing("type", object);
    return row->typowner;
  }
  if (catalog == catalog_oid::kPgProc) {
    RowRef<PgProcRow> row = FunctionRow(object);
    if (!row) ThrowMissing("function", object);
    return row->proowner;
  }
  if (catalog == catalog_oid::kPgTablespace) {
    auto row = FindRow<PgTablespaceRow>(catalog_index::kPgTablespaceOidIndex, {object});
    if (!row) ThrowMissing("tablespace", object);
    return row->spcowner;
  }
  if (catalog == catalog_oid::kPgConstraint) {
    RowRef<PgConstraintRow> row = ConstraintRow(object);
    if (!row) ThrowMissing("constraint", object);
    return OwnerOf(catalog_oid::kPgClass, row->conrelid);
  }
  return kBootstrapSuperuser;
}

bool IsOwner(Oid catalog, Oid object, Oid role) {
  return IsSuperuser(role) || HasRightsOf(role, OwnerOf(catalog, object));
}

}  // namespace walden
