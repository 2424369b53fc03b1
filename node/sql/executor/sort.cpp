// Sort: all rows of the child, ordered, in work_mem.
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/sorter.h"

namespace walden {
namespace {

class SortOperator : public Operator {
 public:
  SortOperator(Executor& executor, const SortPlan& plan)
      : Operator(executor, plan), plan_(plan), keys_(SortKeysOf(plan.keys)) {
    left_ = MakeOperator(executor, *plan.left);
    for (PhysicalType type : left_->output_types()) columns_.push_back(std::make_unique<Vector>(type));
    for (auto& column : columns_) pointers_.push_back(column.get());
  }

  void Close() override {
    sorter_.reset();
    Operator::Close();
  }
  void Describe(OperatorDetails* details) const override {
    if (sorter_ == nullptr) return;
    static constexpr std::string_view kMethods[] = {"quicksort", "top-N heapsort", "external merge"};
    details->sort_method = kMethods[static_cast<int>(sorter_->method())];
    details->sort_on_disk = sorter_->method() == Sorter::Method::kExternalMerge;
    details->sort_kb = static_cast<int64_t>((sorter_->space_bytes() + 1023) / 1024);
  }

 protected:
  void DoOpen() override {
    sorter_.reset();
    left_->Open();
    version_ = ParamVersion();
  }
  void DoRescan() override {
    if (sorter_ != nullptr && version_ == ParamVersion()) {
      sorter_->Rewind();
      return;
    }
    sorter_.reset();
    version_ = ParamVersion();
    left_->Rescan();
  }

  bool FetchInput(Batch* input, uint32_t max_rows) override {
    if (sorter_ == nullptr) SortAll();
    uint32_t rows = sorter_->Next(pointers_, max_rows);
    if (rows == 0) return false;
    input->columns = pointers_;
    input->selection = Selection{nullptr, rows};
    return true;
  }

 private:
  void SortAll() {
    uint64_t bound = plan_.bound > 0 ? static_cast<uint64_t>(plan_.bound) : 0;
    auto sorter = std::make_unique<Sorter>(left_->output_types(), keys_, &account(), WorkMemBytes(), bound);
    Batch batch;
    while (left_->Next(&batch)) sorter->Add(batch.columns, batch.selection);
    sorter->Finish();
    sorter_ = std::move(sorter);
  }

  const SortPlan& plan_;
  std::vector<SortKey> keys_;
  std::vector<std::unique_ptr<Vector>> columns_;
  std::vector<Vector*> pointers_;
  std::unique_ptr<Sorter> sorter_;
  uint64_t version_ = 0;
};

}  // namespace

std::vector<SortKey> SortKeysOf(const List<OrderKey>& keys) {
  std::vector<SortKey> result;
  for (const OrderKey& key : keys) {
    const TypeDescriptor& type = TypeOf(key.type);
    if (type.compare == nullptr) {
      throw SqlError(ErrorCode::kUndefinedFunction, "could not identify an ordering operator for type {}",
                     type.name);
    }
    result.push_back(
        {static_cast<uint32_t>(key.column - 1), &type, nullptr, key.descending, key.nulls_first});
  }
  return result;
}

OperatorPtr MakeSort(Executor& executor, const SortPlan& plan) {
  return std::make_unique<SortOperator>(executor, plan);
}

}  // namespace walden
