// The WAL records of btrees.
#pragma once

#include <span>
#include <string_view>

#include "node/access/btree/page.h"
#include "node/wal/record_handler.h"

namespace walden::btree {

struct InsertRecord {  // page 0: the entry; inner: page 1 = the child whose split is now complete
  uint16_t offset;
  uint16_t posting_split;  // 1: the entry's row identity goes into the posting list before it (see AddToLeaf)
};
struct InsertManyRecord {  // page 0: count times uint16 offset, uint16 size, the entry; applied in this order
  uint16_t count;
};
// Dedup: page 0 has these (an image in logs of before): items that become one posting list, in order.
struct MergedRun {
  uint16_t first;
  uint16_t count;
};
struct SplitRecord {  // page 0 left, 1 right (images), 2 the former right sibling, 3 child as above
  uint32_t level;
  uint16_t first_right;
  uint16_t new_offset;
};
struct NewRootRecord {  // page 0 root (image), 1 left child, 2 meta
  uint32_t level;
};
struct DeleteRecord {  // page 0: uint16 offsets[count], then uint16 shrunk[shrunk_size], see RemoveEntries
  uint64_t conflict_lsn;
  uint16_t count;
  uint16_t shrunk_size;  // 0 in logs of before, where an image came with changed posting lists
  uint8_t zero[4];
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
// Adds the entries of an InsertManyRecord.
void AddEntries(char* page, std::string_view items);
// The leaf with each run merged into one posting list, in `rebuilt`.
void MergeRuns(const char* page, std::span<const MergedRun> runs, char* rebuilt);
// The leaf without the entries `whole`, in `rebuilt`. `shrunk`: posting lists that lose some of their row identities, for
// each its offset, how many, and their places in the list, ascending.
void RemoveEntries(const char* page, std::span<const OffsetNumber> whole, std::span<const uint16_t> shrunk,
                   char* rebuilt);
// Takes a page out of its parent: the target's key range goes to its right sibling.
void RemoveDownlink(char* parent, OffsetNumber offset);

std::span<const RecordHandler> BtreeRecordHandlers();

}  // namespace walden::btree
