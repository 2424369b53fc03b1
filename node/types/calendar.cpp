#include "node/types/calendar.h"

namespace walden {

// Era arithmetic of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms" (public domain), shifted to 2000.
int32_t DaysFromCivil(int32_t year, int month, int day) {
  int64_t y = int64_t{year} - (month <= 2);
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  auto year_of_era = static_cast<unsigned>(y - era * 400);
  unsigned day_of_year =
      (153u * static_cast<unsigned>(month + (month > 2 ? -3 : 9)) + 2) / 5 + static_cast<unsigned>(day) - 1;
  unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<int32_t>(era * 146097 + static_cast<int64_t>(day_of_era) - 719468 - 10957);
}

CivilDate CivilFromDays(int32_t days) {
  int64_t z = int64_t{days} + 10957 + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  auto day_of_era = static_cast<unsigned>(z - era * 146097);
  unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t year = static_cast<int64_t>(year_of_era) + era * 400;
  unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned shifted = (5 * day_of_year + 2) / 153;
  int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {static_cast<int32_t>(year + (month <= 2)), month,
          static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

bool IsLeapYear(int32_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int32_t year, int month) {
  static constexpr int kDays[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

DateTime SplitTimestamp(int64_t timestamp) {
  int64_t days = timestamp / kUsPerDay;
  int64_t time = timestamp % kUsPerDay;
  if (time < 0) {
    time += kUsPerDay;
    --days;
  }
  DateTime result;
  result.days = static_cast<int32_t>(days);
  CivilDate date = CivilFromDays(result.days);
  result.year = date.year;
  result.month = date.month;
  result.day = date.day;
  result.hour = static_cast<int>(time / kUsPerHour);
  result.minute = static_cast<int>(time / kUsPerMinute % 60);
  result.second = static_cast<int>(time / kUsPerSecond % 60);
  result.microsecond = static_cast<int32_t>(time % kUsPerSecond);
  return result;
}

int64_t JoinTimestamp(int32_t days, int64_t time_us) { return int64_t{days} * kUsPerDay + time_us; }

int DayOfWeek(int32_t days) {  // 2000-01-01 was a Saturday
  int64_t day = (int64_t{days} + 6) % 7;
  return static_cast<int>(day < 0 ? day + 7 : day);
}

int DayOfYear(int32_t year, int month, int day) {
  return DaysFromCivil(year, month, day) - DaysFromCivil(year, 1, 1) + 1;
}

int32_t IsoWeekMonday(int32_t iso_year, int week) {
  int32_t fourth = DaysFromCivil(iso_year, 1, 4);  // always in week 1
  return fourth - (DayOfWeek(fourth) + 6) % 7 + (week - 1) * 7;
}

int IsoWeek(int32_t days, int32_t* iso_year) {
  int32_t thursday = days - (DayOfWeek(days) + 6) % 7 + 3;
  int32_t year = CivilFromDays(thursday).year;
  if (iso_year != nullptr) *iso_year = year;
  return (thursday - DaysFromCivil(year, 1, 1)) / 7 + 1;
}

}  // namespace walden
