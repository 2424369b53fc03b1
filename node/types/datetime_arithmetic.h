// Arithmetic of dates, times and intervals. Overflow: 22008.
#pragma once

#include <cstdint>

#include "node/types/timezone.h"
#include "node/types/value.h"

namespace walden {

// Months first (the day is cut to the month's length), then days, then microseconds. With a zone, months and days move the local
// clock.
int64_t AddToTimestamp(int64_t timestamp, const IntervalValue& span);
int64_t AddToTimestampTz(int64_t timestamp, const IntervalValue& span, const TimeZone* zone);
IntervalValue NegateInterval(const IntervalValue& v);
IntervalValue AddIntervals(const IntervalValue& a, const IntervalValue& b);
IntervalValue SubtractIntervals(const IntervalValue& a, const IntervalValue& b);
IntervalValue MultiplyInterval(const IntervalValue& v, double factor);
IntervalValue DivideInterval(const IntervalValue& v, double divisor);
// Days and time between; finite arguments only.
IntervalValue SubtractTimestamps(int64_t a, int64_t b);
// Years, months, days between two local timestamps, counted by the calendar.
IntervalValue Age(int64_t a, int64_t b);
IntervalValue JustifyHours(IntervalValue v);
IntervalValue JustifyDays(IntervalValue v);
IntervalValue JustifyInterval(IntervalValue v);

}  // namespace walden
