// The WAL records of btrees.
#pragma once

#include <span>

#include "node/access/btree/page.h"
#include "node/wal/record_handler.h"

namespace walden::btree {

struct InsertRecord {  // page 0: the entry; inner: page 1 = the child whose split is now complete
  uint16_t offset;
  uint16_t posting_split;  // 1: the entry's row identity goes into the posting list before it (see AddToLeaf)
};
struct SplitRecord {  // page 0 left, 1 right (images), 2 the former right sibling, 3 child as above
  uint32_t level;
  uint16_t first_right;
  uint16_t new_offset;
};
struct NewRootRecord {  // page 0 root (image), 1 left child, 2 meta
  uint32_t level;
};
struct DeleteRecord {  // page 0: uint16 offsets[count] (or an image, when posting lists change)
  uint64_t conflict_lsn;
  uint16_t count;
  uint8_t zero[6];
};
struct UnlinkRecord {  // page 0 target, 1 left sibling, 2 right sibling, 3 parent
  uint64_t deleted_at;
  uint32_t left;
  uint32_t right;
  uint16_t parent_offset;
  uint8_t zero[6];
};
struct ReuseRecord {  // no pages
  uint64_t conflict_lsn;
  RelFileLocator rel;
  uint32_t block;
  uint32_t zero;
};

// Changes of page bytes, by the original action and by redo. Requires: exclusive lock, room.

// Adds an entry at `offset`. With `posting_split` the item before `offset` is a posting list whose range
// holds the entry's row identity: the two exchange, so that the list gets the new identity and the entry its
// former last one.
void AddEntry(char* page, OffsetNumber offset, const Entry& entry, bool posting_split);
// Takes a page out of its parent: the target's key range goes to its right sibling.
void RemoveDownlink(char* parent, OffsetNumber offset);

std::span<const RecordHandler> BtreeRecordHandlers();

}  // namespace walden::btree
