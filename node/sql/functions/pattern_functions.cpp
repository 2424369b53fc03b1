// LIKE, SIMILAR TO and regular expressions.
#include <memory>
#include <vector>

#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/regex.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

using View = std::string_view;

bool Like(View a, View pattern) { return LikeMatches(a, pattern); }
bool NotLike(View a, View pattern) { return !LikeMatches(a, pattern); }
bool LikeIgnoringCase(View a, View pattern) {
  std::string text, lower;
  AppendLower(&text, a);
  AppendLower(&lower, pattern);
  return LikeMatches(text, lower);
}
bool NotLikeIgnoringCase(View a, View pattern) { return !LikeIgnoringCase(a, pattern); }
View EscapedLike(CallContext& c, View pattern, View escape) { return Keep(c, LikeEscape(pattern, escape)); }

View Similar1(CallContext& c, View pattern) { return Keep(c, SimilarToRegex(pattern, "\\")); }
View Similar2(CallContext& c, View pattern, View escape) { return Keep(c, SimilarToRegex(pattern, escape)); }
std::optional<View> SimilarEscape(CallContext& c, std::optional<View> pattern, std::optional<View> escape) {
  if (!pattern) return std::nullopt;
  return Keep(c, SimilarToRegex(*pattern, escape ? *escape : "\\"));
}

// The pattern of the previous row, kept by the call site: most patterns are constants.
struct CachedRegex {
  std::string pattern;
  std::string flags;
  RegexOptions options;
  std::shared_ptr<const Regex> regex;
};
const CachedRegex& Compiled(CallContext& c, View pattern, View flags) {
  auto cached = static_cast<CachedRegex*>(c.site.cache.get());
  if (cached == nullptr) {
    auto made = std::make_shared<CachedRegex>();
    cached = made.get();
    c.site.cache = std::move(made);
  }
  if (cached->regex == nullptr || cached->pattern != pattern || cached->flags != flags) {
    cached->options = RegexOptions::Parse(flags);
    cached->regex = CompileRegex(pattern, cached->options);
    cached->pattern = pattern;
    cached->flags = flags;
  }
  return *cached;
}

bool Matches(CallContext& c, View a, View pattern) { return Compiled(c, pattern, "").regex->Matches(a); }
bool NotMatches(CallContext& c, View a, View pattern) { return !Matches(c, a, pattern); }
bool MatchesIgnoringCase(CallContext& c, View a, View pattern) {
  return Compiled(c, pattern, "i").regex->Matches(a);
}
bool NotMatchesIgnoringCase(CallContext& c, View a, View pattern) {
  return !MatchesIgnoringCase(c, a, pattern);
}

// substring(text from pattern): the first group, else the whole match.
std::optional<View> Substring(CallContext& c, View a, View pattern) {
  const CachedRegex& compiled = Compiled(c, pattern, "");
  RegexSubject subject(a);
  std::vector<RegexSpan> spans;
  if (!compiled.regex->Search(subject, 0, &spans)) return std::nullopt;
  const RegexSpan& span = spans.size() > 1 ? spans[1] : spans[0];
  if (!span.matched()) return std::nullopt;
  return a.substr(span.start, span.end - span.start);
}

size_t NextCharacter(View a, size_t at) {
  return at + (at < a.size() ? static_cast<size_t>(Utf8Length(static_cast<unsigned char>(a[at]))) : 1);
}

// Calls f(spans) for each match in turn from byte `start`; f returns false to stop.
template <class F>
void ForEachMatch(const Regex& regex, View a, size_t start, F f) {
  RegexSubject subject(a);
  std::vector<RegexSpan> spans;
  for (size_t at = start; at <= a.size() && regex.Search(subject, at, &spans);) {
    if (!f(spans)) return;
    at = spans[0].end > spans[0].start ? spans[0].end : NextCharacter(a, spans[0].end);
  }
}

void AppendReplacement(std::string* to, View a, View replacement, const std::vector<RegexSpan>& spans) {
  auto append = [&](size_t group) {
    if (group < spans.size() && spans[group].matched())
      to->append(a.substr(spans[group].start, spans[group].end - spans[group].start));
  };
  for (size_t at = 0; at < replacement.size(); ++at) {
    if (replacement[at] != '\\' || at + 1 == replacement.size()) {
      to->push_back(replacement[at]);
      continue;
    }
    char c = replacement[++at];
    if (c >= '1' && c <= '9')
      append(static_cast<size_t>(c - '0'));
    else if (c == '&')
      append(0);
    else if (c == '\\')
      to->push_back('\\');
    else
      (*to += '\\').push_back(c);
  }
}

