// INSERT, UPDATE, DELETE: takes the child's rows one by one, in order, and changes the table.
#include <algorithm>
#include <optional>

#include "node/access/deform.h"
#include "node/access/heap/row_queue.h"
#include "node/sql/executor/batched_insert.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/recheck.h"
#include "node/sql/executor/referential.h"
#include "node/sql/executor/row_container.h"
#include "node/sql/executor/row_locking.h"
#include "node/sql/executor/table_writer.h"
#include "node/txn/durability.h"
#include "node/txn/transaction.h"
#include "node/txn/untold.h"

namespace walden {
namespace {

class ModifyTableOperator : public Operator {
 public:
  ModifyTableOperator(Executor& executor, const ModifyTablePlan& plan)
      : Operator(executor, plan),
        plan_(plan),
        recheck_(executor, *plan.left),
        conflict_filter_(plan.conflict_where) {
    left_ = MakeOperator(executor, *plan.left);
    for (const Expr* value : plan.conflict_values) conflict_values_.push_back(CompileExpression(value));
    for (const WithCheckOption* option : plan.check_options) {
      check_options_.push_back({option, CompileExpression(option->qual)});
    }
  }

  void Describe(OperatorDetails* details) const override {
    if (plan_.on_conflict == OnConflictAction::kNone) return;
    details->tuples_inserted = tuples_inserted_;
    details->conflicting_tuples = conflicting_tuples_;
  }
  void Close() override {
    gathered_.reset();
    entries_.reset();
    bulk_.reset();
    if (fetcher_ != nullptr) fetcher_->Release();
    recheck_.Close();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    RelationRef relation = OpenRelation(plan_.relation, LockMode::kNone);
    if (writer_ == nullptr || writer_->relation_ref() != relation) BindRelation(std::move(relation));
    cid_ = CurrentCommandId(/*used=*/true);
    gathered_.reset();
    entries_.reset();
    if (plan_.command == CmdType::kInsert) bulk_ = std::make_unique<BulkInsertState>(/*use_ring=*/false);
    child_.selection.count = 0;
    child_at_ = 0;
    left_->Open();
  }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    uint32_t limit = plan_.has_returning ? std::min(max_rows, kBatchRows) : UINT32_MAX;
    returned_ = 0;
    if (plan_.has_returning) PrepareReturning(limit);
    row_arena_.Reset();
    std::optional<SeenGathering> gathering;
    if (may_answer_early_ && executor().settings().answers_with_count) gathering.emplace();
    while (returned_ < limit) {
      if (child_at_ >= child_.selection.count) {
        child_at_ = 0;
        child_.selection.count = 0;
        FlushEntries();
        if (returned_ > 0 || !left_->Next(&child_)) break;
      }
      if (CanGather()) {
        InsertTogether();
        child_at_ = child_.selection.count;
      } else {
        ChangeRow(child_.selection.Row(child_at_++));
      }
    }
    FlushEntries();
    if (gathering && gathering->gathered() > SettledLsn() && IsSameWithoutUnsettled())
      gathering->KeepUntold();
    if (returned_ == 0) return false;
    input->columns = returning_pointers_;
    input->selection = Selection{nullptr, returned_};
    return true;
  }

