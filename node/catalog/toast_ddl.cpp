// TOAST tables.
#include "node/buffer/relation_storage.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation_ddl.h"
#include "node/txn/transaction.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

constexpr int kToastThreshold = 2032;
constexpr int kUnbounded = 1 << 20;

// The most bytes that values of this column take; types without a limit count as unbounded.
int LargestSize(const PgAttributeRow& column) {
  if (column.attlen > 0) return column.attlen;
  bool limited = column.atttypid == type_oid::kVarchar || column.atttypid == type_oid::kBpchar;
  if (limited && column.atttypmod > 4) return (column.atttypmod - 4) * 4 + 4;
  if (column.atttypid == type_oid::kNumeric && column.atttypmod > 4) {
    int precision = (column.atttypmod - 4) >> 16 & 0xFFFF;
    return 16 + precision / 2;
  }
  return kUnbounded;
}

bool NeedsToastTable(const Relation& relation) {
  int total = 0;
  bool movable = false;
  for (const PgAttributeRow& column : relation.columns) {
    if (column.attisdropped) continue;
    total += LargestSize(column);
    if (total > kUnbounded) total = kUnbounded;
    movable |= column.attstorage != 'p';
  }
  return movable && total > kToastThreshold;
}

PgAttributeRow ToastColumn(std::string_view name, Oid type) {
  PgAttributeRow column;
  column.attname = name;
  column.atttypid = type;
  column.atttypmod = -1;
  column.attstorage = 'p';
  return column;
}

Oid CreateToastIndex(Oid toast, const std::string& name, Oid schema, Oid tablespace) {
  NewIndex index;
  index.name = name + "_index";
  index.table = toast;
  index.schema = schema;
  index.tablespace = tablespace;
  index.columns = {ToastColumn("chunk_id", type_oid::kOid), ToastColumn("chunk_seq", type_oid::kInt4)};
  index.row.indnkeyatts = 2;
  index.row.indisunique = index.row.indisprimary = index.row.indimmediate = true;
  index.row.indisvalid = index.row.indisready = index.row.indislive = true;
  index.row.indkey = {1, 2};
  index.row.indclass = {Oid{1981}, Oid{1978}};  // oid_ops, int4_ops
  index.row.indoption = {0, 0};
  return CreateIndexRelation(index);
}

}  // namespace

void CreateToastTableIfNeeded(Oid table) {
  RelationRef relation = OpenRelation(table, LockMode::kNone);
  if (IsValid(relation->row.reltoastrelid) || !NeedsToastTable(*relation)) return;
  bool temporary = relation->row.relpersistence == 't';
  NewRelation toast;
  toast.name = "pg_toast_" + std::to_string(OidNumber(table));
  toast.schema = temporary ? TemporaryToastNamespace() : kPgToastNamespace;
  toast.owner = relation->row.relowner;
  toast.kind = relkind::kToast;
  toast.persistence = relation->row.relpersistence;
  toast.tablespace = relation->row.reltablespace;
  toast.columns = {ToastColumn("chunk_id", type_oid::kOid), ToastColumn("chunk_seq", type_oid::kInt4),
                   ToastColumn("chunk_data", type_oid::kBytea)};
  toast.record_dependencies = false;
  Oid oid = CreateRelation(toast);
  CommandCounterIncrement();
  Oid index_oid = CreateToastIndex(oid, toast.name, toast.schema, toast.tablespace);
  RelationRef index = OpenRelation(index_oid, LockMode::kNone);
  index->index_desc.method->BuildEmpty(index->index_desc, Fork::kMain);
  if (toast.persistence == 'u') {
    CreateRelationFork(index->index_desc.locator, Fork::kInit);
    index->index_desc.method->BuildEmpty(index->index_desc, Fork::kInit);
  }
  RecordDependency({catalog_oid::kPgClass, index_oid, 0}, {catalog_oid::kPgClass, oid, 1},
                   DependencyKind::kAuto);
  RecordDependency({catalog_oid::kPgClass, index_oid, 0}, {catalog_oid::kPgClass, oid, 2},
                   DependencyKind::kAuto);
  RecordDependency({catalog_oid::kPgClass, oid, 0}, {catalog_oid::kPgClass, table, 0},
                   DependencyKind::kInternal);
  UpdateClassRow(oid, [](PgClassRow* row) { row->relhasindex = true; });
  UpdateClassRow(table, [&](PgClassRow* row) { row->reltoastrelid = oid; });
}

}  // namespace walden
