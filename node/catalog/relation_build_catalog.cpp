// Cache entries of system catalogs, made from compiled-in descriptors: opening them reads no row. Their files have
// fixed numbers equal to their OIDs (catalogs are never rewritten), so that nothing has to be read to find pg_class.
#include "node/access/btree/btree.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/builtin.h"
#include "node/catalog/catalog_info.h"
#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation_build.h"
#include "node/catalog/relation_stats.h"
#include "node/txn/id_counters.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

constexpr Oid kHeapMethod{2}, kBtreeMethodOid{403}, kCCollation{950};

PhysicalType PhysicalOf(FieldKind kind) {
  switch (kind) {
    case FieldKind::kBool: return PhysicalType::kBool;
    case FieldKind::kChar: return PhysicalType::kInt8;
    case FieldKind::kInt16: return PhysicalType::kInt16;
    case FieldKind::kInt32:
    case FieldKind::kOid: return PhysicalType::kInt32;
    case FieldKind::kInt64: return PhysicalType::kInt64;
    case FieldKind::kFloat32: return PhysicalType::kFloat32;
    default: return PhysicalType::kString;
  }
}

// What pg_type says of a type, for pg_attribute: FindBuiltinType hides absent types, catalogs need them all.
const BuiltinType* DeclaredType(Oid type) {
  for (const BuiltinType& row : BuiltinTypeRows()) {
    if (row.oid == type) return &row;
  }
  return nullptr;
}

PgAttributeRow AttributeFor(Oid relation, AttrNumber attno, std::string_view name, Oid type, bool not_null) {
  PgAttributeRow row;
  row.attrelid = relation;
  row.attname = name;
  row.atttypid = type;
  row.attstattarget = -1;
  row.attnum = attno;
  row.attcacheoff = -1;
  row.atttypmod = -1;
  row.attnotnull = not_null;
  row.attislocal = true;
  if (const BuiltinType* declared = DeclaredType(type)) {
    row.attlen = declared->length;
    row.attbyval = declared->by_value;
    row.attalign = declared->align;
    row.attstorage = declared->storage;
    row.attcollation = IsValid(declared->collation) ? kCCollation : Oid::kInvalid;
    row.attndims = declared->category == 'A' && declared->length == -1 ? 1 : 0;
  }
  return row;
}

AttributeDesc DescFor(const CatalogColumn& column) {
  AttributeDesc desc;
  desc.physical = PhysicalOf(column.kind);
  const BuiltinType* declared = DeclaredType(column.type);
  desc.storage =
      declared != nullptr ? static_cast<AttributeStorage>(declared->storage) : AttributeStorage::kPlain;
  desc.not_null = column.not_null;
  desc.type = column.type;
  return desc;
}

PgClassRow ClassRowFor(Oid oid, std::string_view name, char kind, bool shared) {
  PgClassRow row;
  row.oid = oid;
  row.relname = name;
  row.relnamespace = kind == relkind::kToast ? kPgToastNamespace : kPgCatalogNamespace;
  row.relowner = kBootstrapSuperuser;
  row.relam = kind == relkind::kIndex ? kBtreeMethodOid : kHeapMethod;
  row.relfilenode = oid;
  row.reltablespace = shared ? kGlobalTablespace : Oid::kInvalid;
  row.reltuples = -1;
  row.relisshared = shared;
  row.relpersistence = 'p';
  row.relkind = kind;
  row.relispopulated = true;
  row.relreplident = 'n';
  return row;
}

TableRef TableFor(Relation* relation) {
  TableRef table;
  table.locator = LocatorOf(relation->row);
  table.oid = relation->oid;
  table.name = relation->row.relname.c_str();
  table.desc = relation->desc.get();
  table.is_catalog = true;
  table.indexed_columns = &relation->indexed_columns;
  table.key_columns = &relation->key_columns;
  table.stats = StatsOf(*relation);
  return table;
}

