// Internal to txn: the process-local transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/base/ids.h"
#include "node/shm/interrupts.h"
#include "node/txn/transaction.h"
#include "node/txn/transaction_hooks.h"

namespace walden {

enum class TxnPhase : uint8_t { kIdle, kInProgress, kCommitting, kAborting };

struct TxnLevel {
  Xid xid;  // kInvalidXid until its first write
  uint32_t sub_id = 1;
  uint32_t first_sub =
      0;  // its own xid (a subtransaction's) and those of its released children begin here in sub_xids
  bool outer_read_only = false;  // a subtransaction's: what holds again when it ends
};

struct TxnAction {
  void (*action)(void*);
  void* argument;
  int level;
};

// Kept from transaction to transaction: vectors keep their memory, a commit allocates nothing.
struct TxnProcess {
  TxnPhase phase = TxnPhase::kIdle;
  IsolationLevel isolation = IsolationLevel::kReadCommitted;
  bool read_only = false;
  bool force_sync = false;
  bool command_used = false;
  CommandId command = kFirstCommandId;
  uint32_t last_sub_id = 1;
  TimestampUs start_time = 0;
  TimestampUs statement_time = 0;
  std::vector<TxnLevel> levels;
  std::vector<Xid> sub_xids;  // live subtransactions of all levels, ascending
  std::vector<TxnAction> on_commit;
  std::vector<TxnAction> on_abort;
  std::string invalidations;

  TxnLevel& current() { return levels.back(); }
  Xid top() const { return levels.empty() ? kInvalidXid : levels.front().xid; }
};

extern thread_local constinit TxnProcess* tls_txn;  // null before its first use
TxnProcess& MakeOwnTxn();
inline TxnProcess& OwnTxn() { return __builtin_expect(tls_txn != nullptr, 1) ? *tls_txn : MakeOwnTxn(); }
// After levels or sub_xids changed.
void RefreshOwnXids(TxnProcess& txn);
void RunTxnHooks(TxnEvent event, const TxnEventInfo& info);
// Runs the actions of levels >= level, newest first, and removes them.
void RunActions(std::vector<TxnAction>& actions, int level);
// Marks xids aborted, everywhere but in the WAL. xid may be invalid.
void MarkAborted(Xid xid, const Xid* subs, size_t sub_count);
void FinishTransactionState(TxnProcess& txn);

// Locks that others made on our behalf for xids that have just ended (lock_manager.cpp).
void ReleaseAwaitedXidLocks();

}  // namespace walden
