// Named and defaulted arguments: putting a call's arguments into the order of its parameters.
#pragma once

#include "node/sql/binder/binder.h"

namespace walden {

// Replaces NamedArgExprs and adds defaults, in place. Calls without either are left alone.
void ArrangeArguments(FuncExpr* call, const BindOptions& options);
// The same for every call in the tree.
void ArrangeAllArguments(Node* tree, const BindOptions& options);

}  // namespace walden
