#include "node/access/btree/scan_keys.h"

#include <algorithm>

namespace walden::btree {

const Value ScanConditions::kNullValue{};

namespace {

Strategy InIndexOrder(Strategy strategy, bool descending) {
  if (!descending) return strategy;
  return static_cast<Strategy>(6 - static_cast<int>(strategy));
}

bool Satisfies(int value_against_stored, Strategy strategy) {
  switch (strategy) {
    case Strategy::kLess: return value_against_stored > 0;
    case Strategy::kLessEqual: return value_against_stored >= 0;
    case Strategy::kEqual: return value_against_stored == 0;
    case Strategy::kGreaterEqual: return value_against_stored <= 0;
    case Strategy::kGreater: return value_against_stored < 0;
  }
  return false;
}

bool IsUpper(Strategy strategy) { return strategy == Strategy::kLess || strategy == Strategy::kLessEqual; }

}  // namespace

void ScanConditions::Set(std::span<const ScanKey> keys) {
  impossible_ = false;
  conditions_.clear();
  prefix_.clear();
  arrays_.clear();
  lower_ = upper_ = Bound{};
  columns_needed_ = 0;
  for (const ScanKey& key : keys) {
    int column = key.attno - 1;
    if (key.kind == ScanKey::Kind::kCompare && key.value.is_null) impossible_ = true;
    if (key.kind == ScanKey::Kind::kRow && key.values[0].is_null) impossible_ = true;
    conditions_.push_back({&key, column, InIndexOrder(key.strategy, index_.keys[column].descending)});
    int last = column + (key.kind == ScanKey::Kind::kRow ? static_cast<int>(key.values.size()) : 1);
    columns_needed_ = std::max(columns_needed_, last);
    if (key.kind == ScanKey::Kind::kArray &&
        std::all_of(key.values.begin(), key.values.end(), [](const Value& value) { return value.is_null; })) {
      impossible_ = true;
    }
  }
  if (!impossible_) FindPrefix();
}

void ScanConditions::AddArray(const ScanKey& key) {
  ArrayState array{key.attno - 1, key.compare, {}, 0};
  for (const Value& value : key.values) {
    if (!value.is_null) array.elements.push_back(value);
  }
  // Elements are of the column's own type, or of one whose values compare alike (the operator family's
  // promise): when a cross-type comparator is given, the column's comparator does not fit the elements.
  const IndexKeyColumn& column = index_.keys[array.column];
  auto order = [&](const Value& a, const Value& b) {
    int result = column.compare(a.datum, b.datum, column.collation);
    return column.descending ? -result : result;
  };
  std::stable_sort(array.elements.begin(), array.elements.end(),
                   [&](const Value& a, const Value& b) { return order(a, b) < 0; });
  array.elements.erase(std::unique(array.elements.begin(), array.elements.end(),
                                   [&](const Value& a, const Value& b) { return order(a, b) == 0; }),
                       array.elements.end());
  arrays_.push_back(std::move(array));
}

void ScanConditions::FindPrefix() {
  for (int column = 0; column < index_.key_count(); ++column) {
    auto equality = std::find_if(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
      if (condition.column != column) return false;
      switch (condition.key->kind) {
        case ScanKey::Kind::kIsNull: return true;
        case ScanKey::Kind::kCompare: return condition.strategy == Strategy::kEqual;
        // Elements of another type cannot be sorted with the column's comparator: tested one by one instead.
        case ScanKey::Kind::kArray:
          return condition.strategy == Strategy::kEqual && condition.key->compare == nullptr;
        default: return false;
      }
    });
    if (equality == conditions_.end()) {
      for (const Condition& condition : conditions_) {
        if (condition.column == column) NoteBound(condition);
      }
      break;
    }
    const ScanKey& key = *equality->key;
    if (key.kind == ScanKey::Kind::kArray) {
      AddArray(key);
      prefix_.push_back({nullptr, static_cast<int>(arrays_.size()) - 1, key.compare});
    } else {
      prefix_.push_back({key.kind == ScanKey::Kind::kIsNull ? &kNullValue : &key.value, -1, key.compare});
    }
    conditions_.erase(equality);
  }
  columns_needed_ = std::max(columns_needed_, static_cast<int>(prefix_.size()));
}

// Of several bounds on the column any one will do: the others are tested entry by entry.
void ScanConditions::NoteBound(const Condition& condition) {
  const ScanKey& key = *condition.key;
  if (key.kind == ScanKey::Kind::kCompare) {
    bool strict = condition.strategy == Strategy::kLess || condition.strategy == Strategy::kGreater;
    (IsUpper(condition.strategy) ? upper_ : lower_) = {&key.value, key.compare, strict};
  } else if (key.kind == ScanKey::Kind::kRow) {
    Bound& bound = IsUpper(condition.strategy) ? upper_ : lower_;
    if (bound.value == nullptr) bound = {&key.values[0], nullptr, false};
  }
}

void ScanConditions::FirstRange(ScanDirection direction) {
  for (ArrayState& array : arrays_)
    array.current = direction == ScanDirection::kForward ? 0 : array.elements.size() - 1;
}

