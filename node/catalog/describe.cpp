// Objects in words, as error messages name them.
#include "node/catalog/catalog_table.h"
#include "node/catalog/dependency.h"
#include "node/catalog/namespace.h"
#include "node/catalog/rows/pg_attrdef.h"
#include "node/catalog/rows/pg_cast.h"
#include "node/catalog/rows/pg_default_acl.h"
#include "node/catalog/rows/pg_language.h"
#include "node/catalog/rows/pg_rewrite.h"
#include "node/catalog/rows/pg_tablespace.h"
#include "node/catalog/rows/pg_trigger.h"
#include "node/catalog/type_name.h"

namespace walden {
namespace {

std::string RelationText(Oid oid) {
  RowRef<PgClassRow> row = ClassRow(oid);
  if (!row) return "relation " + std::to_string(OidNumber(oid));
  std::string name = QuoteIdentifier(row->relname);
  if (!RelationIsVisible(oid)) name = QuoteIdentifier(SchemaName(row->relnamespace)) + "." + name;
  std::string kind(row->relkind == relkind::kToast       ? "toast table"
                   : row->relkind == relkind::kComposite ? "composite type"
                                                         : ObjectKindName(RelationObjectKind(row->relkind)));
  return kind + " " + name;
}

std::string ColumnText(Oid relation, AttrNumber attno) {
  return "column " + QuoteIdentifier(ColumnName(relation, attno)) + " of " + RelationText(relation);
}

template <class Row>
std::optional<Row> ReadOne(Oid index, Oid oid) {
  std::vector<Row> rows = ReadRows<Row>(index, {oid});
  if (rows.empty()) return std::nullopt;
  return rows[0];
}

std::string ConstraintText(Oid oid) {
  RowRef<PgConstraintRow> row = ConstraintRow(oid);
  if (!row) return "constraint " + std::to_string(OidNumber(oid));
  if (!IsValid(row->conrelid)) return "constraint " + QuoteIdentifier(row->conname);
  return "constraint " + QuoteIdentifier(row->conname) + " on " + RelationText(row->conrelid);
}

std::string DefaultAclText(Oid oid) {
  auto row = ReadOne<PgDefaultAclRow>(catalog_index::kPgDefaultAclOidIndex, oid);
  if (!row) return "default privileges";
  std::string what = row->defaclobjtype == 'r'   ? "relations"
                     : row->defaclobjtype == 'S' ? "sequences"
                     : row->defaclobjtype == 'f' ? "functions"
                     : row->defaclobjtype == 'T' ? "types"
                                                 : "schemas";
  std::string text = "default privileges on new " + what + " belonging to role " +
                     QuoteIdentifier(RoleName(row->defaclrole));
  if (IsValid(row->defaclnamespace))
    text += " in schema " + QuoteIdentifier(SchemaName(row->defaclnamespace));
  return text;
}

std::string SharedObjectText(const ObjectAddress& object) {
  if (object.catalog == catalog_oid::kPgAuthid) return "role " + QuoteIdentifier(RoleName(object.object));
  if (object.catalog == catalog_oid::kPgDatabase) {
    RowRef<PgDatabaseRow> row = DatabaseRow(object.object);
    return "database " + (row ? QuoteIdentifier(row->datname) : std::string());
  }
  auto row = FindRow<PgTablespaceRow>(catalog_index::kPgTablespaceOidIndex, {object.object});
  return "tablespace " + (row ? QuoteIdentifier(row->spcname) : std::string());
}

}  // namespace

std::string DescribeObject(const ObjectAddress& object) {
  Oid oid = object.object;
  if (object.catalog == catalog_oid::kPgClass) {
    return object.sub != 0 ? ColumnText(oid, static_cast<AttrNumber>(object.sub)) : RelationText(oid);
  }
  if (object.catalog == catalog_oid::kPgType) return "type " + FormatType(oid);
  if (object.catalog == catalog_oid::kPgConstraint) return ConstraintText(oid);
  if (object.catalog == catalog_oid::kPgNamespace) return "schema " + QuoteIdentifier(SchemaName(oid));
  if (object.catalog == catalog_oid::kPgProc) return "function " + FormatFunctionSignature(oid);
  if (object.catalog == catalog_oid::kPgOperator) return "operator " + FormatOperatorSignature(oid);
  if (object.catalog == catalog_oid::kPgDefaultAcl) return DefaultAclText(oid);
  if (object.catalog == catalog_oid::kPgAttrdef) {
    auto row = ReadOne<PgAttrdefRow>(catalog_index::kPgAttrdefOidIndex, oid);
    return row ? "default value for " + ColumnText(row->adrelid, row->adnum) : "default value";
  }
  if (object.catalog == catalog_oid::kPgRewrite) {
    auto row = ReadOne<PgRewriteRow>(catalog_index::kPgRewriteOidIndex, oid);
    return row ? "rule " + row->rulename + " on " + RelationText(row->ev_class) : "rule";
  }
  if (object.catalog == catalog_oid::kPgTrigger) {
    auto row = ReadOne<PgTriggerRow>(catalog_index::kPgTriggerOidIndex, oid);
    return row ? "trigger " + QuoteIdentifier(row->tgname) + " on " + RelationText(row->tgrelid) : "trigger";
  }
  if (object.catalog == catalog_oid::kPgCast) {
    auto row = ReadOne<PgCastRow>(catalog_index::kPgCastOidIndex, oid);
    return row ? "cast from " + FormatType(row->castsource) + " to " + FormatType(row->casttarget) : "cast";
  }
  if (object.catalog == catalog_oid::kPgCollation) {
    RowRef<PgCollationRow> row = CollationRow(oid);
    return "collation " + (row ? QuoteIdentifier(row->collname) : std::string());
  }
  if (object.catalog == catalog_oid::kPgLanguage) {
    auto row = FindRow<PgLanguageRow>(catalog_index::kPgLanguageOidIndex, {oid});
    return "language " + (row ? QuoteIdentifier(row->lanname) : std::string());
  }
  if (IsSharedRelation(object.catalog)) return SharedObjectText(object);
  return "object " + std::to_string(OidNumber(oid));
}

}  // namespace walden
