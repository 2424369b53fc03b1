// What the AST (sql/parser) and the bound query tree (sql/query) are built from: arena lists, source
// locations and the one field declaration per node type, from which copying, comparing, walking and
// (de)serialising derive.
//
// Ownership: nodes, list elements and strings live in an Arena and die with it; no destructor runs. Trees are
// plain data: they may be read from several places, changed by whoever owns the arena, and share subtrees.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "node/base/arena.h"
#include "node/base/check.h"

namespace walden {

// Byte offset into the statement's source text; -1 when unknown. Ignored when trees are compared.
struct Location {
  int32_t offset = -1;
  constexpr Location() = default;
  constexpr Location(int32_t byte_offset) : offset(byte_offset) {}  // NOLINT: used as a plain number
  constexpr operator int32_t() const { return offset; }             // NOLINT
  constexpr bool IsKnown() const { return offset >= 0; }
};

// 1-based character position of `location` in `source`, for SqlError::WithPosition; 0 when unknown.
int CharacterPosition(std::string_view source, Location location);

// Absent strings have a null data pointer; an empty string does not.
inline bool IsAbsent(std::string_view text) { return text.data() == nullptr; }

// A growable array in an arena. Trivially copyable: a copy is a second view of the same elements, so append
// through one of them only, or Clone first. T must be trivially copyable.
template <class T>
class List {
 public:
  using value_type = T;
  List() = default;
  List(Arena& arena, std::initializer_list<T> items) {
    Reserve(arena, static_cast<uint32_t>(items.size()));
    for (const T& item : items) data_[size_++] = item;
  }

  void Append(Arena& arena, T item) {
    if (size_ == capacity_) Reserve(arena, capacity_ == 0 ? 4 : capacity_ * 2);
    data_[size_++] = item;
  }
  void AppendAll(Arena& arena, const List& other) {
    Reserve(arena, size_ + other.size_);
    for (uint32_t i = 0; i < other.size_; ++i) data_[size_ + i] = other.data_[i];
    size_ += other.size_;
  }
  void Prepend(Arena& arena, T item) { InsertAt(arena, 0, item); }
  void InsertAt(Arena& arena, uint32_t index, T item) {
    Append(arena, item);
    std::memmove(data_ + index + 1, data_ + index, (size_ - 1 - index) * sizeof(T));
    data_[index] = item;
  }
  void RemoveAt(uint32_t index) {
    DCHECK(index < size_);
    std::memmove(data_ + index, data_ + index + 1, (size_ - 1 - index) * sizeof(T));
    --size_;
  }
  void PopBack() {
    DCHECK(size_ > 0);
    --size_;
  }
  // Shortens to `size` elements, or lengthens with copies of `fill`.
  void Resize(Arena& arena, uint32_t size, T fill = T{}) {
    Reserve(arena, size);
    for (uint32_t i = size_; i < size; ++i) data_[i] = fill;
    size_ = size;
  }
  void Reserve(Arena& arena, uint32_t capacity) {
    if (capacity <= capacity_) return;
    T* bigger = arena.NewArray<T>(capacity);
    if (size_ > 0) std::memcpy(static_cast<void*>(bigger), data_, size_ * sizeof(T));
    data_ = bigger;
    capacity_ = capacity;
  }
  void Clear() { size_ = 0; }
  // A list of its own with the same elements (nodes are not copied).
  List Clone(Arena& arena) const {
    List copy;
    copy.AppendAll(arena, *this);
    return copy;
  }

  uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](uint32_t index) {
    DCHECK(index < size_);
    return data_[index];
  }
  const T& operator[](uint32_t index) const {
    DCHECK(index < size_);
    return data_[index];
  }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  bool Contains(const T& item) const {
    for (const T& each : *this) {
      if (each == item) return true;
    }
    return false;
  }
  void AppendUnique(Arena& arena, T item) {
    if (!Contains(item)) Append(arena, item);
  }

 private:
  T* data_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace walden

// FIELDS(a, b, ...) inside a node declares its fields, in order, once:
//   template <class Self, class Visitor> static void VisitFields(Self& self, Visitor&& visit)
// calls visit("a", self.a), visit("b", self.b), ...
#define WALDEN_PARENS ()
#define WALDEN_EXPAND(...) WALDEN_EXPAND3(WALDEN_EXPAND3(WALDEN_EXPAND3(WALDEN_EXPAND3(__VA_ARGS__))))
#define WALDEN_EXPAND3(...) WALDEN_EXPAND2(WALDEN_EXPAND2(WALDEN_EXPAND2(WALDEN_EXPAND2(__VA_ARGS__))))
#define WALDEN_EXPAND2(...) WALDEN_EXPAND1(WALDEN_EXPAND1(WALDEN_EXPAND1(WALDEN_EXPAND1(__VA_ARGS__))))
#define WALDEN_EXPAND1(...) __VA_ARGS__
#define WALDEN_VISIT_EACH(field, ...) \
  visit(#field, self.field);          \
  __VA_OPT__(WALDEN_VISIT_AGAIN WALDEN_PARENS(__VA_ARGS__))
#define WALDEN_VISIT_AGAIN() WALDEN_VISIT_EACH
#define FIELDS(...)                                      \
  template <class Self, class Visitor>                   \
  static void VisitFields(Self& self, Visitor&& visit) { \
    WALDEN_EXPAND(WALDEN_VISIT_EACH(__VA_ARGS__))        \
  }
#define NO_FIELDS()                    \
  template <class Self, class Visitor> \
  static void VisitFields(Self&, Visitor&&) {}
