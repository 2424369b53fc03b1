// From a state struct to an AggregateFunction. Private to this folder.
//
// A state S is trivially copyable and valid when zero-filled. It has
//   void Add(CallContext&, T value)  (or no value: count(*); or two values)
//   void Merge(CallContext&, const S& from)
//   void Finish(CallContext&, Value* result) const
// and, if it holds pointers, void Write(std::string* to) const and void Read(CallContext&, std::string_view from).
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "node/sql/functions/registry.h"
#include "node/sql/functions/scalar.h"
#include "node/types/element.h"

namespace walden {

// Bytes that grow in an arena; part of states.
struct ArenaBuffer {
  char* data;
  uint32_t size;
  uint32_t capacity;

  std::string_view view() const { return {data, size}; }
  void Append(Arena& arena, std::string_view bytes) {
    if (size + bytes.size() > capacity) Grow(arena, size + bytes.size());
    if (!bytes.empty()) std::memcpy(data + size, bytes.data(), bytes.size());
    size += static_cast<uint32_t>(bytes.size());
  }
  void Assign(Arena& arena, std::string_view bytes) {
    size = 0;
    Append(arena, bytes);
  }
  void Grow(Arena& arena, size_t needed) {
    if (needed > 0x3FFFFFFF) {
      throw SqlError(ErrorCode::kProgramLimitExceeded, "out of memory")
          .WithDetail(fmt::format("Cannot enlarge string buffer containing {} bytes by {} more bytes.", size,
                                  needed - size));
    }
    size_t bytes = std::max<size_t>({needed, size_t{capacity} * 2, 64});
    char* larger = static_cast<char*>(arena.Allocate(bytes, 8));
    if (size != 0) std::memcpy(larger, data, size);
    data = larger;
    capacity = static_cast<uint32_t>(bytes);
  }
};

template <class S>
concept HasOwnForm = requires(const S& s, std::string* to) { s.Write(to); };
template <class S>
concept Mergeable = requires(S& s, CallContext& c) { s.Merge(c, s); };
template <class S, class T>
concept Removable = requires(S& s, CallContext& c, T v) { s.Remove(c, v); };

template <class T>
T LoadValue(const Vector& vector, uint32_t index) {
  if constexpr (std::is_same_v<T, std::string_view>)
    return vector.data<StringRef>()[index].view();
  else
    return vector.data<T>()[index];
}

// S over one argument of type T; nulls are skipped.
template <class S, class T>
struct UnaryAggregate {
  static_assert(std::is_trivially_copyable_v<S>);
  static S& State(void* state) { return *static_cast<S*>(state); }

