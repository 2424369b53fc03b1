#include "node/session/forget_session.h"

#include <malloc.h>

#include "node/catalog/identity.h"
#include "node/catalog/namespace.h"
#include "node/config/session_settings.h"
#include "node/config/settings.h"
#include "node/recovery/backup.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"
#include "node/shm/timeouts.h"
#include "node/sql/commands/commands.h"
#include "node/sql/functions/random_seed.h"
#include "node/stats/counters.h"
#include "node/txn/durability.h"
#include "node/txn/lock_manager.h"
#include "node/txn/snapshot.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

constexpr size_t kMostKeptBytes = 4 << 20;

// Whoever changes SessionIdentity sees here that caches belong to a database, and everything else to a session.
void ForgetIdentity() {
  SessionIdentity& identity = session_identity();
  SessionIdentity fresh;
  fresh.database = identity.database;
  fresh.database_tablespace = identity.database_tablespace;
  identity = std::move(fresh);
}

// Requests that concerned the session. Those to the process (end, reload) stand.
void DropRequests() {
  DisableAllTimeouts();
  for (Interrupt interrupt :
       {Interrupt::kCancel, Interrupt::kStatementTimeout, Interrupt::kLockTimeout, Interrupt::kDeadlockCheck,
        Interrupt::kRecoveryConflict, Interrupt::kNotify, Interrupt::kWork}) {
    TakeInterrupt(interrupt);
  }
}

bool LeftTraces() {
  return InTransaction() || CurrentSettingLevel() != 0 || IsValid(TemporaryNamespaceIfAny()) ||
         BackupIsRunning() || mallinfo2().uordblks > kMostKeptBytes;
}

}  // namespace

void BeginSessions() { BeginSessionSettings(); }

bool ForgetSession() {
  if (LeftTraces()) return false;
  ReleaseAllLocks();
  SetReportHook(nullptr);
  UndoSessionSettings();
  ForgetIdentity();
  ForgetAllSequences();
  ReseedRandom();
  ResetSeenLsn();
  SetStatsDatabase(Oid::kInvalid);
  ProcessSlot& process = self();
  process.cancel_key.store(0, std::memory_order_relaxed);
  process.database.store(Oid::kInvalid, std::memory_order_relaxed);
  process.role.store(Oid::kInvalid, std::memory_order_relaxed);
  process.is_session.store(false, std::memory_order_relaxed);
  DropRequests();
  BeginSessionSettings();
  return true;
}

}  // namespace walden