void FillIndex(Relation* relation, const TupleDesc* desc, bool unique) {
  IndexDesc& index = relation->index_desc;
  index.locator = LocatorOf(relation->row);
  index.oid = relation->oid;
  index.name = relation->row.relname;
  index.method = &BtreeMethod();
  index.desc = desc;
  index.unique = unique;
  index.throw_unique_violation = ThrowDuplicateKey;
  index.throw_build_duplicate = ThrowDuplicateInBuild;
  index.stats = StatsOf(*relation);
  index.owner = relation;
}

std::shared_ptr<Relation> BuildCatalogIndex(const CatalogIndex& index) {
  const CatalogInfo& catalog = *FindCatalog(index.table);
  auto relation = std::make_shared<Relation>();
  relation->oid = index.oid;
  relation->row = ClassRowFor(index.oid, index.name, relkind::kIndex, catalog.shared);
  relation->row.relnatts = index.key_count;
  PgIndexRow& row = relation->index.emplace();
  row.indexrelid = index.oid;
  row.indrelid = index.table;
  row.indnatts = row.indnkeyatts = index.key_count;
  row.indisunique = index.unique;
  row.indisprimary = index.primary;
  row.indimmediate = row.indisvalid = row.indisready = row.indislive = true;
  std::vector<AttributeDesc> attributes;
  for (int k = 0; k < index.key_count; ++k) {
    const CatalogColumn& column = catalog.columns[index.keys[k] - 1];
    attributes.push_back(DescFor(column));
    relation->columns.push_back(
        AttributeFor(index.oid, static_cast<AttrNumber>(k + 1), column.name, column.type, false));
    Oid opclass_type = column.kind == FieldKind::kString && column.type != type_oid::kName ? type_oid::kText
                       : column.kind == FieldKind::kOid                                    ? type_oid::kOid
                                                                                           : column.type;
    relation->opclass_types.push_back(opclass_type);
    relation->index_desc.keys.push_back(KeyColumnFor(opclass_type, column.type, false));
    row.indkey.push_back(index.keys[k]);
    row.indcollation.push_back(relation->columns.back().attcollation);
    row.indoption.push_back(0);
    for (const BuiltinOpclass& opclass : BuiltinOpclasses()) {
      if (opclass.method == kBtreeMethodOid && opclass.is_default && opclass.input_type == opclass_type) {
        row.indclass.push_back(opclass.oid);
      }
    }
  }
  relation->desc = std::make_unique<TupleDesc>(std::move(attributes));
  FillIndex(relation.get(), relation->desc.get(), index.unique);
  return relation;
}

AttributeDesc ToastAttribute(PhysicalType physical, Oid type) {
  AttributeDesc desc;
  desc.physical = physical;
  desc.type = type;
  desc.not_null = true;
  return desc;
}

std::unique_ptr<const TupleDesc> ToastDesc() {
  return std::make_unique<TupleDesc>(
      std::vector<AttributeDesc>{ToastAttribute(PhysicalType::kInt32, type_oid::kOid),
                                 ToastAttribute(PhysicalType::kInt32, type_oid::kInt4),
                                 ToastAttribute(PhysicalType::kString, type_oid::kBytea)});
}

