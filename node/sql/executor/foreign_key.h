// One foreign key made ready: both tables open, ways to find the rows of either side by key.
#pragma once

#include <functional>

#include "node/access/heap/heap.h"
#include "node/sql/executor/referential.h"
#include "node/sql/executor/table_writer.h"

namespace walden {

// Finds rows of a table whose columns equal a key: through an index that begins with some of the columns, else by
// reading the table. Key values may be of the other side's types.
class KeyLookup {
 public:
  struct Column {
    AttrNumber attno;
    KeyCompare compare;        // (column, key value)
    KeyCompare index_compare;  // the same for an index; null: the index's own
    const void* collation;
  };
  KeyLookup(RelationRef table, std::vector<Column> columns);

  const Relation& table() const { return *table_; }
  // Calls `visit` for rows visible to `snapshot`, until it returns false. The row stays put during the call.
  void ForEach(std::span<const Value> key, const Snapshot& snapshot,
               const std::function<bool(const TupleView&)>& visit);
  bool Matches(const TupleView& row, std::span<const Value> key);
  // Locks a found row, FOR KEY SHARE for a check. False: it went away meanwhile or got another key. `*tid` becomes the
  // newest version's. Throws 40001 in REPEATABLE READ.
  bool Lock(TupleId* tid, std::span<const Value> key, RowLockMode mode);

 private:
  void ChooseIndex();

  RelationRef table_;
  std::vector<Column> columns_;
  RelationRef index_;
  std::vector<size_t> index_columns_;  // key position of each leading index column that is used
  std::unique_ptr<IndexScan> scan_;
  Arena arena_;
};

class ForeignKey {
 public:
  explicit ForeignKey(const PgConstraintRow& constraint);

  const PgConstraintRow& row() const { return row_; }
  RelationRef referencing() const { return referencing_; }
  RelationRef referenced() const { return referenced_; }
  KeyLookup& referencing_rows() { return *referencing_rows_; }  // by values of the referenced columns
  KeyLookup& referencing_rows_by_own() {
    return *referencing_by_own_;
  }  // by values of the referencing columns
  KeyLookup& referenced_rows() { return *referenced_rows_; }           // by values of the referencing columns
  KeyLookup& referenced_rows_by_own() { return *referenced_by_own_; }  // by values of the referenced columns
  // For cascades; made on first use.
  TableWriter& writer();
  ReferentialChecks& checks();

 private:
  PgConstraintRow row_;
  RelationRef referencing_, referenced_;
  std::unique_ptr<KeyLookup> referencing_rows_, referencing_by_own_, referenced_rows_, referenced_by_own_;
  std::unique_ptr<TableWriter> writer_;
  std::unique_ptr<ReferentialChecks> checks_;
};

// Is there (still) a row with these values of the referencing columns?
bool ReferencingRowExists(ForeignKey& key, std::span<const Value> own_key);
// foreign_key_check.cpp: a new or changed referencing row must find its partner, which is locked FOR KEY SHARE.
void CheckReferencing(ForeignKey& key, const ReferentialEvent& event, EvalContext& context);
// No row may refer to the old key. `restrict`: not even when another row has taken the key over.
void CheckNotReferenced(ForeignKey& key, bool restrict, const ReferentialEvent& event, EvalContext& context);
// referential_action.cpp: ON DELETE, ON UPDATE ('a', 'r', 'c', 'n', 'd' as in pg_constraint).
void ApplyAction(ForeignKey& key, char action, const ReferentialEvent& event, EvalContext& context,
                 ReferentialQueue& queue);

}  // namespace walden
