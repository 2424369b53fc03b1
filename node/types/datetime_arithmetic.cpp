#include "node/types/datetime_arithmetic.h"

#include <algorithm>
#include <cmath>

#include "node/base/error.h"
#include "node/types/calendar.h"
#include "node/types/datetime.h"

namespace walden {
namespace {

[[noreturn]] void IntervalOutOfRange() {
  throw SqlError(ErrorCode::kDatetimeFieldOverflow, "interval out of range");
}

int64_t AddMonthsAndDays(int64_t local, int32_t months, int32_t days) {
  DateTime t = SplitTimestamp(local);
  int64_t time = local - int64_t{t.days} * kUsPerDay;
  int64_t date = t.days;
  if (months != 0) {
    int64_t month = int64_t{t.year} * 12 + (t.month - 1) + months;
    int64_t year = month >= 0 ? month / 12 : -((11 - month) / 12);
    if (year > 294280 || year < -4800) ThrowTimestampOutOfRange();
    int month_of_year = static_cast<int>(month - year * 12) + 1;
    int day = std::min(t.day, DaysInMonth(static_cast<int32_t>(year), month_of_year));
    date = DaysFromCivil(static_cast<int32_t>(year), month_of_year, day);
  }
  date += days;
  if (date < -2500000 || date > 110000000) ThrowTimestampOutOfRange();
  int64_t result = date * kUsPerDay;
  if (__builtin_add_overflow(result, time, &result)) ThrowTimestampOutOfRange();
  return result;
}

int64_t Checked(int64_t timestamp, int64_t us) {
  int64_t result;
  if (__builtin_add_overflow(timestamp, us, &result) || !IsTimestampInRange(result))
    ThrowTimestampOutOfRange();
  return result;
}

}  // namespace

int64_t AddToTimestamp(int64_t timestamp, const IntervalValue& span) {
  if (!IsTimestampFinite(timestamp)) return timestamp;
  if (span.months != 0 || span.days != 0) timestamp = AddMonthsAndDays(timestamp, span.months, span.days);
  return Checked(timestamp, span.microseconds);
}

int64_t AddToTimestampTz(int64_t timestamp, const IntervalValue& span, const TimeZone* zone) {
  if (!IsTimestampFinite(timestamp)) return timestamp;
  if (span.months != 0)
    timestamp = LocalToUtc(AddMonthsAndDays(UtcToLocal(timestamp, zone), span.months, 0), zone);
  if (span.days != 0)
    timestamp = LocalToUtc(AddMonthsAndDays(UtcToLocal(timestamp, zone), 0, span.days), zone);
  return Checked(timestamp, span.microseconds);
}

IntervalValue NegateInterval(const IntervalValue& v) {
  IntervalValue result;
  if (__builtin_sub_overflow(int64_t{0}, v.microseconds, &result.microseconds) ||
      __builtin_sub_overflow(0, v.days, &result.days) ||
      __builtin_sub_overflow(0, v.months, &result.months)) {
    IntervalOutOfRange();
  }
  return result;
}
IntervalValue AddIntervals(const IntervalValue& a, const IntervalValue& b) {
  IntervalValue result;
  if (__builtin_add_overflow(a.microseconds, b.microseconds, &result.microseconds) ||
      __builtin_add_overflow(a.days, b.days, &result.days) ||
      __builtin_add_overflow(a.months, b.months, &result.months)) {
    IntervalOutOfRange();
  }
  return result;
}
IntervalValue SubtractIntervals(const IntervalValue& a, const IntervalValue& b) {
  IntervalValue result;
  if (__builtin_sub_overflow(a.microseconds, b.microseconds, &result.microseconds) ||
      __builtin_sub_overflow(a.days, b.days, &result.days) ||
      __builtin_sub_overflow(a.months, b.months, &result.months)) {
    IntervalOutOfRange();
  }
  return result;
}

namespace {

double RoundToMicros(double seconds) { return std::rint(seconds * 1e6) / 1e6; }

int32_t ToInt32(double v) {
  if (!(v >= -2147483648.0 && v < 2147483648.0)) IntervalOutOfRange();
  return static_cast<int32_t>(v);
}

// `scale` multiplies or divides. Fractions of months cascade to days of 1/30 month, of days to seconds.
template <class F>
IntervalValue Scale(const IntervalValue& v, F scale) {
  IntervalValue result;
  double months = scale(static_cast<double>(v.months)), days = scale(static_cast<double>(v.days));
  result.months = ToInt32(months);
  int32_t whole_days = ToInt32(days);
  double month_days = RoundToMicros((months - result.months) * 30);
  double seconds = RoundToMicros((days - whole_days + month_days - static_cast<int>(month_days)) * 86400);
  if (std::fabs(seconds) >= 86400) {
    int carried = static_cast<int>(seconds / 86400);
    whole_days += carried;
    seconds -= carried * 86400.0;
  }
  result.days = ToInt32(static_cast<double>(whole_days) + static_cast<int>(month_days));
  double us = std::rint(scale(static_cast<double>(v.microseconds)) + seconds * 1e6);
  if (!(us >= -9223372036854775808.0 && us < 9223372036854775808.0)) IntervalOutOfRange();
  result.microseconds = static_cast<int64_t>(us);
  return result;
}

}  // namespace

IntervalValue MultiplyInterval(const IntervalValue& v, double factor) {
  return Scale(v, [factor](double part) { return part * factor; });
}
IntervalValue DivideInterval(const IntervalValue& v, double divisor) {
  if (divisor == 0) throw SqlError(ErrorCode::kDivisionByZero, "division by zero");
  return Scale(v, [divisor](double part) { return part / divisor; });
}

IntervalValue SubtractTimestamps(int64_t a, int64_t b) {
  if (!IsTimestampFinite(a) || !IsTimestampFinite(b)) {
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "cannot subtract infinite timestamps");
  }
  int64_t difference;
  if (__builtin_sub_overflow(a, b, &difference)) IntervalOutOfRange();
  return JustifyHours(IntervalValue{difference, 0, 0});
}

