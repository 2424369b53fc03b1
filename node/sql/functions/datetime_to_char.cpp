// to_char of timestamps and intervals; to_date and to_timestamp.
#include <cstdlib>

#include "node/base/error.h"
#include "node/sql/functions/datetime_pattern.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/datetime.h"
#include "node/types/integer.h"
#include "node/types/utf8.h"

namespace walden {
namespace {

using View = std::string_view;

constexpr View kRoman[12] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};

// What a template can show.
struct Moment {
  int64_t year = 0;
  int month = 0, day = 0, minute = 0, second = 0;
  int64_t hour = 0;
  int32_t microsecond = 0;
  int32_t days = 0;  // since 2000-01-01
  bool is_interval = false, has_zone = false;
  ZoneOffset zone;
};

std::string Cased(View text, LetterCase letters) {
  std::string result;
  if (letters == LetterCase::kUpper)
    AppendUpper(&result, text);
  else if (letters == LetterCase::kLower)
    AppendLower(&result, text);
  else
    result = text;
  return result;
}

class Writer {
 public:
  Writer(const Moment& moment, std::string* to) : m_(moment), to_(to) {}

  void Write(const DateField& f) {
    int64_t shown_year = m_.is_interval || m_.year > 0 ? m_.year : 1 - m_.year;
    switch (f.part) {
      case DatePart::kLiteral: *to_ += f.literal; return;
      case DatePart::kYear: return Year(f, shown_year);
      case DatePart::kYearComma:
        return Text(fmt::format("{},{:03}", shown_year / 1000, shown_year % 1000), f, 0);
      case DatePart::kIsoYear: {
        RequireDate();
        int32_t iso;
        IsoWeek(m_.days, &iso);
        return Year(f, iso > 0 ? iso : 1 - iso);
      }
      case DatePart::kMonthNumber: return Number(m_.month, 2, f);
      case DatePart::kMonthName:
        return RequireDate(), Text(Cased(kMonthNames[m_.month - 1], f.letters), f, 9);
      case DatePart::kMonthAbbreviation:
        return RequireDate(), Text(Cased(View(kMonthNames[m_.month - 1]).substr(0, 3), f.letters), f, 0);
      case DatePart::kMonthRoman:
        if (m_.month == 0) return;
        return Text(Cased(kRoman[m_.month - 1], f.letters), f, 4);
      case DatePart::kDay: return Number(m_.day, 2, f);
      case DatePart::kDayOfYear:
        return Number(m_.is_interval ? m_.month * 30 + m_.day + m_.year * 365
                                     : DayOfYear(static_cast<int32_t>(m_.year), m_.month, m_.day),
                      3, f);
      case DatePart::kIsoDayOfYear: {
        RequireDate();
        int32_t iso;
        IsoWeek(m_.days, &iso);
        return Number(m_.days - IsoWeekMonday(iso, 1) + 1, 3, f);
      }
      case DatePart::kDayOfWeek: return RequireDate(), Number(DayOfWeek(m_.days) + 1, 1, f);
      case DatePart::kIsoDayOfWeek: return RequireDate(), Number((DayOfWeek(m_.days) + 6) % 7 + 1, 1, f);
      case DatePart::kDayName:
        return RequireDate(), Text(Cased(kDayNames[DayOfWeek(m_.days)], f.letters), f, 9);
      case DatePart::kDayAbbreviation:
        return RequireDate(), Text(Cased(View(kDayNames[DayOfWeek(m_.days)]).substr(0, 3), f.letters), f, 0);
      case DatePart::kWeekOfMonth: return RequireDate(), Number((m_.day - 1) / 7 + 1, 1, f);
      case DatePart::kWeek:
        return RequireDate(),
               Number((DayOfYear(static_cast<int32_t>(m_.year), m_.month, m_.day) - 1) / 7 + 1, 2, f);
      case DatePart::kIsoWeek: return RequireDate(), Number(IsoWeek(m_.days, nullptr), 2, f);
      case DatePart::kCentury: return Century(f);
      case DatePart::kJulian: return Number(m_.is_interval ? 0 : int64_t{m_.days} + kEpochJulian, 0, f);
      case DatePart::kQuarter: return m_.month == 0 ? void() : Number((m_.month - 1) / 3 + 1, 1, f);
      case DatePart::kHour12: return Number(m_.hour % 12 == 0 ? 12 : m_.hour % 12, m_.hour < 0 ? 3 : 2, f);
      case DatePart::kHour24: return Number(m_.hour, m_.hour < 0 ? 3 : 2, f);
      case DatePart::kMinute: return Number(m_.minute, m_.minute < 0 ? 3 : 2, f);
      case DatePart::kSecond: return Number(m_.second, m_.second < 0 ? 3 : 2, f);
      case DatePart::kMillisecond: return Number(m_.microsecond / 1000, 3, f, true);
      case DatePart::kMicrosecond: return Number(m_.microsecond, 6, f, true);
      case DatePart::kFraction: {
        int32_t unit = 1;
        for (int i = f.digits; i < 6; ++i) unit *= 10;
        return Number(m_.microsecond / unit, f.digits, f, true);
      }
      case DatePart::kSecondsOfDay: return Number((m_.hour * 60 + m_.minute) * 60 + m_.second, 0, f);
      case DatePart::kMeridiem: {
        bool pm = ((m_.hour % 24) + 24) % 24 >= 12;
        View text = f.dots ? (pm ? "P.M." : "A.M.") : (pm ? "PM" : "AM");
        *to_ += Cased(text, f.letters);
        return;
      }
      case DatePart::kEra: {
        RequireDate();
        bool bc = m_.year <= 0;
        *to_ += Cased(f.dots ? (bc ? "B.C." : "A.D.") : (bc ? "BC" : "AD"), f.letters);
        return;
      }
      case DatePart::kZoneName:
        RequireDate();
        if (m_.has_zone)
          *to_ += Cased(m_.zone.abbreviation,
                        f.letters == LetterCase::kLower ? LetterCase::kLower : LetterCase::kUpper);
        return;
      case DatePart::kZoneHours:
        RequireDate();
        *to_ += fmt::format("{}{:02}", m_.zone.seconds_east < 0 ? '-' : '+',
                            std::abs(m_.zone.seconds_east) / 3600);
        return;
      case DatePart::kZoneMinutes:
        RequireDate();
        *to_ += fmt::format("{:02}", std::abs(m_.zone.seconds_east) % 3600 / 60);
        return;
      case DatePart::kOffset: {
        RequireDate();
        int magnitude = std::abs(m_.zone.seconds_east);
        *to_ +=
            fmt::format("{}{:0{}}", m_.zone.seconds_east < 0 ? '-' : '+', magnitude / 3600, f.fill ? 0 : 2);
        if (magnitude % 3600 != 0) *to_ += fmt::format(":{:02}", magnitude % 3600 / 60);
        return;
      }
    }
  }

