// ALTER ... OWNER TO, RENAME TO, SET SCHEMA, and COMMENT ON.
#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_description.h"
#include "node/catalog/rows/pg_shdescription.h"
#include "node/sql/commands/command_parts.h"
#include "node/txn/lock_manager.h"

namespace walden {
namespace {

using ast::As;

Oid FindDatabase(std::string_view name) {
  RowRef<PgDatabaseRow> row = DatabaseRow(name);
  if (!row) throw SqlError(ErrorCode::kUndefinedDatabase, "database \"{}\" does not exist", name);
  return row->oid;
}

std::string SimpleName(const ast::Node* object) {
  if (auto* list = ast::TryAs<ast::ListNode>(object)) return std::string(ast::StringOf(list->items.back()));
  return std::string(ast::StringOf(object));
}

void CheckOwner(Oid catalog, Oid object, ObjectKind kind, std::string_view name) {
  if (!IsOwner(catalog, object, CurrentRole())) ThrowUnlessOk(AclResult::kNotOwner, kind, name);
}

void CheckCreateInSchema(Oid schema, Oid role) {
  ThrowUnlessOk(CheckSchema(schema, role, acl::kCreate), ObjectKind::kSchema, SchemaName(schema));
}

void RenameRelation(Oid oid, const std::string& name) {
  RelationRef relation = OpenRelation(oid, LockMode::kAccessExclusive);
  CheckOwnsRelation(*relation);
  CheckCreateInSchema(relation->row.relnamespace, CurrentRole());
  if (ClassRow(name, relation->row.relnamespace)) {
    throw SqlError(ErrorCode::kDuplicateTable, "relation \"{}\" already exists", name);
  }
  UpdateClassRow(oid, [&](PgClassRow* row) { row->relname = name; });
  if (IsValid(relation->row.reltype)) {
    CatalogTable<PgTypeRow> types;
    auto stored = types.Find(catalog_index::kPgTypeOidIndex, {relation->row.reltype});
    stored->row.typname = name;
    types.Update(stored->tid, stored->row);
  }
  // An index and its constraint have one name.
  if (relation->row.relkind != relkind::kIndex) return;
  CatalogTable<PgConstraintRow> constraints;
  for (auto& stored : constraints.Scan(catalog_index::kPgConstraintConrelidContypidConnameIndex,
                                       {relation->index->indrelid})) {
    if (stored.row.conindid != oid || (stored.row.contype != 'p' && stored.row.contype != 'u')) continue;
    stored.row.conname = name;
    constraints.Update(stored.tid, stored.row);
  }
}

void RenameColumn(const ast::RenameStmt& statement) {
  RelationRef table = OpenRelationByName(NameOf(*statement.relation), LockMode::kAccessExclusive);
  CheckOwnsRelation(*table);
  AttrNumber attno = table->FindColumn(statement.subname);
  if (attno == 0)
    throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" does not exist", statement.subname);
  if (attno < 0)
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot rename system column \"{}\"", statement.subname);
  AttrNumber other = table->FindColumn(statement.newname);
  RefuseSystemColumnName(statement.newname);
  if (other > 0) {
    throw SqlError(ErrorCode::kDuplicateColumn, "column \"{}\" of relation \"{}\" already exists",
                   statement.newname, table->name());
  }
  UpdateAttributeRow(table->oid, attno, [&](PgAttributeRow* row) { row->attname = statement.newname; });
  for (const RelationRef& index : table->indexes) {
    for (size_t k = 0; k < index->index->indkey.size(); ++k) {
      if (index->index->indkey[k] != attno) continue;
      UpdateAttributeRow(index->oid, static_cast<AttrNumber>(k + 1),
                         [&](PgAttributeRow* row) { row->attname = statement.newname; });
    }
  }
}

