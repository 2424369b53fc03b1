#include "node/types/interval.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

#include "node/base/error.h"
#include "node/types/calendar.h"
#include "node/types/datetime.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/time_units.h"
#include "node/types/wire.h"

namespace walden {
namespace {

constexpr int32_t Bit(int n) { return 1 << n; }
constexpr int32_t kMonth = Bit(1), kYear = Bit(2), kDay = Bit(3), kHour = Bit(10), kMinute = Bit(11),
                  kSecond = Bit(12);

enum class Problem { kSyntax, kRange, kWholeRange };
struct Fail {
  Problem problem;
};

// An amount as whole part and fraction, both with its sign.
struct Amount {
  int64_t whole = 0;
  double fraction = 0;
};

struct Total {
  __int128 years = 0, months = 0, days = 0, us = 0;

  void AddFractionalDays(double days_amount) {
    auto whole = static_cast<int64_t>(days_amount);
    days += whole;
    us += static_cast<int64_t>(
        std::llrint((days_amount - static_cast<double>(whole)) * static_cast<double>(kUsPerDay)));
  }
  void AddFractionalMonths(double months_amount) {
    // Years and larger units round to whole months.
    months += static_cast<int64_t>(std::llrint(months_amount));
  }
  void Add(const Amount& a, TimeUnit unit) {
    auto time = [&](int64_t scale) {
      us += static_cast<__int128>(a.whole) * scale;
      us += static_cast<int64_t>(std::llrint(a.fraction * static_cast<double>(scale)));
    };
    auto year = [&](int64_t count) {
      years += static_cast<__int128>(a.whole) * count;
      AddFractionalMonths(a.fraction * static_cast<double>(count) * 12);
    };
    switch (unit) {
      case TimeUnit::kMicrosecond: us += a.whole + static_cast<int64_t>(std::llrint(a.fraction)); break;
      case TimeUnit::kMillisecond: time(1000); break;
      case TimeUnit::kSecond: time(kUsPerSecond); break;
      case TimeUnit::kMinute: time(kUsPerMinute); break;
      case TimeUnit::kHour: time(kUsPerHour); break;
      case TimeUnit::kDay:
        days += a.whole;
        us += static_cast<int64_t>(std::llrint(a.fraction * static_cast<double>(kUsPerDay)));
        break;
      case TimeUnit::kWeek:
        days += static_cast<__int128>(a.whole) * 7;
        AddFractionalDays(a.fraction * 7);
        break;
      case TimeUnit::kMonth:
        months += a.whole;
        AddFractionalDays(a.fraction * 30);
        break;
      case TimeUnit::kYear: year(1); break;
      case TimeUnit::kDecade: year(10); break;
      case TimeUnit::kCentury: year(100); break;
      case TimeUnit::kMillennium: year(1000); break;
      default: throw Fail{Problem::kSyntax};
    }
  }
  IntervalValue Finish(bool negate) const {
    __int128 sign = negate ? -1 : 1;
    __int128 y = years * sign, m = months * sign, d = days * sign, t = us * sign;
    auto is_int32 = [](__int128 v) { return v >= INT32_MIN && v <= INT32_MAX; };
    if (!is_int32(y) || !is_int32(m) || !is_int32(d) || t > INT64_MAX || t < INT64_MIN)
      throw Fail{Problem::kRange};
    m += y * 12;
    if (!is_int32(m)) throw Fail{Problem::kWholeRange};
    return {static_cast<int64_t>(t), static_cast<int32_t>(d), static_cast<int32_t>(m)};
  }
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

constexpr uint32_t BitOf(TimeUnit unit) { return 1u << static_cast<int>(unit); }
constexpr uint32_t kSeconds =
    BitOf(TimeUnit::kSecond) | BitOf(TimeUnit::kMillisecond) | BitOf(TimeUnit::kMicrosecond);

class Parser {
 public:
  Parser(std::string_view text, int32_t range) : range_(range) {
    for (char c : text) text_.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  }

