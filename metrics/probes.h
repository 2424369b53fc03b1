// Health and role endpoints for orchestrators and load balancers. The answer is a status code and one line of JSON.
//
//   /livez     200 as long as the node's processes live (recovery may take its time: it is no reason to kill the node)
//   /startupz  200 once the node has answered queries or is stopping; 503 while it starts and recovers
//   /readyz    200 while the node answers queries (and may commit, if it is a primary)
//   /primary   200 on a primary that may commit
//   /replica   200 on a replica that answers queries; ?lag=10MB or ?lag=30s adds a bound on what is not replayed
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "node/shm/server_state.h"
#include "node/stats/metrics.h"

namespace walden {

struct ProbeAnswer {
  int status;  // 200, 503; 400 for a lag that cannot be read
  std::string body;
};
// nullopt: not a probe's path. `query` is what follows the question mark.
std::optional<ProbeAnswer> AnswerProbe(std::string_view path, std::string_view query, NodePhase phase,
                                       const Standing& standing);

}  // namespace walden
