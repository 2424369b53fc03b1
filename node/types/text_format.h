// Session settings that decide how values look as text. Owned by the session; kernels and type functions only read
// them, and one may live on the stack in a test.
#pragma once

#include <cstdint>

namespace walden {

class TimeZone;  // timezone.h

enum class DateStyle : uint8_t { kIso, kPostgres, kSql, kGerman };
enum class DateOrder : uint8_t { kYmd, kDmy, kMdy };
enum class IntervalStyle : uint8_t { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };
enum class ByteaOutput : uint8_t { kHex, kEscape };

struct TextFormat {
  DateStyle date_style = DateStyle::kIso;
  DateOrder date_order = DateOrder::kMdy;
  IntervalStyle interval_style = IntervalStyle::kPostgres;
  ByteaOutput bytea_output = ByteaOutput::kHex;
  int8_t extra_float_digits = 1;
  const TimeZone* zone = nullptr;  // null = UTC; zones live as long as the process
  // now() for the inputs 'now', 'today', ... and current_timestamp: when the transaction began.
  int64_t transaction_start_us = 0;
};

}  // namespace walden
