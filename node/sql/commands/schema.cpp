// CREATE SCHEMA, with the statements inside it.
#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/config/settings.h"
#include "node/sql/commands/command_parts.h"

namespace walden {
namespace {

// The new schema first in search_path while its elements are made.
class CreationPath {
 public:
  explicit CreationPath(const std::string& schema) {
    SetRequest request;
    request.action = SetAction::kSave;
    SetSetting("search_path", QuoteIdentifier(schema) + ", " + GetString(Setting::kSearchPath), request);
  }

 private:
  SettingScope scope_;
};

}  // namespace

void RunCreateSchema(const ast::CreateSchemaStmt& statement, CommandContext& context) {
  Oid owner = statement.authrole != nullptr ? RoleOf(*statement.authrole) : CurrentRole();
  std::string name = statement.schemaname.empty() ? RoleName(owner) : std::string(statement.schemaname);
  const SessionIdentity& identity = session_identity();
  RowRef<PgDatabaseRow> database = DatabaseRow(identity.database);
  ThrowUnlessOk(CheckDatabase(identity.database, CurrentRole(), acl::kCreate), ObjectKind::kDatabase,
                database->datname);
  CheckIsMember(CurrentRole(), owner);
  if (name.starts_with("pg_") && !identity.allow_system_table_mods) {
    throw SqlError(ErrorCode::kReservedName, "unacceptable schema name \"{}\"", name)
        .WithDetail("The prefix \"pg_\" is reserved for system schemas.");
  }
  if (SchemaRow(name)) {
    if (!statement.if_not_exists)
      throw SqlError(ErrorCode::kDuplicateSchema, "schema \"{}\" already exists", name);
    Notice("schema \"" + name + "\" already exists, skipping");
    return;
  }
  CatalogTable<PgNamespaceRow> schemas;
  PgNamespaceRow row{schemas.NewOid(), name, owner, InitialAcl(ObjectKind::kSchema, owner, Oid::kInvalid)};
  schemas.Insert(row);
  ObjectAddress self{catalog_oid::kPgNamespace, row.oid, 0};
  RecordOwner(self, owner);
  if (row.nspacl) UpdateAclDependencies(self, owner, {}, AclMembers(*row.nspacl));
  context.Advance();
  if (statement.schema_elts.empty()) return;
  RoleScope as_owner(owner);
  CreationPath path(name);
  for (const ast::Node* element : statement.schema_elts) {
    RunCommand(*element, context);
    context.Advance();
  }
}

}  // namespace walden
