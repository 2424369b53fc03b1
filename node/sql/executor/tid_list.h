// The row identities that a TID scan's conditions name.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "node/sql/expression/expression.h"
#include "node/sql/plan/plan.h"

namespace walden {

class TidList {
 public:
  explicit TidList(const TidScanPlan& plan);
  // As TidToInt64 makes them, in order of place.
  std::set<int64_t> Read(EvalContext& context);

 private:
  const TidScanPlan& plan_;
  std::vector<ExprStatePtr> tids_;
};

}  // namespace walden
