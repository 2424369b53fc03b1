#include "node/types/utf8.h"

#include <unicode/uchar.h>

#include "node/base/bytes.h"
#include "node/base/error.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace walden {

bool IsAscii(std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
#if defined(__SSE2__)
  for (; left >= 16; at += 16, left -= 16) {
    if (_mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))) != 0) return false;
  }
#endif
  for (; left >= 8; at += 8, left -= 8) {
    if ((Load<uint64_t>(at) & 0x8080808080808080u) != 0) return false;
  }
  for (; left > 0; ++at, --left) {
    if ((*at & 0x80) != 0) return false;
  }
  return true;
}

size_t Utf8Count(std::string_view text) {
  const char* at = text.data();
  size_t left = text.size(), later_bytes = 0;
#if defined(__SSE2__)
  // 10xxxxxx as a signed byte is below all others.
  const __m128i first_of_others = _mm_set1_epi8(static_cast<char>(0xC0));
  for (; left >= 16; at += 16, left -= 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    int later = _mm_movemask_epi8(_mm_cmplt_epi8(bytes, first_of_others));
    if (later != 0) later_bytes += static_cast<size_t>(__builtin_popcount(static_cast<unsigned>(later)));
  }
#endif
  for (; left >= 8; at += 8, left -= 8) {
    // The top bit of every byte that is 10xxxxxx: not the first of its character.
    uint64_t word = Load<uint64_t>(at);
    uint64_t later = word & ~(word << 1) & 0x8080808080808080u;
    if (later != 0) later_bytes += static_cast<size_t>(__builtin_popcountll(later));
  }
  for (; left > 0; ++at, --left) later_bytes += (*at & 0xC0) == 0x80;
  return text.size() - later_bytes;
}

size_t Utf8Offset(std::string_view text, size_t index) {
  size_t at = 0;
  while (index > 0 && at < text.size()) {
    at += static_cast<size_t>(Utf8Length(static_cast<unsigned char>(text[at])));
    --index;
  }
  return at < text.size() ? at : text.size();
}

std::string_view Utf8Clip(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (text[bytes] & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

namespace {

// Length of the valid character at `at`, 0 if it is invalid (RFC 3629: no surrogates, no overlong forms).
size_t ValidCharacter(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  unsigned char lead = byte(0);
  if (lead == 0) return 0;
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  auto length = static_cast<size_t>(Utf8Length(lead));
  if (at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

}  // namespace

size_t Utf8FindInvalid(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (at + 8 <= text.size()) {
      // Eight ASCII characters, none of them NUL (adding 0x7f carries into the top bit of all but zero).
      uint64_t word = Load<uint64_t>(text.data() + at);
      if ((word & 0x8080808080808080u) == 0 &&
          ((word + 0x7f7f7f7f7f7f7f7fu) & 0x8080808080808080u) == 0x8080808080808080u) {
        at += 8;
        continue;
      }
    }
    size_t length = ValidCharacter(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

void Utf8Validate(std::string_view text) {
  size_t at = Utf8FindInvalid(text);
  if (at == std::string_view::npos) return;
  std::string bytes;
  auto lead = static_cast<unsigned char>(text[at]);
  bool can_lead = lead >= 0xC0 && lead < 0xF8;  // what cannot is shown alone
  auto length = std::min(static_cast<size_t>(can_lead ? Utf8Length(lead) : 1), text.size() - at);
  for (size_t i = 0; i < length; ++i) {
    bytes += fmt::format("{}0x{:02x}", i == 0 ? "" : " ", static_cast<unsigned char>(text[at + i]));
  }
  throw SqlError(ErrorCode::kCharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": {}",
                 bytes);
}

char32_t Utf8Decode(std::string_view text, size_t* position) {
  auto byte = [&](size_t i) -> char32_t {
    return *position + i < text.size() ? static_cast<unsigned char>(text[*position + i]) : 0;
  };
  char32_t lead = byte(0);
  size_t length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(lead)));
  char32_t result = lead;
  if (length == 2) result = ((lead & 0x1F) << 6) | (byte(1) & 0x3F);
  if (length == 3) result = ((lead & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F);
  if (length == 4) {
    result = ((lead & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F);
  }
  *position += length;
  return result;
}

void Utf8Append(std::string* to, char32_t c) {
  auto put = [to](char32_t byte) { to->push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

namespace {

template <class F>
void MapCharacters(std::string* to, std::string_view text, F map) {
  for (size_t at = 0; at < text.size();) {
    char32_t c = Utf8Decode(text, &at);
    Utf8Append(to, map(c));
  }
}

char32_t Upper(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  return static_cast<char32_t>(u_toupper(static_cast<UChar32>(c)));
}
char32_t Lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
}
bool IsAlphanumeric(char32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return u_isalnum(static_cast<UChar32>(c)) != 0;
}

}  // namespace

void AppendUpper(std::string* to, std::string_view text) { MapCharacters(to, text, Upper); }
void AppendLower(std::string* to, std::string_view text) { MapCharacters(to, text, Lower); }
void AppendInitcap(std::string* to, std::string_view text) {
  bool inside_word = false;
  MapCharacters(to, text, [&](char32_t c) {
    char32_t mapped = inside_word ? Lower(c) : Upper(c);
    inside_word = IsAlphanumeric(c);
    return mapped;
  });
}

}  // namespace walden
