// Dates, times and intervals: comparison, arithmetic, conversion, construction.
#include <cmath>
#include <cstdio>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/sql/functions/aggregate.h"
#include "node/sql/functions/comparison.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/datetime.h"
#include "node/types/datetime_arithmetic.h"
#include "node/types/floating.h"
#include "node/types/hash.h"
#include "node/types/interval.h"

namespace walden {
namespace {

using Span = IntervalValue;
using D = Compare<int32_t, int32_t>;
using T = Compare<int64_t, int64_t>;
int SpanOrder(Span a, Span b) { return CompareInterval(a, b); }
using S = CompareBy<Span, &SpanOrder>;
int TimeTzOrder(TimeTzValue a, TimeTzValue b) {
  int64_t x = a.microseconds + a.zone_seconds * kUsPerSecond,
          y = b.microseconds + b.zone_seconds * kUsPerSecond;
  if (x != y) return x < y ? -1 : 1;
  return a.zone_seconds < b.zone_seconds ? -1 : a.zone_seconds > b.zone_seconds ? 1 : 0;
}
using Z = CompareBy<TimeTzValue, &TimeTzOrder>;

// A date beyond the range of timestamps still compares.
int64_t Widen(int32_t date) {
  if (!IsDateFinite(date)) return date == kDateInfinity ? kTimestampInfinity : kTimestampMinusInfinity;
  return int64_t{date} >= kTimestampEnd / kUsPerDay ? kTimestampEnd : int64_t{date} * kUsPerDay;
}
// Comparisons that depend on the session's zone.
enum class Kind { kDate, kPlain, kZoned };
template <Kind K>
int64_t ToUtc(CallContext& c, int64_t v) {
  if (K == Kind::kZoned || !IsTimestampFinite(v)) return v;
  return LocalToUtc(v, c.format.zone);
}
template <Kind K>
using Stored = std::conditional_t<K == Kind::kDate, int32_t, int64_t>;
template <Kind K>
int64_t Wide(Stored<K> v) {
  if constexpr (K == Kind::kDate)
    return Widen(v);
  else
    return v;
}
template <Kind A, Kind B>
struct Mixed {
  static int Order(CallContext& c, Stored<A> a, Stored<B> b) {
    int64_t x = Wide<A>(a), y = Wide<B>(b);
    if constexpr (A == Kind::kZoned || B == Kind::kZoned) {
      x = ToUtc<A>(c, x);
      y = ToUtc<B>(c, y);
    }
    return x < y ? -1 : x > y ? 1 : 0;
  }
  static bool Eq(CallContext& c, Stored<A> a, Stored<B> b) { return Order(c, a, b) == 0; }
  static bool Ne(CallContext& c, Stored<A> a, Stored<B> b) { return Order(c, a, b) != 0; }
  static bool Lt(CallContext& c, Stored<A> a, Stored<B> b) { return Order(c, a, b) < 0; }
  static bool Le(CallContext& c, Stored<A> a, Stored<B> b) { return Order(c, a, b) <= 0; }
  static bool Gt(CallContext& c, Stored<A> a, Stored<B> b) { return Order(c, a, b) > 0; }
  static bool Ge(CallContext& c, Stored<A> a, Stored<B> b) { return Order(c, a, b) >= 0; }
};
using DP = Mixed<Kind::kDate, Kind::kPlain>;
using PD = Mixed<Kind::kPlain, Kind::kDate>;
using DZ = Mixed<Kind::kDate, Kind::kZoned>;
using ZD = Mixed<Kind::kZoned, Kind::kDate>;
using PZ = Mixed<Kind::kPlain, Kind::kZoned>;
using ZP = Mixed<Kind::kZoned, Kind::kPlain>;

template <class V>
V Larger(V a, V b) {
  return a > b ? a : b;
}
template <class V>
V Smaller(V a, V b) {
  return a < b ? a : b;
}

int32_t HashInt64(int64_t v) {
  auto low = static_cast<uint32_t>(v), high = static_cast<uint32_t>(static_cast<uint64_t>(v) >> 32);
  return static_cast<int32_t>(PgHashUint32(low ^ (v >= 0 ? high : ~high)));
}
int64_t HashInt64Extended(int64_t v, int64_t seed) {
  auto low = static_cast<uint32_t>(v), high = static_cast<uint32_t>(static_cast<uint64_t>(v) >> 32);
  return static_cast<int64_t>(
      PgHashUint32Extended(low ^ (v >= 0 ? high : ~high), static_cast<uint64_t>(seed)));
}
int32_t HashSpan(Span v) { return HashInt64(static_cast<int64_t>(IntervalSpan(v))); }
int64_t HashSpanExtended(Span v, int64_t seed) {
  return HashInt64Extended(static_cast<int64_t>(IntervalSpan(v)), seed);
}
int32_t HashTimeTz(TimeTzValue v) {
  return static_cast<int32_t>(static_cast<uint32_t>(HashInt64(v.microseconds)) ^
                              PgHashUint32(static_cast<uint32_t>(v.zone_seconds)));
}
int64_t HashTimeTzExtended(TimeTzValue v, int64_t seed) {
  return HashInt64Extended(v.microseconds, seed) ^
         static_cast<int64_t>(
             PgHashUint32Extended(static_cast<uint32_t>(v.zone_seconds), static_cast<uint64_t>(seed)));
}

// --- date ------------------------------------------------------------------------------------------------------

[[noreturn]] void DateOutOfRange() { throw SqlError(ErrorCode::kDatetimeFieldOverflow, "date out of range"); }
int32_t DateAdd(int32_t date, int64_t days) {
  if (!IsDateFinite(date)) return date;
  int64_t result = date + days;
  if (result < kDateMin || result >= kDateEnd) DateOutOfRange();
  return static_cast<int32_t>(result);
}
int32_t DatePlus(int32_t a, int32_t b) { return DateAdd(a, b); }
int32_t DateMinus(int32_t a, int32_t b) { return DateAdd(a, -int64_t{b}); }
int32_t DateDifference(int32_t a, int32_t b) {
  if (!IsDateFinite(a) || !IsDateFinite(b)) {
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "cannot subtract infinite dates");
  }
  return a - b;
}
int64_t DatePlusSpan(int32_t a, Span b) { return AddToTimestamp(DateToTimestamp(a), b); }
int64_t DateMinusSpan(int32_t a, Span b) { return AddToTimestamp(DateToTimestamp(a), NegateInterval(b)); }
int64_t DateToPlain(int32_t a) { return DateToTimestamp(a); }
int64_t DateToZoned(CallContext& c, int32_t a) { return DateToTimestampTz(a, c.format.zone); }
int32_t PlainToDate(int64_t a) { return TimestampToDate(a); }
int32_t ZonedToDate(CallContext& c, int64_t a) {
  return TimestampToDate(TimestampTzToTimestamp(a, c.format.zone));
}
bool DateFinite(int32_t a) { return IsDateFinite(a); }
int64_t DateAndTime(int32_t date, int64_t time) {
  int64_t day = DateToTimestamp(date);
  return IsTimestampFinite(day) ? day + time : day;
}
int64_t DateAndTimeTz(int32_t date, TimeTzValue time) {
  int64_t day = DateToTimestamp(date);
  return IsTimestampFinite(day) ? day + time.microseconds + time.zone_seconds * kUsPerSecond : day;
}
int32_t MakeDate(int32_t year, int32_t month, int32_t day) {
  int32_t y = year < 0 ? year + 1 : year;
  if (year == 0 || month < 1 || month > 12 || day < 1 || year > 5874897 || year < -4713 ||
      day > DaysInMonth(y, month)) {
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "date field value out of range: {}-{:02}-{:02}", year,
                   month, day);
  }
  return DaysFromCivil(y, month, day);
}

