// Pinning pages of the two map forks, which grow on demand.
#pragma once

#include "node/buffer/buffer_pool.h"
#include "node/storage/relation_file.h"

namespace walden {

// Map pages have no line pointers and no gap: everything behind the header is content.
void InitMapPage(char* page);

// An empty pin if the fork has no such page.
BufferPin PinMapPage(const RelFileLocator& rel, Fork fork, BlockNumber block);
// Creates the fork and extends it as needed. Requires: no page lock held.
BufferPin PinOrCreateMapPage(const RelFileLocator& rel, Fork fork, BlockNumber block);

}  // namespace walden
