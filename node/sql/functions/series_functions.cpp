// generate_series over integers, numerics and timestamps.
#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/types/datetime.h"
#include "node/types/datetime_arithmetic.h"
#include "node/types/interval.h"
#include "node/types/numeric.h"

namespace walden {
namespace {

[[noreturn]] void ZeroStep() {
  throw SqlError(ErrorCode::kInvalidParameterValue, "step size cannot equal zero");
}

template <class T>
class IntegerSeries : public TableFunction {
 public:
  IntegerSeries(T start, T stop, T step) : next_(start), stop_(stop), step_(step) {
    if (step == 0) ZeroStep();
  }
  uint32_t Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) override {
    T* out = columns[0]->data<T>();
    uint32_t count = 0;
    while (count < max_rows && !done_ && (step_ > 0 ? next_ <= stop_ : next_ >= stop_)) {
      out[count++] = next_;
      done_ = __builtin_add_overflow(next_, step_, &next_);
    }
    return count;
  }

 private:
  T next_, stop_, step_;
  bool done_ = false;
};
std::unique_ptr<TableFunction> StartInt4(CallContext&, std::span<const Value> args) {
  return std::make_unique<IntegerSeries<int32_t>>(args[0].datum.i32, args[1].datum.i32,
                                                  args.size() > 2 ? args[2].datum.i32 : 1);
}
std::unique_ptr<TableFunction> StartInt8(CallContext&, std::span<const Value> args) {
  return std::make_unique<IntegerSeries<int64_t>>(args[0].datum.i64, args[1].datum.i64,
                                                  args.size() > 2 ? args[2].datum.i64 : 1);
}

class NumericSeries : public TableFunction {
 public:
  NumericSeries(const NumericRef& start, const NumericRef& stop, const NumericRef& step) {
    Require(start, "start value");
    Require(stop, "stop value");
    Require(step, "step size");
    if (NumericSign(step) == 0) ZeroStep();
    next_ = CopyNumeric(start, arena_);
    stop_ = CopyNumeric(stop, arena_);
    step_ = CopyNumeric(step, arena_);
  }
  uint32_t Next(CallContext& context, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    for (; count < max_rows; ++count) {
      int order = CompareNumeric(next_, stop_);
      if (NumericSign(step_) > 0 ? order > 0 : order < 0) break;
      columns[0]->data<NumericRef>()[count] = CopyNumeric(next_, context.arena);
      next_ = NumericAdd(next_, step_, arena_);
    }
    return count;
  }

 private:
  static void Require(const NumericRef& v, const char* what) {
    if (IsNumericFinite(v)) return;
    throw SqlError(ErrorCode::kInvalidParameterValue, "{} cannot be {}", what,
                   IsNumericNaN(v) ? "NaN" : "infinity");
  }
  Arena arena_;
  NumericRef next_, stop_, step_;
};
std::unique_ptr<TableFunction> StartNumeric(CallContext&, std::span<const Value> args) {
  return std::make_unique<NumericSeries>(args[0].datum.numeric, args[1].datum.numeric,
                                         args.size() > 2 ? args[2].datum.numeric : NumericFromInt64(1));
}

template <bool kZoned>
class TimestampSeries : public TableFunction {
 public:
  TimestampSeries(int64_t start, int64_t stop, IntervalValue step, const TimeZone* zone)
      : next_(start),
        stop_(stop),
        step_(step),
        zone_(zone),
        sign_(CompareInterval(step, IntervalValue{0, 0, 0})) {
    if (sign_ == 0) ZeroStep();
  }
  uint32_t Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    while (count < max_rows && (sign_ > 0 ? next_ <= stop_ : next_ >= stop_)) {
      columns[0]->data<int64_t>()[count++] = next_;
      next_ = kZoned ? AddToTimestampTz(next_, step_, zone_) : AddToTimestamp(next_, step_);
    }
    return count;
  }

 private:
  int64_t next_, stop_;
  IntervalValue step_;
  const TimeZone* zone_;
  int sign_;
};
std::unique_ptr<TableFunction> StartTimestamp(CallContext& c, std::span<const Value> args) {
  return std::make_unique<TimestampSeries<false>>(args[0].datum.i64, args[1].datum.i64,
                                                  args[2].datum.interval, c.format.zone);
}
std::unique_ptr<TableFunction> StartTimestampTz(CallContext& c, std::span<const Value> args) {
  return std::make_unique<TimestampSeries<true>>(args[0].datum.i64, args[1].datum.i64, args[2].datum.interval,
                                                 c.format.zone);
}

constexpr SetFunction kSets[] = {
    {"generate_series_int4", true, &StartInt4},
    {"generate_series_step_int4", true, &StartInt4},
    {"generate_series_int8", true, &StartInt8},
    {"generate_series_step_int8", true, &StartInt8},
    {"generate_series_numeric", true, &StartNumeric},
    {"generate_series_step_numeric", true, &StartNumeric},
    {"generate_series_timestamp", true, &StartTimestamp},
    {"generate_series_timestamptz", true, &StartTimestampTz},
};

}  // namespace

std::span<const SetFunction> SeriesFunctions() { return kSets; }

}  // namespace walden
