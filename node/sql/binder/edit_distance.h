// Levenshtein distance in characters, for "Perhaps you meant ..." hints.
#pragma once

#include <string_view>

namespace walden {

// The distance, or something greater than `limit` once it is known to exceed it.
int EditDistance(std::string_view a, std::string_view b, int limit);

}  // namespace walden
