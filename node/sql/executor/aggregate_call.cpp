#include "node/sql/executor/aggregate_call.h"

#include "node/catalog/builtin.h"
#include "node/sql/executor/ordered_set.h"
#include "node/sql/query/expr_facts.h"

namespace walden {
namespace {

// The state of an ordered-set aggregate is its result.
void TakeResult(CallContext&, const void* state, Value* result) {
  *result = *static_cast<const Value*>(state);
}
constexpr AggregateFunction kOrderedSetResult{
    .oid = Oid{0}, .signature = "ordered set", .state_bytes = sizeof(Value), .finalize = TakeResult};

}  // namespace

AggregateCall::AggregateCall(const Aggref& aggref)
    : function_(aggref.aggkind == 'n' ? FindAggregate(aggref.aggfnoid) : &kOrderedSetResult),
      kind_(aggref.aggkind),
      result_type_(TypeOf(aggref.aggtype).physical) {
  if (function_ == nullptr || (kind_ != 'n' && !IsOrderedSetAggregate(aggref.aggfnoid))) {
    throw NotSupported(fmt::format("aggregate function with OID {}", OidNumber(aggref.aggfnoid)));
  }
  CheckMayAggregate(aggref.aggfnoid);
  for (const TargetEntry* entry : aggref.args) {
    args_.push_back(CompileExpression(entry->expr));
    if (!entry->resjunk) {
      ++plain_args_;
      arg_types_.push_back(ExprType(entry->expr));
    }
  }
  if (kind_ != 'n') {
    value_type_ = ExprType(aggref.args[0]->expr);
    for (const Expr* arg : aggref.aggdirectargs) args_.push_back(CompileExpression(arg));
  }
  if (aggref.aggfilter != nullptr) filter_ = CompileExpression(aggref.aggfilter);
  auto add_key = [&](const SortGroupClause* clause) {
    for (uint32_t i = 0; i < aggref.args.size(); ++i) {
      if (aggref.args[i]->ressortgroupref != clause->tle_sort_group_ref) continue;
      for (const SortKey& key : sort_keys_) {
        if (key.column == i) return;
      }
      sort_keys_.push_back(
          {i, &TypeOf(ExprType(aggref.args[i]->expr)), nullptr, IsDescending(*clause), clause->nulls_first});
      return;
    }
  };
  for (const SortGroupClause* clause : aggref.aggorder) add_key(clause);
  for (const SortGroupClause* clause : aggref.aggdistinct) add_key(clause);
  distinct_ = !aggref.aggdistinct.empty();
  site_.function = aggref.aggfnoid;
  site_.result_type = aggref.aggtype;
  site_.collation = aggref.inputcollid;
  site_.arg_types = arg_types_;
  site_.is_variadic_array = aggref.aggvariadic;
}

std::vector<PhysicalType> AggregateCall::InputTypes() const {
  std::vector<PhysicalType> types;
  for (const ExprStatePtr& arg : args_) types.push_back(arg->type());
  if (filter_ != nullptr) types.push_back(PhysicalType::kBool);
  return types;
}

void AggregateCall::EvalInputs(EvalContext& context, std::span<Vector* const> input,
                               const Selection& selection, std::vector<Vector*>* to) {
  if (filter_ == nullptr) {
    for (ExprStatePtr& arg : args_) to->push_back(&arg->Eval(context, input, selection));
    return;
  }
  // Arguments of rows that the filter drops are not evaluated: they may raise errors.
  Vector& condition = filter_->Eval(context, input, selection);
  filtered_.resize(selection.count);
  Selection kept{filtered_.data(), SelectTrue(condition, selection, filtered_.data())};
  for (ExprStatePtr& arg : args_) to->push_back(&arg->Eval(context, input, kept));
  to->push_back(&condition);
}

Selection AggregateCall::ApplyFilter(std::span<Vector* const> inputs, const Selection& selection) {
  if (filter_ == nullptr) return selection;
  filtered_.resize(selection.count);
  return Selection{filtered_.data(), SelectTrue(*inputs[args_.size()], selection, filtered_.data())};
}

namespace {

struct ConstVectors {
  explicit ConstVectors(std::span<Vector* const> vectors, size_t count) {
    for (size_t i = 0; i < count; ++i) pointers.push_back(vectors[i]);
  }
  std::vector<const Vector*> pointers;
};

}  // namespace

void AggregateCall::UpdateGroups(CallContext& context, std::span<Vector* const> inputs,
                                 const Selection& selection, void* const* groups) {
  Selection kept = ApplyFilter(inputs, selection);
  if (kept.count > 0) function_->update(context, ConstVectors(inputs, plain_args_).pointers, kept, groups);
}

void AggregateCall::UpdateOne(CallContext& context, std::span<Vector* const> inputs,
                              const Selection& selection, void* state) {
  Selection kept = ApplyFilter(inputs, selection);
  if (kept.count > 0)
    function_->update_single(context, ConstVectors(inputs, plain_args_).pointers, kept, state);
}

void AggregateCall::StartOrdered(MemoryAccount* account, size_t memory_limit) {
  std::vector<PhysicalType> types;
  for (const ExprStatePtr& arg : args_) types.push_back(arg->type());
  sorter_ = std::make_unique<Sorter>(std::move(types), sort_keys_, account, memory_limit);
  ordered_rows_ = 0;
}

void AggregateCall::AddOrdered(std::span<Vector* const> inputs, const Selection& selection) {
  Selection kept = ApplyFilter(inputs, selection);
  if (kind_ == 'o') {
    // Ordered-set aggregates pass over nulls; hypothetical ones rank them.
    not_null_.clear();
    kept.ForEach([&](uint32_t row) {
      if (!inputs[0]->IsNull(row)) not_null_.push_back(static_cast<uint16_t>(row));
    });
    kept = Selection{not_null_.data(), static_cast<uint32_t>(not_null_.size())};
  }
  if (kept.count == 0) return;
  sorter_->Add(inputs.subspan(0, args_.size()), kept);
  ordered_rows_ += kept.count;
}

void AggregateCall::FinishOrderedSet(CallContext& context, std::span<Vector* const> columns, void* state) {
  OrderedSetInput input;
  input.aggregate = site_.function;
  input.value_type = value_type_;
  input.keys = sort_keys_;
  input.sorted_columns = plain_args_;
  input.rows = ordered_rows_;
  *static_cast<Value*>(state) = ComputeOrderedSet(input, *sorter_, columns, &context.arena);
}

void AggregateCall::FinishOrdered(CallContext& context, void* state) {
  sorter_->Finish();
  std::vector<std::unique_ptr<Vector>> columns;
  std::vector<Vector*> pointers;
  for (const ExprStatePtr& arg : args_) {
    columns.push_back(std::make_unique<Vector>(arg->type()));
    pointers.push_back(columns.back().get());
  }
  if (kind_ != 'n') {
    FinishOrderedSet(context, pointers, state);
    sorter_.reset();
    return;
  }
  RowContainer last(RowLayout([&] {
                      std::vector<PhysicalType> types;
                      for (const ExprStatePtr& arg : args_) types.push_back(arg->type());
                      return types;
                    }()),
                    context.arena.account());
  char* previous = nullptr;
  std::vector<uint16_t> distinct;
  while (uint32_t rows = sorter_->Next(pointers, kBatchRows)) {
    Selection selection{nullptr, rows};
    if (distinct_) {
      distinct.clear();
      for (uint32_t row = 0; row < rows; ++row) {
        bool same = previous != nullptr;
        for (size_t i = 0; i < sort_keys_.size() && same; ++i) {
          const SortKey& key = sort_keys_[i];
          same = CompareBySortKey(key, last.layout().Get(previous, key.column),
                                  pointers[key.column]->Get(row)) == 0;
        }
        if (same) continue;
        last.Clear();
        previous = last.Append(pointers, row);
        distinct.push_back(static_cast<uint16_t>(row));
      }
      selection = Selection{distinct.data(), static_cast<uint32_t>(distinct.size())};
    }
    if (selection.count > 0) {
      function_->update_single(context, ConstVectors(pointers, plain_args_).pointers, selection, state);
    }
  }
  sorter_.reset();
}

}  // namespace walden
