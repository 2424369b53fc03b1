// float4 and float8: comparison, arithmetic, mathematics.
#include <cmath>
#include <numbers>

#include "node/base/error.h"
#include "node/sql/functions/comparison.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/types/floating.h"
#include "node/types/hash.h"

namespace walden {
namespace {

[[noreturn]] void Overflow() {
  throw SqlError(ErrorCode::kNumericValueOutOfRange, "value out of range: overflow");
}
[[noreturn]] void Underflow() {
  throw SqlError(ErrorCode::kNumericValueOutOfRange, "value out of range: underflow");
}
[[noreturn]] void OutOfInputRange() {
  throw SqlError(ErrorCode::kNumericValueOutOfRange, "input is out of range");
}
[[noreturn]] void DivisionByZero() { throw SqlError(ErrorCode::kDivisionByZero, "division by zero"); }

template <class R, class A, class B>
R Add(A a, B b) {
  R result = static_cast<R>(a) + static_cast<R>(b);
  if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) Overflow();
  return result;
}
template <class R, class A, class B>
R Subtract(A a, B b) {
  R result = static_cast<R>(a) - static_cast<R>(b);
  if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) Overflow();
  return result;
}
template <class R, class A, class B>
R Multiply(A a, B b) {
  R result = static_cast<R>(a) * static_cast<R>(b);
  if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) Overflow();
  if (result == 0 && a != 0 && b != 0) Underflow();
  return result;
}
template <class R, class A, class B>
R Divide(A a, B b) {
  if (b == 0 && !std::isnan(a)) DivisionByZero();
  R result = static_cast<R>(a) / static_cast<R>(b);
  if (std::isinf(result) && !std::isinf(a)) Overflow();
  if (result == 0 && a != 0 && !std::isinf(b)) Underflow();
  return result;
}

template <class A, class B>
int Order(A a, B b) {
  return CompareDouble(static_cast<double>(a), static_cast<double>(b));
}
using F8 = CompareBy<double, &Order<double, double>>;
using F4 = CompareBy<float, &Order<float, float>>;
using F48 = CompareBy<float, &Order<float, double>, double>;
using F84 = CompareBy<double, &Order<double, float>, float>;

template <class T>
T Negate(T a) {
  return -a;
}
template <class T>
T Plus(T a) {
  return a;
}
template <class T>
T Absolute(T a) {
  return std::fabs(a);
}
double FromFloat4(float a) { return static_cast<double>(a); }
float ToFloat4(double a) {
  auto result = static_cast<float>(a);
  if (std::isinf(result) && !std::isinf(a)) Overflow();
  if (result == 0 && a != 0) Underflow();
  return result;
}

double Checked(double result, bool infinity_allowed, bool zero_allowed) {
  if (std::isinf(result) && !infinity_allowed) Overflow();
  if (result == 0 && !zero_allowed) Underflow();
  return result;
}

double Ceil(double a) { return std::ceil(a); }
double Floor(double a) { return std::floor(a); }
double Round(double a) { return std::rint(a); }
double Truncate(double a) { return std::trunc(a); }
double Sign(double a) { return a > 0 ? 1.0 : a < 0 ? -1.0 : a; }
double Sqrt(double a) {
  if (a < 0) {
    throw SqlError(ErrorCode::kInvalidArgumentForPowerFunction,
                   "cannot take square root of a negative number");
  }
  return std::sqrt(a);
}
double Cbrt(double a) { return std::cbrt(a); }
double Exp(double a) {
  if (std::isnan(a) || std::isinf(a)) return std::exp(a);
  return Checked(std::exp(a), false, false);
}
double Ln(double a) {
  if (a == 0) throw SqlError(ErrorCode::kInvalidArgumentForLog, "cannot take logarithm of zero");
  if (a < 0) throw SqlError(ErrorCode::kInvalidArgumentForLog, "cannot take logarithm of a negative number");
  return std::log(a);
}
double Log10(double a) {
  if (a == 0) throw SqlError(ErrorCode::kInvalidArgumentForLog, "cannot take logarithm of zero");
  if (a < 0) throw SqlError(ErrorCode::kInvalidArgumentForLog, "cannot take logarithm of a negative number");
  return std::log10(a);
}
double Power(double a, double b) {
  if (a == 0 && b < 0) {
    throw SqlError(ErrorCode::kInvalidArgumentForPowerFunction,
                   "zero raised to a negative power is undefined");
  }
  if (a < 0 && std::isfinite(b) && std::floor(b) != b) {
    throw SqlError(ErrorCode::kInvalidArgumentForPowerFunction,
                   "a negative number raised to a non-integer power yields a complex result");
  }
  double result = std::pow(a, b);
  if (std::isfinite(a) && std::isfinite(b)) Checked(result, false, a == 0);
  return result;
}

