// Hash table of groups: key columns and the aggregate states of each group, in memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "node/sql/executor/hashing.h"
#include "node/sql/executor/row_container.h"
#include "node/sql/functions/registry.h"

namespace walden {

class GroupTable {
 public:
  GroupTable(std::vector<const TypeDescriptor*> key_types, std::vector<const AggregateFunction*> aggregates,
             MemoryAccount* account);

  // For each selected row finds its group, or makes it (states initialised) while `may_grow`. groups[row] is the group, or null when it
  // does not exist and may not be made.
  void FindGroups(std::span<Vector* const> keys, const Selection& selection, const uint64_t* hashes,
                  bool may_grow, CallContext& context, char** groups);

  void* State(char* group, size_t aggregate) const { return group + state_offsets_[aggregate]; }
  size_t size() const { return groups_.size(); }
  char* group(size_t i) const { return groups_[i]; }
  const RowLayout& layout() const { return rows_.layout(); }
  Arena& arena() { return rows_.arena(); }
  size_t bytes() const {
    return rows_.bytes() + buckets_.capacity() * sizeof(char*) + groups_.capacity() * sizeof(char*);
  }
  void Clear();

 private:
  struct Header {
    uint64_t hash;
    char* next;
  };
  static Header* HeaderOf(char* group) { return reinterpret_cast<Header*>(group); }
  char* NewGroup(std::span<Vector* const> keys, uint32_t row, uint64_t hash, CallContext& context);
  void GrowBuckets();

  std::vector<const TypeDescriptor*> key_types_;
  std::vector<const AggregateFunction*> aggregates_;
  std::vector<size_t> state_offsets_;
  RowContainer rows_;
  std::vector<char*> buckets_;
  std::vector<char*> groups_;
};

}  // namespace walden
