#include "node/types/keyword.h"

#include <algorithm>

namespace walden {
namespace {
using enum KeywordCategory;
constexpr Keyword kKeywords[] = {
#define X(word, category, bare) {word, category, bare},
#include "node/types/keywords.def"
#undef X
};
}  // namespace

std::span<const Keyword> Keywords() { return kKeywords; }

const Keyword* FindKeyword(std::string_view word) {
  auto found = std::lower_bound(std::begin(kKeywords), std::end(kKeywords), word,
                                [](const Keyword& keyword, std::string_view w) { return keyword.word < w; });
  return found != std::end(kKeywords) && found->word == word ? found : nullptr;
}

}  // namespace walden
