// Binds what the folders between stats and server know to the metrics exporter (stats/metrics.h).
#pragma once

namespace walden {

// Before the first fork.
void RegisterMetricSources();

}  // namespace walden
