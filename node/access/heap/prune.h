// Removing dead row versions from one page: HOT chains are shortened, line pointers redirected, dead or
// unused.
#pragma once

#include "node/access/heap/heap.h"

namespace walden {

// On access: does it if the page is rather full or known for a long chain, something may be dead, and the cleanup lock
// can be had at once. Requires: pinned, not locked.
void PruneIfWorthwhile(const TableRef& table, BufferPin& pin);

// A chain on the page took so many steps to walk that pruning costs less than walking it again and again, roomy as the page
// may be. A hint that this process keeps for itself.
inline constexpr size_t kLongChain = 16;
void NoteLongChain(const TableRef& table, BlockNumber block);

struct PruneResult {
  int removed = 0;   // row versions removed
  int new_dead = 0;  // line pointers that became dead
};
// Prunes. Requires: cleanup lock; `horizon` from ComputeHorizon or RecentHorizon.
PruneResult PrunePage(const TableRef& table, BufferPin& pin, Lsn horizon);

// For each line pointer, the root of its HOT chain (index entries point at roots); 0 where there is none.
void FindRoots(const char* page, OffsetNumber* roots);

}  // namespace walden
