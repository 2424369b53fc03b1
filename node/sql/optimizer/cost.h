// The units of cost: PostgreSQL's settings, and what an enable_* setting that is off adds to a path.
#pragma once

#include "node/config/settings.h"

namespace walden {

inline constexpr double kDisabledCost = 1e10;

inline double CpuTupleCost() { return GetReal(Setting::kCpuTupleCost); }
inline double CpuOperatorCost() { return GetReal(Setting::kCpuOperatorCost); }

}  // namespace walden
