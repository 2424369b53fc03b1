// Inserting entries that no unique check concerns, many at a time.
#pragma once

#include "node/access/index.h"

namespace walden::btree {

// In index order. What belongs to one leaf is placed under one lock, with one record; equal entries that come next to
// each other there become a posting list at once. See IndexMethod::InsertMany.
void InsertEntries(const IndexDesc& index, const TableRef& table, std::span<const NewIndexEntry> entries,
                   bool unchanged, size_t* at);

}  // namespace walden::btree
