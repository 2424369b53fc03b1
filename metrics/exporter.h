// The metrics exporter process: HTTP on metrics_port, answered from shared memory alone.
#pragma once

namespace walden {

// The process's main loop; returns when it is told to end. Serves nothing if metrics_port is 0 (then the postmaster does not
// start it). A port that is taken is tried again every few seconds; the node runs on meanwhile.
void RunMetricsExporter();

}  // namespace walden
