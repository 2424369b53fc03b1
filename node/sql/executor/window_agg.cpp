// WindowAgg: window functions over sorted input, one partition at a time. A partition's rows, with the functions' arguments, are kept
// in a RowStore, which spills past work_mem.
#include "node/shm/interrupts.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/window_call.h"
#include "node/sql/query/expr_facts.h"

namespace walden {
namespace {

class WindowAggOperator : public Operator {
 public:
  WindowAggOperator(Executor& executor, const WindowAggPlan& plan)
      : Operator(executor, plan),
        plan_(plan),
        partition_keys_(SortKeysOf(plan.partition_keys)),
        order_keys_(SortKeysOf(plan.order_keys)) {
    left_ = MakeOperator(executor, *plan.left);
    row_types_ = left_->output_types();
    for (const WindowFunc* function : plan.functions) {
      first_columns_.push_back(row_types_.size());
      for (const Expr* arg : function->args) AddArgument(arg);
      if (function->aggfilter != nullptr) AddArgument(function->aggfilter);
    }
    if (plan.start_offset != nullptr) start_offset_ = CompileExpression(plan.start_offset);
    if (plan.end_offset != nullptr) end_offset_ = CompileExpression(plan.end_offset);
    for (PhysicalType type : row_types_) columns_.push_back(std::make_unique<Vector>(type));
    for (auto& column : columns_) pointers_.push_back(column.get());
    for (const WindowFunc* function : plan.functions)
      results_.push_back(std::make_unique<Vector>(TypeOf(function->wintype).physical));
  }

  void Close() override {
    DropPartition();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    left_->Open();
    Restart();
  }
  void DoRescan() override {
    left_->Rescan();
    Restart();
  }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    if (partition_ == nullptr) MakePartition();
    if (at_ >= partition_->store.size() && !LoadPartition()) return false;
    uint32_t wanted = std::min(max_rows, kBatchRows);
    uint32_t rows = partition_->output.Read(pointers_, wanted);
    for (auto& result : results_) result->Reset(result->type(), rows);
    for (uint32_t i = 0; i < rows; ++i) {
      if ((i & 63) == 0) CheckInterrupts();
      partition_->frame.MoveTo(at_++);
      for (size_t f = 0; f < results_.size(); ++f) {
        results_[f]->Set(i, partition_->calls[f]->Compute(eval(), partition_->frame, &batch_arena()));
      }
    }
    input->columns.assign(pointers_.begin(),
                          pointers_.begin() + static_cast<ptrdiff_t>(left_->output_types().size()));
    for (auto& result : results_) input->columns.push_back(result.get());
    input->selection = Selection{nullptr, rows};
    return true;
  }

 private:
  // Everything that works on the store of rows.
  struct Partition {
    Partition(const WindowAggOperator& owner, MemoryAccount* account)
        : store(owner.row_types_, account, WorkMemBytes()),
          frame(*owner.plan_.clause, &store, owner.order_keys_, account),
          output(&store),
          first_row(RowLayout(owner.row_types_), account) {
      for (uint32_t f = 0; f < owner.plan_.functions.size(); ++f) {
        calls.push_back(MakeWindowCall(*owner.plan_.functions[f], &store, owner.first_columns_[f], account));
      }
    }
    RowStore store;
    WindowFrame frame;
    RowStore::Reader output;
    RowContainer first_row;  // of the partition being read, for its keys
    std::vector<std::unique_ptr<WindowCall>> calls;
  };

  void AddArgument(const Expr* expr) {
    arguments_.push_back(CompileExpression(expr));
    row_types_.push_back(arguments_.back()->type());
  }
  void MakePartition() { partition_ = std::make_unique<Partition>(*this, &account()); }
  void DropPartition() { partition_.reset(); }
  void Restart() {
    DropPartition();
    batch_.selection.count = 0;
    batch_at_ = 0;
    at_ = 0;
    input_done_ = false;
    offsets_known_ = false;
    offset_arena_.Reset();
  }

