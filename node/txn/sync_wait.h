// Internal to txn: who waits for standbys.
#pragma once

#include "node/base/ids.h"

namespace walden {

// While it exists, this process's latch is set when quorum positions change to or past `lsn`, or when
// synchronous replication is reconfigured.
class SyncWaitRegistration {
 public:
  explicit SyncWaitRegistration(Lsn lsn);
  ~SyncWaitRegistration();
  SyncWaitRegistration(const SyncWaitRegistration&) = delete;
  SyncWaitRegistration& operator=(const SyncWaitRegistration&) = delete;
};

// All of them look again (fencing).
void WakeSyncWaiters();

}  // namespace walden
