// Dispatch from a node's tag to its type. Instantiates the visitor for every node type: for the .cpp files of
// the tree-wide algorithms only.
#pragma once

#include <type_traits>

#include "node/sql/query/query.h"

namespace walden {

// Calls visit with the node as its own type: visit(const OpExpr&) and so on.
template <class Visitor>
decltype(auto) VisitNode(const Node* node, Visitor&& visit) {
  switch (node->tag) {
#define X(name) \
  case NodeTag::k##name: return visit(*static_cast<const name*>(node));
#include "node/sql/query/query_tags.def"
#undef X
  }
  __builtin_unreachable();
}
template <class Visitor>
decltype(auto) VisitNode(Node* node, Visitor&& visit) {
  switch (node->tag) {
#define X(name) \
  case NodeTag::k##name: return visit(*static_cast<name*>(node));
#include "node/sql/query/query_tags.def"
#undef X
  }
  __builtin_unreachable();
}

// What kinds of field there are.
template <class T>
struct IsNodeListType : std::false_type {};
template <class T>
struct IsNodeListType<List<T*>> : std::is_base_of<Node, T> {};
template <class T>
concept NodeListField = IsNodeListType<std::remove_cvref_t<T>>::value;

template <class T>
struct IsValueListType : std::false_type {};
template <class T>
struct IsValueListType<List<T>> : std::negation<std::is_pointer<T>> {};
template <class T>
concept ValueListField = IsValueListType<std::remove_cvref_t<T>>::value;

template <class T>
concept NodePointerField =
    std::is_pointer_v<std::remove_cvref_t<T>> && !std::is_same_v<std::remove_cvref_t<T>, const ast::Node*> &&
    std::is_base_of_v<Node, std::remove_pointer_t<std::remove_cvref_t<T>>>;

// The field of `other` that corresponds to `field` of `node`.
template <class T, class Field>
Field& SameField(const T& node, const Field& field, T& other) {
  auto distance = reinterpret_cast<const char*>(&field) - reinterpret_cast<const char*>(&node);
  return *reinterpret_cast<Field*>(reinterpret_cast<char*>(&other) + distance);
}
template <class T, class Field>
const Field& SameField(const T& node, const Field& field, const T& other) {
  auto distance = reinterpret_cast<const char*>(&field) - reinterpret_cast<const char*>(&node);
  return *reinterpret_cast<const Field*>(reinterpret_cast<const char*>(&other) + distance);
}

}  // namespace walden
