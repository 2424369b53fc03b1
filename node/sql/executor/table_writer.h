// Rows into one table: constraint checks, the heap, and every index. INSERT, UPDATE, DELETE and COPY write through it.
//
// The caller has locked the table and opened it; the writer keeps it (and its compiled check and index expressions)
// for as long as its form does not change. By-reference values need to live only during the call.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "node/access/heap/heap.h"
#include "node/catalog/relation.h"
#include "node/sql/executor/gathered_entries.h"
#include "node/sql/expression/expression.h"

namespace walden {

// Computes the columns of one index for rows of its table.
class IndexColumns {
 public:
  IndexColumns(const Relation& table, RelationRef index);
  const Relation& index() const { return *index_; }
  const IndexDesc& desc() const { return index_->index_desc; }
  // False when a partial index leaves the row out. `values` are the table's columns; `out` gets desc->size() values.
  bool Compute(EvalContext& context, std::span<Vector* const> row, std::span<const Value> values, Value* out);
  bool has_expressions() const { return !expressions_.empty() || predicate_.has_value(); }

 private:
  RelationRef index_;
  Arena arena_;  // of the expression trees
  std::vector<ExprStatePtr> expressions_;
  std::optional<Filter> predicate_;
};

class TableWriter {
 public:
  explicit TableWriter(RelationRef table, MemoryAccount* account = &ProcessMemory());

  const Relation& relation() const { return *table_; }
  RelationRef relation_ref() const { return table_; }
  std::vector<std::unique_ptr<IndexColumns>>& indexes() { return indexes_; }

  // Fills in the generated columns from the others. New bytes live in the context's arena.
  void ComputeGenerated(EvalContext& context, std::span<Value> values);
  // Adds the generated columns that depend on columns of the set.
  void AddGeneratedChanges(AttrSet* changed) const;
  // NOT NULL and CHECK. `values`: one per attribute, dropped ones null. Throws 23502 or 23514.
  void CheckConstraints(EvalContext& context, std::span<const Value> values);

  // Stores a row and its index entries; constraints have been checked. Throws 23505.
  TupleId Insert(EvalContext& context, std::span<const Value> values, CommandId cid,
                 BulkInsertState* bulk = nullptr);
  // ON CONFLICT. Stores the row unless another has its key in one of `arbiters` (empty: any unique index): then the
  // result is nothing and `*conflict` is the other row's identity.
  std::optional<TupleId> InsertUnlessConflict(EvalContext& context, std::span<const Value> values,
                                              CommandId cid, std::span<const Oid> arbiters,
                                              TupleId* conflict);
  // Replaces version `tid`; index entries are added unless the update was HOT: those whose insertion cannot fail by
  // `gathered`, if there is one.
  TupleResult Update(EvalContext& context, TupleId tid, const TupleView& old_row,
                     std::span<const Value> values, const AttrSet& changed, CommandId cid, WaitPolicy wait,
                     TupleFailure* failure, TupleId* new_tid, GatheredEntries* gathered = nullptr);
  TupleResult Delete(TupleId tid, CommandId cid, WaitPolicy wait, TupleFailure* failure);

  // "(1, null, abc)" of the columns that the current user may see; for DETAIL lines.
  std::string DescribeRow(EvalContext& context, std::span<const Value> values) const;
  // Makes a one-row batch of the values for expressions over the table's attributes.
  std::span<Vector* const> RowVectors(std::span<const Value> values);

  // Adds the entry; `check` says whether the key may be somebody else's (of a unique index that is not immediate it is looked at later).
  void InsertEntry(const IndexColumns& index, const Value* key, TupleId tid, bool check, bool unchanged);

 private:
  void InsertIndexEntries(EvalContext& context, std::span<const Value> values, TupleId tid,
                          const AttrSet* changed, GatheredEntries* gathered = nullptr);
  bool FindConflict(EvalContext& context, std::span<const Value> values, std::span<const Oid> arbiters,
                    TupleId own, TupleId* conflict);
  bool KeyConflicts(IndexColumns& columns, const Value* key, TupleId own, TupleId* conflict);

  RelationRef table_;
  Arena arena_;
  std::vector<std::unique_ptr<IndexColumns>> indexes_;
  struct Check {
    const CheckConstraint* constraint;
    ExprStatePtr condition;
  };
  std::vector<Check> checks_;
  struct Generated {
    AttrNumber attno;
    ExprStatePtr value;
    AttrSet depends_on;
  };
  std::vector<Generated> generated_;
  TupleBuffer buffer_;
  std::vector<std::unique_ptr<Vector>> vectors_;
  std::vector<Vector*> vector_pointers_;
  std::vector<Value> key_;
};

// Executor-ready form of a stored expression (default, check, index expression) over the attributes of its table: Vars
// become input columns (attribute n = column n). In `arena`.
Expr* ReadStoredExpression(std::string_view text, Arena& arena);
// The same for one table: tableoid, the only system column that may be named, is its OID.
Expr* ReadTableExpression(std::string_view text, const Relation& table, Arena& arena);
std::vector<Expr*> ReadStoredExpressionList(std::string_view text, Arena& arena);

}  // namespace walden