// nth = 0: all matches.
View ReplaceMatches(CallContext& c, const Regex& regex, View a, View replacement, size_t start, int nth) {
  std::string text;
  size_t copied = 0;
  int count = 0;
  ForEachMatch(regex, a, start, [&](const std::vector<RegexSpan>& spans) {
    ++count;
    if (nth > 0 && count < nth) return true;
    text += a.substr(copied, spans[0].start - copied);
    AppendReplacement(&text, a, replacement, spans);
    copied = spans[0].end;
    return nth == 0;
  });
  if (copied == 0 && text.empty()) return a;
  text += a.substr(copied);
  return Keep(c, text);
}

View Replace(CallContext& c, View a, View pattern, View replacement) {
  return ReplaceMatches(c, *Compiled(c, pattern, "").regex, a, replacement, 0, 1);
}
View ReplaceFlags(CallContext& c, View a, View pattern, View replacement, View flags) {
  if (!flags.empty() && flags[0] >= '0' && flags[0] <= '9') {
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid regular expression option: \"{}\"",
                   flags.substr(0, 1))
        .WithHint(
            "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to "
            "integer explicitly.");
  }
  const CachedRegex& compiled = Compiled(c, pattern, flags);
  return ReplaceMatches(c, *compiled.regex, a, replacement, 0, compiled.options.global ? 0 : 1);
}

[[noreturn]] void InvalidParameter(const char* name, int32_t value) {
  throw SqlError(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"{}\": {}", name, value);
}
void RejectGlobal(const CachedRegex& compiled, const char* function) {
  if (compiled.options.global) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "{} does not support the \"global\" option", function);
  }
}
size_t StartByte(View a, int32_t start) {
  if (start <= 0) InvalidParameter("start", start);
  size_t characters = Utf8Count(a);
  if (static_cast<size_t>(start) > characters + 1) return a.size() + 1;
  return Utf8Offset(a, static_cast<size_t>(start - 1));
}

View ReplaceExtended(CallContext& c, View a, View pattern, View replacement, int32_t start, int32_t nth,
                     View flags) {
  if (nth < 0) InvalidParameter("n", nth);
  size_t from = StartByte(a, start);
  return ReplaceMatches(c, *Compiled(c, pattern, flags).regex, a, replacement, from, nth);
}
View ReplaceNoFlags(CallContext& c, View a, View pattern, View replacement, int32_t start, int32_t nth) {
  return ReplaceExtended(c, a, pattern, replacement, start, nth, "");
}
View ReplaceNoN(CallContext& c, View a, View pattern, View replacement, int32_t start) {
  return ReplaceExtended(c, a, pattern, replacement, start, 1, "");
}

std::string_view GroupsArray(Arena& arena, View a, const std::vector<RegexSpan>& spans) {
  ArrayBuilder builder(type_oid::kText, PhysicalType::kString);
  for (size_t i = spans.size() > 1 ? 1 : 0; i < spans.size(); ++i) {
    if (spans[i].matched())
      builder.Add(Value{StringDatum(a.substr(spans[i].start, spans[i].end - spans[i].start)), false});
    else
      builder.AddNull();
  }
  return builder.Finish(arena);
}

std::optional<View> Match(CallContext& c, View a, View pattern, View flags) {
  const CachedRegex& compiled = Compiled(c, pattern, flags);
  if (compiled.options.global) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "regexp_match() does not support the \"global\" option")
        .WithHint("Use the regexp_matches function instead.");
  }
  RegexSubject subject(a);
  std::vector<RegexSpan> spans;
  if (!compiled.regex->Search(subject, 0, &spans)) return std::nullopt;
  return GroupsArray(c.arena, a, spans);
}
std::optional<View> MatchNoFlags(CallContext& c, View a, View pattern) { return Match(c, a, pattern, ""); }

bool LikeRegex(CallContext& c, View a, View pattern, View flags) {
  const CachedRegex& compiled = Compiled(c, pattern, flags);
  RejectGlobal(compiled, "regexp_like()");
  return compiled.regex->Matches(a);
}
bool LikeRegexNoFlags(CallContext& c, View a, View pattern) { return LikeRegex(c, a, pattern, ""); }

int32_t Count(CallContext& c, View a, View pattern, int32_t start, View flags) {
  const CachedRegex& compiled = Compiled(c, pattern, flags);
  RejectGlobal(compiled, "regexp_count()");
  int32_t count = 0;
  ForEachMatch(*compiled.regex, a, StartByte(a, start), [&](const auto&) { return ++count, true; });
  return count;
}
int32_t CountNoFlags(CallContext& c, View a, View pattern, int32_t start) {
  return Count(c, a, pattern, start, "");
}
int32_t CountNoStart(CallContext& c, View a, View pattern) { return Count(c, a, pattern, 1, ""); }

