// WITH RECURSIVE: the order in which its items can be bound, and the shape that recursive ones must have.
#pragma once

#include <vector>

#include "node/sql/binder/bind_state.h"

namespace walden {

struct RecursiveItem {
  const ast::CommonTableExpr* cte = nullptr;
  bool recursive = false;
};

// Sorted so that each item comes after those it refers to. Throws 42P19 for ill-formed recursion, 0A000 for mutual.
std::vector<RecursiveItem> OrderRecursiveItems(BindState& state, const ast::WithClause& with);

}  // namespace walden
