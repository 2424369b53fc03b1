#include "node/txn/lease.h"

#include "node/base/clock.h"
#include "node/txn/sync_wait.h"
#include "node/txn/txn_shared.h"

namespace walden {

void SetLeaseDeadline(int64_t boot_clock_us) {
  // A fence (deadline 0) is final.
  int64_t now = txn_shared->lease_deadline_us.load(std::memory_order_acquire);
  while (now != 0 && !txn_shared->lease_deadline_us.compare_exchange_weak(now, boot_clock_us)) {
  }
}

int64_t LeaseDeadline() { return txn_shared->lease_deadline_us.load(std::memory_order_acquire); }

bool LeaseHeld() {
  int64_t deadline = LeaseDeadline();
  return deadline == kNoLeaseNeeded || BootClockUs() < deadline;
}

void FenceNode() {
  txn_shared->lease_deadline_us.store(0, std::memory_order_seq_cst);
  WakeSyncWaiters();
}

SqlError LeaseLost() {
  return SqlError(ErrorCode::kAdminShutdown,
                  "terminating connection because this node is no longer the primary")
      .WithSeverity(Severity::kFatal);
}

}  // namespace walden
