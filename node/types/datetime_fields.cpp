#include "node/types/datetime_fields.h"

#include <cmath>
#include <limits>
#include <string>

#include "node/base/error.h"
#include "node/types/calendar.h"
#include "node/types/datetime.h"
#include "node/types/numeric.h"
#include "node/types/time_units.h"

namespace walden {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

TimeUnit Require(TimeUnit (*find)(std::string_view), std::string_view unit, const char* type_name,
                 std::string* lower) {
  *lower = Lower(unit);
  TimeUnit found = find(*lower);
  if (found == TimeUnit::kUnknown) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "unit \"{}\" not recognized for type {}", *lower,
                   type_name);
  }
  return found;
}
[[noreturn]] void Unsupported(std::string_view unit, const char* type_name) {
  throw SqlError(ErrorCode::kFeatureNotSupported, "unit \"{}\" not supported for type {}", unit, type_name);
}

using Maybe = std::optional<FieldValue>;
FieldValue Whole(int64_t v) { return {v, 0, 0, std::nullopt}; }
FieldValue Scaled(__int128 v, int scale) { return {v, scale, 0, std::nullopt}; }
FieldValue OfClock(int64_t second_us, int scale) {
  double unit = scale == 6 ? 1e6 : 1e3;
  int64_t seconds = second_us / kUsPerSecond;
  double sum =
      static_cast<double>(seconds) * (1e6 / unit) + static_cast<double>(second_us % kUsPerSecond) / unit;
  return {second_us, scale, 0, std::nullopt, sum};
}

// Fields of the clock, for any type; false if `unit` is none of them.
bool ClockField(TimeUnit unit, int64_t hours, int minutes, int seconds, int32_t us, FieldValue* to) {
  int64_t second_us = int64_t{seconds} * kUsPerSecond + us;
  switch (unit) {
    case TimeUnit::kMicrosecond: *to = Whole(second_us); return true;
    case TimeUnit::kMillisecond: *to = OfClock(second_us, 3); return true;
    case TimeUnit::kSecond: *to = OfClock(second_us, 6); return true;
    case TimeUnit::kMinute: *to = Whole(minutes); return true;
    case TimeUnit::kHour: *to = Whole(hours); return true;
    default: return false;
  }
}

bool ZoneField(TimeUnit unit, int32_t seconds_east, FieldValue* to) {
  switch (unit) {
    case TimeUnit::kTimezone: *to = Whole(seconds_east); return true;
    case TimeUnit::kTimezoneHour: *to = Whole(seconds_east / 3600); return true;
    case TimeUnit::kTimezoneMinute: *to = Whole(seconds_east % 3600 / 60); return true;
    default: return false;
  }
}

int64_t DecadeOf(int32_t year) { return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10); }
int64_t CenturyOf(int32_t year) { return year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100); }
int64_t MillenniumOf(int32_t year) { return year > 0 ? (year + 999) / 1000 : -((999 - (year - 1)) / 1000); }

bool CalendarField(TimeUnit unit, const DateTime& t, FieldValue* to) {
  switch (unit) {
    case TimeUnit::kDay: *to = Whole(t.day); return true;
    case TimeUnit::kMonth: *to = Whole(t.month); return true;
    case TimeUnit::kQuarter: *to = Whole((t.month - 1) / 3 + 1); return true;
    case TimeUnit::kWeek: *to = Whole(IsoWeek(t.days, nullptr)); return true;
    case TimeUnit::kYear: *to = Whole(t.year > 0 ? t.year : t.year - 1); return true;
    case TimeUnit::kDecade: *to = Whole(DecadeOf(t.year)); return true;
    case TimeUnit::kCentury: *to = Whole(CenturyOf(t.year)); return true;
    case TimeUnit::kMillennium: *to = Whole(MillenniumOf(t.year)); return true;
    case TimeUnit::kIsoYear: {
      int32_t year;
      IsoWeek(t.days, &year);
      *to = Whole(year > 0 ? year : year - 1);
      return true;
    }
    case TimeUnit::kDow: *to = Whole(DayOfWeek(t.days)); return true;
    case TimeUnit::kIsoDow: *to = Whole((DayOfWeek(t.days) + 6) % 7 + 1); return true;
    case TimeUnit::kDoy: *to = Whole(DayOfYear(t.year, t.month, t.day)); return true;
    case TimeUnit::kJulian: {
      FieldValue v = Whole(int64_t{t.days} + kEpochJulian);
      v.day_us = ((int64_t{t.hour} * 60 + t.minute) * 60 + t.second) * kUsPerSecond + t.microsecond;
      *to = v;
      return true;
    }
    default: return false;
  }
}

