#include "node/sql/executor/batched_insert.h"

#include <algorithm>
#include <numeric>

#include "node/access/deform.h"
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
    if (!index->desc().unique && !index->has_expressions()) InsertSorted(context, *index);
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
      const IndexDesc& desc = index->desc();
      desc.method->Insert(desc, writer_.relation().table, keys_.data(), tids_[i],
                          desc.unique ? UniqueCheck::kYes : UniqueCheck::kNo, false);
    }
  }
}

namespace {

int CompareIndexKeys(const IndexDesc& index, const Value* a, const Value* b) {
  for (int i = 0; i < index.key_count(); ++i) {
    const IndexKeyColumn& key = index.keys[static_cast<size_t>(i)];
    if (a[i].is_null || b[i].is_null) {
      if (a[i].is_null && b[i].is_null) continue;
      return a[i].is_null == key.nulls_first ? -1 : 1;
    }
    int order = key.order == KeyOrder::kInt32
                    ? (a[i].datum.i32 > b[i].datum.i32) - (a[i].datum.i32 < b[i].datum.i32)
                : key.order == KeyOrder::kInt64
                    ? (a[i].datum.i64 > b[i].datum.i64) - (a[i].datum.i64 < b[i].datum.i64)
                    : key.compare(a[i].datum, b[i].datum, key.collation);
    if (order != 0) return key.descending ? -order : order;
  }
  return 0;
}

}  // namespace

// Neighbours in the index one after the other: pages on the way down are still in the cache.
void BatchedInsert::InsertSorted(EvalContext& context, IndexColumns& index) {
  const IndexDesc& desc = index.desc();
  size_t columns = index.index().index->indkey.size();
  keys_.resize(count_ * columns);
  for (size_t i = 0; i < count_; ++i) index.Compute(context, {}, ValuesOf(i), keys_.data() + i * columns);
  order_.resize(count_);
  std::iota(order_.begin(), order_.end(), 0u);
  if (desc.method->can_order()) {
    auto less = [&](uint32_t a, uint32_t b) {
      int order = CompareIndexKeys(desc, keys_.data() + a * columns, keys_.data() + b * columns);
      return order != 0 ? order < 0 : a < b;
    };
    if (!std::is_sorted(order_.begin(), order_.end(), less)) std::sort(order_.begin(), order_.end(), less);
  }
  for (uint32_t i : order_) {
    CheckInterrupts();
    current_label_ = labels_[i];
    desc.method->Insert(desc, writer_.relation().table, keys_.data() + i * columns, tids_[i],
                        UniqueCheck::kNo, false);
  }
}

}  // namespace walden
