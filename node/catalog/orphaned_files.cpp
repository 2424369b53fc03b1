#include "node/catalog/orphaned_files.h"

#include <charconv>
#include <set>

#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/catalog/catalog_info.h"
#include "node/catalog/relation_build.h"
#include "node/os/file.h"
#include "node/shm/interrupts.h"
#include "node/storage/relation_file.h"
#include "node/storage/sync_queue.h"
#include "node/txn/snapshot.h"

namespace walden {
namespace {

constexpr Oid kPgDatabase{1262}, kPgClass{1259};
constexpr int kMaxColumns = 64;

AttrNumber ColumnNumber(const Relation& catalog, std::string_view name) {
  AttrNumber number = catalog.FindColumn(name);
  CHECK(number > 0);
  return number;
}

// Visits the committed rows of a catalog of `database`, whichever this process is bound to. Catalogs are never rewritten,
// so their files have their OIDs as numbers.
template <class Visit>
void ScanCommitted(const Relation& catalog, Oid database, Visit&& visit) {
  TableRef table = catalog.table;
  if (table.locator.tablespace != kGlobalTablespace) {
    table.locator.tablespace = kDefaultTablespace;
    table.locator.database = database;
  }
  HeapScan scan(table, kSnapshotSelf, {.prune = false});
  while (scan.NextPage()) {
    for (const TupleView& row : scan.rows()) {
      Arena arena;
      Value values[kMaxColumns];
      DeformTuple(*catalog.desc, row, values, {.arena = &arena, .toast = nullptr});
      visit(values);
    }
  }
}

Oid OidAt(const Value* values, AttrNumber column) {
  return Oid{static_cast<uint32_t>(values[column - 1].datum.i32)};
}

std::set<uint32_t> Databases() {
  RelationRef catalog = BuildCatalogRelation(kPgDatabase);
  std::set<uint32_t> found;
  AttrNumber oid = ColumnNumber(*catalog, "oid");
  ScanCommitted(*catalog, Oid::kInvalid,
                [&](const Value* values) { found.insert(OidNumber(OidAt(values, oid))); });
  return found;
}

// Numbers of the files that rows of the database's pg_class own, in whatever tablespace.
std::set<uint32_t> OwnedFiles(Oid database) {
  RelationRef catalog = BuildCatalogRelation(kPgClass);
  AttrNumber oid = ColumnNumber(*catalog, "oid"), file = ColumnNumber(*catalog, "relfilenode");
  std::set<uint32_t> owned;
  ScanCommitted(*catalog, database, [&](const Value* values) {
    Oid number = OidAt(values, file);
    owned.insert(OidNumber(IsValid(number) ? number : OidAt(values, oid)));
  });
  return owned;
}

// 0: no relation file of a permanent or unlogged relation.
uint32_t FileNumber(const std::string& name) {
  uint32_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  bool whole = end == name.data() + name.size() || *end == '_' || *end == '.';
  return error == std::errc() && whole ? number : 0;
}

// What comes before the first removal: nothing that was logged about these files may be replayed again, it would miss them.
class Removal {
 public:
  explicit Removal(void (*checkpoint)()) : checkpoint_(checkpoint) {}
  void Begin() {
    if (!begun_) checkpoint_();
    begun_ = true;
  }

 private:
  void (*checkpoint_)();
  bool begun_ = false;
};

void RemoveUnowned(Oid database, const std::string& directory, Removal* removal) {
  std::set<uint32_t> owned = OwnedFiles(database), orphaned;
  if (owned.empty()) return;  // a directory that was being made: it has no pg_class yet
  std::vector<std::string> names = ListDirectory(directory);
  for (const std::string& name : names) {
    uint32_t number = FileNumber(name);
    // A catalog's own files are made with the database and never replaced. All others are a row's, whatever their number: tables of
    // information_schema have small ones until they are truncated or rewritten.
    if (number != 0 && !IsCatalogRelation(Oid{number}) && owned.count(number) == 0) orphaned.insert(number);
  }
  for (uint32_t number : orphaned) {
    removal->Begin();
    RelFileLocator rel{.tablespace = kDefaultTablespace, .database = database, .number = number};
    Log(Severity::kLog, "removing orphaned file \"{}\"", RelationPath(rel, Fork::kMain));
    for (uint32_t owner : {0u, RelFileLocator::kUnlogged}) {
      rel.owner = owner;
      DropRelationBuffers(rel);
      ForgetSyncs(rel);
    }
    UnlinkRelationFiles(rel, false);
  }
}

void RemoveDirectoryOfNoDatabase(Oid database, const std::string& directory, Removal* removal) {
  removal->Begin();
  Log(Severity::kLog, "removing orphaned directory \"{}\"", directory);
  DropDatabaseBuffers(database);
  ForgetDatabaseSyncs(database);
  CloseDatabaseFiles(database);
  AdvanceFileDropGeneration();
  RemoveTree(directory);
}

}  // namespace

void RemoveOrphanedFiles(void (*checkpoint)()) {
  Removal removal(checkpoint);
  std::set<uint32_t> databases = Databases();
  for (const std::string& name : ListDirectory("base")) {
    CheckInterrupts();
    uint32_t number = FileNumber(name);
    std::string directory = "base/" + name;
    if (number == 0 || std::to_string(number) != name || !IsDirectory(directory)) continue;
    if (databases.count(number) == 0)
      RemoveDirectoryOfNoDatabase(Oid{number}, directory, &removal);
    else
      RemoveUnowned(Oid{number}, directory, &removal);
  }
}

}  // namespace walden
