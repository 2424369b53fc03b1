// Bitmap heap scan: builds the set of row identities from its tree of index conditions, then reads the table's pages in order.
#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/catalog/relation.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/index_keys.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/scan_columns.h"
#include "node/sql/executor/tid_bitmap.h"

namespace walden {
namespace {

// One node of the tree, with the index scans of the leaves kept ready.
class BitmapSource {
 public:
  explicit BitmapSource(const BitmapNode& node) : node_(node), keys_(node.conditions) {
    for (const BitmapNode* child : node.children) children_.push_back(std::make_unique<BitmapSource>(*child));
  }

  void Open() {
    for (auto& child : children_) child->Open();
    if (node_.kind != BitmapNode::Kind::kIndex) return;
    RelationRef index = OpenRelation(node_.index, LockMode::kNone);
    if (index == index_ && scan_ != nullptr) return;
    scan_.reset();
    index_ = std::move(index);
    scan_ = index_->index_desc.method->BeginScan(index_->index_desc, /*want_values=*/false);
  }
  void End() {
    for (auto& child : children_) child->End();
    if (scan_ != nullptr) scan_->End();
  }

  void Fill(EvalContext& context, TidBitmap* to) {
    ++loops_;
    switch (node_.kind) {
      case BitmapNode::Kind::kIndex: FillFromIndex(context, to); return;
      case BitmapNode::Kind::kOr:
        for (auto& child : children_) {
          TidBitmap one(WorkMem());
          child->Fill(context, &one);
          to->UniteWith(one);
        }
        return;
      case BitmapNode::Kind::kAnd:
        children_[0]->Fill(context, to);
        for (size_t i = 1; i < children_.size() && !to->empty(); ++i) {
          TidBitmap one(WorkMem());
          children_[i]->Fill(context, &one);
          to->IntersectWith(one);
        }
        return;
    }
  }

  bool Describe(int32_t node_id, OperatorStats* stats) const {
    if (node_.node_id == node_id) {
      stats->loops = loops_;
      stats->rows = rows_;
      return true;
    }
    for (const auto& child : children_) {
      if (child->Describe(node_id, stats)) return true;
    }
    return false;
  }

  static size_t WorkMem() { return static_cast<size_t>(GetInt(Setting::kWorkMem)) * 1024; }

 private:
  void FillFromIndex(EvalContext& context, TidBitmap* to) {
    if (!keys_.Evaluate(context, index_->index_desc)) return;
    scan_->Rescan(keys_.keys());
    TupleId tids[256];
    while (size_t count = scan_->NextTids(tids)) {
      CheckInterrupts();
      for (size_t i = 0; i < count; ++i) to->Add(tids[i]);
      rows_ += count;
    }
    scan_->End();
  }

  const BitmapNode& node_;
  IndexKeys keys_;
  RelationRef index_;
  std::unique_ptr<IndexScan> scan_;
  std::vector<std::unique_ptr<BitmapSource>> children_;
  uint64_t loops_ = 0, rows_ = 0;
};

class BitmapScanOperator : public Operator {
 public:
  BitmapScanOperator(Executor& executor, const BitmapScanPlan& plan)
      : Operator(executor, plan),
        plan_(plan),
        columns_(plan),
        source_(*plan.bitmap),
        recheck_(plan.recheck),
        bitmap_(WorkMemBytes()) {}

  void Describe(OperatorDetails* details) const override {
    details->exact_pages = exact_pages_;
    details->lossy_pages = lossy_pages_;
  }
  void DescribeBitmap(int32_t node_id, OperatorStats* stats) const override {
    source_.Describe(node_id, stats);
  }
  void Close() override {
    source_.End();
    pins_.clear();
    bitmap_.Clear();
    if (fetcher_ != nullptr) fetcher_->Release();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    RelationRef table = OpenRelation(plan_.relation, LockMode::kNone);
    if (table_ != table || fetcher_ == nullptr) {
      fetcher_.reset();
      table_ = table;
      fetcher_ = std::make_unique<HeapFetcher>(table_->table);
    }
    columns_.Bind(std::move(table));
    source_.Open();
    built_ = false;
  }
  void DoRescan() override {
    pins_.clear();
    if (built_ && version_ != ParamVersion()) built_ = false;
    Restart();
  }

