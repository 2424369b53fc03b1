#include "node/catalog/catalog_info.h"

#include <algorithm>
#include <vector>

namespace walden {
namespace {

struct IndexEntry {
  Oid oid;
  const CatalogIndex* index;
};

const std::vector<IndexEntry>& IndexesByOid() {
  static const std::vector<IndexEntry> entries = [] {
    std::vector<IndexEntry> list;
    for (const CatalogInfo& catalog : Catalogs()) {
      for (const CatalogIndex& index : catalog.indexes) list.push_back({index.oid, &index});
    }
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.oid < b.oid; });
    return list;
  }();
  return entries;
}

// The catalog that a TOAST table or TOAST index belongs to.
const CatalogInfo* CatalogOfToast(Oid oid) {
  for (const CatalogInfo& catalog : Catalogs()) {
    if (IsValid(catalog.toast) && (catalog.toast == oid || catalog.toast_index == oid)) return &catalog;
  }
  return nullptr;
}

}  // namespace

const CatalogInfo* FindCatalog(Oid oid) {
  std::span<const CatalogInfo> all = Catalogs();
  auto at =
      std::lower_bound(all.begin(), all.end(), oid, [](const CatalogInfo& c, Oid o) { return c.oid < o; });
  return at != all.end() && at->oid == oid ? &*at : nullptr;
}

const CatalogIndex* FindCatalogIndex(Oid oid) {
  const std::vector<IndexEntry>& all = IndexesByOid();
  auto at =
      std::lower_bound(all.begin(), all.end(), oid, [](const IndexEntry& e, Oid o) { return e.oid < o; });
  return at != all.end() && at->oid == oid ? at->index : nullptr;
}

const CatalogInfo* FindCatalogOfToast(Oid oid) {
  return oid < kFirstNormalOid ? CatalogOfToast(oid) : nullptr;
}

bool IsCatalogRelation(Oid oid) {
  if (oid >= kFirstNormalOid) return false;
  return FindCatalog(oid) != nullptr || FindCatalogIndex(oid) != nullptr || CatalogOfToast(oid) != nullptr;
}

bool IsSharedRelation(Oid oid) {
  if (oid >= kFirstNormalOid) return false;
  if (const CatalogInfo* catalog = FindCatalog(oid)) return catalog->shared;
  if (const CatalogIndex* index = FindCatalogIndex(oid)) return FindCatalog(index->table)->shared;
  const CatalogInfo* owner = CatalogOfToast(oid);
  return owner != nullptr && owner->shared;
}

}  // namespace walden
