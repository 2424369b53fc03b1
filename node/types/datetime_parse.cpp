// Reading dates and times. A text is cut into fields (dates, times, numbers, words, zones), then each field is given its meaning
// in the light of those before it and of DateOrder, as PostgreSQL documents in its appendix on date/time input.
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/types/datetime.h"
#include "node/types/integer.h"

namespace walden {
namespace {

enum class Special {
  kNone,
  kNow,
  kToday,
  kTomorrow,
  kYesterday,
  kEpoch,
  kInfinity,
  kMinusInfinity,
  kAllBalls
};
enum class Problem { kSyntax, kRange, kMonthDayRange, kZoneRange };

struct Fail {
  Problem problem;
};

enum class FieldKind { kNumber, kDate, kTime, kWord, kZone };
struct Field {
  FieldKind kind;
  std::string text;  // lower case
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c & 0x80) != 0; }

class Splitter {
 public:
  explicit Splitter(std::string_view text) {
    for (char c : text) text_.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  }
  std::vector<Field> Run() {
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (IsSpace(c))
        ++at_;
      else if (IsDigit(c))
        Digits();
      else if (IsAlpha(c))
        Word();
      else if (c == '+' || c == '-')
        Signed();
      else if (c == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]))
        Digits();
      else if (c == ',' || c == '.' || c == ';' || c == '(' || c == ')')
        ++at_;
      else
        throw Fail{Problem::kSyntax};
      if (fields_.size() > 25) throw Fail{Problem::kSyntax};
    }
    return std::move(fields_);
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  template <class Predicate>
  std::string Take(Predicate predicate) {
    size_t start = at_;
    while (at_ < text_.size() && predicate(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }
  void Add(FieldKind kind, std::string text) { fields_.push_back({kind, std::move(text)}); }

  void Digits() {
    std::string text = Take(IsDigit);
    char next = Peek();
    if (next == ':') {
      text += Take([](char c) { return IsDigit(c) || c == ':' || c == '.'; });
      Add(FieldKind::kTime, std::move(text));
    } else if (next == '-' || next == '/') {
      text.push_back(next);
      ++at_;
      text += Take([next](char c) { return IsDigit(c) || IsAlpha(c) || c == next; });
      // 1999-01-08T10:00: the T belongs to the time.
      size_t t = text.find('t');
      if (t != text.npos && t > 0 && IsDigit(text[t - 1]) && t + 1 < text.size() && IsDigit(text[t + 1])) {
        at_ -= text.size() - t;
        text.resize(t);
      } else if (t != text.npos && t + 1 == text.size() && IsDigit(text[t - 1])) {
        text.resize(t);
        --at_;
      }
      Add(FieldKind::kDate, std::move(text));
    } else if (next == '.') {
      text += Take([](char c) { return IsDigit(c) || c == '.'; });
      size_t dots = 0;
      for (char c : text) dots += c == '.';
      Add(dots > 1 ? FieldKind::kDate : FieldKind::kNumber, std::move(text));
    } else {
      Add(FieldKind::kNumber, std::move(text));
    }
  }

  void Word() {
    std::string text = Take(IsAlpha);
    char next = Peek();
    if ((next == '-' || next == '/' || next == '.') && IsDigit(Peek(1))) {
      if (IsMonthWord(text)) {  // jan-08-1999
        text += Take([next](char c) { return IsDigit(c) || IsAlpha(c) || c == next; });
        Add(FieldKind::kDate, std::move(text));
        return;
      }
    }
    if (text == "j" && IsDigit(next)) {
      text += Take([](char c) { return IsDigit(c) || c == '.'; });
      Add(FieldKind::kWord, std::move(text));
      return;
    }
    if ((text == "t") && IsDigit(next)) {
      Add(FieldKind::kWord, "t");
      return;
    }
    // Zone names and POSIX zones: America/New_York, GMT+3, EST5EDT.
    if (next == '/' || next == '_' || (IsDigit(next) && !IsMonthWord(text)) ||
        ((next == '+' || next == '-') && IsDigit(Peek(1)) && !IsMonthWord(text) && text != "t")) {
      text += Take([](char c) {
        return IsDigit(c) || IsAlpha(c) || c == '/' || c == '_' || c == '+' || c == '-' || c == ':';
      });
      Add(FieldKind::kWord, std::move(text));
      return;
    }
    Add(FieldKind::kWord, std::move(text));
  }

  void Signed() {
    char sign = text_[at_++];
    while (IsSpace(Peek())) ++at_;
    if (IsDigit(Peek())) {
      Add(FieldKind::kZone, sign + Take([](char c) { return IsDigit(c) || c == ':' || c == '.'; }));
    } else if (IsAlpha(Peek())) {
      Add(FieldKind::kWord, sign + Take(IsAlpha));
    } else {
      throw Fail{Problem::kSyntax};
    }
  }

 public:
  static int MonthOf(std::string_view word) {
    static constexpr std::string_view kMonths[12] = {"january",   "february", "march",    "april",
                                                     "may",       "june",     "july",     "august",
                                                     "september", "october",  "november", "december"};
    if (word == "sept") return 9;
    for (int i = 0; i < 12; ++i) {
      if (word == kMonths[i] || word == kMonths[i].substr(0, 3)) return i + 1;
    }
    return 0;
  }

 private:
  static bool IsMonthWord(std::string_view word) { return MonthOf(word) != 0; }

  std::string text_;
  size_t at_ = 0;
  std::vector<Field> fields_;
};

bool IsDayWord(std::string_view word) {
  static constexpr std::string_view kDays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                               "thursday", "friday", "saturday"};
  for (std::string_view day : kDays) {
    if (word == day || word == day.substr(0, 3)) return true;
  }
  return word == "tues" || word == "weds" || word == "thur" || word == "thurs";
}

