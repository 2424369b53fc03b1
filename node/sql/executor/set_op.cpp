// INTERSECT and EXCEPT (ALL): counts equal rows of both sides in a hash table; and recursive unions.
#include "node/sql/executor/executor.h"
#include "node/sql/executor/group_table.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/row_store.h"

namespace walden {
namespace {

struct Counts {
  int64_t left;
  int64_t right;
};
constexpr AggregateFunction kCountState{.oid = Oid{0}, .signature = "counts", .state_bytes = sizeof(Counts)};

std::vector<const TypeDescriptor*> KeyTypes(const List<OrderKey>& keys) {
  std::vector<const TypeDescriptor*> types;
  for (const OrderKey& key : keys) types.push_back(&TypeOf(key.type));
  return types;
}

class SetOpOperator : public Operator {
 public:
  SetOpOperator(Executor& executor, const SetOpPlan& plan)
      : Operator(executor, plan),
        plan_(plan),
        types_(KeyTypes(plan.keys)),
        table_(types_, {&kCountState}, &account()) {
    left_ = MakeOperator(executor, *plan.left);
    right_ = MakeOperator(executor, *plan.right);
    for (const TypeDescriptor* type : types_) columns_.push_back(std::make_unique<Vector>(type->physical));
    for (auto& column : columns_) pointers_.push_back(column.get());
  }
  void Close() override {
    table_.Clear();
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
    if (!counted_) {
      Count(*left_, &Counts::left);
      Count(*right_, &Counts::right);
      counted_ = true;
    }
    std::vector<const char*> rows;
    uint32_t limit = std::min(max_rows, kBatchRows);
    while (rows.size() < limit && at_ < table_.size()) {
      char* group = table_.group(at_);
      if (copies_left_ < 0) copies_left_ = Copies(*static_cast<Counts*>(table_.State(group, 0)));
      for (; copies_left_ > 0 && rows.size() < limit; --copies_left_) rows.push_back(group);
      if (copies_left_ == 0) {
        ++at_;
        copies_left_ = -1;
      }
    }
    if (rows.empty()) return false;
    GatherRows(table_.layout(), rows.data(), static_cast<uint32_t>(rows.size()), 0, pointers_);
    input->columns = pointers_;
    input->selection = Selection{nullptr, static_cast<uint32_t>(rows.size())};
    return true;
  }

 private:
  void Restart() {
    table_.Clear();
    counted_ = false;
    at_ = 0;
    copies_left_ = -1;
  }
  void Count(Operator& side, int64_t Counts::* counter) {
    Batch batch;
    std::vector<uint64_t> hashes(kBatchRows);
    std::vector<char*> groups(kBatchRows);
    CallSite site;
    while (side.Next(&batch)) {
      HashKeys(types_, batch.columns, batch.selection, hashes.data());
      CallContext context{table_.arena(), *eval().format, eval().session, site};
      table_.FindGroups(batch.columns, batch.selection, hashes.data(), true, context, groups.data());
      batch.selection.ForEach(
          [&](uint32_t row) { ++(static_cast<Counts*>(table_.State(groups[row], 0))->*counter); });
    }
  }
  int64_t Copies(const Counts& counts) const {
    if (plan_.op == SetOperation::kIntersect) {
      return plan_.all ? std::min(counts.left, counts.right) : (counts.left > 0 && counts.right > 0 ? 1 : 0);
    }
    return plan_.all ? std::max<int64_t>(0, counts.left - counts.right)
                     : (counts.left > 0 && counts.right == 0 ? 1 : 0);
  }

  const SetOpPlan& plan_;
  std::vector<const TypeDescriptor*> types_;
  GroupTable table_;
  std::vector<std::unique_ptr<Vector>> columns_;
  std::vector<Vector*> pointers_;
  bool counted_ = false;
  size_t at_ = 0;
  int64_t copies_left_ = -1;
};

// The rows that the recursive term reads: those of the round before.
struct WorkTable {
  std::unique_ptr<RowStore> rows;
};

WorkTable& SharedWorkTable(Executor& executor, int32_t id) {
  std::vector<std::shared_ptr<void>>& states = executor.shared_states();
  size_t at = executor.plan().subplans.size() + static_cast<size_t>(id);
  if (states.size() <= at) states.resize(at + 1);
  if (states[at] == nullptr) states[at] = std::make_shared<WorkTable>();
  return *static_cast<WorkTable*>(states[at].get());
}

// WITH RECURSIVE: gives out the non-recursive term's rows, then runs the recursive term over each round's new rows until
// a round adds none. UNION (distinct) forgets rows seen before.
class RecursiveUnionOperator : public Operator {
 public:
  RecursiveUnionOperator(Executor& executor, const RecursiveUnionPlan& plan)
      : Operator(executor, plan), plan_(plan), types_(KeyTypes(plan.keys)), seen_(types_, {}, &account()) {
    left_ = MakeOperator(executor, *plan.left);
    right_ = MakeOperator(executor, *plan.right);
  }
  void Close() override {
    next_.reset();
    seen_.Clear();
    Operator::Close();
    right_open_ = false;
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
    while (true) {
      bool more = in_first_term_ ? left_->Next(input, max_rows) : right_->Next(input, max_rows);
      if (!more) {
        if (!NextRound()) return false;
        continue;
      }
      if (plan_.distinct) KeepNew(input);
      if (input->selection.count == 0) continue;
      next_->Append(input->columns, input->selection);
      return true;
    }
  }

