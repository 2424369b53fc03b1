// Collation assignment: after a clause is bound, every collatable node gets the collation that its inputs
// determine, by SQL's rules of explicit and implicit derivation.
#pragma once

#include "node/sql/binder/bind_state.h"

namespace walden {

// All expressions of one query level (subqueries have theirs assigned already).
void AssignQueryCollations(BindState& state, Query* query);
void AssignExprCollations(BindState& state, Node* expr);
template <class T>
void AssignListCollations(BindState& state, const List<T*>& list) {
  for (T* item : list) AssignExprCollations(state, item);
}
// The collation that a list of expressions has in common. 42P21 on a conflict of implicit collations unless
// `none_ok`.
Oid CommonCollation(BindState& state, const ExprList& exprs, bool none_ok);

}  // namespace walden
