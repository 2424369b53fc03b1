// Unique: drops rows equal to the one before, over sorted input (DISTINCT ON, sorted DISTINCT).
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/row_container.h"
#include "node/sql/executor/sort_key.h"

namespace walden {
namespace {

class UniqueOperator : public Operator {
 public:
  UniqueOperator(Executor& executor, const UniquePlan& plan)
      : Operator(executor, plan), keys_(SortKeysOf(plan.keys)) {
    left_ = MakeOperator(executor, *plan.left);
  }
  void Close() override {
    previous_ = nullptr;
    kept_.reset();
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
    while (left_->Next(input, max_rows)) {
      rows_.clear();
      input->selection.ForEach([&](uint32_t row) {
        if (previous_ != nullptr && EqualsPrevious(*input, row)) return;
        kept_->Clear();
        previous_ = kept_->Append(input->columns, row);
        rows_.push_back(static_cast<uint16_t>(row));
      });
      if (rows_.empty()) continue;
      input->selection = Selection{rows_.data(), static_cast<uint32_t>(rows_.size())};
      return true;
    }
    return false;
  }

 private:
  void Restart() {
    if (kept_ == nullptr)
      kept_ = std::make_unique<RowContainer>(RowLayout(left_->output_types()), &account());
    previous_ = nullptr;
  }
  bool EqualsPrevious(const Batch& batch, uint32_t row) const {
    for (const SortKey& key : keys_) {
      if (CompareBySortKey(key, kept_->layout().Get(previous_, key.column),
                           batch.columns[key.column]->Get(row)) != 0) {
        return false;
      }
    }
    return true;
  }
  std::vector<SortKey> keys_;
  std::unique_ptr<RowContainer> kept_;
  char* previous_ = nullptr;
  std::vector<uint16_t> rows_;
};

}  // namespace

OperatorPtr MakeUnique(Executor& executor, const UniquePlan& plan) {
  return std::make_unique<UniqueOperator>(executor, plan);
}

}  // namespace walden
