#include "node/txn/snapshot.h"

#include <utility>

#include "node/base/check.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/txn/csn_window.h"
#include "node/txn/durability.h"
#include "node/txn/id_counters.h"
#include "node/txn/transaction.h"
#include "node/txn/txn_shared.h"

namespace walden {

const Snapshot kSnapshotSelf{Snapshot::Kind::kSelf, kInvalidCommandId, kMaxLsn, kInvalidXid};
const Snapshot kSnapshotDirty{Snapshot::Kind::kDirty, kInvalidCommandId, kMaxLsn, kInvalidXid};
const Snapshot kSnapshotAny{Snapshot::Kind::kAny, kInvalidCommandId, kMaxLsn, kInvalidXid};

thread_local constinit uint32_t tls_snapshots_taken = 0;

namespace {

constexpr uint64_t kNoSnapshot = UINT64_MAX;

// Process-local: the live holds, newest first, and the transaction's own snapshot.
thread_local constinit SnapshotHold* holds = nullptr;
thread_local constinit ActiveSnapshotScope* active = nullptr;

struct TransactionHold {
  SnapshotHold hold;
  bool taken = false;
};
thread_local TransactionHold transaction_hold;

// Reads the position and announces it (horizon.h has the protocol). Oldest first: an xid below it had been
// published before, so that the position read afterwards covers it.
Snapshot TakeSnapshot() {
  TransactionSlot& slot = OwnTransactionSlot();
  Snapshot snapshot;
  bool older_announced = slot.snapshot_csn.load(std::memory_order_relaxed) != kNoSnapshot;
  for (;;) {
    snapshot.xmin = Xid{txn_shared->oldest_running.load(std::memory_order_acquire)};
    snapshot.csn = Lsn{txn_shared->published.load(std::memory_order_acquire)};
    if (older_announced) break;  // an older one of ours already holds every horizon down
    MaybeFault(FaultPoint::kSnapshotRead);
    slot.database.store(OidNumber(self().database.load(std::memory_order_relaxed)),
                        std::memory_order_relaxed);
    slot.snapshot_csn.exchange(snapshot.csn.value, std::memory_order_seq_cst);
    MaybeFault(FaultPoint::kSnapshotAnnounced);
    if (txn_shared->horizon_floor.load(std::memory_order_seq_cst) <= snapshot.csn.value) {
      slot.snapshot_xmin.store(snapshot.xmin.value, std::memory_order_relaxed);
      break;
    }
  }
  ++tls_snapshots_taken;
  return snapshot;
}

}  // namespace

void SnapshotHold::Link() {
  held_ = true;
  previous_ = nullptr;
  next_ = holds;
  if (holds != nullptr) holds->previous_ = this;
  holds = this;
}

void SnapshotHold::Unlink() {
  (previous_ != nullptr ? previous_->next_ : holds) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  previous_ = next_ = nullptr;
  held_ = false;
}

SnapshotHold::SnapshotHold(const Snapshot& snapshot) : snapshot_(snapshot) {
  if (snapshot.IsMvcc()) {
    DCHECK(OwnTransactionSlot().snapshot_csn.load(std::memory_order_relaxed) <= snapshot.csn.value);
    Link();
  }
}

SnapshotHold::SnapshotHold(SnapshotHold&& other) noexcept { *this = std::move(other); }

SnapshotHold& SnapshotHold::operator=(SnapshotHold&& other) noexcept {
  if (this == &other) return *this;
  Reset();
  snapshot_ = other.snapshot_;
  if (other.held_) {
    Link();
    other.Unlink();
  }
  return *this;
}

void SnapshotHold::Reset() {
  if (!held_) return;
  Unlink();
  TransactionSlot& slot = OwnTransactionSlot();
  if (snapshot_.csn.value != slot.snapshot_csn.load(std::memory_order_relaxed)) return;
  uint64_t oldest = kNoSnapshot;
  Xid xmin = kInvalidXid;
  for (SnapshotHold* hold = holds; hold != nullptr; hold = hold->next_) {
    if (hold->snapshot_.csn.value < oldest) {
      oldest = hold->snapshot_.csn.value;
      xmin = hold->snapshot_.xmin;
    }
  }
  slot.snapshot_xmin.store(xmin.value, std::memory_order_relaxed);
  slot.snapshot_csn.store(oldest, std::memory_order_release);
}

void SnapshotHold::UpdateCommandId() { snapshot_.curcid = CurrentCommandId(false); }

SnapshotHold LatestSnapshot() {
  SnapshotHold hold;
  hold.snapshot_ = TakeSnapshot();
  hold.snapshot_.curcid = CurrentCommandId(false);
  hold.Link();
  return hold;
}

SnapshotHold TransactionSnapshot() {
  DCHECK(InTransaction());
  if (!UsesTransactionSnapshot()) {
    transaction_hold.taken = true;
    return LatestSnapshot();
  }
  if (!transaction_hold.hold.held()) transaction_hold.hold = LatestSnapshot();
  transaction_hold.taken = true;
  SnapshotHold hold(*transaction_hold.hold);
  hold.UpdateCommandId();
  return hold;
}

bool TransactionSnapshotTaken() { return transaction_hold.taken; }

SnapshotXids DescribeSnapshot(const Snapshot& snapshot) {
  SnapshotXids xids{snapshot.xmin, NextXid(), {}};
  RaiseSeenLsn(snapshot.csn);
  for (Xid xid = xids.xmin; xid < xids.xmax; xid = xid.Next()) {
    uint64_t entry;
    if (!csn::Read(xid, &entry) || entry == csn::kAborted || csn::IsParent(entry)) continue;
    if (csn::IsCommitted(entry) && entry <= snapshot.csn.value) continue;
    xids.running.push_back(xid);
  }
  return xids;
}

ActiveSnapshotScope::ActiveSnapshotScope(const Snapshot& snapshot) : snapshot_(snapshot), below_(active) {
  active = this;
}
ActiveSnapshotScope::~ActiveSnapshotScope() {
  if (active == this) active = below_;
}
const Snapshot& ActiveSnapshot() {
  CHECK(active != nullptr);
  return active->snapshot_;
}
bool HasActiveSnapshot() { return active != nullptr; }

void EndTransactionSnapshots() {
  transaction_hold.hold.Reset();
  transaction_hold.taken = false;
}

void DropAllSnapshots() {
  while (holds != nullptr) holds->Unlink();
  active = nullptr;
  transaction_hold.taken = false;
  if (self_slot() < 0) return;
  TransactionSlot& slot = OwnTransactionSlot();
  slot.snapshot_xmin.store(0, std::memory_order_relaxed);
  slot.snapshot_csn.store(kNoSnapshot, std::memory_order_release);
}

}  // namespace walden
