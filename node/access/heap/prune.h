// Removing dead row versions from one page: HOT chains are shortened, line pointers redirected, dead or
// unused.
#pragma once

#include "node/access/heap/heap.h"

namespace walden {

// On access: does it if the page is rather full, something may be dead, and the cleanup lock can be had at
// once. Requires: pinned, not locked.
void PruneIfWorthwhile(const TableRef& table, BufferPin& pin);

struct PruneResult {
  int removed = 0;   // row versions removed
  int new_dead = 0;  // line pointers that became dead
};
// Prunes. Requires: cleanup lock; `horizon` from ComputeHorizon or RecentHorizon.
PruneResult PrunePage(const TableRef& table, BufferPin& pin, Lsn horizon);

// For each line pointer, the root of its HOT chain (index entries point at roots); 0 where there is none.
void FindRoots(const char* page, OffsetNumber* roots);

}  // namespace walden
