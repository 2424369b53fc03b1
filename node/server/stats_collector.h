// The stats collector process: folds what processes have counted into the sums, and keeps the sums in pg_stat/.
#pragma once

namespace walden {

void RunStatsCollector();

}  // namespace walden
