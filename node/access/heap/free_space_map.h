// The free space map fork: which heap pages have how much room, to within 32 bytes.
//
// A three-level tree of pages; each slot is one byte, free bytes / 32, of a heap page (level 0) or the
// largest value on a map page of the level below. Values are hints: not WAL-logged, possibly wrong after a
// crash or a race; whoever acts on one looks at the heap page and reports what is true.
//
// Format: page header (32), 64 bytes = the largest value of each group, 64 groups of 124 slots, rest zero.
// Map block 0 is the root; level-1 page k is block 1 + k * 7937 and its level-0 pages follow it. Locking: one
// map page at a time; nothing is taken while holding it.
#pragma once

#include <cstdint>

#include "node/storage/relation_file.h"

namespace walden {

// A page with at least `size` bytes free, or kInvalidBlock.
BlockNumber FsmFind(const RelFileLocator& rel, size_t size);
// Notes what `block` really has, then as FsmFind.
BlockNumber FsmRecordAndFind(const RelFileLocator& rel, BlockNumber block, size_t free, size_t size);
void FsmRecord(const RelFileLocator& rel, BlockNumber block, size_t free);
// What the map says, in bytes (rounded down).
size_t FsmGet(const RelFileLocator& rel, BlockNumber block);
// Before the heap is cut to `heap_blocks`: forgets what lies beyond. Returns the size that the map may be cut
// to.
BlockNumber FsmPrepareTruncate(const RelFileLocator& rel, BlockNumber heap_blocks);

}  // namespace walden
