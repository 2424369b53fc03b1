#include "node/sql/executor/index_keys.h"

#include "node/sql/executor/number_values.h"
#include "node/sql/executor/row_container.h"
#include "node/types/array.h"
#include "node/types/type_table.h"

namespace walden {
namespace {

// Comparators of (column, value) whose integer widths differ.
template <PhysicalType kColumn, PhysicalType kValue>
int CompareIntegers(const Datum& column, const Datum& value, const void*) {
  int64_t a = IntegerOf(kColumn, column), b = IntegerOf(kValue, value);
  return a < b ? -1 : a > b ? 1 : 0;
}

template <PhysicalType kColumn>
KeyCompare IntegerComparator(PhysicalType value) {
  switch (value) {
    case PhysicalType::kInt16: return CompareIntegers<kColumn, PhysicalType::kInt16>;
    case PhysicalType::kInt32: return CompareIntegers<kColumn, PhysicalType::kInt32>;
    case PhysicalType::kInt64: return CompareIntegers<kColumn, PhysicalType::kInt64>;
    default: return nullptr;
  }
}

}  // namespace

KeyCompare CrossTypeComparator(Oid column, Oid value) {
  if (!IsValid(column) || !IsValid(value) || column == value) return nullptr;
  PhysicalType a = TypeOf(column).physical, b = TypeOf(value).physical;
  if (a == b) return nullptr;
  KeyCompare compare = nullptr;
  if (a == PhysicalType::kInt16) compare = IntegerComparator<PhysicalType::kInt16>(b);
  if (a == PhysicalType::kInt32) compare = IntegerComparator<PhysicalType::kInt32>(b);
  if (a == PhysicalType::kInt64) compare = IntegerComparator<PhysicalType::kInt64>(b);
  if (compare == nullptr) throw NotSupported("index condition between these types");
  return compare;
}

IndexKeys::IndexKeys(const List<IndexCondition*>& conditions)
    : conditions_(conditions), arena_(&ProcessMemory(), 256) {
  for (const IndexCondition* condition : conditions) {
    values_.push_back(condition->value == nullptr ? nullptr : CompileExpression(condition->value));
    std::vector<ExprStatePtr> row;
    for (const Expr* value : condition->row_values) row.push_back(CompileExpression(value));
    row_values_.push_back(std::move(row));
  }
  arrays_.resize(values_.size());
  keys_.resize(values_.size());
}

bool IndexKeys::Evaluate(EvalContext& context, const IndexDesc&) {
  arena_.Reset();
  for (size_t i = 0; i < values_.size(); ++i) {
    const IndexCondition& condition = *conditions_[i];
    ScanKey& key = keys_[i];
    key.kind = condition.kind;
    key.attno = static_cast<AttrNumber>(condition.index_column);
    key.strategy = condition.strategy;
    key.compare = condition.kind == ScanKey::Kind::kCompare
                      ? CrossTypeComparator(condition.left_type, condition.right_type)
                      : nullptr;
    if (values_[i] != nullptr) {
      key.value = values_[i]->Eval(context, {}, Selection{nullptr, 1}).Get(0);
      if (key.value.is_null) return false;
      key.value.datum = CopyDatum(values_[i]->type(), key.value.datum, &arena_);
    }
    if (condition.kind == ScanKey::Kind::kArray) {
      ArrayView view(key.value.datum.string.view());
      PhysicalType element_type = TypeOf(view.element_type()).physical;
      key.compare = CrossTypeComparator(condition.left_type, condition.right_type);
      arrays_[i].clear();
      ArrayReader reader(view, element_type);
      for (Value element; reader.Next(&element);) arrays_[i].push_back(element);
      key.values = arrays_[i];
    }
    if (condition.kind == ScanKey::Kind::kRow) {
      arrays_[i].clear();
      for (ExprStatePtr& state : row_values_[i]) {
        Value value = state->Eval(context, {}, Selection{nullptr, 1}).Get(0);
        if (!value.is_null) value.datum = CopyDatum(state->type(), value.datum, &arena_);
        arrays_[i].push_back(value);
      }
      key.values = arrays_[i];
    }
  }
  return true;
}

}  // namespace walden
