// The proleptic Gregorian calendar and the clock: PostgreSQL's epoch is 2000-01-01, days are int32, times microseconds.
// Years are astronomical: 0 is 1 BC.
#pragma once

#include <cstdint>

namespace walden {

inline constexpr int64_t kUsPerSecond = 1000000, kUsPerMinute = 60 * kUsPerSecond,
                         kUsPerHour = 60 * kUsPerMinute, kUsPerDay = 24 * kUsPerHour;
inline constexpr int32_t kEpochJulian = 2451545;   // 2000-01-01
inline constexpr int32_t kUnixEpochDays = -10957;  // 1970-01-01
inline constexpr int64_t kTimestampInfinity = INT64_MAX, kTimestampMinusInfinity = INT64_MIN;
inline constexpr int32_t kDateInfinity = INT32_MAX, kDateMinusInfinity = INT32_MIN;
// Valid finite timestamps: 4713-11-24 BC (Julian day 0) up to, not including, 294277-01-01.
inline constexpr int64_t kTimestampMin = -211813488000000000, kTimestampEnd = 9223371331200000000;
inline constexpr int32_t kDateMin = -kEpochJulian, kDateEnd = 2147483494 - kEpochJulian;

struct CivilDate {
  int32_t year;
  int month;  // 1-12
  int day;    // 1-31
};

int32_t DaysFromCivil(int32_t year, int month, int day);  // no range checks
CivilDate CivilFromDays(int32_t days);
bool IsLeapYear(int32_t year);
int DaysInMonth(int32_t year, int month);
inline bool IsTimestampFinite(int64_t t) { return t != kTimestampInfinity && t != kTimestampMinusInfinity; }
inline bool IsTimestampInRange(int64_t t) { return t >= kTimestampMin && t < kTimestampEnd; }
inline bool IsDateFinite(int32_t d) { return d != kDateInfinity && d != kDateMinusInfinity; }

// A timestamp in pieces.
struct DateTime {
  int32_t year = 0;
  int month = 1, day = 1, hour = 0, minute = 0, second = 0;
  int32_t microsecond = 0;
  int32_t days = 0;  // of the date part, since 2000-01-01
};
DateTime SplitTimestamp(int64_t timestamp);  // local time; finite
int64_t JoinTimestamp(int32_t days, int64_t time_us);

int DayOfWeek(int32_t days);  // 0 = Sunday
int DayOfYear(int32_t year, int month, int day);
int IsoWeek(int32_t days, int32_t* iso_year);
int32_t IsoWeekMonday(int32_t iso_year, int week);  // days of that week's Monday

inline constexpr const char* kMonthNames[12] = {"January",   "February", "March",    "April",
                                                "May",       "June",     "July",     "August",
                                                "September", "October",  "November", "December"};
inline constexpr const char* kDayNames[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                             "Thursday", "Friday", "Saturday"};

}  // namespace walden