  // Fields count from right to left: a unit is that of the number before it, and stays the unit of what stands before that.
  IntervalValue Run() {
    std::vector<Field> fields = Fields();
    std::optional<TimeUnit> unit;
    bool any = false, ago = false, unit_is_ago = false;
    for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
      switch (field->kind) {
        case Field::kWord:
          unit_is_ago = field->word == "ago";
          ago = ago || unit_is_ago;
          if (unit_is_ago) continue;
          unit = TimeUnitOf(field->word);
          if (*unit == TimeUnit::kUnknown) throw Fail{Problem::kSyntax};
          continue;
        case Field::kNumber:
          if (unit_is_ago) throw Fail{Problem::kSyntax};
          if (!unit) unit = DefaultUnit();
          Fill(*unit == TimeUnit::kSecond && field->amount.fraction != 0 ? kSeconds : BitOf(*unit));
          total_.Add(field->amount, *unit);
          break;
        case Field::kClock:
          Fill(BitOf(TimeUnit::kHour) | BitOf(TimeUnit::kMinute) | kSeconds);
          total_.us += field->value;
          unit = TimeUnit::kDay;  // "1 10:00"
          break;
        case Field::kYearsMonths:
          Fill(BitOf(TimeUnit::kMonth));
          total_.months += field->value;
          unit = TimeUnit::kMonth;
          break;
      }
      any = true;
      unit_is_ago = false;
    }
    if (!any) throw Fail{Problem::kSyntax};
    return total_.Finish(ago);
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  // [+-]digits[.digits]
  Amount Number() {
    bool negative = false, has_sign = false;
    if (Peek() == '+' || Peek() == '-') {
      negative = text_[at_++] == '-';
      while (IsSpace(Peek())) ++at_;
      has_sign = true;
    }
    size_t start = at_;
    Amount amount;
    while (IsDigit(Peek())) {
      int digit = text_[at_] - '0';
      if (__builtin_mul_overflow(amount.whole, 10, &amount.whole) ||
          __builtin_add_overflow(amount.whole, negative ? -digit : digit, &amount.whole)) {
        throw Fail{Problem::kRange};
      }
      ++at_;
    }
    if (Peek() == '.') {
      size_t dot = at_++;
      while (IsDigit(Peek())) ++at_;
      if (at_ - dot > 1) amount.fraction = std::strtod(("0" + text_.substr(dot, at_ - dot)).c_str(), nullptr);
    }
    if (at_ == start) throw Fail{Problem::kSyntax};
    if (negative) amount.fraction = -amount.fraction;
    last_negative_ = negative;
    last_has_sign_ = has_sign;
    return amount;
  }

  // hh:mm[:ss[.fff]] behind the hours, which may carry a sign.
  __int128 Clock(const Amount& hours, bool negative) {
    if (hours.fraction != 0) throw Fail{Problem::kSyntax};
    bool has_sign = last_has_sign_;
    __int128 us = hours.whole;
    if (us < 0) us = -us;
    std::vector<Amount> parts;
    while (Peek() == ':') {
      ++at_;
      if (!IsDigit(Peek()) && Peek() != '.') throw Fail{Problem::kSyntax};
      parts.push_back(Number());
    }
    int64_t minutes, seconds = 0;
    double fraction = 0;
    __int128 hour_part = us;
    bool minutes_first =
        (parts.size() == 1 && parts[0].fraction != 0) || (parts.size() == 1 && range_ == (kMinute | kSecond));
    if (parts.size() == 1 && minutes_first) {  // mm:ss.fff
      minutes = static_cast<int64_t>(hour_part);
      hour_part = 0;
      seconds = parts[0].whole;
      fraction = parts[0].fraction;
    } else if (parts.size() == 1) {
      minutes = parts[0].whole;
    } else if (parts.size() == 2) {
      minutes = parts[0].whole;
      seconds = parts[1].whole;
      fraction = parts[1].fraction;
    } else {
      throw Fail{Problem::kSyntax};
    }
    if (minutes > 59 || seconds > 60) throw Fail{Problem::kRange};
    us = hour_part * kUsPerHour + minutes * kUsPerMinute + seconds * kUsPerSecond +
         static_cast<int64_t>(std::llrint(fraction * 1000000));
    if (us > INT64_MAX) throw Fail{has_sign ? Problem::kSyntax : Problem::kRange};
    return negative ? -us : us;
  }

  std::string Word() {
    size_t start = at_;
    while (Peek() >= 'a' && Peek() <= 'z') ++at_;
    return text_.substr(start, at_ - start);
  }

