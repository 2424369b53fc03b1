// The interface that every index method implements, and what the catalog tells it of an index.
//
// Callers compute index values (columns or expressions) and test partial-index predicates; methods only see
// Values and TIDs. Everything here runs in a backend's main thread with the table and index locked by the
// caller.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "node/access/table.h"
#include "node/access/tuple.h"

namespace walden {

// <0, 0, >0. Neither side is null. `collation` is what the catalog put into the IndexKeyColumn (or null).
using KeyCompare = int (*)(const Datum& left, const Datum& right, const void* collation);

// A comparator that the method may replace by inline code.
enum class KeyOrder : uint8_t {
  kCompare,  // only through the function pointer
  kInt16,
  kInt32,
  kUint32,  // oid
  kInt64,
  kBytes,  // kString compared as bytes: text in C collation, name, bytea
};

struct IndexKeyColumn {
  KeyCompare compare = nullptr;
  const void* collation = nullptr;
  KeyOrder order = KeyOrder::kCompare;
  bool descending = false;
  bool nulls_first = false;
  // Equal values are also stored equal (so that they may share one posting list): not numeric, float, nor
  // nondeterministic collations.
  bool equal_image = false;
  Oid opfamily = Oid::kInvalid;  // for callers
};

inline constexpr int kMaxIndexColumns = 32;

class IndexMethod;
struct IndexDesc;

// Raises 23505 with the names and printed values that only the catalog knows. Must throw.
using ThrowUniqueViolation = void (*)(const IndexDesc& index, const Value* key);

struct IndexDesc {
  RelFileLocator locator;
  Oid oid = Oid::kInvalid;
  std::string name;
  const IndexMethod* method = nullptr;
  // Stored columns: key columns first, then INCLUDE columns.
  const TupleDesc* desc = nullptr;
  std::vector<IndexKeyColumn> keys;  // one per key column
  bool unique = false;
  bool nulls_not_distinct = false;
  bool deduplicate = true;  // the deduplicate_items parameter
  uint8_t fillfactor = 90;
  ThrowUniqueViolation throw_unique_violation = nullptr;
  // The same for a build ("could not create unique index"); null: throw_unique_violation.
  ThrowUniqueViolation throw_build_duplicate = nullptr;
  mutable RelationStats stats;  // where this process counts what it does with the index
  const void* owner = nullptr;  // the catalog's own object, for throw_unique_violation