// --- time ------------------------------------------------------------------------------------------------------

int64_t WrapTime(int64_t us) {
  int64_t result = us % kUsPerDay;
  return result < 0 ? result + kUsPerDay : result;
}
int64_t TimePlus(int64_t a, Span b) { return WrapTime(a + b.microseconds % kUsPerDay); }
int64_t TimeMinus(int64_t a, Span b) { return WrapTime(a - b.microseconds % kUsPerDay); }
Span TimeDifference(int64_t a, int64_t b) { return {a - b, 0, 0}; }
TimeTzValue TimeTzPlus(TimeTzValue a, Span b) { return {TimePlus(a.microseconds, b), a.zone_seconds, 0}; }
TimeTzValue TimeTzMinus(TimeTzValue a, Span b) { return {TimeMinus(a.microseconds, b), a.zone_seconds, 0}; }
Span TimeToSpan(int64_t a) { return {a, 0, 0}; }
int64_t SpanToTime(Span a) { return WrapTime(a.microseconds); }
int64_t TimeOfDay(int64_t timestamp) { return WrapTime(timestamp); }
std::optional<int64_t> PlainToTime(int64_t a) {
  if (!IsTimestampFinite(a)) return std::nullopt;
  return TimeOfDay(a);
}
std::optional<int64_t> ZonedToTime(CallContext& c, int64_t a) {
  if (!IsTimestampFinite(a)) return std::nullopt;
  return TimeOfDay(UtcToLocal(a, c.format.zone));
}
std::optional<TimeTzValue> ZonedToTimeTz(CallContext& c, int64_t a) {
  if (!IsTimestampFinite(a)) return std::nullopt;
  ZoneOffset offset;
  int64_t local = UtcToLocal(a, c.format.zone, &offset);
  return TimeTzValue{TimeOfDay(local), -offset.seconds_east, 0};
}
int64_t NowUs(CallContext& c) {
  if (c.session != nullptr) return c.session->TransactionStartUs();
  return c.format.transaction_start_us != 0 ? c.format.transaction_start_us : WallClockUs();
}
TimeTzValue TimeToTimeTz(CallContext& c, int64_t a) {
  ZoneOffset offset;
  UtcToLocal(NowUs(c), c.format.zone, &offset);
  return {a, -offset.seconds_east, 0};
}
int64_t TimeTzToTime(TimeTzValue a) { return a.microseconds; }
TimeTzValue ToOffset(TimeTzValue a, int32_t seconds_east) {
  return {WrapTime(a.microseconds + (int64_t{a.zone_seconds} + seconds_east) * kUsPerSecond), -seconds_east,
          0};
}
TimeTzValue TimeTzAtZone(CallContext& c, std::string_view zone, TimeTzValue a) {
  ZoneOffset offset;
  UtcToLocal(NowUs(c), RequireZone(zone), &offset);
  return ToOffset(a, offset.seconds_east);
}
int32_t SpanOffset(Span zone) {
  if (zone.months != 0 || zone.days != 0) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "interval time zone must not include months or days");
  }
  return static_cast<int32_t>(zone.microseconds / kUsPerSecond);
}
TimeTzValue TimeTzAtSpan(Span zone, TimeTzValue a) { return ToOffset(a, SpanOffset(zone)); }
int64_t TimeScale(int64_t a, int32_t typmod) { return RoundTime(a, typmod); }
TimeTzValue TimeTzScale(TimeTzValue a, int32_t typmod) {
  return {RoundTime(a.microseconds, typmod), a.zone_seconds, 0};
}
int64_t MakeTime(int32_t hour, int32_t minute, double second) {
  if (hour < 0 || minute < 0 || minute > 59 || std::isnan(second) || second < 0 || second > 60 || hour > 24 ||
      (hour == 24 && (minute > 0 || second > 0))) {
    std::string text;
    AppendDouble(&text, second, 1);
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "time field value out of range: {}:{:02}:{}", hour,
                   minute, second < 10 ? "0" + text : text);
  }
  return hour * kUsPerHour + minute * kUsPerMinute + static_cast<int64_t>(std::rint(second * 1e6));
}

