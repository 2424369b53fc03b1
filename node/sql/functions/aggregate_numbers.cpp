// count, sum, avg, variance and standard deviation.
#include <cmath>

#include "node/base/error.h"
#include "node/sql/functions/aggregate.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/numeric_sum.h"

namespace walden {
namespace {

struct Count {
  int64_t count;
  void Merge(CallContext&, const Count& from) { count += from.count; }
  void Finish(CallContext&, Value* result) const { PutValue(result, count); }
};
// count(*) has no argument, count(x) skips nulls of any type.
struct CountLoops {
  static void Update(CallContext&, std::span<const Vector* const> args, const Selection& selection,
                     void* const* groups) {
    selection.ForEach([&](uint32_t row) {
      if (args.empty() || !args[0]->IsNull(row)) ++static_cast<Count*>(groups[row])->count;
    });
  }
  static int64_t Counted(std::span<const Vector* const> args, const Selection& selection) {
    if (args.empty() || !args[0]->has_nulls()) return selection.count;
    int64_t count = 0;
    selection.ForEach([&](uint32_t row) { count += args[0]->IsNull(row) ? 0 : 1; });
    return count;
  }
  static void UpdateSingle(CallContext&, std::span<const Vector* const> args, const Selection& selection,
                           void* state) {
    static_cast<Count*>(state)->count += Counted(args, selection);
  }
  static void Remove(CallContext&, std::span<const Vector* const> args, const Selection& selection,
                     void* state) {
    static_cast<Count*>(state)->count -= Counted(args, selection);
  }
};
constexpr AggregateFunction CountAggregate(uint32_t oid, std::string_view signature) {
  AggregateFunction result = MakeAggregate<Count, CountLoops>(oid, signature);
  result.remove = &CountLoops::Remove;
  return result;
}

// sum(int2), sum(int4) -> int8
struct IntSum {
  int64_t sum;
  int64_t count;
  void Add(CallContext&, int64_t v) {
    ++count;
    if (__builtin_add_overflow(sum, v, &sum)) {
      throw SqlError(ErrorCode::kNumericValueOutOfRange, "bigint out of range");
    }
  }
  void Remove(CallContext&, int64_t v) {
    --count;
    sum -= v;
  }
  void Merge(CallContext& context, const IntSum& from) {
    if (from.count == 0) return;
    Add(context, from.sum);
    count += from.count - 1;
  }
  void Finish(CallContext&, Value* result) const {
    if (count > 0) PutValue(result, sum);
  }
};

// sum(int8) and avg of integers -> numeric
struct WideSum {
  __int128 sum;
  int64_t count;
  int64_t unused;
  void Add(CallContext&, int64_t v) {
    sum += v;
    ++count;
  }
  void Remove(CallContext&, int64_t v) {
    sum -= v;
    --count;
  }
  void Merge(CallContext&, const WideSum& from) {
    sum += from.sum;
    count += from.count;
  }
};
struct WideSumTotal : WideSum {
  void Finish(CallContext& c, Value* result) const {
    if (count > 0) PutValue(result, NumericFromInt128(sum, 0, c.arena));
  }
};
struct WideAverage : WideSum {
  void Finish(CallContext& c, Value* result) const {
    if (count > 0)
      PutValue(result, NumericDivide(NumericFromInt128(sum, 0, c.arena), NumericFromInt64(count), c.arena));
  }
};

struct NumericTotal {
  NumericSum sum;
  int64_t count;
  int64_t unused;
  void Add(CallContext& c, NumericRef v) {
    sum.Add(c, v);
    ++count;
  }
  void Merge(CallContext& c, const NumericTotal& from) {
    sum.Merge(c, from.sum);
    count += from.count;
  }
  void Write(std::string* to) const {
    sum.Write(to);
    to->append(reinterpret_cast<const char*>(&count), sizeof(count));
  }
  void Read(CallContext& c, std::string_view from) {
    from = sum.Read(c, from);
    std::memcpy(&count, from.data(), sizeof(count));
  }
};
struct NumericSumTotal : NumericTotal {
  void Finish(CallContext& c, Value* result) const {
    if (count > 0) PutValue(result, sum.Total(c.arena));
  }
};
struct NumericAverage : NumericTotal {
  void Finish(CallContext& c, Value* result) const {
    if (count > 0) PutValue(result, NumericDivide(sum.Total(c.arena), NumericFromInt64(count), c.arena));
  }
};

struct RealSum {
  float sum;
  bool any;
  void Add(CallContext&, float v) {
    float total = any ? sum + v : v;
    if (std::isinf(total) && !std::isinf(sum) && !std::isinf(v)) {
      throw SqlError(ErrorCode::kNumericValueOutOfRange, "value out of range: overflow");
    }
    sum = total;
    any = true;
  }
  void Merge(CallContext& c, const RealSum& from) {
    if (from.any) Add(c, from.sum);
  }
  void Finish(CallContext&, Value* result) const {
    if (any) PutValue(result, sum);
  }
};
struct DoubleSum {
  double sum;
  bool any;
  void Add(CallContext&, double v) {
    double total = any ? sum + v : v;
    if (std::isinf(total) && !std::isinf(sum) && !std::isinf(v)) {
      throw SqlError(ErrorCode::kNumericValueOutOfRange, "value out of range: overflow");
    }
    sum = total;
    any = true;
  }
  void Merge(CallContext& c, const DoubleSum& from) {
    if (from.any) Add(c, from.sum);
  }
  void Finish(CallContext&, Value* result) const {
    if (any) PutValue(result, sum);
  }
};

// Count, sum and sum of squared deviations (Youngs and Cramer 1971).
struct Moments {
  double n, sx, sxx;
  void Add(CallContext&, double v) {
    double before = sx;
    n += 1;
    sx += v;
    if (n > 1) {
      double t = v * n - sx;
      sxx += t * t / (n * (n - 1));
      if (std::isinf(sx) || std::isinf(sxx)) {
        if (!std::isinf(before) && !std::isinf(v)) {
          throw SqlError(ErrorCode::kNumericValueOutOfRange, "value out of range: overflow");
        }
        sxx = std::numeric_limits<double>::quiet_NaN();
      }
    } else if (std::isnan(v) || std::isinf(v)) {
      sxx = std::numeric_limits<double>::quiet_NaN();
    }
  }
  void Merge(CallContext&, const Moments& from) {
    if (from.n == 0) return;
    if (n == 0) {
      *this = from;
      return;
    }
    double total = n + from.n;
    double t = sx / n - from.sx / from.n;
    sxx = sxx + from.sxx + n * from.n * t * t / total;
    sx += from.sx;
    n = total;
  }
};
struct DoubleAverage : Moments {
  void Finish(CallContext&, Value* result) const {
    if (n > 0) PutValue(result, sx / n);
  }
};
template <bool kSample, bool kRoot>
struct DoubleSpread : Moments {
  void Finish(CallContext&, Value* result) const {
    if (n < (kSample ? 2 : 1)) return;
    double variance = sxx / (kSample ? n - 1 : n);
    PutValue(result, kRoot ? std::sqrt(variance) : variance);
  }
};
// The same over real arguments.
template <class S>
struct OfReal : S {
  void Add(CallContext& c, float v) { S::Add(c, static_cast<double>(v)); }
  void Merge(CallContext& c, const OfReal& from) { S::Merge(c, from); }
};

// Variance of exact numbers: n, sum x, sum x^2.
struct ExactMoments {
  NumericSum sum, squares;
  int64_t count;
  int64_t unused;
  void AddExact(CallContext& c, const NumericRef& v) {
    Arena scratch(&ProcessMemory(), 512);
    sum.Add(c, v);
    squares.Add(c, NumericMultiply(v, v, scratch));
    ++count;
  }
  void Merge(CallContext& c, const ExactMoments& from) {
    sum.Merge(c, from.sum);
    squares.Merge(c, from.squares);
    count += from.count;
  }
  void Write(std::string* to) const {
    sum.Write(to);
    squares.Write(to);
    to->append(reinterpret_cast<const char*>(&count), sizeof(count));
  }
  void Read(CallContext& c, std::string_view from) {
    from = sum.Read(c, from);
    from = squares.Read(c, from);
    std::memcpy(&count, from.data(), sizeof(count));
  }
};
template <class T, bool kSample, bool kRoot>
struct ExactSpread : ExactMoments {
  void Add(CallContext& c, T v) {
    if constexpr (std::is_same_v<T, NumericRef>)
      AddExact(c, v);
    else
      AddExact(c, NumericFromInt64(v));
  }
  void Merge(CallContext& c, const ExactSpread& from) { ExactMoments::Merge(c, from); }
  void Finish(CallContext& c, Value* result) const {
    if (count < (kSample ? 2 : 1)) return;
    NumericRef total = sum.Total(c.arena);
    if (!IsNumericFinite(total)) return PutValue(result, ParseNumeric("NaN", c.arena));
    NumericRef n = NumericFromInt64(count);
    NumericRef numerator = NumericSubtract(NumericMultiply(n, squares.Total(c.arena), c.arena),
                                           NumericMultiply(total, total, c.arena), c.arena);
    if (NumericSign(numerator) <= 0) return PutValue(result, NumericFromInt64(0));
    NumericRef divisor = NumericMultiply(n, NumericFromInt64(kSample ? count - 1 : count), c.arena);
    NumericRef variance = NumericDivide(numerator, divisor, c.arena);
    PutValue(result, kRoot ? NumericSqrtToScale(variance, variance.scale, c.arena) : variance);
  }
};

#define SPREAD(oid, name, kSample, kRoot)                                                    \
  Aggregate1<ExactSpread<int64_t, kSample, kRoot>, int64_t>(oid, name "(bigint)"),           \
      Aggregate1<ExactSpread<int32_t, kSample, kRoot>, int32_t>(oid + 1, name "(integer)"),  \
      Aggregate1<ExactSpread<int16_t, kSample, kRoot>, int16_t>(oid + 2, name "(smallint)"), \
      Aggregate1<OfReal<DoubleSpread<kSample, kRoot>>, float>(oid + 3, name "(real)"),       \
      Aggregate1<DoubleSpread<kSample, kRoot>, double>(oid + 4, name "(double precision)"),  \
      Aggregate1<ExactSpread<NumericRef, kSample, kRoot>, NumericRef>(oid + 5, name "(numeric)")

constexpr AggregateFunction kTable[] = {
    CountAggregate(2147, "count(\"any\")"),
    CountAggregate(2803, "count()"),
    Aggregate1<WideSumTotal, int64_t>(2107, "sum(bigint)"),
    Aggregate1<IntSum, int32_t>(2108, "sum(integer)"),
    Aggregate1<IntSum, int16_t>(2109, "sum(smallint)"),
    Aggregate1<RealSum, float>(2110, "sum(real)"),
    Aggregate1<DoubleSum, double>(2111, "sum(double precision)"),
    Aggregate1<NumericSumTotal, NumericRef>(2114, "sum(numeric)"),
    Aggregate1<WideAverage, int64_t>(2100, "avg(bigint)"),
    Aggregate1<WideAverage, int32_t>(2101, "avg(integer)"),
    Aggregate1<WideAverage, int16_t>(2102, "avg(smallint)"),
    Aggregate1<NumericAverage, NumericRef>(2103, "avg(numeric)"),
    Aggregate1<OfReal<DoubleAverage>, float>(2104, "avg(real)"),
    Aggregate1<DoubleAverage, double>(2105, "avg(double precision)"),
    SPREAD(2148, "variance", true, false),
    SPREAD(2154, "stddev", true, true),
    SPREAD(2641, "var_samp", true, false),
    SPREAD(2712, "stddev_samp", true, true),
    SPREAD(2718, "var_pop", false, false),
    SPREAD(2724, "stddev_pop", false, true),
};

}  // namespace

std::span<const AggregateFunction> NumberAggregates() { return kTable; }

}  // namespace walden
