// DROP of relations, schemas and the other objects that live in a database.
#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_rewrite.h"
#include "node/catalog/type_name.h"
#include "node/sql/commands/command_parts.h"

namespace walden {
namespace {

struct DroppableRelation {
  ObjectType type;
  char kind;
  std::string_view name;        // "table"
  std::string_view plural_not;  // message when it is something else
  std::string_view hint;        // the command that drops it
};
constexpr DroppableRelation kRelations[] = {
    {ObjectType::kTable, relkind::kTable, "table", "\"{}\" is not a table",
     "Use DROP TABLE to remove a table."},
    {ObjectType::kSequence, relkind::kSequence, "sequence", "\"{}\" is not a sequence",
     "Use DROP SEQUENCE to remove a sequence."},
    {ObjectType::kView, relkind::kView, "view", "\"{}\" is not a view", "Use DROP VIEW to remove a view."},
    {ObjectType::kMatView, relkind::kMaterializedView, "materialized view",
     "\"{}\" is not a materialized view", "Use DROP MATERIALIZED VIEW to remove a materialized view."},
    {ObjectType::kIndex, relkind::kIndex, "index", "\"{}\" is not an index",
     "Use DROP INDEX to remove an index."},
    {ObjectType::kForeignTable, relkind::kForeign, "foreign table", "\"{}\" is not a foreign table",
     "Use DROP FOREIGN TABLE to remove a foreign table."},
};

const DroppableRelation* RelationOfType(ObjectType type) {
  for (const DroppableRelation& relation : kRelations) {
    if (relation.type == type) return &relation;
  }
  return nullptr;
}

void MissingRelation(const DroppableRelation& wanted, const CatalogName& name, bool missing_ok) {
  bool no_schema = !name.schema.empty() && !IsValid(FindNamespace(name.schema, true, false));
  if (!missing_ok) {
    if (no_schema) throw SqlError(ErrorCode::kUndefinedSchema, "schema \"{}\" does not exist", name.schema);
    throw SqlError(
        wanted.type == ObjectType::kIndex ? ErrorCode::kUndefinedObject : ErrorCode::kUndefinedTable,
        "{} \"{}\" does not exist", wanted.name, name.name);
  }
  Notice(no_schema ? fmt::format("schema \"{}\" does not exist, skipping", name.schema)
                   : fmt::format("{} \"{}\" does not exist, skipping", wanted.name, name.name));
}

void CheckKind(const DroppableRelation& wanted, const PgClassRow& row) {
  if (row.relkind == wanted.kind) return;
  SqlError error(ErrorCode::kWrongObjectType, fmt::format(fmt::runtime(wanted.plural_not), row.relname));
  for (const DroppableRelation& other : kRelations) {
    if (other.kind == row.relkind) error.WithHint(std::string(other.hint));
  }
  throw error;
}

void CheckMayDrop(Oid oid, const PgClassRow& row) {
  bool owner = IsOwner(catalog_oid::kPgClass, oid, CurrentRole()) ||
               IsOwner(catalog_oid::kPgNamespace, row.relnamespace, CurrentRole());
  if (!owner) ThrowUnlessOk(AclResult::kNotOwner, RelationObjectKind(row.relkind), row.relname);
  if (IsCatalogRelation(oid)) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                   row.relname);
  }
}

std::optional<ObjectAddress> FindDroppedRelation(const DroppableRelation& wanted, const CatalogName& name,
                                                 bool missing_ok) {
  auto check = [&wanted](Oid oid) {
    RowRef<PgClassRow> row = ClassRow(oid);
    if (!row) return;
    CheckKind(wanted, *row);
    CheckMayDrop(oid, *row);
    // The locks before the walk, the table's before its index's.
    if (RowRef<PgIndexRow> index = IndexRow(oid))
      TryOpenRelation(index->indrelid, LockMode::kAccessExclusive);
  };
  RelationRef relation = OpenRelationByName(name, LockMode::kAccessExclusive, true, check);
  if (!relation) {
    MissingRelation(wanted, name, missing_ok);
    return std::nullopt;
  }
  return RelationAddress(relation->oid);
}

std::optional<ObjectAddress> FindDroppedSchema(const ast::Node* object, bool missing_ok) {
  std::string_view name = ast::StringOf(object);
  RowRef<PgNamespaceRow> row = SchemaRow(name);
  if (!row) {
    if (!missing_ok) throw SqlError(ErrorCode::kUndefinedSchema, "schema \"{}\" does not exist", name);
    Notice(fmt::format("schema \"{}\" does not exist, skipping", name));
    return std::nullopt;
  }
  if (!IsOwner(catalog_oid::kPgNamespace, row->oid, CurrentRole())) {
    ThrowUnlessOk(AclResult::kNotOwner, ObjectKind::kSchema, name);
  }
  return ObjectAddress{catalog_oid::kPgNamespace, row->oid, 0};
}

std::optional<ObjectAddress> FindDroppedType(const ast::TypeName& type, bool missing_ok) {
  CatalogName name = NameOf(type.names);
  Oid oid = FindTypeByName(name);
  if (!IsValid(oid)) {
    std::string shown = DottedName(type.names);
    if (!missing_ok) throw SqlError(ErrorCode::kUndefinedObject, "type \"{}\" does not exist", shown);
    Notice("type \"" + shown + "\" does not exist, skipping");
    return std::nullopt;
  }
  if (!IsOwner(catalog_oid::kPgType, oid, CurrentRole()))
    ThrowUnlessOk(AclResult::kNotOwner, ObjectKind::kType, FormatType(oid));
  return ObjectAddress{catalog_oid::kPgType, oid, 0};
}

std::optional<ObjectAddress> FindDropped(const ast::DropStmt& statement, const ast::Node* object) {
  if (const DroppableRelation* relation = RelationOfType(statement.remove_type)) {
    return FindDroppedRelation(*relation, NameOf(ast::As<ast::ListNode>(object)->items),
                               statement.missing_ok);
  }
  switch (statement.remove_type) {
    case ObjectType::kSchema: return FindDroppedSchema(object, statement.missing_ok);
    case ObjectType::kType:
    case ObjectType::kDomain: return FindDroppedType(*ast::As<ast::TypeName>(object), statement.missing_ok);
    case ObjectType::kExtension: {
      if (!statement.missing_ok) {
        throw SqlError(ErrorCode::kUndefinedObject, "extension \"{}\" does not exist", ast::StringOf(object));
      }
      Notice(fmt::format("extension \"{}\" does not exist, skipping", ast::StringOf(object)));
      return std::nullopt;
    }
    default: throw NotSupported(CommandTagName(&statement));
  }
}

}  // namespace

void RunDrop(const ast::DropStmt& statement, CommandContext& context) {
  if (statement.concurrent) RequireNoTransactionBlock(context, "DROP INDEX CONCURRENTLY");
  std::vector<ObjectAddress> objects;
  for (const ast::Node* object : statement.objects) {
    if (std::optional<ObjectAddress> found = FindDropped(statement, object)) objects.push_back(*found);
  }
  DropObjects(objects, {.cascade = statement.behavior == DropBehavior::kCascade});
}

}  // namespace walden
