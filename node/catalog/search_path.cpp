// search_path and the temporary schema.
#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/acl.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/change_log.h"
#include "node/catalog/dependency.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/search_path.h"
#include "node/config/settings.h"
#include "node/shm/process.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_hooks.h"

namespace walden {
namespace {

struct PathState {
  bool valid = false;
  std::string setting;
  Oid role = Oid::kInvalid;
  uint64_t generation = 0;
  std::vector<Oid> effective;         // what look-ups search
  std::vector<Oid> explicit_path;     // schemas the setting names
  bool creates_in_temporary = false;  // pg_temp is the first name of the setting

  Oid temporary = Oid::kInvalid;
  uint32_t temporary_made_in = 0;  // subtransaction that may still roll it back; 0: it is committed
};
thread_local PathState path;

// Elements of a setting that is a list of identifiers.
std::vector<std::string> SplitPath(std::string_view text) {
  std::vector<std::string> names;
  size_t at = 0;
  while (at < text.size()) {
    size_t start = text.find_first_not_of(" \t\n,", at);
    if (start == std::string_view::npos) break;
    bool quoted = text[start] == '"';
    size_t end = start;
    if (quoted) {
      end = start + 1;
      while (end < text.size() && !(text[end] == '"' && (end + 1 >= text.size() || text[end + 1] != '"'))) {
        end += text[end] == '"' ? 2 : 1;
      }
      ++end;
    } else {
      end = std::min(text.find(',', start), text.size());
      while (end > start && (text[end - 1] == ' ' || text[end - 1] == '\t')) --end;
    }
    names.push_back(ParseIdentifiers(text.substr(start, end - start)).front());
    at = end;
  }
  return names;
}

void AddOnce(std::vector<Oid>* to, Oid schema) {
  if (std::find(to->begin(), to->end(), schema) == to->end()) to->push_back(schema);
}

Oid SchemaOfPathName(const std::string& name) {
  if (name == "pg_temp") return path.temporary;
  std::string wanted = name;
  if (name == "$user") {
    RowRef<PgAuthidRow> role = RoleRow(session_identity().current_role);
    if (!role) return Oid::kInvalid;
    wanted = role->rolname;
  }
  RowRef<PgNamespaceRow> schema = SchemaRow(wanted);
  if (!schema) return Oid::kInvalid;
  bool usable = CheckSchema(schema->oid, session_identity().current_role, acl::kUsage) == AclResult::kOk;
  return usable ? schema->oid : Oid::kInvalid;
}

void Recompute() {
  path.valid = false;  // until it is whole: reading a catalog may be cancelled
  path.setting = GetString(Setting::kSearchPath);
  path.role = session_identity().current_role;
  path.explicit_path.clear();
  path.creates_in_temporary = false;
  bool first = true, names_temporary = false;
  for (const std::string& name : SplitPath(path.setting)) {
    if (name == "pg_temp") {
      names_temporary = true;
      path.creates_in_temporary |= first;
    }
    Oid schema = SchemaOfPathName(name);
    if (IsValid(schema)) AddOnce(&path.explicit_path, schema);
    first = false;
  }
  path.effective.clear();
  bool names_catalog = std::find(path.explicit_path.begin(), path.explicit_path.end(), kPgCatalogNamespace) !=
                       path.explicit_path.end();
  if (IsValid(path.temporary) && !names_temporary) path.effective.push_back(path.temporary);
  if (!names_catalog) path.effective.push_back(kPgCatalogNamespace);
  for (Oid schema : path.explicit_path) AddOnce(&path.effective, schema);
  path.valid = true;
  ++path.generation;
}

void Refresh() {
  ObeyOwnChanges();
  if (!path.valid || path.role != session_identity().current_role ||
      path.setting != GetString(Setting::kSearchPath)) {
    Recompute();
  }
}

Oid FindOrMakeSchema(const std::string& name) {
  if (RowRef<PgNamespaceRow> existing = SchemaRow(name)) return existing->oid;
  CatalogTable<PgNamespaceRow> schemas;
  Oid oid = schemas.NewOid();
  PgNamespaceRow row;
  row.oid = oid;
  row.nspname = name;
  row.nspowner = kBootstrapSuperuser;
  schemas.Insert(row);
  return oid;
}

void CheckMayCreateTemporary() {
  const SessionIdentity& identity = session_identity();
  if (CheckDatabase(identity.database, identity.session_role, acl::kCreateTemp) == AclResult::kOk) return;
  RowRef<PgDatabaseRow> database = DatabaseRow(identity.database);
  throw SqlError(ErrorCode::kInsufficientPrivilege,
                 "permission denied to create temporary tables in database \"{}\"",
                 database ? database->datname : std::string());
}

// Whatever an earlier session in this process slot left behind.
void EmptySchema(Oid schema) {
  DropOptions options;
  options.cascade = options.internal = options.skip_original = true;
  DropObject({catalog_oid::kPgNamespace, schema, 0}, options);
}

bool HasTemporaryPrefix(const std::string& name) {
  return name.starts_with("pg_temp_") || name.starts_with("pg_toast_temp_");
}

void OnTxnEvent(TxnEvent event, const TxnEventInfo& info) {
  if (path.temporary_made_in == 0) return;
  bool undone =
      event == TxnEvent::kAbort || (event == TxnEvent::kSubAbort && info.sub_id == path.temporary_made_in);
  if (undone) {
    path.temporary = Oid::kInvalid;
    path.temporary_made_in = 0;
    ForgetSearchPath();
  } else if (event == TxnEvent::kSubCommit && info.sub_id == path.temporary_made_in) {
    // The parent may still roll it back; its own number is not known here, the top's abort is noticed anyway.
    path.temporary_made_in = 1;
  } else if (event == TxnEvent::kCommitted) {
    path.temporary_made_in = 0;
  }
}

}  // namespace

void InstallSearchPathHooks() {
  RegisterTxnHook(101, OnTxnEvent,
                  {TxnEvent::kCommitted, TxnEvent::kAbort, TxnEvent::kSubCommit, TxnEvent::kSubAbort});
}

void ForgetSearchPath() { path.valid = false; }

const std::vector<Oid>& SearchPath() {
  Refresh();
  return path.effective;
}

uint64_t SearchPathGeneration() {
  Refresh();
  return path.generation;
}

Oid CreationNamespace() {
  Refresh();
  if (path.creates_in_temporary) return TemporaryNamespace();
  if (path.explicit_path.empty()) {
    throw SqlError(ErrorCode::kUndefinedSchema, "no schema has been selected to create in");
  }
  return path.explicit_path.front();
}

std::vector<Oid> ActivePath(bool include_implicit) {
  Refresh();
  if (include_implicit) return path.effective;
  std::vector<Oid> named = path.explicit_path;
  std::erase(named, path.temporary);
  return named;
}

Oid TemporaryNamespaceIfAny() { return path.temporary; }

Oid TemporaryNamespace() {
  if (IsValid(path.temporary)) return path.temporary;
  CheckMayCreateTemporary();
  std::string number = std::to_string(self_slot());
  bool existed = SchemaRow("pg_temp_" + number) != nullptr;
  Oid schema = FindOrMakeSchema("pg_temp_" + number);
  FindOrMakeSchema("pg_toast_temp_" + number);
  CommandCounterIncrement();
  if (existed) EmptySchema(schema);
  path.temporary = schema;
  path.temporary_made_in = CurrentSubId();
  ForgetSearchPath();
  return schema;
}

Oid TemporaryToastNamespace() {
  TemporaryNamespace();
  return FindNamespace("pg_toast_temp_" + std::to_string(self_slot()), false, false);
}

bool IsTemporaryNamespace(Oid schema) {
  if (schema == path.temporary) return IsValid(schema);
  return HasTemporaryPrefix(SchemaName(schema));
}

bool IsOtherTemporaryNamespace(Oid schema) {
  if (schema == path.temporary) return false;
  std::string name = SchemaName(schema);
  return HasTemporaryPrefix(name) && !name.ends_with("_" + std::to_string(self_slot()));
}

void DropTemporaryObjects() {
  if (!IsValid(path.temporary)) return;
  bool own_transaction = !InTransaction();
  if (own_transaction) BeginTransaction();
  EmptySchema(path.temporary);
  if (own_transaction) CommitTransaction();
}

}  // namespace walden
