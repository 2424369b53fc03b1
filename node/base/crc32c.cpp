#include "node/base/crc32c.h"

#include <array>

#include "node/base/bytes.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace walden {
namespace {

using CrcTable = std::array<std::array<uint32_t, 256>, 8>;

constexpr CrcTable MakeTable() {
  CrcTable table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0);
    table[0][i] = crc;
  }
  for (size_t slice = 1; slice < 8; ++slice) {
    for (uint32_t i = 0; i < 256; ++i) {
      table[slice][i] = (table[slice - 1][i] >> 8) ^ table[0][table[slice - 1][i] & 0xFF];
    }
  }
  return table;
}

[[maybe_unused]] uint32_t Crc32cPortable(uint32_t crc, const uint8_t* p, size_t size) {
  static constexpr CrcTable kTable = MakeTable();
  for (; size >= 8; size -= 8, p += 8) {
    uint64_t word = Load<uint64_t>(p) ^ crc;
    crc = 0;
    for (int slice = 0; slice < 8; ++slice) crc ^= kTable[7 - slice][(word >> (8 * slice)) & 0xFF];
  }
  for (; size > 0; --size, ++p) crc = (crc >> 8) ^ kTable[0][(crc ^ *p) & 0xFF];
  return crc;
}

#if defined(__x86_64__)
// One crc32 instruction waits for the one before it: three streams side by side keep the unit busy. Their results are
// joined by moving a CRC over as many zero bytes as the streams behind it hold, a linear map kept as a table per byte.
constexpr size_t kStream = 256;

constexpr uint32_t MoveOver(uint32_t crc, size_t zeroes, const CrcTable& table) {
  for (size_t i = 0; i < zeroes; ++i) crc = (crc >> 8) ^ table[0][crc & 0xFF];
  return crc;
}

using MoveTable = std::array<std::array<uint32_t, 256>, 4>;

MoveTable MakeMoveTable(size_t zeroes) {
  static constexpr CrcTable kTable = MakeTable();
  MoveTable moves{};
  for (size_t byte = 0; byte < 4; ++byte) {
    // The map is linear: the images of single bits give those of all bytes.
    for (int bit = 0; bit < 8; ++bit) {
      uint32_t image = MoveOver(uint32_t{1} << (8 * byte + static_cast<size_t>(bit)), zeroes, kTable);
      for (uint32_t i = 0; i < 256; ++i) moves[byte][i] ^= (i >> bit & 1) != 0 ? image : 0;
    }
  }
  return moves;
}

uint32_t Move(const MoveTable& moves, uint32_t crc) {
  return moves[0][crc & 0xFF] ^ moves[1][crc >> 8 & 0xFF] ^ moves[2][crc >> 16 & 0xFF] ^ moves[3][crc >> 24];
}

uint64_t ThreeStreams(uint64_t crc, const uint8_t*& p, size_t& size) {
  static const MoveTable kOverOne = MakeMoveTable(kStream), kOverTwo = MakeMoveTable(2 * kStream);
  for (; size >= 3 * kStream; size -= 3 * kStream, p += 3 * kStream) {
    uint64_t first = crc, second = 0, third = 0;
    for (size_t i = 0; i < kStream; i += 8) {
      first = _mm_crc32_u64(first, Load<uint64_t>(p + i));
      second = _mm_crc32_u64(second, Load<uint64_t>(p + kStream + i));
      third = _mm_crc32_u64(third, Load<uint64_t>(p + 2 * kStream + i));
    }
    crc =
        Move(kOverTwo, static_cast<uint32_t>(first)) ^ Move(kOverOne, static_cast<uint32_t>(second)) ^ third;
  }
  return crc;
}
#endif

}  // namespace

uint32_t Crc32c(uint32_t crc, const void* data, size_t size_bytes) {
  const uint8_t* p = static_cast<const uint8_t*>(data);
  crc = ~crc;
#if defined(__x86_64__)
  uint64_t wide = crc;
  if (size_bytes >= 3 * kStream) wide = ThreeStreams(wide, p, size_bytes);
  for (; size_bytes >= 8; size_bytes -= 8, p += 8) wide = _mm_crc32_u64(wide, Load<uint64_t>(p));
  crc = static_cast<uint32_t>(wide);
  for (; size_bytes > 0; --size_bytes, ++p) crc = _mm_crc32_u8(crc, *p);
#elif defined(__ARM_FEATURE_CRC32)
  for (; size_bytes >= 8; size_bytes -= 8, p += 8) crc = __crc32cd(crc, Load<uint64_t>(p));
  for (; size_bytes > 0; --size_bytes, ++p) crc = __crc32cb(crc, *p);
#else
  crc = Crc32cPortable(crc, p, size_bytes);
#endif
  return ~crc;
}

}  // namespace walden