void RenameConstraint(const ast::RenameStmt& statement) {
  RelationRef table = OpenRelationByName(NameOf(*statement.relation), LockMode::kAccessExclusive);
  CheckOwnsRelation(*table);
  Oid oid = FindConstraint(table->oid, statement.subname, false);
  RowRef<PgConstraintRow> row = ConstraintRow(oid);
  if (row->contype == 'p' || row->contype == 'u')
    return RenameRelation(row->conindid, std::string(statement.newname));
  CatalogTable<PgConstraintRow> constraints;
  auto stored = constraints.Find(catalog_index::kPgConstraintOidIndex, {oid});
  stored->row.conname = statement.newname;
  constraints.Update(stored->tid, stored->row);
}

void RenameSchema(const ast::RenameStmt& statement) {
  CatalogTable<PgNamespaceRow> schemas;
  auto stored = schemas.Find(catalog_index::kPgNamespaceNspnameIndex, {statement.subname});
  if (!stored) throw SqlError(ErrorCode::kUndefinedSchema, "schema \"{}\" does not exist", statement.subname);
  CheckOwner(catalog_oid::kPgNamespace, stored->row.oid, ObjectKind::kSchema, statement.subname);
  if (SchemaRow(statement.newname))
    throw SqlError(ErrorCode::kDuplicateSchema, "schema \"{}\" already exists", statement.newname);
  if (statement.newname.starts_with("pg_")) {
    throw SqlError(ErrorCode::kReservedName, "unacceptable schema name \"{}\"", statement.newname)
        .WithDetail("The prefix \"pg_\" is reserved for system schemas.");
  }
  stored->row.nspname = statement.newname;
  schemas.Update(stored->tid, stored->row);
}

void RenameDatabase(const ast::RenameStmt& statement) {
  Oid oid = FindDatabase(statement.subname);
  CheckOwner(catalog_oid::kPgDatabase, oid, ObjectKind::kDatabase, statement.subname);
  if (!HasCreateDatabase(CurrentRole())) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to rename database");
  }
  if (DatabaseRow(statement.newname)) {
    throw SqlError(ErrorCode::kDuplicateDatabase, "database \"{}\" already exists", statement.newname);
  }
  if (oid == session_identity().database)
    throw SqlError(ErrorCode::kFeatureNotSupported, "current database cannot be renamed");
  CatalogTable<PgDatabaseRow> databases;
  auto stored = databases.Find(catalog_index::kPgDatabaseOidIndex, {oid});
  stored->row.datname = statement.newname;
  databases.Update(stored->tid, stored->row);
}

void RenameRole(const ast::RenameStmt& statement) {
  CatalogTable<PgAuthidRow> roles;
  auto stored = roles.Find(catalog_index::kPgAuthidRolnameIndex, {statement.subname});
  if (!stored) throw SqlError(ErrorCode::kUndefinedObject, "role \"{}\" does not exist", statement.subname);
  const SessionIdentity& identity = session_identity();
  if (stored->row.oid == identity.session_role)
    throw SqlError(ErrorCode::kFeatureNotSupported, "session user cannot be renamed");
  if (stored->row.oid == identity.current_role)
    throw SqlError(ErrorCode::kFeatureNotSupported, "current user cannot be renamed");
  if (RoleRow(statement.newname))
    throw SqlError(ErrorCode::kDuplicateObject, "role \"{}\" already exists", statement.newname);
  if (statement.newname.starts_with("pg_")) {
    throw SqlError(ErrorCode::kReservedName, "role name \"{}\" is reserved", statement.newname)
        .WithDetail("Role names starting with \"pg_\" are reserved.");
  }
  if (stored->row.rolsuper && !IsSuperuser())
    throw SqlError(ErrorCode::kInsufficientPrivilege, "must be superuser to rename superusers");
  if (!HasCreateRole(CurrentRole()))
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to rename role");
  stored->row.rolname = statement.newname;
  if (stored->row.rolpassword &&
      stored->row.rolpassword->starts_with("md5")) {  // the old name is part of the hash
    stored->row.rolpassword.reset();
    Notice("MD5 password cleared because of role rename");
  }
  roles.Update(stored->tid, stored->row);
}

