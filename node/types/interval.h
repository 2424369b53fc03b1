// interval: months, days and microseconds that do not convert into each other except for order (30 days, 24 hours).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "node/types/text_format.h"
#include "node/types/type_table.h"

namespace walden {

// Field range of a typmod: bits as PostgreSQL's INTERVAL_MASK (month 1, year 2, day 3, hour 10, minute 11, second 12).
inline constexpr int32_t kIntervalFullRange = 0x7FFF, kIntervalFullPrecision = 0xFFFF;
constexpr int32_t IntervalTypmod(int32_t range, int32_t precision) {
  return (range << 16) | (precision & 0xFFFF);
}
constexpr int32_t IntervalRange(int32_t typmod) { return (typmod >> 16) & 0x7FFF; }
constexpr int32_t IntervalPrecision(int32_t typmod) { return typmod & 0xFFFF; }

IntervalValue ParseInterval(std::string_view text, int32_t typmod);  // 22007, 22015
void AppendInterval(std::string* to, const IntervalValue& value, IntervalStyle style);
// Cuts to the fields and rounds to the precision of a typmod (-1: unchanged).
IntervalValue ApplyIntervalTypmod(IntervalValue value, int32_t typmod);

// Total microseconds with months of 30 days: the order of intervals.
__int128 IntervalSpan(const IntervalValue& value);
int CompareInterval(const IntervalValue& a, const IntervalValue& b);

std::span<const TypeDescriptor> IntervalTypes();

}  // namespace walden
