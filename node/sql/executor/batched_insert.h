// New rows of one statement, stored many at a time: heap pages are filled under one lock and one WAL record each, then
// every index gets its entries, in key order where nobody can tell. COPY, INSERT ... SELECT, CREATE TABLE AS and table
// rewrites store through it.
//
// What an error says does not depend on the batching: of several rows that violate unique constraints the first one is
// reported, as if each had been stored by itself.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "node/sql/executor/table_writer.h"

namespace walden {

class BatchedInsert {
 public:
  // `bulk` stays the caller's, as does the writer; both outlive this.
  BatchedInsert(TableWriter& writer, CommandId cid, const InsertOptions& options, BulkInsertState* bulk);

  // Takes the row; constraints have been checked, values need to live only during the call. `label`: the caller's own
  // name for it (a line number). `input_bytes`: what it came from, 0: as much as its own size.
  void Add(std::span<const Value> values, uint64_t label = 0, size_t input_bytes = 0);
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ >= kMostRows || bytes_ >= kMostBytes; }
  // Stores the rows taken so far. Throws 23505; label() then tells whose entry failed.
  void Flush(EvalContext& context);
  // After the last Flush of a statement that succeeds.
  void Finish();
  uint64_t label() const { return current_label_; }

 private:
  // PostgreSQL's: they show in which of two errors of one COPY comes first.
  static constexpr size_t kMostRows = 1000;
  static constexpr size_t kMostBytes = 65535;

  void InsertIndexEntries(EvalContext& context);
  void InsertRowByRow(EvalContext& context, std::span<IndexColumns* const> indexes);
  void InsertTogether(EvalContext& context, IndexColumns& index);
  std::span<const Value> ValuesOf(size_t row) const { return {values_.data() + row * width_, width_}; }

  TableWriter& writer_;
  const CommandId cid_;
  const InsertOptions options_;
  BulkInsertState* bulk_;
  const size_t width_;
  size_t count_ = 0;
  size_t bytes_ = 0;
  std::vector<std::unique_ptr<TupleBuffer>> rows_;  // reused; the first count_ are taken
  std::vector<TupleBuffer*> pointers_;
  std::vector<uint64_t> labels_;
  std::vector<TupleId> tids_;
  std::vector<Value> values_;  // of all rows, deformed for the indexes
  std::vector<Value> keys_;
  std::vector<NewIndexEntry> entries_;
  Arena arena_;
  uint64_t current_label_ = 0;
};

// Rows that the current subtransaction puts into a file that it made itself: nobody else has ever seen it.
bool RelationFileIsNew(const Relation& relation);
// How a bulk load stores into the relation.
InsertOptions BulkInsertOptions(const Relation& relation);

}  // namespace walden
