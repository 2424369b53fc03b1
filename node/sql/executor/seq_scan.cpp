// Sequential scan: visible rows of a page at a time, deformed by column into vectors.
#include <algorithm>
#include <iterator>
#include <optional>

#include "node/access/deform.h"
#include "node/access/heap/heap.h"
#include "node/catalog/relation.h"
#include "node/sql/executor/executor.h"
#include "node/sql/executor/number_values.h"
#include "node/sql/executor/operators.h"
#include "node/sql/executor/scan_columns.h"
#include "node/storage/page.h"
#include "node/txn/durability.h"

namespace walden {
namespace {

bool IsInteger(PhysicalType type) {
  return type == PhysicalType::kInt16 || type == PhysicalType::kInt32 || type == PhysicalType::kInt64;
}

// "=" between integers of any two widths.
bool IsIntegerEquality(Oid op) {
  constexpr uint32_t kEquals[] = {94, 96, 410, 15, 416, 532, 533, 1862, 1868};
  return std::find(std::begin(kEquals), std::end(kEquals), OidNumber(op)) != std::end(kEquals);
}

// The condition "column = value" that a scan tests first, with a value known before it begins.
struct FirstEquality {
  const Var* column = nullptr;
  const Expr* value = nullptr;  // a constant or the client's parameter
};

FirstEquality FindFirstEquality(const ExprList& quals) {
  const OpExpr* op = quals.empty() ? nullptr : TryAs<OpExpr>(quals[0]);
  if (op == nullptr || !IsIntegerEquality(op->opno)) return {};
  auto is_value = [](const Expr* expr) {
    const Param* param = TryAs<Param>(expr);
    return Is<Const>(expr) || (param != nullptr && param->paramkind == ParamKind::kExtern);
  };
  for (int side : {0, 1}) {
    const Var* column = TryAs<Var>(op->args[side]);
    const Expr* value = op->args[1 - side];
    if (column != nullptr && is_value(value)) return {column, value};
  }
  return {};
}

class SeqScanOperator : public Operator {
 public:
  SeqScanOperator(Executor& executor, const SeqScanPlan& plan)
      : Operator(executor, plan), plan_(plan), columns_(plan) {
    FirstEquality first = FindFirstEquality(plan.quals);
    if (first.column == nullptr) return;
    key_attno_ = static_cast<AttrNumber>(plan.columns[first.column->varattno - 1]);
    key_value_ = CompileExpression(first.value);
  }

  void Close() override {
    scan_.reset();
    pins_.clear();
    Operator::Close();
  }

 protected:
  void DoOpen() override {
    pins_.clear();
    columns_.Bind(OpenRelation(plan_.relation, LockMode::kNone));
    scan_.emplace(columns_.relation().table, executor().snapshot());
    scan_->PassOverOthers(FindKey());
    page_ready_ = false;
  }
  void DoRescan() override {
    pins_.clear();
    scan_->Restart();
    page_ready_ = false;
  }

  bool FetchInput(Batch* input, uint32_t) override {
    pins_.clear();
    uint32_t rows = 0;
    // A batch keeps at most kMaxPins pages pinned while its by-reference values point into them.
    while (pins_.size() < kMaxPins && NextPage()) {
      std::span<const TupleView> page = scan_->rows();
      if (rows > 0 && rows + page.size() > columns_.capacity()) break;
      columns_.Prepare(static_cast<uint32_t>(page.size()), rows);
      columns_.Deform(page, rows, &batch_arena(), /*copy=*/false);
      rows += static_cast<uint32_t>(page.size());
      page_ready_ = false;
      if (columns_.has_references()) pins_.push_back(scan_->HoldPin());
      if (rows + kMaxTuplesPerPage > columns_.capacity()) break;
    }
    if (rows == 0) return false;
    columns_.Deliver(input, rows);
    return true;
  }

 private:
  static constexpr size_t kMaxPins = 8;
  // Rows that fail the first condition need no look at who made them. EXPLAIN ANALYZE wants to count those of them that are
  // visible.
  std::optional<RowKey> FindKey() {
    if (key_value_ == nullptr || key_attno_ <= 0 || executor().instrument()) return std::nullopt;
    const TupleDesc& desc = *columns_.relation().desc;
    const AttributeDesc& attribute = desc[key_attno_];
    int offset = desc.fixed_offset(key_attno_);
    if (offset < 0 || attribute.dropped || !IsInteger(attribute.physical)) return std::nullopt;
    Value value = key_value_->Eval(eval(), {}, Selection{nullptr, 1}).Get(0);
    if (value.is_null) return std::nullopt;
    return RowKey{key_attno_, static_cast<uint16_t>(offset),
                  static_cast<uint8_t>(PhysicalWidth(attribute.physical)),
                  IntegerOf(key_value_->type(), value.datum)};
  }
  bool NextPage() {
    if (!page_ready_) {
      page_ready_ = scan_->NextPage();
      if (page_ready_ && columns_.relation().row.relkind == relkind::kSequence) RestOnPage();
    }
    return page_ready_;
  }
  // A sequence's row has no creator whose commit could be waited for: what it says is as durable as its page's last record.
  void RestOnPage() {
    BufferPin pin = scan_->HoldPin();
    PageLock lock(pin, PageLockMode::kShared);
    if (columns_.relation().table.NeedsWal()) RaiseSeenLsn(PageLsn(pin.page()));
  }
  const SeqScanPlan& plan_;
  ScanColumns columns_;
  std::optional<HeapScan> scan_;  // 7 KB that need not be allocated each time
  std::vector<BufferPin> pins_;
  ExprStatePtr key_value_;  // null: there is no such condition
  AttrNumber key_attno_ = 0;
  bool page_ready_ = false;  // the scan's page has not been consumed yet
};

}  // namespace

OperatorPtr MakeSeqScan(Executor& executor, const SeqScanPlan& plan) {
  return std::make_unique<SeqScanOperator>(executor, plan);
}

}  // namespace walden
