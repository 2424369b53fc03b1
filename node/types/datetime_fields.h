// extract(), date_part() and date_trunc(): the fields of dates, times and intervals.
#pragma once

#include <optional>
#include <string_view>

#include "node/base/arena.h"
#include "node/types/timezone.h"
#include "node/types/value.h"

namespace walden {

// A field's value: an exact number scaled by 10^-scale. Infinite dates give infinities for fields that grow for ever.
struct FieldValue {
  __int128 scaled = 0;  // seconds since 1970 of the last timestamps exceed 64 bits at scale 6
  int scale = 0;
  int infinity = 0;               // -1 or 1: that infinity
  std::optional<int64_t> day_us;  // julian: `scaled` days and these microseconds of a day
  std::optional<double> sum;      // as a double, where that is a sum of rounded parts
};

// Null where the field of an infinite value has no meaning. 22023 for an unknown unit, 0A000 for one the type has not.
std::optional<FieldValue> TimestampField(std::string_view unit, int64_t timestamp);
std::optional<FieldValue> TimestampTzField(std::string_view unit, int64_t timestamp, const TimeZone* zone);
std::optional<FieldValue> DateField(std::string_view unit, int32_t date);
std::optional<FieldValue> TimeField(std::string_view unit, int64_t time);
std::optional<FieldValue> TimeTzField(std::string_view unit, TimeTzValue time);
std::optional<FieldValue> IntervalField(std::string_view unit, const IntervalValue& v);

NumericRef FieldToNumeric(const FieldValue& v, Arena& arena);
double FieldToDouble(const FieldValue& v);

int64_t TruncateTimestamp(std::string_view unit, int64_t timestamp);
int64_t TruncateTimestampTz(std::string_view unit, int64_t timestamp, const TimeZone* zone);
IntervalValue TruncateInterval(std::string_view unit, IntervalValue v);

}  // namespace walden
