// Finding the leaf page for a key (Lehman and Yao): one page locked at a time on the way down; a page that
// was split since its parent was read is left through its right link.
#pragma once

#include <vector>

#include "node/access/btree/key.h"
#include "node/access/btree/page.h"
#include "node/buffer/buffer_pool.h"

namespace walden::btree {

enum class Access : uint8_t { kRead, kWrite };

// The inner pages that a descent passed, root first: where a split's downlink will go (or to the right of
// it).
struct DescentStep {
  BlockNumber block;
  OffsetNumber offset;
};
using Descent = std::vector<DescentStep>;

// Pins and locks a node, checking it.
BufferPin LockNode(const IndexDesc& index, BlockNumber block, Access access);
// The leaf where the key belongs, locked; an empty pin if the index is empty (kRead) – kWrite makes a root.
// `descent` (optional) is replaced.
BufferPin FindLeaf(const IndexDesc& index, const SearchKey& key, Access access, Descent* descent);
// The leftmost or rightmost page of `level` (0: leaves); empty if the index is empty.
BufferPin FindEdge(const IndexDesc& index, bool rightmost, uint32_t level = 0);
// Follows right links until the page covers the key; finishes incomplete splits on the way when writing.
void MoveRight(const IndexDesc& index, const SearchKey& key, Access access, const Descent* descent,
               BufferPin* pin);

// Leaf: the first item that is >= the key (> with next_key), PageMaxOffset + 1 if none. Inner: the child to
// visit, that is the last item < the key (<= with next_key).
OffsetNumber FindOnPage(const IndexDesc& index, const SearchKey& key, const char* page);

// Root and its level from the meta page.
MetaInfo ReadMeta(const IndexDesc& index);

}  // namespace walden::btree