 private:
  void BindRelation(RelationRef relation) {
    writer_ = std::make_unique<TableWriter>(std::move(relation), &account());
    fetcher_ = std::make_unique<HeapFetcher>(writer_->relation().table);
    changed_ = conflict_changed_ = AttrSet();
    for (int32_t column : plan_.update_columns) changed_.Add(static_cast<AttrNumber>(column));
    for (int32_t column : plan_.conflict_columns) conflict_changed_.Add(static_cast<AttrNumber>(column));
    writer_->AddGeneratedChanges(&changed_);
    writer_->AddGeneratedChanges(&conflict_changed_);
    values_.assign(writer_->relation().desc->size(), Value{});
    old_values_.assign(values_.size(), Value{});
    returning_.clear();
    returning_pointers_.clear();
    const TupleDesc& desc = *writer_->relation().desc;
    for (int i = 1; i <= desc.size(); ++i) AddReturning(desc[static_cast<AttrNumber>(i)].physical);
    AddReturning(PhysicalType::kInt64);  // ctid
    AddReturning(PhysicalType::kInt32);  // tableoid
    for (size_t i = 0; i < plan_.returned_system.size(); ++i) AddReturning(PhysicalType::kInt32);
    stored_ = std::make_unique<HeapFetcher>(writer_->relation().table);
    for (PhysicalType type : left_->output_types()) AddReturning(type);
    referential_ = std::make_unique<ReferentialChecks>(writer_->relation_ref());
    may_answer_early_ = plan_.command == CmdType::kUpdate && !UsesKeys(changed_);
  }
  // Whether an index or a foreign key rests on one of the columns.
  bool UsesKeys(const AttrSet& columns) const {
    const Relation& table = writer_->relation();
    for (AttrNumber column = 1; column <= static_cast<AttrNumber>(table.desc->size()); ++column) {
      if (!columns.Contains(column)) continue;
      if (table.indexed_columns.Contains(column)) return true;
      for (const PgConstraintRow& key : table.foreign_keys) {
        if (std::ranges::find(*key.conkey, column) != key.conkey->end()) return true;
      }
    }
    return false;
  }
  void AddReturning(PhysicalType type) {
    returning_.push_back(std::make_unique<Vector>(type));
    returning_pointers_.push_back(returning_.back().get());
  }
  void PrepareReturning(uint32_t limit) {
    uint32_t capacity = std::min(limit, child_.selection.count > 1 ? kBatchRows : 64u);
    for (auto& column : returning_) column->Reset(column->type(), std::max(capacity, 64u));
    returning_capacity_ = std::max(capacity, 64u);
  }

  void ChangeRow(uint32_t row) {
    // Scratch of one row; rows to return have been copied out.
    eval_arena_.Reset();
    switch (plan_.command) {
      case CmdType::kInsert: InsertRow(row); break;
      case CmdType::kUpdate:
      case CmdType::kDelete: UpdateOrDelete(row); break;
      default: throw NotSupported("MERGE");
    }
  }

  EvalContext RowContext() {
    EvalContext context = executor().MakeEvalContext(eval_arena_);
    return context;
  }

  // --- INSERT ----------------------------------------------------------------------------------------------------
  void InsertRow(uint32_t row) {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = child_.columns[i]->Get(row);
    EvalContext context = RowContext();
    writer_->ComputeGenerated(context, values_);
    writer_->CheckConstraints(context, values_);
    CheckOptions(context);
    TupleId tid;
    if (plan_.on_conflict == OnConflictAction::kNone) {
      tid = writer_->Insert(context, values_, cid_, bulk_.get());
    } else {
      bulk_->pin = BufferPin();
      if (!InsertOrConflict(context, row, &tid)) return;
    }
    CountRow();
    referential_->Inserted(executor(), values_);
    Return(values_, tid, row);
  }

  // Rows that nobody wants to see one by one are stored a batch at a time.
  bool CanGather() const {
    return plan_.command == CmdType::kInsert && plan_.on_conflict == OnConflictAction::kNone &&
           !plan_.has_returning && child_.selection.count >= kWorthGathering;
  }

  void InsertTogether() {
    if (gathered_ == nullptr)
      gathered_ = std::make_unique<BatchedInsert>(*writer_, cid_, InsertOptions{}, bulk_.get());
    for (uint32_t i = 0; i < child_.selection.count; ++i) {
      eval_arena_.Reset();
      try {
        GatherRow(child_.selection.Row(i));
      } catch (const SqlError&) {
        FlushGathered();  // what is wrong with an earlier row comes first
        throw;
      }
      if (gathered_->full()) FlushGathered();
    }
    FlushGathered();
  }

  void GatherRow(uint32_t row) {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = child_.columns[i]->Get(row);
    EvalContext context = RowContext();
    writer_->ComputeGenerated(context, values_);
    writer_->CheckConstraints(context, values_);
    CheckOptions(context);
    gathered_->Add(values_);
    CountRow();
    referential_->Inserted(executor(), values_);
  }