constexpr double kDegrees = 180.0 / std::numbers::pi;
double RequireFinite(double a) {
  if (std::isinf(a)) OutOfInputRange();
  return a;
}
double RequireUnit(double a) {
  if (a < -1 || a > 1) OutOfInputRange();
  return a;
}
double Sin(double a) { return std::sin(RequireFinite(a)); }
double Cos(double a) { return std::cos(RequireFinite(a)); }
double Tan(double a) { return std::tan(RequireFinite(a)); }
double Cot(double a) { return 1 / std::tan(RequireFinite(a)); }
double Asin(double a) { return std::asin(RequireUnit(a)); }
double Acos(double a) { return std::acos(RequireUnit(a)); }
double Atan(double a) { return std::atan(a); }
double Atan2(double a, double b) { return std::atan2(a, b); }
double Sinh(double a) { return std::sinh(a); }
double Cosh(double a) { return std::cosh(a); }
double Tanh(double a) { return std::tanh(a); }
double Asinh(double a) { return std::asinh(a); }
double Acosh(double a) {
  if (a < 1) OutOfInputRange();
  return std::acosh(a);
}
double Atanh(double a) { return std::atanh(RequireUnit(a)); }
double Degrees(double a) { return Checked(a / (std::numbers::pi / 180.0), std::isinf(a), a == 0); }
double Radians(double a) { return a * (std::numbers::pi / 180.0); }
double Pi() { return std::numbers::pi; }

// Trigonometry in degrees is exact at multiples of 30 and 45: reduce to the first quadrant and pin those.
double SinDegrees0To90(double d) {
  if (d == 0) return 0;
  if (d == 30) return 0.5;
  if (d == 90) return 1;
  return std::sin(d / kDegrees);
}
double CosDegrees0To90(double d) {
  if (d == 90) return 0;
  if (d == 60) return 0.5;
  if (d == 0) return 1;
  return std::cos(d / kDegrees);
}
double SinD(double a) {
  double d = std::fmod(RequireFinite(a), 360);
  double sign = 1;
  if (d < 0) {
    d = -d;
    sign = -sign;
  }
  if (d > 180) {
    d = 360 - d;
    sign = -sign;
  }
  if (d > 90) d = 180 - d;
  return sign * SinDegrees0To90(d);
}
double CosD(double a) {
  double d = std::fabs(std::fmod(RequireFinite(a), 360));
  double sign = 1;
  if (d > 180) d = 360 - d;
  if (d > 90) {
    d = 180 - d;
    sign = -sign;
  }
  return sign * CosDegrees0To90(d);
}
double TanD(double a) {
  double d = std::fmod(RequireFinite(a), 180);
  double sign = 1;
  if (d < 0) {
    d = -d;
    sign = -sign;
  }
  if (d > 90) {
    d = 180 - d;
    sign = -sign;
  }
  if (d == 45) return sign;
  double result = sign * SinDegrees0To90(d) / CosDegrees0To90(d);
  return result == 0 ? 0 : result;
}
double CotD(double a) {
  double d = std::fmod(RequireFinite(a), 180);
  double sign = 1;
  if (d < 0) {
    d = -d;
    sign = -sign;
  }
  if (d > 90) {
    d = 180 - d;
    sign = -sign;
  }
  if (d == 45) return sign;
  double result = sign * CosDegrees0To90(d) / SinDegrees0To90(d);
  return result == 0 ? 0 : result;
}
double Pin(double degrees) {  // what the inverse functions give at the exact points
  for (double exact : {0.0, 30.0, 45.0, 60.0, 90.0, 120.0, 135.0, 150.0, 180.0}) {
    if (std::fabs(std::fabs(degrees) - exact) < 1e-13) return degrees < 0 ? -exact : exact;
  }
  return degrees;
}
double AsinD(double a) { return Pin(std::asin(RequireUnit(a)) * kDegrees); }
double AcosD(double a) { return Pin(std::acos(RequireUnit(a)) * kDegrees); }
double AtanD(double a) { return Pin(std::atan(a) * kDegrees); }
double Atan2D(double a, double b) { return Pin(std::atan2(a, b) * kDegrees); }

int32_t WidthBucket(double operand, double low, double high, int32_t count) {
  if (count <= 0)
    throw SqlError(ErrorCode::kInvalidArgumentForWidthBucketFunction, "count must be greater than zero");
  if (std::isnan(operand) || std::isnan(low) || std::isnan(high)) {
    throw SqlError(ErrorCode::kInvalidArgumentForWidthBucketFunction,
                   "operand, lower bound, and upper bound cannot be NaN");
  }
  if (std::isinf(low) || std::isinf(high)) {
    throw SqlError(ErrorCode::kInvalidArgumentForWidthBucketFunction,
                   "lower and upper bounds must be finite");
  }
  if (low == high) {
    throw SqlError(ErrorCode::kInvalidArgumentForWidthBucketFunction, "lower bound cannot equal upper bound");
  }
  bool descending = low > high;
  bool below = descending ? operand > low : operand < low;
  bool above = descending ? operand <= high : operand >= high;
  if (below) return 0;
  if (above) {
    if (count == INT32_MAX) throw SqlError(ErrorCode::kNumericValueOutOfRange, "integer out of range");
    return count + 1;
  }
  double fraction = (operand / 2 - low / 2) / (high / 2 - low / 2);
  auto bucket = static_cast<int32_t>(static_cast<double>(count) * fraction);
  return (bucket >= count ? count - 1 : bucket) + 1;
}