// Only fields that grow with time have a value at infinity.
Maybe AtInfinity(TimeUnit unit, bool positive, std::string_view name, const char* type_name, bool zoned) {
  switch (unit) {
    case TimeUnit::kYear:
    case TimeUnit::kDecade:
    case TimeUnit::kCentury:
    case TimeUnit::kMillennium:
    case TimeUnit::kJulian:
    case TimeUnit::kIsoYear:
    case TimeUnit::kEpoch: {
      FieldValue v;
      v.infinity = positive ? 1 : -1;
      return v;
    }
    case TimeUnit::kTimezone:
    case TimeUnit::kTimezoneHour:
    case TimeUnit::kTimezoneMinute:
      if (!zoned) Unsupported(name, type_name);
      return std::nullopt;
    default: return std::nullopt;
  }
}

constexpr int64_t kUnixEpochUs = int64_t{kUnixEpochDays} * kUsPerDay;

}  // namespace

Maybe TimestampField(std::string_view name, int64_t timestamp) {
  constexpr const char* kType = "timestamp without time zone";
  std::string lower;
  TimeUnit unit = Require(DateFieldOf, name, kType, &lower);
  if (!IsTimestampFinite(timestamp)) return AtInfinity(unit, timestamp > 0, lower, kType, false);
  DateTime t = SplitTimestamp(timestamp);
  FieldValue v;
  if (ClockField(unit, t.hour, t.minute, t.second, t.microsecond, &v) || CalendarField(unit, t, &v)) return v;
  if (unit == TimeUnit::kEpoch) return Scaled(__int128{timestamp} - kUnixEpochUs, 6);
  Unsupported(lower, kType);
}

Maybe TimestampTzField(std::string_view name, int64_t timestamp, const TimeZone* zone) {
  constexpr const char* kType = "timestamp with time zone";
  std::string lower;
  TimeUnit unit = Require(DateFieldOf, name, kType, &lower);
  if (!IsTimestampFinite(timestamp)) return AtInfinity(unit, timestamp > 0, lower, kType, true);
  ZoneOffset offset;
  DateTime t = SplitTimestamp(UtcToLocal(timestamp, zone, &offset));
  FieldValue v;
  if (ClockField(unit, t.hour, t.minute, t.second, t.microsecond, &v) || CalendarField(unit, t, &v) ||
      ZoneField(unit, offset.seconds_east, &v)) {
    return v;
  }
  return Scaled(__int128{timestamp} - kUnixEpochUs, 6);
}

Maybe DateField(std::string_view name, int32_t date) {
  constexpr const char* kType = "date";
  std::string lower;
  TimeUnit unit = Require(DateFieldOf, name, kType, &lower);
  switch (unit) {
    case TimeUnit::kMicrosecond:
    case TimeUnit::kMillisecond:
    case TimeUnit::kSecond:
    case TimeUnit::kMinute:
    case TimeUnit::kHour:
    case TimeUnit::kTimezone:
    case TimeUnit::kTimezoneHour:
    case TimeUnit::kTimezoneMinute: Unsupported(lower, kType);
    default: break;
  }
  if (!IsDateFinite(date)) return AtInfinity(unit, date > 0, lower, kType, false);
  if (unit == TimeUnit::kEpoch) return Whole((int64_t{date} - kUnixEpochDays) * 86400);
  if (unit == TimeUnit::kJulian) return Whole(int64_t{date} + kEpochJulian);
  CivilDate civil = CivilFromDays(date);
  DateTime t;
  t.year = civil.year;
  t.month = civil.month;
  t.day = civil.day;
  t.days = date;
  FieldValue v;
  CalendarField(unit, t, &v);
  return v;
}

