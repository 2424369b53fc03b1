#include "node/sql/executor/window_call.h"

#include <functional>

#include "node/sql/executor/number_values.h"
#include "node/sql/functions/registry.h"
#include "node/sql/query/expr_facts.h"

namespace walden {
namespace {

// row_number, rank, dense_rank, percent_rank, cume_dist: from the row's place alone.
class RankCall : public WindowCall {
 public:
  using Rule = Value (*)(const WindowFrame& frame);
  explicit RankCall(Rule rule) : rule_(rule) {}
  void StartPartition() override {}
  Value Compute(EvalContext&, WindowFrame& frame, Arena*) override { return rule_(frame); }

  static Value RowNumber(const WindowFrame& frame) {
    return Int8Value(static_cast<int64_t>(frame.row()) + 1);
  }
  static Value Rank(const WindowFrame& frame) {
    return Int8Value(static_cast<int64_t>(frame.peers().start()) + 1);
  }
  static Value DenseRank(const WindowFrame& frame) { return Int8Value(frame.peers().index() + 1); }
  static Value PercentRank(const WindowFrame& frame) {
    size_t rows = frame.partition_rows();
    return Float8Value(
        rows <= 1 ? 0 : static_cast<double>(frame.peers().start()) / static_cast<double>(rows - 1));
  }
  static Value CumeDist(const WindowFrame& frame) {
    return Float8Value(static_cast<double>(frame.peers().end()) /
                       static_cast<double>(frame.partition_rows()));
  }

 private:
  Rule rule_;
};

// ntile(n): the first rows % n buckets have one row more. n is read at the partition's first row.
class NtileCall : public WindowCall {
 public:
  NtileCall(RowStore* store, size_t column) : cursor_(store), column_(column) {}
  void StartPartition() override {
    cursor_.Reset();
    started_ = false;
  }
  Value Compute(EvalContext&, WindowFrame& frame, Arena*) override {
    if (!started_) {
      Value count = cursor_.Get(frame.row(), column_);
      is_null_ = count.is_null;
      if (!is_null_ && count.datum.i32 <= 0) {
        throw SqlError(ErrorCode::kInvalidArgumentForNtile, "argument of ntile must be greater than zero");
      }
      buckets_ = is_null_ ? 1 : static_cast<size_t>(count.datum.i32);
      started_ = !is_null_;
    }
    if (is_null_) return Value{};
    size_t rows = frame.partition_rows(), row = frame.row();
    size_t size = rows / buckets_, larger = rows % buckets_;
    size_t in_larger = larger * (size + 1);
    size_t bucket = row < in_larger ? row / (size + 1) : larger + (size == 0 ? 0 : (row - in_larger) / size);
    return Int4Value(static_cast<int32_t>(bucket) + 1);
  }

 private:
  WindowCursor cursor_;
  size_t column_;
  bool started_ = false;
  bool is_null_ = false;
  size_t buckets_ = 1;
};

// What the functions that return another row's value share.
class ValueCall : public WindowCall {
 public:
  ValueCall(RowStore* store, size_t column, PhysicalType type)
      : own_(store), other_(store), column_(column), type_(type) {}
  void StartPartition() override {
    own_.Reset();
    other_.Reset();
  }

 protected:
  Value Keep(Value value, Arena* arena) const {
    if (!value.is_null) value.datum = CopyDatum(type_, value.datum, arena);
    return value;
  }
  WindowCursor own_, other_;
  size_t column_;
  PhysicalType type_;
};

// lag and lead (value, offset, default).
class NeighbourCall : public ValueCall {
 public:
  NeighbourCall(RowStore* store, size_t column, PhysicalType type, bool forward, size_t args)
      : ValueCall(store, column, type), forward_(forward), args_(args) {}
  Value Compute(EvalContext&, WindowFrame& frame, Arena* arena) override {
    int64_t offset = 1;
    if (args_ > 1) {
      Value given = own_.Get(frame.row(), column_ + 1);
      if (given.is_null) return Value{};
      offset = given.datum.i32;
    }
    int64_t row = static_cast<int64_t>(frame.row()) + (forward_ ? offset : -offset);
    if (row >= 0 && row < static_cast<int64_t>(frame.partition_rows())) {
      return Keep(other_.Get(static_cast<size_t>(row), column_), arena);
    }
    return args_ > 2 ? Keep(own_.Get(frame.row(), column_ + 2), arena) : Value{};
  }