int32_t HashFloat8(double v) {
  if (v == 0) return 0;
  if (std::isnan(v)) v = std::numeric_limits<double>::quiet_NaN();
  return static_cast<int32_t>(PgHashBytes({reinterpret_cast<const char*>(&v), sizeof(v)}));
}
int64_t HashFloat8Extended(double v, int64_t seed) {
  if (v == 0) return seed;
  if (std::isnan(v)) v = std::numeric_limits<double>::quiet_NaN();
  return static_cast<int64_t>(
      PgHashBytesExtended({reinterpret_cast<const char*>(&v), sizeof(v)}, static_cast<uint64_t>(seed)));
}
int32_t HashFloat4(float v) { return HashFloat8(static_cast<double>(v)); }
int64_t HashFloat4Extended(float v, int64_t seed) { return HashFloat8Extended(static_cast<double>(v), seed); }

#define COMPARISONS(Make, prefix, C)                                               \
  Make<&C::Eq>(prefix "eq"), Make<&C::Ne>(prefix "ne"), Make<&C::Lt>(prefix "lt"), \
      Make<&C::Le>(prefix "le"), Make<&C::Gt>(prefix "gt"), Make<&C::Ge>(prefix "ge")
#define ARITHMETIC(Make, prefix, R, A, B)                                  \
  Make<&Add<R, A, B>>(prefix "pl"), Make<&Subtract<R, A, B>>(prefix "mi"), \
      Make<&Multiply<R, A, B>>(prefix "mul"), Make<&Divide<R, A, B>>(prefix "div")

constexpr ScalarFunction kTable[] = {
    COMPARISONS(Fast, "float8", F8),
    COMPARISONS(Scalar, "float4", F4),
    COMPARISONS(Scalar, "float48", F48),
    COMPARISONS(Scalar, "float84", F84),
    ARITHMETIC(Fast, "float8", double, double, double),
    ARITHMETIC(Scalar, "float4", float, float, float),
    ARITHMETIC(Scalar, "float48", double, float, double),
    ARITHMETIC(Scalar, "float84", double, double, float),
    Scalar<&F8::Order>("btfloat8cmp"),
    Scalar<&F4::Order>("btfloat4cmp"),
    Scalar<&F48::Order>("btfloat48cmp"),
    Scalar<&F84::Order>("btfloat84cmp"),
    Scalar<&F8::Larger>("float8larger"),
    Scalar<&F8::Smaller>("float8smaller"),
    Scalar<&F4::Larger>("float4larger"),
    Scalar<&F4::Smaller>("float4smaller"),
    Scalar<&Negate<double>>("float8um"),
    Scalar<&Negate<float>>("float4um"),
    Scalar<&Plus<double>>("float8up"),
    Scalar<&Plus<float>>("float4up"),
    Scalar<&Absolute<double>>("float8abs"),
    Scalar<&Absolute<float>>("float4abs"),
    Scalar<&FromFloat4>("ftod"),
    Scalar<&ToFloat4>("dtof"),
    Scalar<&Ceil>("dceil"),
    Scalar<&Floor>("dfloor"),
    Scalar<&Round>("dround"),
    Scalar<&Truncate>("dtrunc"),
    Scalar<&Sign>("dsign"),
    Scalar<&Sqrt>("dsqrt"),
    Scalar<&Cbrt>("dcbrt"),
    Scalar<&Exp>("dexp"),
    Scalar<&Ln>("dlog1"),
    Scalar<&Log10>("dlog10"),
    Scalar<&Power>("dpow"),
    Scalar<&Sin>("dsin"),
    Scalar<&Cos>("dcos"),
    Scalar<&Tan>("dtan"),
    Scalar<&Cot>("dcot"),
    Scalar<&Asin>("dasin"),
    Scalar<&Acos>("dacos"),
    Scalar<&Atan>("datan"),
    Scalar<&Atan2>("datan2"),
    Scalar<&Sinh>("dsinh"),
    Scalar<&Cosh>("dcosh"),
    Scalar<&Tanh>("dtanh"),
    Scalar<&Asinh>("dasinh"),
    Scalar<&Acosh>("dacosh"),
    Scalar<&Atanh>("datanh"),
    Scalar<&Degrees>("degrees"),
    Scalar<&Radians>("radians"),
    Scalar<&Pi>("dpi"),
    Scalar<&SinD>("dsind"),
    Scalar<&CosD>("dcosd"),
    Scalar<&TanD>("dtand"),
    Scalar<&CotD>("dcotd"),
    Scalar<&AsinD>("dasind"),
    Scalar<&AcosD>("dacosd"),
    Scalar<&AtanD>("datand"),
    Scalar<&Atan2D>("datan2d"),
    Scalar<&WidthBucket>("width_bucket_float8"),
    Scalar<&HashFloat8>("hashfloat8"),
    Scalar<&HashFloat8Extended>("hashfloat8extended"),
    Scalar<&HashFloat4>("hashfloat4"),
    Scalar<&HashFloat4Extended>("hashfloat4extended"),
};

}  // namespace

std::span<const ScalarFunction> FloatFunctions() { return kTable; }

}  // namespace walden
