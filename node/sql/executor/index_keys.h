// Conditions of an index scan: value expressions of the plan, evaluated into the access method's scan keys.
#pragma once

#include <memory>
#include <vector>

#include "node/access/index.h"
#include "node/catalog/relation.h"
#include "node/sql/expression/expression.h"
#include "node/sql/plan/plan.h"

namespace walden {

// Compares (column, value) of integer types whose widths differ. Null: the column's own comparator serves.
KeyCompare CrossTypeComparator(Oid column, Oid value);

class IndexKeys {
 public:
  explicit IndexKeys(const List<IndexCondition*>& conditions);

  // Evaluates the values; the keys (and what they point at) live until the next call. False when a condition can
  // match nothing (a null value).
  bool Evaluate(EvalContext& context, const IndexDesc& index);
  std::span<const ScanKey> keys() const { return keys_; }

 private:
  const List<IndexCondition*>& conditions_;
  std::vector<ExprStatePtr> values_;  // one per condition; null for IS [NOT] NULL
  std::vector<std::vector<ExprStatePtr>> row_values_;
  std::vector<std::vector<Value>> arrays_;
  std::vector<ScanKey> keys_;
  Arena arena_;
};

}  // namespace walden