bool IsRelationType(ObjectType type) {
  switch (type) {
    case ObjectType::kTable:
    case ObjectType::kIndex:
    case ObjectType::kSequence:
    case ObjectType::kView:
    case ObjectType::kMatView:
    case ObjectType::kForeignTable: return true;
    default: return false;
  }
}

}  // namespace

void RunRename(const ast::RenameStmt& statement, CommandContext&) {
  if (IsRelationType(statement.rename_type)) {
    Oid oid = FindRelation(NameOf(*statement.relation), statement.missing_ok);
    if (!IsValid(oid))
      return Notice(fmt::format("relation \"{}\" does not exist, skipping", statement.relation->relname));
    return RenameRelation(oid, std::string(statement.newname));
  }
  switch (statement.rename_type) {
    case ObjectType::kColumn:
    case ObjectType::kAttribute: return RenameColumn(statement);
    case ObjectType::kTableConstraint: return RenameConstraint(statement);
    case ObjectType::kSchema: return RenameSchema(statement);
    case ObjectType::kDatabase: return RenameDatabase(statement);
    case ObjectType::kRole: return RenameRole(statement);
    default: throw NotSupported(CommandTagName(&statement));
  }
}

void ChangeRelationOwner(Oid relation, Oid new_owner) {
  RelationRef table = OpenRelation(relation, LockMode::kAccessExclusive);
  if (table->row.relowner == new_owner) return;
  if (table->row.relkind == relkind::kIndex) {
    throw SqlError(ErrorCode::kWrongObjectType, "cannot change owner of index \"{}\"", table->name())
        .WithHint("Change the ownership of the index's table, instead.");
  }
  if (!IsSuperuser()) {
    CheckOwnsRelation(*table);
    CheckIsMember(CurrentRole(), new_owner);
    CheckCreateInSchema(table->row.relnamespace, new_owner);
  }
  SetObjectOwner(RelationAddress(relation), new_owner);
}

void RunAlterOwner(const ast::AlterOwnerStmt& statement, CommandContext&) {
  Oid new_owner = RoleOf(*statement.newowner);
  if (statement.object_type == ObjectType::kSchema) {
    std::string name = SimpleName(statement.object);
    Oid oid = FindNamespace(name, false, false);
    CheckOwner(catalog_oid::kPgNamespace, oid, ObjectKind::kSchema, name);
    CheckIsMember(CurrentRole(), new_owner);
    ThrowUnlessOk(CheckDatabase(session_identity().database, CurrentRole(), acl::kCreate),
                  ObjectKind::kDatabase, DatabaseRow(session_identity().database)->datname);
    return SetObjectOwner({catalog_oid::kPgNamespace, oid, 0}, new_owner);
  }
  if (statement.object_type == ObjectType::kDatabase) {
    std::string name = SimpleName(statement.object);
    Oid oid = FindDatabase(name);
    CheckOwner(catalog_oid::kPgDatabase, oid, ObjectKind::kDatabase, name);
    CheckIsMember(CurrentRole(), new_owner);
    if (!HasCreateDatabase(CurrentRole())) {
      throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to change owner of database");
    }
    return SetObjectOwner({catalog_oid::kPgDatabase, oid, 0}, new_owner);
  }
  throw NotSupported(CommandTagName(&statement));
}

