// float4 and float8: text forms with PostgreSQL's shortest-exact output, order with NaN last.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "node/types/type_table.h"

namespace walden {

// 22P02 for bad syntax, 22003 for overflow and underflow.
double ParseDouble(std::string_view text);
float ParseFloat(std::string_view text);
void AppendDouble(std::string* to, double value, int extra_float_digits);
void AppendFloat(std::string* to, float value, int extra_float_digits);

// NaN equals NaN and is greater than all else.
inline int CompareDouble(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a == b) return 0;
  bool a_nan = a != a, b_nan = b != b;
  return int{a_nan} - int{b_nan};
}

std::span<const TypeDescriptor> FloatTypes();

}  // namespace walden
