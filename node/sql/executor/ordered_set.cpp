#include "node/sql/executor/ordered_set.h"

#include <algorithm>
#include <cmath>

#include "node/base/error.h"
#include "node/sql/executor/number_values.h"
#include "node/sql/query/expr_facts.h"
#include "node/types/array.h"
#include "node/types/datetime_arithmetic.h"

namespace walden {
namespace {

// OIDs of pg_proc.
enum class SetAggregate : uint32_t {
  kPercentileDisc = 3972,
  kPercentileContFloat = 3974,
  kPercentileContInterval = 3976,
  kPercentileDiscArray = 3978,
  kPercentileContFloatArray = 3980,
  kPercentileContIntervalArray = 3982,
  kMode = 3984,
  kRank = 3986,
  kPercentRank = 3988,
  kCumeDist = 3990,
  kDenseRank = 3992,
};

// The sorted rows one after the other.
class RowStream {
 public:
  RowStream(Sorter& sorter, std::span<Vector* const> columns) : sorter_(sorter), columns_(columns) {}
  bool Next() {
    if (++at_ < count_) return true;
    count_ = sorter_.Next(columns_, kBatchRows);
    at_ = 0;
    return count_ > 0;
  }
  Value Get(size_t column) const { return columns_[column]->Get(at_); }

