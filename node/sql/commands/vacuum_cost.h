// Cost-based vacuum delay: what VACUUM and ANALYZE read and dirty adds up, and each time it reaches a limit they sleep.
#pragma once

#include <cstdint>

namespace walden {

struct VacuumCost {
  double delay_ms;  // 0: never sleeps
  int64_t limit;
};
// vacuum_cost_delay and vacuum_cost_limit.
VacuumCost SessionVacuumCost();

// Installs the pace while it lives. `current` is asked again and again: limits of autovacuum workers change as others come and go.
class VacuumPacing {
 public:
  explicit VacuumPacing(VacuumCost (*current)());
  ~VacuumPacing();
  VacuumPacing(const VacuumPacing&) = delete;
  VacuumPacing& operator=(const VacuumPacing&) = delete;
};

}  // namespace walden