  // What a number without a unit means, from the typmod's fields.
  TimeUnit DefaultUnit() const {
    switch (range_) {
      case kYear: return TimeUnit::kYear;
      case kMonth:
      case kYear | kMonth: return TimeUnit::kMonth;
      case kDay: return TimeUnit::kDay;
      case kHour:
      case kDay | kHour: return TimeUnit::kHour;
      case kMinute:
      case kHour | kMinute:
      case kDay | kHour | kMinute: return TimeUnit::kMinute;
      default: return TimeUnit::kSecond;
    }
  }

  // Nothing is given twice.
  void Fill(uint32_t units) {
    if ((filled_ & units) != 0) throw Fail{Problem::kSyntax};
    filled_ |= units;
  }

  // What a verbose text is made of. Punctuation only separates.
  struct Field {
    enum Kind { kNumber, kClock, kYearsMonths, kWord } kind;
    Amount amount;       // kNumber
    __int128 value = 0;  // kClock: microseconds; kYearsMonths: months
    std::string word;
  };

  std::vector<Field> Fields() {
    std::vector<Field> fields;
    while (at_ < text_.size()) {
      char c = Peek();
      if (IsDigit(c) || c == '.' || c == '+' || c == '-') {
        fields.push_back(NumberField());
      } else if (c >= 'a' && c <= 'z') {
        fields.push_back({Field::kWord, {}, 0, Word()});
      } else if (IsSpace(c) || std::ispunct(static_cast<unsigned char>(c))) {
        ++at_;
      } else {
        throw Fail{Problem::kSyntax};
      }
    }
    return fields;
  }

  Field NumberField() {
    Amount amount = Number();
    bool negative = last_negative_;
    if (Peek() == ':') return {Field::kClock, {}, Clock(amount, negative), {}};
    if (Peek() != '-' || !IsDigit(Peek(1))) return {Field::kNumber, amount, 0, {}};
    ++at_;  // SQL's years-months
    Amount months = Number();
    if (months.whole > 11 || months.fraction != 0) throw Fail{Problem::kRange};
    __int128 value = static_cast<__int128>(std::llabs(amount.whole)) * 12 + months.whole;
    return {Field::kYearsMonths, {}, negative ? -value : value, {}};
  }

  std::string text_;
  size_t at_ = 0;
  int32_t range_;
  bool last_negative_ = false, last_has_sign_ = false;
  uint32_t filled_ = 0;
  Total total_;
};

// ISO 8601: P1Y2M3DT4H5M6S, P1W, and the forms without letters, P0001-02-03T04:05:06 and P00010203T040506.
class IsoParser {
 public:
  explicit IsoParser(std::string_view text) : text_(text) {}