namespace {

void MoveRelation(Oid oid, Oid schema) {
  RelationRef relation = OpenRelation(oid, LockMode::kAccessExclusive);
  Oid old_schema = relation->row.relnamespace;
  if (old_schema == schema) return;
  if (ClassRow(relation->row.relname, schema)) {
    throw SqlError(ErrorCode::kDuplicateTable, "relation \"{}\" already exists in schema \"{}\"",
                   relation->name(), SchemaName(schema));
  }
  UpdateClassRow(oid, [&](PgClassRow* row) { row->relnamespace = schema; });
  ChangeDependency(RelationAddress(oid), catalog_oid::kPgNamespace, old_schema, schema);
  CatalogTable<PgTypeRow> types;
  Oid type = relation->row.reltype;
  for (int pass = 0; pass < 2 && IsValid(type); ++pass) {
    auto stored = types.Find(catalog_index::kPgTypeOidIndex, {type});
    stored->row.typnamespace = schema;
    types.Update(stored->tid, stored->row);
    type = stored->row.typarray;
  }
  CatalogTable<PgConstraintRow> constraints;
  for (auto& stored : constraints.Scan(catalog_index::kPgConstraintConrelidContypidConnameIndex, {oid})) {
    stored.row.connamespace = schema;
    constraints.Update(stored.tid, stored.row);
  }
  for (const RelationRef& index : relation->indexes) {
    UpdateClassRow(index->oid, [&](PgClassRow* row) { row->relnamespace = schema; });
  }
  for (const Dependency& dependent : DependentsOf(RelationAddress(oid))) {
    if (dependent.other.catalog != catalog_oid::kPgClass || dependent.kind == DependencyKind::kNormal)
      continue;
    RowRef<PgClassRow> row = ClassRow(dependent.other.object);
    if (row && row->relkind == relkind::kSequence) MoveRelation(row->oid, schema);
  }
}

}  // namespace

void RunAlterSchema(const ast::AlterObjectSchemaStmt& statement, CommandContext&) {
  if (!IsRelationType(statement.object_type)) throw NotSupported(CommandTagName(&statement));
  Oid oid = FindRelation(NameOf(*statement.relation), statement.missing_ok);
  if (!IsValid(oid))
    return Notice(fmt::format("relation \"{}\" does not exist, skipping", statement.relation->relname));
  RelationRef relation = OpenRelation(oid, LockMode::kAccessExclusive);
  CheckOwnsRelation(*relation);
  Oid schema = FindNamespace(statement.newschema);
  CheckCreateInSchema(schema, CurrentRole());
  if (IsTemporaryNamespace(schema) || IsTemporaryNamespace(relation->row.relnamespace)) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot move objects into or out of temporary schemas");
  }
  if (schema == kPgToastNamespace)
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot move objects into or out of TOAST schema");
  MoveRelation(oid, schema);
}

void StoreComment(const ObjectAddress& object, std::string_view text) {
  bool remove = IsAbsent(text) || text.empty();
  if (IsSharedRelation(object.catalog)) {
    CatalogTable<PgShdescriptionRow> comments;
    auto old = comments.Find(catalog_index::kPgShdescriptionOCIndex, {object.object, object.catalog});
    PgShdescriptionRow row{object.object, object.catalog, std::string(text)};
    if (old && remove)
      comments.Delete(old->tid);
    else if (old)
      comments.Update(old->tid, row);
    else if (!remove)
      comments.Insert(row);
    return;
  }
  CatalogTable<PgDescriptionRow> comments;
  auto old =
      comments.Find(catalog_index::kPgDescriptionOCOIndex, {object.object, object.catalog, object.sub});
  PgDescriptionRow row{object.object, object.catalog, object.sub, std::string(text)};
  if (old && remove)
    comments.Delete(old->tid);
  else if (old)
    comments.Update(old->tid, row);
  else if (!remove)
    comments.Insert(row);
}

