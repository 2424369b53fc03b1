// Making room on a leaf: removing entries, shrinking and making posting lists.
#pragma once

#include <functional>

#include "node/access/btree/page.h"
#include "node/access/table.h"
#include "node/buffer/buffer_pool.h"
#include "node/wal/record_kind.h"

namespace walden::btree {

// Whether equal entries may share a posting list.
bool MayDeduplicate(const IndexDesc& index);

// In this order, until an entry of `need` bytes fits: removes entries marked dead; with `unchanged` (an
// UPDATE makes duplicates here) looks up which entries belong to dead versions; merges duplicates into
// posting lists. False: dead versions were looked for in vain. Requires: exclusive lock.
bool MakeRoom(const IndexDesc& index, const TableRef& table, BufferPin& leaf, size_t need, bool unchanged);

// Removes the row identities for which `dead` says so (offset is the item's): whole entries go, posting lists
// shrink. Returns how many were removed. `kind`: kBtreeDelete (with its conflict LSN) or kBtreeVacuum.
// Requires: exclusive lock.
int RemoveTids(const IndexDesc& index, BufferPin& leaf, RecordKind kind, Lsn conflict_lsn,
               const std::function<bool(OffsetNumber offset, TupleId tid)>& dead);

}  // namespace walden::btree