// The nth match from `start`, or no spans.
std::vector<RegexSpan> NthMatch(const Regex& regex, View a, int32_t start, int32_t nth) {
  if (nth <= 0) InvalidParameter("n", nth);
  std::vector<RegexSpan> found;
  int32_t count = 0;
  ForEachMatch(regex, a, StartByte(a, start), [&](const std::vector<RegexSpan>& spans) {
    if (++count < nth) return true;
    found = spans;
    return false;
  });
  return found;
}

int32_t Instr(CallContext& c, View a, View pattern, int32_t start, int32_t nth, int32_t end_option,
              View flags, int32_t group) {
  if (start <= 0) InvalidParameter("start", start);
  if (nth <= 0) InvalidParameter("n", nth);
  if (end_option != 0 && end_option != 1) InvalidParameter("endoption", end_option);
  if (group < 0) InvalidParameter("subexpr", group);
  const CachedRegex& compiled = Compiled(c, pattern, flags);
  RejectGlobal(compiled, "regexp_instr()");
  std::vector<RegexSpan> spans = NthMatch(*compiled.regex, a, start, nth);
  if (static_cast<size_t>(group) >= spans.size() || !spans[static_cast<size_t>(group)].matched()) return 0;
  const RegexSpan& span = spans[static_cast<size_t>(group)];
  return static_cast<int32_t>(Utf8Count(a.substr(0, end_option == 1 ? span.end : span.start))) + 1;
}
int32_t Instr6(CallContext& c, View a, View p, int32_t s, int32_t n, int32_t e, View f) {
  return Instr(c, a, p, s, n, e, f, 0);
}
int32_t Instr5(CallContext& c, View a, View p, int32_t s, int32_t n, int32_t e) {
  return Instr(c, a, p, s, n, e, "", 0);
}
int32_t Instr4(CallContext& c, View a, View p, int32_t s, int32_t n) {
  return Instr(c, a, p, s, n, 0, "", 0);
}
int32_t Instr3(CallContext& c, View a, View p, int32_t s) { return Instr(c, a, p, s, 1, 0, "", 0); }
int32_t Instr2(CallContext& c, View a, View p) { return Instr(c, a, p, 1, 1, 0, "", 0); }

std::optional<View> Substr(CallContext& c, View a, View pattern, int32_t start, int32_t nth, View flags,
                           int32_t group) {
  if (start <= 0) InvalidParameter("start", start);
  if (nth <= 0) InvalidParameter("n", nth);
  if (group < 0) InvalidParameter("subexpr", group);
  const CachedRegex& compiled = Compiled(c, pattern, flags);
  RejectGlobal(compiled, "regexp_substr()");
  std::vector<RegexSpan> spans = NthMatch(*compiled.regex, a, start, nth);
  if (static_cast<size_t>(group) >= spans.size() || !spans[static_cast<size_t>(group)].matched())
    return std::nullopt;
  const RegexSpan& span = spans[static_cast<size_t>(group)];
  return a.substr(span.start, span.end - span.start);
}
using MaybeView = std::optional<View>;
MaybeView Substr5(CallContext& c, View a, View p, int32_t s, int32_t n, View f) {
  return Substr(c, a, p, s, n, f, 0);
}
MaybeView Substr4(CallContext& c, View a, View p, int32_t s, int32_t n) {
  return Substr(c, a, p, s, n, "", 0);
}
MaybeView Substr3(CallContext& c, View a, View p, int32_t s) { return Substr(c, a, p, s, 1, "", 0); }
MaybeView Substr2(CallContext& c, View a, View p) { return Substr(c, a, p, 1, 1, "", 0); }

// The pieces between matches. A match of nothing splits between characters, but not at the ends or after a match.
std::vector<View> Split(CallContext& c, View a, View pattern, View flags, const char* function) {
  const CachedRegex& compiled = Compiled(c, pattern, flags);
  RejectGlobal(compiled, function);
  std::vector<View> pieces;
  size_t from = 0;
  ForEachMatch(*compiled.regex, a, 0, [&](const std::vector<RegexSpan>& spans) {
    const RegexSpan& match = spans[0];
    if (match.end == match.start && (match.start >= a.size() || match.start == from)) return true;
    pieces.push_back(a.substr(from, match.start - from));
    from = match.end;
    return true;
  });
  pieces.push_back(a.substr(from));
  return pieces;
}
View SplitToArray(CallContext& c, View a, View pattern, View flags) {
  return MakeTextArray(Split(c, a, pattern, flags, "regexp_split_to_array()"), type_oid::kText, c.arena);
}
View SplitToArrayNoFlags(CallContext& c, View a, View pattern) { return SplitToArray(c, a, pattern, ""); }

