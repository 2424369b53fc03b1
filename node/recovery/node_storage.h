// Storage of a new cluster, and the life of storage in a single process (walden init, tools, tests).
#pragma once

#include <cstdint>

namespace walden {

struct NewCluster {
  bool data_checksums = true;
  uint64_t system_id = 0;  // 0: made from time and pid, as PostgreSQL's
  uint32_t catalog_version = 0;
};
// `walden init`, in the data directory with its folders, shared memory laid out: first WAL segment and
// control file; afterwards WAL and transactions are open for writing.
void BeginNewCluster(const NewCluster& options);
// Shutdown checkpoint and a final control file: the next start finds a cleanly shut down cluster.
void EndNewCluster();

}  // namespace walden
