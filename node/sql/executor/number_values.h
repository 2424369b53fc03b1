// Values that are not null, from numbers.
#pragma once

#include "node/types/value.h"

namespace walden {

inline Value Int4Value(int32_t number) { return Value{Datum{.i32 = number}, false}; }
inline Value Int8Value(int64_t number) { return Value{Datum{.i64 = number}, false}; }
inline Value Float8Value(double number) { return Value{Datum{.f64 = number}, false}; }

}  // namespace walden
