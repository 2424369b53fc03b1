// extract, date_part, date_trunc, and the clock.
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/datetime.h"
#include "node/types/datetime_fields.h"

namespace walden {
namespace {

using View = std::string_view;
using MaybeNumeric = std::optional<NumericRef>;
using MaybeDouble = std::optional<double>;

MaybeNumeric Exact(CallContext& c, const std::optional<FieldValue>& v) {
  return v ? FieldToNumeric(*v, c.arena) : MaybeNumeric();
}
MaybeDouble Inexact(const std::optional<FieldValue>& v) { return v ? FieldToDouble(*v) : MaybeDouble(); }

MaybeNumeric ExtractTimestamp(CallContext& c, View u, int64_t v) { return Exact(c, TimestampField(u, v)); }
MaybeNumeric ExtractTimestampTz(CallContext& c, View u, int64_t v) {
  return Exact(c, TimestampTzField(u, v, c.format.zone));
}
MaybeNumeric ExtractDate(CallContext& c, View u, int32_t v) { return Exact(c, DateField(u, v)); }
MaybeNumeric ExtractTime(CallContext& c, View u, int64_t v) { return Exact(c, TimeField(u, v)); }
MaybeNumeric ExtractTimeTz(CallContext& c, View u, TimeTzValue v) { return Exact(c, TimeTzField(u, v)); }
MaybeNumeric ExtractInterval(CallContext& c, View u, IntervalValue v) {
  return Exact(c, IntervalField(u, v));
}
MaybeDouble PartTimestamp(View u, int64_t v) { return Inexact(TimestampField(u, v)); }
MaybeDouble PartTimestampTz(CallContext& c, View u, int64_t v) {
  return Inexact(TimestampTzField(u, v, c.format.zone));
}
MaybeDouble PartTime(View u, int64_t v) { return Inexact(TimeField(u, v)); }
MaybeDouble PartTimeTz(View u, TimeTzValue v) { return Inexact(TimeTzField(u, v)); }
MaybeDouble PartInterval(View u, IntervalValue v) { return Inexact(IntervalField(u, v)); }

int64_t TruncPlain(View u, int64_t v) { return TruncateTimestamp(u, v); }
int64_t TruncZoned(CallContext& c, View u, int64_t v) { return TruncateTimestampTz(u, v, c.format.zone); }
int64_t TruncZonedAt(View u, int64_t v, View zone) { return TruncateTimestampTz(u, v, RequireZone(zone)); }
IntervalValue TruncSpan(View u, IntervalValue v) { return TruncateInterval(u, v); }

int64_t Now(CallContext& c) {
  if (c.session != nullptr) return c.session->TransactionStartUs();
  return c.format.transaction_start_us != 0 ? c.format.transaction_start_us : WallClockUs();
}
int64_t StatementTimestamp(CallContext& c) {
  return c.session != nullptr ? c.session->StatementStartUs() : Now(c);
}
int64_t ClockTimestamp() { return WallClockUs(); }
View TimeOfDay(CallContext& c) {
  ZoneOffset offset;
  DateTime t = SplitTimestamp(UtcToLocal(WallClockUs(), c.format.zone, &offset));
  return Keep(c, fmt::format("{:.3} {:.3} {:02} {:02}:{:02}:{:02}.{:06} {} {}", kDayNames[DayOfWeek(t.days)],
                             kMonthNames[t.month - 1], t.day, t.hour, t.minute, t.second, t.microsecond,
                             t.year, offset.abbreviation));
}

constexpr ScalarFunction kTable[] = {
    Scalar<&ExtractTimestamp>("extract_timestamp"),
    Scalar<&ExtractTimestampTz>("extract_timestamptz"),
    Scalar<&ExtractDate>("extract_date"),
    Scalar<&ExtractTime>("extract_time"),
    Scalar<&ExtractTimeTz>("extract_timetz"),
    Scalar<&ExtractInterval>("extract_interval"),
    Scalar<&PartTimestamp>("timestamp_part"),
    Scalar<&PartTimestampTz>("timestamptz_part"),
    Scalar<&PartTime>("time_part"),
    Scalar<&PartTimeTz>("timetz_part"),
    Scalar<&PartInterval>("interval_part"),
    Scalar<&TruncPlain>("timestamp_trunc"),
    Scalar<&TruncZoned>("timestamptz_trunc"),
    Scalar<&TruncZonedAt>("timestamptz_trunc_zone"),
    Scalar<&TruncSpan>("interval_trunc"),
    Scalar<&Now>("now"),
    Scalar<&StatementTimestamp>("statement_timestamp"),
    Volatile<&ClockTimestamp>("clock_timestamp"),
    Volatile<&TimeOfDay>("timeofday"),
};

}  // namespace

std::span<const ScalarFunction> DateTimeFieldFunctions() { return kTable; }

}  // namespace walden
