// Aggregation: plain (one group), over sorted input, or hashed (grouping sets too).
//
// Hashed: groups live in a GroupTable. When it outgrows work_mem, rows of groups that are not in the table yet are
// written to partition files by hash, and each file is aggregated in its turn after the groups in memory are given out.
#include <deque>

#include "node/base/bytes.h"
#include "node/shm/interrupts.h"
#include "node/sql/executor/aggregate_call.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/group_table.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/spill_file.h"
#include "node/sql/query/expr_facts.h"

namespace walden {
namespace {

constexpr int kPartitionBits = 4;
constexpr size_t kPartitions = size_t{1} << kPartitionBits;
constexpr int kMaxDepth = 8;

struct SpilledGroups {
  std::unique_ptr<SpillFile> file;
  int depth;
};

// What all strategies share: evaluated inputs, and the output row of groups.
class AggOperatorBase : public Operator {
 public:
  AggOperatorBase(Executor& executor, const AggPlan& plan)
      : Operator(executor, plan),
        plan_(plan),
        input_arena_(&account(), 512),
        input_eval_(executor.MakeEvalContext(input_arena_)) {
    left_ = MakeOperator(executor, *plan.left);
    for (const Expr* key : plan.group_keys) {
      keys_.push_back(CompileExpression(key));
      key_types_.push_back(&TypeOf(ExprType(key)));
    }
    for (const Aggref* aggref : plan.aggregates) calls_.push_back(std::make_unique<AggregateCall>(*aggref));
    for (auto& call : calls_) functions_.push_back(&call->function());
    for (const TypeDescriptor* type : key_types_) AddOutput(type->physical);
    for (auto& call : calls_) AddOutput(call->result_type());
    AddOutput(PhysicalType::kInt32);  // number of the grouping set
  }

 protected:
  void AddOutput(PhysicalType type) {
    outputs_.push_back(std::make_unique<Vector>(type));
    output_pointers_.push_back(outputs_.back().get());
  }
  // Keys, then each call's inputs. They stay valid until the next EvalRow, longer than one output batch.
  void EvalRow(const Batch& batch) {
    input_arena_.Reset();
    executor().RefreshEvalContext(&input_eval_);
    row_.clear();
    for (ExprStatePtr& key : keys_) row_.push_back(&key->Eval(input_eval_, batch.columns, batch.selection));
    call_at_.clear();
    for (auto& call : calls_) {
      call_at_.push_back(row_.size());
      call->EvalInputs(input_eval_, batch.columns, batch.selection, &row_);
    }
  }
  std::span<Vector* const> InputsOf(size_t call) const { return std::span(row_).subspan(call_at_[call]); }

  const AggPlan& plan_;
  Arena input_arena_;
  EvalContext input_eval_;
  std::vector<ExprStatePtr> keys_;
  std::vector<const TypeDescriptor*> key_types_;
  std::vector<std::unique_ptr<AggregateCall>> calls_;
  std::vector<const AggregateFunction*> functions_;
  std::vector<Vector*> row_;
  std::vector<size_t> call_at_;
  std::vector<std::unique_ptr<Vector>> outputs_;
  std::vector<Vector*> output_pointers_;
};

// One group at a time: no keys, or input sorted by them. Calls with DISTINCT or ORDER BY are served here.
class SortedAggOperator : public AggOperatorBase {
 public:
  SortedAggOperator(Executor& executor, const AggPlan& plan)
      : AggOperatorBase(executor, plan), state_arena_(&account(), 512), key_rows_(KeyLayout(), &account()) {}

  void Close() override {
    state_arena_.Reset();
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
    uint32_t limit = std::min(max_rows, kBatchRows);
    for (auto& output : outputs_) output->Reset(output->type(), plan_.group_keys.empty() ? 1 : limit);
    uint32_t groups = 0;
    while (groups < limit && !done_) {
      if (at_ >= batch_.selection.count && !NextInputBatch()) {
        done_ = true;
        if (group_ != nullptr || plan_.group_keys.empty()) FinishGroup(groups++);
        break;
      }
      uint32_t end = EndOfRun();
      if (end > at_) {
        AddRun(at_, end);
        at_ = end;
      }
      if (at_ < batch_.selection.count) FinishGroup(groups++);
    }
    if (groups == 0) return false;
    input->columns = output_pointers_;
    input->selection = Selection{nullptr, groups};
    return true;
  }