namespace {

ObjectAddress CommentedObject(const ast::CommentStmt& statement) {
  if (IsRelationType(statement.objtype)) {
    RelationRef relation = OpenRelationByName(NameOf(As<ast::ListNode>(statement.object)->items),
                                              LockMode::kShareUpdateExclusive);
    CheckOwnsRelation(*relation);
    return RelationAddress(relation->oid);
  }
  switch (statement.objtype) {
    case ObjectType::kColumn: {
      std::vector<std::string> names = StringsOf(As<ast::ListNode>(statement.object)->items);
      std::string column = names.back();
      names.pop_back();
      if (names.empty()) throw SqlError(ErrorCode::kSyntaxError, "column name must be qualified");
      RelationRef relation = OpenRelationByName(ToCatalogName(names), LockMode::kShareUpdateExclusive);
      CheckOwnsRelation(*relation);
      AttrNumber attno = relation->FindColumn(column);
      if (attno == 0) {
        throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", column,
                       relation->name());
      }
      return RelationAddress(relation->oid, attno);
    }
    case ObjectType::kTableConstraint: {
      std::vector<std::string> names = StringsOf(As<ast::ListNode>(statement.object)->items);
      std::string constraint = names.back();
      names.pop_back();
      RelationRef relation = OpenRelationByName(ToCatalogName(names), LockMode::kAccessShare);
      CheckOwnsRelation(*relation);
      return {catalog_oid::kPgConstraint, FindConstraint(relation->oid, constraint, false), 0};
    }
    case ObjectType::kSchema: {
      std::string name = SimpleName(statement.object);
      Oid oid = FindNamespace(name, false, false);
      CheckOwner(catalog_oid::kPgNamespace, oid, ObjectKind::kSchema, name);
      return {catalog_oid::kPgNamespace, oid, 0};
    }
    case ObjectType::kDatabase: {
      std::string name = SimpleName(statement.object);
      Oid oid = FindDatabase(name);
      CheckOwner(catalog_oid::kPgDatabase, oid, ObjectKind::kDatabase, name);
      return {catalog_oid::kPgDatabase, oid, 0};
    }
    case ObjectType::kRole: {
      Oid oid = FindRole(SimpleName(statement.object));
      if (!HasCreateRole(CurrentRole()))
        throw SqlError(ErrorCode::kInsufficientPrivilege, "must have CREATEROLE privilege");
      return {catalog_oid::kPgAuthid, oid, 0};
    }
    case ObjectType::kExtension: {
      throw SqlError(ErrorCode::kUndefinedObject, "extension \"{}\" does not exist",
                     SimpleName(statement.object));
    }
    default: throw NotSupported("COMMENT on this kind of object");
  }
}

}  // namespace

void RunComment(const ast::CommentStmt& statement, CommandContext&) {
  StoreComment(CommentedObject(statement), statement.comment);
}

void RunLock(const ast::LockStmt& statement, CommandContext& context) {
  if (!context.in_transaction_block && context.is_top_level) {
    throw SqlError(ErrorCode::kNoActiveSqlTransaction, "LOCK TABLE can only be used in transaction blocks");
  }
  LockMode mode = static_cast<LockMode>(statement.mode);
  for (const ast::Node* node : statement.relations) {
    const auto& range = *As<ast::RangeVar>(node);
    Oid oid = FindRelation(NameOf(range));
    RowRef<PgClassRow> row = ClassRow(oid);
    if (row->relkind != relkind::kTable && row->relkind != relkind::kView) {
      throw SqlError(ErrorCode::kWrongObjectType, "\"{}\" is not a table or view", row->relname);
    }
    AclMode needed = acl::kUpdate | acl::kDelete | acl::kTruncate;  // any of these
    if (mode == LockMode::kAccessShare) needed = acl::kSelect;
    if (mode == LockMode::kRowExclusive) needed |= acl::kInsert;
    ThrowUnlessOk(CheckRelation(oid, CurrentRole(), needed), RelationObjectKind(row->relkind), row->relname);
    LockResult result = AcquireLock(RelationLockTag(oid), mode, {.nowait = statement.nowait});
    if (result == LockResult::kNotAvailable) {
      throw SqlError(ErrorCode::kLockNotAvailable, "could not obtain lock on relation \"{}\"", row->relname);
    }
    OpenRelation(oid, LockMode::kNone);
  }
}

}  // namespace walden
