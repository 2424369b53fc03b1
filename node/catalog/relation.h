// The relation cache: what this process knows of a table, index, view or sequence, assembled from pg_class,
// pg_attribute, pg_index, pg_constraint, pg_attrdef and pg_rewrite (from compiled-in descriptors for system catalogs;
// their pg_class row is still read from the table).
//
// A Relation is immutable. Whoever opened it keeps it alive through its RelationRef, also when the cache has dropped
// it; after DDL of its own (and CommandCounterIncrement) code opens the relation again to see the new shape.
// Not thread-safe; one cache per process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/access/heap/toast.h"
#include "node/access/index.h"
#include "node/access/table.h"
#include "node/catalog/rows/pg_attribute.h"
#include "node/catalog/rows/pg_class.h"
#include "node/catalog/rows/pg_constraint.h"
#include "node/catalog/rows/pg_index.h"
#include "node/txn/lock_modes.h"
#include "node/txn/lock_tag.h"

namespace walden {

struct Relation;
using RelationRef = std::shared_ptr<const Relation>;

namespace relkind {
inline constexpr char kTable = 'r', kIndex = 'i', kSequence = 'S', kToast = 't', kView = 'v',
                      kMaterializedView = 'm', kComposite = 'c', kForeign = 'f', kPartitioned = 'p',
                      kPartitionedIndex = 'I';
}  // namespace relkind

struct ColumnDefault {
  AttrNumber attno;
  Oid oid;                 // pg_attrdef
  std::string expression;  // serialised, see sql/query
};
struct CheckConstraint {
  Oid oid;
  std::string name;
  std::string expression;  // serialised
  bool validated;
  bool no_inherit;
};
struct RewriteRule {
  Oid oid;
  std::string name;
  char event;  // '1' SELECT
  bool instead;
  std::string action;  // serialised list of queries
};

struct Relation {
  Oid oid = Oid::kInvalid;
  PgClassRow row;
  // attnum 1.. in order, dropped ones too. Of a dropped one, attcacheoff is the PhysicalType that old rows hold.
  std::vector<PgAttributeRow> columns;
  std::unique_ptr<const TupleDesc> desc;
  TableRef table;  // for kinds with storage but not indexes; points into this object

  // Tables. Indexes in OID order, whatever their state: see row.indisready, indisvalid.
  std::vector<RelationRef> indexes;
  std::vector<ColumnDefault> defaults;
  std::vector<CheckConstraint> checks;
  std::vector<PgConstraintRow> foreign_keys;   // of this table
  std::vector<PgConstraintRow> referenced_by;  // foreign keys that refer to this table
  std::vector<RewriteRule> rules;              // views: one, "_RETURN"
  Oid primary_key = Oid::kInvalid;             // index OID
  Oid replica_identity = Oid::kInvalid;        // index OID
  RelationRef toast_relation;                  // when row.reltoastrelid
  ToastTable toast;                            // the same for the heap; refers to toast_relation
  AttrSet indexed_columns;
  AttrSet key_columns;

  // Indexes only. `index_desc.owner` points at this object; method is null for an access method that does not exist.
  std::optional<PgIndexRow> index;
  IndexDesc index_desc;
  std::vector<Oid> opclass_types;  // input type of each key column's operator class

  bool has_storage() const;
  bool is_temporary() const { return row.relpersistence == 't'; }
  bool is_view() const { return row.relkind == relkind::kView; }
  std::string_view name() const { return row.relname; }
  int column_count() const { return static_cast<int>(columns.size()); }
  // 0 when there is none of that name (or it is dropped). System columns are found too.
  AttrNumber FindColumn(std::string_view name) const;
  const ColumnDefault* DefaultOf(AttrNumber attno) const;
};

// Locks (until the transaction ends), catches up with invalidations, returns the current form. kNone: the caller
// holds a lock already. Throws XX000 "could not open relation with OID n" when it is gone.
RelationRef OpenRelation(Oid oid, LockMode mode);
// Null when it does not exist (any more); the lock is then released again.
RelationRef TryOpenRelation(Oid oid, LockMode mode);

// System columns: ctid, xmin, cmin, xmax, cmax, tableoid. Null / 0 when no such name.
struct SystemColumn {
  AttrNumber attno;
  std::string_view name;
  Oid type;
};
const SystemColumn* FindSystemColumn(std::string_view name);
const SystemColumn* FindSystemColumn(AttrNumber attno);

// Where the files of a relation with this row are. Temporary relations: of this process.
RelFileLocator LocatorOf(const PgClassRow& row);
// The physical form of a value of `type` (domains and enums included); throws XX000 when the type is gone.
PhysicalType PhysicalTypeOf(Oid type);
// Lock tag of a relation: shared catalogs have database 0.
LockTag RelationLockTag(Oid oid);

// pg_class.relpages etc. overwritten in place, outside any transaction's fate (VACUUM, ANALYZE, CREATE INDEX).
struct RelationStatistics {
  int32_t pages;
  double rows;
  int32_t all_visible;
  std::optional<bool> has_index;
};
void UpdateRelationStatistics(Oid oid, const RelationStatistics& statistics);

}  // namespace walden