  static void Update(CallContext& context, std::span<const Vector* const> args, const Selection& selection,
                     void* const* groups) {
    const Vector& values = *args[0];
    selection.ForEach([&](uint32_t row) {
      uint32_t index = values.Index(row);
      if (!values.IsNullAt(index)) State(groups[row]).Add(context, LoadValue<T>(values, index));
    });
  }
  static void UpdateSingle(CallContext& context, std::span<const Vector* const> args,
                           const Selection& selection, void* state) {
    const Vector& values = *args[0];
    S& s = State(state);
    if (!values.has_nulls() && !values.is_constant() && selection.rows == nullptr) {
      for (uint32_t i = 0; i < selection.count; ++i) s.Add(context, LoadValue<T>(values, i));
      return;
    }
    selection.ForEach([&](uint32_t row) {
      uint32_t index = values.Index(row);
      if (!values.IsNullAt(index)) s.Add(context, LoadValue<T>(values, index));
    });
  }
  static void Remove(CallContext& context, std::span<const Vector* const> args, const Selection& selection,
                     void* state) {
    if constexpr (Removable<S, T>) {
      const Vector& values = *args[0];
      selection.ForEach([&](uint32_t row) {
        uint32_t index = values.Index(row);
        if (!values.IsNullAt(index)) State(state).Remove(context, LoadValue<T>(values, index));
      });
    }
  }
};

// S over two arguments; rows where either is null are skipped.
template <class S, class T, class U>
struct BinaryAggregate {
  static void Update(CallContext& context, std::span<const Vector* const> args, const Selection& selection,
                     void* const* groups) {
    selection.ForEach([&](uint32_t row) { AddRow(context, args, row, groups[row]); });
  }
  static void UpdateSingle(CallContext& context, std::span<const Vector* const> args,
                           const Selection& selection, void* state) {
    selection.ForEach([&](uint32_t row) { AddRow(context, args, row, state); });
  }
  static void AddRow(CallContext& context, std::span<const Vector* const> args, uint32_t row, void* state) {
    uint32_t a = args[0]->Index(row), b = args[1]->Index(row);
    if (args[0]->IsNullAt(a) || args[1]->IsNullAt(b)) return;
    static_cast<S*>(state)->Add(context, LoadValue<T>(*args[0], a), LoadValue<U>(*args[1], b));
  }
};

// S that sees whole rows, nulls included: Add(CallContext&, std::span<const Value>).
template <class S>
struct RowAggregate {
  static void Update(CallContext& context, std::span<const Vector* const> args, const Selection& selection,
                     void* const* groups) {
    selection.ForEach([&](uint32_t row) { AddRow(context, args, row, groups[row]); });
  }
  static void UpdateSingle(CallContext& context, std::span<const Vector* const> args,
                           const Selection& selection, void* state) {
    selection.ForEach([&](uint32_t row) { AddRow(context, args, row, state); });
  }
  static void AddRow(CallContext& context, std::span<const Vector* const> args, uint32_t row, void* state) {
    Value values[4];
    for (size_t i = 0; i < args.size() && i < 4; ++i) values[i] = args[i]->Get(row);
    static_cast<S*>(state)->Add(context, std::span<const Value>(values, std::min<size_t>(args.size(), 4)));
  }
};

template <class S>
struct StateFunctions {
  static void Combine(CallContext& context, void* into, const void* from) {
    if constexpr (Mergeable<S>) static_cast<S*>(into)->Merge(context, *static_cast<const S*>(from));
  }
  static void Finish(CallContext& context, const void* state, Value* result) {
    *result = Value{};
    static_cast<const S*>(state)->Finish(context, result);
  }
  static void Serialize(CallContext&, const void* state, std::string* to) {
    if constexpr (HasOwnForm<S>)
      static_cast<const S*>(state)->Write(to);
    else
      to->append(static_cast<const char*>(state), sizeof(S));
  }
  static void Deserialize(CallContext& context, std::string_view from, void* state) {
    if constexpr (HasOwnForm<S>)
      static_cast<S*>(state)->Read(context, from);
    else
      std::memcpy(state, from.data(), sizeof(S));
  }
};

template <class S, class Loops>
constexpr AggregateFunction MakeAggregate(uint32_t oid, std::string_view signature) {
  using F = StateFunctions<S>;
  return {Oid{oid},
          signature,
          sizeof(S),
          nullptr,
          &Loops::Update,
          &Loops::UpdateSingle,
          Mergeable<S> ? &F::Combine : nullptr,
          &F::Finish,
          &F::Serialize,
          &F::Deserialize,
          nullptr};
}
template <class S, class T>
constexpr AggregateFunction Aggregate1(uint32_t oid, std::string_view signature) {
  AggregateFunction result = MakeAggregate<S, UnaryAggregate<S, T>>(oid, signature);
  if constexpr (Removable<S, T>) result.remove = &UnaryAggregate<S, T>::Remove;
  return result;
}
template <class S, class T, class U>
constexpr AggregateFunction Aggregate2(uint32_t oid, std::string_view signature) {
  return MakeAggregate<S, BinaryAggregate<S, T, U>>(oid, signature);
}
template <class S>
constexpr AggregateFunction AggregateRows(uint32_t oid, std::string_view signature) {
  return MakeAggregate<S, RowAggregate<S>>(oid, signature);
}

template <class T>
void PutValue(Value* result, const T& value) {
  SqlType<T>::Put(&result->datum, value);
  result->is_null = false;
}

}  // namespace walden