// --- timestamp -------------------------------------------------------------------------------------------------

int64_t PlainPlus(int64_t a, Span b) { return AddToTimestamp(a, b); }
int64_t PlainMinus(int64_t a, Span b) { return AddToTimestamp(a, NegateInterval(b)); }
int64_t ZonedPlus(CallContext& c, int64_t a, Span b) { return AddToTimestampTz(a, b, c.format.zone); }
int64_t ZonedMinus(CallContext& c, int64_t a, Span b) {
  return AddToTimestampTz(a, NegateInterval(b), c.format.zone);
}
Span Difference(int64_t a, int64_t b) { return SubtractTimestamps(a, b); }
int64_t PlainToZoned(CallContext& c, int64_t a) { return TimestampToTimestampTz(a, c.format.zone); }
int64_t ZonedToPlain(CallContext& c, int64_t a) { return TimestampTzToTimestamp(a, c.format.zone); }
int64_t PlainAtZone(std::string_view zone, int64_t a) { return TimestampToTimestampTz(a, RequireZone(zone)); }
int64_t ZonedAtZone(std::string_view zone, int64_t a) { return TimestampTzToTimestamp(a, RequireZone(zone)); }
int64_t PlainAtSpan(Span zone, int64_t a) {
  return TimestampToTimestampTz(a, TimeZone::Fixed(SpanOffset(zone)));
}
int64_t ZonedAtSpan(Span zone, int64_t a) {
  return TimestampTzToTimestamp(a, TimeZone::Fixed(SpanOffset(zone)));
}
bool Finite(int64_t a) { return IsTimestampFinite(a); }
bool SpanFinite(Span) { return true; }
int64_t Rescale(int64_t a, int32_t typmod) { return IsTimestampFinite(a) ? RoundTime(a, typmod) : a; }
Span PlainAge(int64_t a, int64_t b) { return Age(a, b); }
Span ZonedAge(CallContext& c, int64_t a, int64_t b) { return Age(ZonedToPlain(c, a), ZonedToPlain(c, b)); }

