// Hash join: builds a table of the inner (right) side, probes it with the outer side. All join types.
//
// When the inner side outgrows work_mem both sides are split by hash into partition files (Grace hash join; Kitsuregawa
// et al. 1983, Shapiro 1986) that are joined one after the other; a partition that is still too large is split again by further bits.
#include <bit>
#include <deque>
#include <optional>

#include "node/base/bytes.h"
#include "node/shm/interrupts.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/join_table.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/spill_file.h"
#include "node/sql/query/expr_facts.h"

namespace walden {
namespace {

constexpr int kPartitionBits = 5;
constexpr size_t kPartitions = size_t{1} << kPartitionBits;
constexpr int kMaxDepth =
    6;  // equal keys cannot be split: beyond this a partition is joined in memory whatever its size

// Rows of both sides whose hashes share their leading depth * kPartitionBits bits.
struct Partition {
  std::unique_ptr<SpillFile> inner;
  std::unique_ptr<SpillFile> outer;
  int depth = 0;
};

size_t PartitionOf(uint64_t hash, int depth) {
  return (hash >> (64 - kPartitionBits * (depth + 1))) & (kPartitions - 1);
}

class HashJoinOperator : public Operator {
 public:
  HashJoinOperator(Executor& executor, const HashJoinPlan& plan)
      : Operator(executor, plan), plan_(plan), join_filter_(plan.join_quals) {
    left_ = MakeOperator(executor, *plan.left);
    right_ = MakeOperator(executor, *plan.right);
    for (const Expr* key : plan.outer_keys) outer_keys_.push_back(CompileExpression(key));
    for (const Expr* key : plan.inner_keys) inner_keys_.push_back(CompileExpression(key));
    for (const Expr* key : plan.inner_keys) key_types_.push_back(&TypeOf(ExprType(key)));
    for (const Expr* key : plan.outer_keys) outer_key_types_.push_back(&TypeOf(ExprType(key)));
    table_ = std::make_unique<JoinTable>(key_types_, right_->output_types(), &account());
    for (PhysicalType type : left_->output_types()) AddColumn(type);
    for (PhysicalType type : right_->output_types()) AddColumn(type);
    std::vector<PhysicalType> outer_row;
    for (const TypeDescriptor* type : outer_key_types_) outer_row.push_back(type->physical);
    outer_row.insert(outer_row.end(), left_->output_types().begin(), left_->output_types().end());
    outer_layout_ = RowLayout(std::move(outer_row));
    for (PhysicalType type : outer_layout_.types())
      spilled_columns_.push_back(std::make_unique<Vector>(type));
  }

  void Close() override {
    table_->Clear();
    partitions_.clear();
    Operator::Close();
    built_ = false;
  }
  void Describe(OperatorDetails* details) const override {
    details->hash_buckets = static_cast<int64_t>(buckets_);
    details->batches = batches_;
    details->memory_kb = static_cast<int64_t>((std::max(peak_bytes_, table_->bytes()) + 1023) / 1024);
  }

 protected:
  void DoOpen() override {
    table_->Clear();
    partitions_.clear();
    built_ = false;
    batches_ = 1;
    left_->Open();
    right_->Open();
    RestartProbe();
  }
  void DoRescan() override {
    partitions_.clear();
    left_->Rescan();
    // The table is kept when it is whole and nothing it was built from has changed.
    if (built_ && !spilled_ && built_version_ == ParamVersion() && !EmitsUnmatchedInner()) {
      RestartProbe();
      return;
    }
    table_->Clear();
    built_ = false;
    right_->Rescan();
    RestartProbe();
  }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    if (!built_) Build();
    uint32_t limit = std::min(max_rows, kBatchRows);
    pair_outer_.clear();
    pair_inner_.clear();
    while (true) {
      if (ProbeMore(limit)) {
        if (Deliver(input)) return true;
        continue;
      }
      if (EmitsUnmatchedInner() && NextUnmatchedInner(limit)) {
        if (Deliver(input)) return true;
        continue;
      }
      if (!StartNextPartition()) return false;
    }
  }

 private:
  void AddColumn(PhysicalType type) {
    columns_.push_back(std::make_unique<Vector>(type));
    pointers_.push_back(columns_.back().get());
  }
  bool EmitsUnmatchedInner() const {
    return plan_.join_type == JoinType::kRight || plan_.join_type == JoinType::kFull;
  }
  bool EmitsUnmatchedOuter() const {
    return plan_.join_type == JoinType::kLeft || plan_.join_type == JoinType::kFull ||
           plan_.join_type == JoinType::kAnti;
  }
  void RestartProbe() {
    outer_.selection.count = 0;
    outer_at_ = 0;
    candidate_ = nullptr;
    candidate_open_ = false;
    unmatched_at_ = 0;
    outer_done_ = false;
    reading_partition_ = nullptr;
  }

