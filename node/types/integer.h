// int2, int4, int8, bool, "char" and the unsigned 32- and 64-bit identifiers: text to number and back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "node/types/type_table.h"

namespace walden {

// As the SQL casts from text; `type_name` appears in the error ("integer"). 22P02 or 22003.
int16_t ParseInt16(std::string_view text);
int32_t ParseInt32(std::string_view text);
int64_t ParseInt64(std::string_view text);
uint32_t ParseUint32(std::string_view text, std::string_view type_name);  // strtoul's habits: negatives wrap
uint64_t ParseUint64(std::string_view text, std::string_view type_name);
bool ParseBool(std::string_view text);
// Returns false for what ParseBool would refuse.
bool TryParseBool(std::string_view text, bool* value);

void AppendInt(std::string* to, int64_t value);
void AppendUint(std::string* to, uint64_t value);

// 22P02 "invalid input syntax for type %: "..."".
[[noreturn]] void ThrowInvalidSyntax(std::string_view type_name, std::string_view text);

// White space as C's isspace: what number inputs skip.
constexpr bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
std::string_view TrimSpace(std::string_view text);

std::span<const TypeDescriptor> IntegerTypes();

}  // namespace walden