  bool NextInputBatch() {
    batch_at_ = 0;
    batch_.selection.count = 0;
    if (input_done_ || !left_->Next(&batch_)) {
      batch_.selection.count = 0;
      input_done_ = true;
      return false;
    }
    input_row_.assign(batch_.columns.begin(), batch_.columns.end());
    input_arena_.Reset();
    EvalContext context = executor().MakeEvalContext(input_arena_);
    for (ExprStatePtr& argument : arguments_)
      input_row_.push_back(&argument->Eval(context, batch_.columns, batch_.selection));
    return true;
  }

  bool InPartition(const char* first, uint32_t row) const {
    for (const SortKey& key : partition_keys_) {
      if (CompareBySortKey(key, partition_->first_row.layout().Get(first, key.column),
                           input_row_[key.column]->Get(row)) != 0)
        return false;
    }
    return true;
  }

  bool LoadPartition() {
    Partition& partition = *partition_;
    partition.store.Clear();
    partition.output.Rewind();
    at_ = 0;
    if (batch_at_ >= batch_.selection.count && !NextInputBatch()) return false;
    partition.first_row.Clear();
    const char* first = partition.first_row.Append(input_row_, batch_.selection.Row(batch_at_));
    while (true) {
      run_.clear();
      while (batch_at_ < batch_.selection.count && InPartition(first, batch_.selection.Row(batch_at_))) {
        run_.push_back(static_cast<uint16_t>(batch_.selection.Row(batch_at_++)));
      }
      if (!run_.empty())
        partition.store.Append(input_row_, Selection{run_.data(), static_cast<uint32_t>(run_.size())});
      if (batch_at_ < batch_.selection.count || !NextInputBatch()) break;
    }
    ReadOffsets();
    partition.frame.Start(eval(), start_value_, end_value_);
    for (auto& call : partition.calls) call->StartPartition();
    return true;
  }

  void ReadOffsets() {
    if (offsets_known_) return;
    start_value_ = ReadOffset(start_offset_.get(), "starting");
    end_value_ = ReadOffset(end_offset_.get(), "ending");
    offsets_known_ = true;
  }
  Value ReadOffset(ExprState* offset, std::string_view which) {
    if (offset == nullptr) return Value{};
    Value value = offset->Eval(eval(), {}, Selection{nullptr, 1}).Get(0);
    if (value.is_null)
      throw SqlError(ErrorCode::kNullValueNotAllowed, "frame {} offset must not be null", which);
    bool counts_rows = (plan_.clause->frame_options & (frame_option::kRows | frame_option::kGroups)) != 0;
    if (counts_rows && value.datum.i64 < 0) {
      throw SqlError(ErrorCode::kInvalidPrecedingOrFollowingSize, "frame {} offset must not be negative",
                     which);
    }
    value.datum = CopyDatum(offset->type(), value.datum, &offset_arena_);
    return value;
  }

  const WindowAggPlan& plan_;
  std::vector<SortKey> partition_keys_, order_keys_;
  std::vector<PhysicalType> row_types_;  // the child's columns, then the functions' arguments
  std::vector<ExprStatePtr> arguments_;
  std::vector<size_t> first_columns_;
  ExprStatePtr start_offset_, end_offset_;
  Value start_value_, end_value_;
  bool offsets_known_ = false;
  Arena offset_arena_;
  std::vector<std::unique_ptr<Vector>> columns_, results_;
  std::vector<Vector*> pointers_;
  std::unique_ptr<Partition> partition_;
  size_t at_ = 0;
  Batch batch_;
  uint32_t batch_at_ = 0;
  std::vector<Vector*> input_row_;
  Arena input_arena_;
  std::vector<uint16_t> run_;
  bool input_done_ = false;
};

}  // namespace

OperatorPtr MakeWindowAgg(Executor& executor, const WindowAggPlan& plan) {
  return std::make_unique<WindowAggOperator>(executor, plan);
}

}  // namespace walden