 private:
  RowLayout KeyLayout() const {
    std::vector<PhysicalType> types;
    for (const TypeDescriptor* type : key_types_) types.push_back(type->physical);
    return RowLayout(std::move(types));
  }
  void Restart() {
    batch_.selection.count = 0;
    at_ = 0;
    EndGroup();
    done_ = false;
    state_arena_.Reset();
  }
  bool NextInputBatch() {
    at_ = 0;
    if (!left_->Next(&batch_)) {
      batch_.selection.count = 0;
      return false;
    }
    EvalRow(batch_);
    return true;
  }

  bool InCurrentGroup(uint32_t row) const {
    return KeysEqual(key_types_, key_rows_.layout(), group_, std::span(row_.data(), keys_.size()), row);
  }
  // First position from at_ on whose row is of another group than the current one.
  uint32_t EndOfRun() {
    if (plan_.group_keys.empty()) {
      if (!has_begun_) StartGroup(0);
      return batch_.selection.count;
    }
    if (group_ == nullptr) StartGroup(batch_.selection.Row(at_));
    uint32_t end = at_;
    while (end < batch_.selection.count && InCurrentGroup(batch_.selection.Row(end))) ++end;
    return end;
  }

  void StartGroup(uint32_t row) {
    has_begun_ = true;
    state_arena_.Reset();
    key_rows_.Clear();
    if (!plan_.group_keys.empty()) group_ = key_rows_.Append(std::span(row_.data(), keys_.size()), row);
    states_.clear();
    for (auto& call : calls_) {
      void* state = state_arena_.Allocate(call->function().state_bytes, 16);
      std::memset(state, 0, call->function().state_bytes);
      CallContext context = call->MakeContext(eval(), state_arena_);
      if (call->function().init != nullptr) call->function().init(context, state);
      if (call->is_ordered()) call->StartOrdered(&account(), WorkMemBytes());
      states_.push_back(state);
    }
  }

  void AddRun(uint32_t begin, uint32_t end) {
    run_.resize(end - begin);
    for (uint32_t i = begin; i < end; ++i) run_[i - begin] = static_cast<uint16_t>(batch_.selection.Row(i));
    bool whole = begin == 0 && end == batch_.selection.count;
    Selection selection = whole ? batch_.selection : Selection{run_.data(), end - begin};
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i]->is_ordered()) {
        calls_[i]->AddOrdered(InputsOf(i), selection);
      } else {
        CallContext context = calls_[i]->MakeContext(eval(), state_arena_);
        calls_[i]->UpdateOne(context, InputsOf(i), selection, states_[i]);
      }
    }
  }

  void FinishGroup(uint32_t at) {
    if (!has_begun_) StartGroup(0);
    for (size_t i = 0; i < keys_.size(); ++i) {
      Value value = key_rows_.layout().Get(group_, i);
      if (!value.is_null) value.datum = CopyDatum(key_types_[i]->physical, value.datum, &batch_arena());
      outputs_[i]->Set(at, value);
    }
    for (size_t i = 0; i < calls_.size(); ++i) {
      CallContext context = calls_[i]->MakeContext(eval(), state_arena_);
      if (calls_[i]->is_ordered()) calls_[i]->FinishOrdered(context, states_[i]);
      Value value;
      CallContext final_context = calls_[i]->MakeContext(eval(), batch_arena());
      calls_[i]->function().finalize(final_context, states_[i], &value);
      if (!value.is_null) value.datum = CopyDatum(calls_[i]->result_type(), value.datum, &batch_arena());
      outputs_[keys_.size() + i]->Set(at, value);
    }
    outputs_.back()->data<int32_t>()[at] = 0;
    EndGroup();
  }
  void EndGroup() {
    has_begun_ = false;
    group_ = nullptr;
    states_.clear();
  }

  Arena state_arena_;
  RowContainer key_rows_;
  bool has_begun_ = false;     // a group; it may have neither keys nor calls
  char* group_ = nullptr;      // its keys
  std::vector<void*> states_;  // of its calls
  Batch batch_;
  uint32_t at_ = 0;
  std::vector<uint16_t> run_;
  bool done_ = false;
};

class HashAggOperator : public AggOperatorBase {
 public:
  HashAggOperator(Executor& executor, const AggPlan& plan) : AggOperatorBase(executor, plan) {
    if (plan.grouping_sets.empty()) {
      std::vector<size_t> all;
      for (size_t i = 0; i < keys_.size(); ++i) all.push_back(i);
      AddSet(all);
    }
    for (const List<int32_t>& columns : plan.grouping_sets) AddSet({columns.begin(), columns.end()});
    std::vector<PhysicalType> types;
    for (const TypeDescriptor* type : key_types_) types.push_back(type->physical);
    for (auto& call : calls_) {
      for (PhysicalType type : call->InputTypes()) types.push_back(type);
    }
    spill_layout_ = RowLayout(types);
    for (PhysicalType type : types) spilled_.push_back(std::make_unique<Vector>(type));
  }

