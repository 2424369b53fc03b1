// Functions that PostgreSQL itself writes in SQL, and functions whose overloads share one internal name: one kernel each,
// told apart by the number and types of its arguments.
#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/datetime.h"
#include "node/types/datetime_arithmetic.h"
#include "node/types/datetime_fields.h"
#include "node/types/numeric.h"
#include "node/types/regex.h"

namespace walden {
namespace {

using View = std::string_view;

// Calls the function of another name with the arguments in the order given.
void CallOther(CallContext& c, View name, std::initializer_list<Value> args, Value* result) {
  *result = CallScalar(*FindScalar(name), c, {args.begin(), args.size()});
}
void PutText(CallContext& c, const std::string& text, Value* result) {
  *result = Value{StringDatum(Keep(c, text)), false};
}
std::string TextOf(CallContext& c, size_t arg, const Value& value) {
  std::string text;
  AppendText(c, c.site.arg_types[arg], value.datum, &text);
  return text;
}

// quote_literal(text) and quote_literal(anyelement), likewise quote_nullable.
void QuoteAny(CallContext& c, std::span<const Value> args, Value* result) {
  PutText(c, QuoteLiteral(TextOf(c, 0, args[0])), result);
}
void QuoteAnyOrNull(CallContext& c, std::span<const Value> args, Value* result) {
  PutText(c, args[0].is_null ? "NULL" : QuoteLiteral(TextOf(c, 0, args[0])), result);
}
void TextAnyCat(CallContext& c, std::span<const Value> args, Value* result) {
  PutText(c, TextOf(c, 0, args[0]) + TextOf(c, 1, args[1]), result);
}

int32_t BitLength(View a) { return static_cast<int32_t>(a.size() * 8); }
NumericRef RoundWhole(CallContext& c, NumericRef a) { return NumericRound(a, 0, c.arena); }
NumericRef TruncateWhole(CallContext& c, NumericRef a) { return NumericTruncate(a, 0, c.arena); }
NumericRef Log10(CallContext& c, NumericRef a) { return NumericLog(NumericFromInt64(10), a, c.arena); }

std::optional<View> SubstringSimilar(CallContext& c, View a, View pattern, View escape) {
  auto regex = CompileRegex(SimilarToRegex(pattern, escape), RegexOptions());
  RegexSubject subject(a);
  std::vector<RegexSpan> spans;
  if (!regex->Search(subject, 0, &spans)) return std::nullopt;
  const RegexSpan& span = spans.size() > 1 ? spans[1] : spans[0];
  if (!span.matched()) return std::nullopt;
  return Keep(c, a.substr(span.start, span.end - span.start));
}

// age(timestamp) counts from today's midnight.
void AgeFromToday(CallContext& c, std::span<const Value> args, Value* result) {
  Value now = CallScalar(*FindScalar("now"), c, {});
  bool zoned = c.site.arg_types[0] == type_oid::kTimestampTz;
  int64_t today = int64_t{TimestampToDate(UtcToLocal(now.datum.i64, c.format.zone))} * kUsPerDay;
  int64_t then = zoned ? TimestampTzToTimestamp(args[0].datum.i64, c.format.zone) : args[0].datum.i64;
  *result = Value{Datum{.interval = Age(today, then)}, false};
}
std::optional<double> DatePart(View unit, int32_t date) {
  // As of the timestamp at its midnight, so that hours are 0 and not an error.
  std::optional<FieldValue> field = TimestampField(unit, DateToTimestamp(date));
  return field ? std::optional<double>(FieldToDouble(*field)) : std::nullopt;
}

int32_t IntPlusDate(CallContext& c, int32_t a, int32_t b) {
  Value result;
  CallOther(c, "date_pli", {Value{Datum{.i32 = b}, false}, Value{Datum{.i32 = a}, false}}, &result);
  return result.datum.i32;
}
int64_t SpanPlusDate(IntervalValue a, int32_t b) { return AddToTimestamp(DateToTimestamp(b), a); }
int64_t SpanPlusTimestamp(IntervalValue a, int64_t b) { return AddToTimestamp(b, a); }
int64_t SpanPlusTimestampTz(CallContext& c, IntervalValue a, int64_t b) {
  return AddToTimestampTz(b, a, c.format.zone);
}
template <bool kZoned>
void SpanPlusTime(CallContext& c, std::span<const Value> args, Value* result) {
  CallOther(c, kZoned ? "timetz_pl_interval" : "time_pl_interval", {args[1], args[0]}, result);
}
void TimePlusDate(CallContext& c, std::span<const Value> args, Value* result) {
  CallOther(c, "datetime_timestamp", {args[1], args[0]}, result);
}
void TimeTzPlusDate(CallContext& c, std::span<const Value> args, Value* result) {
  CallOther(c, "datetimetz_timestamptz", {args[1], args[0]}, result);
}
int64_t DateTimeToTimestampTz(CallContext& c, int32_t date, int64_t time) {
  int64_t day = DateToTimestamp(date);
  return IsTimestampFinite(day) ? TimestampToTimestampTz(day + time, c.format.zone) : day;
}

// (start, length or end) OVERLAPS (start, length or end) over times and timestamps.
void Overlaps(CallContext& c, std::span<const Value> args, Value* result) {
  Value ends[4];
  Oid type = c.site.arg_types[0];
  for (size_t i = 0; i < 4; ++i) {
    ends[i] = args[i];
    if (c.site.arg_types[i] != type_oid::kInterval || args[i].is_null) continue;
    if (args[i - 1].is_null) {
      ends[i].is_null = true;
      continue;
    }
    const char* add = type == type_oid::kTime          ? "time_pl_interval"
                      : type == type_oid::kTimestampTz ? "timestamptz_pl_interval"
                                                       : "timestamp_pl_interval";
    CallOther(c, add, {args[i - 1], args[i]}, &ends[i]);
  }
  CallOther(c, "overlaps_timestamp", {ends[0], ends[1], ends[2], ends[3]}, result);
}

constexpr ScalarFunction kTable[] = {
    RowForm<&QuoteAny, true>("quote_literal"),
    RowForm<&QuoteAnyOrNull, false>("quote_nullable"),
    RowForm<&TextAnyCat, true>("textanycat"),
    RowForm<&TextAnyCat, true>("anytextcat"),
    Scalar<&BitLength>("bit_length"),
    Scalar<&RoundWhole>("round"),
    Scalar<&TruncateWhole>("trunc"),
    Scalar<&Log10>("log"),
    Scalar<&Log10>("log10"),
    Scalar<&SubstringSimilar>("substring"),
    RowForm<&AgeFromToday, true>("age"),
    Scalar<&DatePart>("date_part"),
    Scalar<&IntPlusDate>("integer_pl_date"),
    Scalar<&SpanPlusDate>("interval_pl_date"),
    Scalar<&SpanPlusTimestamp>("interval_pl_timestamp"),
    Scalar<&SpanPlusTimestampTz>("interval_pl_timestamptz"),
    RowForm<&SpanPlusTime<false>, true>("interval_pl_time"),
    RowForm<&SpanPlusTime<true>, true>("interval_pl_timetz"),
    RowForm<&TimePlusDate, true>("timedate_pl"),
    RowForm<&TimeTzPlusDate, true>("timetzdate_pl"),
    Scalar<&DateTimeToTimestampTz>("timestamptz"),
    RowForm<&Overlaps, false>("overlaps"),
};

}  // namespace

std::span<const ScalarFunction> StandardFunctions() { return kTable; }

}  // namespace walden
