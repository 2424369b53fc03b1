// Making the catalogs of a new node (`walden init`) and of a new database. Runs in one process with WAL, buffer pool and
// transactions up and nobody else connected.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "node/base/ids.h"
#include "node/catalog/builtin.h"

namespace walden {

inline constexpr Oid kBootstrapSuperuser{10};
inline constexpr Oid kTemplate1Database{1};
inline constexpr Oid kTemplate0Database{4};
inline constexpr Oid kPostgresDatabase{5};

struct BootstrapOptions {
  std::string superuser = "postgres";
  std::string password_verifier;  // SCRAM secret; empty: none
  std::string collate = "C.UTF-8";
  std::string ctype = "C.UTF-8";
};
// Step 1: writes template1's catalogs (and the shared ones) with everything that is built in, then returns with
// template1 bound as the session's database. Requires: InstallBuiltins was called; base/1 and global exist.
void BootstrapCatalog(const BootstrapOptions& options);
// Step 2, for whoever can run SQL: statements, in order, each in its own transaction as the superuser with
// allow_system_table_mods: system views, information_schema, their grants. One-line names for error reports.
struct SetupStatement {
  std::string_view name;
  std::string_view sql;
};
std::span<const SetupStatement> SystemViewStatements();
// Step 3: template0 and postgres become copies of template1.
void FinishBootstrap();

// Differs between programs whose new nodes have different catalogs: a digest of the declarations and of which built-in functions have an
// implementation. A data directory is only used by a program of the same version. Requires: InstallBuiltins was called.
uint32_t CatalogVersion();
extern const uint32_t kDeclarationsDigest;  // generated: of node/catalog/data

// The catalog part of CREATE DATABASE: copies every file of `source` (no connections; its buffers are flushed) and
// logs it so that replay does the same. The caller holds the locks and inserts the pg_database row.
void CopyDatabaseFiles(Oid source, Oid source_tablespace, Oid target, Oid target_tablespace);
void DropDatabaseFiles(Oid database, Oid tablespace);

}  // namespace walden