  // --- build -----------------------------------------------------------------------------------------------------
  void Build() {
    spilled_ = false;
    Batch batch;
    while (right_->Next(&batch)) AddInnerBatch(batch);
    if (spilled_) {
      SpillOuterSide();
    } else {
      table_->Seal();
    }
    buckets_ = std::max(buckets_, table_->bucket_count());
    peak_bytes_ = std::max(peak_bytes_, table_->bytes());
    built_ = true;
    built_version_ = ParamVersion();
  }

  void AddInnerBatch(const Batch& batch) {
    std::vector<Vector*> row;
    for (ExprStatePtr& key : inner_keys_) row.push_back(&key->Eval(eval(), batch.columns, batch.selection));
    std::span<Vector* const> keys(row.data(), row.size());
    HashKeys(key_types_, keys, batch.selection, hashes_);
    size_t key_count = row.size();
    row.insert(row.end(), batch.columns.begin(), batch.columns.end());
    batch.selection.ForEach([&](uint32_t r) {
      if (!EmitsUnmatchedInner() && AnyNull(std::span(row.data(), key_count), r)) return;
      table_->Add(row, r, hashes_[r]);
    });
    batch_arena().Reset();
    if (spilled_ || table_->bytes() > HashMemBytes()) SpillInner(0, &partitions_);
  }

  static bool AnyNull(std::span<Vector* const> keys, uint32_t row) {
    for (Vector* key : keys) {
      if (key->IsNull(row)) return true;
    }
    return false;
  }

  // Moves the table's rows to partition files.
  void SpillInner(int depth, std::deque<Partition>* to) {
    if (!spilled_) {
      spilled_ = true;
      to->clear();
      for (size_t i = 0; i < kPartitions; ++i) {
        to->push_back({std::make_unique<SpillFile>(), std::make_unique<SpillFile>(), depth + 1});
      }
      batches_ += static_cast<int>(kPartitions) - 1;
    }
    std::string record;
    for (char* row : table_->rows()) {
      uint64_t hash = JoinTable::HashOf(row);
      record.assign(reinterpret_cast<const char*>(&hash), sizeof(hash));
      table_->layout().SerializeRow(row, &record);
      (*to)[PartitionOf(hash, depth)].inner->Append(record);
    }
    peak_bytes_ = std::max(peak_bytes_, table_->bytes());
    table_->Clear();
  }

  void SpillOuterSide() {
    RowContainer scratch(outer_layout_, &account());
    std::string record;
    Batch batch;
    while (left_->Next(&batch)) {
      std::vector<Vector*> row = EvalOuterKeys(batch);
      size_t key_count = row.size();
      HashKeys(outer_key_types_, std::span(row.data(), key_count), batch.selection, hashes_);
      row.insert(row.end(), batch.columns.begin(), batch.columns.end());
      batch.selection.ForEach([&](uint32_t r) {
        scratch.Clear();
        record.assign(reinterpret_cast<const char*>(&hashes_[r]), sizeof(uint64_t));
        outer_layout_.SerializeRow(scratch.Append(row, r), &record);
        partitions_[PartitionOf(hashes_[r], 0)].outer->Append(record);
      });
      batch_arena().Reset();
    }
    outer_done_ = true;  // what is left to join is in the partitions
  }

  std::vector<Vector*> EvalOuterKeys(const Batch& batch) {
    std::vector<Vector*> keys;
    for (ExprStatePtr& key : outer_keys_) keys.push_back(&key->Eval(eval(), batch.columns, batch.selection));
    return keys;
  }

  // Loads the next partition's inner rows into the table; false when none is left.
  bool StartNextPartition() {
    while (!partitions_.empty()) {
      CheckInterrupts();
      current_ = std::move(partitions_.front());
      partitions_.pop_front();
      table_->Clear();
      if (!LoadInner()) continue;
      table_->Seal();
      buckets_ = std::max(buckets_, table_->bucket_count());
      current_.outer->Rewind();
      RestartProbe();
      reading_partition_ = current_.outer.get();
      return true;
    }
    return false;
  }

