#include "node/sql/executor/scan_columns.h"

#include <algorithm>

#include "node/access/heap/toast.h"

namespace walden {

ScanColumns::ScanColumns(const ScanPlan& plan) : plan_(plan) {
  for (int32_t attno : plan.columns) attnos_.push_back(static_cast<AttrNumber>(attno));
  std::sort(attnos_.begin(), attnos_.end());
  attnos_.erase(std::unique(attnos_.begin(), attnos_.end()), attnos_.end());
  for (int32_t attno : plan.columns) {
    auto at = std::lower_bound(attnos_.begin(), attnos_.end(), static_cast<AttrNumber>(attno));
    position_of_.push_back(static_cast<size_t>(at - attnos_.begin()));
  }
}

void ScanColumns::Bind(RelationRef relation) {
  if (relation == relation_) return;
  relation_ = std::move(relation);
  const TupleDesc& desc = *relation_->desc;
  deformer_ = std::make_unique<TupleDeformer>(desc, attnos_);
  targets_.clear();
  vectors_.clear();
  capacity_ = 0;
  has_references_ = false;
  for (AttrNumber attno : attnos_) {
    PhysicalType type = attno > 0                       ? desc[attno].physical
                        : attno == kSelfItemPointerAttr ? PhysicalType::kInt64
                                                        : PhysicalType::kInt32;
    has_references_ |= IsByReference(type);
    vectors_.push_back(std::make_unique<Vector>(type, 1));
    targets_.push_back(DeformTarget{attno, type, nullptr, nullptr, false});
  }
}

void ScanColumns::Prepare(uint32_t more, uint32_t filled) {
  if (filled > 0) {
    DCHECK(filled + more <= capacity_);
    return;
  }
  uint32_t wanted = more <= 1 ? 1 : more <= 16 ? 16 : more <= 256 ? 256 : kBatchRows;
  // A scan that fills its batches gets bigger ones; a point query keeps its one row.
  if (last_rows_ * 2 > capacity_ && capacity_ > 1)
    wanted = std::max(wanted, std::min(capacity_ * 4, kBatchRows));
  capacity_ = std::max(capacity_, wanted);
  for (size_t i = 0; i < vectors_.size(); ++i) {
    vectors_[i]->Reset(targets_[i].physical, capacity_);
    targets_[i].data = vectors_[i]->raw_data();
    targets_[i].validity = vectors_[i]->MutableValidity();
    targets_[i].has_nulls = false;
  }
}

void ScanColumns::Deform(std::span<const TupleView> rows, uint32_t first, Arena* arena, bool copy) {
  if (attnos_.empty()) return;
  DeformContext context{arena, relation_->table.toast, copy};
  deformer_->DeformBatch(rows, targets_, first, context);
}

void ScanColumns::Deliver(Batch* batch, uint32_t rows) {
  for (size_t i = 0; i < vectors_.size(); ++i) {
    if (!targets_[i].has_nulls) vectors_[i]->SetAllValid();
  }
  batch->columns.resize(position_of_.size());
  for (size_t i = 0; i < position_of_.size(); ++i) batch->columns[i] = vectors_[position_of_[i]].get();
  batch->selection = Selection{nullptr, rows};
  last_rows_ = rows;
}

}  // namespace walden
