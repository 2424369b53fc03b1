#include "node/catalog/syscache.h"

#include <unordered_map>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/change_log.h"
#include "node/catalog/relation.h"

namespace walden {
namespace {

struct CachedRow {
  std::string key;
  std::shared_ptr<const void> row;  // null: there is none
};

// All that is cached of one catalog.
struct CatalogCache {
  // By position of the index among the catalog's, then by hash of the canonical key.
  std::vector<std::unordered_multimap<uint32_t, CachedRow>> rows;
  std::unordered_map<std::string, std::shared_ptr<const void>> lists;
};

using CacheMap = std::unordered_map<uint32_t, CatalogCache>;
CacheMap& caches() {
  static thread_local CacheMap map;
  return map;
}

struct Place {
  const CatalogInfo* catalog;
  const CatalogIndex* index;
  uint8_t position;
};
Place PlaceOf(const RowType& type, Oid index) {
  const CatalogInfo* catalog = FindCatalog(type.catalog);
  for (size_t i = 0; i < catalog->indexes.size(); ++i) {
    if (catalog->indexes[i].oid == index) return {catalog, &catalog->indexes[i], static_cast<uint8_t>(i)};
  }
  CHECK(false);
  return {};
}

CatalogCache& CacheOf(const CatalogInfo& catalog) {
  CatalogCache& cache = caches()[OidNumber(catalog.oid)];
  if (cache.rows.size() != catalog.indexes.size()) cache.rows.resize(catalog.indexes.size());
  return cache;
}

const CachedRow* Lookup(const CatalogCache& cache, const Place& place, uint32_t hash,
                        const std::string& key) {
  auto [first, last] = cache.rows[place.position].equal_range(hash);
  for (auto at = first; at != last; ++at) {
    if (at->second.key == key) return &at->second;
  }
  return nullptr;
}

}  // namespace

std::shared_ptr<const void> FindRowErased(const RowType& type, Oid index, CatalogKeys keys) {
  ObeyOwnChanges();
  Place place = PlaceOf(type, index);
  DCHECK(place.index->unique && keys.size() == place.index->key_count);
  std::string key = CanonicalKey(*place.catalog, *place.index, keys);
  uint32_t hash = HashCanonicalKey(key);
  if (const CachedRow* found = Lookup(CacheOf(*place.catalog), place, hash, key)) return found->row;
  std::shared_ptr<void> row;
  ReadCatalog(place.catalog->oid, index, keys, [&](TupleId, const Value* values) {
    row = type.make();
    CatalogAccess::Decode(*place.catalog, values, row.get());
    return false;
  });
  CacheOf(*place.catalog).rows[place.position].emplace(hash, CachedRow{std::move(key), row});
  return row;
}

std::shared_ptr<const void> FindRowsErased(const RowType& type, Oid index, CatalogKeys keys) {
  ObeyOwnChanges();
  Place place = PlaceOf(type, index);
  std::string key(1, static_cast<char>(place.position));
  key += static_cast<char>(keys.size());
  key += CanonicalKey(*place.catalog, *place.index, keys);
  CatalogCache& cache = CacheOf(*place.catalog);
  if (auto found = cache.lists.find(key); found != cache.lists.end()) return found->second;
  std::vector<std::shared_ptr<const void>> rows;
  ReadCatalog(place.catalog->oid, index, keys, [&](TupleId, const Value* values) {
    std::shared_ptr<void> row = type.make();
    CatalogAccess::Decode(*place.catalog, values, row.get());
    rows.push_back(std::move(row));
    return true;
  });
  std::shared_ptr<const void> list = type.make_list(rows);
  CacheOf(*place.catalog).lists.emplace(std::move(key), list);
  return list;
}

void ForgetRow(Oid catalog, uint8_t index, uint32_t hash) {
  auto found = caches().find(OidNumber(catalog));
  if (found == caches().end()) {
    if (catalog == PgNamespaceRow::kCatalog || catalog == PgAuthidRow::kCatalog) ForgetSearchPath();
    return;
  }
  found->second.lists.clear();
  if (index < found->second.rows.size()) found->second.rows[index].erase(hash);
  if (catalog == PgNamespaceRow::kCatalog || catalog == PgAuthidRow::kCatalog) ForgetSearchPath();
}

void ForgetCatalogRows(Oid catalog) {
  caches().erase(OidNumber(catalog));
  ForgetSearchPath();
}

void ForgetAllRows() {
  caches().clear();
  ForgetSearchPath();
}

RowRef<PgClassRow> ClassRow(Oid oid) { return FindRow<PgClassRow>(catalog_index::kPgClassOidIndex, {oid}); }
RowRef<PgClassRow> ClassRow(std::string_view name, Oid schema) {
  return FindRow<PgClassRow>(catalog_index::kPgClassRelnameNspIndex, {name, schema});
}
RowRef<PgTypeRow> TypeRow(Oid oid) { return FindRow<PgTypeRow>(catalog_index::kPgTypeOidIndex, {oid}); }
RowRef<PgTypeRow> TypeRow(std::string_view name, Oid schema) {
  return FindRow<PgTypeRow>(catalog_index::kPgTypeTypnameNspIndex, {name, schema});
}
RowRef<PgProcRow> FunctionRow(Oid oid) { return FindRow<PgProcRow>(catalog_index::kPgProcOidIndex, {oid}); }
RowRef<PgOperatorRow> OperatorRow(Oid oid) {
  return FindRow<PgOperatorRow>(catalog_index::kPgOperatorOidIndex, {oid});
}
RowRef<PgNamespaceRow> SchemaRow(Oid oid) {
  return FindRow<PgNamespaceRow>(catalog_index::kPgNamespaceOidIndex, {oid});
}
RowRef<PgNamespaceRow> SchemaRow(std::string_view name) {
  return FindRow<PgNamespaceRow>(catalog_index::kPgNamespaceNspnameIndex, {name});
}
RowRef<PgAuthidRow> RoleRow(Oid oid) { return FindRow<PgAuthidRow>(catalog_index::kPgAuthidOidIndex, {oid}); }
RowRef<PgAuthidRow> RoleRow(std::string_view name) {
  return FindRow<PgAuthidRow>(catalog_index::kPgAuthidRolnameIndex, {name});
}
RowRef<PgDatabaseRow> DatabaseRow(Oid oid) {
  return FindRow<PgDatabaseRow>(catalog_index::kPgDatabaseOidIndex, {oid});
}
RowRef<PgDatabaseRow> DatabaseRow(std::string_view name) {
  return FindRow<PgDatabaseRow>(catalog_index::kPgDatabaseDatnameIndex, {name});
}
RowRef<PgConstraintRow> ConstraintRow(Oid oid) {
  return FindRow<PgConstraintRow>(catalog_index::kPgConstraintOidIndex, {oid});
}
RowRef<PgIndexRow> IndexRow(Oid index) {
  return FindRow<PgIndexRow>(catalog_index::kPgIndexIndexrelidIndex, {index});
}
RowRef<PgSequenceRow> SequenceRow(Oid oid) {
  return FindRow<PgSequenceRow>(catalog_index::kPgSequenceSeqrelidIndex, {oid});
}
RowRef<PgCollationRow> CollationRow(Oid oid) {
  return FindRow<PgCollationRow>(catalog_index::kPgCollationOidIndex, {oid});
}
RowRef<PgAttributeRow> AttributeRow(Oid relation, AttrNumber attno) {
  return FindRow<PgAttributeRow>(catalog_index::kPgAttributeRelidAttnumIndex, {relation, attno});
}
RowRef<PgStatisticRow> StatisticRow(Oid relation, AttrNumber attno, bool inherited) {
  return FindRow<PgStatisticRow>(catalog_index::kPgStatisticRelidAttInhIndex, {relation, attno, inherited});
}

void ThrowRowIsGone(Oid catalog) {
  const CatalogInfo* info = FindCatalog(catalog);
  throw SqlError(ErrorCode::kInternalError, "cache lookup failed for a row of {}",
                 info != nullptr ? info->name : "a catalog");
}

std::string RelationName(Oid oid) {
  RowRef<PgClassRow> row = ClassRow(oid);
  return row ? row->relname : std::string();
}
std::string SchemaName(Oid oid) {
  RowRef<PgNamespaceRow> row = SchemaRow(oid);
  return row ? row->nspname : std::string();
}
std::string RoleName(Oid oid) {
  RowRef<PgAuthidRow> row = RoleRow(oid);
  if (!row) throw SqlError(ErrorCode::kUndefinedObject, "role with OID {} does not exist", OidNumber(oid));
  return row->rolname;
}
std::string ColumnName(Oid relation, AttrNumber attno) {
  if (const SystemColumn* column = FindSystemColumn(attno)) return std::string(column->name);
  RowRef<PgAttributeRow> row = AttributeRow(relation, attno);
  return row ? row->attname : std::string();
}

}  // namespace walden