  // False when the partition was too large and was split into further ones instead. Rows that all have one hash cannot be parted.
  bool LoadInner() {
    current_.inner->Rewind();
    std::string_view record;
    std::optional<uint64_t> previous_hash;
    bool splits = false;
    while (current_.inner->Read(&record)) {
      uint64_t hash = Load<uint64_t>(record.data());
      splits = splits || hash != previous_hash.value_or(hash);
      previous_hash = hash;
      table_->AddSerialized(hash, record.data() + sizeof(uint64_t));
      if (splits && table_->bytes() > HashMemBytes() && current_.depth < kMaxDepth) {
        SplitCurrent();
        return false;
      }
    }
    return true;
  }

  void SplitCurrent() {
    std::deque<Partition> parts;
    spilled_ = false;
    SpillInner(current_.depth, &parts);
    std::string_view record;
    while (current_.inner->Read(&record))
      parts[PartitionOf(Load<uint64_t>(record.data()), current_.depth)].inner->Append(record);
    current_.outer->Rewind();
    while (current_.outer->Read(&record))
      parts[PartitionOf(Load<uint64_t>(record.data()), current_.depth)].outer->Append(record);
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) partitions_.push_front(std::move(*part));
  }

  // --- probe -----------------------------------------------------------------------------------------------------
  bool NextOuterBatch() {
    outer_at_ = 0;
    if (reading_partition_ != nullptr) return ReadOuterFromPartition();
    if (outer_done_ || !left_->Next(&outer_)) {
      outer_done_ = true;
      outer_.selection.count =
          0;  // asked again later (unmatched inner rows come after), the last batch must not be probed twice
      return false;
    }
    probe_keys_ = EvalOuterKeys(outer_);
    HashKeys(outer_key_types_, probe_keys_, outer_.selection, hashes_);
    return true;
  }

  bool ReadOuterFromPartition() {
    outer_rows_arena_.Reset();
    uint32_t rows = 0;
    std::string_view record;
    for (auto& column : spilled_columns_) column->Reset(column->type(), kBatchRows);
    std::vector<char> buffer(outer_layout_.row_bytes());
    while (rows < kBatchRows && reading_partition_->Read(&record)) {
      hashes_[rows] = Load<uint64_t>(record.data());
      outer_layout_.DeserializeRow(record.data() + sizeof(uint64_t), buffer.data(), &outer_rows_arena_);
      for (size_t i = 0; i < spilled_columns_.size(); ++i)
        spilled_columns_[i]->Set(rows, outer_layout_.Get(buffer.data(), i));
      ++rows;
    }
    if (rows == 0) {
      outer_.selection.count = 0;
      return false;
    }
    size_t key_count = outer_keys_.size();
    probe_keys_.clear();
    outer_.columns.clear();
    for (size_t i = 0; i < spilled_columns_.size(); ++i) {
      (i < key_count ? probe_keys_ : outer_.columns).push_back(spilled_columns_[i].get());
    }
    outer_.selection = Selection{nullptr, rows};
    return true;
  }

  // Collects pairs of an outer batch; a batch of pairs never spans two outer batches. False when the outer side is done.
  bool ProbeMore(uint32_t limit) {
    if (outer_at_ >= outer_.selection.count && !NextOuterBatch()) return false;
    while (outer_at_ < outer_.selection.count && pair_outer_.size() < limit) {
      uint32_t row = outer_.selection.Row(outer_at_);
      if (!candidate_open_) {
        candidate_ = AnyNull(probe_keys_, row) ? nullptr : table_->First(hashes_[row]);
        candidate_open_ = true;
        outer_matched_ = false;
      }
      ProbeRow(row, limit);
    }
    return true;
  }

  void ProbeRow(uint32_t row, uint32_t limit) {
    while (candidate_ != nullptr && pair_outer_.size() < limit) {
      char* inner = candidate_;
      candidate_ = JoinTable::NextCandidate(candidate_);
      if (!table_->Matches(inner, probe_keys_, row) || !PassesJoinQuals(row, inner)) continue;
      outer_matched_ = true;
      if (EmitsUnmatchedInner()) JoinTable::SetMatched(inner);
      if (plan_.join_type == JoinType::kAnti) {
        candidate_ = nullptr;
        break;
      }
      AddPair(row, inner);
      if (plan_.join_type == JoinType::kSemi || plan_.inner_unique) candidate_ = nullptr;
    }
    if (candidate_ != nullptr) return;  // the batch is full: go on with this row
    if (!outer_matched_ && EmitsUnmatchedOuter()) {
      if (pair_outer_.size() >= limit) return;
      AddPair(row, nullptr);
      outer_matched_ = true;
    }
    candidate_open_ = false;
    ++outer_at_;
  }

  void AddPair(uint32_t outer_row, char* inner) {
    pair_outer_.push_back(static_cast<uint16_t>(outer_row));
    pair_inner_.push_back(inner);
  }

