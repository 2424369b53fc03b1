// Walking the AST generically.
#pragma once

#include "node/sql/query/tree_walk.h"

#include "node/sql/parser/ast_node.h"

namespace walden {

// Calls visit(child) for each non-null child; stops and returns true at the first true.
bool AnyAstChild(const ast::Node* node, CallableRef<bool(const ast::Node*)> visit);

}  // namespace walden
