#include "node/sql/executor/batched_insert.h"

#include "node/access/deform.h"
#include "node/base/error.h"
#include "node/buffer/relation_storage.h"
#include "node/shm/interrupts.h"
#include "node/txn/transaction.h"

namespace walden {

bool RelationFileIsNew(const Relation& relation) {
  return StorageMadeAtLevel(relation.table.locator, NestLevel());
}

InsertOptions BulkInsertOptions(const Relation& relation) {
  InsertOptions options;
  options.skip_fsm = RelationFileIsNew(relation);
  return options;
}

BatchedInsert::BatchedInsert(TableWriter& writer, CommandId cid, const InsertOptions& options,
                             BulkInsertState* bulk)
    : writer_(writer),
      cid_(cid),
      options_(options),
      bulk_(bulk),
      width_(static_cast<size_t>(writer.relation().desc->size())) {}

void BatchedInsert::Add(std::span<const Value> values, uint64_t label, size_t input_bytes) {
  if (count_ == rows_.size()) {
    rows_.push_back(std::make_unique<TupleBuffer>());
    pointers_.push_back(rows_.back().get());
    labels_.push_back(0);
  }
  TupleBuffer& row = *rows_[count_];
  FormTuple(*writer_.relation().desc, values.data(), &row);
  labels_[count_++] = label;
  bytes_ += input_bytes != 0 ? input_bytes : row.size();
}

void BatchedInsert::Flush(EvalContext& context) {
  if (count_ == 0) return;
  current_label_ = labels_[0];
  tids_.resize(count_);
  HeapMultiInsert(writer_.relation().table, {pointers_.data(), count_}, cid_, options_, bulk_, tids_.data());
  if (!writer_.indexes().empty()) InsertIndexEntries(context);
  // A few long rows must not pin down their memory for the rest of the statement.
  for (size_t i = 0; bytes_ >= kMostBytes && i < count_; ++i) {
    if (rows_[i]->size() > kPageSize) *rows_[i] = TupleBuffer();
  }
  count_ = bytes_ = 0;
  arena_.Reset();
}

void BatchedInsert::Finish() {
  if (options_.frozen) HeapFinishFrozen(writer_.relation().table, bulk_);
}

// Unique indexes first: what fails in them must be what fails first when each row is stored by itself. With one of
// them its own order of rows does that; with several, row after row does.
void BatchedInsert::InsertIndexEntries(EvalContext& context) {
  values_.resize(count_ * width_);
  const Relation& relation = writer_.relation();
  for (size_t i = 0; i < count_; ++i) {
    // Toasted values are still whole in the formed row.
    DeformTuple(*relation.desc, rows_[i]->view(), values_.data() + i * width_,
                {.arena = &arena_, .toast = relation.table.toast});
  }
  std::vector<IndexColumns*> in_order;
  for (auto& index : writer_.indexes()) {
    if (index->desc().unique || index->has_expressions()) in_order.push_back(index.get());
  }
  InsertRowByRow(context, in_order);
  for (auto& index : writer_.indexes()) {
    if (!index->desc().unique && !index->has_expressions()) InsertTogether(context, *index);
  }
}

void BatchedInsert::InsertRowByRow(EvalContext& context, std::span<IndexColumns* const> indexes) {
  if (indexes.empty()) return;
  keys_.resize(kMaxIndexColumns);
  for (size_t i = 0; i < count_; ++i) {
    CheckInterrupts();
    current_label_ = labels_[i];
    std::span<Vector* const> vectors;
    for (IndexColumns* index : indexes) {
      if (index->has_expressions() && vectors.empty()) vectors = writer_.RowVectors(ValuesOf(i));
      if (!index->Compute(context, vectors, ValuesOf(i), keys_.data())) continue;
      writer_.InsertEntry(*index, keys_.data(), tids_[i], index->desc().unique, false);
    }
  }
}

void BatchedInsert::InsertTogether(EvalContext& context, IndexColumns& index) {
  size_t columns = index.index().index->indkey.size();
  keys_.resize(count_ * columns);
  entries_.clear();
  for (size_t i = 0; i < count_; ++i) {
    Value* key = keys_.data() + i * columns;
    index.Compute(context, {}, ValuesOf(i), key);
    entries_.push_back({key, tids_[i]});
  }
  size_t at = 0;
  try {
    index.desc().method->InsertMany(index.desc(), writer_.relation().table, entries_, false, &at);
  } catch (const SqlError&) {
    current_label_ = labels_[at];
    throw;
  }
}

}  // namespace walden
