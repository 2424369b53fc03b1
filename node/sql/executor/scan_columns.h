// The columns that a table scan delivers: from stored rows to vectors.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "node/access/deform.h"
#include "node/catalog/relation.h"
#include "node/sql/plan/plan.h"
#include "node/vector/vector.h"

namespace walden {

class ScanColumns {
 public:
  explicit ScanColumns(const ScanPlan& plan);

  // Uses this form of the relation; cheap when it is the one used last.
  void Bind(RelationRef relation);
  const Relation& relation() const { return *relation_; }
  bool has_references() const { return has_references_; }
  uint32_t capacity() const { return capacity_; }

  // Makes room for `more` rows after the first `filled`. Only a batch's first call may grow the vectors.
  void Prepare(uint32_t more, uint32_t filled);
  // Deforms rows into positions first, first+1, ...
  void Deform(std::span<const TupleView> rows, uint32_t first, Arena* arena, bool copy);
  // Hands `rows` rows to the batch.
  void Deliver(Batch* batch, uint32_t rows);
  // The vector of the plan's i-th column, and a value into it (index-only scans).
  Vector& ColumnOf(size_t i) { return *vectors_[position_of_[i]]; }
  void SetValue(size_t i, uint32_t row, const Value& value) {
    ColumnOf(i).Set(row, value);
    if (value.is_null) targets_[position_of_[i]].has_nulls = true;
  }

 private:
  const ScanPlan& plan_;
  RelationRef relation_;
  std::vector<AttrNumber> attnos_;   // ascending, distinct
  std::vector<size_t> position_of_;  // plan column -> index in attnos_
  std::unique_ptr<TupleDeformer> deformer_;
  std::vector<DeformTarget> targets_;
  std::vector<std::unique_ptr<Vector>> vectors_;  // by attnos_
  uint32_t capacity_ = 0;
  uint32_t last_rows_ = 0;  // of the batch before
  bool has_references_ = false;
};

}  // namespace walden
