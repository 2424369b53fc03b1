// Splitting a full node in two.
#pragma once

#include "node/access/btree/page.h"
#include "node/buffer/buffer_pool.h"

namespace walden::btree {

// Splits `left` (locked) while adding `entry` at `offset`; returns the new right sibling, locked. `left` is
// marked as incompletely split until its parent has the right one's downlink. `child` as in InsertOnNode.
BufferPin SplitNode(const IndexDesc& index, BufferPin& left, OffsetNumber offset, const Entry& entry,
                    bool posting_split, BufferPin* child);

}  // namespace walden::btree