std::shared_ptr<Relation> BuildCatalogToastIndex(const CatalogInfo& catalog) {
  auto relation = std::make_shared<Relation>();
  relation->oid = catalog.toast_index;
  relation->row =
      ClassRowFor(catalog.toast_index, "pg_toast_" + std::to_string(OidNumber(catalog.oid)) + "_index",
                  relkind::kIndex, catalog.shared);
  relation->row.relnamespace = kPgToastNamespace;
  relation->row.relnatts = 2;
  PgIndexRow& row = relation->index.emplace();
  row.indexrelid = catalog.toast_index;
  row.indrelid = catalog.toast;
  row.indnatts = row.indnkeyatts = 2;
  row.indisunique = row.indisprimary = true;
  row.indimmediate = row.indisvalid = row.indisready = row.indislive = true;
  row.indkey = {1, 2};
  row.indoption = {0, 0};
  row.indcollation = {Oid::kInvalid, Oid::kInvalid};
  row.indclass = {Oid{1981}, Oid{1978}};  // oid_ops, int4_ops
  relation->columns = {AttributeFor(catalog.toast_index, 1, "chunk_id", type_oid::kOid, false),
                       AttributeFor(catalog.toast_index, 2, "chunk_seq", type_oid::kInt4, false)};
  relation->opclass_types = {type_oid::kOid, type_oid::kInt4};
  for (Oid type : relation->opclass_types)
    relation->index_desc.keys.push_back(KeyColumnFor(type, type, false));
  relation->desc = std::make_unique<TupleDesc>(
      std::vector<AttributeDesc>{ToastAttribute(PhysicalType::kInt32, type_oid::kOid),
                                 ToastAttribute(PhysicalType::kInt32, type_oid::kInt4)});
  FillIndex(relation.get(), relation->desc.get(), true);
  return relation;
}

std::shared_ptr<Relation> BuildCatalogToast(const CatalogInfo& catalog) {
  auto relation = std::make_shared<Relation>();
  relation->oid = catalog.toast;
  relation->row = ClassRowFor(catalog.toast, "pg_toast_" + std::to_string(OidNumber(catalog.oid)),
                              relkind::kToast, catalog.shared);
  relation->row.relnatts = 3;
  relation->row.relhasindex = true;
  relation->columns = {AttributeFor(catalog.toast, 1, "chunk_id", type_oid::kOid, false),
                       AttributeFor(catalog.toast, 2, "chunk_seq", type_oid::kInt4, false),
                       AttributeFor(catalog.toast, 3, "chunk_data", type_oid::kBytea, false)};
  for (PgAttributeRow& column : relation->columns) column.attstorage = 'p';
  relation->desc = ToastDesc();
  relation->indexes.push_back(OpenRelation(catalog.toast_index, LockMode::kNone));
  relation->table = TableFor(relation.get());
  FillIndexedColumns(relation.get());
  return relation;
}

std::shared_ptr<Relation> BuildCatalog(const CatalogInfo& catalog) {
  auto relation = std::make_shared<Relation>();
  relation->oid = catalog.oid;
  relation->row = ClassRowFor(catalog.oid, catalog.name, relkind::kTable, catalog.shared);
  relation->row.reltype = catalog.row_type;
  relation->row.relnatts = static_cast<int16_t>(catalog.columns.size());
  relation->row.relhasindex = !catalog.indexes.empty();
  relation->row.reltoastrelid = catalog.toast;
  std::vector<AttributeDesc> attributes;
  for (const CatalogColumn& column : catalog.columns) {
    AttrNumber attno = static_cast<AttrNumber>(attributes.size() + 1);
    attributes.push_back(DescFor(column));
    relation->columns.push_back(AttributeFor(catalog.oid, attno, column.name, column.type, column.not_null));
  }
  relation->desc = std::make_unique<TupleDesc>(std::move(attributes));
  for (const CatalogIndex& index : catalog.indexes) {
    relation->indexes.push_back(OpenRelation(index.oid, LockMode::kNone));
    if (index.primary) relation->primary_key = index.oid;
  }
  relation->table = TableFor(relation.get());
  FillIndexedColumns(relation.get());
  if (IsValid(catalog.toast)) FillToast(relation.get(), catalog.toast);
  return relation;
}

}  // namespace

RelationRef BuildCatalogRelation(Oid oid) {
  if (const CatalogInfo* catalog = FindCatalog(oid)) return BuildCatalog(*catalog);
  if (const CatalogIndex* index = FindCatalogIndex(oid)) return BuildCatalogIndex(*index);
  const CatalogInfo* owner = FindCatalogOfToast(oid);
  if (owner->toast == oid) return BuildCatalogToast(*owner);
  return BuildCatalogToastIndex(*owner);
}

}  // namespace walden
