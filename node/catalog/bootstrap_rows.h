// The rows that `walden init` writes. Private to this folder.
#pragma once

#include "node/catalog/bootstrap.h"
#include "node/catalog/catalog_info.h"

namespace walden {

// pg_class, pg_attribute, pg_index of a catalog, its indexes, its TOAST table.
void InsertCatalogDescription(const CatalogInfo& catalog);
// Types, functions, operators, casts, aggregates, access methods, operator classes, languages, collations, schemas.
void InsertBuiltins();
// Roles, tablespaces, template1.
void InsertSharedRows(const BootstrapOptions& options);

}  // namespace walden
