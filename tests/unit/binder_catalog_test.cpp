#include "tests/unit/binder_test_catalog.h"

#include "node/catalog/builtin.h"
#include "node/catalog/catalog_info.h"

namespace walden {

TestCatalog::TestCatalog() {
  InstallBuiltins([](const BuiltinFunction&) { return true; });
}

Oid TestCatalog::FindSchema(std::string_view name) {
  return name == "pg_catalog" ? Oid{11} : name == "public" ? Oid{2200} : Oid{};
}

Oid TestCatalog::AddRelation(std::string_view name, char kind, const std::vector<ColumnSpec>& columns,
                             Oid owner) {
  RelationInfo relation;
  relation.oid = Oid{next_oid_++};
  relation.schema = Oid{2200};
  relation.name = name;
  relation.kind = kind;
  relation.owner = owner;
  for (const ColumnSpec& spec : columns) {
    ColumnInfo column;
    column.name = spec.name;
    column.type = spec.type;
    column.typmod = spec.typmod;
    column.collation = GetType(spec.type)->collation;
    column.not_null = spec.not_null;
    column.has_default = !spec.default_expression.empty();
    column.identity = spec.identity;
    column.generated = spec.generated;
    relation.columns.push_back(column);
    defaults_[{relation.oid, static_cast<AttrNumber>(relation.columns.size())}] = spec.default_expression;
  }
  TypeInfo row_type;
  row_type.oid = Oid{next_oid_++};
  row_type.schema = Oid{2200};
  row_type.name = name;
  row_type.kind = 'c';
  row_type.category = 'C';
  row_type.relation = relation.oid;
  relation.row_type = row_type.oid;
  user_types_[row_type.oid] = row_type;
  Oid oid = relation.oid;
  relations_[oid] = std::move(relation);
  return oid;
}

void TestCatalog::AddUnique(Oid relation, std::string_view constraint_name, bool primary,
                            std::vector<AttrNumber> keys) {
  UniqueInfo unique;
  unique.index = Oid{next_oid_++};
  unique.constraint = constraint_name.empty() ? Oid{} : Oid{next_oid_++};
  unique.constraint_name = constraint_name;
  unique.primary = primary;
  for (AttrNumber key : keys) {
    const ColumnInfo& column = relations_[relation].columns[static_cast<size_t>(key - 1)];
    unique.opclasses.push_back(DefaultOpclassFor(column.type, "btree"));
    unique.collations.push_back(column.collation);
  }
  unique.keys = std::move(keys);
  uniques_[relation].push_back(std::move(unique));
}

Oid TestCatalog::AddDomain(std::string_view name, Oid base) {
  TypeInfo domain = *GetType(base);
  TypeInfo array = *GetType(domain.array);
  domain.base_type = base;
  domain.oid = Oid{next_oid_++};
  domain.schema = array.schema = Oid{2200};
  domain.name = name;
  domain.kind = 'd';
  domain.preferred = false;
  array.oid = domain.array = Oid{next_oid_++};
  array.name = "_" + domain.name;
  array.element = domain.oid;
  user_types_[domain.oid] = domain;
  user_types_[array.oid] = array;
  return domain.oid;
}

// System catalogs, from their compiled-in descriptors.
RelationInfo* TestCatalog::DescribeCatalog(const CatalogInfo& catalog) {
  RelationInfo& relation = relations_[catalog.oid];
  if (IsValid(relation.oid)) return &relation;
  relation.oid = catalog.oid;
  relation.schema = Oid{11};
  relation.name = catalog.name;
  relation.owner = Oid{10};
  relation.row_type = catalog.row_type;
  for (const CatalogColumn& row : catalog.columns) {
    ColumnInfo column;
    column.name = row.name;
    column.type = row.type;
    column.not_null = row.not_null;
    const TypeInfo* type = GetType(row.type);
    column.collation = type == nullptr ? Oid{} : IsValid(type->collation) ? Oid{950} : Oid{};
    relation.columns.push_back(column);
  }
  for (const CatalogIndex& index : catalog.indexes) {
    if (!index.primary) continue;
    UniqueInfo unique;
    unique.index = unique.constraint = index.oid;
    unique.primary = true;
    unique.keys.assign(index.keys, index.keys + index.key_count);
    uniques_[catalog.oid].push_back(unique);
  }
  return &relation;
}

const RelationInfo* TestCatalog::FindRelation(std::string_view schema, std::string_view name,
                                              RelationLockNeed) {
  for (auto& [oid, relation] : relations_) {
    if (relation.name == name && (schema.empty() || FindSchema(schema) == relation.schema)) return &relation;
  }
  for (const CatalogInfo& catalog : Catalogs()) {
    if (catalog.name == name && (schema.empty() || schema == "pg_catalog")) return DescribeCatalog(catalog);
  }
  return nullptr;
}
const RelationInfo* TestCatalog::GetRelation(Oid relation, RelationLockNeed) {
  auto found = relations_.find(relation);
  if (found != relations_.end()) return &found->second;
  const CatalogInfo* catalog = FindCatalog(relation);
  return catalog == nullptr ? nullptr : DescribeCatalog(*catalog);
}

std::unique_ptr<TypeInfo> TestCatalog::LoadType(Oid type) {
  auto found = user_types_.find(type);
  if (found != user_types_.end()) return std::make_unique<TypeInfo>(found->second);
  // Declared but without an implementation: enough for a column of that type.
  for (const BuiltinType& row : BuiltinTypeRows()) {
    if (row.oid != type) continue;
    auto info = std::make_unique<TypeInfo>();
    info->oid = type;
    info->schema = Oid{11};
    info->name = row.name;
    info->kind = row.kind;
    info->category = row.category;
    info->relation = row.relation;
    info->element = row.element;
    info->array = row.array;
    info->collation = row.collation;
    info->is_true_array = row.subscript == Oid{6179};
    return info;
  }
  return nullptr;
}
std::unique_ptr<TypeInfo> TestCatalog::LoadType(Oid schema, std::string_view name) {
  for (auto& [oid, type] : user_types_) {
    if (type.name == name && type.schema == schema) return std::make_unique<TypeInfo>(type);
  }
  return nullptr;
}

}  // namespace walden
