#include "node/sql/commands/column_dependents.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/rows/pg_attrdef.h"
#include "node/catalog/rows/pg_description.h"
#include "node/sql/query/catalog_deparse_names.h"
#include "node/sql/query/object_definitions.h"
#include "node/types/quote.h"

namespace walden {
namespace {

// "; COMMENT ON <what> IS '...'", or nothing.
std::string CommentStatement(const ObjectAddress& object, const std::string& what) {
  CatalogTable<PgDescriptionRow> comments;
  auto row =
      comments.Find(catalog_index::kPgDescriptionOCOIndex, {object.object, object.catalog, object.sub});
  return row ? fmt::format("; COMMENT ON {} IS {}", what, QuoteLiteral(row->row.description)) : "";
}

}  // namespace

ColumnDependents::ColumnDependents(const Relation& table, AttrNumber attno, CommandContext& context)
    : context_(context) {
  for (const Dependency& dependent : DependentsOf(RelationAddress(table.oid, attno)))
    Add(table, attno, dependent.other);
}

void ColumnDependents::Add(const Relation& table, AttrNumber attno, const ObjectAddress& dependent) {
  auto is_same = [&](const ObjectAddress& known) {
    return known.catalog == dependent.catalog && known.object == dependent.object;
  };
  if (std::any_of(objects_.begin(), objects_.end(), is_same)) return;
  const std::string& column = table.columns[attno - 1].attname;
  if (dependent.catalog == catalog_oid::kPgRewrite) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot alter type of a column used by a view or rule")
        .WithDetail(DescribeObject(dependent) + " depends on column \"" + column + "\"");
  }
  if (dependent.catalog == catalog_oid::kPgAttrdef) {
    CatalogTable<PgAttrdefRow> defaults;
    auto row = defaults.Find(catalog_index::kPgAttrdefOidIndex, {dependent.object});
    if (!row || row->row.adnum == attno) return;
    throw SqlError(ErrorCode::kSyntaxError, "cannot alter type of a column used by a generated column")
        .WithDetail(fmt::format("Column \"{}\" is used by generated column \"{}\".", column,
                                table.columns[row->row.adnum - 1].attname));
  }
  if (dependent.catalog == catalog_oid::kPgConstraint) {
    RowRef<PgConstraintRow> row = ConstraintRow(dependent.object);
    if (row && (row->contype == 'c' || row->contype == 'f')) AddConstraint(*row);
  } else if (dependent.catalog == catalog_oid::kPgClass) {
    RowRef<PgIndexRow> row = IndexRow(dependent.object);
    if (row && (row->indexprs || row->indpred)) AddIndex(dependent.object);
  }
}

void ColumnDependents::AddConstraint(const PgConstraintRow& constraint) {
  ObjectAddress self{catalog_oid::kPgConstraint, constraint.oid, 0};
  CatalogDeparseNames names(context_.format, context_.session);
  std::string table = names.RelationName(constraint.conrelid, true),
              name = QuoteIdentifier(constraint.conname);
  std::string statement = fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", table, name,
                                      ConstraintDefinition(constraint.oid, names, false).value());
  statement += CommentStatement(self, fmt::format("CONSTRAINT {} ON {}", name, table));
  (constraint.contype == 'f' ? foreign_keys_ : checks_).push_back(std::move(statement));
  objects_.push_back(self);
}

void ColumnDependents::AddIndex(Oid index) {
  CatalogDeparseNames names(context_.format, context_.session);
  ObjectAddress self = RelationAddress(index);
  indexes_.push_back(IndexDefinition(index, 0, names, false).value() +
                     CommentStatement(self, "INDEX " + names.RelationName(index, true)));
  objects_.push_back(self);
}

void ColumnDependents::Drop() {
  // Foreign keys were found in any order, but nothing collected here depends on anything else collected here.
  for (const ObjectAddress& object : objects_) DropObject(object, {.internal = true});
  if (!objects_.empty()) context_.Advance();
}

void ColumnDependents::Recreate() {
  for (const std::vector<std::string>* statements : {&indexes_, &checks_, &foreign_keys_}) {
    for (const std::string& statement : *statements) context_.queries->RunSql(statement);
  }
}

}  // namespace walden
