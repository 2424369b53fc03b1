#include "node/sql/executor/row_locking.h"

#include "node/base/error.h"
#include "node/txn/transaction.h"

namespace walden {

std::optional<TupleId> LockNewestVersion(const TableRef& table, TupleResult result, const TupleFailure& first,
                                         CommandId cid, RowLockMode mode, WaitPolicy wait) {
  if (UsesTransactionSnapshot()) {
    throw SqlError(ErrorCode::kSerializationFailure, "could not serialize access due to concurrent {}",
                   result == TupleResult::kDeleted ? "delete" : "update");
  }
  TupleFailure failure = first;
  HeapFetcher fetcher(table);
  while (result == TupleResult::kUpdated) {
    TupleId next = failure.ctid;
    TupleView row;
    // The place may have been reused for another row since: the creator of the next version is who replaced the last one.
    if (!fetcher.FetchAny(next, &row) || row.header().xmin() != failure.xmax) return std::nullopt;
    result = HeapLock(table, next, cid, mode, wait, /*follow_updates=*/false, &failure);
    if (result == TupleResult::kOk) return next;
  }
  return std::nullopt;
}

}  // namespace walden
