// The visibility map fork: two bits for each heap page. All-visible: every row on the page is visible to
// everyone, so index-only scans need not look and VACUUM may skip it. All-settled: besides, nothing on it
// names a transaction or multixact that somebody would have to look up, so that a settling VACUUM may skip it
// too.
//
// Invariant: an all-visible bit is set only while the heap page has kPageAllVisible; both are set and cleared
// under the heap page's exclusive lock (the map page's lock is taken after it). Both changes are WAL-logged.
//
// Format: page header (32 bytes), then 2 bits for each heap page, lowest first: 32,640 heap pages on a map
// page.
#pragma once

#include <cstdint>

#include "node/buffer/buffer_pool.h"
#include "node/storage/relation_file.h"

namespace walden {

enum VmBits : uint8_t { kVmAllVisible = 1, kVmAllSettled = 2, kVmAll = 3 };

inline constexpr BlockNumber kHeapBlocksPerVmPage = (kPageSize - kPageHeaderSize) * 4;
constexpr BlockNumber VmBlockOf(BlockNumber heap_block) { return heap_block / kHeapBlocksPerVmPage; }

// Makes `*pin` hold the map page of `heap_block`; creates it (I/O: call without page locks). The other form
// leaves the pin empty if there is none.
void VmPinForWrite(const RelFileLocator& rel, BlockNumber heap_block, BufferPin* pin);
void VmPinForRead(const RelFileLocator& rel, BlockNumber heap_block, BufferPin* pin);
bool VmPinHolds(const BufferPin& pin, const RelFileLocator& rel, BlockNumber heap_block);

// Unlocked read: a stale answer is possible; the caller knows why that is harmless.
uint8_t VmStatus(const RelFileLocator& rel, BlockNumber heap_block, BufferPin* pin);

// Changes of a map page's bytes, for the code that logs them and for redo. Requires: exclusive lock.
uint8_t VmGet(const char* map_page, BlockNumber heap_block);
void VmSetBits(char* map_page, BlockNumber heap_block, uint8_t bits);
void VmClearBits(char* map_page, BlockNumber heap_block, uint8_t bits);

// Counts all-visible pages (pg_class.relallvisible).
void VmCount(const RelFileLocator& rel, BlockNumber* all_visible, BlockNumber* all_settled);
// The size that the map may be cut to when the heap is cut to `heap_blocks`; bits beyond are cleared on the
// last page.
BlockNumber VmPrepareTruncate(const RelFileLocator& rel, BlockNumber heap_blocks);

}  // namespace walden