 private:
  // Readers below this operator are destroyed after its account.
  std::unique_ptr<RowStore> NewStore() {
    return std::make_unique<RowStore>(left_->output_types(), &executor().account(), WorkMemBytes());
  }
  void Restart() {
    seen_.Clear();
    next_ = NewStore();
    in_first_term_ = true;
  }
  bool NextRound() {
    if (next_->size() == 0) return false;
    WorkTable& table = SharedWorkTable(executor(), plan_.work_table_id);
    table.rows = std::move(next_);
    next_ = NewStore();
    in_first_term_ = false;
    if (right_open_) {
      right_->Rescan();
    } else {
      right_->Open();
      right_open_ = true;
    }
    return true;
  }
  void KeepNew(Batch* batch) {
    hashes_.resize(kBatchRows);
    groups_.resize(kBatchRows);
    HashKeys(types_, batch->columns, batch->selection, hashes_.data());
    CallSite site;
    CallContext context{seen_.arena(), *eval().format, eval().session, site};
    kept_.clear();
    batch->selection.ForEach([&](uint32_t row) {
      uint16_t one = static_cast<uint16_t>(row);
      size_t before = seen_.size();
      seen_.FindGroups(batch->columns, Selection{&one, 1}, hashes_.data(), true, context, groups_.data());
      if (seen_.size() > before) kept_.push_back(one);
    });
    batch->selection = Selection{kept_.data(), static_cast<uint32_t>(kept_.size())};
  }

  const RecursiveUnionPlan& plan_;
  std::vector<const TypeDescriptor*> types_;
  GroupTable seen_;
  std::unique_ptr<RowStore> next_;
  std::vector<uint64_t> hashes_;
  std::vector<char*> groups_;
  std::vector<uint16_t> kept_;
  bool in_first_term_ = true;
  bool right_open_ = false;
};

class WorkTableScanOperator : public Operator {
 public:
  WorkTableScanOperator(Executor& executor, const WorkTableScanPlan& plan)
      : Operator(executor, plan), plan_(plan) {}

 protected:
  void DoOpen() override { reader_.reset(); }
  bool FetchInput(Batch* input, uint32_t max_rows) override {
    RowStore* rows = SharedWorkTable(executor(), plan_.work_table_id).rows.get();
    if (reader_ == nullptr) reader_ = std::make_unique<RowStore::Reader>(rows);
    if (columns_.empty()) {
      for (PhysicalType type : rows->types()) columns_.push_back(std::make_unique<Vector>(type));
      for (auto& column : columns_) pointers_.push_back(column.get());
    }
    uint32_t count = reader_->Read(pointers_, max_rows);
    if (count == 0) return false;
    input->columns = pointers_;
    input->selection = Selection{nullptr, count};
    return true;
  }

 private:
  const WorkTableScanPlan& plan_;
  std::unique_ptr<RowStore::Reader> reader_;
  std::vector<std::unique_ptr<Vector>> columns_;
  std::vector<Vector*> pointers_;
};

}  // namespace

OperatorPtr MakeSetOp(Executor& executor, const SetOpPlan& plan) {
  return std::make_unique<SetOpOperator>(executor, plan);
}
OperatorPtr MakeRecursiveUnion(Executor& executor, const RecursiveUnionPlan& plan) {
  return std::make_unique<RecursiveUnionOperator>(executor, plan);
}
OperatorPtr MakeWorkTableScan(Executor& executor, const WorkTableScanPlan& plan) {
  return std::make_unique<WorkTableScanOperator>(executor, plan);
}

}  // namespace walden