  bool PassesJoinQuals(uint32_t outer_row, const char* inner) {
    if (join_filter_.empty()) return true;
    std::vector<Vector*> columns(columns_.size());
    size_t outer_count = left_->output_types().size();
    for (size_t i = 0; i < columns_.size(); ++i) {
      Value value = i < outer_count ? outer_.columns[i]->Get(outer_row)
                                    : table_->layout().Get(inner, table_->key_count() + i - outer_count);
      if (qual_row_.size() < columns_.size()) qual_row_.resize(columns_.size());
      qual_row_[i].SetConstantValue(columns_[i]->type(), value);
      columns[i] = &qual_row_[i];
    }
    bool passes = join_filter_.Matches(eval(), columns, 0);
    if (!passes) ++counters().rows_removed_by_join_filter;
    return passes;
  }

  bool NextUnmatchedInner(uint32_t limit) {
    const std::vector<char*>& rows = table_->rows();
    while (unmatched_at_ < rows.size() && pair_inner_.size() < limit) {
      char* row = rows[unmatched_at_++];
      if (!JoinTable::IsMatched(row)) {
        pair_outer_.push_back(UINT16_MAX);
        pair_inner_.push_back(row);
      }
    }
    return !pair_inner_.empty();
  }

  // Makes the output batch of the collected pairs.
  bool Deliver(Batch* input) {
    uint32_t rows = static_cast<uint32_t>(pair_inner_.size());
    if (rows == 0) return false;
    size_t outer_count = left_->output_types().size();
    bool outer_missing = pair_outer_[0] == UINT16_MAX;  // unmatched inner rows come in batches of their own
    for (size_t i = 0; i < outer_count; ++i) GatherOuter(i, rows, outer_missing);
    if (columns_.size() > outer_count) {
      if (plan_.join_type == JoinType::kSemi || plan_.join_type == JoinType::kAnti) {
        for (size_t i = outer_count; i < columns_.size(); ++i)
          columns_[i]->SetConstantValue(columns_[i]->type(), Value{});
      } else {
        GatherRows(table_->layout(), pair_inner_.data(), rows, table_->key_count(),
                   std::span(pointers_.data() + outer_count, columns_.size() - outer_count));
      }
    }
    input->columns = pointers_;
    input->selection = Selection{nullptr, rows};
    pair_outer_.clear();
    pair_inner_.clear();
    return true;
  }

  void GatherOuter(size_t column, uint32_t rows, bool missing) {
    Vector& out = *columns_[column];
    if (missing) {
      out.SetConstantValue(out.type(), Value{});
      return;
    }
    const Vector& from = *outer_.columns[column];
    out.Reset(from.type(), rows);
    size_t width = PhysicalWidth(from.type());
    const char* source = static_cast<const char*>(from.raw_data());
    char* to = static_cast<char*>(out.raw_data());
    for (uint32_t i = 0; i < rows; ++i) {
      uint32_t index = from.Index(pair_outer_[i]);
      if (from.IsNullAt(index)) {
        out.SetNull(i);
      } else {
        std::memcpy(to + i * width, source + index * width, width);
      }
    }
  }

  const HashJoinPlan& plan_;
  Filter join_filter_;
  std::vector<ExprStatePtr> outer_keys_, inner_keys_;
  std::vector<const TypeDescriptor*> key_types_, outer_key_types_;
  std::unique_ptr<JoinTable> table_;
  std::vector<std::unique_ptr<Vector>> columns_;
  std::vector<Vector*> pointers_;
  std::vector<Vector> qual_row_;
  uint64_t hashes_[kBatchRows];

  Batch outer_;
  std::vector<Vector*> probe_keys_;
  uint32_t outer_at_ = 0;
  char* candidate_ = nullptr;
  bool candidate_open_ = false;
  bool outer_matched_ = false;
  bool outer_done_ = false;
  size_t unmatched_at_ = 0;
  std::vector<uint16_t> pair_outer_;
  std::vector<const char*> pair_inner_;

  bool built_ = false;
  bool spilled_ = false;
  uint64_t built_version_ = 0;
  std::deque<Partition> partitions_;
  Partition current_;
  SpillFile* reading_partition_ = nullptr;
  RowLayout outer_layout_;
  std::vector<std::unique_ptr<Vector>> spilled_columns_;
  Arena outer_rows_arena_;
  int batches_ = 1;
  size_t buckets_ = 0;
  size_t peak_bytes_ = 0;
};

}  // namespace

OperatorPtr MakeHashJoin(Executor& executor, const HashJoinPlan& plan) {
  return std::make_unique<HashJoinOperator>(executor, plan);
}

}  // namespace walden