Maybe TimeField(std::string_view name, int64_t time) {
  constexpr const char* kType = "time without time zone";
  std::string lower;
  TimeUnit unit = Require(DateFieldOf, name, kType, &lower);
  FieldValue v;
  if (ClockField(unit, time / kUsPerHour, static_cast<int>(time / kUsPerMinute % 60),
                 static_cast<int>(time / kUsPerSecond % 60), static_cast<int32_t>(time % kUsPerSecond), &v)) {
    return v;
  }
  if (unit == TimeUnit::kEpoch) return Scaled(time, 6);
  Unsupported(lower, kType);
}

Maybe TimeTzField(std::string_view name, TimeTzValue value) {
  constexpr const char* kType = "time with time zone";
  std::string lower;
  TimeUnit unit = Require(DateFieldOf, name, kType, &lower);
  int64_t time = value.microseconds;
  FieldValue v;
  if (ClockField(unit, time / kUsPerHour, static_cast<int>(time / kUsPerMinute % 60),
                 static_cast<int>(time / kUsPerSecond % 60), static_cast<int32_t>(time % kUsPerSecond), &v) ||
      ZoneField(unit, -value.zone_seconds, &v)) {
    return v;
  }
  if (unit == TimeUnit::kEpoch) return Scaled(time + value.zone_seconds * kUsPerSecond, 6);
  Unsupported(lower, kType);
}

Maybe IntervalField(std::string_view name, const IntervalValue& i) {
  constexpr const char* kType = "interval";
  std::string lower;
  TimeUnit unit = Require(DateFieldOf, name, kType, &lower);
  FieldValue v;
  if (ClockField(unit, i.microseconds / kUsPerHour, static_cast<int>(i.microseconds / kUsPerMinute % 60),
                 static_cast<int>(i.microseconds / kUsPerSecond % 60),
                 static_cast<int32_t>(i.microseconds % kUsPerSecond), &v)) {
    return v;
  }
  int32_t years = i.months / 12, months = i.months % 12;
  switch (unit) {
    case TimeUnit::kDay: return Whole(i.days);
    case TimeUnit::kMonth: return Whole(months);
    case TimeUnit::kQuarter: return Whole(months / 3 + 1);
    case TimeUnit::kYear: return Whole(years);
    case TimeUnit::kDecade: return Whole(years / 10);
    case TimeUnit::kCentury: return Whole(years / 100);
    case TimeUnit::kMillennium: return Whole(years / 1000);
    case TimeUnit::kEpoch: {  // a year counts 365.25 days
      __int128 us =
          (static_cast<__int128>(years) * 1461 * 6 + (static_cast<__int128>(months) * 30 + i.days) * 24) *
              3600 * kUsPerSecond +
          i.microseconds;
      constexpr double kSecondsPerDay = 86400;
      double sum = static_cast<double>(i.microseconds) / 1e6 + 365.25 * kSecondsPerDay * years;
      sum += 30 * kSecondsPerDay * months;
      sum += kSecondsPerDay * i.days;
      return FieldValue{us, 6, 0, std::nullopt, sum};
    }
    default: Unsupported(lower, kType);
  }
}

NumericRef FieldToNumeric(const FieldValue& v, Arena& arena) {
  if (v.infinity != 0) return ParseNumeric(v.infinity > 0 ? "Infinity" : "-Infinity", arena);
  NumericRef result = NumericFromInt128(v.scaled, v.scale, arena);
  if (v.day_us) {
    result = NumericAdd(
        result, NumericDivide(NumericFromInt64(*v.day_us), NumericFromInt64(kUsPerDay), arena), arena);
  }
  return result;
}

double FieldToDouble(const FieldValue& v) {
  if (v.infinity != 0) return v.infinity * std::numeric_limits<double>::infinity();
  if (v.sum) return *v.sum;
  double result = static_cast<double>(v.scaled) / (v.scale == 6 ? 1e6 : v.scale == 3 ? 1e3 : 1);
  return v.day_us ? result + static_cast<double>(*v.day_us) / static_cast<double>(kUsPerDay) : result;
}