bool ScanConditions::NextRange(ScanDirection direction) {
  for (size_t i = arrays_.size(); i-- > 0;) {
    ArrayState& array = arrays_[i];
    if (direction == ScanDirection::kForward) {
      if (++array.current < array.elements.size()) return true;
      array.current = 0;
    } else {
      if (array.current-- > 0) return true;
      array.current = array.elements.size() - 1;
    }
  }
  return false;
}

std::vector<size_t> ScanConditions::SaveRanges() const {
  std::vector<size_t> saved;
  for (const ArrayState& array : arrays_) saved.push_back(array.current);
  return saved;
}

void ScanConditions::RestoreRanges(const std::vector<size_t>& saved) {
  for (size_t i = 0; i < saved.size() && i < arrays_.size(); ++i) arrays_[i].current = saved[i];
}

bool ScanConditions::StartKey(ScanDirection direction, SearchKey* key) {
  start_values_.clear();
  start_compares_.clear();
  for (const PrefixColumn& column : prefix_) {
    const ArrayState* array = column.array < 0 ? nullptr : &arrays_[column.array];
    start_values_.push_back(array == nullptr ? *column.value : array->elements[array->current]);
    start_compares_.push_back(column.compare);
  }
  bool forward = direction == ScanDirection::kForward;
  const Bound& bound = forward ? lower_ : upper_;
  bool strict = false;
  if (bound.value != nullptr) {
    start_values_.push_back(*bound.value);
    start_compares_.push_back(bound.compare);
    strict = bound.strict;
  }
  *key = SearchKey{};
  key->values = start_values_.data();
  key->compares = start_compares_.data();
  key->count = static_cast<int>(start_values_.size());
  // Forward: the first entry >= (or >) the key. Backward: the one before the first that is > (or >=) it.
  key->next_key = forward ? strict : !strict;
  return key->count > 0;
}

bool ScanConditions::Matches(const Entry& entry, ScanDirection direction, bool* past_end) const {
  *past_end = false;
  const char* stored[kMaxIndexColumns];
  ColumnWalk walk(entry, *index_.desc);
  for (int i = 0; i < columns_needed_; ++i) stored[i] = walk.Next();
  for (size_t i = 0; i < prefix_.size(); ++i) {
    const PrefixColumn& column = prefix_[i];
    const Value& value =
        column.array < 0 ? *column.value : arrays_[column.array].elements[arrays_[column.array].current];
    if (CompareValue(index_, static_cast<int>(i), value, stored[i], column.compare) != 0) {
      *past_end = true;
      return false;
    }
  }
  bool matches = true;
  int range_column = static_cast<int>(prefix_.size());
  for (const Condition& condition : conditions_) {
    if (MatchesCondition(condition, stored)) continue;
    matches = false;
    if (condition.column != range_column || condition.key->kind != ScanKey::Kind::kCompare) continue;
    bool nulls_first = index_.keys[range_column].nulls_first;
    bool forward = direction == ScanDirection::kForward;
    // Nulls match no comparison; past them nothing comes if they are at the far end.
    if (stored[range_column] == nullptr)
      *past_end = forward ? !nulls_first : nulls_first;
    else if (IsUpper(condition.strategy) == forward)
      *past_end = true;
    if (*past_end) return false;
  }
  return matches;
}

bool ScanConditions::MatchesCondition(const Condition& condition, const char* const* stored) const {
  const ScanKey& key = *condition.key;
  const char* column = stored[condition.column];
  switch (key.kind) {
    case ScanKey::Kind::kIsNull: return column == nullptr;
    case ScanKey::Kind::kIsNotNull: return column != nullptr;
    case ScanKey::Kind::kCompare:
      return column != nullptr &&
             Satisfies(CompareValue(index_, condition.column, key.value, column, key.compare),
                       condition.strategy);
    case ScanKey::Kind::kArray: return column != nullptr && MatchesAnyElement(key, column);
    case ScanKey::Kind::kRow: return MatchesRow(condition, stored);
  }
  return false;
}

bool ScanConditions::MatchesAnyElement(const ScanKey& key, const char* stored) const {
  int column = key.attno - 1;
  Strategy strategy = InIndexOrder(key.strategy, index_.keys[column].descending);
  return std::any_of(key.values.begin(), key.values.end(), [&](const Value& element) {
    return !element.is_null &&
           Satisfies(CompareValue(index_, column, element, stored, key.compare), strategy);
  });
}

bool ScanConditions::MatchesRow(const Condition& condition, const char* const* stored) const {
  const ScanKey& key = *condition.key;
  for (size_t i = 0; i < key.values.size(); ++i) {
    int column = condition.column + static_cast<int>(i);
    // A null decides nothing: unknown.
    if (stored[column] == nullptr || key.values[i].is_null) return false;
    int order = CompareValue(index_, column, key.values[i], stored[column], nullptr);
    // Each column has its own direction in the index, but the row comparison has one.
    if (index_.keys[column].descending) order = -order;
    if (order != 0) return Satisfies(order, key.strategy);
  }
  return key.strategy == Strategy::kLessEqual || key.strategy == Strategy::kGreaterEqual;
}

}  // namespace walden::btree
