// min, max, bool_and/or, bit_*, string_agg, array_agg.
#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/sql/functions/aggregate.h"
#include "node/sql/functions/function_table.h"
#include "node/types/array.h"
#include "node/types/floating.h"
#include "node/types/numeric.h"
#include "node/types/text.h"

namespace walden {
namespace {

// --- min and max of fixed-width numbers --------------------------------------------------------------------------

template <class T>
bool Less(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return CompareDouble(static_cast<double>(a), static_cast<double>(b)) < 0;
  else
    return a < b;
}
template <class T, bool kMax>
struct Extreme {
  T value;
  bool any;
  void Add(CallContext&, T v) {
    if (!any || (kMax ? Less(value, v) : Less(v, value))) value = v;
    any = true;
  }
  void Merge(CallContext& c, const Extreme& from) {
    if (from.any) Add(c, from.value);
  }
  void Finish(CallContext&, Value* result) const {
    if (any) PutValue(result, value);
  }
};

// --- min and max of any type, by its comparison ------------------------------------------------------------------

template <bool kMax>
struct AnyExtreme {
  Datum value;
  ArenaBuffer bytes;  // what a by-reference value points into
  bool any;

  void Add(CallContext& c, std::span<const Value> args) {
    if (args[0].is_null) return;
    const TypeDescriptor& type = TypeOf(c.site.arg_types[0]);
    if (any) {
      int order = type.kind == 'e' && c.session != nullptr
                      ? c.session->CompareEnum(Oid{static_cast<uint32_t>(args[0].datum.i32)},
                                               Oid{static_cast<uint32_t>(value.i32)})
                      : type.compare(args[0].datum, value, nullptr);
      if (kMax ? order <= 0 : order >= 0) return;
    }
    any = true;
    Keep(c.arena, type.physical, args[0].datum);
  }
  void Keep(Arena& arena, PhysicalType physical, const Datum& datum) {
    value = datum;
    if (physical == PhysicalType::kString) {
      bytes.Assign(arena, datum.string.view());
      value.string.data = bytes.data;
    } else if (physical == PhysicalType::kNumeric && datum.numeric.kind == NumericKind::kBig) {
      bytes.Assign(arena, {datum.numeric.digits, datum.numeric.digits_size});
      value.numeric.digits = bytes.data;
    }
  }
  void Merge(CallContext& c, const AnyExtreme& from) {
    Value v{from.value, !from.any};
    Add(c, {&v, 1});
  }
  void Finish(CallContext&, Value* result) const {
    if (any) *result = Value{value, false};
  }
};
// The form of these states needs the type, which only the context knows.
template <bool kMax>
constexpr AggregateFunction AnyExtremeAggregate(uint32_t oid, std::string_view signature) {
  using S = AnyExtreme<kMax>;
  AggregateFunction result = AggregateRows<S>(oid, signature);
  result.serialize = [](CallContext& c, const void* state, std::string* to) {
    const auto* s = static_cast<const S*>(state);
    to->push_back(s->any ? 1 : 0);
    if (s->any) AppendElement(TypeOf(c.site.arg_types[0]).physical, s->value, to);
  };
  result.deserialize = [](CallContext& c, std::string_view from, void* state) {
    auto* s = static_cast<S*>(state);
    std::memset(static_cast<void*>(s), 0, sizeof(S));
    s->any = from[0] != 0;
    const char* at = from.data() + 1;
    PhysicalType physical = TypeOf(c.site.arg_types[0]).physical;
    if (s->any) s->Keep(c.arena, physical, ReadElement(physical, &at));
  };
  return result;
}

// --- booleans and bits -------------------------------------------------------------------------------------------

template <bool kAnd>
struct BoolFold {
  int64_t rows, agreeing;
  void Add(CallContext&, bool v) {
    ++rows;
    agreeing += v;
  }
  void Remove(CallContext&, bool v) {
    --rows;
    agreeing -= v;
  }
  void Merge(CallContext&, const BoolFold& from) {
    rows += from.rows;
    agreeing += from.agreeing;
  }
  void Finish(CallContext&, Value* result) const {
    if (rows > 0) PutValue(result, kAnd ? agreeing == rows : agreeing > 0);
  }
};

enum class Bits { kAnd, kOr, kXor };
template <class T, Bits kOperation>
struct BitFold {
  T value;
  bool any;
  void Add(CallContext&, T v) {
    if (!any)
      value = v;
    else if (kOperation == Bits::kAnd)
      value = static_cast<T>(value & v);
    else if (kOperation == Bits::kOr)
      value = static_cast<T>(value | v);
    else
      value = static_cast<T>(value ^ v);
    any = true;
  }
  void Merge(CallContext& c, const BitFold& from) {
    if (from.any) Add(c, from.value);
  }
  void Finish(CallContext&, Value* result) const {
    if (any) PutValue(result, value);
  }
};

// --- string_agg --------------------------------------------------------------------------------------------------

// text and bytea alike. The separator of the first row is not used.
struct StringAggregate {
  ArenaBuffer text;
  bool any;
  void Add(CallContext& c, std::span<const Value> args) {
    if (args[0].is_null) return;
    if (any && !args[1].is_null) text.Append(c.arena, args[1].datum.string.view());
    text.Append(c.arena, args[0].datum.string.view());
    any = true;
  }
  void Finish(CallContext&, Value* result) const {
    if (any) PutValue(result, text.view());
  }
  void Write(std::string* to) const {
    to->push_back(any ? 1 : 0);
    to->append(text.view());
  }
  void Read(CallContext& c, std::string_view from) {
    *this = StringAggregate{};
    any = from[0] != 0;
    text.Append(c.arena, from.substr(1));
  }
};

// --- array_agg ---------------------------------------------------------------------------------------------------

// Elements one after another: u8 null flag, then the element.
struct ArrayAggregate {
  ArenaBuffer elements;
  int64_t count;
  void Add(CallContext& c, std::span<const Value> args) {
    char flag = args[0].is_null ? 1 : 0;
    elements.Append(c.arena, {&flag, 1});
    if (flag == 0) {
      std::string packed;
      AppendElement(TypeOf(c.site.arg_types[0]).physical, args[0].datum, &packed);
      elements.Append(c.arena, packed);
    }
    ++count;
  }
  void Finish(CallContext& c, Value* result) const {
    if (count == 0) return;
    const TypeDescriptor& type = TypeOf(c.site.arg_types[0]);
    ArrayBuilder builder(type.oid, type.physical);
    const char* at = elements.data;
    for (int64_t i = 0; i < count; ++i) {
      if (*at++ != 0)
        builder.AddNull();
      else
        builder.Add(Value{ReadElement(type.physical, &at), false});
    }
    PutValue(result, builder.Finish(c.arena));
  }
  void Write(std::string* to) const {
    to->append(reinterpret_cast<const char*>(&count), sizeof(count));
    to->append(elements.view());
  }
  void Read(CallContext& c, std::string_view from) {
    *this = ArrayAggregate{};
    count = Load<int64_t>(from.data());
    elements.Append(c.arena, from.substr(sizeof(count)));
  }
};

// array_agg(anyarray): arrays of equal shape become one of a dimension more.
struct NestedArrayAggregate : ArrayAggregate {
  void Add(CallContext& c, std::span<const Value> args) {
    if (args[0].is_null) throw SqlError(ErrorCode::kNullValueNotAllowed, "cannot accumulate null arrays");
    ArrayView view(args[0].datum.string.view());
    if (view.dimensions() == 0)
      throw SqlError(ErrorCode::kArraySubscriptError, "cannot accumulate empty arrays");
    ArrayAggregate::Add(c, args);
  }
  void Finish(CallContext& c, Value* result) const {
    if (count == 0) return;
    const char* at = elements.data;
    NestedArrayBuilder builder;
    for (int64_t i = 0; i < count; ++i) {
      ++at;
      builder.Add(Value{ReadElement(PhysicalType::kString, &at), false});
    }
    PutValue(result, builder.Finish(c.arena, Oid::kInvalid));
  }
};

#define EXTREMES(kMax, name, base)                                                                  \
  Aggregate1<Extreme<int64_t, kMax>, int64_t>(base, name "(bigint)"),                               \
      Aggregate1<Extreme<int32_t, kMax>, int32_t>(base + 1, name "(integer)"),                      \
      Aggregate1<Extreme<int16_t, kMax>, int16_t>(base + 2, name "(smallint)"),                     \
      Aggregate1<Extreme<uint32_t, kMax>, uint32_t>(base + 3, name "(oid)"),                        \
      Aggregate1<Extreme<float, kMax>, float>(base + 4, name "(real)"),                             \
      Aggregate1<Extreme<double, kMax>, double>(base + 5, name "(double precision)"),               \
      Aggregate1<Extreme<int32_t, kMax>, int32_t>(base + 7, name "(date)"),                         \
      Aggregate1<Extreme<int64_t, kMax>, int64_t>(base + 8, name "(time without time zone)"),       \
      AnyExtremeAggregate<kMax>(base + 9, name "(time with time zone)"),                            \
      Aggregate1<Extreme<int64_t, kMax>, int64_t>(base + 11, name "(timestamp without time zone)"), \
      Aggregate1<Extreme<int64_t, kMax>, int64_t>(base + 12, name "(timestamp with time zone)"),    \
      AnyExtremeAggregate<kMax>(base + 13, name "(interval)"),                                      \
      AnyExtremeAggregate<kMax>(base + 14, name "(text)"),                                          \
      AnyExtremeAggregate<kMax>(base + 15, name "(numeric)")
#define BITS(T, type, and_oid, or_oid, xor_oid)                         \
  Aggregate1<BitFold<T, Bits::kAnd>, T>(and_oid, "bit_and(" type ")"),  \
      Aggregate1<BitFold<T, Bits::kOr>, T>(or_oid, "bit_or(" type ")"), \
      Aggregate1<BitFold<T, Bits::kXor>, T>(xor_oid, "bit_xor(" type ")")

constexpr AggregateFunction kTable[] = {
    EXTREMES(true, "max", 2115),
    EXTREMES(false, "min", 2131),
    AnyExtremeAggregate<true>(2050, "max(anyarray)"),
    AnyExtremeAggregate<false>(2051, "min(anyarray)"),
    AnyExtremeAggregate<true>(2244, "max(character)"),
    AnyExtremeAggregate<false>(2245, "min(character)"),
    AnyExtremeAggregate<true>(3526, "max(anyenum)"),
    AnyExtremeAggregate<false>(3527, "min(anyenum)"),
    Aggregate1<Extreme<uint64_t, true>, uint64_t>(2797, "max(tid)"),
    Aggregate1<Extreme<uint64_t, false>, uint64_t>(2798, "min(tid)"),
    Aggregate1<Extreme<uint64_t, true>, uint64_t>(4189, "max(pg_lsn)"),
    Aggregate1<Extreme<uint64_t, false>, uint64_t>(4190, "min(pg_lsn)"),
    Aggregate1<BoolFold<true>, bool>(2517, "bool_and(boolean)"),
    Aggregate1<BoolFold<false>, bool>(2518, "bool_or(boolean)"),
    Aggregate1<BoolFold<true>, bool>(2519, "every(boolean)"),
    BITS(int16_t, "smallint", 2236, 2237, 6164),
    BITS(int32_t, "integer", 2238, 2239, 6165),
    BITS(int64_t, "bigint", 2240, 2241, 6166),
    AggregateRows<StringAggregate>(3538, "string_agg(text,text)"),
    AggregateRows<StringAggregate>(3545, "string_agg(bytea,bytea)"),
    AggregateRows<ArrayAggregate>(2335, "array_agg(anynonarray)"),
    AggregateRows<NestedArrayAggregate>(4053, "array_agg(anyarray)"),
};

}  // namespace

std::span<const AggregateFunction> ValueAggregates() { return kTable; }

}  // namespace walden
