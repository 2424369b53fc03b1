// Writing dates and times in the four DateStyles, and the conversions between the types.
#include <cmath>
#include <cstdlib>

#include "node/base/error.h"
#include "node/types/datetime.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/wire.h"

namespace walden {
namespace {

void AppendPadded(std::string* to, int64_t value, size_t width) {
  std::string digits = std::to_string(value);
  if (digits.size() < width) to->append(width - digits.size(), '0');
  *to += digits;
}

void AppendFraction(std::string* to, int32_t microsecond) {
  if (microsecond == 0) return;
  char digits[8];
  digits[0] = '.';
  for (int i = 6; i > 0; --i, microsecond /= 10) digits[i] = static_cast<char>('0' + microsecond % 10);
  size_t size = 7;
  while (digits[size - 1] == '0') --size;
  to->append(digits, size);
}

void AppendClock(std::string* to, int hour, int minute, int second, int32_t microsecond) {
  AppendPadded(to, hour, 2);
  to->push_back(':');
  AppendPadded(to, minute, 2);
  to->push_back(':');
  AppendPadded(to, second, 2);
  AppendFraction(to, microsecond);
}

int32_t ShownYear(int32_t year) { return year > 0 ? year : 1 - year; }

void AppendCivil(std::string* to, int32_t year, int month, int day, const TextFormat& format) {
  bool day_first = format.date_order == DateOrder::kDmy;
  switch (format.date_style) {
    case DateStyle::kIso:
      AppendPadded(to, ShownYear(year), 4);
      to->push_back('-');
      AppendPadded(to, month, 2);
      to->push_back('-');
      AppendPadded(to, day, 2);
      return;
    case DateStyle::kSql:
      AppendPadded(to, day_first ? day : month, 2);
      to->push_back('/');
      AppendPadded(to, day_first ? month : day, 2);
      to->push_back('/');
      break;
    case DateStyle::kGerman:
      AppendPadded(to, day, 2);
      to->push_back('.');
      AppendPadded(to, month, 2);
      to->push_back('.');
      break;
    case DateStyle::kPostgres:
      AppendPadded(to, day_first ? day : month, 2);
      to->push_back('-');
      AppendPadded(to, day_first ? month : day, 2);
      to->push_back('-');
      break;
  }
  AppendPadded(to, ShownYear(year), 4);
}

void AppendDateTime(std::string* to, const DateTime& t, const ZoneOffset* zone, const TextFormat& format) {
  if (format.date_style == DateStyle::kPostgres) {
    to->append(kDayNames[DayOfWeek(t.days)], 3);
    to->push_back(' ');
    std::string_view month(kMonthNames[t.month - 1], 3);
    if (format.date_order == DateOrder::kDmy) {
      AppendPadded(to, t.day, 2);
      to->push_back(' ');
      to->append(month);
    } else {
      to->append(month);
      to->push_back(' ');
      AppendPadded(to, t.day, 2);
    }
    to->push_back(' ');
    AppendClock(to, t.hour, t.minute, t.second, t.microsecond);
    to->push_back(' ');
    AppendPadded(to, ShownYear(t.year), 4);
  } else {
    AppendCivil(to, t.year, t.month, t.day, format);
    to->push_back(' ');
    AppendClock(to, t.hour, t.minute, t.second, t.microsecond);
  }
  if (zone != nullptr) {
    bool named = !zone->abbreviation.empty() && zone->abbreviation[0] != '+' && zone->abbreviation[0] != '-';
    if (format.date_style == DateStyle::kIso || !named) {
      if (format.date_style == DateStyle::kPostgres) to->push_back(' ');
      AppendZoneOffset(to, zone->seconds_east);
    } else {
      to->push_back(' ');
      to->append(zone->abbreviation);
    }
  }
  if (t.year <= 0) to->append(" BC");
}

}  // namespace

void AppendZoneOffset(std::string* to, int32_t seconds_east) {
  int magnitude = std::abs(seconds_east);
  to->push_back(seconds_east < 0 ? '-' : '+');
  AppendPadded(to, magnitude / 3600, 2);
  if (magnitude % 3600 == 0) return;
  to->push_back(':');
  AppendPadded(to, magnitude / 60 % 60, 2);
  if (magnitude % 60 == 0) return;
  to->push_back(':');
  AppendPadded(to, magnitude % 60, 2);
}

void AppendDate(std::string* to, int32_t date, const TextFormat& format) {
  if (!IsDateFinite(date)) {
    to->append(date == kDateInfinity ? "infinity" : "-infinity");
    return;
  }
  CivilDate civil = CivilFromDays(date);
  AppendCivil(to, civil.year, civil.month, civil.day, format);
  if (civil.year <= 0) to->append(" BC");
}

void AppendTime(std::string* to, int64_t time) {
  AppendClock(to, static_cast<int>(time / kUsPerHour), static_cast<int>(time / kUsPerMinute % 60),
              static_cast<int>(time / kUsPerSecond % 60), static_cast<int32_t>(time % kUsPerSecond));
}

void AppendTimeTz(std::string* to, TimeTzValue time) {
  AppendTime(to, time.microseconds);
  AppendZoneOffset(to, -time.zone_seconds);
}

void AppendTimestamp(std::string* to, int64_t timestamp, const TextFormat& format) {
  if (!IsTimestampFinite(timestamp)) {
    to->append(timestamp == kTimestampInfinity ? "infinity" : "-infinity");
    return;
  }
  AppendDateTime(to, SplitTimestamp(timestamp), nullptr, format);
}

void AppendTimestampTz(std::string* to, int64_t timestamp, const TextFormat& format) {
  if (!IsTimestampFinite(timestamp)) {
    to->append(timestamp == kTimestampInfinity ? "infinity" : "-infinity");
    return;
  }
  ZoneOffset zone;
  int64_t local = UtcToLocal(timestamp, format.zone, &zone);
  AppendDateTime(to, SplitTimestamp(local), &zone, format);
}

int64_t RoundTime(int64_t us, int32_t precision) {
  static constexpr int64_t kUnits[] = {1000000, 100000, 10000, 1000, 100, 10};
  if (precision < 0 || precision >= 6) return us;
  int64_t unit = kUnits[precision];
  return us >= 0 ? (us + unit / 2) / unit * unit : -((-us + unit / 2) / unit * unit);
}

int32_t PrecisionTypmod(std::span<const std::string_view> modifiers, std::string_view type_name) {
  if (modifiers.size() != 1) throw SqlError(ErrorCode::kInvalidParameterValue, "invalid type modifier");
  int32_t precision = ParseInt32(modifiers[0]);
  if (precision < 0) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "{}({}) precision must not be negative", type_name,
                   precision);
  }
  return precision > 6 ? 6 : precision;
}