  void FlushGathered() {
    EvalContext context = RowContext();
    gathered_->Flush(context);
  }

  // False when nothing was inserted (the conflicting row was updated, or left alone).
  bool InsertOrConflict(EvalContext& context, uint32_t row, TupleId* tid) {
    while (true) {
      TupleId conflict;
      std::optional<TupleId> inserted = writer_->InsertUnlessConflict(
          context, values_, cid_, std::span(plan_.arbiter_indexes.begin(), plan_.arbiter_indexes.size()),
          &conflict);
      if (inserted) {
        ++tuples_inserted_;
        *tid = *inserted;
        return true;
      }
      if (plan_.on_conflict == OnConflictAction::kNothing) {
        CheckConflictVisible(conflict);
        ++conflicting_tuples_;
        return false;
      }
      if (UpdateConflicting(context, conflict, row)) {
        ++conflicting_tuples_;
        return false;
      }
    }
  }

  // In REPEATABLE READ a conflict with a row that the snapshot cannot see must not be passed over silently.
  void CheckConflictVisible(TupleId conflict) {
    if (!UsesTransactionSnapshot()) return;
    TupleView existing;
    if (fetcher_->FetchVersion(conflict, executor().snapshot(), &existing)) return;
    if (fetcher_->FetchAny(conflict, &existing) && IsCurrentXid(existing.header().xmin())) return;
    throw SqlError(ErrorCode::kSerializationFailure, "could not serialize access due to concurrent update");
  }

  // ON CONFLICT DO UPDATE. False: the row went away meanwhile, insert again.
  bool UpdateConflicting(EvalContext& context, TupleId conflict, uint32_t row) {
    const TableRef& table = writer_->relation().table;
    TupleFailure failure;
    TupleResult locked =
        HeapLock(table, conflict, cid_, RowLockMode::kNoKeyExclusive, WaitPolicy::kBlock, false, &failure);
    if (locked == TupleResult::kSelfModified || locked == TupleResult::kInvisible) {
      throw SqlError(ErrorCode::kCardinalityViolation,
                     "ON CONFLICT DO UPDATE command cannot affect row a second time")
          .WithHint(
              "Ensure that no rows proposed for insertion within the same command have duplicate constrained "
              "values.");
    }
    if (locked != TupleResult::kOk) {
      if (UsesTransactionSnapshot()) {
        throw SqlError(ErrorCode::kSerializationFailure,
                       "could not serialize access due to concurrent update");
      }
      return false;
    }
    TupleView existing;
    if (!fetcher_->FetchAny(conflict, &existing)) return false;
    if (IsCurrentXid(existing.header().xmin()) && VisibleCmin(existing.header()) >= cid_) {
      throw SqlError(ErrorCode::kCardinalityViolation,
                     "ON CONFLICT DO UPDATE command cannot affect row a second time")
          .WithHint(
              "Ensure that no rows proposed for insertion within the same command have duplicate constrained "
              "values.");
    }
    CheckConflictVisible(conflict);
    DeformOld(existing);
    std::vector<Vector*> columns = ConflictColumns(conflict);
    if (!conflict_filter_.Matches(context, columns, 0)) return true;
    std::vector<Value> inserted = values_;
    std::vector<Value> updated = old_values_;
    for (size_t i = 0; i < conflict_values_.size(); ++i) {
      updated[plan_.conflict_columns[i] - 1] =
          conflict_values_[i]->Eval(context, columns, Selection{nullptr, 1}).Get(0);
    }
    values_ = updated;
    writer_->ComputeGenerated(context, values_);
    writer_->CheckConstraints(context, values_);
    CheckOptions(context);
    TupleId new_tid;
    TupleResult result = writer_->Update(context, conflict, existing, values_, conflict_changed_, cid_,
                                         WaitPolicy::kBlock, &failure, &new_tid);
    if (result != TupleResult::kOk)
      throw SqlError(ErrorCode::kInternalError, "unexpected result of updating a locked row");
    CountRow();
    referential_->Updated(executor(), old_values_, values_);
    Return(values_, new_tid, row);
    values_ = inserted;
    return true;
  }

