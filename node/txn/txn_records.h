// WAL records of transactions: bytes, redo, describe. Owner: txn.
//
// Format: Transaction/COMMIT and /ABORT: the record's xid is the top-level one (or, for an abort, the
// subtransaction that rolled back); then
//   0 wall time (8)  8 flags (4)  12 sub-xids (4)  16 dropped files (4)  20 invalidation bytes (4)
//   24 database (4)  28 zero (4)
//   sub-xids, 8 bytes each, ascending
//   RelFileLocators, 16 bytes each
//   invalidation messages, opaque
#pragma once

#include <cstdint>
#include <span>

#include "node/txn/lock_manager.h"
#include "node/wal/record_handler.h"

namespace walden {

enum TransactionRecordFlag : uint32_t {
  kTxnCatalogChanged = 1,  // relation cache initialisation files must go
  kTxnSubtransaction = 2,  // abort of a savepoint only
};

struct TransactionRecord {
  int64_t wall_time;
  uint32_t flags;
  uint32_t sub_count;
  uint32_t drop_count;
  uint32_t invalidation_bytes;
  uint32_t database;
  uint32_t zero;
};
static_assert(sizeof(TransactionRecord) == 32);

// Format: Transaction/RESERVE: 0 limit (8): no xid at or above it has been assigned yet.
struct XidReserveRecord {
  uint64_t limit;
};
// Format: XLOG/NEXTOID: 0 limit (4).
struct NextOidRecord {
  uint32_t limit;
};
// Format: CLOG/TRUNCATE and MultiXact/TRUNCATE: 0 oldest kept (8).
struct TruncateRecord {
  uint64_t oldest;
};
// Format: MultiXact/CREATE: 0 id (8)  8 first member (8)  16 members (4)  20 zero (4), then the members, 8
// bytes each (xid << 3 | status).
struct MultiXactCreateRecord {
  uint64_t multi;
  uint64_t first_member;
  uint32_t member_count;
  uint32_t zero;
};
// Format: Standby/RUNNING_XACTS: 0 next xid (8)  8 oldest running (8).
struct RunningXactsRecord {
  uint64_t next_xid;
  uint64_t oldest_running;
};
// Format: Standby/LOCK: 0 database (4)  4 relation (4); the record's xid holds it.
struct StandbyLockRecord {
  uint32_t database;
  uint32_t relation;
};
static_assert(sizeof(MultiXactCreateRecord) == 24);

std::span<const RecordHandler> TxnRecordHandlers();

// The end of a transaction that removes no files and tells no caches: nothing but its outcome.
bool EndsTransactionOnly(const DecodedRecord& record);

// What redo of a commit does besides: bound by the catalog (invalidation messages become visible to this
// node's sessions). Called after the commit is visible.
using InvalidationRedo = void (*)(std::string_view messages, uint32_t database, bool catalog_changed);
void BindInvalidationRedo(InvalidationRedo redo);

// While replay waits for the primary's word that a commit is settled: asked again and again; true ends the wait
// (promotion). May throw: the process is to end.
void BindSettledWait(bool (*is_over)());

// When replay must take a relation lock that sessions hold: recovery decides between waiting and cancelling.
// `resolved` is called when a lock that had to be waited for was got.
void BindStandbyLockConflict(BlockedCallback resolve, void (*resolved)());

}  // namespace walden
