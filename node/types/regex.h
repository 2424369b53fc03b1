// PostgreSQL's regular expressions (advanced REs): the engine is Tcl's, Henry Spencer's package that PostgreSQL's is
// descended from. Compiled patterns are cached per process, the least recently used dropped first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace walden {

struct RegexOptions {
  bool ignore_case = false;
  bool basic = false;           // b
  bool extended_only = false;   // e
  bool literal = false;         // q
  bool expanded = false;        // x
  bool newline_stop = false;    // p, n: . and [^ do not match a newline
  bool newline_anchor = false;  // w, n: ^ and $ match at newlines
  bool global = false;          // g, not part of the pattern

  // From PostgreSQL's flags text; 22023 for an unknown one.
  static RegexOptions Parse(std::string_view flags);
};

// A half-open byte range of the subject; start == npos when the group took no part.
struct RegexSpan {
  size_t start = std::string_view::npos;
  size_t end = std::string_view::npos;
  bool matched() const { return start != std::string_view::npos; }
};

class RegexSubject;

class Regex {
 public:
  virtual ~Regex() = default;
  // Groups in parentheses.
  virtual int groups() const = 0;
  virtual bool Matches(std::string_view text) const = 0;
  // Searches from character-boundary `start`; spans[0] is the whole match, spans[1..groups()] the groups.
  virtual bool Search(const RegexSubject& subject, size_t start, std::vector<RegexSpan>* spans) const = 0;
};

// A text prepared for several searches.
class RegexSubject {
 public:
  explicit RegexSubject(std::string_view text);
  ~RegexSubject();
  RegexSubject(const RegexSubject&) = delete;
  std::string_view text() const { return text_; }

 private:
  friend class TclRegex;
  struct Impl;
  std::string_view text_;
  std::unique_ptr<Impl> impl_;
};

// 2201B "invalid regular expression: ..." Valid until the next call that compiles; take the shared_ptr.
std::shared_ptr<const Regex> CompileRegex(std::string_view pattern, const RegexOptions& options);

// The regular expression for a SIMILAR TO pattern. `escape` empty = no escape character. 22019 on a bad escape.
std::string SimilarToRegex(std::string_view pattern, std::string_view escape);

// LIKE over UTF-8. 22025 if the pattern ends with its escape character, a backslash.
bool LikeMatches(std::string_view text, std::string_view pattern);
// LIKE for bytea: every byte is a character.
bool LikeMatchesBytes(std::string_view text, std::string_view pattern);
// The pattern with `escape` turned into backslashes (LIKE ... ESCAPE). 22019.
std::string LikeEscape(std::string_view pattern, std::string_view escape);

}  // namespace walden
