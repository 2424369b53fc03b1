#include "node/txn/snapshot.h"

#include <unistd.h>

#include <charconv>
#include <utility>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/shm/interrupts.h"
#include "node/shm/lwlock.h"
#include "node/shm/wait_events.h"
#include "node/txn/csn_window.h"
#include "node/txn/durability.h"
#include "node/txn/id_counters.h"
#include "node/txn/snapshot_export.h"
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
thread_local std::vector<SnapshotHold> exported;  // held until the transaction ends

bool FloorIsShown() {
  return txn_shared->horizon_floor.load(std::memory_order_seq_cst) <=
         txn_shared->published.load(std::memory_order_seq_cst);
}

// A standby's replay removes rows ahead of what it shows while nobody reads (KeepSnapshotsFrom). It shows that soon, and goes no
// further ahead while anybody waits.
void AwaitFloor() {
  constexpr useconds_t kMomentUs = 100;
  DCHECK(HeldLwLockCount() == 0);  // replay may want it
  struct Waiting {
    Waiting() { txn_shared->floor_waiters.fetch_add(1, std::memory_order_seq_cst); }
    ~Waiting() { txn_shared->floor_waiters.fetch_sub(1, std::memory_order_seq_cst); }
  } waiting;
  WaitEventScope shown(WaitEvent::kRecoveryConflictSnapshot);
  while (!FloorIsShown()) {
    CheckInterrupts();
    usleep(kMomentUs);
  }
}

// Reads the position and announces it (horizon.h has the protocol). Oldest first: an xid below it had been
// published before, so that the position read afterwards covers it.
Snapshot TakeSnapshot() {
  TransactionSlot& slot = OwnTransactionSlot();
  Snapshot snapshot;
  bool older_announced = slot.snapshot_csn.load(std::memory_order_relaxed) != kNoSnapshot;
  for (;;) {
    if (!older_announced && !FloorIsShown()) AwaitFloor();
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
    // What is announced must not stand in the way of what it waits for.
    slot.snapshot_csn.store(kNoSnapshot, std::memory_order_seq_cst);
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

// ---- Exported snapshots (snapshot_export.h).

namespace {

struct ExportName {
  int slot;
  uint64_t transaction;
  Lsn csn;
};

bool TakeHex(std::string_view* text, uint64_t* number) {
  size_t end = std::min(text->find('-'), text->size());
  auto [stop, error] = std::from_chars(text->data(), text->data() + end, *number, 16);
  if (error != std::errc() || stop != text->data() + end) return false;
  text->remove_prefix(std::min(end + 1, text->size()));
  return true;
}

bool ParseExportName(std::string_view text, ExportName* name) {
  if (text.find_first_not_of("0123456789ABCDEF-") != text.npos) return false;
  uint64_t slot, csn;
  if (!TakeHex(&text, &slot) || !TakeHex(&text, &name->transaction) || !TakeHex(&text, &csn) || !text.empty())
    return false;
  name->slot = static_cast<int>(slot) - 1;
  name->csn = Lsn{csn};
  return slot >= 1 && slot <= static_cast<uint64_t>(TransactionSlotCount()) && name->transaction != 0 &&
         csn <= txn_shared->published.load(std::memory_order_acquire);
}

bool IsHeldBy(const TransactionSlot& slot, const ExportName& name) {
  return slot.virtual_local.load(std::memory_order_seq_cst) == name.transaction &&
         slot.snapshot_csn.load(std::memory_order_seq_cst) <= name.csn.value;
}

}  // namespace

std::string ExportSnapshot() {
  if (NestLevel() > 1)
    throw SqlError(ErrorCode::kActiveSqlTransaction, "cannot export a snapshot from a subtransaction");
  SnapshotHold hold = TransactionSnapshot();
  RaiseSeenLsn(hold->csn);
  std::string name =
      fmt::format("{:08X}-{:08X}-{:X}", self_slot() + 1,
                  OwnTransactionSlot().virtual_local.load(std::memory_order_relaxed), hold->csn.value);
  exported.push_back(std::move(hold));
  return name;
}

void ImportSnapshot(std::string_view identifier) {
  if (transaction_hold.taken || TopXidIfAny().IsValid() || NestLevel() > 1) {
    throw SqlError(ErrorCode::kActiveSqlTransaction,
                   "SET TRANSACTION SNAPSHOT must be called before any query");
  }
  if (!UsesTransactionSnapshot()) {
    throw SqlError(
        ErrorCode::kFeatureNotSupported,
        "a snapshot-importing transaction must have isolation level SERIALIZABLE or REPEATABLE READ");
  }
  ExportName name;
  if (!ParseExportName(identifier, &name)) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid snapshot identifier: \"{}\"", identifier);
  }
  TransactionSlot& source = TransactionSlotOf(name.slot);
  if (!IsHeldBy(source, name)) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid snapshot identifier: \"{}\"", identifier);
  }
  TransactionSlot& slot = OwnTransactionSlot();
  uint32_t database = OidNumber(self().database.load(std::memory_order_relaxed));
  if (source.database.load(std::memory_order_relaxed) != database) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot import a snapshot from a different database");
  }
  // Announced before it is known to be held still, so that no horizon passes it in between (ScanSlots in horizon.cpp).
  slot.database.store(database, std::memory_order_relaxed);
  uint64_t own = slot.snapshot_csn.load(std::memory_order_relaxed);
  slot.snapshot_csn.exchange(std::min(own, name.csn.value), std::memory_order_seq_cst);
  txn_shared->snapshot_imports.fetch_add(1, std::memory_order_seq_cst);
  // Every transaction below had finished when the exporter's oldest snapshot was taken.
  Xid xmin{source.snapshot_xmin.load(std::memory_order_seq_cst)};
  if (!IsHeldBy(source, name) || !xmin.IsValid()) {
    slot.snapshot_csn.store(own, std::memory_order_release);
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "could not import the requested snapshot")
        .WithDetail("The source transaction is not running anymore.");
  }
  transaction_hold.hold =
      SnapshotHold(Snapshot{Snapshot::Kind::kMvcc, CurrentCommandId(false), name.csn, xmin});
  if (own > name.csn.value) slot.snapshot_xmin.store(xmin.value, std::memory_order_relaxed);
  transaction_hold.taken = true;
  ++tls_snapshots_taken;
}

void EndTransactionSnapshots() {
  exported.clear();
  transaction_hold.hold.Reset();
  transaction_hold.taken = false;
}

void DropAllSnapshots() {
  while (holds != nullptr) holds->Unlink();
  exported.clear();
  active = nullptr;
  transaction_hold.taken = false;
  if (self_slot() < 0) return;
  TransactionSlot& slot = OwnTransactionSlot();
  slot.snapshot_xmin.store(0, std::memory_order_relaxed);
  slot.snapshot_csn.store(kNoSnapshot, std::memory_order_release);
}

}  // namespace walden
