// Walking a HOT chain on a locked page.
#pragma once

#include "node/access/heap/heap.h"
#include "node/access/heap/visibility.h"

namespace walden {

// Finds the version visible to `snapshot` in the chain whose root is `tid`. `*all_dead` (optional) is set
// when every version is dead to everybody. Requires: shared lock; `hints` on the same page.
bool SearchChain(const TableRef& table, char* page, TupleId tid, const Snapshot& snapshot, HintWriter& hints,
                 TupleView* row, bool* all_dead);

}  // namespace walden