int64_t MakeTimestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second) {
  return int64_t{MakeDate(year, month, day)} * kUsPerDay + MakeTime(hour, minute, second);
}
int64_t MakeTimestampTz(CallContext& c, int32_t y, int32_t mo, int32_t d, int32_t h, int32_t mi, double s) {
  return PlainToZoned(c, MakeTimestamp(y, mo, d, h, mi, s));
}

// A zone as make_timestamptz takes it: +hh[:mm[:ss]] east of Greenwich, or a name.
const TimeZone* ZoneArgument(std::string_view text) {
  if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "invalid input syntax for type numeric time zone: \"{}\"", text)
        .WithHint("Numeric time zones must have \"-\" or \"+\" as first character.");
  }
  if (!text.starts_with('+') && !text.starts_with('-')) return RequireZone(text);
  size_t at = 1;
  auto number = [&] {
    int value = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
      value = std::min(value * 10 + (text[at] - '0'), 99999999);
    return value;
  };
  auto colon = [&] {
    bool found = at < text.size() && text[at] == ':';
    at += found ? 1 : 0;
    return found;
  };
  int hours = number(), minutes = 0, seconds = 0;
  if (colon()) {
    minutes = number();
    if (colon()) seconds = number();
  } else if (text.size() > 3) {  // hhmm
    minutes = hours % 100;
    hours /= 100;
  }
  if (at != text.size()) return RequireZone(text);
  if (hours > 15 || minutes >= 60 || seconds >= 60) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "numeric time zone \"{}\" out of range", text);
  }
  int32_t offset = hours * 3600 + minutes * 60 + seconds;
  return TimeZone::Fixed(text[0] == '-' ? -offset : offset);
}
int64_t MakeTimestampTzAt(int32_t y, int32_t mo, int32_t d, int32_t h, int32_t mi, double s,
                          std::string_view zone) {
  return TimestampToTimestampTz(MakeTimestamp(y, mo, d, h, mi, s), ZoneArgument(zone));
}
int64_t FromUnix(double seconds) {
  if (std::isnan(seconds)) throw SqlError(ErrorCode::kDatetimeFieldOverflow, "timestamp cannot be NaN");
  if (std::isinf(seconds)) return seconds > 0 ? kTimestampInfinity : kTimestampMinusInfinity;
  double us = std::rint((seconds - 946684800.0) * 1e6);
  if (!(us >= static_cast<double>(kTimestampMin) && us < static_cast<double>(kTimestampEnd))) {
    std::string text;
    AppendDouble(&text, seconds, 1);
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "timestamp out of range: \"{}\"", text);
  }
  return static_cast<int64_t>(us);
}
int64_t Bin(Span stride, int64_t source, int64_t origin) {
  if (!IsTimestampFinite(source)) return source;
  if (!IsTimestampFinite(origin)) throw SqlError(ErrorCode::kDatetimeFieldOverflow, "origin out of range");
  if (stride.months != 0) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "timestamps cannot be binned into intervals containing months or years");
  }
  auto width = static_cast<int64_t>(IntervalSpan(stride));
  if (width <= 0) throw SqlError(ErrorCode::kDatetimeFieldOverflow, "stride must be greater than zero");
  int64_t difference = 0, result = 0;
  if (__builtin_sub_overflow(source, origin, &difference)) {
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "interval out of range");
  }
  int64_t rest = difference % width, delta = difference - rest;
  if ((rest < 0 && __builtin_sub_overflow(delta, width, &delta)) ||
      __builtin_add_overflow(origin, delta, &result) || !IsTimestampInRange(result)) {
    ThrowTimestampOutOfRange();
  }
  return result;
}