// Everything a text said.
struct Reading {
  Special special = Special::kNone;
  bool has_year = false, has_month = false, has_day = false, has_time = false, has_zone = false;
  bool text_month = false, two_digit_year = false, has_era = false, bc = false;
  int64_t year = 0, month = 0, day = 0;
  std::optional<int64_t> julian, day_of_year;
  int64_t hour = 0, minute = 0, second = 0, microsecond = 0;
  int half = 0;  // 1 = AM, 2 = PM
  int32_t zone_east = 0;
  const TimeZone* zone = nullptr;
  bool zone_is_abbreviation = false;

  bool has_date() const { return (has_year && has_month && has_day) || julian || (has_year && day_of_year); }
};

int64_t Number(std::string_view digits) {
  int64_t value = 0;
  if (digits.size() > 10) throw Fail{Problem::kRange};
  for (char c : digits) {
    if (!IsDigit(c)) throw Fail{Problem::kSyntax};
    value = value * 10 + (c - '0');
  }
  if (value > INT32_MAX) throw Fail{Problem::kRange};
  return value;
}

// ".123" to microseconds, rounded.
int64_t Fraction(std::string_view text) {
  if (text.size() <= 1) return 0;
  std::string padded = "0" + std::string(text);
  for (char c : text.substr(1)) {
    if (!IsDigit(c)) throw Fail{Problem::kSyntax};
  }
  double value = std::strtod(padded.c_str(), nullptr);
  return std::llrint(value * 1000000);  // halves to even
}

class Reader {
 public:
  Reader(DateOrder order, bool is_time) : order_(order), is_time_(is_time) {}

  Reading Run(std::string_view text) {
    std::vector<Field> fields = Splitter(text).Run();
    if (fields.empty()) throw Fail{Problem::kSyntax};
    for (const Field& field : fields) {
      switch (field.kind) {
        case FieldKind::kDate: Date(field.text); break;
        case FieldKind::kTime: Time(field.text); break;
        case FieldKind::kNumber: WholeNumber(field.text); break;
        case FieldKind::kZone: Zone(field.text); break;
        case FieldKind::kWord: Word(field.text); break;
      }
    }
    Check();
    return r_;
  }

