// numeric as SQL sees it.
#include <cmath>

#include "node/base/error.h"
#include "node/sql/functions/comparison.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/types/hash.h"
#include "node/types/numeric.h"

namespace walden {
namespace {

int Order(NumericRef a, NumericRef b) { return CompareNumeric(a, b); }
using N = CompareBy<NumericRef, &Order>;

NumericRef Add(CallContext& c, NumericRef a, NumericRef b) { return NumericAdd(a, b, c.arena); }
NumericRef Subtract(CallContext& c, NumericRef a, NumericRef b) { return NumericSubtract(a, b, c.arena); }
NumericRef Multiply(CallContext& c, NumericRef a, NumericRef b) { return NumericMultiply(a, b, c.arena); }
NumericRef Divide(CallContext& c, NumericRef a, NumericRef b) { return NumericDivide(a, b, c.arena); }
NumericRef DivideTruncate(CallContext& c, NumericRef a, NumericRef b) {
  return NumericDivideTruncate(a, b, c.arena);
}
NumericRef Modulo(CallContext& c, NumericRef a, NumericRef b) { return NumericModulo(a, b, c.arena); }
NumericRef Power(CallContext& c, NumericRef a, NumericRef b) { return NumericPower(a, b, c.arena); }
NumericRef Log(CallContext& c, NumericRef a, NumericRef b) { return NumericLog(a, b, c.arena); }
NumericRef Gcd(CallContext& c, NumericRef a, NumericRef b) { return NumericGcd(a, b, c.arena); }
NumericRef Lcm(CallContext& c, NumericRef a, NumericRef b) { return NumericLcm(a, b, c.arena); }
NumericRef Negate(CallContext& c, NumericRef a) { return NumericNegate(a, c.arena); }
NumericRef Plus(NumericRef a) { return a; }
NumericRef Absolute(CallContext& c, NumericRef a) { return NumericAbsolute(a, c.arena); }
NumericRef Sign(NumericRef a) { return IsNumericNaN(a) ? a : NumericFromInt64(NumericSign(a)); }
NumericRef Ceil(CallContext& c, NumericRef a) { return NumericCeil(a, c.arena); }
NumericRef Floor(CallContext& c, NumericRef a) { return NumericFloor(a, c.arena); }
NumericRef Round(CallContext& c, NumericRef a, int32_t scale) { return NumericRound(a, scale, c.arena); }
NumericRef Truncate(CallContext& c, NumericRef a, int32_t scale) {
  return NumericTruncate(a, scale, c.arena);
}
NumericRef Sqrt(CallContext& c, NumericRef a) { return NumericSqrt(a, c.arena); }
NumericRef Exp(CallContext& c, NumericRef a) { return NumericExp(a, c.arena); }
NumericRef Ln(CallContext& c, NumericRef a) { return NumericLn(a, c.arena); }
NumericRef Factorial(CallContext& c, int64_t n) { return NumericFactorial(n, c.arena); }
NumericRef Increment(CallContext& c, NumericRef a) { return NumericAdd(a, NumericFromInt64(1), c.arena); }
NumericRef TrimScale(CallContext& c, NumericRef a) { return NumericTrimScale(a, c.arena); }
std::optional<int32_t> Scale(NumericRef a) {
  if (!IsNumericFinite(a)) return std::nullopt;
  return a.scale;
}
std::optional<int32_t> MinScale(NumericRef a) {
  if (!IsNumericFinite(a)) return std::nullopt;
  return NumericMinScale(a);
}
NumericRef Typmod(CallContext& c, NumericRef a, int32_t typmod) {
  return ApplyNumericTypmod(a, typmod, c.arena);
}

NumericRef FromInt2(int16_t a) { return NumericFromInt64(a); }
NumericRef FromInt4(int32_t a) { return NumericFromInt64(a); }
NumericRef FromInt8(int64_t a) { return NumericFromInt64(a); }
NumericRef FromFloat4(CallContext& c, float a) { return NumericFromFloat(a, c.arena); }
NumericRef FromFloat8(CallContext& c, double a) { return NumericFromDouble(a, c.arena); }
int16_t ToInt2(NumericRef a) { return NumericToInt16(a); }
int32_t ToInt4(NumericRef a) { return NumericToInt32(a); }
int64_t ToInt8(NumericRef a) { return NumericToInt64(a); }
float ToFloat4(NumericRef a) { return NumericToFloat(a); }
double ToFloat8(NumericRef a) { return NumericToDouble(a); }

int32_t WidthBucket(CallContext& c, NumericRef operand, NumericRef low, NumericRef high, int32_t count) {
  auto fail = [](const char* text) {
    return SqlError(ErrorCode::kInvalidArgumentForWidthBucketFunction, "{}", text);
  };
  if (count <= 0) throw fail("count must be greater than zero");
  if (IsNumericNaN(operand) || IsNumericNaN(low) || IsNumericNaN(high)) {
    throw fail("operand, lower bound, and upper bound cannot be NaN");
  }
  if (!IsNumericFinite(low) || !IsNumericFinite(high)) throw fail("lower and upper bounds must be finite");
  int order = CompareNumeric(low, high);
  if (order == 0) throw fail("lower bound cannot equal upper bound");
  bool below = order < 0 ? CompareNumeric(operand, low) < 0 : CompareNumeric(operand, low) > 0;
  bool above = order < 0 ? CompareNumeric(operand, high) >= 0 : CompareNumeric(operand, high) <= 0;
  if (below) return 0;
  if (above) {
    if (count == INT32_MAX) throw SqlError(ErrorCode::kNumericValueOutOfRange, "integer out of range");
    return count + 1;
  }
  NumericRef offset =
      NumericMultiply(NumericSubtract(operand, low, c.arena), NumericFromInt64(count), c.arena);
  NumericRef bucket = NumericDivideTruncate(offset, NumericSubtract(high, low, c.arena), c.arena);
  return NumericToInt32(bucket) + 1;
}

int32_t Hash(NumericRef a) { return static_cast<int32_t>(HashNumeric(a)); }
int64_t HashExtended(NumericRef a, int64_t seed) {
  return static_cast<int64_t>(HashNumeric(a) ^ HashInteger(static_cast<uint64_t>(seed)));
}

bool InRange(CallContext& c, NumericRef value, NumericRef base, NumericRef offset, bool subtract, bool less) {
  if (IsNumericNaN(offset) || NumericSign(offset) < 0) {
    throw SqlError(ErrorCode::kInvalidPrecedingOrFollowingSize,
                   "invalid preceding or following size in window function");
  }
  NumericRef bound = subtract ? NumericSubtract(base, offset, c.arena) : NumericAdd(base, offset, c.arena);
  int order = CompareNumeric(value, bound);
  return less ? order <= 0 : order >= 0;
}

constexpr ScalarFunction kTable[] = {
    Fast<&N::Eq>("numeric_eq"),
    Fast<&N::Ne>("numeric_ne"),
    Fast<&N::Lt>("numeric_lt"),
    Fast<&N::Le>("numeric_le"),
    Fast<&N::Gt>("numeric_gt"),
    Fast<&N::Ge>("numeric_ge"),
    Scalar<&N::Order>("numeric_cmp"),
    Scalar<&N::Larger>("numeric_larger"),
    Scalar<&N::Smaller>("numeric_smaller"),
    Fast<&Add>("numeric_add"),
    Fast<&Subtract>("numeric_sub"),
    Fast<&Multiply>("numeric_mul"),
    Fast<&Divide>("numeric_div"),
    Scalar<&DivideTruncate>("numeric_div_trunc"),
    Scalar<&Modulo>("numeric_mod"),
    Scalar<&Power>("numeric_power"),
    Scalar<&Log>("numeric_log"),
    Scalar<&Gcd>("numeric_gcd"),
    Scalar<&Lcm>("numeric_lcm"),
    Scalar<&Negate>("numeric_uminus"),
    Scalar<&Plus>("numeric_uplus"),
    Scalar<&Absolute>("numeric_abs"),
    Scalar<&Sign>("numeric_sign"),
    Scalar<&Ceil>("numeric_ceil"),
    Scalar<&Floor>("numeric_floor"),
    Scalar<&Round>("numeric_round"),
    Scalar<&Truncate>("numeric_trunc"),
    Scalar<&Sqrt>("numeric_sqrt"),
    Scalar<&Exp>("numeric_exp"),
    Scalar<&Ln>("numeric_ln"),
    Scalar<&Factorial>("numeric_fac"),
    Scalar<&Increment>("numeric_inc"),
    Scalar<&TrimScale>("numeric_trim_scale"),
    Scalar<&Scale>("numeric_scale"),
    Scalar<&MinScale>("numeric_min_scale"),
    Scalar<&Typmod>("numeric"),
    Fast<&FromInt2>("int2_numeric"),
    Fast<&FromInt4>("int4_numeric"),
    Fast<&FromInt8>("int8_numeric"),
    Scalar<&FromFloat4>("float4_numeric"),
    Scalar<&FromFloat8>("float8_numeric"),
    Scalar<&ToInt2>("numeric_int2"),
    Scalar<&ToInt4>("numeric_int4"),
    Scalar<&ToInt8>("numeric_int8"),
    Scalar<&ToFloat4>("numeric_float4"),
    Scalar<&ToFloat8>("numeric_float8"),
    Scalar<&WidthBucket>("width_bucket_numeric"),
    Scalar<&Hash>("hash_numeric"),
    Scalar<&HashExtended>("hash_numeric_extended"),
    Scalar<&InRange>("in_range_numeric_numeric"),
};

}  // namespace

std::span<const ScalarFunction> NumericFunctions() { return kTable; }

}  // namespace walden