  void Close() override {
    for (Set& set : sets_) {
      set.table->Clear();
      set.partitions.clear();
    }
    Operator::Close();
  }
  void Describe(OperatorDetails* details) const override {
    details->batches = batches_;
    details->memory_kb = static_cast<int64_t>((peak_bytes_ + 1023) / 1024);
    details->disk_kb = static_cast<int64_t>((spilled_bytes_ + 1023) / 1024);
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
    if (!aggregated_) AggregateInput();
    while (current_ < sets_.size()) {
      Set& set = sets_[current_];
      if (emit_at_ < set.table->size()) {
        EmitGroups(set, input, std::min(max_rows, kBatchRows));
        return true;
      }
      set.table->Clear();
      emit_at_ = 0;
      if (!AggregateNextPartition(set)) ++current_;
    }
    return false;
  }

 private:
  struct Set {
    std::vector<size_t> columns;  // into the keys
    std::unique_ptr<GroupTable> table;
    std::vector<const TypeDescriptor*> types;
    bool spilling = false;
    int depth = 0;
    std::vector<std::unique_ptr<SpillFile>> files;  // being written
    std::deque<SpilledGroups> partitions;           // to be read
  };

  void AddSet(std::vector<size_t> columns) {
    Set set;
    for (size_t column : columns) set.types.push_back(key_types_[column]);
    set.columns = std::move(columns);
    set.table = std::make_unique<GroupTable>(set.types, functions_, &account());
    sets_.push_back(std::move(set));
  }
  void Restart() {
    for (Set& set : sets_) {
      set.table->Clear();
      set.partitions.clear();
      set.files.clear();
      set.spilling = false;
      set.depth = 0;
    }
    aggregated_ = false;
    current_ = 0;
    emit_at_ = 0;
    batches_ = 1;
  }

  void AggregateInput() {
    Batch batch;
    while (left_->Next(&batch)) {
      EvalRow(batch);
      for (Set& set : sets_) AddToSet(set, batch.selection);
    }
    for (Set& set : sets_) {
      EndPass(set);
      if (set.columns.empty() && set.table->size() == 0) MakeEmptyGroup(set);
    }
    aggregated_ = true;
  }

  void AddToSet(Set& set, const Selection& selection) {
    std::vector<Vector*> keys;
    for (size_t column : set.columns) keys.push_back(row_[column]);
    HashKeys(set.types, keys, selection, hashes_);
    CallSite site;
    CallContext init{set.table->arena(), *eval().format, eval().session, site};
    bool may_grow = !set.spilling;
    set.table->FindGroups(keys, selection, hashes_, may_grow, init, groups_);
    Selection found = may_grow ? selection : SplitMissing(set, selection);
    UpdateStates(set, found);
    size_t bytes = set.table->bytes();
    peak_bytes_ = std::max(peak_bytes_, bytes);
    if (!set.spilling && bytes > HashMemBytes() / sets_.size() && set.depth < kMaxDepth) StartSpilling(set);
  }

  void UpdateStates(Set& set, const Selection& selection) {
    if (selection.count == 0) return;
    void* states[kBatchRows];
    for (size_t i = 0; i < calls_.size(); ++i) {
      selection.ForEach([&](uint32_t row) { states[row] = set.table->State(groups_[row], i); });
      CallContext context = calls_[i]->MakeContext(eval(), set.table->arena());
      calls_[i]->UpdateGroups(context, InputsOf(i), selection, states);
    }
  }

  void StartSpilling(Set& set) {
    set.spilling = true;
    for (size_t i = 0; i < kPartitions; ++i) set.files.push_back(std::make_unique<SpillFile>());
    batches_ += static_cast<int>(kPartitions);
  }

  // Writes the rows without a group to the partition files; returns the others.
  Selection SplitMissing(Set& set, const Selection& selection) {
    found_.clear();
    RowContainer scratch(spill_layout_, &account());
    std::string record;
    selection.ForEach([&](uint32_t row) {
      if (groups_[row] != nullptr) {
        found_.push_back(static_cast<uint16_t>(row));
        return;
      }
      scratch.Clear();
      record.clear();
      spill_layout_.SerializeRow(scratch.Append(row_, row), &record);
      size_t partition = (hashes_[row] >> (64 - kPartitionBits * (set.depth + 1))) & (kPartitions - 1);
      set.files[partition]->Append(record);
    });
    return Selection{found_.data(), static_cast<uint32_t>(found_.size())};
  }

