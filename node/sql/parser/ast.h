// All AST node types.
#pragma once

#include "node/sql/parser/ast_access.h"
#include "node/sql/parser/ast_expr.h"
#include "node/sql/parser/ast_node.h"
#include "node/sql/parser/ast_object.h"
#include "node/sql/parser/ast_query.h"
#include "node/sql/parser/ast_table.h"
#include "node/sql/parser/ast_utility.h"

namespace walden::ast {

// Calls `visit` with the node as its own type: visit(const SelectStmt&) and so on. Instantiates `visit` for
// every node type: for tree-wide algorithms only.
template <class Visitor>
decltype(auto) VisitNode(const Node* node, Visitor&& visit) {
  switch (node->tag) {
#define X(name) \
  case Tag::k##name: return visit(*static_cast<const name*>(node));
#include "node/sql/parser/ast_tags.def"
#undef X
  }
  __builtin_unreachable();
}

// A deep copy whose nodes and strings live in `arena`. Null for null.
Node* CopyNode(const Node* node, Arena& arena);
template <class T>
T* Copy(const T* node, Arena& arena) {
  return static_cast<T*>(CopyNode(node, arena));
}
// Structural equality, locations aside; two nulls are equal.
bool EqualNodes(const Node* a, const Node* b);

}  // namespace walden::ast