 private:
  bool forward_;
  size_t args_;
};

// first_value, last_value, nth_value.
class FrameValueCall : public ValueCall {
 public:
  enum class Which { kFirst, kLast, kNth };
  FrameValueCall(RowStore* store, size_t column, PhysicalType type, Which which)
      : ValueCall(store, column, type), which_(which) {}
  Value Compute(EvalContext&, WindowFrame& frame, Arena* arena) override {
    size_t n = 0;
    if (which_ == Which::kNth) {
      Value given = own_.Get(frame.row(), column_ + 1);
      if (given.is_null) return Value{};
      if (given.datum.i32 <= 0) {
        throw SqlError(ErrorCode::kInvalidArgumentForNthValue,
                       "argument of nth_value must be greater than zero");
      }
      n = static_cast<size_t>(given.datum.i32 - 1);
    }
    size_t row;
    if (!frame.RowAt(n, which_ == Which::kLast, &row)) return Value{};
    return Keep(other_.Get(row, column_), arena);
  }

 private:
  Which which_;
};

// An aggregate over the frame. While the frame only grows, rows are added to one state; when it loses rows at its beginning they are
// taken out again if the aggregate knows how; otherwise, and with EXCLUDE, it starts anew.
class AggregateWindowCall : public WindowCall {
 public:
  AggregateWindowCall(const WindowFunc& function, RowStore* store, size_t column, MemoryAccount* account)
      : function_(*FindAggregate(function.winfnoid)),
        cursor_(store),
        column_(column),
        arg_count_(function.args.size()),
        has_filter_(function.aggfilter != nullptr),
        result_type_(TypeOf(function.wintype).physical),
        arena_(account, 512) {
    for (const Expr* arg : function.args) arg_types_.push_back(ExprType(arg));
    site_.function = function.winfnoid;
    site_.result_type = function.wintype;
    site_.collation = function.inputcollid;
    site_.arg_types = arg_types_;
  }
  void StartPartition() override {
    cursor_.Reset();
    state_ = nullptr;
  }

  Value Compute(EvalContext& context, WindowFrame& frame, Arena* arena) override {
    RowRange wanted = frame.frame();
    if (state_ == nullptr || frame.has_exclusion() || !MoveTo(context, wanted)) {
      Restart(context);
      for (const RowRange& range : frame.ranges()) Add(context, range);
      held_ = wanted;
      has_result_ = false;
    }
    if (!has_result_) {
      CallContext call = Call(context, arena_);
      result_ = Value{};
      function_.finalize(call, state_, &result_);
      has_result_ = true;
    }
    Value value = result_;
    if (!value.is_null) value.datum = CopyDatum(result_type_, value.datum, arena);
    return value;
  }

 private:
  CallContext Call(EvalContext& context, Arena& arena) {
    return {arena, *context.format, context.session, site_};
  }

  // False when the state cannot be changed into that of `wanted`.
  bool MoveTo(EvalContext& context, RowRange wanted) {
    if (wanted.begin == held_.begin && wanted.end == held_.end) return true;
    if (held_.empty() || wanted.begin < held_.begin || wanted.end < held_.end || wanted.begin >= held_.end)
      return false;
    if (wanted.begin > held_.begin) {
      if (function_.remove == nullptr) return false;
      Remove(context, {held_.begin, wanted.begin});
    }
    Add(context, {held_.end, wanted.end});
    held_ = wanted;
    has_result_ = false;
    return true;
  }

  void Restart(EvalContext& context) {
    arena_.Reset();
    state_ = arena_.Allocate(std::max<size_t>(function_.state_bytes, 16), 16);
    std::memset(state_, 0, function_.state_bytes);
    CallContext call = Call(context, arena_);
    if (function_.init != nullptr) function_.init(call, state_);
  }