 private:
  void Date(std::string_view text) {
    size_t hyphen = text.find('-');
    if ((is_time_ || r_.has_date()) && !r_.has_time && hyphen == 6 &&
        text.find_first_not_of("0123456789-") == text.npos && text.rfind('-') == hyphen) {
      WholeNumber(text.substr(0, hyphen));  // hhmmss-zone
      Zone(text.substr(hyphen));
      return;
    }
    // A date of one piece stands before the time.
    if (r_.has_date() || r_.has_time) throw Fail{Problem::kSyntax};
    int numbers = 0;  // that it begins with
    for (size_t at = 0; at < text.size();) {
      size_t start = at;
      bool digits = IsDigit(text[at]);
      // A month by name stands first or second.
      if (!digits && numbers >= 2) throw Fail{Problem::kSyntax};
      numbers += digits;
      while (at < text.size() && (digits ? IsDigit(text[at]) : IsAlpha(text[at]))) ++at;
      std::string_view piece = text.substr(start, at - start);
      if (piece.empty()) throw Fail{Problem::kSyntax};
      if (digits) {
        DateNumber(piece);
      } else if (int month = Splitter::MonthOf(piece)) {
        Month(month);
      } else {
        throw Fail{Problem::kSyntax};
      }
      if (at < text.size()) {
        char c = text[at];
        if (c != '-' && c != '/' && c != '.' && IsDigit(text[at]) == digits) throw Fail{Problem::kSyntax};
        if (c == '-' || c == '/' || c == '.') ++at;
        if (at >= text.size()) throw Fail{Problem::kSyntax};
      }
    }
  }

  void Month(int month) {
    if (r_.has_month && !r_.text_month && !r_.has_day) {  // "8 Jan": the number was the day
      r_.has_day = true;
      r_.day = r_.month;
    }
    r_.has_month = r_.text_month = true;
    r_.month = month;
  }
  void SetYear(std::string_view digits, int64_t value) {
    r_.has_year = true;
    r_.year = value;
    r_.two_digit_year = digits.size() <= 2;
  }
  void SetDay(int64_t value) {
    r_.has_day = true;
    r_.day = value;
  }

  // One number of a date.
  void DateNumber(std::string_view digits) {
    int64_t value = Number(digits);
    bool long_number = digits.size() >= 3;
    bool y = r_.has_year, m = r_.has_month, d = r_.has_day;
    if (digits.size() == 3 && y && !m && !d) {
      r_.day_of_year = value;
      return;
    }
    if (!y && !m && !d) {
      if (long_number || order_ == DateOrder::kYmd)
        SetYear(digits, value);
      else if (order_ == DateOrder::kDmy)
        SetDay(value);
      else
        r_.has_month = true, r_.month = value;
    } else if (y && !m && !d) {
      r_.has_month = true;
      r_.month = value;
    } else if (!y && m && !d) {
      if (r_.text_month && (long_number || order_ == DateOrder::kYmd))
        SetYear(digits, value);
      else
        SetDay(value);
    } else if (y && m && !d) {
      if (r_.text_month && long_number && r_.two_digit_year) {  // what looked like a year was the day
        SetDay(r_.year);
        SetYear(digits, value);
      } else {
        SetDay(value);
      }
    } else if (!y && !m && d) {
      r_.has_month = true;
      r_.month = value;
    } else if (!y && m && d) {
      SetYear(digits, value);
    } else {
      throw Fail{Problem::kSyntax};
    }
  }

  // A number standing alone: run-together dates and times, or one part of a spaced date.
  void WholeNumber(std::string_view text) {
    size_t dot = text.find('.');
    std::string_view digits = text.substr(0, dot);
    bool run_together = digits.size() == 6 || digits.size() == 4;
    if (after_t_ || (!r_.has_time && (r_.has_date() || (is_time_ && run_together)))) {
      if (run_together) {
        r_.has_time = true;
        r_.hour = Number(digits.substr(0, 2));
        r_.minute = Number(digits.substr(2, 2));
        r_.second = digits.size() == 6 ? Number(digits.substr(4, 2)) : 0;
        r_.microsecond = dot == text.npos ? 0 : Fraction(text.substr(dot));
        after_t_ = false;
        return;
      }
    }
    if (dot != text.npos && digits.size() == 4 && text.size() == 8 && !r_.has_year) {  // 1999.008
      SetYear(digits, Number(digits));
      r_.day_of_year = Number(text.substr(dot + 1));
      return;
    }
    if (!r_.has_year && !r_.has_month && !r_.has_day && digits.size() >= 6) {
      size_t year_digits = digits.size() - 4;
      SetYear(digits.substr(0, year_digits), Number(digits.substr(0, year_digits)));
      r_.has_month = true;
      r_.month = Number(digits.substr(year_digits, 2));
      SetDay(Number(digits.substr(year_digits + 2)));
      return;
    }
    if (dot != text.npos || digits.size() > 5 || r_.has_date()) throw Fail{Problem::kSyntax};
    DateNumber(digits);
  }

