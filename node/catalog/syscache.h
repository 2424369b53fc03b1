// Cached catalog rows. Every unique index of a catalog is a cache: a key gives a row, or remembers that there is none.
// A prefix of any index gives a list. Rows are immutable and shared; a RowRef stays valid (though perhaps out of date)
// for as long as it is held. Entries leave when an invalidation message for their key arrives; messages are read when
// a lock is taken, a transaction begins, and a command of our own ends (invalidation.h).
//
//   RowRef<PgRoleRow> role = FindRow<PgAuthidRow>(catalog_index::kPgAuthidRolnameIndex, {name});
#pragma once

#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "node/catalog/catalog_info.h"
#include "node/catalog/row_fields.h"
#include "node/catalog/rows/pg_attribute.h"
#include "node/catalog/rows/pg_authid.h"
#include "node/catalog/rows/pg_class.h"
#include "node/catalog/rows/pg_collation.h"
#include "node/catalog/rows/pg_constraint.h"
#include "node/catalog/rows/pg_database.h"
#include "node/catalog/rows/pg_index.h"
#include "node/catalog/rows/pg_namespace.h"
#include "node/catalog/rows/pg_operator.h"
#include "node/catalog/rows/pg_proc.h"
#include "node/catalog/rows/pg_sequence.h"
#include "node/catalog/rows/pg_statistic.h"
#include "node/catalog/rows/pg_type.h"

namespace walden {

// XX000 "cache lookup failed for a row of pg_x".
[[noreturn]] void ThrowRowIsGone(Oid catalog);

// Empty when there is no such row. Whoever reads through an empty one gets an error, since another session may drop any object
// between the look-up of its name and the lock.
template <class Row>
class RowRef : public std::shared_ptr<const Row> {
 public:
  using std::shared_ptr<const Row>::shared_ptr;
  RowRef(std::shared_ptr<const Row> row) : std::shared_ptr<const Row>(std::move(row)) {}
  const Row& operator*() const {
    if (this->get() == nullptr) ThrowRowIsGone(Row::kCatalog);
    return *this->get();
  }
  const Row* operator->() const { return &**this; }
};
template <class Row>
using RowList = std::shared_ptr<const std::vector<RowRef<Row>>>;

// One column's value of an index key. Refers to its argument: use as a temporary.
class CatalogKey {
 public:
  CatalogKey(Oid value) : kind_(Kind::kInteger), integer_(OidNumber(value)) {}
  CatalogKey(int16_t value) : kind_(Kind::kInteger), integer_(value) {}
  CatalogKey(int32_t value) : kind_(Kind::kInteger), integer_(value) {}
  CatalogKey(bool value) : kind_(Kind::kInteger), integer_(value) {}
  CatalogKey(char value) : kind_(Kind::kInteger), integer_(value) {}
  CatalogKey(std::string_view value) : kind_(Kind::kText), text_(value) {}
  CatalogKey(const std::string& value) : kind_(Kind::kText), text_(value) {}
  CatalogKey(const char* value) : kind_(Kind::kText), text_(value) {}
  CatalogKey(const std::vector<Oid>& value) : kind_(Kind::kOids), oids_(&value) {}

  enum class Kind : uint8_t { kInteger, kText, kOids };
  Kind kind() const { return kind_; }
  int64_t integer() const { return integer_; }
  std::string_view text() const { return text_; }
  const std::vector<Oid>& oids() const { return *oids_; }

 private:
  Kind kind_;
  int64_t integer_ = 0;
  std::string_view text_;
  const std::vector<Oid>* oids_ = nullptr;
};
using CatalogKeys = std::initializer_list<CatalogKey>;

// How a row type is made from a stored row; defined for every row struct by the template below.
struct RowType {
  Oid catalog;
  std::shared_ptr<void> (*make)();
  std::shared_ptr<void> (*make_list)(const std::vector<std::shared_ptr<const void>>& rows);
};
template <class Row>
const RowType& RowTypeOf() {
  static const RowType type{Row::kCatalog, [] { return std::shared_ptr<void>(std::make_shared<Row>()); },
                            [](const std::vector<std::shared_ptr<const void>>& rows) {
                              auto list = std::make_shared<std::vector<RowRef<Row>>>();
                              for (const auto& row : rows)
                                list->push_back(std::static_pointer_cast<const Row>(row));
                              return std::shared_ptr<void>(std::move(list));
                            }};
  return type;
}

std::shared_ptr<const void> FindRowErased(const RowType& type, Oid index, CatalogKeys keys);
std::shared_ptr<const void> FindRowsErased(const RowType& type, Oid index, CatalogKeys keys);

// Null when there is no such row. `keys`: one per column of `index`, a unique index.
template <class Row>
RowRef<Row> FindRow(Oid index, CatalogKeys keys) {
  return std::static_pointer_cast<const Row>(FindRowErased(RowTypeOf<Row>(), index, keys));
}
// All rows whose first columns of `index` equal `keys`, in index order. Never null.
template <class Row>
RowList<Row> FindRows(Oid index, CatalogKeys keys) {
  return std::static_pointer_cast<const std::vector<RowRef<Row>>>(
      FindRowsErased(RowTypeOf<Row>(), index, keys));
}

// The usual ones. Null when there is none.
RowRef<PgClassRow> ClassRow(Oid oid);
RowRef<PgClassRow> ClassRow(std::string_view name, Oid schema);
RowRef<PgTypeRow> TypeRow(Oid oid);
RowRef<PgTypeRow> TypeRow(std::string_view name, Oid schema);
RowRef<PgProcRow> FunctionRow(Oid oid);
RowRef<PgOperatorRow> OperatorRow(Oid oid);
RowRef<PgNamespaceRow> SchemaRow(Oid oid);
RowRef<PgNamespaceRow> SchemaRow(std::string_view name);
RowRef<PgAuthidRow> RoleRow(Oid oid);
RowRef<PgAuthidRow> RoleRow(std::string_view name);
RowRef<PgDatabaseRow> DatabaseRow(Oid oid);
RowRef<PgDatabaseRow> DatabaseRow(std::string_view name);
RowRef<PgConstraintRow> ConstraintRow(Oid oid);
RowRef<PgIndexRow> IndexRow(Oid index);
RowRef<PgSequenceRow> SequenceRow(Oid oid);
RowRef<PgCollationRow> CollationRow(Oid oid);
RowRef<PgAttributeRow> AttributeRow(Oid relation, AttrNumber attno);
RowRef<PgStatisticRow> StatisticRow(Oid relation, AttrNumber attno, bool inherited = false);

// Names for messages; "???" style fallbacks are the caller's business: empty when gone.
std::string RelationName(Oid oid);
std::string SchemaName(Oid oid);
std::string RoleName(Oid oid);  // throws XX000 "unrecognized role OID" when gone
std::string ColumnName(Oid relation, AttrNumber attno);

}  // namespace walden
