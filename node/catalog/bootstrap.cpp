#include "node/catalog/bootstrap.h"

#include "node/base/crc32c.h"
#include "node/buffer/buffer_pool.h"
#include "node/buffer/relation_storage.h"
#include "node/catalog/acl.h"
#include "node/catalog/bootstrap_rows.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/rows/pg_attribute.h"
#include "node/catalog/rows/pg_class.h"
#include "node/catalog/rows/pg_init_privs.h"
#include "node/catalog/rows/pg_language.h"
#include "node/catalog/rows/pg_namespace.h"
#include "node/catalog/rows/pg_proc.h"
#include "node/catalog/rows/pg_type.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

void MakeIndexStorage(const RelationRef& index) {
  CreateRelationStorage(index->index_desc.locator, 1);
  index->index_desc.method->BuildEmpty(index->index_desc, Fork::kMain);
}

// Empty files of every catalog, its indexes and its TOAST table.
void MakeStorage(const CatalogInfo& catalog) {
  RelationRef relation = OpenRelation(catalog.oid, LockMode::kNone);
  CreateRelationStorage(relation->table.locator, 1);
  for (const RelationRef& index : relation->indexes) MakeIndexStorage(index);
  if (!relation->toast_relation) return;
  CreateRelationStorage(relation->toast_relation->table.locator, 1);
  for (const RelationRef& index : relation->toast_relation->indexes) MakeIndexStorage(index);
}

void BindTemplate1() {
  SessionIdentity& identity = session_identity();
  identity.database = kTemplate1Database;
  identity.database_tablespace = kDefaultTablespace;
  identity.authenticated_role = identity.session_role = identity.current_role = kBootstrapSuperuser;
  identity.allow_system_table_mods = true;
}

// One row of pg_database like template1's.
void InsertCopiedDatabase(Oid oid, std::string_view name, bool is_template) {
  CatalogTable<PgDatabaseRow> databases;
  PgDatabaseRow row = databases.Find(catalog_index::kPgDatabaseOidIndex, {kTemplate1Database})->row;
  row.oid = oid;
  row.datname = name;
  row.datistemplate = is_template;
  row.datallowconn = !is_template;
  if (!is_template) row.datacl.reset();
  databases.Insert(row);
}

// pg_init_privs: privileges that are there from the start are no decision of the user's, and pg_dump does not repeat them.
void Remember(CatalogTable<PgInitPrivsRow>& table, Oid catalog, Oid object, int32_t sub,
              const std::optional<Acl>& privileges) {
  if (privileges) table.Insert(PgInitPrivsRow{object, catalog, sub, 'i', *privileges});
}

void RememberInitialPrivileges() {
  CatalogTable<PgInitPrivsRow> table;
  for (const auto& row : CatalogTable<PgClassRow>().Scan())
    Remember(table, catalog_oid::kPgClass, row.row.oid, 0, row.row.relacl);
  for (const auto& row : CatalogTable<PgAttributeRow>().Scan()) {
    Remember(table, catalog_oid::kPgClass, row.row.attrelid, row.row.attnum, row.row.attacl);
  }
  for (const auto& row : CatalogTable<PgProcRow>().Scan())
    Remember(table, catalog_oid::kPgProc, row.row.oid, 0, row.row.proacl);
  for (const auto& row : CatalogTable<PgTypeRow>().Scan())
    Remember(table, catalog_oid::kPgType, row.row.oid, 0, row.row.typacl);
  for (const auto& row : CatalogTable<PgLanguageRow>().Scan())
    Remember(table, catalog_oid::kPgLanguage, row.row.oid, 0, row.row.lanacl);
  for (const auto& row : CatalogTable<PgNamespaceRow>().Scan())
    Remember(table, catalog_oid::kPgNamespace, row.row.oid, 0, row.row.nspacl);
}

}  // namespace

uint32_t CatalogVersion() {
  uint32_t digest = kDeclarationsDigest;
  for (const BuiltinFunction& function : BuiltinFunctions()) {
    if (IsPresent(function)) digest = Crc32c(digest, &function.oid, sizeof function.oid);
  }
  return digest;
}

void BootstrapCatalog(const BootstrapOptions& options) {
  BindTemplate1();
  session_identity().bootstrapping = true;
  BeginTransaction();
  for (const CatalogInfo& catalog : Catalogs()) MakeStorage(catalog);
  for (const CatalogInfo& catalog : Catalogs()) InsertCatalogDescription(catalog);
  InsertBuiltins();
  InsertSharedRows(options);
  CommitTransaction();
  session_identity().bootstrapping = false;
  DropAllCaches();
}

void FinishBootstrap() {
  BeginTransaction();
  RememberInitialPrivileges();
  CommitTransaction();
  BeginTransaction();
  for (Oid database : {kTemplate0Database, kPostgresDatabase}) {
    CopyDatabaseFiles(kTemplate1Database, kDefaultTablespace, database, kDefaultTablespace);
  }
  InsertCopiedDatabase(kTemplate0Database, "template0", true);
  InsertCopiedDatabase(kPostgresDatabase, "postgres", false);
  CommitTransaction();
  session_identity().allow_system_table_mods = false;
}

}  // namespace walden