  void SetTime() {
    if (r_.has_time) throw Fail{Problem::kSyntax};
    r_.has_time = true;
  }

  // A day, and with a fraction the time of it.
  void Julian(std::string_view text) {
    size_t dot = text.find('.');
    r_.julian = Number(text.substr(0, dot));
    if (dot == text.npos) return;
    SetTime();
    std::string fraction = "0" + std::string(text.substr(dot));
    auto us = static_cast<int64_t>(std::strtod(fraction.c_str(), nullptr) * static_cast<double>(kUsPerDay));
    r_.hour = us / kUsPerHour;
    r_.minute = us % kUsPerHour / kUsPerMinute;
    r_.second = us % kUsPerMinute / kUsPerSecond;
    r_.microsecond = us % kUsPerSecond;
  }

  void Time(std::string_view text) {
    SetTime();
    after_t_ = false;
    size_t first = text.find(':');
    std::string_view rest = text.substr(first + 1);
    r_.hour = Number(text.substr(0, first));
    size_t second = rest.find(':');
    size_t dot = rest.find('.');
    if (second == rest.npos) {
      r_.minute = Number(rest.substr(0, dot));
      if (dot != rest.npos) {  // mm:ss.fff
        r_.second = r_.minute;
        r_.minute = r_.hour;
        r_.hour = 0;
        r_.microsecond = Fraction(rest.substr(dot));
      }
    } else {
      r_.minute = Number(rest.substr(0, second));
      rest = rest.substr(second + 1);
      dot = rest.find('.');
      if (rest.empty() || rest.find(':') != rest.npos) throw Fail{Problem::kSyntax};
      r_.second = Number(rest.substr(0, dot));
      if (dot != rest.npos) r_.microsecond = Fraction(rest.substr(dot));
    }
    if (text.substr(0, first).empty()) throw Fail{Problem::kSyntax};
  }

  void Zone(std::string_view text) {
    int sign = text[0] == '-' ? -1 : 1;
    std::string_view body = text.substr(1);
    int64_t hours, minutes = 0, seconds = 0;
    size_t colon = body.find(':');
    if (colon != body.npos) {
      hours = Number(body.substr(0, colon));
      std::string_view rest = body.substr(colon + 1);
      size_t next = rest.find(':');
      minutes = Number(rest.substr(0, next));
      if (next != rest.npos) seconds = Number(rest.substr(next + 1));
    } else if (body.size() > 4) {
      hours = Number(body.substr(0, body.size() - 4));
      minutes = Number(body.substr(body.size() - 4, 2));
      seconds = Number(body.substr(body.size() - 2));
    } else if (body.size() > 2) {
      hours = Number(body.substr(0, body.size() - 2));
      minutes = Number(body.substr(body.size() - 2));
    } else {
      hours = Number(body);
    }
    if (hours > 15 || minutes > 59 || seconds > 59) throw Fail{Problem::kZoneRange};
    if (!r_.has_time && !r_.has_date() && r_.special == Special::kNone) throw Fail{Problem::kSyntax};
    if (r_.has_zone && r_.zone == nullptr && r_.zone_east != 0) throw Fail{Problem::kSyntax};
    r_.has_zone = true;
    r_.zone = nullptr;
    r_.zone_east = sign * static_cast<int32_t>(hours * 3600 + minutes * 60 + seconds);
  }

