// AND, OR, NOT, null and boolean tests, CASE, COALESCE, GREATEST/LEAST: nodes that decide which rows go on.
#include "node/sql/expression/compile.h"
#include "node/types/record.h"

namespace walden {
namespace {

class NotState : public ExprState {
 public:
  explicit NotState(ExprStatePtr arg) : ExprState(PhysicalType::kBool), arg_(std::move(arg)) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& arg = arg_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    bool* out = result.data<bool>();
    selection.ForEach([&](uint32_t row) {
      uint32_t index = arg.Index(row);
      if (arg.IsNullAt(index)) {
        result.SetNull(row);
      } else {
        out[row] = !arg.data<bool>()[index];
      }
    });
    return result;
  }

 private:
  ExprStatePtr arg_;
};

// AND and OR: an argument is evaluated for the rows that earlier ones have not decided. Three-valued: a null stays
// a candidate until a deciding value (false for AND, true for OR) turns up.
class AndOrState : public ExprState {
 public:
  AndOrState(bool is_and, std::vector<ExprStatePtr> args)
      : ExprState(PhysicalType::kBool), decides_(!is_and), args_(std::move(args)) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    Vector& result = PrepareResult(selection);
    bool* out = result.data<bool>();
    open_.clear();
    selection.ForEach([&](uint32_t row) {
      out[row] = !decides_;
      open_.push_back(static_cast<uint16_t>(row));
    });
    for (ExprStatePtr& arg : args_) {
      if (open_.empty()) break;
      Selection rest{open_.data(), static_cast<uint32_t>(open_.size())};
      const Vector& value = arg->Eval(context, input, rest);
      size_t kept = 0;
      for (uint16_t row : open_) {
        uint32_t index = value.Index(row);
        if (value.IsNullAt(index)) {
          result.SetNull(row);
          open_[kept++] = row;
        } else if (value.data<bool>()[index] == decides_) {
          result.SetValid(row);
          out[row] = decides_;
        } else {
          open_[kept++] = row;
        }
      }
      open_.resize(kept);
    }
    return result;
  }

 private:
  bool decides_;  // the value that ends the evaluation of a row
  std::vector<ExprStatePtr> args_;
  std::vector<uint16_t> open_;
};

class NullTestState : public ExprState {
 public:
  NullTestState(bool is_null, ExprStatePtr arg)
      : ExprState(PhysicalType::kBool), is_null_(is_null), arg_(std::move(arg)) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& arg = arg_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    bool* out = result.data<bool>();
    selection.ForEach([&](uint32_t row) { out[row] = arg.IsNull(row) == is_null_; });
    return result;
  }

 private:
  bool is_null_;
  ExprStatePtr arg_;
};

class BooleanTestState : public ExprState {
 public:
  BooleanTestState(BoolTestType test, ExprStatePtr arg)
      : ExprState(PhysicalType::kBool), test_(test), arg_(std::move(arg)) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& arg = arg_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    bool* out = result.data<bool>();
    selection.ForEach([&](uint32_t row) {
      uint32_t index = arg.Index(row);
      bool is_null = arg.IsNullAt(index);
      out[row] = Decide(is_null, !is_null && arg.data<bool>()[index]);
    });
    return result;
  }

 private:
  bool Decide(bool is_null, bool value) const {
    switch (test_) {
      case BoolTestType::kIsTrue: return !is_null && value;
      case BoolTestType::kIsNotTrue: return is_null || !value;
      case BoolTestType::kIsFalse: return !is_null && !value;
      case BoolTestType::kIsNotFalse: return is_null || value;
      case BoolTestType::kIsUnknown: return is_null;
      case BoolTestType::kIsNotUnknown: return !is_null;
    }
    return false;
  }
  BoolTestType test_;
  ExprStatePtr arg_;
};

class CaseState : public ExprState {
 public:
  struct Branch {
    ExprStatePtr condition;
    ExprStatePtr result;
  };
  CaseState(PhysicalType type, std::unique_ptr<Vector*> slot, ExprStatePtr arg, std::vector<Branch> branches,
            ExprStatePtr otherwise)
      : ExprState(type),
        slot_(std::move(slot)),
        arg_(std::move(arg)),
        branches_(std::move(branches)),
        otherwise_(std::move(otherwise)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    if (arg_ != nullptr) *slot_ = &arg_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    open_.clear();
    selection.ForEach([&](uint32_t row) { open_.push_back(static_cast<uint16_t>(row)); });
    for (Branch& branch : branches_) {
      if (open_.empty()) return result;
      Selection rest{open_.data(), static_cast<uint32_t>(open_.size())};
      const Vector& condition = branch.condition->Eval(context, input, rest);
      matched_.resize(rest.count);
      uint32_t matches = SelectTrue(condition, rest, matched_.data());
      RemoveMatched(matches);
      if (matches == 0) continue;
      Selection taken{matched_.data(), matches};
      result.CopyRows(branch.result->Eval(context, input, taken), taken);
    }
    if (!open_.empty()) {
      Selection rest{open_.data(), static_cast<uint32_t>(open_.size())};
      result.CopyRows(otherwise_->Eval(context, input, rest), rest);
    }
    return result;
  }

 private:
  // Takes the first `matches` rows of matched_ (ascending, a subset) out of open_.
  void RemoveMatched(uint32_t matches) {
    size_t kept = 0;
    uint32_t next = 0;
    for (uint16_t row : open_) {
      if (next < matches && matched_[next] == row) {
        ++next;
      } else {
        open_[kept++] = row;
      }
    }
    open_.resize(kept);
  }

