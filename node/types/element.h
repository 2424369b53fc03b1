// Values packed one after another: elements of arrays, fields of records, and states that spill.
//
// Format: fixed-width types are their PhysicalWidth bytes, unaligned. kString: u32 size, bytes. kNumeric: u32 size of the
// rest, u8 kind, u8 0, i16 scale, then i64 scaled (kSmall) or the digits (kBig).
#pragma once

#include <string>
#include <string_view>

#include "node/types/value.h"

namespace walden {

void AppendElement(PhysicalType type, const Datum& value, std::string* to);
// Reads the element at `at`, which it moves behind it. By-reference parts point into the buffer.
Datum ReadElement(PhysicalType type, const char** at);
// Moves `at` behind the element.
void SkipElement(PhysicalType type, const char** at);

}  // namespace walden
