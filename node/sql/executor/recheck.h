// Re-evaluation of a query for one changed row (PostgreSQL's EvalPlanQual).
//
// READ COMMITTED: when a row to be updated, deleted or locked was changed by a transaction that has committed since the
// snapshot, the newest version takes its place, the other relations keep the rows they had, and the query below is run
// again over just these rows: if it still delivers one, the change goes on with it.
//
// The query is the same plan, compiled once more in recheck mode: every table scan becomes a scan of the one row set here.
#pragma once

#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "node/sql/executor/executor.h"

namespace walden {

// Which row stands for each relation of a recheck, by range table index; no entry or an invalid tid: none.
struct RecheckRows {
  std::unordered_map<int32_t, TupleId> rows;
};

class Recheck {
 public:
  // `below`: the child of the ModifyTable or LockRows that asks.
  Recheck(Executor& executor, const Plan& below) : executor_(executor), below_(below) {}

  // The rows that changed since they were read, by range table index, with what stands for them now.
  using NewVersions = std::span<const std::pair<int32_t, TupleId>>;
  // Rows of the relations in `marks` come from the batch row's identity columns, but for the new versions.
  // Returns the re-evaluated output row (valid until the next call), or false when it no longer qualifies.
  bool Run(const List<RowMark*>& marks, const Batch& batch, uint32_t row, NewVersions changed, Batch* result);

  // Lets go of pages; Run may be called again.
  void Close();

 private:
  Executor& executor_;
  const Plan& below_;
  RecheckRows rows_;
  std::unique_ptr<Operator> root_;
};

}  // namespace walden