namespace {

// The start of the period that holds t; whole-day periods return true in *by_date.
int64_t Truncated(TimeUnit unit, const DateTime& t, bool* by_date) {
  *by_date = true;
  auto date = [](int32_t year, int month, int day) {
    return int64_t{DaysFromCivil(year, month, day)} * kUsPerDay;
  };
  int32_t y = t.year;
  switch (unit) {
    case TimeUnit::kMillennium:
      return date(y > 0 ? (y + 999) / 1000 * 1000 - 999 : -((999 - (y - 1)) / 1000) * 1000 + 1, 1, 1);
    case TimeUnit::kCentury:
      return date(y > 0 ? (y + 99) / 100 * 100 - 99 : -((99 - (y - 1)) / 100) * 100 + 1, 1, 1);
    case TimeUnit::kDecade: return date(y > 0 ? y / 10 * 10 : -((8 - (y - 1)) / 10) * 10, 1, 1);
    case TimeUnit::kYear: return date(y, 1, 1);
    case TimeUnit::kQuarter: return date(y, (t.month - 1) / 3 * 3 + 1, 1);
    case TimeUnit::kMonth: return date(y, t.month, 1);
    case TimeUnit::kWeek: return int64_t{t.days - (DayOfWeek(t.days) + 6) % 7} * kUsPerDay;
    case TimeUnit::kDay: return int64_t{t.days} * kUsPerDay;
    default: break;
  }
  *by_date = false;
  int64_t result = int64_t{t.days} * kUsPerDay + t.hour * kUsPerHour;
  if (unit == TimeUnit::kHour) return result;
  result += t.minute * kUsPerMinute;
  if (unit == TimeUnit::kMinute) return result;
  result += t.second * kUsPerSecond;
  if (unit == TimeUnit::kSecond) return result;
  result += unit == TimeUnit::kMillisecond ? t.microsecond / 1000 * 1000 : t.microsecond;
  return result;
}

bool CanTruncate(TimeUnit unit) { return unit >= TimeUnit::kMicrosecond && unit <= TimeUnit::kMillennium; }

}  // namespace

int64_t TruncateTimestamp(std::string_view name, int64_t timestamp) {
  constexpr const char* kType = "timestamp without time zone";
  std::string lower;
  TimeUnit unit = Require(TimeUnitOf, name, kType, &lower);
  if (!CanTruncate(unit)) Unsupported(lower, kType);
  if (!IsTimestampFinite(timestamp)) return timestamp;
  bool by_date;
  return Truncated(unit, SplitTimestamp(timestamp), &by_date);
}

int64_t TruncateTimestampTz(std::string_view name, int64_t timestamp, const TimeZone* zone) {
  constexpr const char* kType = "timestamp with time zone";
  std::string lower;
  TimeUnit unit = Require(TimeUnitOf, name, kType, &lower);
  if (!CanTruncate(unit)) Unsupported(lower, kType);
  if (!IsTimestampFinite(timestamp)) return timestamp;
  ZoneOffset offset;
  int64_t local = UtcToLocal(timestamp, zone, &offset);
  bool by_date;
  int64_t start = Truncated(unit, SplitTimestamp(local), &by_date);
  // Within a day the offset stays what it is at the moment asked about.
  return by_date ? LocalToUtc(start, zone) : start - offset.seconds_east * kUsPerSecond;
}

IntervalValue TruncateInterval(std::string_view name, IntervalValue v) {
  constexpr const char* kType = "interval";
  std::string lower;
  TimeUnit unit = Require(TimeUnitOf, name, kType, &lower);
  auto months = [&](int32_t unit_months) {
    return IntervalValue{0, 0, v.months / unit_months * unit_months};
  };
  auto time = [&](int64_t unit_us) {
    return IntervalValue{v.microseconds / unit_us * unit_us, v.days, v.months};
  };
  switch (unit) {
    case TimeUnit::kMillennium: return months(12000);
    case TimeUnit::kCentury: return months(1200);
    case TimeUnit::kDecade: return months(120);
    case TimeUnit::kYear: return months(12);
    case TimeUnit::kQuarter: return months(3);
    case TimeUnit::kMonth: return months(1);
    case TimeUnit::kDay: return IntervalValue{0, v.days, v.months};
    case TimeUnit::kHour: return time(kUsPerHour);
    case TimeUnit::kMinute: return time(kUsPerMinute);
    case TimeUnit::kSecond: return time(kUsPerSecond);
    case TimeUnit::kMillisecond: return time(1000);
    case TimeUnit::kMicrosecond: return v;
    case TimeUnit::kWeek:
      throw SqlError(ErrorCode::kFeatureNotSupported, "unit \"{}\" not supported for type {}", lower, kType)
          .WithDetail("Months usually have fractional weeks.");
    default: Unsupported(lower, kType);
  }
}

}  // namespace walden
