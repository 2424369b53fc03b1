// Where things lie and how large they are: databases, tablespaces; what belongs to what: partitions.
#include <sys/stat.h>
#include <unistd.h>

#include "node/catalog/acl.h"
#include "node/catalog/catalog_ids.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/rows/pg_inherits.h"
#include "node/catalog/rows/pg_tablespace.h"
#include "node/catalog/syscache.h"
#include "node/os/file.h"
#include "node/shm/interrupts.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/storage/relation_file.h"
#include "node/types/array.h"

namespace walden {
namespace {

using View = std::string_view;

constexpr Oid kDefaultTablespace{1663}, kGlobalTablespace{1664}, kReadAllStats{3375};

// --- Sizes -----------------------------------------------------------------------------------------------------

// Bytes of all files below; files that vanish meanwhile do not count.
int64_t TreeBytes(const std::string& directory) {
  if (!IsDirectory(directory)) return 0;
  int64_t bytes = 0;
  for (const std::string& name : ListDirectory(directory)) {
    CheckInterrupts();
    std::string path = directory + "/" + name;
    struct stat info;
    if (stat(path.c_str(), &info) != 0) continue;
    bytes += S_ISDIR(info.st_mode) ? TreeBytes(path) : info.st_size;
  }
  return bytes;
}

std::vector<RowRef<PgTablespaceRow>> Tablespaces() {
  std::vector<RowRef<PgTablespaceRow>> rows;
  CatalogTable<PgTablespaceRow> table;
  for (auto& stored : table.Scan()) rows.push_back(std::make_shared<PgTablespaceRow>(stored.row));
  return rows;
}

int64_t DatabaseBytes(const PgDatabaseRow& database) {
  Oid me = session_identity().current_role;
  if (CheckDatabase(database.oid, me, acl::kConnect) != AclResult::kOk && !HasRightsOf(me, kReadAllStats)) {
    throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied for database {}", database.datname);
  }
  int64_t bytes = 0;
  for (const auto& tablespace : Tablespaces()) {
    if (tablespace->oid != kGlobalTablespace)
      bytes += TreeBytes(DatabaseDirectory(tablespace->oid, database.oid));
  }
  return bytes;
}
std::optional<int64_t> DatabaseSizeByOid(Oid oid) {
  RowRef<PgDatabaseRow> database = DatabaseRow(oid);
  return database == nullptr ? std::nullopt : std::optional(DatabaseBytes(*database));
}
int64_t DatabaseSizeByName(View name) {
  RowRef<PgDatabaseRow> database = DatabaseRow(name);
  if (database == nullptr)
    throw SqlError(ErrorCode::kUndefinedDatabase, "database \"{}\" does not exist", name);
  return DatabaseBytes(*database);
}

std::string TablespaceDirectory(Oid tablespace) {
  if (tablespace == kDefaultTablespace) return "base";
  if (tablespace == kGlobalTablespace) return "global";
  return fmt::format("pg_tblspc/{}", OidNumber(tablespace));
}
std::optional<int64_t> TablespaceSizeByOid(Oid oid) {
  for (const auto& row : Tablespaces()) {
    if (row->oid == oid) return TreeBytes(TablespaceDirectory(oid));
  }
  return std::nullopt;
}
int64_t TablespaceSizeByName(View name) {
  for (const auto& row : Tablespaces()) {
    if (row->spcname == name) return TreeBytes(TablespaceDirectory(row->oid));
  }
  throw SqlError(ErrorCode::kUndefinedObject, "tablespace \"{}\" does not exist", name);
}

// Empty for those within the data directory.
View TablespaceLocation(CallContext& c, Oid oid) {
  if (!IsValid(oid)) oid = session_identity().database_tablespace;
  if (oid == kDefaultTablespace || oid == kGlobalTablespace) return "";
  std::string link = TablespaceDirectory(oid);
  char target[4096];
  ssize_t length = readlink(link.c_str(), target, sizeof target);
  if (length < 0) throw FileError(errno, fmt::format("could not read symbolic link \"{}\"", link));
  return Keep(c, View(target, static_cast<size_t>(length)));
}

// --- Partitions ------------------------------------------------------------------------------------------------

bool CanBelongToTree(Oid relation) {
  RowRef<PgClassRow> row = ClassRow(relation);
  return row != nullptr && (row->relispartition || row->relkind == relkind::kPartitioned ||
                            row->relkind == relkind::kPartitionedIndex);
}

// The relation, its parent, and so on to the root.
std::vector<Oid> Ancestors(Oid relation) {
  std::vector<Oid> line;
  if (!CanBelongToTree(relation)) return line;
  CatalogTable<PgInheritsRow> table;
  for (Oid at = relation; IsValid(at);) {
    line.push_back(at);
    auto parents = table.Scan(catalog_index::kPgInheritsRelidSeqnoIndex, {at});
    at = parents.empty() ? Oid::kInvalid : parents.front().row.inhparent;
  }
  return line;
}

std::unique_ptr<TableFunction> StartAncestors(CallContext&, std::span<const Value> args) {
  auto rows = std::make_unique<RowSet>();
  for (Oid oid : Ancestors(Oid{static_cast<uint32_t>(args[0].datum.i32)})) {
    RowValues row = rows->NewRow();
    rows->Add(row.ObjectId(oid));
  }
  return rows;
}

std::optional<Oid> PartitionRoot(Oid relation) {
  std::vector<Oid> line = Ancestors(relation);
  return line.empty() ? std::nullopt : std::optional(line.back());
}

void AddTree(RowSet* rows, Oid relation, Oid parent, int level) {
  RowRef<PgClassRow> row = ClassRow(relation);
  if (row == nullptr) return;
  bool is_leaf = row->relkind != relkind::kPartitioned && row->relkind != relkind::kPartitionedIndex;
  RowValues values = rows->NewRow();
  values.ObjectId(relation);
  if (IsValid(parent))
    values.ObjectId(parent);
  else
    values.Null();
  rows->Add(values.Bool(is_leaf).Int4(level));
  CatalogTable<PgInheritsRow> table;
  for (const auto& child : table.Scan(catalog_index::kPgInheritsParentIndex, {relation}))
    AddTree(rows, child.row.inhrelid, relation, level + 1);
}

std::unique_ptr<TableFunction> StartTree(CallContext&, std::span<const Value> args) {
  auto rows = std::make_unique<RowSet>();
  Oid root{static_cast<uint32_t>(args[0].datum.i32)};
  if (CanBelongToTree(root)) {
    std::vector<Oid> line = Ancestors(root);
    AddTree(rows.get(), root, line.size() > 1 ? line[1] : Oid::kInvalid, 0);
  }
  return rows;
}

// --- Options of foreign objects ----------------------------------------------------------------------------------

std::unique_ptr<TableFunction> StartOptions(CallContext&, std::span<const Value> args) {
  auto rows = std::make_unique<RowSet>();
  ArrayView options(args[0].datum.string.view());
  uint32_t count = 1;
  for (int i = 0; i < options.dimensions(); ++i) count *= static_cast<uint32_t>(options.Length(i));
  for (uint32_t i = 0; i < (options.dimensions() == 0 ? 0 : count); ++i) {
    Value option = options.At(i, PhysicalType::kString);
    if (option.is_null) continue;
    View text = option.datum.string.view();
    size_t equals = text.find('=');
    RowValues row = rows->NewRow();
    row.Text(text.substr(0, equals));
    if (equals == View::npos)
      row.Null();
    else
      row.Text(text.substr(equals + 1));
    rows->Add(row);
  }
  return rows;
}

constexpr ScalarFunction kTable[] = {
    Volatile<&DatabaseSizeByOid>("pg_database_size_oid"),
    Volatile<&DatabaseSizeByName>("pg_database_size_name"),
    Volatile<&TablespaceSizeByOid>("pg_tablespace_size_oid"),
    Volatile<&TablespaceSizeByName>("pg_tablespace_size_name"),
    Volatile<&TablespaceLocation>("pg_tablespace_location"),
    Scalar<&PartitionRoot>("pg_partition_root"),
};
constexpr SetFunction kSets[] = {
    {"pg_partition_ancestors", true, StartAncestors},
    {"pg_partition_tree", true, StartTree},
    {"pg_options_to_table", true, StartOptions},
};

}  // namespace

std::span<const ScalarFunction> PlaceFunctions() { return kTable; }
std::span<const SetFunction> PlaceSetFunctions() { return kSets; }

}  // namespace walden
