// Reading rows of a catalog from its heap, by index or in physical order, as of now. Private to this folder.
#pragma once

#include "node/catalog/catalog_table.h"

namespace walden {

// See CatalogAccess::Scan. Requires: the catalog is locked.
void ScanCatalog(const Relation& catalog, Oid index, CatalogKeys keys, const CatalogAccess::Visit& visit);
// All columns of one version, whatever its visibility; values in `arena`. False when the version does not exist.
bool FetchCatalogRow(const Relation& catalog, TupleId tid, Arena& arena, Value* values);

}  // namespace walden
