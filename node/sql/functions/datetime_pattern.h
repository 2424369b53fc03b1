// Templates of to_char, to_date and to_timestamp, cut into fields and literal text. Private to this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace walden {

enum class DatePart {
  kLiteral,
  kYear,
  kYearComma,
  kIsoYear,
  kMonthNumber,
  kMonthName,
  kMonthAbbreviation,
  kMonthRoman,
  kDay,
  kDayOfYear,
  kIsoDayOfYear,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayName,
  kDayAbbreviation,
  kWeekOfMonth,
  kWeek,
  kIsoWeek,
  kCentury,
  kJulian,
  kQuarter,
  kHour12,
  kHour24,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kFraction,
  kSecondsOfDay,
  kMeridiem,
  kEra,
  kZoneName,
  kZoneHours,
  kZoneMinutes,
  kOffset
};

enum class LetterCase { kUpper, kCapital, kLower };

struct DateField {
  DatePart part = DatePart::kLiteral;
  int digits = 0;  // of years and fractions as written (YYY: 3)
  LetterCase letters = LetterCase::kUpper;
  bool dots = false;    // A.M., B.C.
  bool fill = false;    // FM
  char ordinal = '\0';  // 'T' for TH, 't' for th
  std::string literal;
};

std::vector<DateField> ParseDatePattern(std::string_view pattern);

}  // namespace walden
