// Hashes and equality of key columns, a batch at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "node/sql/executor/row_container.h"
#include "node/types/type_table.h"

namespace walden {

// Final mix of MurmurHash3 (Appleby): every bit of the result depends on every bit of the input.
inline uint64_t MixHash(uint64_t h) {
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDull;
  h ^= h >> 33;
  h *= 0xC4CEB9FE1A85EC53ull;
  return h ^ (h >> 33);
}

// Writes hashes[row] for every selected row over all key columns; nulls hash to a constant.
void HashKeys(std::span<const TypeDescriptor* const> types, std::span<Vector* const> keys,
              const Selection& selection, uint64_t* hashes);

// Are the key columns of `row` (from first_column on) equal to batch row `index`? Nulls equal nulls.
bool KeysEqual(std::span<const TypeDescriptor* const> types, const RowLayout& layout, const char* row,
               std::span<Vector* const> keys, uint32_t index);

}  // namespace walden
