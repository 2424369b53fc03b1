// Comparisons of the integer types and of what is stored as unsigned integers.
#include "node/sql/functions/comparison.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/types/hash.h"

namespace walden {
namespace {

// Rows prefix+eq, ne, lt, le, gt, ge of a comparison class.
#define COMPARISONS(Make, prefix, C)                                               \
  Make<&C::Eq>(prefix "eq"), Make<&C::Ne>(prefix "ne"), Make<&C::Lt>(prefix "lt"), \
      Make<&C::Le>(prefix "le"), Make<&C::Gt>(prefix "gt"), Make<&C::Ge>(prefix "ge")

using I2 = Compare<int16_t, int16_t>;
using I4 = Compare<int32_t, int32_t>;
using I8 = Compare<int64_t, int64_t>;
using I24 = Compare<int16_t, int32_t>;
using I28 = Compare<int16_t, int64_t>;
using I42 = Compare<int32_t, int16_t>;
using I48 = Compare<int32_t, int64_t>;
using I82 = Compare<int64_t, int16_t>;
using I84 = Compare<int64_t, int32_t>;
using U4 = Compare<uint32_t, uint32_t>;
using U8 = Compare<uint64_t, uint64_t>;

struct CharCompare {
  static uint8_t U(int8_t c) { return static_cast<uint8_t>(c); }
  static bool Eq(int8_t a, int8_t b) { return a == b; }
  static bool Ne(int8_t a, int8_t b) { return a != b; }
  static bool Lt(int8_t a, int8_t b) { return U(a) < U(b); }
  static bool Le(int8_t a, int8_t b) { return U(a) <= U(b); }
  static bool Gt(int8_t a, int8_t b) { return U(a) > U(b); }
  static bool Ge(int8_t a, int8_t b) { return U(a) >= U(b); }
  static int Order(int8_t a, int8_t b) { return int{U(a)} - int{U(b)}; }
};

template <class T>
T Larger(T a, T b) {
  return a > b ? a : b;
}
template <class T>
T Smaller(T a, T b) {
  return a < b ? a : b;
}

bool XidEqInt4(uint32_t a, int32_t b) { return a == static_cast<uint32_t>(b); }
bool XidNeInt4(uint32_t a, int32_t b) { return a != static_cast<uint32_t>(b); }
uint32_t Xid8ToXid(uint64_t a) { return static_cast<uint32_t>(a); }

// Hashes that SQL can see have PostgreSQL's values.
int32_t Hash4(uint32_t v) { return static_cast<int32_t>(PgHashUint32(v)); }
int64_t Hash4Extended(uint32_t v, int64_t seed) {
  return static_cast<int64_t>(PgHashUint32Extended(v, static_cast<uint64_t>(seed)));
}
uint32_t FoldInt8(int64_t v) {
  auto low = static_cast<uint32_t>(v);
  auto high = static_cast<uint32_t>(static_cast<uint64_t>(v) >> 32);
  return low ^ (v >= 0 ? high : ~high);
}
int32_t HashInt2(int16_t v) { return Hash4(static_cast<uint32_t>(int32_t{v})); }
int64_t HashInt2Extended(int16_t v, int64_t seed) {
  return Hash4Extended(static_cast<uint32_t>(int32_t{v}), seed);
}
int32_t HashInt8(int64_t v) { return Hash4(FoldInt8(v)); }
int64_t HashInt8Extended(int64_t v, int64_t seed) { return Hash4Extended(FoldInt8(v), seed); }
int32_t HashChar(int8_t v) { return Hash4(static_cast<uint32_t>(int32_t{v})); }
int64_t HashCharExtended(int8_t v, int64_t seed) {
  return Hash4Extended(static_cast<uint32_t>(int32_t{v}), seed);
}

bool EqualImage(uint32_t) { return true; }

constexpr ScalarFunction kTable[] = {
    COMPARISONS(Fast, "int2", I2),
    COMPARISONS(Fast, "int4", I4),
    COMPARISONS(Fast, "int8", I8),
    COMPARISONS(Scalar, "int24", I24),
    COMPARISONS(Scalar, "int28", I28),
    COMPARISONS(Scalar, "int42", I42),
    COMPARISONS(Fast, "int48", I48),
    COMPARISONS(Scalar, "int82", I82),
    COMPARISONS(Fast, "int84", I84),
    COMPARISONS(Fast, "oid", U4),
    COMPARISONS(Scalar, "char", CharCompare),
    COMPARISONS(Scalar, "tid", U8),
    COMPARISONS(Scalar, "pg_lsn_", U8),
    Scalar<&U4::Eq>("xideq"),
    Scalar<&U4::Ne>("xidneq"),
    Scalar<&XidEqInt4>("xideqint4"),
    Scalar<&XidNeInt4>("xidneqint4"),
    Scalar<&U4::Eq>("cideq"),
    Scalar<&I2::Order>("btint2cmp"),
    Scalar<&I4::Order>("btint4cmp"),
    Scalar<&I8::Order>("btint8cmp"),
    Scalar<&I24::Order>("btint24cmp"),
    Scalar<&I28::Order>("btint28cmp"),
    Scalar<&I42::Order>("btint42cmp"),
    Scalar<&I48::Order>("btint48cmp"),
    Scalar<&I82::Order>("btint82cmp"),
    Scalar<&I84::Order>("btint84cmp"),
    Scalar<&U4::Order>("btoidcmp"),
    Scalar<&CharCompare::Order>("btcharcmp"),
    Scalar<&U8::Order>("bttidcmp"),
    Scalar<&U8::Order>("xid8cmp"),
    Scalar<&U8::Order>("pg_lsn_cmp"),
    Scalar<&Larger<int16_t>>("int2larger"),
    Scalar<&Smaller<int16_t>>("int2smaller"),
    Scalar<&Larger<int32_t>>("int4larger"),
    Scalar<&Smaller<int32_t>>("int4smaller"),
    Scalar<&Larger<int64_t>>("int8larger"),
    Scalar<&Smaller<int64_t>>("int8smaller"),
    Scalar<&Larger<uint32_t>>("oidlarger"),
    Scalar<&Smaller<uint32_t>>("oidsmaller"),
    Scalar<&Larger<uint64_t>>("tidlarger"),
    Scalar<&Smaller<uint64_t>>("tidsmaller"),
    Scalar<&Larger<uint64_t>>("pg_lsn_larger"),
    Scalar<&Smaller<uint64_t>>("pg_lsn_smaller"),
    Scalar<&Xid8ToXid>("xid8toxid"),
    Scalar<&HashInt2>("hashint2"),
    Scalar<&HashInt2Extended>("hashint2extended"),
    Scalar<&Hash4>("hashint4"),
    Scalar<&Hash4Extended>("hashint4extended"),
    Scalar<&HashInt8>("hashint8"),
    Scalar<&HashInt8Extended>("hashint8extended"),
    Scalar<&Hash4>("hashoid"),
    Scalar<&Hash4Extended>("hashoidextended"),
    Scalar<&HashChar>("hashchar"),
    Scalar<&HashCharExtended>("hashcharextended"),
    Scalar<&HashInt8>("pg_lsn_hash"),
    Scalar<&HashInt8Extended>("pg_lsn_hash_extended"),
    Scalar<&EqualImage>("btequalimage"),
    Scalar<&EqualImage>("btvarstrequalimage"),
};
#undef COMPARISONS

}  // namespace

std::span<const ScalarFunction> IntegerCompareFunctions() { return kTable; }

}  // namespace walden
