#include "node/types/hash.h"

#include "node/base/bytes.h"

namespace walden {

uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = 0x9E3779B97F4A7C15u ^ bytes.size();
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    hash = (hash ^ Load<uint64_t>(at)) * 0xBF58476D1CE4E5B9u;
    hash ^= hash >> 32;
  }
  uint64_t tail = 0;
  if (left != 0) std::memcpy(&tail, at, left);
  return HashInteger(hash ^ tail);
}

namespace {

// lookup3.c, by Bob Jenkins, May 2006, public domain: the mixing steps for three 32-bit words.
struct Jenkins {
  uint32_t a, b, c;
  static uint32_t Rotate(uint32_t x, int k) { return (x << k) | (x >> (32 - k)); }
  void Mix() {
    a -= c;
    a ^= Rotate(c, 4);
    c += b;
    b -= a;
    b ^= Rotate(a, 6);
    a += c;
    c -= b;
    c ^= Rotate(b, 8);
    b += a;
    a -= c;
    a ^= Rotate(c, 16);
    c += b;
    b -= a;
    b ^= Rotate(a, 19);
    a += c;
    c -= b;
    c ^= Rotate(b, 4);
    b += a;
  }
  void Final() {
    c ^= b;
    c -= Rotate(b, 14);
    a ^= c;
    a -= Rotate(c, 11);
    b ^= a;
    b -= Rotate(a, 25);
    c ^= b;
    c -= Rotate(b, 16);
    a ^= c;
    a -= Rotate(c, 4);
    b ^= a;
    b -= Rotate(a, 14);
    c ^= b;
    c -= Rotate(b, 24);
  }
  void Seed(uint64_t seed) {
    if (seed == 0) return;
    a += static_cast<uint32_t>(seed >> 32);
    b += static_cast<uint32_t>(seed);
    Mix();
  }
};

Jenkins Start(uint32_t size) {
  uint32_t start = 0x9e3779b9u + size + 3923095u;
  return {start, start, start};
}

Jenkins HashAll(std::string_view bytes, uint64_t seed) {
  Jenkins state = Start(static_cast<uint32_t>(bytes.size()));
  state.Seed(seed);
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 12; at += 12, left -= 12) {
    state.a += Load<uint32_t>(at);
    state.b += Load<uint32_t>(at + 4);
    state.c += Load<uint32_t>(at + 8);
    state.Mix();
  }
  // The lowest byte of c is reserved for the length, which went in at the start.
  unsigned char tail[13] = {};
  std::memcpy(tail, at, left < 8 ? left : 8);
  if (left > 8) std::memcpy(tail + 9, at + 8, left - 8);
  state.a += Load<uint32_t>(tail);
  state.b += Load<uint32_t>(tail + 4);
  state.c += Load<uint32_t>(tail + 8);
  state.Final();
  return state;
}

}  // namespace

uint32_t PgHashBytes(std::string_view bytes) { return HashAll(bytes, 0).c; }
uint64_t PgHashBytesExtended(std::string_view bytes, uint64_t seed) {
  Jenkins state = HashAll(bytes, seed);
  return (uint64_t{state.b} << 32) | state.c;
}
uint32_t PgHashUint32(uint32_t value) {
  Jenkins state = Start(4);
  state.a += value;
  state.Final();
  return state.c;
}
uint64_t PgHashUint32Extended(uint32_t value, uint64_t seed) {
  Jenkins state = Start(4);
  state.Seed(seed);
  state.a += value;
  state.Final();
  return (uint64_t{state.b} << 32) | state.c;
}

}  // namespace walden
