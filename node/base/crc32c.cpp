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

}  // namespace

uint32_t Crc32c(uint32_t crc, const void* data, size_t size_bytes) {
  const uint8_t* p = static_cast<const uint8_t*>(data);
  crc = ~crc;
#if defined(__x86_64__)
  uint64_t wide = crc;
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
