// The base of the abstract syntax tree: what the grammar saw, before any name is looked up. Our own form of
// PostgreSQL's raw parse nodes; only the adapter (raw_tree.cpp) knows where it comes from.
//
// A ParseTree (parser.h) owns the arena; nodes are immutable to everyone but their creator. Optional pointers
// are null, optional strings absent (IsAbsent), optional lists empty.
#pragma once

#include <string_view>

#include "node/base/ids.h"
#include "node/sql/parser/node_enums.h"
#include "node/sql/parser/tree.h"

namespace walden::ast {

enum class Tag : uint16_t {
#define X(name) k##name,
#include "node/sql/parser/ast_tags.def"
#undef X
};

struct Node {
  Tag tag;
  explicit Node(Tag node_tag) : tag(node_tag) {}
};
using NodeList = List<Node*>;

template <Tag kNodeTag>
struct NodeOf : Node {
  static constexpr Tag kTag = kNodeTag;
  NodeOf() : Node(kTag) {}
};

// "SelectStmt"; static storage.
std::string_view TagName(Tag tag);

template <class T>
bool Is(const Node* node) {
  return node != nullptr && node->tag == T::kTag;
}
// The node as T; it must be one.
template <class T>
T* As(Node* node) {
  DCHECK(Is<T>(node));
  return static_cast<T*>(node);
}
template <class T>
const T* As(const Node* node) {
  DCHECK(Is<T>(node));
  return static_cast<const T*>(node);
}
// The node as T, or null when it is null or something else.
template <class T>
T* TryAs(Node* node) {
  return Is<T>(node) ? static_cast<T*>(node) : nullptr;
}
template <class T>
const T* TryAs(const Node* node) {
  return Is<T>(node) ? static_cast<const T*>(node) : nullptr;
}

// Values that can stand in lists and constants.
struct Integer : NodeOf<Tag::kInteger> {
  int32_t ival = 0;
  FIELDS(ival)
};
// Any other number, as written.
struct Float : NodeOf<Tag::kFloat> {
  std::string_view fval;
  FIELDS(fval)
};
struct Boolean : NodeOf<Tag::kBoolean> {
  bool boolval = false;
  FIELDS(boolval)
};
struct String : NodeOf<Tag::kString> {
  std::string_view sval;
  FIELDS(sval)
};
// 'b' or 'x' and the digits as written.
struct BitString : NodeOf<Tag::kBitString> {
  std::string_view bsval;
  FIELDS(bsval)
};
// A list where a node is expected: a row of VALUES, an IN list, a qualified name among objects to drop.
struct ListNode : NodeOf<Tag::kListNode> {
  NodeList items;
  FIELDS(items)
};

inline std::string_view StringOf(const Node* node) { return As<String>(node)->sval; }

}  // namespace walden::ast
