#include "node/sql/parser/ast.h"

#include <type_traits>

#include "node/base/stack_depth.h"

namespace walden::ast {

namespace {

class Copier {
 public:
  explicit Copier(Arena& arena) : arena_(arena) {}

  Node* CopyOf(const Node* node) {
    if (node == nullptr) return nullptr;
    CheckStackDepth();
    return VisitNode(node, [this](const auto& typed) -> Node* {
      auto* copy = arena_.New<std::remove_cvref_t<decltype(typed)>>(typed);
      copy->VisitFields(*copy, [this](const char*, auto& field) { Own(field); });
      return copy;
    });
  }

 private:
  template <class T>
  void Own(T& field) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      if (!IsAbsent(field)) field = arena_.Copy(field);
    } else if constexpr (std::is_same_v<T, NodeList>) {
      field = field.Clone(arena_);
      for (Node*& item : field) item = CopyOf(item);
    } else if constexpr (std::is_pointer_v<T>) {
      field = static_cast<T>(CopyOf(field));
    }
  }

  Arena& arena_;
};

bool EqualFields(const std::string_view& a, const std::string_view& b) {
  return IsAbsent(a) == IsAbsent(b) && a == b;
}
bool EqualFields(const Location&, const Location&) { return true; }
bool EqualFields(const NodeList& a, const NodeList& b) {
  if (a.size() != b.size()) return false;
  for (uint32_t i = 0; i < a.size(); ++i) {
    if (!EqualNodes(a[i], b[i])) return false;
  }
  return true;
}
template <class T>
bool EqualFields(const T& a, const T& b) {
  if constexpr (std::is_pointer_v<T>) {
    return EqualNodes(a, b);
  } else {
    return a == b;
  }
}

template <class T>
bool EqualTyped(const T& a, const T& b) {
  // Fields are trivially laid out in both nodes: the counterpart of a field is at the same distance.
  bool equal = true;
  T::VisitFields(a, [&](const char*, const auto& field) {
    auto distance = reinterpret_cast<const char*>(&field) - reinterpret_cast<const char*>(&a);
    const auto& other = *reinterpret_cast<decltype(&field)>(reinterpret_cast<const char*>(&b) + distance);
    equal = equal && EqualFields(field, other);
  });
  return equal;
}

}  // namespace

std::string_view TagName(Tag tag) {
  static constexpr std::string_view kNames[] = {
#define X(name) #name,
#include "node/sql/parser/ast_tags.def"
#undef X
  };
  return kNames[static_cast<size_t>(tag)];
}

Node* CopyNode(const Node* node, Arena& arena) { return Copier(arena).CopyOf(node); }

bool EqualNodes(const Node* a, const Node* b) {
  if (a == nullptr || b == nullptr) return a == b;
  if (a->tag != b->tag) return false;
  CheckStackDepth();
  return VisitNode(a, [b](const auto& typed) {
    return EqualTyped(typed, *static_cast<const std::remove_cvref_t<decltype(typed)>*>(b));
  });
}

}  // namespace walden::ast