  // [existing row's attributes, ctid, tableoid, excluded row's attributes]
  std::vector<Vector*> ConflictColumns(TupleId tid) {
    size_t n = values_.size();
    conflict_row_.resize(2 * n + 2);
    const TupleDesc& desc = *writer_->relation().desc;
    for (size_t i = 0; i < n; ++i) {
      PhysicalType type = desc[static_cast<AttrNumber>(i + 1)].physical;
      conflict_row_[i].SetConstantValue(type, old_values_[i]);
      conflict_row_[n + 2 + i].SetConstantValue(type, values_[i]);
    }
    conflict_row_[n].SetConstantValue(PhysicalType::kInt64, TidValue(tid));
    conflict_row_[n + 1].SetConstantValue(PhysicalType::kInt32, TableOidValue());
    std::vector<Vector*> columns;
    for (Vector& vector : conflict_row_) columns.push_back(&vector);
    return columns;
  }

  // --- UPDATE, DELETE --------------------------------------------------------------------------------------------
  void UpdateOrDelete(uint32_t row) {
    Value identity = child_.columns[plan_.ctid_column - 1]->Get(row);
    if (identity.is_null) throw SqlError(ErrorCode::kInternalError, "ctid is NULL");
    TupleId tid = TidFromInt64(identity.datum.i64);
    const Batch* source = &child_;
    uint32_t at = row;  // of `source`
    Batch rechecked;
    RowQueuePlaces places(writer_->relation().table);
    queue_places_ = &places;
    while (true) {
      TupleFailure failure;
      TupleResult result = plan_.command == CmdType::kUpdate ? TryUpdate(*source, at, tid, &failure)
                                                             : TryDelete(*source, at, tid, &failure);
      if (result == TupleResult::kOk) return;
      if (result == TupleResult::kSelfModified || result == TupleResult::kInvisible) {
        CheckSelfModified(failure);
        return;
      }
      RowLockMode mode =
          plan_.command == CmdType::kUpdate ? RowLockMode::kNoKeyExclusive : RowLockMode::kExclusive;
      std::optional<TupleId> newest =
          LockNewestVersion(writer_->relation().table, result, failure, cid_, mode, WaitPolicy::kBlock);
      if (!newest) return;
      std::pair<int32_t, TupleId> changed{plan_.rtindex, *newest};
      if (!recheck_.Run(plan_.marks, child_, row, std::span(&changed, 1), &rechecked)) return;
      source = &rechecked;
      at = rechecked.selection.Row(0);
      tid = *newest;
    }
  }

  // A row that this very command has changed already (the join delivered it twice) is left alone.
  void CheckSelfModified(const TupleFailure& failure) {
    if (failure.cmax != kInvalidCommandId && failure.cmax > cid_) {
      throw SqlError(
          ErrorCode::kTriggeredDataChangeViolation,
          "tuple to be updated was already modified by an operation triggered by the current command");
    }
  }

  void DeformOld(const TupleView& row) {
    DeformContext context{&eval_arena_, writer_->relation().table.toast, false};
    DeformTuple(*writer_->relation().desc, row, old_values_.data(), context);
  }

  // What the update makes of a version, constraints checked. `source`: the row of changed columns.
  EvalContext SetNewValues(const Batch& source, uint32_t row, const TupleView& old_row) {
    DeformOld(old_row);
    values_ = old_values_;
    for (size_t i = 0; i < plan_.update_columns.size(); ++i)
      values_[plan_.update_columns[i] - 1] = source.columns[i]->Get(row);
    EvalContext context = RowContext();
    writer_->ComputeGenerated(context, values_);
    writer_->CheckConstraints(context, values_);
    CheckOptions(context);
    return context;
  }

  // Where the index entries of updated rows are gathered, if the batch has many.
  GatheredEntries* Entries() {
    if (child_.selection.count < kWorthGathering) return nullptr;
    if (!entries_) entries_.emplace(writer_->relation().table);
    return &*entries_;
  }
  void FlushEntries() {
    if (entries_) entries_->Flush();
  }

