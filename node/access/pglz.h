// The compression of TOAST values that PostgreSQL calls pglz: copies of what came up to 4095 bytes before. Slower than LZ4, and the
// default of default_toast_compression.
//
// Format: groups of a control byte and the eight items that its bits, lowest first, speak of:
//   bit 0  one byte of the value
//   bit 1  a copy: byte 0 = high 4 bits of the distance << 4 | (length - 3), or 15 for 18 and more; byte 1 = low 8 bits of the
//          distance; for lengths of 18 and more a third byte = length - 18
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace walden {

// The compressed size, or 0 when it does not fit into `to`.
size_t PglzCompress(std::string_view from, std::span<char> to);
// False when `from` is not the compressed form of exactly to.size() bytes.
bool PglzDecompress(std::string_view from, std::span<char> to);

}  // namespace walden