 private:
  void RequireDate() {
    if (!m_.is_interval) return;
    throw SqlError(ErrorCode::kInvalidDatetimeFormat, "invalid format specification for an interval value")
        .WithHint("Intervals are not tied to specific calendar dates.");
  }
  void Ordinal(const std::string& digits, char ordinal) {
    if (ordinal == '\0') return;
    size_t n = digits.size();
    char last = digits[n - 1];
    View suffix = "th";
    if (!(n > 1 && digits[n - 2] == '1'))
      suffix = last == '1' ? "st" : last == '2' ? "nd" : last == '3' ? "rd" : "th";
    *to_ += Cased(suffix, ordinal == 'T' ? LetterCase::kUpper : LetterCase::kLower);
  }
  void Number(int64_t value, int width, const DateField& f, bool keep_zeros = false) {
    std::string digits = f.fill && !keep_zeros ? std::to_string(value) : fmt::format("{:0{}}", value, width);
    *to_ += digits;
    Ordinal(digits, f.ordinal);
  }
  // Padded with blanks to `width` unless FM.
  void Text(std::string text, const DateField& f, size_t width) {
    if (!f.fill && text.size() < width) text.append(width - text.size(), ' ');
    *to_ += text;
    if (f.part == DatePart::kYearComma) Ordinal(text, f.ordinal);
  }
  void Year(const DateField& f, int64_t year) {
    int64_t divisor = f.digits == 3 ? 1000 : f.digits == 2 ? 100 : f.digits == 1 ? 10 : 0;
    if (divisor != 0) year = std::llabs(year) % divisor;
    int width = f.digits == 4 && year < 0 ? 5 : f.digits;
    Number(year, width, f);
  }
  void Century(const DateField& f) {
    int64_t century = m_.is_interval ? m_.year / 100
                      : m_.year > 0  ? (m_.year + 99) / 100
                                     : -((99 - (m_.year - 1)) / 100);
    if (century <= 99 && century >= -99)
      Number(century, century < 0 ? 3 : 2, f);
    else
      Number(century, 0, f);
  }

