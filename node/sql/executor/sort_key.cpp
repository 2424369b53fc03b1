#include "node/sql/executor/sort_key.h"

#include <bit>

#include "node/base/bytes.h"
#include "node/sql/executor/number_values.h"

namespace walden {
namespace {

// Does the type's order equal the signed order of its integer form?
bool IsOrderedAsInteger(Oid type) {
  switch (OidNumber(type)) {
    case OidNumber(type_oid::kBool):
    case OidNumber(type_oid::kInt2):
    case OidNumber(type_oid::kInt4):
    case OidNumber(type_oid::kInt8):
    case OidNumber(type_oid::kDate):
    case OidNumber(type_oid::kTime):
    case OidNumber(type_oid::kTimestamp):
    case OidNumber(type_oid::kTimestampTz): return true;
    default: return false;
  }
}

bool IsOrderedAsBytes(Oid type) {
  return type == type_oid::kText || type == type_oid::kVarchar || type == type_oid::kName ||
         type == type_oid::kBytea;
}

// The first bytes of the string, big-endian, padded with zeros.
uint64_t LeadingBytes(const StringRef& text) {
  char bytes[8] = {};
  std::memcpy(bytes, text.data, text.size < 8 ? text.size : 8);
  return LoadBig<uint64_t>(bytes);
}

}  // namespace

int CompareBySortKey(const SortKey& key, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) {
    if (a.is_null && b.is_null) return 0;
    return a.is_null == key.nulls_first ? -1 : 1;
  }
  int order = key.type->compare(a.datum, b.datum, key.collation);
  return key.descending ? -order : order;
}

int RowComparator::CompareFrom(size_t first, const char* a, const char* b) const {
  for (size_t i = first; i < keys_.size(); ++i) {
    const SortKey& key = keys_[i];
    int order = CompareBySortKey(key, layout_->Get(a, key.column), layout_->Get(b, key.column));
    if (order != 0) return order;
  }
  return 0;
}

bool RowComparator::PrefixIsExact() const {
  // One bit goes to the null flag, so a full 64-bit value loses its lowest bit.
  return IsOrderedAsInteger(keys_[0].type->oid) && PhysicalWidth(keys_[0].type->physical) < 8;
}

uint64_t RowComparator::Prefix(const char* row) const {
  const SortKey& key = keys_[0];
  Value value = layout_->Get(row, key.column);
  if (value.is_null) return key.nulls_first ? 0 : UINT64_MAX;
  uint64_t prefix;
  if (IsOrderedAsInteger(key.type->oid)) {
    prefix = static_cast<uint64_t>(IntegerOf(key.type->physical, value.datum)) ^ (uint64_t{1} << 63);
    if (PhysicalWidth(key.type->physical) < 8) prefix = (prefix - (uint64_t{0x7FFFFFFF80000000})) << 1;
  } else if (IsOrderedAsBytes(key.type->oid) && key.collation == nullptr) {
    prefix = LeadingBytes(value.datum.string);
  } else {
    return uint64_t{1} << 62;
  }
  if (key.descending) prefix = ~prefix;
  // Keep 0 and UINT64_MAX for nulls: values use the range between, losing the lowest bit.
  prefix >>= 1;
  return prefix + 1;
}

}  // namespace walden