  void Word(const std::string& word) {
    if (word == "t") {
      after_t_ = true;
      return;
    }
    if (word == "am" || word == "pm") {
      if (r_.half != 0) throw Fail{Problem::kSyntax};
      r_.half = word == "am" ? 1 : 2;
      return;
    }
    if (word == "bc" || word == "ad") {
      if (r_.has_era) throw Fail{Problem::kSyntax};
      r_.has_era = true;
      r_.bc = word == "bc";
      return;
    }
    if (word == "at" || word == "on") return;
    int month = Splitter::MonthOf(word);
    if (month != 0 || IsDayWord(word)) {
      if (is_time_) throw Fail{Problem::kSyntax};
      if (month == 0) return;
      if (r_.has_month && (r_.text_month || r_.month < 1 || r_.month > 31)) throw Fail{Problem::kSyntax};
      Month(month);
      return;
    }
    if (word[0] == 'j' && word.size() > 1 && IsDigit(word[1])) {
      Julian(std::string_view(word).substr(1));
      return;
    }
    static constexpr std::pair<std::string_view, Special> kSpecials[] = {
        {"now", Special::kNow},
        {"today", Special::kToday},
        {"tomorrow", Special::kTomorrow},
        {"yesterday", Special::kYesterday},
        {"epoch", Special::kEpoch},
        {"infinity", Special::kInfinity},
        {"-infinity", Special::kMinusInfinity},
        {"allballs", Special::kAllBalls}};
    for (const auto& [name, special] : kSpecials) {
      if (word == name) {
        if (r_.special != Special::kNone) throw Fail{Problem::kSyntax};
        r_.special = special;
        if (special == Special::kAllBalls) SetTime();
        return;
      }
    }
    ZoneWord(word);
  }

  void ZoneWord(const std::string& word) {
    if (word == "dst" && r_.has_zone) {
      r_.zone_east += 3600;
      return;
    }
    int32_t east = 0;
    bool is_dst = false;
    if (word == "z" || word == "zulu" || word == "utc" || word == "gmt" || word == "ut" || word == "uct") {
      r_.has_zone = true;
      r_.zone = nullptr;
      r_.zone_east = 0;
      return;
    }
    if (const TimeZone* changing = TimeZone::OfChangingAbbreviation(word)) {
      r_.has_zone = true;
      r_.zone = changing;
      r_.zone_is_abbreviation = true;
      return;
    }
    if (FindZoneAbbreviation(word, &east, &is_dst)) {
      r_.has_zone = true;
      r_.zone_east = east;
      return;
    }
    const TimeZone* zone = TimeZone::Find(word);
    if (zone == nullptr) {
      if (word.find('/') != word.npos) {
        throw SqlError(ErrorCode::kInvalidParameterValue, "time zone \"{}\" not recognized", word);
      }
      throw Fail{Problem::kSyntax};
    }
    r_.has_zone = true;
    r_.zone = zone;
  }

  // Whether what was said goes together.
  void CheckParts() {
    bool any_date = r_.has_year || r_.has_month || r_.has_day || r_.julian;
    bool is_day = r_.special == Special::kToday || r_.special == Special::kTomorrow ||
                  r_.special == Special::kYesterday;
    if (after_t_ || (is_time_ && any_date && !r_.has_date()) || (is_day && any_date) ||
        (r_.special == Special::kNow && (any_date || r_.has_time)))
      throw Fail{Problem::kSyntax};
    if (r_.day_of_year && (*r_.day_of_year < 1 || *r_.day_of_year > 366)) throw Fail{Problem::kSyntax};
  }

  void Check() {
    CheckParts();
    if (r_.has_year) {
      if (r_.bc) {
        if (r_.year <= 0) throw Fail{Problem::kRange};
        r_.year = 1 - r_.year;
      } else if (r_.two_digit_year) {
        r_.year += r_.year < 70 ? 2000 : 1900;
      } else if (r_.year == 0) {
        throw Fail{Problem::kRange};
      }
    }
    if (r_.has_month && (r_.month < 1 || r_.month > 12)) throw Fail{Problem::kMonthDayRange};
    if (r_.has_day && (r_.day < 1 || r_.day > 31)) throw Fail{Problem::kMonthDayRange};
    if (r_.has_year && r_.has_month && r_.has_day &&
        r_.day > DaysInMonth(static_cast<int32_t>(r_.year), static_cast<int>(r_.month))) {
      throw Fail{Problem::kRange};
    }
    if (r_.half != 0 && r_.hour > 12) throw Fail{Problem::kRange};
    if (r_.half == 1 && r_.hour == 12) r_.hour = 0;
    if (r_.half == 2 && r_.hour != 12) r_.hour += 12;
    if (r_.minute > 59 || r_.second > 60 || r_.hour > 24 ||
        (r_.hour == 24 && (r_.minute > 0 || r_.second > 0 || r_.microsecond > 0))) {
      throw Fail{Problem::kRange};
    }
  }

