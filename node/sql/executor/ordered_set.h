// Ordered-set and hypothetical-set aggregates: percentile_cont, percentile_disc, mode; rank, dense_rank, percent_rank, cume_dist
// of a row that is not there (WITHIN GROUP). The rows of a group come sorted.
#pragma once

#include <span>
#include <vector>

#include "node/sql/executor/sorter.h"
#include "node/sql/query/expr.h"

namespace walden {

bool IsOrderedSetAggregate(Oid aggregate);

struct OrderedSetInput {
  Oid aggregate = Oid::kInvalid;
  Oid value_type = Oid::kInvalid;  // of the first sorted column
  std::span<const SortKey> keys;   // over the sorted columns
  size_t sorted_columns = 0;       // the columns after them hold the direct arguments, the same in every row
  uint64_t rows = 0;
};

// Reads the finished sorter to its end. The result lives in `arena`.
Value ComputeOrderedSet(const OrderedSetInput& input, Sorter& sorter, std::span<Vector* const> columns,
                        Arena* arena);

}  // namespace walden