 private:
  Sorter& sorter_;
  std::span<Vector* const> columns_;
  uint32_t at_ = 0, count_ = 0;
};

double CheckedPercentile(double percentile) {
  if (std::isnan(percentile) || percentile < 0 || percentile > 1) {
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "percentile value {:g} is not between 0 and 1",
                   percentile);
  }
  return percentile;
}

// A percentile that was asked for, and the rows (from 0) that it needs.
struct Wanted {
  bool is_null = false;
  uint64_t first = 0, second = 0;
  double proportion = 0;
  Value low, high;
};

Wanted MakeWanted(const Value& percentile, uint64_t rows, bool continuous) {
  Wanted wanted;
  wanted.is_null = percentile.is_null;
  if (percentile.is_null) return wanted;
  double p = CheckedPercentile(percentile.datum.f64);
  if (continuous) {
    double place = p * static_cast<double>(rows - 1);
    wanted.first = static_cast<uint64_t>(std::floor(place));
    wanted.second = static_cast<uint64_t>(std::ceil(place));
    wanted.proportion = place - static_cast<double>(wanted.first);
  } else {
    uint64_t row = static_cast<uint64_t>(std::ceil(p * static_cast<double>(rows)));
    wanted.first = wanted.second = row == 0 ? 0 : row - 1;
  }
  return wanted;
}

Value Interpolate(const Wanted& wanted, bool continuous, bool is_interval) {
  if (wanted.is_null) return Value{};
  if (!continuous || wanted.first == wanted.second) return wanted.low;
  if (is_interval) {
    IntervalValue step = SubtractIntervals(wanted.high.datum.interval, wanted.low.datum.interval);
    Value value;
    value.is_null = false;
    value.datum.interval = AddIntervals(MultiplyInterval(step, wanted.proportion), wanted.low.datum.interval);
    return value;
  }
  double low = wanted.low.datum.f64, high = wanted.high.datum.f64;
  return Float8Value(low + wanted.proportion * (high - low));
}

Value Percentiles(const OrderedSetInput& input, RowStream& rows, Arena* arena, bool continuous,
                  bool is_interval, bool is_array) {
  if (input.rows == 0 || !rows.Next()) return Value{};
  PhysicalType physical = TypeOf(input.value_type).physical;
  Value direct = rows.Get(input.sorted_columns);
  if (direct.is_null) return Value{};
  std::vector<Wanted> wanted;
  std::vector<int32_t> lengths, lower_bounds;
  if (is_array) {
    ArrayView view(direct.datum.string.view());
    for (int i = 0; i < view.dimensions(); ++i) {
      lengths.push_back(view.Length(i));
      lower_bounds.push_back(view.LowerBound(i));
    }
    ArrayReader reader(view, PhysicalType::kFloat64);
    for (Value element; reader.Next(&element);) wanted.push_back(MakeWanted(element, input.rows, continuous));
  } else {
    wanted.push_back(MakeWanted(direct, input.rows, continuous));
  }
  uint64_t last = 0;
  for (const Wanted& each : wanted) last = std::max(last, each.second);
  uint64_t row = 0;
  do {
    for (Wanted& each : wanted) {
      for (auto [place, to] : {std::pair(each.first, &each.low), std::pair(each.second, &each.high)}) {
        if (each.is_null || place != row) continue;
        *to = rows.Get(0);
        if (!to->is_null) to->datum = CopyDatum(physical, to->datum, arena);
      }
    }
  } while (++row <= last && rows.Next());
  if (!is_array) return Interpolate(wanted[0], continuous, is_interval);
  ArrayBuilder builder(input.value_type, physical);
  for (const Wanted& each : wanted) builder.Add(Interpolate(each, continuous, is_interval));
  Value result;
  result.is_null = false;
  result.datum = StringDatum(builder.Finish(*arena, lengths, lower_bounds));
  return result;
}

// The most frequent value, the first of them in the order.
Value Mode(const OrderedSetInput& input, RowStream& rows, Arena* arena) {
  const TypeDescriptor& type = TypeOf(input.value_type);
  Value best, current;
  uint64_t best_count = 0, count = 0;
  auto finish = [&] {
    if (count > best_count) {
      best = current;
      best_count = count;
    }
  };
  while (rows.Next()) {
    Value value = rows.Get(0);
    if (count > 0 && type.compare(value.datum, current.datum, nullptr) == 0) {
      ++count;
      continue;
    }
    finish();
    current = value;
    current.datum = CopyDatum(type.physical, value.datum, arena);
    count = 1;
  }
  finish();
  return best;
}

// Where the direct arguments' row would stand among the group's.
Value Hypothetical(const OrderedSetInput& input, RowStream& rows, MemoryAccount* account,
                   std::span<Vector* const> columns) {
  uint64_t before = 0, distinct_before = 0, up_to = 0;
  std::vector<PhysicalType> types;
  for (const Vector* column : columns) types.push_back(column->type());
  RowContainer previous(RowLayout(types), account);
  char* last = nullptr;
  while (rows.Next()) {
    int order = 0;
    for (size_t i = 0; i < input.keys.size() && order == 0; ++i) {
      order = CompareBySortKey(input.keys[i], rows.Get(input.keys[i].column),
                               rows.Get(input.sorted_columns + input.keys[i].column));
    }
    if (order > 0) break;
    ++up_to;
    if (order < 0) ++before;
    if (order < 0 && SetAggregate{OidNumber(input.aggregate)} == SetAggregate::kDenseRank) {
      bool same = last != nullptr;
      for (size_t i = 0; i < input.keys.size() && same; ++i) {
        const SortKey& key = input.keys[i];
        same = CompareBySortKey(key, previous.layout().Get(last, key.column), rows.Get(key.column)) == 0;
      }
      if (!same) {
        ++distinct_before;
        previous.Clear();
        last = previous.AppendEmpty();
        for (size_t i = 0; i < columns.size(); ++i) {
          Value value = rows.Get(i);
          if (!value.is_null) value.datum = CopyDatum(types[i], value.datum, &previous.arena());
          previous.layout().Set(last, i, value);
        }
      }
    }
  }
  double all = static_cast<double>(input.rows);
  switch (SetAggregate{OidNumber(input.aggregate)}) {
    case SetAggregate::kRank: return Int8Value(static_cast<int64_t>(before) + 1);
    case SetAggregate::kDenseRank: return Int8Value(static_cast<int64_t>(distinct_before) + 1);
    case SetAggregate::kPercentRank:
      return Float8Value(input.rows == 0 ? 0 : static_cast<double>(before) / all);
    default: return Float8Value((static_cast<double>(up_to) + 1) / (all + 1));
  }
}

}  // namespace

bool IsOrderedSetAggregate(Oid aggregate) {
  uint32_t oid = OidNumber(aggregate);
  return oid >= 3972 && oid <= 3992 && oid % 2 == 0;
}

Value ComputeOrderedSet(const OrderedSetInput& input, Sorter& sorter, std::span<Vector* const> columns,
                        Arena* arena) {
  RowStream rows(sorter, columns);
  switch (SetAggregate{OidNumber(input.aggregate)}) {
    case SetAggregate::kPercentileDisc: return Percentiles(input, rows, arena, false, false, false);
    case SetAggregate::kPercentileContFloat: return Percentiles(input, rows, arena, true, false, false);
    case SetAggregate::kPercentileContInterval: return Percentiles(input, rows, arena, true, true, false);
    case SetAggregate::kPercentileDiscArray: return Percentiles(input, rows, arena, false, false, true);
    case SetAggregate::kPercentileContFloatArray: return Percentiles(input, rows, arena, true, false, true);
    case SetAggregate::kPercentileContIntervalArray: return Percentiles(input, rows, arena, true, true, true);
    case SetAggregate::kMode: return Mode(input, rows, arena);
    default: return Hypothetical(input, rows, arena->account(), columns);
  }
}

}  // namespace walden
