// Catalog changes of the transaction in progress, as invalidation messages. Private to this folder.
#pragma once

#include <string>

#include "node/catalog/catalog_info.h"
#include "node/catalog/syscache.h"
#include "node/types/value.h"

namespace walden {

// Queues what a row's appearance or disappearance invalidates.
void RecordCatalogChange(const CatalogInfo& catalog, const Value* values);
// The same for a row that was changed in place: that is seen at once, not from the next command on.
void RecordInPlaceChange(const CatalogInfo& catalog, const Value* values);
// Makes our own caches obey changes of commands that have ended. Every cache look-up starts with it; cheap.
void ObeyOwnChanges();

// A key of one index in canonical bytes, and its hash as it travels in messages.
std::string CanonicalKey(const CatalogInfo& catalog, const CatalogIndex& index, CatalogKeys keys);
std::string CanonicalKey(const CatalogInfo& catalog, const CatalogIndex& index, const Value* row);
uint32_t HashCanonicalKey(std::string_view key);

// ---- What obeying does; implemented by the caches.
void ForgetRow(Oid catalog, uint8_t index, uint32_t hash);
void ForgetCatalogRows(Oid catalog);
void ForgetAllRows();
void ForgetRelation(Oid relation);
void ForgetAllRelations();
void ForgetSearchPath();

}  // namespace walden