void ThrowTimestampOutOfRange() {
  throw SqlError(ErrorCode::kDatetimeFieldOverflow, "timestamp out of range");
}

int64_t DateToTimestamp(int32_t date) {
  if (!IsDateFinite(date)) return date == kDateInfinity ? kTimestampInfinity : kTimestampMinusInfinity;
  if (int64_t{date} >= kTimestampEnd / kUsPerDay) {
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "date out of range for timestamp");
  }
  return int64_t{date} * kUsPerDay;
}

int32_t TimestampToDate(int64_t timestamp) {
  if (!IsTimestampFinite(timestamp))
    return timestamp == kTimestampInfinity ? kDateInfinity : kDateMinusInfinity;
  return SplitTimestamp(timestamp).days;
}

int64_t TimestampToTimestampTz(int64_t timestamp, const TimeZone* zone) {
  if (!IsTimestampFinite(timestamp)) return timestamp;
  int64_t utc = LocalToUtc(timestamp, zone);
  if (!IsTimestampInRange(utc)) ThrowTimestampOutOfRange();
  return utc;
}

int64_t DateToTimestampTz(int32_t date, const TimeZone* zone) {
  return TimestampToTimestampTz(DateToTimestamp(date), zone);
}

int64_t TimestampTzToTimestamp(int64_t timestamp, const TimeZone* zone) {
  if (!IsTimestampFinite(timestamp)) return timestamp;
  int64_t local = UtcToLocal(timestamp, zone);
  if (!IsTimestampInRange(local)) ThrowTimestampOutOfRange();
  return local;
}

