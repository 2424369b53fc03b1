#include "node/sql/executor/gathered_entries.h"

#include <algorithm>

#include "node/vector/vector.h"

namespace walden {

void GatheredEntries::Add(const IndexDesc& index, const Value* key, TupleId tid, bool unchanged) {
  auto of = std::ranges::find(indexes_, &index, &OfIndex::index);
  if (of == indexes_.end()) of = indexes_.insert(of, {&index, unchanged, {}});
  size_t columns = static_cast<size_t>(index.desc->size());
  Value* copy = static_cast<Value*>(arena_.Allocate(columns * sizeof(Value), alignof(Value)));
  for (size_t i = 0; i < columns; ++i) {
    copy[i] = key[i];
    if (key[i].is_null) continue;
    PhysicalType type = (*index.desc)[static_cast<AttrNumber>(i + 1)].physical;
    copy[i].datum = CopyDatum(type, key[i].datum, &arena_);
  }
  of->entries.push_back({copy, tid});
}

void GatheredEntries::Flush() {
  for (OfIndex& of : indexes_) {
    size_t at = 0;
    of.index->method->InsertMany(*of.index, table_, of.entries, of.unchanged, &at);
    of.entries.clear();
  }
  arena_.Reset();
}

}  // namespace walden
