// Calls of built-in functions and operators: argument evaluation, then one kernel call a batch.
#include "node/catalog/acl.h"
#include "node/catalog/builtin.h"
#include "node/catalog/identity.h"
#include "node/sql/expression/compile.h"
#include "node/types/array.h"

namespace walden {
namespace {

const ScalarFunction& ImplementationOf(Oid function) {
  const BuiltinFunction* row = FindBuiltinFunction(function);
  if (row == nullptr) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "function with OID {} cannot be executed",
                   OidNumber(function));
  }
  const ScalarFunction* implementation = FindScalar(row->source.empty() ? row->name : row->source);
  if (implementation == nullptr) throw NotSupported(fmt::format("function {}", row->name));
  return *implementation;
}

// The parts that every node calling a kernel has.
class KernelCall {
 public:
  KernelCall(Oid function, Oid result_type, Oid collation, bool variadic_array, const ExprList& args)
      : implementation_(ImplementationOf(function)) {
    for (const Expr* arg : args) arg_types_.push_back(ExprType(arg));
    site_.function = function;
    site_.result_type = result_type;
    site_.collation = collation;
    site_.arg_types = arg_types_;
    site_.is_variadic_array = variadic_array;
  }
  void Run(EvalContext& context, std::span<const Vector* const> args, const Selection& selection,
           Vector* result) {
    CallContext call{*context.arena, *context.format, context.session, site_};
    implementation_.kernel(call, args, selection, result);
  }
  bool is_strict() const { return implementation_.is_strict; }

 private:
  const ScalarFunction& implementation_;
  std::vector<Oid> arg_types_;
  CallSite site_;
};

class CallState : public ExprState {
 public:
  CallState(PhysicalType type, KernelCall call, std::vector<ExprStatePtr> args)
      : ExprState(type), call_(std::move(call)), args_(std::move(args)), values_(args_.size()) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    for (size_t i = 0; i < args_.size(); ++i) values_[i] = &args_[i]->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    call_.Run(context, values_, selection, &result);
    return result;
  }

 private:
  KernelCall call_;
  std::vector<ExprStatePtr> args_;
  std::vector<const Vector*> values_;
};

// a IS DISTINCT FROM b: the equality operator's kernel decides where neither is null.
class DistinctState : public ExprState {
 public:
  DistinctState(KernelCall call, ExprStatePtr left, ExprStatePtr right)
      : ExprState(PhysicalType::kBool),
        call_(std::move(call)),
        left_(std::move(left)),
        right_(std::move(right)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& a = left_->Eval(context, input, selection);
    const Vector& b = right_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    const Vector* args[] = {&a, &b};
    Vector& equal = equal_;
    equal.Reset(PhysicalType::kBool, result.capacity());
    call_.Run(context, args, selection, &equal);
    bool* out = result.data<bool>();
    selection.ForEach([&](uint32_t row) {
      bool a_null = a.IsNull(row), b_null = b.IsNull(row);
      out[row] = a_null || b_null ? a_null != b_null : !equal.data<bool>()[equal.Index(row)];
    });
    return result;
  }

 private:
  KernelCall call_;
  ExprStatePtr left_, right_;
  Vector equal_;
};

class NullIfState : public ExprState {
 public:
  NullIfState(PhysicalType type, KernelCall call, ExprStatePtr left, ExprStatePtr right)
      : ExprState(type), call_(std::move(call)), left_(std::move(left)), right_(std::move(right)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& a = left_->Eval(context, input, selection);
    const Vector& b = right_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    equal_.Reset(PhysicalType::kBool, result.capacity());
    const Vector* args[] = {&a, &b};
    call_.Run(context, args, selection, &equal_);
    result.CopyRows(a, selection);
    selection.ForEach([&](uint32_t row) {
      if (!equal_.IsNull(row) && equal_.data<bool>()[equal_.Index(row)]) result.SetNull(row);
    });
    return result;
  }

 private:
  KernelCall call_;
  ExprStatePtr left_, right_;
  Vector equal_;
};