const TimeZone* RequireZone(std::string_view name) {
  std::string lower;
  for (char c : name) lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  int32_t east;
  bool is_dst;
  if (const TimeZone* changing = TimeZone::OfChangingAbbreviation(lower)) return changing;
  if (FindZoneAbbreviation(lower, &east, &is_dst)) return TimeZone::Fixed(east);
  const TimeZone* zone = TimeZone::Find(name);
  if (zone == nullptr)
    throw SqlError(ErrorCode::kInvalidParameterValue, "time zone \"{}\" not recognized", name);
  return zone;
}

// --- Descriptors -----------------------------------------------------------------------------------------------

namespace {

template <class T>
int Order(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

void DateIn(std::string_view text, TypeIo& io, Datum* to) { to->i32 = ParseDate(text, io.format); }
void DateOut(const Datum& v, TypeIo& io, std::string* to) { AppendDate(to, v.i32, io.format); }
void DateReceive(std::string_view bytes, TypeIo&, Datum* to) {
  int32_t date = WireReader(bytes).TakeInt32();
  if (IsDateFinite(date) && (date < kDateMin || date >= kDateEnd)) {
    throw SqlError(ErrorCode::kDatetimeFieldOverflow, "date out of range");
  }
  to->i32 = date;
}
void DateSend(const Datum& v, TypeIo&, std::string* to) {
  AppendBig<uint32_t>(to, static_cast<uint32_t>(v.i32));
}
int DateCompare(const Datum& a, const Datum& b, const void*) { return Order(a.i32, b.i32); }
uint64_t DateHash(const Datum& v) { return HashInteger(static_cast<uint64_t>(int64_t{v.i32})); }

void TimeIn(std::string_view text, TypeIo& io, Datum* to) {
  to->i64 = RoundTime(ParseTime(text, io.format), io.typmod);
}
void TimeOut(const Datum& v, TypeIo&, std::string* to) { AppendTime(to, v.i64); }
void TimeReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  int64_t time = WireReader(bytes).TakeInt64();
  if (time < 0 || time > kUsPerDay) throw SqlError(ErrorCode::kDatetimeFieldOverflow, "time out of range");
  to->i64 = RoundTime(time, io.typmod);
}
void Int64Send(const Datum& v, TypeIo&, std::string* to) {
  AppendBig<uint64_t>(to, static_cast<uint64_t>(v.i64));
}
int Int64Compare(const Datum& a, const Datum& b, const void*) { return Order(a.i64, b.i64); }
uint64_t Int64Hash(const Datum& v) { return HashInteger(static_cast<uint64_t>(v.i64)); }

int64_t RoundTimestamp(int64_t timestamp, int32_t precision) {
  if (!IsTimestampFinite(timestamp)) return timestamp;
  int64_t rounded = RoundTime(timestamp, precision);
  if (!IsTimestampInRange(rounded)) ThrowTimestampOutOfRange();
  return rounded;
}
void TimestampIn(std::string_view text, TypeIo& io, Datum* to) {
  to->i64 = RoundTimestamp(ParseTimestamp(text, io.format), io.typmod);
}
void TimestampOut(const Datum& v, TypeIo& io, std::string* to) { AppendTimestamp(to, v.i64, io.format); }
void TimestampTzIn(std::string_view text, TypeIo& io, Datum* to) {
  to->i64 = RoundTimestamp(ParseTimestampTz(text, io.format), io.typmod);
}
void TimestampTzOut(const Datum& v, TypeIo& io, std::string* to) { AppendTimestampTz(to, v.i64, io.format); }
void TimestampReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  int64_t timestamp = WireReader(bytes).TakeInt64();
  if (IsTimestampFinite(timestamp) && !IsTimestampInRange(timestamp)) ThrowTimestampOutOfRange();
  to->i64 = RoundTimestamp(timestamp, io.typmod);
}

