// Materialize: keeps the child's rows so that rescans are cheap. Also CTE scans, which share one store per CTE.
#include "node/sql/executor/executor.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/row_store.h"

namespace walden {
namespace {

struct OutputVectors {
  explicit OutputVectors(const std::vector<PhysicalType>& types) {
    for (PhysicalType type : types) vectors.push_back(std::make_unique<Vector>(type));
    for (auto& vector : vectors) pointers.push_back(vector.get());
  }
  std::vector<std::unique_ptr<Vector>> vectors;
  std::vector<Vector*> pointers;
};

class MaterialOperator : public Operator {
 public:
  MaterialOperator(Executor& executor, const MaterialPlan& plan)
      : Operator(executor, plan), output_(output_types()) {
    left_ = MakeOperator(executor, *plan.left);
  }
  void Close() override {
    reader_.reset();
    store_.reset();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    left_->Open();
    Restart();
  }
  void DoRescan() override {
    if (version_ == ParamVersion()) {
      reader_->Rewind();
      return;
    }
    left_->Rescan();
    Restart();
  }
  bool FetchInput(Batch* input, uint32_t max_rows) override {
    while (true) {
      uint32_t rows = reader_->Read(output_.pointers, max_rows);
      if (rows > 0) {
        input->columns = output_.pointers;
        input->selection = Selection{nullptr, rows};
        return true;
      }
      if (child_done_) return false;
      Batch batch;
      child_done_ = !left_->Next(&batch, max_rows);
      if (!child_done_) store_->Append(batch.columns, batch.selection);
    }
  }

 private:
  void Restart() {
    store_ = std::make_unique<RowStore>(left_->output_types(), &account(), WorkMemBytes());
    reader_ = std::make_unique<RowStore::Reader>(store_.get());
    child_done_ = false;
    version_ = ParamVersion();
  }
  OutputVectors output_;
  std::unique_ptr<RowStore> store_;
  std::unique_ptr<RowStore::Reader> reader_;
  bool child_done_ = false;
  uint64_t version_ = 0;
};

// One CTE's rows, filled on demand by whichever scan needs the next one.
struct SharedCte {
  SharedCte(const std::vector<PhysicalType>& types, MemoryAccount* account, size_t limit)
      : store(types, account, limit) {}
  RowStore store;
  bool started = false;
  bool done = false;
};

class CteScanOperator : public Operator {
 public:
  CteScanOperator(Executor& executor, const CteScanPlan& plan) : Operator(executor, plan), plan_(plan) {}
  void Close() override {
    reader_.reset();
    shared_.reset();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    Operator* source = executor().subplan(plan_.subplan_id);
    std::shared_ptr<void>& slot = executor().shared_states()[plan_.subplan_id];
    if (slot == nullptr)
      slot = std::make_shared<SharedCte>(source->output_types(), &executor().account(), WorkMemBytes());
    shared_ = std::static_pointer_cast<SharedCte>(slot);
    if (output_ == nullptr) output_ = std::make_unique<OutputVectors>(source->output_types());
    reader_ = std::make_unique<RowStore::Reader>(&shared_->store);
  }
  bool FetchInput(Batch* input, uint32_t max_rows) override {
    while (true) {
      uint32_t rows = reader_->Read(output_->pointers, max_rows);
      if (rows > 0) {
        input->columns = output_->pointers;
        input->selection = Selection{nullptr, rows};
        return true;
      }
      if (shared_->done) return false;
      if (!shared_->started) {
        shared_->started = true;
        executor().Start(plan_.subplan_id);
      }
      Batch batch;
      if (executor().Next(plan_.subplan_id, &batch)) {
        shared_->store.Append(batch.columns, batch.selection);
      } else {
        shared_->done = true;
      }
    }
  }

 private:
  const CteScanPlan& plan_;
  std::shared_ptr<SharedCte> shared_;
  std::unique_ptr<RowStore::Reader> reader_;
  std::unique_ptr<OutputVectors> output_;
};

}  // namespace

OperatorPtr MakeMaterial(Executor& executor, const MaterialPlan& plan) {
  return std::make_unique<MaterialOperator>(executor, plan);
}
OperatorPtr MakeCteScan(Executor& executor, const CteScanPlan& plan) {
  return std::make_unique<CteScanOperator>(executor, plan);
}

}  // namespace walden
