// pg_depend: recording and reading.
#include "node/catalog/dependency.h"

#include <algorithm>

#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/rows/pg_depend.h"

namespace walden {
namespace {

constexpr uint32_t kFirstUnpinned = 12000;

PgDependRow RowOf(const ObjectAddress& depender, const ObjectAddress& referenced, DependencyKind kind) {
  return {depender.catalog,  depender.object, depender.sub,           referenced.catalog,
          referenced.object, referenced.sub,  static_cast<char>(kind)};
}

}  // namespace

bool IsPinnedObject(const ObjectAddress& object) {
  if (OidNumber(object.object) >= kFirstUnpinned) return false;
  if (object.catalog == catalog_oid::kPgNamespace && object.object == kPublicNamespace) return false;
  return object.catalog != catalog_oid::kPgDatabase && object.catalog != catalog_oid::kPgLargeobject;
}

void RecordDependency(const ObjectAddress& depender, const ObjectAddress& referenced, DependencyKind kind) {
  RecordDependencies(depender, std::span(&referenced, 1), kind);
}

void RecordDependencies(const ObjectAddress& depender, std::span<const ObjectAddress> referenced,
                        DependencyKind kind) {
  std::vector<ObjectAddress> unique(referenced.begin(), referenced.end());
  std::sort(unique.begin(), unique.end());
  unique.erase(std::unique(unique.begin(), unique.end()), unique.end());
  CatalogTable<PgDependRow> table;
  for (const ObjectAddress& object : unique) {
    if (!IsPinnedObject(object)) table.Insert(RowOf(depender, object, kind));
  }
}

int DeleteDependenciesOf(const ObjectAddress& depender, char kind) {
  CatalogTable<PgDependRow> table;
  int count = 0;
  for (const auto& stored :
       table.Scan(catalog_index::kPgDependDependerIndex, {depender.catalog, depender.object})) {
    if (depender.sub != 0 && stored.row.objsubid != depender.sub) continue;
    if (kind != '\0' && stored.row.deptype != kind) continue;
    table.Delete(stored.tid);
    ++count;
  }
  return count;
}

int ChangeDependency(const ObjectAddress& depender, Oid catalog, Oid old_referenced, Oid new_referenced) {
  CatalogTable<PgDependRow> table;
  int count = 0;
  ObjectAddress target{catalog, new_referenced, 0};
  for (auto& stored :
       table.Scan(catalog_index::kPgDependDependerIndex, {depender.catalog, depender.object})) {
    if (stored.row.refclassid != catalog || stored.row.refobjid != old_referenced) continue;
    if (IsPinnedObject(target)) {
      table.Delete(stored.tid);
    } else {
      stored.row.refobjid = new_referenced;
      table.Update(stored.tid, stored.row);
    }
    ++count;
  }
  // The old one was pinned, so nothing was recorded.
  if (count == 0 && IsPinnedObject({catalog, old_referenced, 0}) && !IsPinnedObject(target)) {
    table.Insert(RowOf(depender, target, DependencyKind::kNormal));
    count = 1;
  }
  return count;
}

std::vector<Dependency> DependentsOf(const ObjectAddress& referenced) {
  std::vector<Dependency> found;
  for (const PgDependRow& row : ReadRows<PgDependRow>(catalog_index::kPgDependReferenceIndex,
                                                      {referenced.catalog, referenced.object})) {
    if (referenced.sub != 0 && row.refobjsubid != referenced.sub) continue;
    found.push_back({{row.classid, row.objid, row.objsubid}, static_cast<DependencyKind>(row.deptype)});
  }
  return found;
}

std::vector<Dependency> DependenciesOf(const ObjectAddress& depender) {
  std::vector<Dependency> found;
  for (const PgDependRow& row :
       ReadRows<PgDependRow>(catalog_index::kPgDependDependerIndex, {depender.catalog, depender.object})) {
    if (depender.sub != 0 && row.objsubid != depender.sub) continue;
    found.push_back(
        {{row.refclassid, row.refobjid, row.refobjsubid}, static_cast<DependencyKind>(row.deptype)});
  }
  return found;
}

}  // namespace walden