IntervalValue Age(int64_t a, int64_t b) {
  if (!IsTimestampFinite(a) || !IsTimestampFinite(b)) ThrowTimestampOutOfRange();
  bool negative = a < b;
  DateTime x = SplitTimestamp(negative ? b : a), y = SplitTimestamp(negative ? a : b);
  int64_t time_x = ((int64_t{x.hour} * 60 + x.minute) * 60 + x.second) * kUsPerSecond + x.microsecond;
  int64_t time_y = ((int64_t{y.hour} * 60 + y.minute) * 60 + y.second) * kUsPerSecond + y.microsecond;
  int64_t time = time_x - time_y;
  int day = x.day - y.day, month = x.month - y.month, year = x.year - y.year;
  if (time < 0) {
    time += kUsPerDay;
    --day;
  }
  // Borrowed months have the length of the first argument's month if it is the earlier one, else of the second's.
  while (day < 0) {
    day += DaysInMonth(y.year, y.month);
    --month;
  }
  while (month < 0) {
    month += 12;
    --year;
  }
  IntervalValue result{time, day, year * 12 + month};
  return negative ? NegateInterval(result) : result;
}

IntervalValue JustifyHours(IntervalValue v) {
  int64_t days = v.microseconds / kUsPerDay;
  v.microseconds -= days * kUsPerDay;
  if (__builtin_add_overflow(v.days, static_cast<int32_t>(days), &v.days)) IntervalOutOfRange();
  if (v.days > 0 && v.microseconds < 0) {
    v.microseconds += kUsPerDay;
    --v.days;
  } else if (v.days < 0 && v.microseconds > 0) {
    v.microseconds -= kUsPerDay;
    ++v.days;
  }
  return v;
}

IntervalValue JustifyDays(IntervalValue v) {
  int32_t months = v.days / 30;
  v.days -= months * 30;
  if (__builtin_add_overflow(v.months, months, &v.months)) IntervalOutOfRange();
  if (v.months > 0 && v.days < 0) {
    v.days += 30;
    --v.months;
  } else if (v.months < 0 && v.days > 0) {
    v.days -= 30;
    ++v.months;
  }
  return v;
}

IntervalValue JustifyInterval(IntervalValue v) {
  int64_t days = v.microseconds / kUsPerDay;
  v.microseconds -= days * kUsPerDay;
  if (__builtin_add_overflow(v.days, static_cast<int32_t>(days), &v.days)) IntervalOutOfRange();
  int32_t months = v.days / 30;
  v.days -= months * 30;
  if (__builtin_add_overflow(v.months, months, &v.months)) IntervalOutOfRange();
  if (v.months > 0 && (v.days < 0 || (v.days == 0 && v.microseconds < 0))) {
    v.days += 30;
    --v.months;
  } else if (v.months < 0 && (v.days > 0 || (v.days == 0 && v.microseconds > 0))) {
    v.days -= 30;
    ++v.months;
  }
  if (v.days > 0 && v.microseconds < 0) {
    v.microseconds += kUsPerDay;
    --v.days;
  } else if (v.days < 0 && v.microseconds > 0) {
    v.microseconds -= kUsPerDay;
    ++v.days;
  }
  return v;
}

}  // namespace walden
