#include "node/access/btree/key.h"

namespace walden::btree {

namespace {

template <class T>
int Order(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int CompareBytes(StringRef a, StringRef b) {
  size_t common = a.size < b.size ? a.size : b.size;
  int order = common == 0 ? 0 : std::memcmp(a.data, b.data, common);
  return order != 0 ? order : Order(a.size, b.size);
}

int NullOrder(bool a_null, bool b_null, bool nulls_first) {
  if (a_null && b_null) return 0;
  return a_null == nulls_first ? -1 : 1;
}

// Order of (a, b) ascending, both stored.
int CompareStoredValues(const IndexKeyColumn& key, PhysicalType type, const char* a, const char* b) {
  switch (key.order) {
    case KeyOrder::kInt16: return Order(Load<int16_t>(a), Load<int16_t>(b));
    case KeyOrder::kInt32: return Order(Load<int32_t>(a), Load<int32_t>(b));
    case KeyOrder::kUint32: return Order(Load<uint32_t>(a), Load<uint32_t>(b));
    case KeyOrder::kInt64: return Order(Load<int64_t>(a), Load<int64_t>(b));
    case KeyOrder::kBytes: return CompareBytes(VarPayload(a), VarPayload(b));
    case KeyOrder::kCompare: break;
  }
  return key.compare(LoadColumn(type, a), LoadColumn(type, b), key.collation);
}

}  // namespace

int CompareValue(const IndexDesc& index, int column, const Value& value, const char* stored,
                 KeyCompare compare) {
  const IndexKeyColumn& key = index.keys[column];
  if (value.is_null || stored == nullptr) return NullOrder(value.is_null, stored == nullptr, key.nulls_first);
  int order;
  if (compare != nullptr) {
    order = -compare(LoadColumn((*index.desc)[static_cast<AttrNumber>(column + 1)].physical, stored),
                     value.datum, key.collation);
  } else {
    switch (key.order) {
      case KeyOrder::kInt16: order = Order(value.datum.i16, Load<int16_t>(stored)); break;
      case KeyOrder::kInt32: order = Order(value.datum.i32, Load<int32_t>(stored)); break;
      case KeyOrder::kUint32:
        order = Order(static_cast<uint32_t>(value.datum.i32), Load<uint32_t>(stored));
        break;
      case KeyOrder::kInt64: order = Order(value.datum.i64, Load<int64_t>(stored)); break;
      case KeyOrder::kBytes: order = CompareBytes(value.datum.string, VarPayload(stored)); break;
      default:
        order = key.compare(value.datum,
                            LoadColumn((*index.desc)[static_cast<AttrNumber>(column + 1)].physical, stored),
                            key.collation);
    }
  }
  return key.descending ? -order : order;
}

int CompareStored(const IndexDesc& index, int column, const char* a, const char* b) {
  const IndexKeyColumn& key = index.keys[column];
  if (a == nullptr || b == nullptr) return NullOrder(a == nullptr, b == nullptr, key.nulls_first);
  int order = CompareStoredValues(key, (*index.desc)[static_cast<AttrNumber>(column + 1)].physical, a, b);
  return key.descending ? -order : order;
}

int CompareKey(const IndexDesc& index, const SearchKey& key, const Entry& entry) {
  int stored = entry.columns();
  ColumnWalk walk(entry, *index.desc);
  for (int i = 0; i < key.count; ++i) {
    // A column that a pivot does not store is minus infinity.
    if (i >= stored) return 1;
    int order = CompareValue(index, i, key.values[i], walk.Next(),
                             key.compares == nullptr ? nullptr : key.compares[i]);
    if (order != 0) return order;
  }
  if (!key.has_tid) return 0;
  if (entry.is_pivot()) {
    if (!entry.has_pivot_tid()) return 1;
    return Order(TidToInt64(key.tid), TidToInt64(entry.pivot_tid()));
  }
  int64_t tid = TidToInt64(key.tid);
  if (tid < TidToInt64(entry.tid())) return -1;
  return tid > TidToInt64(entry.last_tid()) ? 1 : 0;
}

int CompareEntries(const IndexDesc& index, const Entry& a, const Entry& b) {
  ColumnWalk in_a(a, *index.desc);
  ColumnWalk in_b(b, *index.desc);
  for (int i = 0; i < index.key_count(); ++i) {
    int order = CompareStored(index, i, in_a.Next(), in_b.Next());
    if (order != 0) return order;
  }
  return Order(TidToInt64(a.tid()), TidToInt64(b.tid()));
}

}  // namespace walden::btree
