// date, time, timetz, timestamp, timestamptz: text forms and conversions. timestamptz is microseconds since 2000-01-01 UTC,
// the others count local days and microseconds. Errors: 22007 bad syntax, 22008 out of range, 22009 bad zone offset.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "node/types/calendar.h"
#include "node/types/text_format.h"
#include "node/types/timezone.h"
#include "node/types/type_table.h"

namespace walden {

int32_t ParseDate(std::string_view text, const TextFormat& format);
int64_t ParseTime(std::string_view text, const TextFormat& format);
TimeTzValue ParseTimeTz(std::string_view text, const TextFormat& format);
int64_t ParseTimestamp(std::string_view text, const TextFormat& format);
int64_t ParseTimestampTz(std::string_view text, const TextFormat& format);

void AppendDate(std::string* to, int32_t date, const TextFormat& format);
void AppendTime(std::string* to, int64_t time);
void AppendTimeTz(std::string* to, TimeTzValue time);
void AppendTimestamp(std::string* to, int64_t timestamp, const TextFormat& format);
void AppendTimestampTz(std::string* to, int64_t timestamp, const TextFormat& format);
// "+05:30", as ISO timestamps end; minutes and seconds only if not zero.
void AppendZoneOffset(std::string* to, int32_t seconds_east);

// Rounds to `precision` (0-6) decimals of a second; -1 leaves it.
int64_t RoundTime(int64_t us, int32_t precision);
// typmod of time, timestamp: the precision, at most 6.
int32_t PrecisionTypmod(std::span<const std::string_view> modifiers, std::string_view type_name);

int64_t DateToTimestamp(int32_t date);  // 22008 out of range; infinities stay
int32_t TimestampToDate(int64_t timestamp);
int64_t DateToTimestampTz(int32_t date, const TimeZone* zone);
int64_t TimestampToTimestampTz(int64_t timestamp, const TimeZone* zone);
int64_t TimestampTzToTimestamp(int64_t timestamp, const TimeZone* zone);
[[noreturn]] void ThrowTimestampOutOfRange();

// A zone by name, abbreviation or POSIX specification; 22023 'time zone "x" not recognized'. A fixed abbreviation gives a fixed
// zone.
const TimeZone* RequireZone(std::string_view name);

std::span<const TypeDescriptor> DateTimeTypes();

}  // namespace walden
