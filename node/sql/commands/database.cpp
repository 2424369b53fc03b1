// CREATE, ALTER, DROP DATABASE.
#include "node/base/error.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_db_role_setting.h"
#include "node/shm/process.h"
#include "node/sql/commands/command_parts.h"
#include "node/storage/relation_file.h"
#include "node/txn/lock_manager.h"

namespace walden {
namespace {

LockTag DatabaseTag(Oid database) {
  return LockTag::Object(Oid::kInvalid, catalog_oid::kPgDatabase, database);
}

// Sessions bound to a database, this one excepted.
int OtherSessions(Oid database) {
  int count = 0;
  for (int slot = 0; slot < MaxProcessSlots(); ++slot) {
    const ProcessSlot& process = SlotAt(slot);
    bool counts = slot != self_slot() && process.pid.load() != 0 && process.database.load() == database &&
                  process.is_session.load();
    count += counts;
  }
  return count;
}

void RefuseWhenUsed(Oid database, std::string_view message, std::string_view name) {
  int others = OtherSessions(database);
  if (others == 0) return;
  throw SqlError(ErrorCode::kObjectInUse, fmt::format(fmt::runtime(message), name))
      .WithDetail(others == 1 ? "There is 1 other session using the database."
                              : fmt::format("There are {} other sessions using the database.", others));
}

struct DatabaseOptions {
  std::string template_name = "template1";
  Oid owner = Oid::kInvalid;
  std::optional<bool> is_template, allow_connections;
  std::optional<int32_t> connection_limit;
};

DatabaseOptions ReadOptions(const ast::NodeList& options) {
  DatabaseOptions result;
  for (const ast::Node* node : options) {
    const auto& option = *ast::As<ast::DefElem>(node);
    std::string_view name = option.defname;
    bool is_default = option.arg == nullptr;
    if (name == "template") {
      if (!is_default) result.template_name = OptionString(option);
    } else if (name == "owner") {
      if (!is_default) result.owner = FindRole(OptionString(option));
    } else if (name == "is_template")
      result.is_template = OptionBoolean(option);
    else if (name == "allow_connections")
      result.allow_connections = OptionBoolean(option);
    else if (name == "connection_limit")
      result.connection_limit = static_cast<int32_t>(OptionInteger(option));
    else if (name == "encoding") {
      if (is_default || OptionString(option) == "6") continue;
      std::string encoding = OptionString(option);
      for (char& c : encoding) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      if (encoding != "UTF8" && encoding != "UTF-8") throw NotSupported("encoding \"" + encoding + "\"");
    } else if (name == "tablespace") {
      if (!is_default && OptionString(option) != "pg_default") {
        throw SqlError(ErrorCode::kUndefinedObject, "tablespace \"{}\" does not exist", OptionString(option));
      }
    } else if (name == "locale" || name == "lc_collate" || name == "lc_ctype") {
      std::string locale = is_default ? "C.UTF-8" : OptionString(option);
      if (locale != "C" && locale != "C.UTF-8" && locale != "POSIX" && locale != "C.utf8") {
        throw SqlError(ErrorCode::kWrongObjectType, "invalid locale name: \"{}\"", locale);
      }
    } else if (name != "strategy" && name != "collation_version" && name != "locale_provider") {
      throw SqlError(ErrorCode::kSyntaxError, "option \"{}\" not recognized", name);
    }
  }
  return result;
}

}  // namespace

void RunCreateDatabase(const ast::CreatedbStmt& statement, CommandContext& context) {
  RequireNoTransactionBlock(context, "CREATE DATABASE");
  DatabaseOptions options = ReadOptions(statement.options);
  Oid owner = IsValid(options.owner) ? options.owner : CurrentRole();
  if (!HasCreateDatabase(CurrentRole()))
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to create database");
  CheckIsMember(CurrentRole(), owner);
  RowRef<PgDatabaseRow> source = DatabaseRow(options.template_name);
  if (!source)
    throw SqlError(ErrorCode::kUndefinedDatabase, "template database \"{}\" does not exist",
                   options.template_name);
  if (!source->datistemplate && !IsOwner(catalog_oid::kPgDatabase, source->oid, CurrentRole())) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to copy database \"{}\"",
                   options.template_name);
  }
  if (DatabaseRow(statement.dbname)) {
    throw SqlError(ErrorCode::kDuplicateDatabase, "database \"{}\" already exists", statement.dbname);
  }
  AcquireLock(DatabaseTag(source->oid), LockMode::kShare);
  if (source->oid != session_identity().database || OtherSessions(source->oid) > 0) {
    RefuseWhenUsed(source->oid, "source database \"{}\" is being accessed by other users",
                   options.template_name);
  }
  CatalogTable<PgDatabaseRow> databases;
  PgDatabaseRow row = *source;
  row.oid = databases.NewOid();
  row.datname = statement.dbname;
  row.datdba = owner;
  row.datistemplate = options.is_template.value_or(false);
  row.datallowconn = options.allow_connections.value_or(true);
  row.datconnlimit = options.connection_limit.value_or(-1);
  row.datacl.reset();
  databases.Insert(row);
  RecordOwner({catalog_oid::kPgDatabase, row.oid, 0}, owner);
  CopyDatabaseFiles(source->oid, source->dattablespace, row.oid, row.dattablespace);
  context.Advance();
}