  TupleResult TryUpdate(const Batch& source, uint32_t row, TupleId tid, TupleFailure* failure) {
    TupleView old_row;
    if (!fetcher_->FetchAny(tid, &old_row)) return TupleResult::kInvisible;
    EvalContext context = SetNewValues(source, row, old_row);
    TupleId new_tid;
    TupleResult result = writer_->Update(context, tid, old_row, values_, changed_, cid_, WaitPolicy::kBlock,
                                         failure, &new_tid, Entries());
    if (result != TupleResult::kOk) return result;
    queue_places_->KeepToEnd();
    CountRow();
    last_updated_ = new_tid;
    referential_->Updated(executor(), old_values_, values_);
    ReturnFrom(source, values_, new_tid, row);
    return result;
  }

  // An UPDATE by key (answers_with_count) says "UPDATE 1". Would it, if of the commits that it met and that are not settled only the first
  // few lasted? There would then be one of the row's earlier versions, with the same key: does the change go through on each of them?
  // (If none of their kind is left on the page, nobody knows.)
  bool IsSameWithoutUnsettled() {
    if (executor().rows_affected() != 1 || UsesTransactionSnapshot()) return false;
    const TableRef& table = writer_->relation().table;
    if (!HeapEarlierVersions(table, last_updated_, &earlier_versions_)) return false;
    try {
      return std::ranges::all_of(earlier_versions_, [this](TupleId tid) { return WouldUpdate(tid); });
    } catch (const SqlError& error) {
      // Another world's error: a value out of range, a constraint that does not hold.
      std::string_view state = SqlState(error.fields().code);
      if (!state.starts_with("22") && !state.starts_with("23")) throw;
      return false;
    }
  }

  bool WouldUpdate(TupleId tid) {
    Batch changed;
    TupleView old_row;
    std::pair version(plan_.rtindex, tid);
    if (!recheck_.Run(plan_.marks, child_, 0, std::span(&version, 1), &changed) ||
        !fetcher_->FetchAny(tid, &old_row))
      return false;
    SetNewValues(changed, changed.selection.Row(0), old_row);
    return true;
  }

  TupleResult TryDelete(const Batch& source, uint32_t row, TupleId tid, TupleFailure* failure) {
    bool wants_old = plan_.has_returning || referential_->wants_old_rows();
    TupleView old_row;
    if (wants_old) {
      if (!fetcher_->FetchAny(tid, &old_row)) return TupleResult::kInvisible;
      DeformOld(old_row);
    }
    TupleResult result = writer_->Delete(tid, cid_, WaitPolicy::kBlock, failure);
    if (result != TupleResult::kOk) return result;
    queue_places_->KeepToEnd();
    CountRow();
    if (wants_old) referential_->Deleted(executor(), old_values_);
    ReturnFrom(source, old_values_, tid, row);
    return result;
  }

  // --- shared ----------------------------------------------------------------------------------------------------
  void CheckOptions(EvalContext& context) {
    if (check_options_.empty()) return;
    std::span<Vector* const> row = writer_->RowVectors(values_);
    for (auto& [option, condition] : check_options_) {
      Value result = condition->Eval(context, row, Selection{nullptr, 1}).Get(0);
      if (!result.is_null && result.datum.b) continue;
      throw SqlError(ErrorCode::kWithCheckOptionViolation, "new row violates check option for view \"{}\"",
                     option->relname)
          .WithDetail(fmt::format("Failing row contains {}.", writer_->DescribeRow(context, values_)));
    }
  }

  void CountRow() {
    if (plan_.sets_tag) executor().AddAffected(1);
  }
  static Value TidValue(TupleId tid) {
    Value value;
    value.is_null = false;
    value.datum.i64 = TidToInt64(tid);
    return value;
  }
  Value TableOidValue() const {
    Value value;
    value.is_null = false;
    value.datum.i32 = static_cast<int32_t>(OidNumber(plan_.relation));
    return value;
  }

