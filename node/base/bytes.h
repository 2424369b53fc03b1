// Unaligned loads and stores. The disk format is little-endian, the network format big-endian.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace walden {

static_assert(std::endian::native == std::endian::little, "the disk format is the host's little-endian form");

template <class T>
T Load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <class T>
void Store(void* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

constexpr uint16_t ByteSwap(uint16_t v) { return __builtin_bswap16(v); }
constexpr uint32_t ByteSwap(uint32_t v) { return __builtin_bswap32(v); }
constexpr uint64_t ByteSwap(uint64_t v) { return __builtin_bswap64(v); }

// T is uint16_t, uint32_t or uint64_t.
template <class T>
T LoadBig(const void* from) {
  return ByteSwap(Load<T>(from));
}
template <class T>
void StoreBig(void* to, T value) {
  Store<T>(to, ByteSwap(value));
}

// Rounds up to a multiple of `alignment`, a power of two.
constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace walden
