// Merge join: both inputs come sorted by the join keys. The inner rows of one key are kept (spilling past work_mem) while the outer
// rows with that key pass. All join types.
#include "node/shm/interrupts.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/row_store.h"
#include "node/sql/executor/sort_key.h"
#include "node/sql/query/expr_facts.h"

namespace walden {
namespace {

// One input, row by row, with its keys evaluated.
class MergeInput {
 public:
  MergeInput(Executor& executor, Operator& source, const ExprList& keys)
      : executor_(executor), source_(source) {
    for (const Expr* key : keys) keys_.push_back(CompileExpression(key));
  }
  void Restart() {
    batch_.selection.count = 0;
    at_ = 0;
    done_ = false;
    started_ = false;
  }
  // Goes to the next row; false at the end.
  bool Advance() {
    started_ = true;
    if (done_) return false;
    if (++at_ < batch_.selection.count) return true;
    batch_.selection.count = 0;
    if (!source_.Next(&batch_)) {
      batch_.selection.count = 0;
      done_ = true;
      return false;
    }
    arena_.Reset();
    EvalContext context = executor_.MakeEvalContext(arena_);
    key_vectors_.clear();
    for (ExprStatePtr& key : keys_)
      key_vectors_.push_back(&key->Eval(context, batch_.columns, batch_.selection));
    at_ = 0;
    return true;
  }
  void Begin() {
    if (!started_) Advance();
  }
  bool done() const { return done_; }
  uint32_t row() const { return batch_.selection.Row(at_); }
  const Batch& batch() const { return batch_; }
  Value Key(size_t i) const { return key_vectors_[i]->Get(row()); }
  bool HasNullKey() const {
    for (const Vector* key : key_vectors_) {
      if (key->IsNull(row())) return true;
    }
    return false;
  }

 private:
  Executor& executor_;
  Operator& source_;
  std::vector<ExprStatePtr> keys_;
  std::vector<Vector*> key_vectors_;
  Batch batch_;
  uint32_t at_ = 0;
  bool done_ = false;
  bool started_ = false;
  Arena arena_;
};

class MergeJoinOperator : public Operator {
 public:
  MergeJoinOperator(Executor& executor, const MergeJoinPlan& plan)
      : Operator(executor, plan), plan_(plan), join_filter_(plan.join_quals) {
    left_ = MakeOperator(executor, *plan.left);
    right_ = MakeOperator(executor, *plan.right);
    outer_ = std::make_unique<MergeInput>(executor, *left_, plan.outer_keys);
    inner_ = std::make_unique<MergeInput>(executor, *right_, plan.inner_keys);
    for (uint32_t i = 0; i < plan.compare_types.size(); ++i) {
      order_.push_back(
          {i, &TypeOf(plan.compare_types[i]), nullptr, plan.descending[i] != 0, plan.nulls_first[i] != 0});
    }
    for (PhysicalType type : left_->output_types()) AddColumn(type);
    for (PhysicalType type : right_->output_types()) AddColumn(type);
    for (PhysicalType type : right_->output_types()) group_columns_.push_back(std::make_unique<Vector>(type));
    for (auto& column : group_columns_) group_pointers_.push_back(column.get());
    qual_row_.resize(columns_.size());
  }

  void Close() override {
    reader_.reset();
    group_.reset();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    left_->Open();
    right_->Open();
    Restart();
  }
  void DoRescan() override {
    left_->Rescan();
    right_->Rescan();
    Restart();
  }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    limit_ = std::min(max_rows, kBatchRows);
    for (auto& column : columns_) column->Reset(column->type(), limit_);
    rows_ = 0;
    while (rows_ < limit_ && Step()) {
    }
    if (rows_ == 0) return false;
    input->columns = pointers_;
    input->selection = Selection{nullptr, rows_};
    return true;
  }

 private:
  enum class Phase { kSeek, kPairs, kLeftovers };

  void AddColumn(PhysicalType type) {
    columns_.push_back(std::make_unique<Vector>(type));
    pointers_.push_back(columns_.back().get());
  }
  bool KeepsOuter() const {
    return plan_.join_type == JoinType::kLeft || plan_.join_type == JoinType::kFull ||
           plan_.join_type == JoinType::kAnti;
  }
  bool KeepsInner() const {
    return plan_.join_type == JoinType::kRight || plan_.join_type == JoinType::kFull;
  }

  void Restart() {
    outer_->Restart();
    inner_->Restart();
    group_ = std::make_unique<RowStore>(right_->output_types(), &account(), WorkMemBytes());
    reader_ = std::make_unique<RowStore::Reader>(group_.get());
    phase_ = Phase::kSeek;
  }

  // Does one thing: emits at most one row. False at the end.
  bool Step() {
    switch (phase_) {
      case Phase::kSeek: return Seek();
      case Phase::kPairs: return NextPair();
      case Phase::kLeftovers: return NextLeftover();
    }
    return false;
  }

  int CompareInputs() const {
    for (const SortKey& key : order_) {
      if (int order = CompareBySortKey(key, outer_->Key(key.column), inner_->Key(key.column))) return order;
    }
    return 0;
  }

  bool Seek() {
    CheckInterrupts();
    outer_->Begin();
    inner_->Begin();
    if (outer_->done() && (inner_->done() || !KeepsInner())) return false;
    if (inner_->done() && !KeepsOuter()) return false;
    int order = outer_->done() ? 1 : inner_->done() ? -1 : CompareInputs();
    if (order == 0 && outer_->HasNullKey()) order = -1;  // nulls are never equal
    if (order < 0) {
      if (KeepsOuter()) EmitOuterAlone();
      outer_->Advance();
    } else if (order > 0) {
      if (KeepsInner()) EmitInner(inner_->batch().columns, inner_->row());
      inner_->Advance();
    } else {
      LoadGroup();
      phase_ = Phase::kPairs;
    }
    return true;
  }