  bool FetchInput(Batch* input, uint32_t) override {
    if (!built_) Build();
    pins_.clear();
    uint32_t rows = 0;
    bool recheck = false;
    // Pages whose rows must be checked again make batches of their own.
    while (pins_.size() < kMaxPins && NextPage() && (rows == 0 || (!recheck && !page_.recheck))) {
      if (rows > 0 && rows + found_.size() > columns_.capacity()) break;
      page_ready_ = false;
      if (found_.empty()) continue;
      columns_.Prepare(static_cast<uint32_t>(found_.size()), rows);
      columns_.Deform(found_, rows, &batch_arena(), /*copy=*/false);
      rows += static_cast<uint32_t>(found_.size());
      recheck = page_.recheck;
      if (columns_.has_references()) pins_.push_back(fetcher_->HoldPin());
      if (rows + kMaxTuplesPerPage > columns_.capacity()) break;
    }
    if (rows == 0) return false;
    columns_.Deliver(input, rows);
    if (recheck) {
      input->selection = recheck_.Apply(eval(), input->columns, input->selection);
      counters().rows_removed_by_recheck += rows - input->selection.count;
    }
    return true;
  }

 private:
  static constexpr size_t kMaxPins = 8;

  void Restart() {
    next_block_ = 0;
    at_end_ = false;
    page_ready_ = false;
  }
  void Build() {
    bitmap_.Clear();
    source_.Fill(eval(), &bitmap_);
    built_ = true;
    version_ = ParamVersion();
    Restart();
  }

  // Makes page_ and its visible rows (found_) those of the next page that has any; false at the end.
  bool NextPage() {
    if (page_ready_) return true;
    while (!at_end_) {
      if (!bitmap_.NextPage(next_block_, &page_)) {
        at_end_ = true;
        return false;
      }
      next_block_ = page_.block + 1;
      if (next_block_ == 0) at_end_ = true;  // that was the last possible page
      ++(page_.lossy ? lossy_pages_ : exact_pages_);
      found_.clear();
      TupleView row;
      if (page_.lossy) {
        // (Line pointers of versions that are gone count too: there may be more than versions.)
        for (uint32_t offset = 1; offset <= kMaxItemsPerPage; ++offset) {
          if (fetcher_->FetchVersion(TupleId{page_.block, static_cast<uint16_t>(offset)},
                                     executor().snapshot(), &row))
            found_.push_back(row);
        }
      } else {
        for (uint16_t offset : page_.offsets) {
          if (fetcher_->FetchChain(TupleId{page_.block, offset}, executor().snapshot(), &row))
            found_.push_back(row);
        }
      }
      page_ready_ = true;
      if (!found_.empty()) return true;
      page_ready_ = false;
    }
    return false;
  }

  const BitmapScanPlan& plan_;
  ScanColumns columns_;
  BitmapSource source_;
  Filter recheck_;
  TidBitmap bitmap_;
  RelationRef table_;
  std::unique_ptr<HeapFetcher> fetcher_;
  std::vector<BufferPin> pins_;
  std::vector<TupleView> found_;
  TidBitmap::Page page_;
  BlockNumber next_block_ = 0;
  bool at_end_ = false;
  bool page_ready_ = false;
  bool built_ = false;
  uint64_t version_ = 0;
  int64_t exact_pages_ = 0, lossy_pages_ = 0;
};

}  // namespace

OperatorPtr MakeBitmapScan(Executor& executor, const BitmapScanPlan& plan) {
  return std::make_unique<BitmapScanOperator>(executor, plan);
}

}  // namespace walden
