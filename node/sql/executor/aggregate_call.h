// One aggregate of an aggregation: argument evaluation, FILTER, DISTINCT and ORDER BY, and the calls of its function.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "node/sql/executor/sorter.h"
#include "node/sql/expression/expression.h"
#include "node/sql/functions/registry.h"

namespace walden {

class AggregateCall {
 public:
  explicit AggregateCall(const Aggref& aggref);

  const AggregateFunction& function() const { return *function_; }
  bool is_ordered() const { return !sort_keys_.empty(); }  // DISTINCT, ORDER BY, WITHIN GROUP
  size_t arg_count() const { return args_.size(); }
  bool has_filter() const { return filter_ != nullptr; }
  PhysicalType result_type() const { return result_type_; }
  // Physical types of the arguments (and sort columns), then of the filter if there is one.
  std::vector<PhysicalType> InputTypes() const;

  // Evaluates arguments (and the filter) of the selected rows; vectors are appended to `to`.
  void EvalInputs(EvalContext& context, std::span<Vector* const> input, const Selection& selection,
                  std::vector<Vector*>* to);

  // The same vectors, from EvalInputs or read back from a spill file, as `inputs`.
  void UpdateGroups(CallContext& context, std::span<Vector* const> inputs, const Selection& selection,
                    void* const* groups);
  void UpdateOne(CallContext& context, std::span<Vector* const> inputs, const Selection& selection,
                 void* state);

  CallContext MakeContext(EvalContext& eval, Arena& arena) {
    return {arena, *eval.format, eval.session, site_};
  }

  // For ordered calls: gathers a group's rows, then adds them in order (without duplicates) to `state`.
  void StartOrdered(MemoryAccount* account, size_t memory_limit);
  void AddOrdered(std::span<Vector* const> inputs, const Selection& selection);
  void FinishOrdered(CallContext& context, void* state);

 private:
  void FinishOrderedSet(CallContext& context, std::span<Vector* const> columns, void* state);
  Selection ApplyFilter(std::span<Vector* const> inputs, const Selection& selection);
  const AggregateFunction* function_;
  std::vector<ExprStatePtr> args_;  // arguments, then resjunk sort columns
  size_t plain_args_ = 0;           // how many of them the function takes
  char kind_ = 'n';  // pg_aggregate.aggkind; not 'n': direct arguments follow the sorted columns
  Oid value_type_ = Oid::kInvalid;  // of an ordered-set aggregate's first column
  uint64_t ordered_rows_ = 0;
  ExprStatePtr filter_;
  std::vector<SortKey> sort_keys_;
  bool distinct_ = false;
  PhysicalType result_type_;
  std::vector<Oid> arg_types_;
  CallSite site_;
  std::unique_ptr<Sorter> sorter_;
  std::vector<uint16_t> filtered_, not_null_;
};

}  // namespace walden
