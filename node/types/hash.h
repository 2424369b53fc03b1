// Hashes for joins and grouping. Values only need to agree within one release: they are never on disk.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace walden {

inline uint64_t HashInteger(uint64_t v) {  // the finaliser of splitmix64 (Steele, Lea, Flood 2014)
  v = (v ^ (v >> 30)) * 0xBF58476D1CE4E5B9u;
  v = (v ^ (v >> 27)) * 0x94D049BB133111EBu;
  return v ^ (v >> 31);
}
inline uint64_t HashCombine(uint64_t seed, uint64_t hash) { return HashInteger(seed * 31 + hash); }
uint64_t HashBytes(std::string_view bytes);
inline uint64_t HashDouble(double v) {
  if (v == 0) v = 0;  // -0 equals 0
  if (v != v) return 0x7FF8;
  return HashInteger(std::bit_cast<uint64_t>(v));
}

// PostgreSQL's hash_any and hash_any_extended, seen by SQL through hashtext() and friends: Bob Jenkins' lookup3.
uint32_t PgHashBytes(std::string_view bytes);
uint64_t PgHashBytesExtended(std::string_view bytes, uint64_t seed);
uint32_t PgHashUint32(uint32_t value);
uint64_t PgHashUint32Extended(uint32_t value, uint64_t seed);

}  // namespace walden
