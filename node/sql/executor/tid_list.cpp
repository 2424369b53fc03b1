#include "node/sql/executor/tid_list.h"

#include "node/types/array.h"

namespace walden {

TidList::TidList(const TidScanPlan& plan) : plan_(plan) {
  for (const Expr* tid : plan.tids) tids_.push_back(CompileExpression(tid));
}

std::set<int64_t> TidList::Read(EvalContext& context) {
  std::set<int64_t> wanted;
  for (size_t i = 0; i < tids_.size(); ++i) {
    Value value = tids_[i]->Eval(context, {}, Selection{nullptr, 1}).Get(0);
    if (value.is_null) continue;
    if (plan_.tid_is_array[i] == 0) {
      wanted.insert(value.datum.i64);
      continue;
    }
    ArrayView view(value.datum.string.view());
    ArrayReader reader(view, PhysicalType::kInt64);
    for (Value element; reader.Next(&element);) {
      if (!element.is_null) wanted.insert(element.datum.i64);
    }
  }
  return wanted;
}

}  // namespace walden