  std::unique_ptr<Vector*> slot_;
  ExprStatePtr arg_;
  std::vector<Branch> branches_;
  ExprStatePtr otherwise_;
  std::vector<uint16_t> open_, matched_;
};

class CoalesceState : public ExprState {
 public:
  CoalesceState(PhysicalType type, std::vector<ExprStatePtr> args)
      : ExprState(type), args_(std::move(args)) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    Vector& result = PrepareResult(selection);
    open_.clear();
    selection.ForEach([&](uint32_t row) { open_.push_back(static_cast<uint16_t>(row)); });
    for (ExprStatePtr& arg : args_) {
      if (open_.empty()) break;
      Selection rest{open_.data(), static_cast<uint32_t>(open_.size())};
      const Vector& value = arg->Eval(context, input, rest);
      result.CopyRows(value, rest);
      size_t kept = 0;
      for (uint16_t row : open_) {
        if (value.IsNull(row)) open_[kept++] = row;
      }
      open_.resize(kept);
    }
    return result;
  }

 private:
  std::vector<ExprStatePtr> args_;
  std::vector<uint16_t> open_;
};

class MinMaxState : public ExprState {
 public:
  MinMaxState(const TypeDescriptor& type, bool greatest, std::vector<ExprStatePtr> args)
      : ExprState(type.physical), type_(type), sign_(greatest ? 1 : -1), args_(std::move(args)) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    std::vector<const Vector*> values;
    for (ExprStatePtr& arg : args_) values.push_back(&arg->Eval(context, input, selection));
    Vector& result = PrepareResult(selection);
    selection.ForEach([&](uint32_t row) {
      Value best;
      for (const Vector* vector : values) {
        Value value = vector->Get(row);
        if (value.is_null) continue;
        if (best.is_null || sign_ * type_.compare(value.datum, best.datum, nullptr) > 0) best = value;
      }
      result.Set(row, best);
    });
    return result;
  }

 private:
  const TypeDescriptor& type_;
  int sign_;
  std::vector<ExprStatePtr> args_;
};

}  // namespace

ExprStatePtr CompileBool(ExprCompiler& compiler, const BoolExpr& expr) {
  if (expr.boolop == BoolExprType::kNot) return std::make_unique<NotState>(compiler.Compile(expr.args[0]));
  return std::make_unique<AndOrState>(expr.boolop == BoolExprType::kAnd, compiler.CompileList(expr.args));
}

namespace {

// row IS NULL: all fields are null; row IS NOT NULL: none is.
class RowNullTestState : public ExprState {
 public:
  RowNullTestState(bool is_null, ExprStatePtr arg)
      : ExprState(PhysicalType::kBool), is_null_(is_null), arg_(std::move(arg)) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    Vector& rows = arg_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    selection.ForEach([&](uint32_t row) {
      Value record = rows.Get(row);
      bool passes = true;
      if (record.is_null) {
        passes = is_null_;
      } else {
        for (const RecordField& field : ReadRecord(record.datum.string.view()))
          passes &= field.value.is_null == is_null_;
      }
      result.data<bool>()[row] = passes;
    });
    return result;
  }

 private:
  bool is_null_;
  ExprStatePtr arg_;
};

}  // namespace

ExprStatePtr CompileNullTest(ExprCompiler& compiler, const NullTest& expr) {
  if (expr.argisrow) {
    return std::make_unique<RowNullTestState>(expr.nulltesttype == NullTestType::kIsNull,
                                              compiler.Compile(expr.arg));
  }
  return std::make_unique<NullTestState>(expr.nulltesttype == NullTestType::kIsNull,
                                         compiler.Compile(expr.arg));
}

ExprStatePtr CompileBooleanTest(ExprCompiler& compiler, const BooleanTest& expr) {
  return std::make_unique<BooleanTestState>(expr.booltesttype, compiler.Compile(expr.arg));
}

ExprStatePtr CompileCase(ExprCompiler& compiler, const CaseExpr& expr) {
  ExprStatePtr arg = expr.arg == nullptr ? nullptr : compiler.Compile(expr.arg);
  auto slot = std::make_unique<Vector*>(nullptr);
  std::vector<CaseState::Branch> branches;
  for (const CaseWhen* when : expr.args) {
    ExprStatePtr condition;
    if (arg != nullptr) {
      SlotScope scope(&compiler.case_slot, slot.get());
      condition = compiler.Compile(when->expr);
    } else {
      condition = compiler.Compile(when->expr);
    }
    branches.push_back({std::move(condition), compiler.Compile(when->result)});
  }
  PhysicalType type = PhysicalOf(expr.casetype);
  ExprStatePtr otherwise;
  if (expr.defresult != nullptr) {
    otherwise = compiler.Compile(expr.defresult);
  } else {
    Const null;
    null.value.physical = type;
    null.consttype = expr.casetype;
    otherwise = compiler.Compile(&null);
  }
  return std::make_unique<CaseState>(type, std::move(slot), std::move(arg), std::move(branches),
                                     std::move(otherwise));
}

ExprStatePtr CompileCoalesce(ExprCompiler& compiler, const CoalesceExpr& expr) {
  return std::make_unique<CoalesceState>(PhysicalOf(expr.coalescetype), compiler.CompileList(expr.args));
}

ExprStatePtr CompileMinMax(ExprCompiler& compiler, const MinMaxExpr& expr) {
  return std::make_unique<MinMaxState>(TypeOf(expr.minmaxtype), expr.op == MinMaxOp::kGreatest,
                                       compiler.CompileList(expr.args));
}

}  // namespace walden
