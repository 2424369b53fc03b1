// text, varchar, bpchar, name, cstring, unknown, bytea and other types that are stored as plain strings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "node/base/arena.h"
#include "node/types/type_table.h"

namespace walden {

inline constexpr size_t kNameBytes = 64;  // NAMEDATALEN, with the terminator of the C form

// Cuts to what fits a name (63 bytes), between characters. The result points into `text`.
std::string_view ClipName(std::string_view text);
// The coercions to varchar(n) and character(n); `typmod` is n + 4, or -1 for none. An explicit cast cuts silently,
// otherwise only spaces may be lost (22001).
std::string_view CoerceVarchar(std::string_view text, int32_t typmod, bool is_explicit);
std::string_view CoerceBpchar(std::string_view text, int32_t typmod, bool is_explicit, Arena& arena);
// character(n) compares without trailing spaces.
std::string_view TrimTrailingSpaces(std::string_view text);

// bytea from its hex (\x...) or escape form, and back.
std::string_view ParseBytea(std::string_view text, Arena& arena);
void AppendBytea(std::string* to, std::string_view bytes, ByteaOutput format);
void AppendHex(std::string* to, std::string_view bytes);
// Decodes hex digits, white space allowed between pairs. 22023 on bad digits.
std::string_view DecodeHex(std::string_view text, Arena& arena);

int CompareBytes(std::string_view a, std::string_view b);  // memcmp order, -1, 0 or 1

std::span<const TypeDescriptor> TextTypes();

}  // namespace walden
