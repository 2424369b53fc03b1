// What VACUUM, ANALYZE and the index methods' clean-up call between pages, holding none: looks for interrupts, and pays for what
// was read and dirtied (vacuum_cost_delay) if somebody has installed the pace.
#pragma once

#include "node/shm/interrupts.h"

namespace walden {

using VacuumPace = void (*)();
extern constinit thread_local VacuumPace vacuum_pace;  // nullptr: full speed

inline void PaceVacuum() {
  CheckInterrupts();
  if (vacuum_pace != nullptr) vacuum_pace();
}

}  // namespace walden
