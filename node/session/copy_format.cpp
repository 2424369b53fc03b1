#include "node/session/copy_format.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace walden {
namespace {

// Bytes of text that need a backslash.
constexpr char EscapeLetter(char c) {
  switch (c) {
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\v': return 'v';
    case '\\': return '\\';
    default: return '\0';
  }
}

// Where the first byte is that text form writes with a backslash: a delimiter, or one that has a letter.
size_t FindEscaped(std::string_view value, size_t from, char delimiter) {
#if defined(__SSE2__)
  const __m128i first = _mm_set1_epi8('\b'), range = _mm_set1_epi8('\r' - '\b');
  const __m128i backslash = _mm_set1_epi8('\\'), separator = _mm_set1_epi8(delimiter);
  for (; from + 16 <= value.size(); from += 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(value.data() + from));
    __m128i above = _mm_sub_epi8(bytes, first);
    __m128i found =
        _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(above, range), above),  // \b to \r: all of them have letters
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, backslash), _mm_cmpeq_epi8(bytes, separator)));
    int mask = _mm_movemask_epi8(found);
    if (mask != 0) return from + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (from < value.size() && value[from] != delimiter && EscapeLetter(value[from]) == '\0') ++from;
  return from;
}

// Must the field be quoted in csv for what is in it?
bool HasSpecial(const CopyOptions& options, std::string_view value) {
  size_t from = 0;
#if defined(__SSE2__)
  const __m128i separator = _mm_set1_epi8(options.delimiter), quote = _mm_set1_epi8(options.quote);
  const __m128i newline = _mm_set1_epi8('\n'), feed = _mm_set1_epi8('\r');
  for (; from + 16 <= value.size(); from += 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(value.data() + from));
    __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, separator), _mm_cmpeq_epi8(bytes, quote)),
                                 _mm_or_si128(_mm_cmpeq_epi8(bytes, newline), _mm_cmpeq_epi8(bytes, feed)));
    if (_mm_movemask_epi8(found) != 0) return true;
  }
#endif
  for (; from < value.size(); ++from) {
    char c = value[from];
    if (c == options.delimiter || c == options.quote || c == '\n' || c == '\r') return true;
  }
  return false;
}

void WriteEscaped(std::string_view value, char delimiter, std::string* to) {
  size_t done = 0;
  for (size_t i = FindEscaped(value, 0, delimiter); i < value.size();
       i = FindEscaped(value, done, delimiter)) {
    char c = value[i];
    char letter = EscapeLetter(c);
    to->append(value, done, i - done);
    *to += '\\';
    *to += letter != '\0' ? letter : c;
    done = i + 1;
  }
  to->append(value, done, value.size() - done);
}

void WriteQuoted(const CopyOptions& options, std::string_view value, std::string* to) {
  *to += options.quote;
  for (char c : value) {
    if (c == options.quote || c == options.escape) *to += options.escape;
    *to += c;
  }
  *to += options.quote;
}

}  // namespace

void WriteCopyField(const CopyOptions& options, const std::optional<std::string_view>& value,
                    bool force_quote, bool only_field, std::string* to) {
  if (!value) {
    *to += options.null;
    return;
  }
  if (!options.csv) {
    WriteEscaped(*value, options.delimiter, to);
    return;
  }
  bool quote = force_quote || *value == options.null || (only_field && *value == "\\.");
  if (quote || HasSpecial(options, *value)) {
    WriteQuoted(options, *value, to);
  } else {
    to->append(*value);
  }
}

}  // namespace walden
