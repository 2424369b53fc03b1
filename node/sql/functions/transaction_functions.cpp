// What became of a transaction; who holds and awaits which lock (pg_locks, pg_blocking_pids).
#include <algorithm>

#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/txn/clog.h"
#include "node/txn/id_counters.h"
#include "node/txn/lock_manager.h"
#include "node/txn/transaction.h"
#include "node/types/array.h"

namespace walden {
namespace {

using View = std::string_view;

// The outcome of a transaction that the client remembers.
std::optional<View> XactStatus(uint64_t value) {
  Xid xid{value};
  if (xid >= NextXid()) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "transaction ID {} is in the future", value);
  }
  if (!xid.IsValid()) return std::nullopt;
  if (IsCurrentXid(xid)) return "in progress";
  switch (DecideXidNow(xid).status) {
    case XidStatus::kInProgress: return "in progress";
    case XidStatus::kCommitted: return "committed";
    case XidStatus::kAborted: return "aborted";
  }
  return std::nullopt;
}

View BlockingPidsOf(CallContext& c, int32_t pid) {
  ArrayBuilder pids(Oid{23}, PhysicalType::kInt32);
  for (int blocker : BlockingPids(pid)) pids.Add(Value{Datum{.i32 = blocker}, false});
  return pids.Finish(c.arena);
}

// Does the session wait for one of these others?
bool SessionIsBlocked(int32_t pid, View others) {
  ArrayView view(others);
  Value other;
  std::vector<int> blockers = BlockingPids(pid);
  for (ArrayReader reader(view, PhysicalType::kInt32); reader.Next(&other);) {
    if (!other.is_null && std::find(blockers.begin(), blockers.end(), other.datum.i32) != blockers.end())
      return true;
  }
  return false;
}

// One row of pg_locks at a time; columns that do not apply to a kind of lock are null.
class LockStatus : public TableFunction {
 public:
  uint32_t Next(CallContext& c, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    while (count < max_rows && next_ < rows_.size()) PutRow(c, columns, count++, rows_[next_++]);
    return count;
  }

 private:
  enum Column {
    kType,
    kDatabase,
    kRelation,
    kPage,
    kTuple,
    kVirtualXid,
    kTransactionId,
    kClass,
    kObject,
    kSubObject,
    kVirtualTransaction,
    kPid,
    kMode,
    kGranted,
    kFastPath,
    kWaitStart
  };
  static void Text(CallContext& c, Vector* column, uint32_t row, View text) {
    View kept = Keep(c, text);
    column->data<StringRef>()[row] = {kept.data(), kept.size()};
  }
  static void Number(Vector* column, uint32_t row, uint32_t value) {
    column->data<int32_t>()[row] = static_cast<int32_t>(value);
  }
  static std::string VirtualId(uint32_t slot, uint64_t local) { return fmt::format("{}/{}", slot, local); }

  static void PutTag(CallContext& c, std::span<Vector* const> columns, uint32_t row, const LockTag& tag) {
    LockKind kind = tag.kind;
    bool relation = kind == LockKind::kRelation || kind == LockKind::kRelationExtend ||
                    kind == LockKind::kPage || kind == LockKind::kTuple;
    bool page = kind == LockKind::kPage || kind == LockKind::kTuple;
    bool object = kind == LockKind::kObject || kind == LockKind::kAdvisory;
    bool database = relation || object || kind == LockKind::kDatabaseFrozenIds;
    if (database)
      Number(columns[kDatabase], row, OidNumber(tag.database));
    else
      columns[kDatabase]->SetNull(row);
    if (relation)
      Number(columns[kRelation], row, tag.object);
    else
      columns[kRelation]->SetNull(row);
    if (page)
      Number(columns[kPage], row, tag.low);
    else
      columns[kPage]->SetNull(row);
    if (kind == LockKind::kTuple)
      columns[kTuple]->data<int16_t>()[row] = static_cast<int16_t>(tag.small);
    else
      columns[kTuple]->SetNull(row);
    if (kind == LockKind::kVirtualTransaction)
      Text(c, columns[kVirtualXid], row, VirtualId(tag.object, tag.wide));
    else
      columns[kVirtualXid]->SetNull(row);
    if (kind == LockKind::kTransaction)
      Number(columns[kTransactionId], row, Xid{tag.wide}.Low32());
    else
      columns[kTransactionId]->SetNull(row);
    if (object) {
      Number(columns[kClass], row, tag.object);
      Number(columns[kObject], row, tag.low);
      columns[kSubObject]->data<int16_t>()[row] = static_cast<int16_t>(tag.small);
    } else {
      for (Column column : {kClass, kObject, kSubObject}) columns[column]->SetNull(row);
    }
  }

  static void PutRow(CallContext& c, std::span<Vector* const> columns, uint32_t row, const LockRow& lock) {
    Text(c, columns[kType], row, LockKindName(lock.tag.kind));
    PutTag(c, columns, row, lock.tag);
    Text(c, columns[kVirtualTransaction], row,
         VirtualId(static_cast<uint32_t>(lock.slot), lock.virtual_local));
    columns[kPid]->data<int32_t>()[row] = lock.pid;
    Text(c, columns[kMode], row, LockModeName(lock.mode));
    columns[kGranted]->data<bool>()[row] = lock.granted;
    columns[kFastPath]->data<bool>()[row] = lock.fast_path;
    if (lock.wait_start != 0)
      columns[kWaitStart]->data<int64_t>()[row] = lock.wait_start;
    else
      columns[kWaitStart]->SetNull(row);
  }

  std::vector<LockRow> rows_ = EnumerateLocks();
  size_t next_ = 0;
};
std::unique_ptr<TableFunction> StartLockStatus(CallContext&, std::span<const Value>) {
  return std::make_unique<LockStatus>();
}

constexpr ScalarFunction kTable[] = {Volatile<&XactStatus>("pg_xact_status"),
                                     Volatile<&BlockingPidsOf>("pg_blocking_pids"),
                                     Volatile<&SessionIsBlocked>("pg_isolation_test_session_is_blocked")};

constexpr SetFunction kSets[] = {{"pg_lock_status", true, &StartLockStatus}};

}  // namespace

std::span<const ScalarFunction> TransactionFunctions() { return kTable; }
std::span<const SetFunction> TransactionSetFunctions() { return kSets; }

}  // namespace walden
