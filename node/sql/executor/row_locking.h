// Following a row to its newest version after a concurrent change (READ COMMITTED), and the errors of the stricter levels.
#pragma once

#include <optional>

#include "node/access/heap/heap.h"
#include "node/catalog/relation.h"

namespace walden {

// After kUpdated or kDeleted in `failure`: locks the newest committed version and returns its identity; nothing when the row is gone.
// Throws 40001 in REPEATABLE READ.
std::optional<TupleId> LockNewestVersion(const TableRef& table, TupleResult result,
                                         const TupleFailure& failure, CommandId cid, RowLockMode mode,
                                         WaitPolicy wait);

}  // namespace walden