// (a1, a2, ...) < (b1, b2, ...): the first pair of unequal columns decides; a null before that makes it null.
class RowCompareState : public ExprState {
 public:
  RowCompareState(RowCompareType kind, std::vector<const TypeDescriptor*> types,
                  std::vector<ExprStatePtr> left, std::vector<ExprStatePtr> right)
      : ExprState(PhysicalType::kBool),
        kind_(kind),
        types_(std::move(types)),
        left_(std::move(left)),
        right_(std::move(right)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    std::vector<const Vector*> a, b;
    for (ExprStatePtr& state : left_) a.push_back(&state->Eval(context, input, selection));
    for (ExprStatePtr& state : right_) b.push_back(&state->Eval(context, input, selection));
    Vector& result = PrepareResult(selection);
    selection.ForEach([&](uint32_t row) {
      int order = 0;
      for (size_t i = 0; i < types_.size() && order == 0; ++i) {
        Value x = a[i]->Get(row), y = b[i]->Get(row);
        if (x.is_null || y.is_null) {
          result.SetNull(row);
          return;
        }
        order = types_[i]->compare(x.datum, y.datum, nullptr);
      }
      result.data<bool>()[row] = Decide(order);
    });
    return result;
  }

 private:
  bool Decide(int order) const {
    switch (kind_) {
      case RowCompareType::kLt: return order < 0;
      case RowCompareType::kLe: return order <= 0;
      case RowCompareType::kGe: return order >= 0;
      case RowCompareType::kGt: return order > 0;
      case RowCompareType::kEq: return order == 0;
      case RowCompareType::kNe: return order != 0;
    }
    return false;
  }
  RowCompareType kind_;
  std::vector<const TypeDescriptor*> types_;
  std::vector<ExprStatePtr> left_, right_;
};

// Evaluates an array's kernel `scalar op element` for each element until the answer is known.
class ScalarArrayState : public ExprState {
 public:
  ScalarArrayState(KernelCall call, bool use_or, PhysicalType element_type, ExprStatePtr scalar,
                   ExprStatePtr array)
      : ExprState(PhysicalType::kBool),
        call_(std::move(call)),
        use_or_(use_or),
        element_type_(element_type),
        scalar_(std::move(scalar)),
        array_(std::move(array)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& scalar = scalar_->Eval(context, input, selection);
    const Vector& array = array_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    if (array.is_constant()) {
      EvalConstantArray(context, scalar, array, selection, &result);
    } else {
      selection.ForEach([&](uint32_t row) {
        uint16_t one = static_cast<uint16_t>(row);
        EvalConstantArray(context, scalar, array, Selection{&one, 1}, &result);
      });
    }
    return result;
  }

 private:
  // All rows of `selection` meet the same array: one kernel call an element over the rows still undecided.
  void EvalConstantArray(EvalContext& context, const Vector& scalar, const Vector& array,
                         const Selection& selection, Vector* result);
  KernelCall call_;
  bool use_or_;
  PhysicalType element_type_;
  ExprStatePtr scalar_, array_;
  Vector element_, compared_;
  std::vector<uint16_t> undecided_;
};

void ScalarArrayState::EvalConstantArray(EvalContext& context, const Vector& scalar, const Vector& array,
                                         const Selection& selection, Vector* result) {
  Value bytes = array.Get(selection.Row(0));
  if (bytes.is_null) {
    selection.ForEach([&](uint32_t row) { result->SetNull(row); });
    return;
  }
  ArrayView view(bytes.datum.string.view());
  undecided_.clear();
  bool* out = result->data<bool>();
  selection.ForEach([&](uint32_t row) {
    out[row] = !use_or_;
    result->SetValid(row);
    // A null scalar makes the result null unless the array is empty (the operator is strict).
    if (scalar.IsNull(row) && call_.is_strict()) {
      if (view.count() > 0) result->SetNull(row);
      return;
    }
    undecided_.push_back(static_cast<uint16_t>(row));
  });
  ArrayReader reader(view, element_type_);
  Value element;
  while (!undecided_.empty() && reader.Next(&element)) {
    if (element.is_null && call_.is_strict()) {
      for (uint16_t row : undecided_) result->SetNull(row);
      continue;
    }
    element_.SetConstantValue(element_type_, element);
    compared_.Reset(PhysicalType::kBool, result->capacity());
    const Vector* args[] = {&scalar, &element_};
    Selection rest{undecided_.data(), static_cast<uint32_t>(undecided_.size())};
    call_.Run(context, args, rest, &compared_);
    size_t kept = 0;
    for (uint16_t row : undecided_) {
      if (compared_.IsNull(row)) {
        result->SetNull(row);
        undecided_[kept++] = row;
      } else if (compared_.data<bool>()[compared_.Index(row)] == use_or_) {
        result->SetValid(row);
        out[row] = use_or_;
      } else {
        undecided_[kept++] = row;
      }
    }
    undecided_.resize(kept);
  }
}