  IntervalValue Run() {
    ++at_;
    if (at_ == text_.size()) throw Fail{Problem::kSyntax};
    while (at_ < text_.size()) {
      if (Take('T')) {
        in_time_ = true;
        any_in_part_ = false;
      } else {
        Item();
      }
    }
    return total_.Finish(false);
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // As strtod() reads it, exponents included.
  Amount Number() {
    if (!IsDigit(Peek()) && Peek() != '-' && Peek() != '.') throw Fail{Problem::kSyntax};
    size_t start = at_ + (Peek() == '-' ? 1 : 0);
    char* end;
    double value = std::strtod(text_.c_str() + at_, &end);
    if (end == text_.c_str() + at_) throw Fail{Problem::kSyntax};
    at_ = static_cast<size_t>(end - text_.c_str());
    if (!(std::fabs(value) <= 1e15)) throw Fail{Problem::kRange};
    size_t after = text_.find_first_not_of("0123456789", start);
    digits_ = (after == text_.npos ? text_.size() : after) - start;
    double whole = std::trunc(value);
    return {static_cast<int64_t>(whole), value - whole};
  }

  void Item() {
    struct Letter {
      bool in_time;
      char letter;
      TimeUnit unit;
    };
    static constexpr Letter kLetters[] = {{false, 'Y', TimeUnit::kYear}, {false, 'M', TimeUnit::kMonth},
                                          {false, 'W', TimeUnit::kWeek}, {false, 'D', TimeUnit::kDay},
                                          {true, 'H', TimeUnit::kHour},  {true, 'M', TimeUnit::kMinute},
                                          {true, 'S', TimeUnit::kSecond}};
    Amount amount = Number();
    for (const Letter& letter : kLetters) {
      if (letter.in_time != in_time_ || !Take(letter.letter)) continue;
      total_.Add(amount, letter.unit);
      any_in_part_ = true;
      return;
    }
    if (any_in_part_) throw Fail{Problem::kSyntax};
    any_in_part_ = true;
    if (in_time_)
      WithoutLetters(amount, 6, ':', {TimeUnit::kHour, TimeUnit::kMinute, TimeUnit::kSecond});
    else
      WithoutLetters(amount, 8, '-', {TimeUnit::kYear, TimeUnit::kMonth, TimeUnit::kDay});
  }

  // Three units: run together, if there are just so many digits, or with separators, the last ones left out perhaps.
  void WithoutLetters(Amount first, size_t run_together, char separator, const TimeUnit (&units)[3]) {
    bool at_end = at_ == text_.size() || (!in_time_ && Peek() == 'T');
    if (at_end && digits_ == run_together) {
      total_.Add({first.whole / 10000, 0}, units[0]);
      total_.Add({first.whole / 100 % 100, 0}, units[1]);
      total_.Add({first.whole % 100, first.fraction}, units[2]);
      return;
    }
    total_.Add(first, units[0]);
    for (int i = 1; i < 3 && Take(separator); ++i) total_.Add(Number(), units[i]);
    if (at_ != text_.size() && (in_time_ || Peek() != 'T')) throw Fail{Problem::kSyntax};
  }

  std::string text_;
  size_t at_ = 0, digits_ = 0;  // of the last number, before any point
  bool in_time_ = false, any_in_part_ = false;
  Total total_;
};

}  // namespace

IntervalValue ParseInterval(std::string_view text, int32_t typmod) {
  try {
    int32_t range = typmod >= 0 ? IntervalRange(typmod) : kIntervalFullRange;
    bool is_iso = !text.empty() && text[0] == 'P';
    return ApplyIntervalTypmod(is_iso ? IsoParser(text).Run() : Parser(text, range).Run(), typmod);
  } catch (const Fail& fail) {
    if (fail.problem == Problem::kRange) {
      throw SqlError(ErrorCode::kIntervalFieldOverflow, "interval field value out of range: \"{}\"", text);
    }
    if (fail.problem == Problem::kWholeRange)
      throw SqlError(ErrorCode::kDatetimeFieldOverflow, "interval out of range");
    throw SqlError(ErrorCode::kInvalidDatetimeFormat, "invalid input syntax for type interval: \"{}\"", text);
  }
}

IntervalValue ApplyIntervalTypmod(IntervalValue v, int32_t typmod) {
  if (typmod < 0) return v;
  int32_t range = IntervalRange(typmod), precision = IntervalPrecision(typmod);
  if (range != kIntervalFullRange && range != 0) {
    bool months = (range & (kMonth | kYear)) != 0, time = (range & (kHour | kMinute | kSecond)) != 0;
    if (range == kYear) v.months = v.months / 12 * 12;
    if (months) {
      v.days = 0;
      v.microseconds = 0;
    } else if (range == kDay) {
      v.microseconds = 0;
    } else if (time) {
      int64_t unit = (range & kSecond) != 0 ? 1 : (range & kMinute) != 0 ? kUsPerMinute : kUsPerHour;
      v.microseconds = v.microseconds / unit * unit;
    }
  }
  if (precision != kIntervalFullPrecision) v.microseconds = RoundTime(v.microseconds, precision);
  return v;
}

__int128 IntervalSpan(const IntervalValue& v) {
  return (static_cast<__int128>(v.months) * 30 + v.days) * kUsPerDay + v.microseconds;
}
int CompareInterval(const IntervalValue& a, const IntervalValue& b) {
  __int128 x = IntervalSpan(a), y = IntervalSpan(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

// --- Output ----------------------------------------------------------------------------------------------------

namespace {

// Years, months, days, and the time split with one sign on all parts.
struct Parts {
  int32_t years, months, days;
  int64_t hours;
  int minutes, seconds;
  int32_t microseconds;
  bool time_negative, any_time;

  explicit Parts(const IntervalValue& v)
      : years(v.months / 12),
        months(v.months % 12),
        days(v.days),
        hours(v.microseconds / kUsPerHour),
        minutes(static_cast<int>(v.microseconds % kUsPerHour / kUsPerMinute)),
        seconds(static_cast<int>(v.microseconds % kUsPerMinute / kUsPerSecond)),
        microseconds(static_cast<int32_t>(v.microseconds % kUsPerSecond)),
        time_negative(v.microseconds < 0),
        any_time(v.microseconds != 0) {}
  bool negative() const { return years < 0 || months < 0 || days < 0 || time_negative; }
  bool positive() const { return years > 0 || months > 0 || days > 0 || (any_time && !time_negative); }
};

std::string Seconds(const Parts& p, bool pad) {
  std::string text = pad ? fmt::format("{:02}", std::abs(p.seconds)) : std::to_string(std::abs(p.seconds));
  if (p.microseconds != 0) {
    std::string fraction = fmt::format("{:06}", std::abs(p.microseconds));
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += "." + fraction;
  }
  return text;
}
std::string ClockText(const Parts& p) {
  return fmt::format("{:02}:{:02}:{}", std::abs(p.hours), std::abs(p.minutes), Seconds(p, true));
}

void AppendPostgres(std::string* to, const Parts& p) {
  bool first = true, before_negative = false;
  auto unit = [&](int32_t value, const char* name) {
    if (value == 0) return;
    if (!first) to->push_back(' ');
    if (before_negative && value > 0) to->push_back('+');
    *to += fmt::format("{} {}{}", value, name, value == 1 ? "" : "s");
    before_negative = value < 0;
    first = false;
  };
  unit(p.years, "year");
  unit(p.months, "mon");
  unit(p.days, "day");
  if (first || p.any_time) {
    if (!first) to->push_back(' ');
    if (p.time_negative)
      to->push_back('-');
    else if (before_negative)
      to->push_back('+');
    *to += ClockText(p);
  }
}

void AppendVerbose(std::string* to, const Parts& p) {
  to->push_back('@');
  bool zero = true, ago = false;
  auto unit = [&](int64_t value, const char* name) {
    if (value == 0) return;
    if (zero) {
      ago = value < 0;
      value = std::llabs(value);
    } else if (ago) {
      value = -value;
    }
    *to += fmt::format(" {} {}{}", value, name, value == 1 ? "" : "s");
    zero = false;
  };
  unit(p.years, "year");
  unit(p.months, "mon");
  unit(p.days, "day");
  unit(p.hours, "hour");
  unit(p.minutes, "min");
  if (p.seconds != 0 || p.microseconds != 0) {
    to->push_back(' ');
    bool negative = p.seconds < 0 || p.microseconds < 0;
    if (zero)
      ago = negative;
    else if (negative != ago)
      to->push_back('-');
    std::string text = Seconds(p, false);
    *to += fmt::format("{} sec{}", text, text == "1" ? "" : "s");
    zero = false;
  }
  if (zero) to->append(" 0");
  if (ago) to->append(" ago");
}

void AppendSqlStandard(std::string* to, const Parts& p) {
  bool year_month = p.years != 0 || p.months != 0, day = p.days != 0;
  if (!year_month && !day && !p.any_time) {
    to->push_back('0');
    return;
  }
  bool mixed = p.negative() && p.positive();
  if (mixed || (year_month && (day || p.any_time))) {  // every part with its sign
    char year_sign = p.years < 0 || p.months < 0 ? '-' : '+';
    char day_sign = p.days < 0 ? '-' : '+', time_sign = p.time_negative ? '-' : '+';
    *to +=
        fmt::format("{}{}-{} {}{} {}{}:{:02}:{}", year_sign, std::abs(p.years), std::abs(p.months), day_sign,
                    std::abs(p.days), time_sign, std::abs(p.hours), std::abs(p.minutes), Seconds(p, true));
    return;
  }
  if (p.negative()) to->push_back('-');
  if (year_month) {
    *to += fmt::format("{}-{}", std::abs(p.years), std::abs(p.months));
    return;
  }
  if (day) *to += fmt::format("{} ", std::abs(p.days));
  *to += fmt::format("{}:{:02}:{}", std::abs(p.hours), std::abs(p.minutes), Seconds(p, true));
}

void AppendIso(std::string* to, const Parts& p, bool zero) {
  if (zero) {
    to->append("PT0S");
    return;
  }
  to->push_back('P');
  auto unit = [&](int64_t value, char letter) {
    if (value != 0) *to += fmt::format("{}{}", value, letter);
  };
  unit(p.years, 'Y');
  unit(p.months, 'M');
  unit(p.days, 'D');
  if (!p.any_time) return;
  to->push_back('T');
  unit(p.hours, 'H');
  unit(p.minutes, 'M');
  if (p.seconds != 0 || p.microseconds != 0) {
    *to += fmt::format("{}{}S", p.time_negative ? "-" : "", Seconds(p, false));
  }
}

}  // namespace

void AppendInterval(std::string* to, const IntervalValue& v, IntervalStyle style) {
  Parts parts(v);
  switch (style) {
    case IntervalStyle::kPostgres: return AppendPostgres(to, parts);
    case IntervalStyle::kPostgresVerbose: return AppendVerbose(to, parts);
    case IntervalStyle::kSqlStandard: return AppendSqlStandard(to, parts);
    case IntervalStyle::kIso8601:
      return AppendIso(to, parts, v.months == 0 && v.days == 0 && v.microseconds == 0);
  }
}

// --- Descriptor ------------------------------------------------------------------------------------------------

namespace {

void In(std::string_view text, TypeIo& io, Datum* to) { to->interval = ParseInterval(text, io.typmod); }
void Out(const Datum& v, TypeIo& io, std::string* to) {
  AppendInterval(to, v.interval, io.format.interval_style);
}
void Receive(std::string_view bytes, TypeIo& io, Datum* to) {
  WireReader reader(bytes);
  IntervalValue v;
  v.microseconds = reader.TakeInt64();
  v.days = reader.TakeInt32();
  v.months = reader.TakeInt32();
  to->interval = ApplyIntervalTypmod(v, io.typmod);
}
void Send(const Datum& v, TypeIo&, std::string* to) {
  AppendBig<uint64_t>(to, static_cast<uint64_t>(v.interval.microseconds));
  AppendBig<uint32_t>(to, static_cast<uint32_t>(v.interval.days));
  AppendBig<uint32_t>(to, static_cast<uint32_t>(v.interval.months));
}
int Compare(const Datum& a, const Datum& b, const void*) { return CompareInterval(a.interval, b.interval); }
uint64_t Hash(const Datum& v) { return HashInteger(static_cast<uint64_t>(IntervalSpan(v.interval))); }

// Modifiers: the field mask and, optionally, the precision; as the grammar passes them.
int32_t TypmodIn(std::span<const std::string_view> modifiers) {
  if (modifiers.empty() || modifiers.size() > 2) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid INTERVAL type modifier");
  }
  int32_t range = ParseInt32(modifiers[0]);
  if (modifiers.size() == 1)
    return range == kIntervalFullRange ? -1 : IntervalTypmod(range, kIntervalFullPrecision);
  int32_t precision = ParseInt32(modifiers[1]);
  if (precision < 0) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "INTERVAL({}) precision must not be negative",
                   precision);
  }
  return IntervalTypmod(range, precision > 6 ? 6 : precision);
}
void TypmodOut(int32_t typmod, std::string* to) {
  if (typmod < 0) return;
  struct Row {
    int32_t range;
    const char* text;
  };
  static constexpr Row kRows[] = {{kYear, " year"},
                                  {kMonth, " month"},
                                  {kDay, " day"},
                                  {kHour, " hour"},
                                  {kMinute, " minute"},
                                  {kSecond, " second"},
                                  {kYear | kMonth, " year to month"},
                                  {kDay | kHour, " day to hour"},
                                  {kDay | kHour | kMinute, " day to minute"},
                                  {kDay | kHour | kMinute | kSecond, " day to second"},
                                  {kHour | kMinute, " hour to minute"},
                                  {kHour | kMinute | kSecond, " hour to second"},
                                  {kMinute | kSecond, " minute to second"}};
  for (const Row& row : kRows) {
    if (row.range == IntervalRange(typmod)) to->append(row.text);
  }
  if (IntervalPrecision(typmod) != kIntervalFullPrecision)
    *to += fmt::format("({})", IntervalPrecision(typmod));
}

constexpr TypeDescriptor kTypes[] = {
    {Oid{1186}, "interval", PhysicalType::kFixed16, 16, 'd', 'b', ',', Oid{0}, Oid{1187}, In, Out, Receive,
     Send, TypmodIn, TypmodOut, Compare, Hash},
};

}  // namespace

std::span<const TypeDescriptor> IntervalTypes() { return kTypes; }

}  // namespace walden