// (s1, e1) OVERLAPS (s2, e2) with SQL's treatment of nulls.
template <class V, class Less>
std::optional<bool> Overlaps(std::optional<V> s1, std::optional<V> e1, std::optional<V> s2,
                             std::optional<V> e2, Less less) {
  auto order = [&](std::optional<V>& s, std::optional<V>& e) {
    if (!s) s.swap(e);
    if (s && e && less(*e, *s)) s.swap(e);
  };
  order(s1, e1);
  order(s2, e2);
  if (!s1 || !s2) return std::nullopt;
  if (less(*s2, *s1)) {
    s1.swap(s2);
    e1.swap(e2);
  }
  if (less(*s1, *s2)) {
    if (!e1) return std::nullopt;
    if (less(*s2, *e1)) return true;
    return false;
  }
  if (!e1 || !e2) return std::nullopt;
  return true;
}
using Maybe = std::optional<int64_t>;
std::optional<bool> OverlapsInt(Maybe a, Maybe b, Maybe c, Maybe d) {
  return Overlaps<int64_t>(a, b, c, d, [](int64_t x, int64_t y) { return x < y; });
}
using MaybeZ = std::optional<TimeTzValue>;
std::optional<bool> OverlapsTimeTz(MaybeZ a, MaybeZ b, MaybeZ c, MaybeZ d) {
  return Overlaps<TimeTzValue>(a, b, c, d,
                               [](TimeTzValue x, TimeTzValue y) { return TimeTzOrder(x, y) < 0; });
}

// --- interval --------------------------------------------------------------------------------------------------

Span SpanAdd(Span a, Span b) { return AddIntervals(a, b); }
Span SpanSubtract(Span a, Span b) { return SubtractIntervals(a, b); }
Span SpanNegate(Span a) { return NegateInterval(a); }
Span SpanMultiply(Span a, double b) { return MultiplyInterval(a, b); }
Span MultiplySpan(double a, Span b) { return MultiplyInterval(b, a); }
Span SpanDivide(Span a, double b) { return DivideInterval(a, b); }
Span SpanScale(Span a, int32_t typmod) { return ApplyIntervalTypmod(a, typmod); }
Span Hours(Span a) { return JustifyHours(a); }
Span Days(Span a) { return JustifyDays(a); }
Span Both(Span a) { return JustifyInterval(a); }
Span MakeInterval(int32_t years, int32_t months, int32_t weeks, int32_t days, int32_t hours, int32_t minutes,
                  double seconds) {
  if (std::isnan(seconds) || std::isinf(seconds))
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "interval out of range");
  Span result;
  result.months = static_cast<int32_t>(int64_t{years} * 12 + months);
  result.days = static_cast<int32_t>(int64_t{weeks} * 7 + days);
  result.microseconds =
      hours * kUsPerHour + minutes * kUsPerMinute + static_cast<int64_t>(std::rint(seconds * 1e6));
  return result;
}

// --- ranges of window frames -----------------------------------------------------------------------------------

void RequireForward(const Span& offset) {
  if (CompareInterval(offset, Span{0, 0, 0}) < 0) {
    throw SqlError(ErrorCode::kInvalidPrecedingOrFollowingSize,
                   "invalid preceding or following size in window function");
  }
}
bool InRangePlain(int64_t value, int64_t base, Span offset, bool subtract, bool less) {
  RequireForward(offset);
  int64_t bound = AddToTimestamp(base, subtract ? NegateInterval(offset) : offset);
  return less ? value <= bound : value >= bound;
}
bool InRangeZoned(CallContext& c, int64_t value, int64_t base, Span offset, bool subtract, bool less) {
  RequireForward(offset);
  int64_t bound = AddToTimestampTz(base, subtract ? NegateInterval(offset) : offset, c.format.zone);
  return less ? value <= bound : value >= bound;
}
bool InRangeDate(int32_t value, int32_t base, Span offset, bool subtract, bool less) {
  return InRangePlain(Widen(value), Widen(base), offset, subtract, less);
}
bool InRangeSpan(Span value, Span base, Span offset, bool subtract, bool less) {
  RequireForward(offset);
  int order = CompareInterval(value, subtract ? SubtractIntervals(base, offset) : AddIntervals(base, offset));
  return less ? order <= 0 : order >= 0;
}
bool InRangeTime(int64_t value, int64_t base, Span offset, bool subtract, bool less) {
  if (offset.microseconds < 0) RequireForward(Span{-1, 0, 0});
  int64_t bound = subtract ? base - offset.microseconds : base + offset.microseconds;
  return less ? value <= bound : value >= bound;
}

