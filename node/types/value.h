// How SQL values look in memory. Every type maps to one PhysicalType; a Datum holds one non-null value, a
// typed vector (node/vector) holds an array of the same fixed-width forms. By-reference parts (strings, large
// numerics) point into an arena or a pinned page that outlives the value; copying a Datum never copies them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace walden {

enum class PhysicalType : uint8_t {
  kBool,     // bool
  kInt8,     // "char"
  kInt16,    // int2
  kInt32,    // int4, date, oid and reg*, xid, cid (unsigned ones are stored bit for bit)
  kInt64,    // int8, time, timestamp, timestamptz, money, xid8, pg_lsn, tid (block << 16 | offset)
  kFloat32,  // float4
  kFloat64,  // float8
  kFixed16,  // uuid, interval, timetz
  kString,   // text, varchar, bpchar, name, bytea, json, jsonb, arrays, composites, cstring, everything else
  kNumeric,  // numeric
};

// Bytes of the fixed-width in-memory form.
constexpr size_t PhysicalWidth(PhysicalType type) {
  switch (type) {
    case PhysicalType::kBool:
    case PhysicalType::kInt8: return 1;
    case PhysicalType::kInt16: return 2;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32: return 4;
    case PhysicalType::kInt64:
    case PhysicalType::kFloat64: return 8;
    case PhysicalType::kFixed16:
    case PhysicalType::kString:
    case PhysicalType::kNumeric: return 16;
  }
  return 0;
}
constexpr bool IsByReference(PhysicalType type) {
  return type == PhysicalType::kString || type == PhysicalType::kNumeric;
}

// A view of bytes; not null-terminated.
struct StringRef {
  const char* data;
  uint64_t size;
  std::string_view view() const { return {data, size}; }
};

struct IntervalValue {
  int64_t microseconds;
  int32_t days;
  int32_t months;
};
struct UuidValue {
  uint8_t bytes[16];
};
struct TimeTzValue {
  int64_t microseconds;
  int32_t zone_seconds;  // seconds west of Greenwich, as PostgreSQL stores it
  int32_t unused;        // always 0
};

enum class NumericKind : uint8_t { kSmall, kBig, kNaN, kPositiveInfinity, kNegativeInfinity };

// numeric: `scaled` / 10^`scale` when it fits (kSmall), else base-10,000 digits (kBig, see numeric.h).
// `scale` is the display scale. Values that compare equal may have different scales, as in PostgreSQL.
struct NumericRef {
  union {
    int64_t scaled;
    const char* digits;  // kBig: arena or page memory, format in numeric.h
  };
  uint32_t digits_size;  // bytes at `digits`; 0 unless kBig
  int16_t scale;
  NumericKind kind;
  uint8_t unused;  // always 0
};

union Datum {
  bool b;
  int8_t i8;
  int16_t i16;
  int32_t i32;
  int64_t i64;
  float f32;
  double f64;
  StringRef string;
  NumericRef numeric;
  IntervalValue interval;
  UuidValue uuid;
  TimeTzValue timetz;
  uint64_t words[2];
};
static_assert(sizeof(Datum) == 16 && sizeof(NumericRef) == 16 && sizeof(StringRef) == 16);
static_assert(sizeof(IntervalValue) == 16 && sizeof(UuidValue) == 16 && sizeof(TimeTzValue) == 16);

struct Value {
  Datum datum{.words = {0, 0}};
  bool is_null = true;
};

inline Datum StringDatum(std::string_view text) { return Datum{.string = {text.data(), text.size()}}; }

}  // namespace walden
