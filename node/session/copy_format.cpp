#include "node/session/copy_format.h"

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

void WriteEscaped(std::string_view value, char delimiter, std::string* to) {
  size_t done = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    char c = value[i];
    if (static_cast<unsigned char>(c) > '\\' || (c >= ' ' && c != '\\' && c != delimiter)) {
      if (c != delimiter) continue;
    }
    char letter = EscapeLetter(c);
    if (letter == '\0' && c != delimiter) continue;
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
  for (char c : *value) quote |= c == options.delimiter || c == options.quote || c == '\n' || c == '\r';
  if (quote) {
    WriteQuoted(options, *value, to);
  } else {
    to->append(*value);
  }
}

}  // namespace walden