  void EndPass(Set& set) {
    for (auto file = set.files.rbegin(); file != set.files.rend(); ++file) {
      spilled_bytes_ += (*file)->bytes();
      if ((*file)->bytes() > 0) set.partitions.push_front({std::move(*file), set.depth + 1});
    }
    set.files.clear();
    set.spilling = false;
  }

  bool AggregateNextPartition(Set& set) {
    if (set.partitions.empty()) return false;
    SpilledGroups partition = std::move(set.partitions.front());
    set.partitions.pop_front();
    set.depth = partition.depth;
    partition.file->Rewind();
    while (uint32_t rows = ReadSpilled(*partition.file)) {
      CheckInterrupts();
      row_.clear();
      for (auto& column : spilled_) row_.push_back(column.get());
      call_at_.clear();
      size_t at = keys_.size();
      for (auto& call : calls_) {
        call_at_.push_back(at);
        at += call->InputTypes().size();
      }
      AddToSet(set, Selection{nullptr, rows});
    }
    EndPass(set);
    return true;
  }

  uint32_t ReadSpilled(SpillFile& file) {
    batch_arena().Reset();
    std::vector<char> buffer(spill_layout_.row_bytes());
    for (auto& column : spilled_) column->Reset(column->type(), kBatchRows);
    uint32_t rows = 0;
    std::string_view record;
    while (rows < kBatchRows && file.Read(&record)) {
      spill_layout_.DeserializeRow(record.data(), buffer.data(), &batch_arena());
      for (size_t i = 0; i < spilled_.size(); ++i)
        spilled_[i]->Set(rows, spill_layout_.Get(buffer.data(), i));
      ++rows;
    }
    return rows;
  }

  void MakeEmptyGroup(Set& set) {
    uint64_t hash = 0;
    HashKeys({}, {}, Selection{nullptr, 1}, &hash);
    CallSite site;
    CallContext init{set.table->arena(), *eval().format, eval().session, site};
    char* group;
    set.table->FindGroups({}, Selection{nullptr, 1}, &hash, true, init, &group);
  }

  void EmitGroups(Set& set, Batch* input, uint32_t limit) {
    uint32_t rows = static_cast<uint32_t>(std::min<size_t>(limit, set.table->size() - emit_at_));
    std::vector<const char*> groups(rows);
    for (uint32_t i = 0; i < rows; ++i) groups[i] = set.table->group(emit_at_ + i);
    for (size_t i = 0; i < keys_.size(); ++i) outputs_[i]->SetConstantValue(key_types_[i]->physical, Value{});
    for (size_t i = 0; i < set.columns.size(); ++i) {
      GatherRows(set.table->layout(), groups.data(), rows, i,
                 std::span(&output_pointers_[set.columns[i]], 1));
    }
    for (size_t i = 0; i < calls_.size(); ++i) {
      Vector& out = *outputs_[keys_.size() + i];
      out.Reset(out.type(), rows);
      CallContext context = calls_[i]->MakeContext(eval(), batch_arena());
      for (uint32_t r = 0; r < rows; ++r) {
        Value value;
        calls_[i]->function().finalize(context, set.table->State(const_cast<char*>(groups[r]), i), &value);
        out.Set(r, value);
      }
    }
    Value number;
    number.is_null = false;
    number.datum.i32 = static_cast<int32_t>(current_);
    outputs_.back()->SetConstantValue(PhysicalType::kInt32, number);
    emit_at_ += rows;
    input->columns = output_pointers_;
    input->selection = Selection{nullptr, rows};
  }

  std::vector<Set> sets_;
  uint64_t hashes_[kBatchRows];
  char* groups_[kBatchRows];
  std::vector<uint16_t> found_;
  RowLayout spill_layout_;
  std::vector<std::unique_ptr<Vector>> spilled_;
  bool aggregated_ = false;
  size_t current_ = 0;
  size_t emit_at_ = 0;
  int batches_ = 1;
  size_t peak_bytes_ = 0;
  uint64_t spilled_bytes_ = 0;
};

}  // namespace

OperatorPtr MakeAgg(Executor& executor, const AggPlan& plan) {
  if (plan.strategy == AggStrategy::kPlain || plan.strategy == AggStrategy::kSorted) {
    return std::make_unique<SortedAggOperator>(executor, plan);
  }
  return std::make_unique<HashAggOperator>(executor, plan);
}

}  // namespace walden
