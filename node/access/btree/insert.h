// Inserting entries: unique checks, splits, downlinks.
#pragma once

#include "node/access/btree/search.h"

namespace walden::btree {

// Makes an empty leaf the root if there is none yet.
void CreateRoot(const IndexDesc& index);
// Gives the right sibling of an incompletely split page its downlink. Takes over the (exclusive) lock and
// releases it.
void FinishSplit(const IndexDesc& index, BufferPin left, const Descent* descent);
// A page for a new node: a deleted one that nobody can reach any more, or a new block. Locked exclusively,
// zeroed or not. Requires: not in a critical section.
BufferPin AllocateNode(const IndexDesc& index);

// Adds the entry to its leaf (locked exclusively; where the key, with its row identity, belongs), splitting that if it
// is full. Releases the leaf.
void InsertOnLeaf(const IndexDesc& index, const SearchKey& key, const Entry& entry, BufferPin leaf,
                  const Descent& descent);
bool InsertEntry(const IndexDesc& index, const TableRef& table, const Value* values, TupleId tid,
                 UniqueCheck check, bool unchanged);

}  // namespace walden::btree
