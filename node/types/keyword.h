// The key words of SQL (keywords.def): which identifiers must be quoted.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace walden {

enum class KeywordCategory : uint8_t { kUnreserved, kColumnName, kTypeOrFunctionName, kReserved };

struct Keyword {
  std::string_view word;
  KeywordCategory category;
  bool bare_label;
};

std::span<const Keyword> Keywords();
// Null when `word` (in lower case) is none.
const Keyword* FindKeyword(std::string_view word);
// Would the parser take this word for something else where an identifier may stand?
inline bool NeedsQuotesAsIdentifier(std::string_view word) {
  const Keyword* keyword = FindKeyword(word);
  return keyword != nullptr && keyword->category != KeywordCategory::kUnreserved;
}

}  // namespace walden