  const Moment& m_;
  std::string* to_;
};

View Format(CallContext& c, const Moment& moment, View pattern) {
  std::string text;
  Writer writer(moment, &text);
  for (const DateField& field : ParseDatePattern(pattern)) writer.Write(field);
  return Keep(c, text);
}

Moment MomentOf(int64_t local) {
  DateTime t = SplitTimestamp(local);
  Moment m;
  m.year = t.year;
  m.month = t.month;
  m.day = t.day;
  m.hour = t.hour;
  m.minute = t.minute;
  m.second = t.second;
  m.microsecond = t.microsecond;
  m.days = t.days;
  return m;
}

std::optional<View> PlainToChar(CallContext& c, int64_t timestamp, View pattern) {
  if (pattern.empty() || !IsTimestampFinite(timestamp)) return std::nullopt;
  return Format(c, MomentOf(timestamp), pattern);
}
std::optional<View> ZonedToChar(CallContext& c, int64_t timestamp, View pattern) {
  if (pattern.empty() || !IsTimestampFinite(timestamp)) return std::nullopt;
  ZoneOffset offset;
  Moment m = MomentOf(UtcToLocal(timestamp, c.format.zone, &offset));
  m.has_zone = true;
  m.zone = offset;
  return Format(c, m, pattern);
}
std::optional<View> SpanToChar(CallContext& c, IntervalValue v, View pattern) {
  if (pattern.empty()) return std::nullopt;
  Moment m;
  m.is_interval = true;
  m.year = v.months / 12;
  m.month = v.months % 12;
  m.day = v.days;
  m.hour = v.microseconds / kUsPerHour;
  m.minute = static_cast<int>(v.microseconds / kUsPerMinute % 60);
  m.second = static_cast<int>(v.microseconds / kUsPerSecond % 60);
  m.microsecond = static_cast<int32_t>(v.microseconds % kUsPerSecond);
  return Format(c, m, pattern);
}

// --- Reading by template ---------------------------------------------------------------------------------------

class TemplateReader {
 public:
  TemplateReader(View text, View pattern) : text_(text), fields_(ParseDatePattern(pattern)) {}

  void Run() {
    for (size_t i = 0; i < fields_.size() && at_ < text_.size(); ++i) {
      const DateField& f = fields_[i];
      if (f.part == DatePart::kLiteral) {
        Literal(f.literal);
        continue;
      }
      SkipSpace();
      bool digits_follow = i + 1 < fields_.size() && IsNumeric(fields_[i + 1].part);
      Read(f, digits_follow);
      if (f.ordinal != '\0') at_ = std::min(text_.size(), at_ + 2);
    }
    Resolve();
  }

  int32_t days = 0;
  int64_t time = 0;
  std::optional<int32_t> zone_east;