  template <class Step>
  void ForEachPiece(RowRange range, Step step) {
    while (!range.empty()) {
      uint32_t place = cursor_.Locate(range.begin);
      uint32_t count =
          static_cast<uint32_t>(std::min<size_t>(cursor_.Available(place), range.end - range.begin));
      rows_.resize(count);
      for (uint32_t i = 0; i < count; ++i) rows_[i] = static_cast<uint16_t>(place + i);
      Selection selection{rows_.data(), count};
      if (has_filter_) {
        passed_.resize(count);
        selection = Selection{
            passed_.data(), SelectTrue(*cursor_.columns()[column_ + arg_count_], selection, passed_.data())};
      }
      args_.assign(cursor_.columns().begin() + static_cast<ptrdiff_t>(column_),
                   cursor_.columns().begin() + static_cast<ptrdiff_t>(column_ + arg_count_));
      if (selection.count > 0) step(selection);
      range.begin += count;
    }
  }
  void Add(EvalContext& context, RowRange range) {
    CallContext call = Call(context, arena_);
    ForEachPiece(
        range, [&](const Selection& selection) { function_.update_single(call, args_, selection, state_); });
  }
  void Remove(EvalContext& context, RowRange range) {
    CallContext call = Call(context, arena_);
    ForEachPiece(range,
                 [&](const Selection& selection) { function_.remove(call, args_, selection, state_); });
  }

  const AggregateFunction& function_;
  WindowCursor cursor_;
  size_t column_;
  size_t arg_count_;
  bool has_filter_;
  PhysicalType result_type_;
  Arena arena_;
  std::vector<Oid> arg_types_;
  CallSite site_;
  void* state_ = nullptr;
  RowRange held_;
  Value result_;
  bool has_result_ = false;
  std::vector<uint16_t> rows_, passed_;
  std::vector<const Vector*> args_;
};

// OIDs of pg_proc.
constexpr uint32_t kRowNumber = 3100, kRank = 3101, kDenseRank = 3102, kPercentRank = 3103, kCumeDist = 3104,
                   kNtile = 3105, kLag = 3106, kLead = 3109, kFirstValue = 3112, kLastValue = 3113,
                   kNthValue = 3114;

}  // namespace

bool IsWindowFunction(Oid function) {
  return OidNumber(function) >= kRowNumber && OidNumber(function) <= kNthValue;
}

std::unique_ptr<WindowCall> MakeWindowCall(const WindowFunc& function, RowStore* store, size_t first_column,
                                           MemoryAccount* account) {
  CheckMayExecute(function.winfnoid);
  if (FindAggregate(function.winfnoid) != nullptr) {
    return std::make_unique<AggregateWindowCall>(function, store, first_column, account);
  }
  PhysicalType type = TypeOf(function.wintype).physical;
  switch (OidNumber(function.winfnoid)) {
    case kRowNumber: return std::make_unique<RankCall>(RankCall::RowNumber);
    case kRank: return std::make_unique<RankCall>(RankCall::Rank);
    case kDenseRank: return std::make_unique<RankCall>(RankCall::DenseRank);
    case kPercentRank: return std::make_unique<RankCall>(RankCall::PercentRank);
    case kCumeDist: return std::make_unique<RankCall>(RankCall::CumeDist);
    case kNtile: return std::make_unique<NtileCall>(store, first_column);
    case kLag:
    case kLag + 1:
    case kLag + 2:
      return std::make_unique<NeighbourCall>(store, first_column, type, false, function.args.size());
    case kLead:
    case kLead + 1:
    case kLead + 2:
      return std::make_unique<NeighbourCall>(store, first_column, type, true, function.args.size());
    case kFirstValue:
      return std::make_unique<FrameValueCall>(store, first_column, type, FrameValueCall::Which::kFirst);
    case kLastValue:
      return std::make_unique<FrameValueCall>(store, first_column, type, FrameValueCall::Which::kLast);
    case kNthValue:
      return std::make_unique<FrameValueCall>(store, first_column, type, FrameValueCall::Which::kNth);
    default: throw NotSupported(fmt::format("window function with OID {}", OidNumber(function.winfnoid)));
  }
}

}  // namespace walden