  void Return(const std::vector<Value>& values, TupleId tid, uint32_t row) {
    ReturnFrom(child_, values, tid, row);
  }
  void ReturnFrom(const Batch& source, const std::vector<Value>& values, TupleId tid, uint32_t row) {
    if (!plan_.has_returning) return;
    size_t n = values.size();
    for (size_t i = 0; i < n; ++i) SetReturned(i, values[i]);
    SetReturned(n, TidValue(tid));
    SetReturned(n + 1, TableOidValue());
    ReturnSystem(tid, n + 2);
    size_t first = n + 2 + plan_.returned_system.size();
    for (size_t i = 0; i < source.columns.size(); ++i) SetReturned(first + i, source.columns[i]->Get(row));
    if (++returned_ >= returning_capacity_) GrowReturning();
  }
  // As the version is stored after the change: that of an upsert still carries the lock that it was found with.
  void ReturnSystem(TupleId tid, size_t first) {
    if (plan_.returned_system.empty()) return;
    TupleView version;
    CHECK(stored_->FetchAny(tid, &version));
    for (uint32_t i = 0; i < plan_.returned_system.size(); ++i) {
      AttrNumber attno = static_cast<AttrNumber>(plan_.returned_system[i]);
      SetReturned(first + i, GetAttribute(*writer_->relation().desc, version, attno, {}));
    }
    stored_->Release();
  }
  void SetReturned(size_t column, Value value) {
    Vector& to = *returning_[column];
    if (!value.is_null) value.datum = CopyDatum(to.type(), value.datum, &row_arena_);
    to.Set(returned_, value);
  }
  // Room is for at most one batch: what is in the vectors is moved to larger ones.
  void GrowReturning() {
    if (returning_capacity_ >= kBatchRows) return;
    uint32_t capacity = std::min(returning_capacity_ * 4, kBatchRows);
    for (size_t i = 0; i < returning_.size(); ++i) {
      auto larger = std::make_unique<Vector>(returning_[i]->type(), capacity);
      larger->CopyRows(*returning_[i], Selection{nullptr, returned_});
      returning_[i] = std::move(larger);
      returning_pointers_[i] = returning_[i].get();
    }
    returning_capacity_ = capacity;
  }

  static constexpr uint32_t kWorthGathering = 8;  // rows of a batch

  const ModifyTablePlan& plan_;
  Recheck recheck_;
  RowQueuePlaces* queue_places_ = nullptr;  // of the row being changed
  Filter conflict_filter_;
  std::vector<ExprStatePtr> conflict_values_;
  AttrSet changed_, conflict_changed_;
  std::vector<std::pair<const WithCheckOption*, ExprStatePtr>> check_options_;
  std::unique_ptr<TableWriter> writer_;
  std::unique_ptr<HeapFetcher> fetcher_;
  std::unique_ptr<BulkInsertState> bulk_;
  std::unique_ptr<BatchedInsert> gathered_;
  std::optional<GatheredEntries> entries_;
  std::unique_ptr<ReferentialChecks> referential_;
  CommandId cid_ = 0;
  bool may_answer_early_ = false;  // an UPDATE, and of no column that an index or a foreign key rests on
  TupleId last_updated_;           // its new version
  std::vector<TupleId> earlier_versions_;
  Batch child_;
  int64_t tuples_inserted_ = 0, conflicting_tuples_ = 0;
  uint32_t child_at_ = 0;
  std::vector<Value> values_, old_values_;
  std::vector<Vector> conflict_row_;
  Arena eval_arena_;
  Arena row_arena_;
  std::unique_ptr<HeapFetcher> stored_;  // for what RETURNING says of the stored row
  std::vector<std::unique_ptr<Vector>> returning_;
  std::vector<Vector*> returning_pointers_;
  uint32_t returned_ = 0;
  uint32_t returning_capacity_ = 0;
};

}  // namespace

OperatorPtr MakeModifyTable(Executor& executor, const ModifyTablePlan& plan) {
  return std::make_unique<ModifyTableOperator>(executor, plan);
}

}  // namespace walden
