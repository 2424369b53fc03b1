// Making and filling indexes.
#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/base/error.h"
#include "node/buffer/relation_storage.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/relation_ddl.h"
#include "node/catalog/relation_stats.h"
#include "node/stats/progress.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

constexpr int64_t kBuildingIndex = 2;  // the phase's number in pg_stat_progress_create_index

class PlainRowMaker : public IndexRowMaker {
 public:
  PlainRowMaker(const Relation& table, const Relation& index) : table_(table), index_(index) {}
  bool Make(const TupleView& row, Value* values, Arena& arena) override {
    DeformContext context{.arena = &arena, .toast = table_.table.toast};
    const std::vector<int16_t>& columns = index_.index->indkey;
    for (size_t k = 0; k < columns.size(); ++k)
      values[k] = GetAttribute(*table_.desc, row, columns[k], context);
    return true;
  }

 private:
  const Relation& table_;
  const Relation& index_;
};

class BuildFeeder : public IndexBuildRows {
 public:
  BuildFeeder(const Relation& table, const Relation& index, IndexBuild* build, IndexRowMaker* maker,
              ProgressReport* progress)
      : table_(table), index_(index), build_(build), maker_(maker), progress_(progress) {}
  void Row(const TupleView& row, TupleId root, bool alive) override {
    Value values[32];
    if (root.block != block_) {
      block_ = root.block;
      progress_->Set(progress::kIndexBlocksDone, block_);
      progress_->Set(progress::kIndexRowsDone, rows_);
    }
    ++rows_;
    if (maker_->Make(row, values, arena_)) {
      if (alive && index_.index->indisprimary) CheckNotNull(values);
      build_->Add(values, root, alive);
    }
    arena_.Reset();
  }

 private:
  // A primary key makes its columns NOT NULL.
  void CheckNotNull(const Value* values) const {
    for (int k = 0; k < index_.index->indnkeyatts; ++k) {
      if (!values[k].is_null) continue;
      const std::string& column = table_.columns[index_.index->indkey[k] - 1].attname;
      throw SqlError(ErrorCode::kNotNullViolation, "column \"{}\" of relation \"{}\" contains null values",
                     column, table_.name())
          .WithTable(SchemaName(table_.row.relnamespace), table_.name())
          .WithColumn(column);
    }
  }

  const Relation& table_;
  const Relation& index_;
  IndexBuild* build_;
  IndexRowMaker* maker_;
  ProgressReport* progress_;
  BlockNumber block_ = kInvalidBlock;
  int64_t rows_ = 0;
  Arena arena_;
};

void RecordIndexDependencies(const NewIndex& index, Oid oid, const PgIndexRow& row) {
  ObjectAddress self{catalog_oid::kPgClass, oid, 0};
  bool any_column = false;
  for (int16_t attno : row.indkey) {
    if (attno == 0) continue;
    RecordDependency(self, {catalog_oid::kPgClass, index.table, attno}, DependencyKind::kAuto);
    any_column = true;
  }
  if (!any_column) RecordDependency(self, {catalog_oid::kPgClass, index.table, 0}, DependencyKind::kAuto);
  for (Oid collation : row.indcollation) {
    if (IsValid(collation))
      RecordDependency(self, {catalog_oid::kPgCollation, collation, 0}, DependencyKind::kNormal);
  }
  for (Oid opclass : row.indclass) {
    RecordDependency(self, {catalog_oid::kPgOpclass, opclass, 0}, DependencyKind::kNormal);
  }
}

}  // namespace

Oid CreateIndexRelation(const NewIndex& index) {
  if (ClassRow(index.name, index.schema)) {
    throw SqlError(ErrorCode::kDuplicateTable, "relation \"{}\" already exists", index.name);
  }
  RelationRef table = OpenRelation(index.table, LockMode::kNone);
  CatalogTable<PgClassRow> classes;
  PgClassRow row;
  row.oid = classes.NewOid();
  row.relname = index.name;
  row.relnamespace = index.schema;
  row.relowner = table->row.relowner;
  row.relam = index.access_method;
  row.relfilenode = row.oid;
  row.reltablespace = index.tablespace;
  row.relpersistence = table->row.relpersistence;
  row.relkind = relkind::kIndex;
  row.relnatts = static_cast<int16_t>(index.columns.size());
  row.relispopulated = true;
  row.relreplident = 'n';
  row.reloptions = index.options;
  CreateRelationStorage(LocatorOf(row), NestLevel());
  StatsOfCreatedRelation(StatsDatabaseOf(row), row.oid, NestLevel());
  classes.Insert(row);

  PgIndexRow index_row = index.row;
  index_row.indexrelid = row.oid;
  index_row.indrelid = index.table;
  index_row.indnatts = row.relnatts;
  index_row.indcollation.clear();
  CatalogTable<PgAttributeRow> attributes;
  AttrNumber attno = 0;
  for (PgAttributeRow column : index.columns) {
    column.attrelid = row.oid;
    column.attnum = ++attno;
    FillTypeFacts(&column);
    attributes.Insert(column);
    if (attno <= index_row.indnkeyatts) index_row.indcollation.push_back(column.attcollation);
  }
  CatalogTable<PgIndexRow>().Insert(index_row);
  if (!index.internal) RecordIndexDependencies(index, row.oid, index_row);
  CommandCounterIncrement();
  return row.oid;
}

void BuildIndex(const RelationRef& table, const RelationRef& index, IndexRowMaker* maker,
                IndexCommand command) {
  const IndexDesc& desc = index->index_desc;
  if (desc.method == nullptr) throw NotSupported("this index access method");
  PlainRowMaker plain(*table, *index);
  std::unique_ptr<IndexBuild> build = desc.method->BeginBuild(desc);
  ProgressReport progress(ProgressCommand::kCreateIndex, table->oid);
  progress.Set(progress::kIndexCommand, static_cast<int64_t>(command));
  progress.Set(progress::kIndexOid, OidNumber(index->oid));
  progress.Set(progress::kIndexPhase, kBuildingIndex);
  progress.Set(progress::kIndexBlocks, RelationBlocks(table->table.locator));
  BuildFeeder feeder(*table, *index, build.get(), maker != nullptr ? maker : &plain, &progress);
  double rows = HeapIndexBuildScan(table->table, nullptr, &feeder);
  IndexBuildStats stats = build->Finish();
  if (index->row.relpersistence == 'u') {
    CreateRelationFork(desc.locator, Fork::kInit);
    desc.method->BuildEmpty(desc, Fork::kInit);
  }
  BlockNumber table_blocks = RelationBlocks(table->table.locator),
              index_blocks = RelationBlocks(desc.locator);
  UpdateRelationStatistics(table->oid, {static_cast<int32_t>(table_blocks), rows, 0, true});
  UpdateRelationStatistics(index->oid,
                           {static_cast<int32_t>(index_blocks), stats.index_rows, 0, std::nullopt});
  CommandCounterIncrement();
}

}  // namespace walden
