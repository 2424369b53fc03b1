#include "node/catalog/relation_ddl.h"
#include "node/catalog/relation_stats.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/buffer/relation_storage.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/builtin.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/rows/pg_attrdef.h"
#include "node/txn/transaction.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

constexpr Oid kHeapMethod{2};
constexpr size_t kMaxNameBytes = 63;

bool HasRowType(char kind) {
  return kind != relkind::kSequence && kind != relkind::kToast && kind != relkind::kIndex &&
         kind != relkind::kPartitionedIndex;
}
bool HasSystemColumns(char kind) { return kind != relkind::kView && kind != relkind::kComposite; }

bool HasFile(char kind) {
  return kind == relkind::kTable || kind == relkind::kSequence || kind == relkind::kToast ||
         kind == relkind::kMaterializedView;
}

void CheckNameIsFree(const NewRelation& relation) {
  if (RowRef<PgClassRow> other = ClassRow(relation.name, relation.schema)) {
    throw SqlError(ErrorCode::kDuplicateTable, "relation \"{}\" already exists", relation.name);
  }
  if (!HasRowType(relation.kind)) return;
  RowRef<PgTypeRow> type = TypeRow(relation.name, relation.schema);
  if (!type) return;
  throw SqlError(ErrorCode::kDuplicateObject, "type \"{}\" already exists", relation.name)
      .WithHint(
          "A relation has an associated type of the same name, so you must use a name that doesn't conflict "
          "with any "
          "existing type.");
}

// "_name", with more underscores until nothing has it.
std::string ArrayTypeName(std::string_view name, Oid schema) {
  for (std::string candidate = "_" + std::string(name);; candidate = "_" + candidate) {
    if (candidate.size() > kMaxNameBytes) candidate.resize(kMaxNameBytes);
    if (!TypeRow(candidate, schema)) return candidate;
  }
}

PgTypeRow CommonTypeRow(Oid oid, std::string name, const NewRelation& relation) {
  PgTypeRow row;
  row.oid = oid;
  row.typname = std::move(name);
  row.typnamespace = relation.schema;
  row.typowner = relation.owner;
  row.typlen = -1;
  row.typisdefined = true;
  row.typdelim = ',';
  row.typalign = 'd';
  row.typstorage = 'x';
  row.typtypmod = -1;
  return row;
}

Oid DeclaredFunction(std::string_view name) {
  for (uint16_t at : builtin::FunctionPositions(name)) return BuiltinFunctions()[at].oid;
  return Oid::kInvalid;
}

// The row type of a relation and the array type over it.
Oid CreateRowTypes(const NewRelation& relation, Oid relation_oid) {
  CatalogTable<PgTypeRow> types;
  Oid type = types.NewOid(), array = types.NewOid();
  PgTypeRow row = CommonTypeRow(type, relation.name, relation);
  row.typtype = 'c';
  row.typcategory = 'C';
  row.typrelid = relation_oid;
  row.typarray = array;
  row.typinput = DeclaredFunction("record_in");
  row.typoutput = DeclaredFunction("record_out");
  row.typreceive = DeclaredFunction("record_recv");
  row.typsend = DeclaredFunction("record_send");
  types.Insert(row);
  PgTypeRow array_row = CommonTypeRow(array, ArrayTypeName(relation.name, relation.schema), relation);
  array_row.typtype = 'b';
  array_row.typcategory = 'A';
  array_row.typelem = type;
  array_row.typsubscript = DeclaredFunction("array_subscript_handler");
  array_row.typinput = DeclaredFunction("array_in");
  array_row.typoutput = DeclaredFunction("array_out");
  array_row.typreceive = DeclaredFunction("array_recv");
  array_row.typsend = DeclaredFunction("array_send");
  types.Insert(array_row);
  if (relation.record_dependencies) {
    ObjectAddress self{catalog_oid::kPgType, type, 0};
    if (relation.kind == relkind::kComposite) {
      RecordDependency({catalog_oid::kPgClass, relation_oid, 0}, self, DependencyKind::kInternal);
      RecordOwner(self, relation.owner);
      RecordDependency(self, {catalog_oid::kPgNamespace, relation.schema, 0}, DependencyKind::kNormal);
    } else {
      RecordDependency(self, {catalog_oid::kPgClass, relation_oid, 0}, DependencyKind::kInternal);
    }
    RecordDependency({catalog_oid::kPgType, array, 0}, self, DependencyKind::kInternal);
  }
  return type;
}