void TimeTzIn(std::string_view text, TypeIo& io, Datum* to) {
  to->timetz = ParseTimeTz(text, io.format);
  to->timetz.microseconds = RoundTime(to->timetz.microseconds, io.typmod);
}
void TimeTzOut(const Datum& v, TypeIo&, std::string* to) { AppendTimeTz(to, v.timetz); }
void TimeTzReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  WireReader reader(bytes);
  int64_t time = reader.TakeInt64();
  int32_t zone = reader.TakeInt32();
  if (time < 0 || time > kUsPerDay) throw SqlError(ErrorCode::kDatetimeFieldOverflow, "time out of range");
  if (std::abs(int64_t{zone}) >= 16 * 3600) {
    throw SqlError(ErrorCode::kInvalidTimeZoneDisplacementValue, "time zone displacement out of range");
  }
  to->timetz = {RoundTime(time, io.typmod), zone, 0};
}
void TimeTzSend(const Datum& v, TypeIo&, std::string* to) {
  AppendBig<uint64_t>(to, static_cast<uint64_t>(v.timetz.microseconds));
  AppendBig<uint32_t>(to, static_cast<uint32_t>(v.timetz.zone_seconds));
}
int TimeTzCompare(const Datum& a, const Datum& b, const void*) {
  int64_t x = a.timetz.microseconds + a.timetz.zone_seconds * kUsPerSecond;
  int64_t y = b.timetz.microseconds + b.timetz.zone_seconds * kUsPerSecond;
  return x != y ? Order(x, y) : Order(a.timetz.zone_seconds, b.timetz.zone_seconds);
}
uint64_t TimeTzHash(const Datum& v) {
  return HashCombine(HashInteger(static_cast<uint64_t>(v.timetz.microseconds)),
                     static_cast<uint64_t>(int64_t{v.timetz.zone_seconds}));
}

int32_t TimeTypmodIn(std::span<const std::string_view> m) { return PrecisionTypmod(m, "TIME"); }
int32_t TimestampTypmodIn(std::span<const std::string_view> m) { return PrecisionTypmod(m, "TIMESTAMP"); }
// "(3)"; what stands behind it in the type's SQL name is not the modifier's business.
void PrecisionTypmodOut(int32_t typmod, std::string* to) {
  if (typmod >= 0) *to += fmt::format("({})", typmod);
}

constexpr TypeDescriptor kTypes[] = {
    {Oid{1082}, "date", PhysicalType::kInt32, 4, 'i', 'b', ',', Oid{0}, Oid{1182}, DateIn, DateOut,
     DateReceive, DateSend, nullptr, nullptr, DateCompare, DateHash},
    {Oid{1083}, "time", PhysicalType::kInt64, 8, 'd', 'b', ',', Oid{0}, Oid{1183}, TimeIn, TimeOut,
     TimeReceive, Int64Send, TimeTypmodIn, PrecisionTypmodOut, Int64Compare, Int64Hash},
    {Oid{1114}, "timestamp", PhysicalType::kInt64, 8, 'd', 'b', ',', Oid{0}, Oid{1115}, TimestampIn,
     TimestampOut, TimestampReceive, Int64Send, TimestampTypmodIn, PrecisionTypmodOut, Int64Compare,
     Int64Hash},
    {Oid{1184}, "timestamptz", PhysicalType::kInt64, 8, 'd', 'b', ',', Oid{0}, Oid{1185}, TimestampTzIn,
     TimestampTzOut, TimestampReceive, Int64Send, TimestampTypmodIn, PrecisionTypmodOut, Int64Compare,
     Int64Hash},
    {Oid{1266}, "timetz", PhysicalType::kFixed16, 12, 'd', 'b', ',', Oid{0}, Oid{1270}, TimeTzIn, TimeTzOut,
     TimeTzReceive, TimeTzSend, TimeTypmodIn, PrecisionTypmodOut, TimeTzCompare, TimeTzHash},
};

}  // namespace

std::span<const TypeDescriptor> DateTimeTypes() { return kTypes; }

}  // namespace walden