void RunAlterDatabase(const ast::AlterDatabaseStmt& statement, CommandContext& context) {
  CatalogTable<PgDatabaseRow> databases;
  auto stored = databases.Find(catalog_index::kPgDatabaseDatnameIndex, {statement.dbname});
  if (!stored)
    throw SqlError(ErrorCode::kUndefinedDatabase, "database \"{}\" does not exist", statement.dbname);
  if (!IsOwner(catalog_oid::kPgDatabase, stored->row.oid, CurrentRole())) {
    ThrowUnlessOk(AclResult::kNotOwner, ObjectKind::kDatabase, statement.dbname);
  }
  DatabaseOptions options = ReadOptions(statement.options);
  if (options.allow_connections == false && stored->row.oid == session_identity().database) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "cannot disallow connections for current database");
  }
  stored->row.datistemplate = options.is_template.value_or(stored->row.datistemplate);
  stored->row.datallowconn = options.allow_connections.value_or(stored->row.datallowconn);
  stored->row.datconnlimit = options.connection_limit.value_or(stored->row.datconnlimit);
  databases.Update(stored->tid, stored->row);
  context.Advance();
}

void RunDropDatabase(const ast::DropdbStmt& statement, CommandContext& context) {
  RequireNoTransactionBlock(context, "DROP DATABASE");
  CatalogTable<PgDatabaseRow> databases;
  auto stored = databases.Find(catalog_index::kPgDatabaseDatnameIndex, {statement.dbname});
  if (!stored) {
    if (!statement.missing_ok)
      throw SqlError(ErrorCode::kUndefinedDatabase, "database \"{}\" does not exist", statement.dbname);
    return Notice(fmt::format("database \"{}\" does not exist, skipping", statement.dbname));
  }
  Oid oid = stored->row.oid;
  if (!IsOwner(catalog_oid::kPgDatabase, oid, CurrentRole())) {
    ThrowUnlessOk(AclResult::kNotOwner, ObjectKind::kDatabase, statement.dbname);
  }
  if (oid == session_identity().database)
    throw SqlError(ErrorCode::kObjectInUse, "cannot drop the currently open database");
  if (stored->row.datistemplate)
    throw SqlError(ErrorCode::kWrongObjectType, "cannot drop a template database");
  AcquireLock(DatabaseTag(oid), LockMode::kAccessExclusive);
  RefuseWhenUsed(oid, "database \"{}\" is being accessed by other users", statement.dbname);
  databases.Delete(stored->tid);
  StoreComment({catalog_oid::kPgDatabase, oid, 0}, {});
  DeleteSharedDependencies({catalog_oid::kPgDatabase, oid, 0});
  CatalogTable<PgDbRoleSettingRow> settings;
  for (const auto& row : settings.Scan()) {
    if (row.row.setdatabase == oid) settings.Delete(row.tid);
  }
  DropDatabaseFiles(oid, stored->row.dattablespace);
  context.Advance();
}

}  // namespace walden
