#include "node/sql/functions/datetime_pattern.h"

#include "node/types/utf8.h"

namespace walden {
namespace {

struct Keyword {
  std::string_view text;  // as matched
  DatePart part;
  int digits;
  bool exact_case;  // the spelling chooses the case of the output
};

// Longer words first among those that share a beginning.
constexpr Keyword kKeywords[] = {{"A.D.", DatePart::kEra, 0, true},
                                 {"a.d.", DatePart::kEra, 0, true},
                                 {"A.M.", DatePart::kMeridiem, 0, true},
                                 {"a.m.", DatePart::kMeridiem, 0, true},
                                 {"AD", DatePart::kEra, 0, true},
                                 {"ad", DatePart::kEra, 0, true},
                                 {"AM", DatePart::kMeridiem, 0, true},
                                 {"am", DatePart::kMeridiem, 0, true},
                                 {"B.C.", DatePart::kEra, 0, true},
                                 {"b.c.", DatePart::kEra, 0, true},
                                 {"BC", DatePart::kEra, 0, true},
                                 {"bc", DatePart::kEra, 0, true},
                                 {"CC", DatePart::kCentury, 2, false},
                                 {"DAY", DatePart::kDayName, 0, true},
                                 {"Day", DatePart::kDayName, 0, true},
                                 {"day", DatePart::kDayName, 0, true},
                                 {"DDD", DatePart::kDayOfYear, 3, false},
                                 {"DD", DatePart::kDay, 2, false},
                                 {"DY", DatePart::kDayAbbreviation, 0, true},
                                 {"Dy", DatePart::kDayAbbreviation, 0, true},
                                 {"dy", DatePart::kDayAbbreviation, 0, true},
                                 {"D", DatePart::kDayOfWeek, 1, false},
                                 {"FF1", DatePart::kFraction, 1, false},
                                 {"FF2", DatePart::kFraction, 2, false},
                                 {"FF3", DatePart::kFraction, 3, false},
                                 {"FF4", DatePart::kFraction, 4, false},
                                 {"FF5", DatePart::kFraction, 5, false},
                                 {"FF6", DatePart::kFraction, 6, false},
                                 {"HH24", DatePart::kHour24, 2, false},
                                 {"HH12", DatePart::kHour12, 2, false},
                                 {"HH", DatePart::kHour12, 2, false},
                                 {"IDDD", DatePart::kIsoDayOfYear, 3, false},
                                 {"ID", DatePart::kIsoDayOfWeek, 1, false},
                                 {"IW", DatePart::kIsoWeek, 2, false},
                                 {"IYYY", DatePart::kIsoYear, 4, false},
                                 {"IYY", DatePart::kIsoYear, 3, false},
                                 {"IY", DatePart::kIsoYear, 2, false},
                                 {"I", DatePart::kIsoYear, 1, false},
                                 {"J", DatePart::kJulian, 7, false},
                                 {"MI", DatePart::kMinute, 2, false},
                                 {"MM", DatePart::kMonthNumber, 2, false},
                                 {"MONTH", DatePart::kMonthName, 0, true},
                                 {"Month", DatePart::kMonthName, 0, true},
                                 {"month", DatePart::kMonthName, 0, true},
                                 {"MON", DatePart::kMonthAbbreviation, 0, true},
                                 {"Mon", DatePart::kMonthAbbreviation, 0, true},
                                 {"mon", DatePart::kMonthAbbreviation, 0, true},
                                 {"MS", DatePart::kMillisecond, 3, false},
                                 {"OF", DatePart::kOffset, 0, false},
                                 {"P.M.", DatePart::kMeridiem, 0, true},
                                 {"p.m.", DatePart::kMeridiem, 0, true},
                                 {"PM", DatePart::kMeridiem, 0, true},
                                 {"pm", DatePart::kMeridiem, 0, true},
                                 {"Q", DatePart::kQuarter, 1, false},
                                 {"RM", DatePart::kMonthRoman, 0, true},
                                 {"rm", DatePart::kMonthRoman, 0, true},
                                 {"SSSSS", DatePart::kSecondsOfDay, 5, false},
                                 {"SSSS", DatePart::kSecondsOfDay, 5, false},
                                 {"SS", DatePart::kSecond, 2, false},
                                 {"TZH", DatePart::kZoneHours, 2, false},
                                 {"TZM", DatePart::kZoneMinutes, 2, false},
                                 {"TZ", DatePart::kZoneName, 0, true},
                                 {"tz", DatePart::kZoneName, 0, true},
                                 {"US", DatePart::kMicrosecond, 6, false},
                                 {"WW", DatePart::kWeek, 2, false},
                                 {"W", DatePart::kWeekOfMonth, 1, false},
                                 {"Y,YYY", DatePart::kYearComma, 4, false},
                                 {"YYYY", DatePart::kYear, 4, false},
                                 {"YYY", DatePart::kYear, 3, false},
                                 {"YY", DatePart::kYear, 2, false},
                                 {"Y", DatePart::kYear, 1, false}};

bool StartsWith(std::string_view text, std::string_view word, bool exact) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    char c = text[i];
    if (!exact && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    if (c != word[i]) return false;
  }
  return true;
}

LetterCase CaseOf(std::string_view word) {
  if (word[0] >= 'a' && word[0] <= 'z') return LetterCase::kLower;
  return word.size() > 1 && word[1] >= 'a' && word[1] <= 'z' ? LetterCase::kCapital : LetterCase::kUpper;
}

const Keyword* Match(std::string_view text) {
  for (const Keyword& keyword : kKeywords) {
    if (StartsWith(text, keyword.text, keyword.exact_case)) return &keyword;
  }
  return nullptr;
}

}  // namespace

std::vector<DateField> ParseDatePattern(std::string_view pattern) {
  std::vector<DateField> fields;
  auto add_literal = [&](std::string_view text) {
    if (fields.empty() || fields.back().part != DatePart::kLiteral) fields.emplace_back();
    fields.back().literal += text;
  };
  bool fill = false;
  for (size_t at = 0; at < pattern.size();) {
    std::string_view rest = pattern.substr(at);
    if (StartsWith(rest, "FM", false)) {
      fill = true;
      at += 2;
    } else if (StartsWith(rest, "FX", false) || (StartsWith(rest, "TM", false))) {
      at += 2;
    } else if (rest[0] == '"') {
      size_t end = at + 1;
      std::string literal;
      while (end < pattern.size() && pattern[end] != '"') {
        if (pattern[end] == '\\' && end + 1 < pattern.size()) ++end;
        literal.push_back(pattern[end++]);
      }
      add_literal(literal);
      at = end + 1;
    } else if (rest[0] == '\\' && rest.size() > 1 && rest[1] == '"') {
      add_literal("\"");
      at += 2;
    } else if (const Keyword* keyword = Match(rest)) {
      DateField field;
      field.part = keyword->part;
      field.digits = keyword->digits;
      field.letters = CaseOf(rest);
      field.dots = keyword->text.find('.') != std::string_view::npos;
      field.fill = fill;
      at += keyword->text.size();
      std::string_view suffix = pattern.substr(at);
      if (suffix.starts_with("TH") || suffix.starts_with("th")) {
        field.ordinal = suffix[0] == 'T' ? 'T' : 't';
        at += 2;
      } else if (StartsWith(suffix, "SP", false)) {
        at += 2;
      }
      fields.push_back(field);
      fill = false;
    } else {
      auto length = static_cast<size_t>(Utf8Length(static_cast<unsigned char>(rest[0])));
      add_literal(rest.substr(0, length));
      at += length;
      fill = false;
    }
  }
  return fields;
}

}  // namespace walden
