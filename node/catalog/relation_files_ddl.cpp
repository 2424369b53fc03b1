// New, exchanged and removed files of relations; deletion of their rows.
#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/buffer/relation_storage.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/invalidation.h"
#include "node/catalog/relation_ddl.h"
#include "node/catalog/relation_stats.h"
#include "node/catalog/relation_use.h"
#include "node/catalog/rows/pg_attrdef.h"
#include "node/catalog/rows/pg_inherits.h"
#include "node/catalog/rows/pg_sequence.h"
#include "node/catalog/rows/pg_statistic.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

// A file number that no file has: numbers come from the OID counter and collide only after it wraps.
Oid NewFileNumber(PgClassRow row) {
  for (;;) {
    row.relfilenode = NextCatalogOid();
    if (!RelationFileExists(LocatorOf(row), Fork::kMain)) return row.relfilenode;
  }
}

void RefuseCatalog(Oid relation) {
  if (IsCatalogRelation(relation)) throw NotSupported("rewriting a system catalog");
}

template <class Row>
void DeleteAll(Oid index, CatalogKeys keys) {
  CatalogTable<Row> table;
  for (const StoredRow<Row>& row : table.Scan(index, keys)) table.Delete(row.tid);
}

}  // namespace

void SetNewRelationFile(Oid relation, bool with_indexes, char persistence) {
  RefuseCatalog(relation);
  RelationRef old = OpenRelation(relation, LockMode::kNone);
  DropRelationStorage(LocatorOf(old->row), NestLevel());
  UpdateClassRow(relation, [&](PgClassRow* row) {
    if (persistence != '\0') row->relpersistence = persistence;
    row->relfilenode = NewFileNumber(*row);
    RelFileLocator locator = LocatorOf(*row);
    CreateRelationStorage(locator, NestLevel());
    if (row->relpersistence == 'u' && row->relkind != relkind::kIndex)
      CreateRelationFork(locator, Fork::kInit);
    row->relpages = row->relallvisible = 0;
    row->reltuples = row->relkind == relkind::kIndex ? 0 : -1;
  });
  if (old->toast_relation && with_indexes) SetNewRelationFile(old->toast_relation->oid, true, persistence);
  if (!with_indexes) return;
  for (const RelationRef& index : old->indexes) {
    SetNewRelationFile(index->oid, false, persistence);
    RelationRef fresh = OpenRelation(index->oid, LockMode::kNone);
    const IndexDesc& desc = fresh->index_desc;
    desc.method->BuildEmpty(desc, Fork::kMain);
    if (fresh->row.relpersistence == 'u') {
      CreateRelationFork(desc.locator, Fork::kInit);
      desc.method->BuildEmpty(desc, Fork::kInit);
    }
  }
}

void SwapRelationFiles(Oid a, Oid b) {
  RefuseCatalog(a);
  RefuseCatalog(b);
  PgClassRow row_a = *ClassRow(a), row_b = *ClassRow(b);
  auto take = [](PgClassRow* row, const PgClassRow& from) {
    row->relfilenode = from.relfilenode;
    row->reltablespace = from.reltablespace;
    row->relpersistence = from.relpersistence;
    row->reltoastrelid = from.reltoastrelid;
    row->relpages = from.relpages;
    row->reltuples = from.reltuples;
    row->relallvisible = from.relallvisible;
  };
  UpdateClassRow(a, [&](PgClassRow* row) { take(row, row_b); });
  UpdateClassRow(b, [&](PgClassRow* row) { take(row, row_a); });
  // Each TOAST table now belongs to the other.
  auto move = [](Oid toast, Oid old_table, Oid new_table) {
    if (!IsValid(toast)) return;
    ObjectAddress self{catalog_oid::kPgClass, toast, 0};
    DeleteDependenciesOf(self);
    RecordDependency(self, {catalog_oid::kPgClass, new_table, 0}, DependencyKind::kInternal);
    (void)old_table;
  };
  move(row_a.reltoastrelid, a, b);
  move(row_b.reltoastrelid, b, a);
  CommandCounterIncrement();
}

void DropRelationRows(Oid relation) {
  RelationRef old = OpenRelation(relation, LockMode::kAccessExclusive);
  if (IsCatalogRelation(relation)) throw NotSupported("dropping a system catalog");
  CheckNotInUse(*old, old->row.relkind == relkind::kIndex ? "DROP INDEX" : "DROP TABLE");
  if (old->has_storage()) {
    DropRelationStorage(LocatorOf(old->row), NestLevel());
    StatsOfDroppedRelation(StatsDatabaseOf(old->row), relation, NestLevel());
  }
  if (old->row.relkind == relkind::kIndex) {
    DeleteAll<PgIndexRow>(catalog_index::kPgIndexIndexrelidIndex, {relation});
    InvalidateRelation(old->index->indrelid);
  }
  if (old->row.relkind == relkind::kSequence)
    DeleteAll<PgSequenceRow>(catalog_index::kPgSequenceSeqrelidIndex, {relation});
  DeleteAll<PgStatisticRow>(catalog_index::kPgStatisticRelidAttInhIndex, {relation});
  DeleteAll<PgInheritsRow>(catalog_index::kPgInheritsRelidSeqnoIndex, {relation});
  DeleteAll<PgAttributeRow>(catalog_index::kPgAttributeRelidAttnumIndex, {relation});
  DeleteAll<PgClassRow>(catalog_index::kPgClassOidIndex, {relation});
  InvalidateRelation(relation);
}

void DropColumnRows(Oid relation, AttrNumber attno) {
  RelationRef old = OpenRelation(relation, LockMode::kAccessExclusive);
  PhysicalType physical = (*old->desc)[attno].physical;
  UpdateAttributeRow(relation, attno, [&](PgAttributeRow* column) {
    column->attisdropped = true;
    column->atttypid = Oid::kInvalid;
    column->attcacheoff = static_cast<int32_t>(physical);
    column->attnotnull = false;
    column->attstattarget = 0;
    column->attgenerated = '\0';
    column->attidentity = '\0';
    column->atthasmissing = false;
    column->attmissingval.reset();
    column->attacl.reset();
    column->attoptions.reset();
    column->attname = "........pg.dropped." + std::to_string(attno) + "........";
  });
  DeleteAll<PgStatisticRow>(catalog_index::kPgStatisticRelidAttInhIndex, {relation, attno});
}

void UpdateRelationStatistics(Oid oid, const RelationStatistics& statistics) {
  CatalogTable<PgClassRow> classes;
  auto found = classes.Find(catalog_index::kPgClassOidIndex, {oid});
  if (!found) return;
  PgClassRow row = found->row;
  row.relpages = statistics.pages;
  row.reltuples = static_cast<float>(statistics.rows);
  row.relallvisible = statistics.all_visible;
  if (statistics.has_index) row.relhasindex = *statistics.has_index;
  bool same = row.relpages == found->row.relpages && row.reltuples == found->row.reltuples &&
              row.relallvisible == found->row.relallvisible && row.relhasindex == found->row.relhasindex;
  if (!same) classes.UpdateInPlace(found->tid, row);
}

}  // namespace walden
