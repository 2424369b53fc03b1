// The transaction of this process: begin, commit, abort, savepoints, xids, command ids, and what other
// modules hang on its end. The session's state machine (BEGIN, failed block, implicit transactions) is above,
// in session/.
//
// State is process-local (thread_local in tests, where threads stand in for processes). The current xid is
// also in the process's transaction slot (transaction_slots.h) for pg_stat_activity and waiters.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "node/base/clock.h"
#include "node/base/ids.h"
#include "node/config/setting_types.h"
#include "node/txn/durability.h"

namespace walden {

// What an end of transaction leaves behind for the caller.
struct CommitResult {
  Lsn csn;  // kInvalidLsn when nothing was written
  Xid xid;  // kInvalidXid when none was assigned
};

// ---- Top level. Errors before the commit record leave the transaction in progress: the caller aborts it.
// Requires: not in a transaction.
void BeginTransaction();
// Runs pre-commit hooks, writes the record, publishes, releases locks and raises seen_lsn to the commit:
// whoever answers the client then waits for durability (durability.h). Only a transaction that drops files,
// or forced synchronous commit, waits here, before it unlinks them.
CommitResult CommitTransaction();
// Always succeeds, also half-way through a failed commit before its record; releases lwlocks, pins, locks.
void AbortTransaction() noexcept;
bool InTransaction();
// This commit's effects outside the WAL (CREATE DATABASE, DROP TABLESPACE ...) must not run ahead of its
// durability.
void ForceSyncCommit();
// PREPARE TRANSACTION: 0A000.
void PrepareTransaction(std::string_view gid);

// Settings of the current transaction. Setting the level after the first snapshot is 25001 (session checks);
// kSerializable throws 0A000.
IsolationLevel CurrentIsolation();
void SetIsolation(IsolationLevel level);
bool TransactionReadOnly();
void SetTransactionReadOnly(bool read_only);  // hot standby: always true
// READ COMMITTED takes a snapshot per statement, the others one per transaction.
inline bool UsesTransactionSnapshot() { return CurrentIsolation() >= IsolationLevel::kRepeatableRead; }

// Timestamps of now(), statement_timestamp(). The session sets the statement's before BeginTransaction.
TimestampUs TransactionStartTime();
TimestampUs StatementStartTime();
void SetStatementStartTime(TimestampUs at);

// ---- Subtransactions (savepoints, exception blocks). Level 1 is the top.
int NestLevel();
// Returns the new level.
int BeginSubtransaction();
void CommitSubtransaction();          // the parent inherits
void AbortSubtransaction() noexcept;  // undoes the current level only
// A number that identifies a subtransaction within the transaction; never reused in it. 1 is the top.
uint32_t CurrentSubId();

// ---- Xids.
// Assigns one (to the parents too) at the first write. Throws 25006 "cannot assign TransactionIds during
// recovery".
Xid CurrentXid();
// Of the current level, kInvalidXid when none has been assigned.
Xid CurrentXidIfAny();
Xid TopXidIfAny();
// The top-level xid, assigning it.
Xid TopXid();

struct OwnXids {
  Xid top;  // lowest of all
  bool has_subs;
};
extern thread_local constinit OwnXids tls_own_xids;
bool IsCurrentSubXid(Xid xid);
// Whether `xid` is the current transaction or one of its live (not rolled back) subtransactions.
inline bool IsCurrentXid(Xid xid) {
  if (xid == tls_own_xids.top) return xid.value != 0;
  return tls_own_xids.has_subs && xid > tls_own_xids.top && IsCurrentSubXid(xid);
}

// ---- Commands. Rows written by command c are visible to snapshots with curcid > c.
// `used`: a row will carry it, so that the next CommandCounterIncrement is not free.
CommandId CurrentCommandId(bool used);
void CommandCounterIncrement();

// ---- A local number for this transaction, unique in this process slot (virtual xid).
uint64_t CurrentVirtualLocal();

}  // namespace walden