#define ORDER(name, C, larger, smaller)                                                   \
  Scalar<&C::Eq>(name "_eq"), Scalar<&C::Ne>(name "_ne"), Scalar<&C::Lt>(name "_lt"),     \
      Scalar<&C::Le>(name "_le"), Scalar<&C::Gt>(name "_gt"), Scalar<&C::Ge>(name "_ge"), \
      Scalar<&C::Order>(name "_cmp"), Scalar<larger>(name "_larger"), Scalar<smaller>(name "_smaller")
#define FAST_ORDER(name, C, V)                                                                            \
  Fast<&C::Eq>(name "_eq"), Fast<&C::Ne>(name "_ne"), Fast<&C::Lt>(name "_lt"), Fast<&C::Le>(name "_le"), \
      Fast<&C::Gt>(name "_gt"), Fast<&C::Ge>(name "_ge"), Scalar<&C::Order>(name "_cmp"),                 \
      Scalar<&Larger<V>>(name "_larger"), Scalar<&Smaller<V>>(name "_smaller")
#define MIXED(left, right, C)                                                                              \
  Scalar<&C::Eq>(left "_eq_" right), Scalar<&C::Ne>(left "_ne_" right), Scalar<&C::Lt>(left "_lt_" right), \
      Scalar<&C::Le>(left "_le_" right), Scalar<&C::Gt>(left "_gt_" right),                                \
      Scalar<&C::Ge>(left "_ge_" right), Scalar<&C::Order>(left "_cmp_" right)

