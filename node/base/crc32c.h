// CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4): SSE4.2 / ARMv8 instructions where present,
// slicing-by-8 otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace walden {

// Continues `crc` (0 to start) over the bytes; the value returned is final and may be continued.
uint32_t Crc32c(uint32_t crc, const void* data, size_t size_bytes);

}  // namespace walden
