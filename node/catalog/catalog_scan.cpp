#include "node/catalog/catalog_scan.h"

#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/catalog/invalidation.h"
#include "node/txn/lock_manager.h"
#include "node/txn/snapshot.h"
#include "node/txn/untold.h"
#include "node/types/array.h"

namespace walden {
namespace {

constexpr int kMaxCatalogColumns = 64;

// A key of the wanted column's type.
Datum KeyDatum(const CatalogKey& key, PhysicalType physical, Arena& arena) {
  Datum datum{.words = {0, 0}};
  switch (key.kind()) {
    case CatalogKey::Kind::kText: return StringDatum(key.text());
    case CatalogKey::Kind::kOids: return StringDatum(MakeOidVector(key.oids(), arena));
    case CatalogKey::Kind::kInteger: break;
  }
  switch (physical) {
    case PhysicalType::kBool: datum.b = key.integer() != 0; break;
    case PhysicalType::kInt8: datum.i8 = static_cast<int8_t>(key.integer()); break;
    case PhysicalType::kInt16: datum.i16 = static_cast<int16_t>(key.integer()); break;
    case PhysicalType::kInt32: datum.i32 = static_cast<int32_t>(key.integer()); break;
    default: datum.i64 = key.integer(); break;
  }
  return datum;
}

bool VisitRow(const Relation& catalog, const TupleView& row, const CatalogAccess::Visit& visit) {
  Arena arena;
  Value values[kMaxCatalogColumns];
  DeformTuple(*catalog.desc, row, values, {.arena = &arena, .toast = catalog.table.toast});
  return visit(row.tid, values);
}

void ScanByIndex(const Relation& catalog, const Relation& index, CatalogKeys keys,
                 const CatalogAccess::Visit& visit) {
  Arena arena;
  std::vector<ScanKey> scan_keys;
  for (const CatalogKey& key : keys) {
    AttrNumber column = static_cast<AttrNumber>(scan_keys.size() + 1);
    ScanKey& scan_key = scan_keys.emplace_back();
    scan_key.attno = column;
    scan_key.value.is_null = false;
    scan_key.value.datum = KeyDatum(key, (*index.index_desc.desc)[column].physical, arena);
  }
  SnapshotHold snapshot = LatestSnapshot();
  HeapFetcher fetcher(catalog.table, &index.index_desc.stats);
  std::unique_ptr<IndexScan> scan = index.index_desc.method->BeginScan(index.index_desc, false);
  scan->Rescan(scan_keys);
  for (TupleId tid; scan->Next(ScanDirection::kForward, &tid);) {
    TupleView row;
    bool all_dead = false;
    if (!fetcher.FetchChain(tid, *snapshot, &row, &all_dead)) {
      if (all_dead) scan->KillLast();
      continue;
    }
    if (!VisitRow(catalog, row, visit)) break;
  }
}

void ScanHeap(const Relation& catalog, const CatalogAccess::Visit& visit) {
  SnapshotHold snapshot = LatestSnapshot();
  HeapScan scan(catalog.table, *snapshot);
  while (scan.NextPage()) {
    for (const TupleView& row : scan.rows()) {
      if (!VisitRow(catalog, row, visit)) return;
    }
  }
}

}  // namespace

void ScanCatalog(const Relation& catalog, Oid index, CatalogKeys keys, const CatalogAccess::Visit& visit) {
  SeenAtOnce at_once;
  if (!IsValid(index)) {
    CHECK(keys.size() == 0);
    ScanHeap(catalog, visit);
    return;
  }
  for (const RelationRef& candidate : catalog.indexes) {
    if (candidate->oid == index) return ScanByIndex(catalog, *candidate, keys, visit);
  }
  CHECK(false);
}

void ReadCatalog(Oid catalog, Oid index, CatalogKeys keys, const CatalogAccess::Visit& visit) {
  ScopedLock lock(RelationLockTag(catalog), LockMode::kAccessShare);
  AcceptInvalidations();
  ScanCatalog(*OpenRelation(catalog, LockMode::kNone), index, keys, visit);
}

bool FetchCatalogRow(const Relation& catalog, TupleId tid, Arena& arena, Value* values) {
  HeapFetcher fetcher(catalog.table);
  TupleView row;
  if (!fetcher.FetchAny(tid, &row)) return false;
  DeformTuple(*catalog.desc, row, values, {.arena = &arena, .toast = catalog.table.toast, .copy = true});
  return true;
}

}  // namespace walden