constexpr ScalarFunction kTable[] = {
    Fast<&Like>("textlike"),
    Fast<&NotLike>("textnlike"),
    Scalar<&Like>("namelike"),
    Scalar<&NotLike>("namenlike"),
    Scalar<&LikeIgnoringCase>("texticlike"),
    Scalar<&NotLikeIgnoringCase>("texticnlike"),
    Scalar<&LikeIgnoringCase>("nameiclike"),
    Scalar<&NotLikeIgnoringCase>("nameicnlike"),
    Scalar<&EscapedLike>("like_escape"),
    Scalar<&EscapedLike>("like_escape_bytea"),
    Scalar<&Similar1>("similar_to_escape_1"),
    Scalar<&Similar2>("similar_to_escape_2"),
    Scalar<&SimilarEscape>("similar_escape"),
    Scalar<&Matches>("textregexeq"),
    Scalar<&NotMatches>("textregexne"),
    Scalar<&MatchesIgnoringCase>("texticregexeq"),
    Scalar<&NotMatchesIgnoringCase>("texticregexne"),
    Scalar<&Matches>("nameregexeq"),
    Scalar<&NotMatches>("nameregexne"),
    Scalar<&MatchesIgnoringCase>("nameicregexeq"),
    Scalar<&NotMatchesIgnoringCase>("nameicregexne"),
    Scalar<&Substring>("textregexsubstr"),
    Scalar<&Replace>("textregexreplace_noopt"),
    Scalar<&ReplaceFlags>("textregexreplace"),
    Scalar<&ReplaceExtended>("textregexreplace_extended"),
    Scalar<&ReplaceNoFlags>("textregexreplace_extended_no_flags"),
    Scalar<&ReplaceNoN>("textregexreplace_extended_no_n"),
    Scalar<&Match>("regexp_match"),
    Scalar<&MatchNoFlags>("regexp_match_no_flags"),
    Scalar<&LikeRegex>("regexp_like"),
    Scalar<&LikeRegexNoFlags>("regexp_like_no_flags"),
    Scalar<&Count>("regexp_count"),
    Scalar<&CountNoFlags>("regexp_count_no_flags"),
    Scalar<&CountNoStart>("regexp_count_no_start"),
    Scalar<&Instr>("regexp_instr"),
    Scalar<&Instr6>("regexp_instr_no_subexpr"),
    Scalar<&Instr5>("regexp_instr_no_flags"),
    Scalar<&Instr4>("regexp_instr_no_endoption"),
    Scalar<&Instr3>("regexp_instr_no_n"),
    Scalar<&Instr2>("regexp_instr_no_start"),
    Scalar<&Substr>("regexp_substr"),
    Scalar<&Substr5>("regexp_substr_no_subexpr"),
    Scalar<&Substr4>("regexp_substr_no_flags"),
    Scalar<&Substr3>("regexp_substr_no_n"),
    Scalar<&Substr2>("regexp_substr_no_start"),
    Scalar<&SplitToArray>("regexp_split_to_array"),
    Scalar<&SplitToArrayNoFlags>("regexp_split_to_array_no_flags"),
};

// --- As tables -------------------------------------------------------------------------------------------------

// Rows of one by-reference column, made when the call starts.
class TextRows : public TableFunction {
 public:
  explicit TextRows(std::vector<std::string> rows) : rows_(std::move(rows)) {}
  uint32_t Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    for (; count < max_rows && at_ < rows_.size(); ++count, ++at_) {
      columns[0]->data<StringRef>()[count] = {rows_[at_].data(), rows_[at_].size()};
    }
    return count;
  }

 private:
  std::vector<std::string> rows_;
  size_t at_ = 0;
};

View Text(std::span<const Value> args, size_t index) {
  return index < args.size() ? args[index].datum.string.view() : View{};
}

std::unique_ptr<TableFunction> MatchesTable(CallContext& c, std::span<const Value> args) {
  View a = Text(args, 0);
  CachedRegex compiled = Compiled(c, Text(args, 1), Text(args, 2));
  std::vector<std::string> rows;
  ForEachMatch(*compiled.regex, a, 0, [&](const std::vector<RegexSpan>& spans) {
    rows.emplace_back(GroupsArray(c.arena, a, spans));
    return compiled.options.global;
  });
  return std::make_unique<TextRows>(std::move(rows));
}
std::unique_ptr<TableFunction> SplitTable(CallContext& c, std::span<const Value> args) {
  std::vector<std::string> rows;
  for (View piece : Split(c, Text(args, 0), Text(args, 1), Text(args, 2), "regexp_split_to_table()"))
    rows.emplace_back(piece);
  return std::make_unique<TextRows>(std::move(rows));
}

constexpr SetFunction kSets[] = {
    {"regexp_matches", true, &MatchesTable},
    {"regexp_matches_no_flags", true, &MatchesTable},
    {"regexp_split_to_table", true, &SplitTable},
    {"regexp_split_to_table_no_flags", true, &SplitTable},
};

}  // namespace

std::span<const ScalarFunction> PatternFunctions() { return kTable; }
std::span<const SetFunction> PatternSetFunctions() { return kSets; }

}  // namespace walden
