// Index entries of rows that a statement has stored already, added when a batch of rows is complete: neighbours in an
// index share a descent, a lock and a WAL record.
//
// Only for entries whose insertion cannot fail, because no unique check concerns them. Until Flush nobody else can miss
// them: the rows are those of a transaction in progress, and of an aborted one no entry is needed.
#pragma once

#include <vector>

#include "node/access/index.h"
#include "node/base/arena.h"

namespace walden {

class GatheredEntries {
 public:
  explicit GatheredEntries(const TableRef& table) : table_(table) {}

  // `key`: desc->size() values, which are copied. `unchanged`: as in IndexMethod::Insert, the same for all entries of an
  // index. The description must stay until Flush.
  void Add(const IndexDesc& index, const Value* key, TupleId tid, bool unchanged);
  void Flush();

 private:
  struct OfIndex {
    const IndexDesc* index;
    bool unchanged;
    std::vector<NewIndexEntry> entries;
  };
  const TableRef& table_;
  std::vector<OfIndex> indexes_;
  Arena arena_;  // of the keys
};

}  // namespace walden
