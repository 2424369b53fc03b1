// The base of the bound query tree: names are resolved to OIDs and positions, every expression has its type.
// The semantics of node types and fields are those of PostgreSQL 15's Query and expression nodes.
//
// Nodes live in an Arena (tree.h). The binder makes them, the rewriter and the optimizer may change them in
// place or share subtrees; stored trees (pg_rewrite.ev_action, ...) are the text form of query_text.h.
#pragma once

#include <string_view>

#include "node/base/ids.h"
#include "node/sql/parser/node_enums.h"
#include "node/sql/parser/tree.h"

namespace walden {

enum class NodeTag : uint16_t {
#define X(name) k##name,
#include "node/sql/query/query_tags.def"
#undef X
};

struct Node {
  NodeTag tag;
  explicit Node(NodeTag node_tag) : tag(node_tag) {}
};

// What can be evaluated to a value; ExprType and friends (expr_facts.h) work on these.
struct Expr : Node {
  using Node::Node;
};

template <NodeTag kNodeTag>
struct NodeOf : Node {
  static constexpr NodeTag kTag = kNodeTag;
  NodeOf() : Node(kTag) {}
};
template <NodeTag kNodeTag>
struct ExprOf : Expr {
  static constexpr NodeTag kTag = kNodeTag;
  ExprOf() : Expr(kTag) {}
};

using ExprList = List<Expr*>;

// "OpExpr"; static storage.
std::string_view NodeTagName(NodeTag tag);

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

}  // namespace walden
