// From a plain typed C++ function to an entry of the function table.
//
//   int32_t Add(int32_t a, int32_t b);                         Fast<&Add>("int4pl")
//   std::string_view Upper(CallContext&, std::string_view);    Scalar<&Upper>("upper")
//   std::optional<bool> Both(std::optional<bool>, std::optional<bool>)   // sees nulls, may return null
//
// Argument types: bool, intN_t, uint32_t, uint64_t, Oid, float, double, std::string_view, NumericRef, IntervalValue,
// UuidValue, TimeTzValue, Datum (any type), or std::optional of one. A function none of whose arguments is optional is
// strict. Scalar shares one loop over the row form (small code); Fast unrolls a typed loop (hot functions).
// Volatile is Scalar for functions that must run once per row even if their arguments are constant.
// Use in the .cpp of a family only.
#pragma once

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "node/sql/functions/registry.h"

namespace walden {

template <class T>
struct SqlType {  // enumerations by value of their integer
  static_assert(std::is_same_v<T, Oid>);
  static T Get(const Datum& d) { return static_cast<Oid>(d.i32); }
  static void Put(Datum* d, T v) { d->i32 = static_cast<int32_t>(v); }
};
#define WALDEN_SQL_TYPE(T, member)                    \
  template <>                                         \
  struct SqlType<T> {                                 \
    static T Get(const Datum& d) { return d.member; } \
    static void Put(Datum* d, T v) { d->member = v; } \
  };
WALDEN_SQL_TYPE(bool, b)
WALDEN_SQL_TYPE(int8_t, i8)
WALDEN_SQL_TYPE(int16_t, i16)
WALDEN_SQL_TYPE(int32_t, i32)
WALDEN_SQL_TYPE(int64_t, i64)
WALDEN_SQL_TYPE(float, f32)
WALDEN_SQL_TYPE(double, f64)
WALDEN_SQL_TYPE(StringRef, string)
WALDEN_SQL_TYPE(NumericRef, numeric)
WALDEN_SQL_TYPE(IntervalValue, interval)
WALDEN_SQL_TYPE(UuidValue, uuid)
WALDEN_SQL_TYPE(TimeTzValue, timetz)
#undef WALDEN_SQL_TYPE
template <>
struct SqlType<uint32_t> {
  static uint32_t Get(const Datum& d) { return static_cast<uint32_t>(d.i32); }
  static void Put(Datum* d, uint32_t v) { d->i32 = static_cast<int32_t>(v); }
};
template <>
struct SqlType<uint64_t> {
  static uint64_t Get(const Datum& d) { return static_cast<uint64_t>(d.i64); }
  static void Put(Datum* d, uint64_t v) { d->i64 = static_cast<int64_t>(v); }
};
template <>
struct SqlType<std::string_view> {
  static std::string_view Get(const Datum& d) { return d.string.view(); }
  static void Put(Datum* d, std::string_view v) { d->string = {v.data(), v.size()}; }
};
template <>
struct SqlType<Datum> {
  static Datum Get(const Datum& d) { return d; }
  static void Put(Datum* d, const Datum& v) { *d = v; }
};

namespace scalar_internal {

template <class T>
struct Arg {
  static constexpr bool kNullable = false;
  static T Get(const Value& v) { return SqlType<T>::Get(v.datum); }
};
template <class T>
struct Arg<std::optional<T>> {
  static constexpr bool kNullable = true;
  static std::optional<T> Get(const Value& v) {
    if (v.is_null) return std::nullopt;
    return SqlType<T>::Get(v.datum);
  }
};

template <class R>
void PutResult(Value* to, const R& value) {
  SqlType<R>::Put(&to->datum, value);
  to->is_null = false;
}
template <class R>
void PutResult(Value* to, const std::optional<R>& value) {
  to->is_null = !value.has_value();
  if (value) SqlType<R>::Put(&to->datum, *value);
}

template <class T>
using Plain = std::remove_cv_t<std::remove_reference_t<T>>;

template <class F>
struct Shape;
template <class R, class... A>
struct Shape<R (*)(A...)> {
  using Result = Plain<R>;
  using Args = std::tuple<Plain<A>...>;
  static constexpr bool kContext = false;
};
template <class R, class... A>
struct Shape<R (*)(CallContext&, A...)> {
  using Result = Plain<R>;
  using Args = std::tuple<Plain<A>...>;
  static constexpr bool kContext = true;
};

template <class Args>
struct AnyNullable;
template <class... A>
struct AnyNullable<std::tuple<A...>> {
  static constexpr bool value = (Arg<A>::kNullable || ...);
};

template <auto Fn>
struct Row {
  using S = Shape<decltype(Fn)>;
  static constexpr bool kStrict = !AnyNullable<typename S::Args>::value;
  static void Call(CallContext& context, std::span<const Value> args, Value* result) {
    Apply(context, args, result, std::make_index_sequence<std::tuple_size_v<typename S::Args>>());
  }
  template <size_t... I>
  static void Apply([[maybe_unused]] CallContext& context, [[maybe_unused]] std::span<const Value> args,
                    Value* result, std::index_sequence<I...>) {
    if constexpr (S::kContext) {
      PutResult(result, Fn(context, Arg<std::tuple_element_t<I, typename S::Args>>::Get(args[I])...));
    } else {
      PutResult(result, Fn(Arg<std::tuple_element_t<I, typename S::Args>>::Get(args[I])...));
    }
  }
};

// The loop that all kernels without their own share.
void RunRows(RowFunction row, bool is_strict, bool is_volatile, CallContext& context,
             std::span<const Vector* const> args, const Selection& selection, Vector* result);
// For strict typed loops: true when the batch needs no per-row null test.
bool NoNulls(std::span<const Vector* const> args);

template <RowFunction F, bool kStrict, bool kVolatile>
void RowKernel(CallContext& context, std::span<const Vector* const> args, const Selection& selection,
               Vector* result) {
  RunRows(F, kStrict, kVolatile, context, args, selection, result);
}

// Typed loop of a strict function of one or two fixed-width arguments.
template <auto Fn>
struct Typed {
  using S = Shape<decltype(Fn)>;
  using Args = typename S::Args;
  static constexpr size_t kArgs = std::tuple_size_v<Args>;
  static_assert(Row<Fn>::kStrict && (kArgs == 1 || kArgs == 2));
  template <class T>
  using Stored = std::conditional_t<std::is_same_v<T, std::string_view>, StringRef, T>;
  template <size_t I>
  static std::tuple_element_t<I, Args> Load(const void* data, uint32_t index) {
    using T = std::tuple_element_t<I, Args>;
    if constexpr (std::is_same_v<T, std::string_view>) {
      return static_cast<const StringRef*>(data)[index].view();
    } else {
      return static_cast<const T*>(data)[index];
    }
  }
  static void One(CallContext& context, const void* a, const void* b, uint32_t ia, uint32_t ib, void* out,
                  uint32_t io) {
    using R = typename S::Result;
    static_assert(!std::is_same_v<R, std::string_view>);
    R* to = static_cast<R*>(out) + io;
    if constexpr (kArgs == 1) {
      if constexpr (S::kContext)
        *to = Fn(context, Load<0>(a, ia));
      else
        *to = Fn(Load<0>(a, ia));
    } else {
      if constexpr (S::kContext)
        *to = Fn(context, Load<0>(a, ia), Load<1>(b, ib));
      else
        *to = Fn(Load<0>(a, ia), Load<1>(b, ib));
    }
  }
  static void Call(CallContext& context, std::span<const Vector* const> args, const Selection& selection,
                   Vector* result) {
    const Vector& first = *args[0];
    const Vector& second = *args[kArgs - 1];
    result->SetAllValid();
    bool constant = first.is_constant() && second.is_constant();
    result->SetConstant(constant);
    if (selection.count == 0) return;
    const void* a = first.raw_data();
    const void* b = second.raw_data();
    void* out = result->raw_data();
    uint32_t mask_a = first.is_constant() ? 0 : UINT32_MAX;
    uint32_t mask_b = second.is_constant() ? 0 : UINT32_MAX;
    if (constant) {
      if (first.IsNullAt(0) || second.IsNullAt(0))
        result->SetNull(0);
      else
        One(context, a, b, 0, 0, out, 0);
      return;
    }
    if (!first.has_nulls() && !second.has_nulls()) {
      if (selection.rows == nullptr) {
        if (mask_a == 0) {
          for (uint32_t i = 0; i < selection.count; ++i) One(context, a, b, 0, i, out, i);
        } else if (mask_b == 0) {
          for (uint32_t i = 0; i < selection.count; ++i) One(context, a, b, i, 0, out, i);
        } else {
          for (uint32_t i = 0; i < selection.count; ++i) One(context, a, b, i, i, out, i);
        }
      } else {
        for (uint32_t i = 0; i < selection.count; ++i) {
          uint32_t row = selection.rows[i];
          One(context, a, b, row & mask_a, row & mask_b, out, row);
        }
      }
      return;
    }
    for (uint32_t i = 0; i < selection.count; ++i) {
      uint32_t row = selection.Row(i);
      if (first.IsNullAt(row & mask_a) || second.IsNullAt(row & mask_b)) {
        result->SetNull(row);
      } else {
        One(context, a, b, row & mask_a, row & mask_b, out, row);
      }
    }
  }
};

}  // namespace scalar_internal

template <auto Fn>
constexpr ScalarFunction Scalar(std::string_view name) {
  using R = scalar_internal::Row<Fn>;
  return {name, &scalar_internal::RowKernel<&R::Call, R::kStrict, false>, &R::Call, R::kStrict};
}
template <auto Fn>
constexpr ScalarFunction Volatile(std::string_view name) {
  using R = scalar_internal::Row<Fn>;
  return {name, &scalar_internal::RowKernel<&R::Call, R::kStrict, true>, &R::Call, R::kStrict};
}
template <auto Fn>
constexpr ScalarFunction Fast(std::string_view name) {
  return {name, &scalar_internal::Typed<Fn>::Call, &scalar_internal::Row<Fn>::Call, true};
}
// A function written in the row form itself: variadic, "any" or polymorphic arguments.
template <RowFunction F, bool kStrict>
constexpr ScalarFunction RowForm(std::string_view name) {
  return {name, &scalar_internal::RowKernel<F, kStrict, false>, F, kStrict};
}

}  // namespace walden
