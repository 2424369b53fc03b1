#include "node/txn/horizon.h"

#include <algorithm>

#include "node/base/check.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/txn/csn_window.h"
#include "node/txn/durability.h"
#include "node/txn/sender_slots.h"
#include "node/txn/txn_shared.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

struct RecentResult {
  Oid database = Oid::kInvalid;
  Lsn horizon;
  uint64_t published = 0;
  uint32_t snapshots_taken = 0;
};
thread_local constinit RecentResult recent[2];  // this database's tables; shared catalogs

// Looks at the slots until no snapshot was imported in between (snapshot_export.h): the importer announces it, counts, and only then
// makes sure that the exporter still holds it.
template <class Scan>
void ScanSlots(Scan scan) {
  uint64_t imports;
  do {
    imports = txn_shared->snapshot_imports.load(std::memory_order_seq_cst);
    scan();
  } while (txn_shared->snapshot_imports.load(std::memory_order_seq_cst) != imports);
}

uint64_t LowestOfSlots(Oid database) {
  uint64_t lowest = UINT64_MAX;
  for (int i = 0; i < txn_shared->slot_count; ++i) {
    TransactionSlot& slot = txn_shared->slots()[i];
    uint64_t csn = slot.snapshot_csn.load(std::memory_order_seq_cst);
    if (csn >= lowest) continue;
    uint32_t reads = slot.database.load(std::memory_order_relaxed);
    if (IsValid(database) && reads != 0 && reads != OidNumber(database)) continue;
    lowest = csn;
  }
  return lowest;
}

// Every snapshot that a reader of `database`'s tables may hold lies at or above the result.
uint64_t LowestSnapshot(Oid database) {
  uint64_t lowest = UINT64_MAX;
  ScanSlots([&] { lowest = LowestOfSlots(database); });
  return lowest;
}

}  // namespace

Lsn ComputeHorizon(Oid database) {
  uint64_t floor = std::min({SettledLsn().value, PublishedLsn().value, OldestReplicaFeedback().value});
  RaiseTo(txn_shared->horizon_floor, floor);
  MaybeFault(FaultPoint::kHorizonFloorPublished);
  return Lsn{std::min(floor, LowestSnapshot(database))};
}

Lsn RecentHorizon(Oid database) {
  RecentResult& last = recent[IsValid(database) ? 0 : 1];
  uint64_t published = txn_shared->published.load(std::memory_order_relaxed);
  bool known = last.database == database && last.horizon.IsValid();
  if (!known || (last.published != published && last.snapshots_taken != tls_snapshots_taken)) {
    last = {database, ComputeHorizon(database), published, tls_snapshots_taken};
  }
  return last.horizon;
}

bool DeadToAll(const CommitState& deleter, Lsn horizon) {
  return deleter.status == XidStatus::kCommitted && deleter.csn <= horizon;
}
bool DeadToAll(Xid deleter, Lsn horizon) { return DeadToAll(LookupCommit(deleter), horizon); }

bool VisibleToAll(Xid creator, Lsn horizon) { return DeadToAll(creator, horizon); }

Xid OldestRunningXid() { return Xid{txn_shared->oldest_running.load(std::memory_order_seq_cst)}; }

void RaiseConflictLsn(Xid xid, Lsn horizon, Lsn* conflict) {
  CommitState state = LookupCommit(xid);
  if (state.status != XidStatus::kCommitted) return;
  // A forgotten CSN is older than every snapshot that lived here when it was forgotten, but a standby's
  // snapshots are bounded by feedback or not at all: only the horizon is a safe bound.
  *conflict = std::max(*conflict, state.csn.IsValid() ? state.csn : horizon);
}

SnapshotFeedback HotStandbyFeedback() {
  if (!GetBool(Setting::kHotStandbyFeedback)) return {};
  // A snapshot that is yet to be taken lies at or above the floor that this publishes.
  Lsn oldest = ComputeHorizon();
  uint64_t xmin = OldestRunningXid().value;
  for (int i = 0; i < txn_shared->slot_count; ++i) {
    uint64_t of_slot = txn_shared->slots()[i].snapshot_xmin.load(std::memory_order_relaxed);
    if (of_slot != 0) xmin = std::min(xmin, of_slot);
  }
  return {oldest, Xid{xmin}};
}

bool SnapshotsOlderThan(Lsn lsn, Oid database, int* slots, int max_slots, int* count) {
  // The pruner here is the replayed record: the same protocol keeps new snapshots above it. Its horizon may be no commit
  // (the end of the primary's last recovery), so there may be none for them to wait for: everything below it is replayed
  // and shown, and the position says so.
  PublishReplayed(lsn);
  RaiseTo(txn_shared->horizon_floor, lsn.value);
  ScanSlots([&] {
    *count = 0;
    for (int i = 0; i < txn_shared->slot_count; ++i) {
      TransactionSlot& slot = txn_shared->slots()[i];
      if (slot.snapshot_csn.load(std::memory_order_seq_cst) >= lsn.value) continue;
      uint32_t reads = slot.database.load(std::memory_order_relaxed);
      if (IsValid(database) && reads != 0 && reads != OidNumber(database)) continue;
      if (*count < max_slots) slots[*count] = i;
      ++*count;
    }
  });
  bool any = *count > 0;
  *count = std::min(*count, max_slots);
  return any;
}

SnapshotFloor KeepSnapshotsFrom(Lsn lsn) {
  auto unread = [&] { return LowestSnapshot(Oid::kInvalid) >= lsn.value; };
  // Where somebody reads the floor stays: replay may have to wait for that session, and others should not wait for both.
  if (txn_shared->floor_waiters.load(std::memory_order_seq_cst) != 0 || !unread())
    return SnapshotFloor::kLeft;
  RaiseTo(txn_shared->horizon_floor, lsn.value);
  MaybeFault(FaultPoint::kHorizonFloorPublished);
  return unread() ? SnapshotFloor::kHolds : SnapshotFloor::kRaisedInVain;
}

namespace {

void AdvanceOldest() {
  auto& oldest = txn_shared->oldest_running;
  uint64_t from = oldest.load(std::memory_order_seq_cst);
  for (;;) {
    uint64_t end = txn_shared->next_xid.load(std::memory_order_seq_cst);
    uint64_t published = txn_shared->published.load(std::memory_order_seq_cst);
    uint64_t to = from;
    while (to < end) {
      uint64_t entry;
      if (!csn::Read(Xid{to}, &entry)) {
        to = std::min(end, (csn::PageOf(Xid{to}) + 1) * kXidsPerCsnPage);
        continue;
      }
      // A CSN above published_lsn is being published at this moment by its committer, who comes here
      // afterwards.
      if (!csn::IsFinished(entry) || (csn::IsCommitted(entry) && entry > published)) break;
      ++to;
    }
    if (to == from) return;
    if (oldest.compare_exchange_strong(from, to, std::memory_order_seq_cst)) from = to;
  }
}

}  // namespace

void AdvanceOldestRunning() {
  try {
    AdvanceOldest();
  } catch (const SqlError& error) {
    // Called when a transaction has ended: too late to fail it. Whoever ends next tries again.
    Log(Severity::kWarning, "could not read the CSN window: {}", error.what());
  }
}

}  // namespace walden
