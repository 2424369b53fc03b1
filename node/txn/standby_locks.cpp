#include "node/txn/standby_locks.h"

#include <vector>

#include "node/config/settings.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_state.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

struct ReplayedLock {
  Xid xid;
  LockTag tag;
};
std::vector<ReplayedLock> replayed;  // startup process only
BlockedCallback resolve_conflict = nullptr;
void (*conflict_resolved)() = nullptr;

template <class Condition>
void ReleaseWhere(Condition&& condition) {
  std::erase_if(replayed, [&](const ReplayedLock& lock) {
    if (!condition(lock)) return false;
    ReleaseLock(lock.tag, LockMode::kAccessExclusive, true);
    return true;
  });
}

}  // namespace

void BindStandbyLockConflict(BlockedCallback resolve, void (*resolved)()) {
  resolve_conflict = resolve;
  conflict_resolved = resolved;
}

bool PrepareStandbyLock() {
  if (!InTransaction() || !WalIsWritable() || GetEnum<WalLevel>(Setting::kWalLevel) < WalLevel::kReplica)
    return false;
  CurrentXid();
  return true;
}

void LogStandbyLock(const LockTag& tag) {
  StandbyLockRecord body{OidNumber(tag.database), tag.object};
  WalRecord record(RecordKind::kStandbyLock);
  record.SetXid(TopXidIfAny());
  record.AddStruct(body);
  record.Insert();
}

void ReplayStandbyLock(Xid xid, Oid database, Oid relation) {
  LockTag tag = LockTag::Relation(database, relation);
  // In the queue like everybody: sessions that come later wait behind replay.
  AcquireLock(tag, LockMode::kAccessExclusive, {.session = true, .blocked = resolve_conflict});
  if (conflict_resolved != nullptr) conflict_resolved();
  replayed.push_back({xid, tag});
}

void ReleaseStandbyLocks(Xid xid) {
  if (replayed.empty()) return;
  ReleaseWhere([&](const ReplayedLock& lock) { return lock.xid == xid; });
}

void ReleaseStandbyLocksBelow(Xid oldest) {
  ReleaseWhere([&](const ReplayedLock& lock) { return lock.xid < oldest; });
}

}  // namespace walden
