#include "node/txn/id_counters.h"

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/txn/csn_window.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_shared.h"
#include "node/txn/txn_state.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

constexpr uint64_t kXidBatch = 8192;
constexpr uint32_t kOidBatch = 8192;

// Requires: xid_lock.
void ReserveXids(uint64_t first) {
  EnsureWalSpace();
  uint64_t limit = first + kXidBatch;
  XidReserveRecord body{limit};
  WalRecord record(RecordKind::kXidReserve);
  record.SetXid(kInvalidXid);
  record.AddStruct(body);
  txn_shared->reservation_lsn.store(record.Insert().value, std::memory_order_release);
  txn_shared->xid_limit = limit;
}

void ReserveOids(uint32_t first) {
  EnsureWalSpace();
  uint32_t limit = first > UINT32_MAX - kOidBatch ? UINT32_MAX : first + kOidBatch;
  NextOidRecord body{limit};
  WalRecord record(RecordKind::kNextOid);
  record.SetXid(kInvalidXid);
  record.AddStruct(body);
  record.Insert();
  txn_shared->oids_left = limit - first;
}

}  // namespace

Xid NextXid() { return Xid{txn_shared->next_xid.load(std::memory_order_acquire)}; }

Xid AssignXid(Xid top) {
  if (InRecovery()) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "cannot assign TransactionIds during recovery");
  }
  LwLockGuard guard(txn_shared->xid_lock, LwMode::kExclusive);
  Xid xid{txn_shared->next_xid.load(std::memory_order_relaxed)};
  if (xid.value >= txn_shared->xid_limit) ReserveXids(xid.value);
  // The first xid of a page finds it made: everybody who can meet this xid can read its entry.
  csn::CreatePage(csn::PageOf(xid));
  if (top.IsValid()) {
    csn::Write(xid, csn::kParentBit | top.value);
  } else {
    OwnTransactionSlot().xid.store(xid.value, std::memory_order_release);
  }
  txn_shared->next_xid.store(xid.value + 1, std::memory_order_seq_cst);
  return xid;
}

Lsn XidReservationLsn() { return Lsn{txn_shared->reservation_lsn.load(std::memory_order_acquire)}; }

Oid NextOid() { return Oid{txn_shared->next_oid.load(std::memory_order_relaxed)}; }

Oid AllocateOid() {
  if (InRecovery()) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "cannot assign OIDs during recovery");
  }
  LwLockGuard guard(txn_shared->oid_lock, LwMode::kExclusive);
  uint32_t next = txn_shared->next_oid.load(std::memory_order_relaxed);
  if (next < OidNumber(kFirstNormalOid) || next == UINT32_MAX) {
    next = OidNumber(kFirstNormalOid);
    txn_shared->oids_left = 0;
  }
  if (txn_shared->oids_left == 0) ReserveOids(next);
  --txn_shared->oids_left;
  txn_shared->next_oid.store(next + 1, std::memory_order_relaxed);
  return Oid{next};
}

void AdvanceOidCounter(Oid oid) {
  LwLockGuard guard(txn_shared->oid_lock, LwMode::kExclusive);
  uint32_t next = txn_shared->next_oid.load(std::memory_order_relaxed);
  if (next > OidNumber(oid)) return;
  txn_shared->next_oid.store(OidNumber(oid) + 1, std::memory_order_relaxed);
  txn_shared->oids_left = 0;
}

}  // namespace walden