  DateOrder order_;
  bool is_time_;  // a run of digits is a time
  Reading r_;
  bool after_t_ = false;
};

Reading Read(std::string_view text, const TextFormat& format, const char* type_name, bool is_time = false) {
  try {
    return Reader(format.date_order, is_time).Run(text);
  } catch (const Fail& fail) {
    switch (fail.problem) {
      case Problem::kSyntax:
        throw SqlError(ErrorCode::kInvalidDatetimeFormat, "invalid input syntax for type {}: \"{}\"",
                       type_name, text);
      case Problem::kRange:
        throw SqlError(ErrorCode::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"", text);
      case Problem::kMonthDayRange:
        throw SqlError(ErrorCode::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"", text)
            .WithHint("Perhaps you need a different \"datestyle\" setting.");
      case Problem::kZoneRange:
        throw SqlError(ErrorCode::kInvalidTimeZoneDisplacementValue,
                       "time zone displacement out of range: \"{}\"", text);
    }
    throw;
  }
}

int64_t TimeOf(const Reading& r) {
  return ((r.hour * 60 + r.minute) * 60 + r.second) * kUsPerSecond + r.microsecond;
}

int64_t NowUs(const TextFormat& format) {
  return format.transaction_start_us != 0 ? format.transaction_start_us : WallClockUs();
}

// Days of the date read; requires one. Too many for any date when the year is.
int64_t DaysOf(const Reading& r, std::string_view text, const char* type_name) {
  if (r.julian) return *r.julian - kEpochJulian;
  if (r.has_year && (r.year > 5874898 || r.year < -4713)) return INT32_MAX;
  if (r.has_year && r.day_of_year)
    return int64_t{DaysFromCivil(static_cast<int32_t>(r.year), 1, 1)} + *r.day_of_year - 1;
  if (!r.has_date()) {
    throw SqlError(ErrorCode::kInvalidDatetimeFormat, "invalid input syntax for type {}: \"{}\"", type_name,
                   text);
  }
  return DaysFromCivil(static_cast<int32_t>(r.year), static_cast<int>(r.month), static_cast<int>(r.day));
}

// Local days of a relative word.
int64_t SpecialDays(Special special, const TextFormat& format) {
  int64_t today = SplitTimestamp(UtcToLocal(NowUs(format), format.zone)).days;
  return special == Special::kTomorrow ? today + 1 : special == Special::kYesterday ? today - 1 : today;
}

[[noreturn]] void OutOfRange(const char* type_name, std::string_view text) {
  throw SqlError(ErrorCode::kDatetimeFieldOverflow, "{} out of range: \"{}\"", type_name, text);
}

}  // namespace

int32_t ParseDate(std::string_view text, const TextFormat& format) {
  Reading r = Read(text, format, "date");
  int64_t days;
  switch (r.special) {
    case Special::kInfinity: return kDateInfinity;
    case Special::kMinusInfinity: return kDateMinusInfinity;
    case Special::kEpoch: return kUnixEpochDays;
    case Special::kNow:
    case Special::kToday:
    case Special::kTomorrow:
    case Special::kYesterday: return static_cast<int32_t>(SpecialDays(r.special, format));
    default: days = DaysOf(r, text, "date");
  }
  if (days < kDateMin || days >= kDateEnd) OutOfRange("date", text);
  return static_cast<int32_t>(days);
}