void InsertColumns(const NewRelation& relation, Oid oid) {
  CatalogTable<PgAttributeRow> attributes;
  AttrNumber attno = 0;
  for (PgAttributeRow column : relation.columns) {
    column.attrelid = oid;
    column.attnum = ++attno;
    FillTypeFacts(&column);
    attributes.Insert(column);
    if (!relation.record_dependencies) continue;
    ObjectAddress self{catalog_oid::kPgClass, oid, attno};
    RecordDependency(self, {catalog_oid::kPgType, column.atttypid, 0}, DependencyKind::kNormal);
    if (IsValid(column.attcollation)) {
      RecordDependency(self, {catalog_oid::kPgCollation, column.attcollation, 0}, DependencyKind::kNormal);
    }
  }
  if (!HasSystemColumns(relation.kind)) return;
  for (const PgAttributeRow& column : SystemAttributeRows(oid)) attributes.Insert(column);
}

void RecordRelationDependencies(const NewRelation& relation, Oid oid, const std::optional<Acl>& acl) {
  ObjectAddress self{catalog_oid::kPgClass, oid, 0};
  if (relation.kind == relkind::kToast || relation.kind == relkind::kComposite) return;
  RecordDependency(self, {catalog_oid::kPgNamespace, relation.schema, 0}, DependencyKind::kNormal);
  RecordOwner(self, relation.owner);
  if (acl) UpdateAclDependencies(self, relation.owner, {}, AclMembers(*acl));
}

}  // namespace

Oid CreateRelation(const NewRelation& relation) {
  if (relation.columns.size() > kMaxAttributes) {
    throw SqlError(ErrorCode::kTooManyColumns, "tables can have at most {} columns", kMaxAttributes);
  }
  CheckNameIsFree(relation);
  CatalogTable<PgClassRow> classes;
  PgClassRow row;
  row.oid = classes.NewOid();
  row.relname = relation.name;
  row.relnamespace = relation.schema;
  row.relowner = relation.owner;
  bool heap = relation.kind == relkind::kTable || relation.kind == relkind::kToast ||
              relation.kind == relkind::kMaterializedView;
  row.relam = heap ? kHeapMethod : Oid::kInvalid;
  row.relfilenode = HasFile(relation.kind) ? row.oid : Oid::kInvalid;
  row.reltablespace = relation.tablespace;
  row.reltuples = relation.kind == relkind::kView || relation.kind == relkind::kComposite ? 0 : -1;
  row.relpersistence = relation.persistence;
  row.relkind = relation.kind;
  row.relnatts = static_cast<int16_t>(relation.columns.size());
  row.relispopulated = true;
  row.relreplident = heap && relation.kind != relkind::kToast ? 'd' : 'n';
  row.reloptions = relation.options;
  row.relacl = relation.acl;
  if (!row.relacl && relation.kind != relkind::kToast) {
    row.relacl = InitialAcl(RelationObjectKind(relation.kind), relation.owner, relation.schema);
  }
  if (row.relfilenode != Oid::kInvalid) {
    RelFileLocator locator = LocatorOf(row);
    CreateRelationStorage(locator, NestLevel());
    StatsOfCreatedRelation(StatsDatabaseOf(row), row.oid, NestLevel());
    if (relation.persistence == 'u') CreateRelationFork(locator, Fork::kInit);
    row.relfrozenxid = static_cast<uint32_t>(kFirstNormalXid.value);
    row.relminmxid = 1;
  }
  if (HasRowType(relation.kind)) row.reltype = CreateRowTypes(relation, row.oid);
  classes.Insert(row);
  InsertColumns(relation, row.oid);
  if (relation.record_dependencies) RecordRelationDependencies(relation, row.oid, row.relacl);
  return row.oid;
}

std::vector<PgAttributeRow> SystemAttributeRows(Oid relation) {
  static constexpr AttrNumber kAll[] = {kSelfItemPointerAttr,  kMinTransactionIdAttr, kMinCommandIdAttr,
                                        kMaxTransactionIdAttr, kMaxCommandIdAttr,     kTableOidAttr};
  std::vector<PgAttributeRow> rows;
  for (AttrNumber attno : kAll) {
    const SystemColumn* column = FindSystemColumn(attno);
    PgAttributeRow& row = rows.emplace_back();
    row.attrelid = relation;
    row.attname = column->name;
    row.atttypid = column->type;
    row.attnum = attno;
    row.atttypmod = -1;
    row.attcacheoff = -1;
    row.attnotnull = row.attislocal = true;
    for (const BuiltinType& type : BuiltinTypeRows()) {
      if (type.oid != column->type) continue;
      row.attlen = type.length;
      row.attbyval = type.by_value;
      row.attalign = type.align;
      row.attstorage = type.storage;
    }
  }
  return rows;
}

