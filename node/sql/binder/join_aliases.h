// Replacing references to join columns by what they stand for below the join.
#pragma once

#include "node/sql/query/query.h"

namespace walden {

// A tree in which no Var of `query`'s level refers to a join entry; shares what did not change. Idempotent.
Node* FlattenJoinAliases(const Query& query, Node* tree, Arena& arena);

}  // namespace walden
