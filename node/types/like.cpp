// LIKE and SIMILAR TO patterns.
#include "node/base/error.h"
#include "node/types/regex.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

// Greedy matching with one point of return: the last % seen.
bool Match(std::string_view text, std::string_view pattern, bool multibyte) {
  size_t t = 0, p = 0;
  size_t star_pattern = std::string_view::npos, star_text = 0;
  auto step = [&](size_t at) {
    return multibyte ? static_cast<size_t>(Utf8Length(static_cast<unsigned char>(text[at]))) : size_t{1};
  };
  while (true) {
    if (p < pattern.size()) {
      char c = pattern[p];
      if (c == '%') {
        star_pattern = ++p;
        star_text = t;
        if (p == pattern.size()) return true;
        continue;
      }
      if (t < text.size()) {
        if (c == '_') {
          t += step(t);
          ++p;
          continue;
        }
        size_t literal = p;
        if (c == '\\') {
          if (++literal == pattern.size()) {
            throw SqlError(ErrorCode::kInvalidEscapeSequence,
                           "LIKE pattern must not end with escape character");
          }
        }
        if (pattern[literal] == text[t]) {
          p = literal + 1;
          ++t;
          continue;
        }
      }
    } else if (t == text.size()) {
      return true;
    }
    if (star_pattern == std::string_view::npos || star_text >= text.size()) return false;
    star_text += step(star_text);
    t = star_text;
    p = star_pattern;
  }
}

}  // namespace

bool LikeMatches(std::string_view text, std::string_view pattern) { return Match(text, pattern, true); }
bool LikeMatchesBytes(std::string_view text, std::string_view pattern) { return Match(text, pattern, false); }

namespace {

void RequireOneCharacter(std::string_view escape) {
  if (Utf8Count(escape) > 1) {
    throw SqlError(ErrorCode::kInvalidEscapeSequence, "invalid escape string")
        .WithHint("Escape string must be empty or one character.");
  }
}

}  // namespace

std::string LikeEscape(std::string_view pattern, std::string_view escape) {
  RequireOneCharacter(escape);
  std::string result;
  if (escape == "\\") return std::string(pattern);
  bool after_escape = false;
  for (size_t at = 0; at < pattern.size();) {
    auto length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(pattern[at])));
    std::string_view c = pattern.substr(at, length);
    at += length;
    if (!escape.empty() && c == escape && !after_escape) {
      result.push_back('\\');
      after_escape = true;
    } else {
      if (c == "\\" && !after_escape) result.push_back('\\');
      if (c == "\\" && after_escape) {
        // The escape already put one backslash before this one.
      }
      result += c;
      after_escape = false;
    }
  }
  return result;
}

std::string SimilarToRegex(std::string_view pattern, std::string_view escape) {
  RequireOneCharacter(escape);
  std::string result = "^(?:";
  bool after_escape = false, in_class = false;
  int quotes = 0;  // of the substring form: escape-double-quote separators
  for (size_t at = 0; at < pattern.size();) {
    auto length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(pattern[at])));
    std::string_view c = pattern.substr(at, length);
    at += length;
    if (after_escape) {
      after_escape = false;
      if (c == "\"" && !in_class) {
        if (quotes == 0)
          result += "){1,1}?(";
        else if (quotes == 1)
          result += "){1,1}(?:";
        else {
          throw SqlError(
              ErrorCode::kInvalidUseOfEscapeCharacter,
              "SQL regular expression may not contain more than two escape-double-quote separators");
        }
        ++quotes;
      } else {
        result.push_back('\\');
        result += c;
      }
    } else if (!escape.empty() && c == escape) {
      after_escape = true;
    } else if (in_class) {
      if (c == "\\") result.push_back('\\');
      result += c;
      if (c == "]") in_class = false;
    } else if (c == "[") {
      result += c;
      in_class = true;
    } else if (c == "%") {
      result += ".*";
    } else if (c == "_") {
      result += ".";
    } else if (c == "(") {
      result += "(?:";
    } else if (c == "\\" || c == "." || c == "^" || c == "$") {
      result.push_back('\\');
      result += c;
    } else {
      result += c;
    }
  }
  result += ")$";
  return result;
}

}  // namespace walden
