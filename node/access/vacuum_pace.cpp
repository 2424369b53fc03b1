#include "node/access/vacuum_pace.h"

namespace walden {

constinit thread_local VacuumPace vacuum_pace = nullptr;

}  // namespace walden
