// Numbers from values, and values that are not null from numbers.
#pragma once

#include "node/types/value.h"

namespace walden {

// Of an integer or a bool of this physical type.
inline int64_t IntegerOf(PhysicalType type, const Datum& datum) {
  switch (type) {
    case PhysicalType::kBool: return datum.b;
    case PhysicalType::kInt16: return datum.i16;
    case PhysicalType::kInt32: return datum.i32;
    default: return datum.i64;
  }
}

inline Value Int4Value(int32_t number) { return Value{Datum{.i32 = number}, false}; }
inline Value Int8Value(int64_t number) { return Value{Datum{.i64 = number}, false}; }
inline Value Float8Value(double number) { return Value{Datum{.f64 = number}, false}; }

}  // namespace walden