constexpr ScalarFunction kTable[] = {
    FAST_ORDER("date", D, int32_t),
    FAST_ORDER("time", T, int64_t),
    FAST_ORDER("timestamp", T, int64_t),
    ORDER("interval", S, &S::Larger, &S::Smaller),
    ORDER("timetz", Z, &Z::Larger, &Z::Smaller),
    MIXED("date", "timestamp", DP),
    MIXED("timestamp", "date", PD),
    MIXED("date", "timestamptz", DZ),
    MIXED("timestamptz", "date", ZD),
    MIXED("timestamp", "timestamptz", PZ),
    MIXED("timestamptz", "timestamp", ZP),
    Scalar<&HashInt64>("time_hash"),
    Scalar<&HashInt64Extended>("time_hash_extended"),
    Scalar<&HashInt64>("timestamp_hash"),
    Scalar<&HashInt64Extended>("timestamp_hash_extended"),
    Scalar<&HashSpan>("interval_hash"),
    Scalar<&HashSpanExtended>("interval_hash_extended"),
    Scalar<&HashTimeTz>("timetz_hash"),
    Scalar<&HashTimeTzExtended>("timetz_hash_extended"),
    Scalar<&DatePlus>("date_pli"),
    Scalar<&DateMinus>("date_mii"),
    Scalar<&DateDifference>("date_mi"),
    Scalar<&DatePlusSpan>("date_pl_interval"),
    Scalar<&DateMinusSpan>("date_mi_interval"),
    Scalar<&DateToPlain>("date_timestamp"),
    Scalar<&DateToZoned>("date_timestamptz"),
    Scalar<&PlainToDate>("timestamp_date"),
    Scalar<&ZonedToDate>("timestamptz_date"),
    Scalar<&DateFinite>("date_finite"),
    Scalar<&DateAndTime>("datetime_timestamp"),
    Scalar<&DateAndTimeTz>("datetimetz_timestamptz"),
    Scalar<&MakeDate>("make_date"),
    Scalar<&TimePlus>("time_pl_interval"),
    Scalar<&TimeMinus>("time_mi_interval"),
    Scalar<&TimeDifference>("time_mi_time"),
    Scalar<&TimeTzPlus>("timetz_pl_interval"),
    Scalar<&TimeTzMinus>("timetz_mi_interval"),
    Scalar<&TimeToSpan>("time_interval"),
    Scalar<&SpanToTime>("interval_time"),
    Scalar<&PlainToTime>("timestamp_time"),
    Scalar<&ZonedToTime>("timestamptz_time"),
    Scalar<&ZonedToTimeTz>("timestamptz_timetz"),
    Scalar<&TimeToTimeTz>("time_timetz"),
    Scalar<&TimeTzToTime>("timetz_time"),
    Scalar<&TimeTzAtZone>("timetz_zone"),
    Scalar<&TimeTzAtSpan>("timetz_izone"),
    Scalar<&TimeScale>("time_scale"),
    Scalar<&TimeTzScale>("timetz_scale"),
    Scalar<&MakeTime>("make_time"),
    Scalar<&PlainPlus>("timestamp_pl_interval"),
    Scalar<&PlainMinus>("timestamp_mi_interval"),
    Scalar<&ZonedPlus>("timestamptz_pl_interval"),
    Scalar<&ZonedMinus>("timestamptz_mi_interval"),
    Scalar<&Difference>("timestamp_mi"),
    Scalar<&PlainToZoned>("timestamp_timestamptz"),
    Scalar<&ZonedToPlain>("timestamptz_timestamp"),
    Scalar<&PlainAtZone>("timestamp_zone"),
    Scalar<&ZonedAtZone>("timestamptz_zone"),
    Scalar<&PlainAtSpan>("timestamp_izone"),
    Scalar<&ZonedAtSpan>("timestamptz_izone"),
    Scalar<&Finite>("timestamp_finite"),
    Scalar<&SpanFinite>("interval_finite"),
    Scalar<&Rescale>("timestamp_scale"),
    Scalar<&Rescale>("timestamptz_scale"),
    Scalar<&PlainAge>("timestamp_age"),
    Scalar<&ZonedAge>("timestamptz_age"),
    Scalar<&MakeTimestamp>("make_timestamp"),
    Scalar<&MakeTimestampTz>("make_timestamptz"),
    Scalar<&MakeTimestampTzAt>("make_timestamptz_at_timezone"),
    Scalar<&FromUnix>("float8_timestamptz"),
    Scalar<&Bin>("timestamp_bin"),
    Scalar<&Bin>("timestamptz_bin"),
    Scalar<&OverlapsInt>("overlaps_timestamp"),
    Scalar<&OverlapsInt>("overlaps_time"),
    Scalar<&OverlapsTimeTz>("overlaps_timetz"),
    Scalar<&SpanAdd>("interval_pl"),
    Scalar<&SpanSubtract>("interval_mi"),
    Scalar<&SpanNegate>("interval_um"),
    Scalar<&SpanMultiply>("interval_mul"),
    Scalar<&MultiplySpan>("mul_d_interval"),
    Scalar<&SpanDivide>("interval_div"),
    Scalar<&SpanScale>("interval_scale"),
    Scalar<&Hours>("interval_justify_hours"),
    Scalar<&Days>("interval_justify_days"),
    Scalar<&Both>("interval_justify_interval"),
    Scalar<&MakeInterval>("make_interval"),
    Scalar<&InRangePlain>("in_range_timestamp_interval"),
    Scalar<&InRangeZoned>("in_range_timestamptz_interval"),
    Scalar<&InRangeDate>("in_range_date_interval"),
    Scalar<&InRangeSpan>("in_range_interval_interval"),
    Scalar<&InRangeTime>("in_range_time_interval"),
};

// --- Aggregates ------------------------------------------------------------------------------------------------

struct SpanTotal {
  Span sum;
  int64_t count, unused;
  void Add(CallContext&, Span v) {
    sum = AddIntervals(sum, v);
    ++count;
  }
  void Remove(CallContext&, Span v) {
    sum = SubtractIntervals(sum, v);
    --count;
  }
};
struct SpanSum : SpanTotal {
  void Merge(CallContext&, const SpanSum& from) {
    sum = AddIntervals(sum, from.sum);
    count += from.count;
  }
  void Finish(CallContext&, Value* result) const {
    if (count > 0) PutValue(result, sum);
  }
};
struct SpanAverage : SpanTotal {
  void Merge(CallContext&, const SpanAverage& from) {
    sum = AddIntervals(sum, from.sum);
    count += from.count;
  }
  void Finish(CallContext&, Value* result) const {
    if (count > 0) PutValue(result, DivideInterval(sum, static_cast<double>(count)));
  }
};
constexpr AggregateFunction kAggregates[] = {
    Aggregate1<SpanAverage, Span>(2106, "avg(interval)"),
    Aggregate1<SpanSum, Span>(2113, "sum(interval)"),
};

}  // namespace

std::span<const ScalarFunction> DateTimeFunctions() { return kTable; }
std::span<const AggregateFunction> DateTimeAggregates() { return kAggregates; }

}  // namespace walden
