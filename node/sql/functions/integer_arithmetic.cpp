// Arithmetic, bit operations and conversions of int2, int4, int8.
#include <cmath>

#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"

namespace walden {
namespace {

template <class T>
[[noreturn]] void OutOfRange() {
  throw SqlError(ErrorCode::kNumericValueOutOfRange, "{} out of range",
                 sizeof(T) == 2   ? "smallint"
                 : sizeof(T) == 4 ? "integer"
                                  : "bigint");
}
[[noreturn]] void DivisionByZero() { throw SqlError(ErrorCode::kDivisionByZero, "division by zero"); }

template <class R, class A, class B>
R Add(A a, B b) {
  R result;
  if (__builtin_add_overflow(a, b, &result)) OutOfRange<R>();
  return result;
}
template <class R, class A, class B>
R Subtract(A a, B b) {
  R result;
  if (__builtin_sub_overflow(a, b, &result)) OutOfRange<R>();
  return result;
}
template <class R, class A, class B>
R Multiply(A a, B b) {
  R result;
  if (__builtin_mul_overflow(a, b, &result)) OutOfRange<R>();
  return result;
}
template <class R, class A, class B>
R Divide(A a, B b) {
  if (b == 0) DivisionByZero();
  if (b == -1) return Subtract<R>(R{0}, static_cast<R>(a));  // the one quotient that can overflow
  return static_cast<R>(static_cast<R>(a) / static_cast<R>(b));
}
template <class T>
T Modulo(T a, T b) {
  if (b == 0) DivisionByZero();
  return b == -1 ? T{0} : static_cast<T>(a % b);
}
template <class T>
T Negate(T a) {
  return Subtract<T>(T{0}, a);
}
template <class T>
T Plus(T a) {
  return a;
}
template <class T>
T Absolute(T a) {
  return a < 0 ? Negate(a) : a;
}
template <class T>
T And(T a, T b) {
  return static_cast<T>(a & b);
}
template <class T>
T Or(T a, T b) {
  return static_cast<T>(a | b);
}
template <class T>
T Xor(T a, T b) {
  return static_cast<T>(a ^ b);
}
template <class T>
T Not(T a) {
  return static_cast<T>(~a);
}
template <class T>
T ShiftLeft(T a, int32_t by) {
  using U = std::make_unsigned_t<T>;
  unsigned width = sizeof(T) < 4 ? 31 : sizeof(T) * 8 - 1;  // as the hardware shifts what C promotes to
  return static_cast<T>(static_cast<U>(a) << (static_cast<unsigned>(by) & width));
}
template <class T>
T ShiftRight(T a, int32_t by) {
  unsigned width = sizeof(T) < 4 ? 31 : sizeof(T) * 8 - 1;
  return static_cast<T>(a >> (static_cast<unsigned>(by) & width));
}

// Of magnitudes; the result of two minimal values does not fit.
template <class T>
T Gcd(T a, T b) {
  using U = std::make_unsigned_t<T>;
  U x = a < 0 ? U{0} - static_cast<U>(a) : static_cast<U>(a);
  U y = b < 0 ? U{0} - static_cast<U>(b) : static_cast<U>(b);
  while (y != 0) {
    U rest = x % y;
    x = y;
    y = rest;
  }
  if (x > static_cast<U>(std::numeric_limits<T>::max())) OutOfRange<T>();
  return static_cast<T>(x);
}
template <class T>
T Lcm(T a, T b) {
  if (a == 0 || b == 0) return 0;
  return Absolute<T>(Multiply<T>(static_cast<T>(a / Gcd(a, b)), b));
}

template <class To, class From>
To Convert(From a) {
  To result = static_cast<To>(a);
  if (result != a) OutOfRange<To>();
  return result;
}
int64_t FromOid(uint32_t a) { return a; }
uint32_t ToOid(int64_t a) {
  if (a < 0 || a > int64_t{UINT32_MAX})
    throw SqlError(ErrorCode::kNumericValueOutOfRange, "OID out of range");
  return static_cast<uint32_t>(a);
}
int32_t FromChar(int8_t a) { return a; }
int8_t ToChar(int32_t a) {
  if (a < -128 || a > 127) throw SqlError(ErrorCode::kNumericValueOutOfRange, "\"char\" out of range");
  return static_cast<int8_t>(a);
}

// Rounds to even, as rint. The bounds are exact in floating point.
template <class To, class From>
To FromFloat(From a) {
  From rounded = std::rint(a);
  constexpr From kLow = static_cast<From>(std::numeric_limits<To>::min());
  if (!(rounded >= kLow && rounded < -kLow)) OutOfRange<To>();
  return static_cast<To>(rounded);
}
template <class To, class From>
To ToFloat(From a) {
  return static_cast<To>(a);
}

bool InRange(int64_t value, int64_t base, int64_t offset, bool subtract, bool less) {
  if (offset < 0) {
    throw SqlError(ErrorCode::kInvalidPrecedingOrFollowingSize,
                   "invalid preceding or following size in window function");
  }
  int64_t bound;
  bool overflow =
      subtract ? __builtin_sub_overflow(base, offset, &bound) : __builtin_add_overflow(base, offset, &bound);
  if (overflow) return subtract ? !less : less;  // the bound lies beyond every value
  return less ? value <= bound : value >= bound;
}
template <class V, class O>
bool InRangeOf(V value, V base, O offset, bool subtract, bool less) {
  return InRange(value, base, offset, subtract, less);
}

#define ARITHMETIC(Make, prefix, R, A, B)                                  \
  Make<&Add<R, A, B>>(prefix "pl"), Make<&Subtract<R, A, B>>(prefix "mi"), \
      Make<&Multiply<R, A, B>>(prefix "mul"), Make<&Divide<R, A, B>>(prefix "div")
#define BITS(prefix, T)                                                                                  \
  Scalar<&Modulo<T>>(prefix "mod"), Scalar<&Negate<T>>(prefix "um"), Scalar<&Plus<T>>(prefix "up"),      \
      Scalar<&Absolute<T>>(prefix "abs"), Scalar<&And<T>>(prefix "and"), Scalar<&Or<T>>(prefix "or"),    \
      Scalar<&Xor<T>>(prefix "xor"), Scalar<&Not<T>>(prefix "not"), Scalar<&ShiftLeft<T>>(prefix "shl"), \
      Scalar<&ShiftRight<T>>(prefix "shr")

using i2 = int16_t;
using i4 = int32_t;
using i8 = int64_t;

i4 Increment4(i4 a) { return Add<i4>(a, 1); }
i8 Increment8(i8 a) { return Add<i8>(a, 1); }
i8 Decrement8(i8 a) { return Subtract<i8>(a, 1); }

constexpr ScalarFunction kTable[] = {
    ARITHMETIC(Scalar, "int2", i2, i2, i2),
    ARITHMETIC(Fast, "int4", i4, i4, i4),
    ARITHMETIC(Fast, "int8", i8, i8, i8),
    ARITHMETIC(Scalar, "int24", i4, i2, i4),
    ARITHMETIC(Scalar, "int28", i8, i2, i8),
    ARITHMETIC(Scalar, "int42", i4, i4, i2),
    ARITHMETIC(Fast, "int48", i8, i4, i8),
    ARITHMETIC(Scalar, "int82", i8, i8, i2),
    ARITHMETIC(Fast, "int84", i8, i8, i4),
    BITS("int2", i2),
    BITS("int4", i4),
    BITS("int8", i8),
    Scalar<&Gcd<i4>>("int4gcd"),
    Scalar<&Gcd<i8>>("int8gcd"),
    Scalar<&Lcm<i4>>("int4lcm"),
    Scalar<&Lcm<i8>>("int8lcm"),
    Scalar<&Increment4>("int4inc"),
    Scalar<&Increment8>("int8inc"),
    Scalar<&Decrement8>("int8dec"),
    Scalar<&Convert<i8, i2>>("int28"),
    Scalar<&Convert<i8, i4>>("int48"),
    Scalar<&Convert<i2, i8>>("int82"),
    Scalar<&Convert<i4, i8>>("int84"),
    Scalar<&Convert<i2, i4>>("i4toi2"),
    Scalar<&Convert<i4, i2>>("i2toi4"),
    Scalar<&FromOid>("oidtoi8"),
    Scalar<&ToOid>("i8tooid"),
    Scalar<&FromChar>("chartoi4"),
    Scalar<&ToChar>("i4tochar"),
    Scalar<&FromFloat<i2, float>>("ftoi2"),
    Scalar<&FromFloat<i4, float>>("ftoi4"),
    Scalar<&FromFloat<i8, float>>("ftoi8"),
    Scalar<&FromFloat<i2, double>>("dtoi2"),
    Scalar<&FromFloat<i4, double>>("dtoi4"),
    Scalar<&FromFloat<i8, double>>("dtoi8"),
    Scalar<&ToFloat<float, i2>>("i2tof"),
    Scalar<&ToFloat<float, i4>>("i4tof"),
    Scalar<&ToFloat<float, i8>>("i8tof"),
    Scalar<&ToFloat<double, i2>>("i2tod"),
    Scalar<&ToFloat<double, i4>>("i4tod"),
    Scalar<&ToFloat<double, i8>>("i8tod"),
    Scalar<&InRangeOf<i8, i8>>("in_range_int8_int8"),
    Scalar<&InRangeOf<i4, i8>>("in_range_int4_int8"),
    Scalar<&InRangeOf<i4, i4>>("in_range_int4_int4"),
    Scalar<&InRangeOf<i4, i2>>("in_range_int4_int2"),
    Scalar<&InRangeOf<i2, i8>>("in_range_int2_int8"),
    Scalar<&InRangeOf<i2, i4>>("in_range_int2_int4"),
    Scalar<&InRangeOf<i2, i2>>("in_range_int2_int2"),
};

}  // namespace

std::span<const ScalarFunction> IntegerArithmeticFunctions() { return kTable; }

}  // namespace walden
