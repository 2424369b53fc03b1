#include "node/sql/executor/hashing.h"

namespace walden {
namespace {

constexpr uint64_t kNullHash = 0x9E3779B97F4A7C15ull;

template <class T>
void HashIntegers(const Vector& key, const Selection& selection, bool first, uint64_t* hashes) {
  const T* values = key.data<T>();
  selection.ForEach([&](uint32_t row) {
    uint32_t index = key.Index(row);
    uint64_t h =
        key.IsNullAt(index) ? kNullHash : MixHash(static_cast<uint64_t>(static_cast<int64_t>(values[index])));
    hashes[row] = first ? h : MixHash(hashes[row] ^ (h + kNullHash));
  });
}

void HashGeneric(const TypeDescriptor& type, const Vector& key, const Selection& selection, bool first,
                 uint64_t* hashes) {
  selection.ForEach([&](uint32_t row) {
    uint32_t index = key.Index(row);
    uint64_t h = kNullHash;
    if (!key.IsNullAt(index)) h = MixHash(type.hash(LoadDatum(key.type(), key.raw_data(), index)));
    hashes[row] = first ? h : MixHash(hashes[row] ^ (h + kNullHash));
  });
}

// Integer keys of different widths hash alike, so that int4 = int8 joins can hash.
bool HashesAsInteger(const TypeDescriptor& type) {
  return type.physical == PhysicalType::kInt16 || type.physical == PhysicalType::kInt32 ||
         type.physical == PhysicalType::kInt64;
}

}  // namespace

void HashKeys(std::span<const TypeDescriptor* const> types, std::span<Vector* const> keys,
              const Selection& selection, uint64_t* hashes) {
  if (keys.empty()) selection.ForEach([&](uint32_t row) { hashes[row] = kNullHash; });
  for (size_t i = 0; i < keys.size(); ++i) {
    bool first = i == 0;
    if (!HashesAsInteger(*types[i])) {
      HashGeneric(*types[i], *keys[i], selection, first, hashes);
    } else if (types[i]->physical == PhysicalType::kInt16) {
      HashIntegers<int16_t>(*keys[i], selection, first, hashes);
    } else if (types[i]->physical == PhysicalType::kInt32) {
      HashIntegers<int32_t>(*keys[i], selection, first, hashes);
    } else {
      HashIntegers<int64_t>(*keys[i], selection, first, hashes);
    }
  }
}

bool KeysEqual(std::span<const TypeDescriptor* const> types, const RowLayout& layout, const char* row,
               std::span<Vector* const> keys, uint32_t index) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const Vector& key = *keys[i];
    uint32_t at = key.Index(index);
    bool key_is_null = key.IsNullAt(at);
    if (key_is_null != layout.IsNull(row, i)) return false;
    if (key_is_null) continue;
    switch (types[i]->physical) {
      case PhysicalType::kInt32:
        if (key.data<int32_t>()[at] != *reinterpret_cast<const int32_t*>(layout.Field(row, i))) return false;
        break;
      case PhysicalType::kInt64:
        if (key.data<int64_t>()[at] != *reinterpret_cast<const int64_t*>(layout.Field(row, i))) return false;
        break;
      default:
        if (types[i]->compare(LoadDatum(key.type(), key.raw_data(), at),
                              LoadDatum(types[i]->physical, layout.Field(row, i), 0), nullptr) != 0) {
          return false;
        }
    }
  }
  return true;
}

}  // namespace walden