 private:
  static bool IsNumeric(DatePart part) {
    switch (part) {
      case DatePart::kLiteral:
      case DatePart::kMonthName:
      case DatePart::kMonthAbbreviation:
      case DatePart::kMonthRoman:
      case DatePart::kDayName:
      case DatePart::kDayAbbreviation:
      case DatePart::kMeridiem:
      case DatePart::kEra:
      case DatePart::kZoneName: return false;
      default: return true;
    }
  }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  // A separator of the template takes any one separator of the input, or none; letters take one character each.
  void Literal(View literal) {
    for (char c : literal) {
      if (IsSpace(c)) {
        SkipSpace();
      } else if (at_ < text_.size()) {
        unsigned char here = static_cast<unsigned char>(text_[at_]);
        bool separator = !((c >= '0' && c <= '9') || (c | 32) - 'a' < 26);
        bool input_separator =
            here < 0x80 && !(here >= '0' && here <= '9') && !((here | 32) >= 'a' && (here | 32) <= 'z');
        if (!separator || (input_separator && here != '-' && here != '+') ||
            here == static_cast<unsigned char>(c))
          ++at_;
      }
    }
  }
  [[noreturn]] void Invalid(const char* field) {
    throw SqlError(ErrorCode::kInvalidDatetimeFormat, "invalid value \"{}\" for \"{}\"",
                   text_.substr(at_, 10), field)
        .WithDetail("Value must be an integer.");
  }
  int64_t Integer(int width, bool limited, const char* name) {
    size_t start = at_;
    bool negative = false;
    if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) negative = text_[at_++] == '-';
    size_t digits = at_;
    int64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' &&
           (!limited || at_ - digits < static_cast<size_t>(width)) && at_ - digits < 12) {
      value = value * 10 + (text_[at_++] - '0');
    }
    if (at_ == digits) {
      at_ = start;
      Invalid(name);
    }
    read_digits_ = static_cast<int>(at_ - digits);
    return negative ? -value : value;
  }
  // Position in `names` of the word here, by its first three letters or in full; moves behind it.
  int Name(const char* const* names, int count, bool abbreviated, const char* field) {
    for (int i = 0; i < count; ++i) {
      View name = names[i];
      if (abbreviated) name = name.substr(0, 3);
      if (text_.size() - at_ < name.size()) continue;
      bool same = true;
      for (size_t k = 0; k < name.size(); ++k) same &= (text_[at_ + k] | 32) == (name[k] | 32);
      if (!same) continue;
      at_ += name.size();
      return i;
    }
    size_t end = at_;
    while (end < text_.size() && !IsSpace(text_[end])) ++end;
    throw SqlError(ErrorCode::kInvalidDatetimeFormat, "invalid value \"{}\" for \"{}\"",
                   text_.substr(at_, end - at_), field)
        .WithDetail("The given value did not match any of the allowed values for this field.");
  }

  void Read(const DateField& f, bool limited) {
    switch (f.part) {
      case DatePart::kYear: {
        int64_t year = Integer(f.digits, limited || f.digits < 4, "YYYY");
        // Short years go to the century nearest 2020.
        if (read_digits_ < 4 && f.digits < 4 && year >= 0)
          year += year < 70 ? 2000 : year < 100 ? 1900 : year < 520 ? 2000 : year < 1000 ? 1000 : 0;
        year_ = year;
        break;
      }
      case DatePart::kYearComma: {
        int64_t thousands = Integer(3, false, "Y,YYY");
        if (at_ < text_.size() && text_[at_] == ',') ++at_;
        year_ = thousands * 1000 + Integer(3, true, "Y,YYY");
        break;
      }
      case DatePart::kIsoYear: iso_year_ = Integer(f.digits, limited, "IYYY"); break;
      case DatePart::kMonthNumber: month_ = Integer(2, true, "MM"); break;
      case DatePart::kMonthName: month_ = Name(kMonthNames, 12, false, "Month") + 1; break;
      case DatePart::kMonthAbbreviation: month_ = Name(kMonthNames, 12, true, "Mon") + 1; break;
      case DatePart::kMonthRoman: ReadRoman(); break;
      case DatePart::kDay: day_ = Integer(2, true, "DD"); break;
      case DatePart::kDayOfYear: day_of_year_ = Integer(3, true, "DDD"); break;
      case DatePart::kIsoDayOfYear: iso_day_of_year_ = Integer(3, true, "IDDD"); break;
      case DatePart::kDayOfWeek: Integer(1, true, "D"); break;
      case DatePart::kIsoDayOfWeek: iso_day_ = Integer(1, true, "ID"); break;
      case DatePart::kDayName: Name(kDayNames, 7, false, "Day"); break;
      case DatePart::kDayAbbreviation: Name(kDayNames, 7, true, "Dy"); break;
      case DatePart::kWeekOfMonth: week_of_month_ = Integer(1, true, "W"); break;
      case DatePart::kWeek: week_ = Integer(2, true, "WW"); break;
      case DatePart::kIsoWeek: iso_week_ = Integer(2, true, "IW"); break;
      case DatePart::kCentury: century_ = Integer(2, true, "CC"); break;
      case DatePart::kJulian: julian_ = Integer(7, limited, "J"); break;
      case DatePart::kQuarter: Integer(1, true, "Q"); break;
      case DatePart::kHour12:
      case DatePart::kHour24:
        hour_ = Integer(2, true, "HH24");
        twelve_hours_ = f.part == DatePart::kHour12;
        break;
      case DatePart::kMinute: minute_ = Integer(2, true, "MI"); break;
      case DatePart::kSecond: second_ = Integer(2, true, "SS"); break;
      case DatePart::kMillisecond: Fraction(3, "MS"); break;
      case DatePart::kMicrosecond: Fraction(6, "US"); break;
      case DatePart::kFraction: Fraction(f.digits, "FF"); break;
      case DatePart::kSecondsOfDay: seconds_of_day_ = Integer(5, limited, "SSSS"); break;
      case DatePart::kMeridiem: pm_ = ReadPair(f.dots, "AM", "A.M.", "PM", "P.M."); break;
      case DatePart::kEra: bc_ = ReadPair(f.dots, "AD", "A.D.", "BC", "B.C."); break;
      case DatePart::kZoneHours: {
        bool negative = at_ < text_.size() && text_[at_] == '-';
        zone_sign_ = negative ? -1 : 1;
        zone_east = zone_east.value_or(0) + static_cast<int32_t>(Integer(3, true, "TZH")) * 3600;
        break;
      }
      case DatePart::kZoneMinutes:
        zone_east = zone_east.value_or(0) + zone_sign_ * static_cast<int32_t>(Integer(2, true, "TZM")) * 60;
        break;
      case DatePart::kZoneName:
      case DatePart::kOffset:
        throw SqlError(ErrorCode::kFeatureNotSupported,
                       "formatting field \"{}\" is only supported in to_char",
                       f.part == DatePart::kZoneName ? "TZ" : "OF");
      case DatePart::kLiteral: break;
    }
  }
  void ReadRoman() {
    for (int i = 11; i >= 0; --i) {
      View name = kRoman[i];
      bool same = text_.size() - at_ >= name.size();
      for (size_t k = 0; same && k < name.size(); ++k) same = (text_[at_ + k] & ~32) == name[k];
      if (!same) continue;
      // Longer numerals first among equals: VIII before V.
      if (month_found_roman_ < static_cast<int>(name.size())) {
        month_ = i + 1;
        month_found_roman_ = static_cast<int>(name.size());
      }
    }
    at_ += static_cast<size_t>(month_found_roman_);
  }
  bool ReadPair(bool dots, View first, View first_dots, View second, View second_dots) {
    for (bool is_second : {false, true}) {
      View word = is_second ? (dots ? second_dots : second) : (dots ? first_dots : first);
      bool same = text_.size() - at_ >= word.size();
      for (size_t k = 0; same && k < word.size(); ++k) same = (text_[at_ + k] & ~32) == (word[k] & ~32);
      if (!same) continue;
      at_ += word.size();
      return is_second;
    }
    throw SqlError(ErrorCode::kInvalidDatetimeFormat, "invalid value \"{}\" for \"{}\"",
                   text_.substr(at_, second.size()), first)
        .WithDetail("The given value did not match any of the allowed values for this field.");
  }
  void Fraction(int width, const char* name) {
    int64_t value = Integer(width, true, name);
    for (int i = read_digits_; i < 6; ++i) value *= 10;
    microsecond_ = value;
  }

  void OutOfRange() {
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "date/time field value out of range: \"{}\"", text_);
  }

  void Resolve() {
    if (pm_ && (hour_ < 1 || hour_ > 12)) {
      throw SqlError(ErrorCode::kInvalidDatetimeFormat, "hour \"{}\" is invalid for the 12-hour clock", hour_)
          .WithHint("Use the 24-hour clock, or give an hour between 1 and 12.");
    }
    if (twelve_hours_ && (hour_ < 1 || hour_ > 12)) {
      throw SqlError(ErrorCode::kInvalidDatetimeFormat, "hour \"{}\" is invalid for the 12-hour clock", hour_)
          .WithHint("Use the 24-hour clock, or give an hour between 1 and 12.");
    }
    if (pm_ && *pm_ && hour_ < 12) hour_ += 12;
    if (((pm_ && !*pm_) || (twelve_hours_ && !pm_)) && hour_ == 12) hour_ = 0;
    if (hour_ > 24 || minute_ > 59 || second_ > 59 || hour_ < 0 || minute_ < 0 || second_ < 0) OutOfRange();
    time = seconds_of_day_ ? *seconds_of_day_ * kUsPerSecond
                           : ((hour_ * 60 + minute_) * 60 + second_) * kUsPerSecond;
    time += microsecond_;
    days = Days();
  }
  int32_t Days() {
    if (julian_) return static_cast<int32_t>(*julian_ - kEpochJulian);
    if (iso_week_ || iso_day_of_year_) {
      auto iso_year = static_cast<int32_t>(iso_year_.value_or(1));
      if (iso_day_of_year_) return IsoWeekMonday(iso_year, 1) + static_cast<int32_t>(*iso_day_of_year_) - 1;
      return IsoWeekMonday(iso_year, static_cast<int>(*iso_week_)) +
             static_cast<int32_t>(iso_day_.value_or(1)) - 1;
    }
    int64_t year = year_ ? *year_ : iso_year_ ? *iso_year_ : century_ ? (*century_ - 1) * 100 + 1 : 0;
    if (bc_ && *bc_ && year > 0)
      year = 1 - year;
    else if (!year_ && !iso_year_ && !century_)
      year = 0;
    if (year > 5874897 || year < -4713) OutOfRange();
    auto y = static_cast<int32_t>(year);
    if (day_of_year_) {
      if (*day_of_year_ < 1 || *day_of_year_ > (IsLeapYear(y) ? 366 : 365)) OutOfRange();
      return DaysFromCivil(y, 1, 1) + static_cast<int32_t>(*day_of_year_) - 1;
    }
    if (week_) return DaysFromCivil(y, 1, 1) + static_cast<int32_t>((*week_ - 1) * 7);
    int64_t month = month_.value_or(1),
            day = day_.value_or(week_of_month_ ? (*week_of_month_ - 1) * 7 + 1 : 1);
    if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(y, static_cast<int>(month))) OutOfRange();
    return DaysFromCivil(y, static_cast<int>(month), static_cast<int>(day));
  }

  View text_;
  std::vector<DateField> fields_;
  size_t at_ = 0;
  int read_digits_ = 0, zone_sign_ = 1, month_found_roman_ = 0;
  std::optional<int64_t> year_, iso_year_, month_, day_, day_of_year_, iso_day_of_year_, iso_day_, week_,
      iso_week_, week_of_month_, century_, julian_, seconds_of_day_;
  int64_t hour_ = 0, minute_ = 0, second_ = 0, microsecond_ = 0;
  bool twelve_hours_ = false;
  std::optional<bool> pm_, bc_;
};

int32_t ToDate(View text, View pattern) {
  TemplateReader reader(text, pattern);
  reader.Run();
  return reader.days;
}
int64_t ToTimestamp(CallContext& c, View text, View pattern) {
  TemplateReader reader(text, pattern);
  reader.Run();
  int64_t local = JoinTimestamp(reader.days, reader.time);
  if (!IsTimestampInRange(local)) ThrowTimestampOutOfRange();
  return reader.zone_east ? local - *reader.zone_east * kUsPerSecond
                          : TimestampToTimestampTz(local, c.format.zone);
}

constexpr ScalarFunction kTable[] = {
    Scalar<&PlainToChar>("timestamp_to_char"), Scalar<&ZonedToChar>("timestamptz_to_char"),
    Scalar<&SpanToChar>("interval_to_char"),   Scalar<&ToDate>("to_date"),
    Scalar<&ToTimestamp>("to_timestamp"),
};

}  // namespace

std::span<const ScalarFunction> DateTimeToCharFunctions() { return kTable; }

}  // namespace walden