int64_t ParseTimestamp(std::string_view text, const TextFormat& format) {
  Reading r = Read(text, format, "timestamp");
  switch (r.special) {
    case Special::kInfinity: return kTimestampInfinity;
    case Special::kMinusInfinity: return kTimestampMinusInfinity;
    case Special::kEpoch: return int64_t{kUnixEpochDays} * kUsPerDay;
    case Special::kNow: return UtcToLocal(NowUs(format), format.zone);
    case Special::kToday:
    case Special::kTomorrow:
    case Special::kYesterday: return SpecialDays(r.special, format) * kUsPerDay + TimeOf(r);
    default: break;
  }
  __int128 value = static_cast<__int128>(DaysOf(r, text, "timestamp")) * kUsPerDay + TimeOf(r);
  if (value < kTimestampMin || value >= kTimestampEnd) OutOfRange("timestamp", text);
  return static_cast<int64_t>(value);
}

int64_t ParseTimestampTz(std::string_view text, const TextFormat& format) {
  constexpr const char* kName = "timestamp with time zone";
  Reading r = Read(text, format, kName);
  int64_t days;
  switch (r.special) {
    case Special::kInfinity: return kTimestampInfinity;
    case Special::kMinusInfinity: return kTimestampMinusInfinity;
    case Special::kEpoch: return int64_t{kUnixEpochDays} * kUsPerDay;
    case Special::kNow: return NowUs(format);
    case Special::kToday:
    case Special::kTomorrow:
    case Special::kYesterday: days = SpecialDays(r.special, format); break;
    default: days = DaysOf(r, text, kName);
  }
  __int128 wide = static_cast<__int128>(days) * kUsPerDay + TimeOf(r);
  if (wide < kTimestampMin - kUsPerDay || wide >= kTimestampEnd + kUsPerDay) OutOfRange("timestamp", text);
  auto local = static_cast<int64_t>(wide);
  int64_t utc = r.has_zone && r.zone == nullptr ? local - r.zone_east * kUsPerSecond
                                                : LocalToUtc(local, r.has_zone ? r.zone : format.zone);
  if (!IsTimestampInRange(utc)) OutOfRange("timestamp", text);
  return utc;
}

// A zone whose offset depends on the date needs one.
static void CheckTime(const Reading& r, std::string_view text, const char* type) {
  bool needs_date = r.has_zone && r.zone != nullptr && !r.zone_is_abbreviation && !r.zone->is_fixed();
  if (!r.has_time || (needs_date && !r.has_date())) {
    throw SqlError(ErrorCode::kInvalidDatetimeFormat, "invalid input syntax for type {}: \"{}\"", type, text);
  }
  if (TimeOf(r) > kUsPerDay) {
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"", text);
  }
}

int64_t ParseTime(std::string_view text, const TextFormat& format) {
  Reading r = Read(text, format, "time", true);
  if (r.special == Special::kNow) {
    int64_t local = UtcToLocal(NowUs(format), format.zone);
    return local - int64_t{SplitTimestamp(local).days} * kUsPerDay;
  }
  if (r.special == Special::kAllBalls) return 0;
  CheckTime(r, text, "time");
  return TimeOf(r);
}

TimeTzValue ParseTimeTz(std::string_view text, const TextFormat& format) {
  Reading r = Read(text, format, "time with time zone", true);
  TimeTzValue result{};
  int64_t now = NowUs(format);
  if (r.special == Special::kNow) {
    ZoneOffset offset;
    int64_t local = UtcToLocal(now, format.zone, &offset);
    result.microseconds = local - int64_t{SplitTimestamp(local).days} * kUsPerDay;
    result.zone_seconds = -offset.seconds_east;
    return result;
  }
  if (r.special != Special::kAllBalls) CheckTime(r, text, "time with time zone");
  result.microseconds = TimeOf(r);
  if (r.has_zone && r.zone == nullptr) {
    result.zone_seconds = -r.zone_east;
  } else if (r.special != Special::kAllBalls) {
    const TimeZone* zone = r.has_zone ? r.zone : format.zone;
    int64_t days =
        r.has_date() ? DaysOf(r, text, "time with time zone") : SplitTimestamp(UtcToLocal(now, zone)).days;
    int64_t local = days * kUsPerDay + result.microseconds;
    result.zone_seconds = static_cast<int32_t>((LocalToUtc(local, zone) - local) / kUsPerSecond);
  }
  return result;
}

}  // namespace walden
