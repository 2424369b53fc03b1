// Assembling cache entries. Private to this folder.
#pragma once

#include "node/catalog/relation.h"

namespace walden {

// From compiled-in descriptors; `oid` is a system catalog, its index, its TOAST table or index.
RelationRef BuildCatalogRelation(Oid oid);
// From catalog rows; null when pg_class has no such row. The relation is locked, or nobody can see it.
RelationRef BuildRelation(Oid oid);

// Shared by both.
void FillToast(Relation* relation, Oid toast);
void FillIndexedColumns(Relation* relation);
// The comparator of one key column with this operator class input type.
IndexKeyColumn KeyColumnFor(Oid opclass_type, Oid column_type, bool pattern);
// 23505 with the key's printed values: of a row that is stored, of rows that an index is built over.
[[noreturn]] void ThrowDuplicateKey(const IndexDesc& index, const Value* key);
[[noreturn]] void ThrowDuplicateInBuild(const IndexDesc& index, const Value* key);

}  // namespace walden