  int key_count() const { return static_cast<int>(keys.size()); }
  bool NeedsWal() const { return walden::NeedsWal(locator); }
  PageKey Page(BlockNumber block) const { return {locator, Fork::kMain, block}; }
};

// btree strategies, PostgreSQL's numbers.
enum class Strategy : uint16_t { kLess = 1, kLessEqual = 2, kEqual = 3, kGreaterEqual = 4, kGreater = 5 };

// One condition "index column <op> value" of a scan; conditions are ANDed. Exact: no recheck is needed.
struct ScanKey {
  enum class Kind : uint8_t {
    kCompare,  // column <strategy> value; a null value matches nothing
    kArray,    // column = ANY (array)  (strategy kEqual) or <, <=, >=, > ANY
    kIsNull,
    kIsNotNull,
    kRow,  // (columns attno, attno+1, ...) <strategy> (row values), strategy not kEqual
  };
  Kind kind = Kind::kCompare;
  AttrNumber attno = 1;  // key column, 1-based
  Strategy strategy = Strategy::kEqual;
  Value value;
  std::span<const Value> values;  // kArray: elements in any order, nulls ignored; kRow: one per column
  // Compares (column, value) when the types differ (int4 column, int8 value); null = the column's own.
  KeyCompare compare = nullptr;
};

enum class ScanDirection : int8_t { kBackward = -1, kForward = 1 };

// A scan of one index under one set of conditions at a time. Reusable: Rescan frees nothing and allocates
// nothing that the last scan had.
class IndexScan {
 public:
  virtual ~IndexScan() = default;
  // Starts (again). Keys, and bytes that they refer to, stay valid until the next Rescan.
  virtual void Rescan(std::span<const ScanKey> keys) = 0;
  // The next entry in index order; false at the end (a scan may then be reversed).
  virtual bool Next(ScanDirection direction, TupleId* tid) = 0;
  // Any number of further entries, up to out.size(); 0 at the end. For bitmap scans.
  virtual size_t NextTids(std::span<TupleId> out) = 0;
  // Values of the entry last returned by Next, desc->size() of them; only when values were asked for at the
  // beginning. Valid until the scan leaves the entry's page.
  virtual const Value* values() = 0;
  // The row of the entry last returned by Next is dead to everybody: the entry may be marked killed.
  virtual void KillLast() = 0;
  virtual void Mark() = 0;
  virtual void Restore() = 0;
  // Releases pins until the next Rescan.
  virtual void End() = 0;
};

// Which entries VACUUM removes: the dead row identities, bounded by maintenance_work_mem.
class DeadTids {
 public:
  virtual ~DeadTids() = default;
  virtual bool Contains(TupleId tid) const = 0;
};

struct IndexVacuumStats {
  BlockNumber pages = 0;
  BlockNumber pages_deleted = 0;  // deleted in this run or before, not yet reusable
  BlockNumber pages_newly_deleted = 0;
  BlockNumber pages_free = 0;  // reusable
  double entries = 0;
  double entries_removed = 0;
  bool estimated_count = false;
};

struct IndexBuildStats {
  double table_rows = 0;
  double index_rows = 0;
};

// A bulk build in progress: Add every row, then Finish. Destroying it unfinished discards the work.
class IndexBuild {
 public:
  virtual ~IndexBuild() = default;
  // `alive`: the row counts for uniqueness (a recently dead one does not).
  virtual void Add(const Value* values, TupleId tid, bool alive) = 0;
  // Throws 23505 (through throw_unique_violation) when unique is violated.
  virtual IndexBuildStats Finish() = 0;
};

enum class UniqueCheck : uint8_t {
  kNo,
  kYes,       // wait for a conflicting transaction in progress, throw if it commits
  kPartial,   // insert anyway; the result tells whether a conflict is possible (deferred constraints, ON
              // CONFLICT)
  kExisting,  // the entry is there: throw if another live row has the key (end-of-statement/transaction
              // check)
};

// Values and row of an entry to be: desc->size() values.
struct NewIndexEntry {
  const Value* values;
  TupleId tid;
};

class IndexMethod {
 public:
  virtual ~IndexMethod() = default;
  virtual const char* name() const = 0;  // "btree"
  virtual Oid am_oid() const = 0;
  virtual bool can_order() const = 0;
  virtual bool can_return_values() const = 0;
  virtual bool can_be_unique() const = 0;

  // Creates the contents of an empty index in `fork` (kMain, or kInit of an unlogged one) of an existing
  // file.
  virtual void BuildEmpty(const IndexDesc& index, Fork fork) const = 0;
  // The index file exists and is empty.
  virtual std::unique_ptr<IndexBuild> BeginBuild(const IndexDesc& index) const = 0;
  // False only for kPartial: another row may have the same key. `unchanged`: an UPDATE did not change this
  // index's columns (the entry is a duplicate made by a new version: a hint to look for dead versions before
  // splitting).
  virtual bool Insert(const IndexDesc& index, const TableRef& table, const Value* values, TupleId tid,
                      UniqueCheck check, bool unchanged) const = 0;
  // The same as Insert of each with UniqueCheck::kNo, in the order that suits the method: neighbours in the index
  // share a descent, a lock and a record. `*at`: the entry in work, for whoever reports an error.
  virtual void InsertMany(const IndexDesc& index, const TableRef& table,
                          std::span<const NewIndexEntry> entries, bool unchanged, size_t* at) const = 0;
  virtual std::unique_ptr<IndexScan> BeginScan(const IndexDesc& index, bool want_values) const = 0;
  // Removes entries of dead rows; called once per filling of the dead-row store.
  virtual void BulkDelete(const IndexDesc& index, const DeadTids& dead, IndexVacuumStats* stats) const = 0;
  // After all: frees pages, counts. Called also when nothing was dead.
  virtual void VacuumCleanup(const IndexDesc& index, IndexVacuumStats* stats) const = 0;
  // Levels above the leaves, for costs.
  virtual int TreeHeight(const IndexDesc& index) const = 0;
};

}  // namespace walden
