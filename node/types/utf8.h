// UTF-8, the server encoding. Stored text is always valid; Validate guards every way in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace walden {

// Bytes of the character that starts with `lead`.
constexpr int Utf8Length(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}
// Characters of valid text.
size_t Utf8Count(std::string_view text);
// Byte position of character `index` (0-based), or text.size() past the end.
size_t Utf8Offset(std::string_view text, size_t index);
// The longest prefix of at most `bytes` bytes that ends between characters.
std::string_view Utf8Clip(std::string_view text, size_t bytes);
// Position of the first invalid byte, or npos. NUL counts as invalid.
size_t Utf8FindInvalid(std::string_view text);
// 22021 "invalid byte sequence for encoding "UTF8": 0x..".
void Utf8Validate(std::string_view text);
char32_t Utf8Decode(std::string_view text, size_t* position);  // advances
void Utf8Append(std::string* to, char32_t character);

// Upper, lower, initcap as C.UTF-8/ICU root; ASCII without ICU.
void AppendUpper(std::string* to, std::string_view text);
void AppendLower(std::string* to, std::string_view text);
void AppendInitcap(std::string* to, std::string_view text);
bool IsAscii(std::string_view text);

}  // namespace walden