  // Takes the inner rows with the outer row's key.
  void LoadGroup() {
    group_->Clear();
    reader_->Rewind();
    matched_.clear();
    group_rows_ = group_at_ = 0;
    do {
      uint16_t row = static_cast<uint16_t>(inner_->row());
      group_->Append(inner_->batch().columns, Selection{&row, 1});
      if (KeepsInner()) matched_.push_back(false);
    } while (inner_->Advance() && CompareInputs() == 0);
    outer_matched_ = false;
    key_arena_.Reset();
    group_key_.clear();
    for (const SortKey& key : order_) {
      Value value = outer_->Key(key.column);
      if (!value.is_null) value.datum = CopyDatum(key.type->physical, value.datum, &key_arena_);
      group_key_.push_back(value);
    }
  }

  bool OuterIsOfGroup() const {
    for (const SortKey& key : order_) {
      if (CompareBySortKey(key, outer_->Key(key.column), group_key_[key.column]) != 0) return false;
    }
    return true;
  }

  // The next row of the group, in group_pointers_ at group_at_ - 1.
  bool NextGroupRow() {
    if (group_at_ >= group_rows_) {
      group_base_ += group_rows_;
      group_rows_ = reader_->Read(group_pointers_, kBatchRows);
      group_at_ = 0;
      if (group_rows_ == 0) return false;
    }
    ++group_at_;
    return true;
  }
  void RewindGroup() {
    reader_->Rewind();
    group_rows_ = group_at_ = 0;
    group_base_ = 0;
  }

  bool NextPair() {
    bool stops = outer_matched_ && (plan_.join_type == JoinType::kSemi ||
                                    plan_.join_type == JoinType::kAnti || plan_.inner_unique);
    if (stops || !NextGroupRow()) {
      if (!outer_matched_ && KeepsOuter()) EmitOuterAlone();
      outer_matched_ = false;
      RewindGroup();
      if (outer_->Advance() && OuterIsOfGroup()) return true;
      phase_ = KeepsInner() ? Phase::kLeftovers : Phase::kSeek;
      return true;
    }
    uint32_t row = group_at_ - 1;
    if (!PassesJoinQuals(row)) {
      ++counters().rows_removed_by_join_filter;
      return true;
    }
    outer_matched_ = true;
    if (KeepsInner()) matched_[group_base_ + row] = true;
    if (plan_.join_type != JoinType::kAnti) EmitPair(row);
    return true;
  }

  bool NextLeftover() {
    if (!NextGroupRow()) {
      RewindGroup();
      phase_ = Phase::kSeek;
      return true;
    }
    if (!matched_[group_base_ + group_at_ - 1]) EmitInner(group_pointers_, group_at_ - 1);
    return true;
  }

  bool PassesJoinQuals(uint32_t group_row) {
    if (join_filter_.empty()) return true;
    size_t outer_count = left_->output_types().size();
    std::vector<Vector*> row;
    for (size_t i = 0; i < columns_.size(); ++i) {
      Value value = i < outer_count ? outer_->batch().columns[i]->Get(outer_->row())
                                    : group_pointers_[i - outer_count]->Get(group_row);
      qual_row_[i].SetConstantValue(columns_[i]->type(), value);
      row.push_back(&qual_row_[i]);
    }
    return join_filter_.Matches(eval(), row, 0);
  }

  void SetColumn(size_t column, Value value) {
    if (!value.is_null) value.datum = CopyDatum(columns_[column]->type(), value.datum, &batch_arena());
    columns_[column]->Set(rows_, value);
  }
  void SetOuter() {
    for (size_t i = 0; i < left_->output_types().size(); ++i)
      SetColumn(i, outer_->batch().columns[i]->Get(outer_->row()));
  }
  void EmitOuterAlone() {
    SetOuter();
    for (size_t i = left_->output_types().size(); i < columns_.size(); ++i) SetColumn(i, Value{});
    ++rows_;
  }
  void EmitPair(uint32_t group_row) {
    SetOuter();
    size_t outer_count = left_->output_types().size();
    for (size_t i = outer_count; i < columns_.size(); ++i)
      SetColumn(i, group_pointers_[i - outer_count]->Get(group_row));
    ++rows_;
  }
  void EmitInner(std::span<Vector* const> columns, uint32_t row) {
    size_t outer_count = left_->output_types().size();
    for (size_t i = 0; i < outer_count; ++i) SetColumn(i, Value{});
    for (size_t i = outer_count; i < columns_.size(); ++i) SetColumn(i, columns[i - outer_count]->Get(row));
    ++rows_;
  }

  const MergeJoinPlan& plan_;
  Filter join_filter_;
  std::vector<SortKey> order_;
  std::unique_ptr<MergeInput> outer_, inner_;
  std::vector<std::unique_ptr<Vector>> columns_, group_columns_;
  std::vector<Vector*> pointers_, group_pointers_;
  std::vector<Vector> qual_row_;
  std::unique_ptr<RowStore> group_;
  std::unique_ptr<RowStore::Reader> reader_;
  std::vector<Value> group_key_;
  Arena key_arena_;
  std::vector<bool> matched_;
  uint32_t group_rows_ = 0, group_at_ = 0;
  size_t group_base_ = 0;
  bool outer_matched_ = false;
  Phase phase_ = Phase::kSeek;
  uint32_t rows_ = 0, limit_ = 0;
};

}  // namespace

OperatorPtr MakeMergeJoin(Executor& executor, const MergeJoinPlan& plan) {
  return std::make_unique<MergeJoinOperator>(executor, plan);
}

}  // namespace walden
