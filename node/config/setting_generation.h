// Counts changes of settings in this process: what was computed from settings at one count still holds while the count is the same.
#pragma once

#include <cstdint>

namespace walden {

extern uint64_t setting_generation;

}  // namespace walden
