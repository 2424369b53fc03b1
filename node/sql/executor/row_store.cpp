#include "node/sql/executor/row_store.h"

#include <algorithm>

namespace walden {

RowStore::RowStore(std::vector<PhysicalType> types, MemoryAccount* parent, size_t memory_limit_bytes)
    : parent_(parent),
      account_("RowStore", parent),
      memory_limit_(memory_limit_bytes),
      rows_(RowLayout(std::move(types)), &account_) {}

void RowStore::Append(std::span<Vector* const> columns, const Selection& selection) {
  std::string record;
  selection.ForEach([&](uint32_t row) {
    ++count_;
    if (spilled_ == nullptr && rows_.bytes() + in_memory_.size() * sizeof(char*) <= memory_limit_) {
      in_memory_.push_back(rows_.Append(columns, row));
      return;
    }
    if (spilled_ == nullptr) spilled_ = std::make_unique<RecordFile>();
    RowContainer scratch(rows_.layout(), &account_);
    record.clear();
    rows_.layout().SerializeRow(scratch.Append(columns, row), &record);
    spilled_->Append(record);
  });
}

void RowStore::Clear() {
  in_memory_.clear();
  rows_.Clear();
  spilled_.reset();
  count_ = 0;
}

uint32_t RowStore::Reader::Read(std::span<Vector* const> columns, uint32_t max_rows) {
  max_rows = std::min(max_rows, kBatchRows);
  if (at_ >= store_->in_memory_.size()) return ReadSpilled(columns, max_rows);
  uint32_t rows = static_cast<uint32_t>(std::min<size_t>(max_rows, store_->in_memory_.size() - at_));
  GatherRows(store_->rows_.layout(), store_->in_memory_.data() + at_, rows, 0, columns);
  at_ += rows;
  return rows;
}

uint32_t RowStore::Reader::ReadSpilled(std::span<Vector* const> columns, uint32_t max_rows) {
  uint32_t rows = static_cast<uint32_t>(std::min<size_t>(max_rows, store_->count_ - at_));
  if (rows == 0) return 0;
  if (rows_ == nullptr) rows_ = std::make_unique<RowContainer>(store_->rows_.layout(), store_->parent_);
  rows_->Clear();
  const char* pointers[kBatchRows];
  std::string record;
  for (uint32_t i = 0; i < rows; ++i) {
    store_->spilled_->ReadAt(at_ - store_->in_memory_.size() + i, &record);
    size_t consumed;
    pointers[i] = rows_->AppendSerialized(record.data(), &consumed);
  }
  GatherRows(store_->rows_.layout(), pointers, rows, 0, columns);
  at_ += rows;
  return rows;
}

}  // namespace walden
