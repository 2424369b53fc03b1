// Facts about single objects: what they are called, sequences, file nodes, what indexes can do.
#include "node/base/error.h"
#include "node/catalog/builtin.h"
#include "node/catalog/catalog_table.h"
#include "node/catalog/dependency.h"
#include "node/catalog/namespace.h"
#include "node/catalog/relation.h"
#include "node/catalog/rows/pg_database.h"
#include "node/catalog/rows/pg_sequence.h"
#include "node/catalog/rows/pg_tablespace.h"
#include "node/catalog/search_path.h"
#include "node/catalog/syscache.h"
#include "node/catalog/type_name.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/quote.h"

namespace walden {
namespace {

using View = std::string_view;
using Maybe = std::optional<View>;
using MaybeBool = std::optional<bool>;
using Values = std::span<const Value>;

// Of the catalogs whose objects people ask for; what lies in others is taken as there.
bool IsThere(Oid catalog, Oid object) {
  if (catalog == catalog_oid::kPgClass) return ClassRow(object) != nullptr;
  if (catalog == catalog_oid::kPgType) return TypeRow(object) != nullptr;
  if (catalog == catalog_oid::kPgProc) return FunctionRow(object) != nullptr;
  if (catalog == catalog_oid::kPgConstraint) return ConstraintRow(object) != nullptr;
  if (catalog == catalog_oid::kPgNamespace) return SchemaRow(object) != nullptr;
  if (catalog == catalog_oid::kPgAuthid) return RoleRow(object) != nullptr;
  if (catalog == catalog_oid::kPgDatabase) return DatabaseRow(object) != nullptr;
  return true;
}

Maybe DescribedObject(CallContext& c, Oid catalog, Oid object, int32_t part) {
  if ((!IsValid(catalog) && !IsValid(object)) || !IsThere(catalog, object)) return std::nullopt;
  std::string text = DescribeObject({catalog, object, part});
  return text.empty() ? std::nullopt : Maybe(Keep(c, text));
}

// start, minimum, maximum, increment, cycle, cache, type
View SequenceParameters(CallContext& c, Oid sequence) {
  auto row = FindRow<PgSequenceRow>(catalog_index::kPgSequenceSeqrelidIndex, {sequence});
  if (row == nullptr)
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for sequence {}", OidNumber(sequence));
  RowValues values(c.arena);
  values.Int8(row->seqstart).Int8(row->seqmin).Int8(row->seqmax).Int8(row->seqincrement).Bool(row->seqcycle);
  return MakeRecord(c, values.Int8(row->seqcache).ObjectId(row->seqtypid));
}

void CollationOf(CallContext& c, Values, Value* result) {
  Oid type = c.site.arg_types[0];
  if (!IsValid(c.site.collation)) {
    auto row = TypeRow(type);
    if (type != type_oid::kUnknown && (row == nullptr || !IsValid(row->typcollation))) {
      throw SqlError(ErrorCode::kDatatypeMismatch, "collations are not supported by type {}",
                     FormatType(type, -1));
    }
    return;
  }
  auto row = CollationRow(c.site.collation);
  *result = Value{StringDatum(Keep(c, QuoteIdentifier(row->collname))), false};
}

// --- Relations ---------------------------------------------------------------------------------------------

std::optional<Oid> RelationOfFileNode(Oid tablespace, Oid file_node) {
  if (!IsValid(file_node)) return std::nullopt;
  constexpr Oid kDefaultTablespace{1663};
  Oid stored = tablespace == kDefaultTablespace ? Oid::kInvalid : tablespace;
  for (const PgClassRow& row :
       ReadRows<PgClassRow>(catalog_index::kPgClassTblspcRelfilenodeIndex, {stored, file_node})) {
    return row.oid;
  }
  return std::nullopt;
}

std::optional<Oid> ReplicaIdentityIndex(Oid table) {
  RelationRef relation = TryOpenRelation(table, LockMode::kAccessShare);
  if (relation == nullptr) return std::nullopt;
  if (relation->row.relreplident == 'd' && OidNumber(table) >= OidNumber(kFirstNormalOid)) {
    return IsValid(relation->primary_key) ? std::optional(relation->primary_key) : std::nullopt;
  }
  if (relation->row.relreplident != 'i') return std::nullopt;
  for (const RelationRef& index : relation->indexes) {
    if (index->index->indisreplident) return index->oid;
  }
  return std::nullopt;
}

std::unique_ptr<TableFunction> StartDatabasesOf(CallContext& c, Values args) {
  auto rows = std::make_unique<RowSet>();
  constexpr Oid kGlobalTablespace{1664};
  Oid tablespace{static_cast<uint32_t>(args[0].datum.i32)};
  ErrorFields warning;
  warning.severity = Severity::kWarning;
  warning.code = ErrorCode::kWarning;
  if (tablespace == kGlobalTablespace) {
    warning.message = "global tablespace never has databases";
  } else if (FindRow<PgTablespaceRow>(catalog_index::kPgTablespaceOidIndex, {tablespace}) == nullptr) {
    warning.message = fmt::format("{} is not a tablespace OID", OidNumber(tablespace));
  } else {
    // Databases lie in the default tablespace, whole.
    for (const PgDatabaseRow& row : ReadRows<PgDatabaseRow>(catalog_index::kPgDatabaseOidIndex, {})) {
      if (row.dattablespace == tablespace) rows->Add(rows->NewRow().ObjectId(row.oid));
    }
    return rows;
  }
  if (c.session != nullptr) c.session->Report(warning);
  return rows;
}

// --- What indexes can do -----------------------------------------------------------------------------------

constexpr Oid kBtree{403};

bool Contains(std::span<const View> names, View name) {
  for (View known : names) {
    if (known == name) return true;
  }
  return false;
}

// Of the B-tree, the only method there is.
constexpr View kMethodProperties[] = {"can_order", "can_unique", "can_multi_col", "can_exclude",
                                      "can_include"};
constexpr View kIndexProperties[] = {"clusterable", "index_scan", "bitmap_scan", "backward_scan"};

MaybeBool MethodHasProperty(Oid method, View property) {
  return method == kBtree && Contains(kMethodProperties, property) ? MaybeBool(true) : std::nullopt;
}
RelationRef IndexNamed(Oid oid) {
  RelationRef index = TryOpenRelation(oid, LockMode::kAccessShare);
  return index != nullptr && index->row.relkind == relkind::kIndex && index->row.relam == kBtree ? index
                                                                                                 : nullptr;
}
MaybeBool IndexHasProperty(Oid oid, View property) {
  return IndexNamed(oid) != nullptr && Contains(kIndexProperties, property) ? MaybeBool(true) : std::nullopt;
}
MaybeBool ColumnHasProperty(Oid oid, int32_t column, View property) {
  RelationRef index = IndexNamed(oid);
  if (index == nullptr || column <= 0 || column > index->index->indnatts) return std::nullopt;
  // Columns that are only included have no order; all that is asked of them is whether they can be returned.
  bool is_key = column <= index->index->indnkeyatts;
  if (property == "returnable") return true;
  if (property == "distance_orderable") return false;
  constexpr View kOfKeys[] = {"asc",       "desc",         "nulls_first", "nulls_last",
                              "orderable", "search_array", "search_nulls"};
  if (!Contains(kOfKeys, property)) return std::nullopt;
  if (!is_key) return property == "orderable" ? MaybeBool(false) : std::nullopt;
  int16_t option = index->index->indoption[static_cast<size_t>(column - 1)];
  if (property == "asc") return (option & 1) == 0;
  if (property == "desc") return (option & 1) != 0;
  if (property == "nulls_first") return (option & 2) != 0;
  if (property == "nulls_last") return (option & 2) == 0;
  return true;
}

constexpr ScalarFunction kTable[] = {
    Scalar<&DescribedObject>("pg_describe_object"),
    Scalar<&SequenceParameters>("pg_sequence_parameters"),
    RowForm<&CollationOf, false>("pg_collation_for"),
    Volatile<&RelationOfFileNode>("pg_filenode_relation"),
    Volatile<&ReplicaIdentityIndex>("pg_get_replica_identity_index"),
    Volatile<&MethodHasProperty>("pg_indexam_has_property"),
    Volatile<&IndexHasProperty>("pg_index_has_property"),
    Volatile<&ColumnHasProperty>("pg_index_column_has_property"),
};
constexpr SetFunction kSets[] = {{"pg_tablespace_databases", true, &StartDatabasesOf}};

}  // namespace

std::span<const ScalarFunction> ObjectFunctions() { return kTable; }
std::span<const SetFunction> ObjectSetFunctions() { return kSets; }

}  // namespace walden
