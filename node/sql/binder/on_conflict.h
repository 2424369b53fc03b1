// INSERT ... ON CONFLICT: binding, and finding the indexes that the inference specification means.
#pragma once

#include <vector>

#include "node/sql/binder/bind_state.h"

namespace walden {

OnConflictExpr* BindOnConflict(BindState& state, const ast::OnConflictClause& clause);

}  // namespace walden