void FillTypeFacts(PgAttributeRow* column) {
  RowRef<PgTypeRow> type = TypeRow(column->atttypid);
  if (!type)
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for type {}", OidNumber(column->atttypid));
  column->attlen = type->typlen;
  column->attbyval = type->typbyval;
  column->attalign = type->typalign;
  if (column->attstorage == '\0') column->attstorage = type->typstorage;
  if (!IsValid(column->attcollation)) column->attcollation = type->typcollation;
  column->attstattarget = -1;
  column->attcacheoff = -1;
  column->attislocal = true;
}

AttrNumber AddColumn(Oid relation, PgAttributeRow column) {
  FillTypeFacts(&column);
  AttrNumber attno = 0;
  UpdateClassRow(relation, [&](PgClassRow* row) { attno = ++row->relnatts; });
  if (attno > kMaxAttributes)
    throw SqlError(ErrorCode::kTooManyColumns, "tables can have at most {} columns", kMaxAttributes);
  column.attrelid = relation;
  column.attnum = attno;
  CatalogTable<PgAttributeRow>().Insert(column);
  ObjectAddress self{catalog_oid::kPgClass, relation, attno};
  RecordDependency(self, {catalog_oid::kPgType, column.atttypid, 0}, DependencyKind::kNormal);
  if (IsValid(column.attcollation)) {
    RecordDependency(self, {catalog_oid::kPgCollation, column.attcollation, 0}, DependencyKind::kNormal);
  }
  return attno;
}

Oid StoreDefault(Oid relation, AttrNumber attno, const std::string& expression,
                 std::span<const ObjectAddress> references, bool internal) {
  CatalogTable<PgAttrdefRow> defaults;
  PgAttrdefRow row;
  row.oid = defaults.NewOid();
  row.adrelid = relation;
  row.adnum = attno;
  row.adbin = expression;
  defaults.Insert(row);
  UpdateAttributeRow(relation, attno, [](PgAttributeRow* column) { column->atthasdef = true; });
  ObjectAddress self{catalog_oid::kPgAttrdef, row.oid, 0};
  RecordDependency(self, {catalog_oid::kPgClass, relation, attno},
                   internal ? DependencyKind::kInternal : DependencyKind::kAuto);
  RecordDependencies(self, references, DependencyKind::kNormal);
  return row.oid;
}

void UpdateClassRow(Oid relation, const std::function<void(PgClassRow*)>& change) {
  CatalogTable<PgClassRow> classes;
  auto found = classes.Find(catalog_index::kPgClassOidIndex, {relation});
  if (!found)
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for relation {}", OidNumber(relation));
  change(&found->row);
  classes.Update(found->tid, found->row);
  CommandCounterIncrement();
}

void UpdateAttributeRow(Oid relation, AttrNumber attno, const std::function<void(PgAttributeRow*)>& change) {
  CatalogTable<PgAttributeRow> attributes;
  auto found = attributes.Find(catalog_index::kPgAttributeRelidAttnumIndex, {relation, attno});
  if (!found) {
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for attribute {} of relation {}", attno,
                   OidNumber(relation));
  }
  change(&found->row);
  attributes.Update(found->tid, found->row);
  CommandCounterIncrement();
}

void UpdateIndexRow(Oid index, const std::function<void(PgIndexRow*)>& change) {
  CatalogTable<PgIndexRow> indexes;
  auto found = indexes.Find(catalog_index::kPgIndexIndexrelidIndex, {index});
  if (!found) throw SqlError(ErrorCode::kInternalError, "cache lookup failed for index {}", OidNumber(index));
  change(&found->row);
  indexes.Update(found->tid, found->row);
  CommandCounterIncrement();
}

namespace {
// Cuts at a character boundary.
std::string_view CutUtf8(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}
}  // namespace

std::string MakeObjectName(std::string_view name1, std::string_view name2, std::string_view label) {
  size_t overhead = (name2.empty() ? 0 : 1) + (label.empty() ? 0 : label.size() + 1);
  size_t room = kMaxNameBytes - overhead;
  size_t size1 = name1.size(), size2 = name2.size();
  while (size1 + size2 > room) (size1 > size2 ? size1 : size2)--;
  std::string name(CutUtf8(name1, size1));
  if (!name2.empty()) name += "_" + std::string(CutUtf8(name2, size2));
  if (!label.empty()) name += "_" + std::string(label);
  return name;
}

std::string ChooseRelationName(std::string_view name1, std::string_view name2, std::string_view label,
                               Oid schema) {
  std::string suffix(label);
  for (int pass = 1;; ++pass) {
    std::string name = MakeObjectName(name1, name2, suffix);
    if (!ClassRow(name, schema)) return name;
    suffix = std::string(label) + std::to_string(pass);
  }
}

}  // namespace walden
