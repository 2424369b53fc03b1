// Words for units of time, and for the fields of a date that only extract() knows.
#pragma once

#include <cstdint>
#include <string_view>

namespace walden {

enum class TimeUnit : uint8_t {
  kUnknown,
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kTimezone,
  kTimezoneHour,
  kTimezoneMinute,
  kEpoch,
  kJulian,
  kIsoYear,
  kDow,
  kIsoDow,
  kDoy
};

// Of a word in lower case, of which the first ten characters count. Units that an interval or date_trunc() may name; kUnknown: none.
TimeUnit TimeUnitOf(std::string_view word);
// These, or a field that only extract() and date_part() know.
TimeUnit DateFieldOf(std::string_view word);

}  // namespace walden
