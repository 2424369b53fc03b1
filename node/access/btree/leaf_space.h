// Making room on a leaf: removing entries, shrinking and making posting lists.
#pragma once

#include <vector>

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

// What goes of a leaf: whole entries; of posting lists some row identities. The latter as the entry's offset, how many, their places.
struct LeafDeletion {
  std::vector<OffsetNumber> whole;
  std::vector<uint16_t> shrunk;
  int removed = 0;  // row identities
  int kept = 0;
};

// The row identities for which `dead(offset of the item, row identity)` says so.
template <class Dead>
void FindDead(const char* page, Dead&& dead, LeafDeletion* found) {
  found->whole.clear();
  found->shrunk.clear();
  found->removed = found->kept = 0;
  for (OffsetNumber offset = FirstData(page); offset <= PageMaxOffset(page); ++offset) {
    Entry entry = EntryAt(page, offset);
    int count = entry.tid_count();
    if (count == 1) {
      bool dies = dead(offset, entry.tid());
      if (dies) found->whole.push_back(offset);
      ++(dies ? found->removed : found->kept);
      continue;
    }
    size_t begin = found->shrunk.size();
    found->shrunk.resize(begin + 2);
    for (int i = 0; i < count; ++i) {
      if (dead(offset, entry.tid(i))) found->shrunk.push_back(static_cast<uint16_t>(i));
    }
    int dying = static_cast<int>(found->shrunk.size() - begin) - 2;
    found->removed += dying;
    found->kept += count - dying;
    if (dying == count) found->whole.push_back(offset);
    if (dying == 0 || dying == count) {
      found->shrunk.resize(begin);
    } else {
      found->shrunk[begin] = offset;
      found->shrunk[begin + 1] = static_cast<uint16_t>(dying);
    }
  }
}

// Takes them out. `kind`: kBtreeDelete (with its conflict LSN) or kBtreeVacuum. Requires: exclusive lock.
void Remove(const IndexDesc& index, BufferPin& leaf, RecordKind kind, Lsn conflict_lsn,
            const LeafDeletion& deletion);

}  // namespace walden::btree
