// What analysis and planning read besides the statement and the catalogs: the session's settings, as one number. Two statements
// analysed under equal numbers, by the same role, with the same search path and catalogs, have the same plan.
#pragma once

#include <cstdint>

namespace walden {

// Cheap while no setting changes. Equal again when a setting goes back to what it was.
uint64_t PlanEnvironment();

}  // namespace walden
