#include "node/sql/query/catalog_deparse_names.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/namespace.h"
#include "node/catalog/rows/pg_amop.h"
#include "node/catalog/rows/pg_opclass.h"
#include "node/catalog/syscache.h"
#include "node/catalog/type_name.h"
#include "node/types/quote.h"

namespace walden {

namespace {

constexpr Oid kBtree{403};
constexpr Oid kRecordOid{2249};

template <class Row>
RowRef<Row> Require(RowRef<Row> row, std::string_view what, Oid oid) {
  if (row == nullptr) {
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for {} {}", what, OidNumber(oid));
  }
  return row;
}

RowRef<PgTypeRow> RequireType(Oid type) { return Require(TypeRow(type), "type", type); }

std::string Qualified(Oid schema, std::string_view name, bool qualify) {
  std::string quoted = QuoteIdentifier(name);
  return qualify ? QuoteIdentifier(SchemaName(schema)) + "." + quoted : quoted;
}

bool InSearchPath(Oid schema) {
  const std::vector<Oid>& path = SearchPath();
  return std::find(path.begin(), path.end(), schema) != path.end();
}

// Operator of the type's default btree class; kInvalid when there is none.
Oid SortOperator(Oid type, int16_t strategy) {
  Oid opclass = walden::DefaultOpclass(type, kBtree);
  auto row = FindRow<PgOpclassRow>(catalog_index::kPgOpclassOidIndex, {opclass});
  if (row == nullptr) return Oid::kInvalid;
  auto entry = FindRow<PgAmopRow>(catalog_index::kPgAmopFamStratIndex,
                                  {row->opcfamily, row->opcintype, row->opcintype, strategy});
  return entry == nullptr ? Oid::kInvalid : entry->amopopr;
}

Oid RowTypeRelation(Oid type) {
  RowRef<PgTypeRow> row = RequireType(type);
  while (row->typtype == 'd') row = RequireType(row->typbasetype);
  return row->typrelid;
}

}  // namespace

std::string CatalogDeparseNames::TypeName(Oid type, int32_t typmod) const {
  return FormatTypeWithTypmod(type, typmod);
}

std::string CatalogDeparseNames::FunctionName(Oid function, const List<Oid>&, const List<std::string_view>&,
                                              bool, bool grouping) const {
  auto row = Require(FunctionRow(function), "function", function);
  bool clashes = grouping && (row->proname == "cube" || row->proname == "rollup");
  return Qualified(row->pronamespace, row->proname, clashes || !FunctionIsVisible(function));
}

std::string CatalogDeparseNames::OperatorName(Oid op, Oid, Oid) const {
  auto row = Require(OperatorRow(op), "operator", op);
  if (OperatorIsVisible(op)) return row->oprname;
  return "OPERATOR(" + QuoteIdentifier(SchemaName(row->oprnamespace)) + "." + row->oprname + ")";
}

std::string CatalogDeparseNames::RelationName(Oid relation, bool qualify) const {
  auto row = Require(ClassRow(relation), "relation", relation);
  return Qualified(row->relnamespace, row->relname, qualify || !RelationIsVisible(relation));
}

std::string CatalogDeparseNames::RelationBareName(Oid relation) const {
  return Require(ClassRow(relation), "relation", relation)->relname;
}

std::string CatalogDeparseNames::CollationName(Oid collation) const {
  auto row = Require(CollationRow(collation), "collation", collation);
  bool visible = FindCollation(CatalogName{"", "", row->collname}, true) == collation;
  return Qualified(row->collnamespace, row->collname, !visible);
}

std::string CatalogDeparseNames::OpclassName(Oid opclass) const {
  auto row = Require(FindRow<PgOpclassRow>(catalog_index::kPgOpclassOidIndex, {opclass}), "opclass", opclass);
  return Qualified(row->opcnamespace, row->opcname, !InSearchPath(row->opcnamespace));
}

std::vector<std::string> CatalogDeparseNames::ColumnNames(Oid relation) const {
  auto row = Require(ClassRow(relation), "relation", relation);
  std::vector<std::string> names;
  for (AttrNumber attno = 1; attno <= row->relnatts; ++attno) {
    auto column = AttributeRow(relation, attno);
    names.push_back(column == nullptr || column->attisdropped ? std::string() : column->attname);
  }
  return names;
}

std::string CatalogDeparseNames::FieldName(Oid type, AttrNumber field) const {
  return ColumnName(RowTypeRelation(type), field);
}
std::vector<std::string> CatalogDeparseNames::FieldNames(Oid type) const {
  return ColumnNames(RowTypeRelation(type));
}

bool CatalogDeparseNames::IsRowType(Oid type) const {
  if (type == kRecordOid) return true;
  RowRef<PgTypeRow> row = RequireType(type);
  while (row->typtype == 'd') row = RequireType(row->typbasetype);
  return row->typtype == 'c';
}

Oid CatalogDeparseNames::ElementType(Oid type) const {
  RowRef<PgTypeRow> row = RequireType(type);
  while (row->typtype == 'd') row = RequireType(row->typbasetype);
  return row->typelem;
}

Oid CatalogDeparseNames::TypeCollation(Oid type) const { return RequireType(type)->typcollation; }
Oid CatalogDeparseNames::DefaultOpclass(Oid type, Oid access_method) const {
  return walden::DefaultOpclass(type, access_method);
}
Oid CatalogDeparseNames::LessThanOperator(Oid type) const { return SortOperator(type, 1); }
Oid CatalogDeparseNames::GreaterThanOperator(Oid type) const { return SortOperator(type, 5); }

std::string CatalogDeparseNames::ValueText(const Const& value) const {
  Arena arena;
  const TypeDescriptor* type = FindType(value.consttype);
  if (type == nullptr) {
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for type {}", OidNumber(value.consttype));
  }
  TypeIo io{arena, format_, session_, type, value.consttypmod};
  std::string text;
  type->output(value.value.datum, io, &text);
  return text;
}

}  // namespace walden