ExprStatePtr Arg(ExprCompiler& compiler, const ExprList& args, uint32_t i) {
  return compiler.Compile(args[i]);
}

KernelCall CallOf(const OpExprFields& op) {
  return KernelCall(op.opfuncid, op.opresulttype, op.inputcollid, false, op.args);
}

}  // namespace

ExprStatePtr CompileCall(ExprCompiler& compiler, Oid function, Oid result_type, Oid input_collation,
                         bool variadic_array, const ExprList& args) {
  return std::make_unique<CallState>(PhysicalOf(result_type),
                                     KernelCall(function, result_type, input_collation, variadic_array, args),
                                     compiler.CompileList(args));
}

ExprStatePtr CompileNullIf(ExprCompiler& compiler, const NullIfExpr& expr) {
  return std::make_unique<NullIfState>(PhysicalOf(ExprType(expr.args[0])), CallOf(expr),
                                       Arg(compiler, expr.args, 0), Arg(compiler, expr.args, 1));
}

ExprStatePtr CompileDistinct(ExprCompiler& compiler, const DistinctExpr& expr) {
  return std::make_unique<DistinctState>(CallOf(expr), Arg(compiler, expr.args, 0),
                                         Arg(compiler, expr.args, 1));
}

ExprStatePtr CompileRowCompare(ExprCompiler& compiler, const RowCompareExpr& expr) {
  std::vector<const TypeDescriptor*> types;
  for (size_t i = 0; i < expr.largs.size(); ++i) {
    const TypeDescriptor& left = TypeOf(ExprType(expr.largs[i]));
    if (left.physical != PhysicalOf(ExprType(expr.rargs[i])) || left.compare == nullptr) {
      throw NotSupported("row comparison between columns of different types");
    }
    types.push_back(&left);
  }
  return std::make_unique<RowCompareState>(expr.rctype, std::move(types), compiler.CompileList(expr.largs),
                                           compiler.CompileList(expr.rargs));
}

ExprStatePtr CompileScalarArrayOp(ExprCompiler& compiler, const ScalarArrayOpExpr& expr) {
  Oid element = TypeOf(ExprType(expr.args[1])).element;
  KernelCall call(expr.opfuncid, type_oid::kBool, expr.inputcollid, false, expr.args);
  return std::make_unique<ScalarArrayState>(std::move(call), expr.use_or, PhysicalOf(element),
                                            Arg(compiler, expr.args, 0), Arg(compiler, expr.args, 1));
}

namespace {

void CheckExecute(Oid function, ObjectKind kind) {
  const SessionIdentity& identity = session_identity();
  if (!IsValid(identity.database) || identity.bootstrapping || IsSuperuser(identity.current_role)) return;
  const BuiltinFunction* row = FindBuiltinFunction(function);
  ThrowUnlessOk(CheckFunction(function, identity.current_role), kind, row == nullptr ? "" : row->name);
}

}  // namespace

void CheckMayExecute(Oid function) { CheckExecute(function, ObjectKind::kFunction); }
void CheckMayAggregate(Oid function) { CheckExecute(function, ObjectKind::kAggregate); }

}  // namespace walden
