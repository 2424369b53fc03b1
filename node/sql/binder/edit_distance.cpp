#include "node/sql/binder/edit_distance.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace walden {
namespace {

// Splits UTF-8 into characters.
std::vector<std::string_view> Characters(std::string_view text) {
  std::vector<std::string_view> characters;
  size_t start = 0;
  for (size_t i = 1; i <= text.size(); ++i) {
    if (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    characters.push_back(text.substr(start, i - start));
    start = i;
  }
  return characters;
}

}  // namespace

int EditDistance(std::string_view a, std::string_view b, int limit) {
  std::vector<std::string_view> from = Characters(a), to = Characters(b);
  int difference = std::abs(static_cast<int>(from.size()) - static_cast<int>(to.size()));
  if (difference > limit) return limit + 1;
  std::vector<int> row(to.size() + 1);
  for (size_t j = 0; j <= to.size(); ++j) row[j] = static_cast<int>(j);
  for (size_t i = 1; i <= from.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= to.size(); ++j) {
      int substitute = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substitute, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[to.size()];
}

}  // namespace walden
