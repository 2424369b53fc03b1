// SELECT ... FOR UPDATE / NO KEY UPDATE / SHARE / KEY SHARE: locks the rows that are delivered.
#include "node/access/deform.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/recheck.h"
#include "node/sql/executor/row_container.h"
#include "node/sql/executor/row_locking.h"
#include "node/txn/transaction.h"

namespace walden {
namespace {

RowLockMode ModeOf(LockClauseStrength strength) {
  switch (strength) {
    case LockClauseStrength::kForKeyShare: return RowLockMode::kKeyShare;
    case LockClauseStrength::kForShare: return RowLockMode::kShare;
    case LockClauseStrength::kForNoKeyUpdate: return RowLockMode::kNoKeyExclusive;
    default: return RowLockMode::kExclusive;
  }
}

WaitPolicy PolicyOf(LockWaitPolicy policy) {
  switch (policy) {
    case LockWaitPolicy::kSkip: return WaitPolicy::kSkip;
    case LockWaitPolicy::kError: return WaitPolicy::kError;
    default: return WaitPolicy::kBlock;
  }
}

class LockRowsOperator : public Operator {
 public:
  LockRowsOperator(Executor& executor, const LockRowsPlan& plan)
      : Operator(executor, plan), plan_(plan), recheck_(executor, *plan.left) {
    left_ = MakeOperator(executor, *plan.left);
    for (PhysicalType type : left_->output_types()) columns_.push_back(std::make_unique<Vector>(type));
    for (auto& column : columns_) pointers_.push_back(column.get());
  }
  void Close() override {
    recheck_.Close();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    relations_.clear();
    for (const RowMark* mark : plan_.marks)
      relations_.push_back(OpenRelation(mark->relation, LockMode::kNone));
    cid_ = CurrentCommandId(true);
    left_->Open();
  }
  void DoRescan() override { left_->Rescan(); }

  // One row at a time: a row that LIMIT above will not take must not be locked.
  bool FetchInput(Batch* input, uint32_t) override {
    Batch batch;
    while (left_->Next(&batch, 1)) {
      uint32_t row = batch.selection.Row(0);
      Batch result = batch;
      if (!LockAll(batch, row, &result)) continue;
      uint32_t from = result.selection.Row(0);
      for (size_t i = 0; i < columns_.size(); ++i) {
        Value value = result.columns[i]->Get(from);
        columns_[i]->Reset(columns_[i]->type(), 1);
        columns_[i]->Set(0, value);
      }
      input->columns = pointers_;
      input->selection = Selection{nullptr, 1};
      return true;
    }
    return false;
  }

 private:
  // False when the row is skipped. All rows are locked before the query looks at their newest versions, together.
  bool LockAll(const Batch& batch, uint32_t row, Batch* result) {
    changed_.clear();
    for (size_t i = 0; i < plan_.marks.size(); ++i) {
      const RowMark& mark = *plan_.marks[i];
      if (mark.strength == LockClauseStrength::kNone) continue;
      Value identity = batch.columns[mark.ctid_column - 1]->Get(row);
      if (identity.is_null) continue;  // the null side of an outer join
      const TableRef& table = relations_[i]->table;
      TupleFailure failure;
      TupleResult locked = HeapLock(table, TidFromInt64(identity.datum.i64), cid_, ModeOf(mark.strength),
                                    PolicyOf(mark.wait_policy), /*follow_updates=*/true, &failure);
      if (locked == TupleResult::kOk) continue;
      if (locked != TupleResult::kUpdated && locked != TupleResult::kDeleted) return false;
      std::optional<TupleId> newest =
          LockNewestVersion(table, locked, failure, cid_, ModeOf(mark.strength), PolicyOf(mark.wait_policy));
      if (!newest) return false;
      changed_.emplace_back(mark.rtindex, *newest);
    }
    return changed_.empty() || recheck_.Run(plan_.marks, batch, row, changed_, result);
  }

  const LockRowsPlan& plan_;
  Recheck recheck_;
  std::vector<RelationRef> relations_;
  std::vector<std::unique_ptr<Vector>> columns_;
  std::vector<Vector*> pointers_;
  std::vector<std::pair<int32_t, TupleId>> changed_;  // of the row that is being locked
  CommandId cid_ = 0;
};

}  // namespace

OperatorPtr MakeLockRows(Executor& executor, const LockRowsPlan& plan) {
  return std::make_unique<LockRowsOperator>(executor, plan);
}

}  // namespace walden
