#include "node/sql/executor/group_table.h"

#include "node/base/bytes.h"

namespace walden {
namespace {

constexpr size_t kFirstBuckets = 256;

// Header and states of a group, each state aligned as AggregateFunction asks.
size_t GroupHeaderBytes(const std::vector<const AggregateFunction*>& aggregates,
                        std::vector<size_t>* offsets) {
  size_t offset = 16;
  for (const AggregateFunction* aggregate : aggregates) {
    offset = AlignUp(offset, 16);
    if (offsets != nullptr) offsets->push_back(offset);
    offset += aggregate->state_bytes;
  }
  return offset;
}

std::vector<PhysicalType> PhysicalTypes(const std::vector<const TypeDescriptor*>& types) {
  std::vector<PhysicalType> physical;
  for (const TypeDescriptor* type : types) physical.push_back(type->physical);
  return physical;
}

}  // namespace

GroupTable::GroupTable(std::vector<const TypeDescriptor*> key_types,
                       std::vector<const AggregateFunction*> aggregates, MemoryAccount* account)
    : key_types_(std::move(key_types)),
      aggregates_(std::move(aggregates)),
      rows_(RowLayout(PhysicalTypes(key_types_), GroupHeaderBytes(aggregates_, nullptr)), account),
      buckets_(kFirstBuckets, nullptr) {
  GroupHeaderBytes(aggregates_, &state_offsets_);
}

void GroupTable::FindGroups(std::span<Vector* const> keys, const Selection& selection, const uint64_t* hashes,
                            bool may_grow, CallContext& context, char** groups) {
  selection.ForEach([&](uint32_t row) {
    uint64_t hash = hashes[row];
    char* group = buckets_[hash & (buckets_.size() - 1)];
    while (group != nullptr &&
           (HeaderOf(group)->hash != hash || !KeysEqual(key_types_, rows_.layout(), group, keys, row))) {
      group = HeaderOf(group)->next;
    }
    if (group == nullptr && may_grow) group = NewGroup(keys, row, hash, context);
    groups[row] = group;
  });
}

char* GroupTable::NewGroup(std::span<Vector* const> keys, uint32_t row, uint64_t hash, CallContext& context) {
  char* group = rows_.Append(keys, row);
  for (size_t i = 0; i < aggregates_.size(); ++i) {
    if (aggregates_[i]->init != nullptr) aggregates_[i]->init(context, State(group, i));
  }
  char*& bucket = buckets_[hash & (buckets_.size() - 1)];
  *HeaderOf(group) = {hash, bucket};
  bucket = group;
  groups_.push_back(group);
  if (groups_.size() > buckets_.size()) GrowBuckets();
  return group;
}

void GroupTable::GrowBuckets() {
  buckets_.assign(buckets_.size() * 2, nullptr);
  for (char* group : groups_) {
    char*& bucket = buckets_[HeaderOf(group)->hash & (buckets_.size() - 1)];
    HeaderOf(group)->next = bucket;
    bucket = group;
  }
}

void GroupTable::Clear() {
  groups_.clear();
  buckets_.assign(kFirstBuckets, nullptr);
  rows_.Clear();
}

}  // namespace walden
