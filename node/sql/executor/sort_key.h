// How rows are ordered: a list of keys over the columns of a RowLayout, compared with the types' btree order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "node/sql/executor/row_container.h"
#include "node/types/type_table.h"

namespace walden {

struct SortKey {
  uint32_t column = 0;
  const TypeDescriptor* type = nullptr;
  const void* collation = nullptr;
  bool descending = false;
  bool nulls_first = false;
};

// Three-way comparison of two non-null-aware values under one key.
int CompareBySortKey(const SortKey& key, const Value& a, const Value& b);

class RowComparator {
 public:
  RowComparator() = default;
  RowComparator(const RowLayout* layout, std::vector<SortKey> keys)
      : layout_(layout), keys_(std::move(keys)) {}

  int Compare(const char* a, const char* b) const { return CompareFrom(0, a, b); }
  // Compares by keys first.. only.
  int CompareFrom(size_t first, const char* a, const char* b) const;
  // A number whose unsigned order is the order of the first key as far as it goes: rows with different prefixes
  // compare as the prefixes do; equal prefixes decide nothing unless PrefixIsExact().
  uint64_t Prefix(const char* row) const;
  bool PrefixIsExact() const;
  const std::vector<SortKey>& keys() const { return keys_; }

 private:
  const RowLayout* layout_ = nullptr;
  std::vector<SortKey> keys_;
};

}  // namespace walden
