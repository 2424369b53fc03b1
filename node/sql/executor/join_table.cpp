#include "node/sql/executor/join_table.h"

#include <bit>

namespace walden {
namespace {

std::vector<PhysicalType> AllTypes(const std::vector<const TypeDescriptor*>& keys,
                                   const std::vector<PhysicalType>& payload) {
  std::vector<PhysicalType> types;
  for (const TypeDescriptor* key : keys) types.push_back(key->physical);
  types.insert(types.end(), payload.begin(), payload.end());
  return types;
}

}  // namespace

JoinTable::JoinTable(std::vector<const TypeDescriptor*> key_types,
                     const std::vector<PhysicalType>& payload_types, MemoryAccount* account)
    : key_types_(std::move(key_types)),
      rows_(RowLayout(AllTypes(key_types_, payload_types), sizeof(Header)), account) {}

void JoinTable::Add(std::span<Vector* const> keys_and_payload, uint32_t row, uint64_t hash) {
  char* added = rows_.Append(keys_and_payload, row);
  *HeaderOf(added) = {hash, nullptr, false};
  all_rows_.push_back(added);
}

void JoinTable::AddSerialized(uint64_t hash, const char* bytes) {
  size_t consumed;
  char* added = rows_.AppendSerialized(bytes, &consumed);
  *HeaderOf(added) = {hash, nullptr, false};
  all_rows_.push_back(added);
}

void JoinTable::Seal() {
  buckets_.assign(std::bit_ceil(all_rows_.size() | 16), nullptr);
  // Backwards, so that rows of one key are met in the order they were added.
  for (size_t i = all_rows_.size(); i-- > 0;) {
    char*& bucket = buckets_[HeaderOf(all_rows_[i])->hash & (buckets_.size() - 1)];
    HeaderOf(all_rows_[i])->next = bucket;
    bucket = all_rows_[i];
  }
}

char* JoinTable::First(uint64_t hash) const {
  char* row = buckets_[hash & (buckets_.size() - 1)];
  while (row != nullptr && HeaderOf(row)->hash != hash) row = HeaderOf(row)->next;
  return row;
}

char* JoinTable::NextCandidate(const char* row) {
  uint64_t hash = HeaderOf(row)->hash;
  char* next = HeaderOf(row)->next;
  while (next != nullptr && HeaderOf(next)->hash != hash) next = HeaderOf(next)->next;
  return next;
}

void JoinTable::Clear() {
  all_rows_.clear();
  buckets_.clear();
  rows_.Clear();
}

}  // namespace walden
