// Subqueries in expressions: EXISTS, scalar, IN/ANY, ALL, ARRAY, row comparison.
//
// The subplan runs once per row whose parameters differ; an uncorrelated one only once per execution of its SubPlan: its rows are kept
// by the plan below (the optimizer puts a Material node on top) so that restarting it is cheap.
#include <optional>

#include "node/sql/expression/compile.h"
#include "node/types/array.h"

namespace walden {
namespace {

class SubPlanState : public ExprState {
 public:
  SubPlanState(PhysicalType type, const SubPlan& plan, std::vector<ExprStatePtr> args, ExprStatePtr test)
      : ExprState(type),
        kind_(plan.sub_link_type),
        plan_id_(plan.plan_id),
        args_(std::move(args)),
        test_(std::move(test)) {
    for (int32_t id : plan.par_param) par_params_.push_back(id);
    for (int32_t id : plan.param_ids) test_params_.push_back(id);
    if (kind_ == SubLinkType::kArray) element_ = plan.first_col_type;
  }

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    std::vector<Vector*> args;
    for (ExprStatePtr& arg : args_) args.push_back(&arg->Eval(context, input, selection));
    Vector& result = PrepareResult(selection);
    selection.ForEach([&](uint32_t row) {
      for (size_t i = 0; i < args.size(); ++i)
        SetParam(context, par_params_[i], args[i]->type(), args[i]->Get(row));
      context.subplans->Start(plan_id_);
      result.Set(row, RunOnce(context, input, row));
    });
    return result;
  }

 private:
  static void SetParam(EvalContext& context, int32_t id, PhysicalType type, const Value& value) {
    SetExecParam(context.params, id, type, value);
  }

  Value RunOnce(EvalContext& context, std::span<Vector* const> input, uint32_t row) {
    switch (kind_) {
      case SubLinkType::kExists: return Exists(context);
      case SubLinkType::kExpr: return Scalar(context);
      case SubLinkType::kArray: return CollectArray(context);
      case SubLinkType::kAny:
      case SubLinkType::kAll: return Quantified(context, input, row);
      case SubLinkType::kRowCompare: return CompareRow(context, input, row);
      default: throw NotSupported("this kind of subquery");
    }
  }

  static Value Bool(bool truth) {
    Value value;
    value.is_null = false;
    value.datum.b = truth;
    return value;
  }

  Value Exists(EvalContext& context) {
    Batch batch;
    while (context.subplans->Next(plan_id_, &batch)) {
      if (batch.selection.count > 0) return Bool(true);
    }
    return Bool(false);
  }

  Value Scalar(EvalContext& context) {
    Batch batch;
    std::optional<Value> found;
    while (context.subplans->Next(plan_id_, &batch)) {
      if (batch.selection.count == 0) continue;
      if (found.has_value() || batch.selection.count > 1) {
        throw SqlError(ErrorCode::kCardinalityViolation,
                       "more than one row returned by a subquery used as an expression");
      }
      found = CopyToArena(context, batch.columns[0]->Get(batch.selection.Row(0)), batch.columns[0]->type());
    }
    return found.value_or(Value{});
  }

  static Value CopyToArena(EvalContext& context, Value value, PhysicalType type) {
    if (value.is_null) return value;
    if (type == PhysicalType::kString)
      value.datum = StringDatum(context.arena->Copy(value.datum.string.view()));
    if (type == PhysicalType::kNumeric && value.datum.numeric.kind == NumericKind::kBig) {
      char* digits = static_cast<char*>(context.arena->Allocate(value.datum.numeric.digits_size, 8));
      std::memcpy(digits, value.datum.numeric.digits, value.datum.numeric.digits_size);
      value.datum.numeric.digits = digits;
    }
    return value;
  }

  Value CollectArray(EvalContext& context) {
    Batch batch;
    ArrayCollector collector(element_);
    while (context.subplans->Next(plan_id_, &batch)) {
      batch.selection.ForEach([&](uint32_t row) { collector.Add(batch.columns[0]->Get(row)); });
    }
    return Value{StringDatum(collector.Finish(*context.arena)), false};
  }

  // The test of one subquery row, its columns handed over as parameters.
  Value Test(EvalContext& context, std::span<Vector* const> input, uint32_t row, const Batch& batch,
             uint32_t sub_row) {
    for (size_t i = 0; i < test_params_.size(); ++i) {
      SetParam(context, test_params_[i], batch.columns[i]->type(), batch.columns[i]->Get(sub_row));
    }
    uint16_t one = static_cast<uint16_t>(row);
    return test_->Eval(context, input, Selection{&one, 1}).Get(row);
  }

  // ANY is true at the first true, else null if a test was null; ALL is the mirror image.
  Value Quantified(EvalContext& context, std::span<Vector* const> input, uint32_t row) {
    bool decides = kind_ == SubLinkType::kAny;
    bool saw_null = false;
    Batch batch;
    while (context.subplans->Next(plan_id_, &batch)) {
      for (uint32_t i = 0; i < batch.selection.count; ++i) {
        Value test = Test(context, input, row, batch, batch.selection.Row(i));
        if (test.is_null) {
          saw_null = true;
        } else if (test.datum.b == decides) {
          return Bool(decides);
        }
      }
    }
    return saw_null ? Value{} : Bool(!decides);
  }

  Value CompareRow(EvalContext& context, std::span<Vector* const> input, uint32_t row) {
    Batch batch;
    std::optional<Value> found;
    while (context.subplans->Next(plan_id_, &batch)) {
      if (batch.selection.count == 0) continue;
      if (found.has_value() || batch.selection.count > 1) {
        throw SqlError(ErrorCode::kCardinalityViolation,
                       "more than one row returned by a subquery used as an expression");
      }
      found = Test(context, input, row, batch, batch.selection.Row(0));
    }
    return found.value_or(Value{});
  }

  SubLinkType kind_;
  int32_t plan_id_;
  Oid element_ = Oid::kInvalid;
  std::vector<ExprStatePtr> args_;
  std::vector<int32_t> par_params_;
  std::vector<int32_t> test_params_;
  ExprStatePtr test_;
};

// x IN (subquery) where the subquery's rows are hashed once.
class HashedSubPlanState : public ExprState {
 public:
  HashedSubPlanState(ExprCompiler& compiler, const SubPlan& plan)
      : ExprState(PhysicalType::kBool), plan_id_(plan.plan_id) {
    auto add = [&](const Expr* test) {
      const OpExpr& op = *As<OpExpr>(static_cast<const Node*>(test));
      keys_.push_back(compiler.Compile(op.args[0]));
      types_.push_back(ExprType(op.args[1]));
    };
    if (const BoolExpr* all = TryAs<BoolExpr>(static_cast<const Node*>(plan.testexpr))) {
      for (const Expr* test : all->args) add(test);
    } else {
      add(plan.testexpr);
    }
  }
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    std::vector<Vector*> keys;
    for (ExprStatePtr& key : keys_) keys.push_back(&key->Eval(context, input, selection));
    Vector& result = PrepareResult(selection);
    context.subplans->MatchHashed(plan_id_, keys, types_, context, selection, &result);
    return result;
  }

 private:
  int32_t plan_id_;
  std::vector<ExprStatePtr> keys_;
  std::vector<Oid> types_;
};

PhysicalType ResultTypeOf(const SubPlan& plan) {
  switch (plan.sub_link_type) {
    case SubLinkType::kExpr: return PhysicalOf(plan.first_col_type);
    case SubLinkType::kArray: return PhysicalType::kString;
    default: return PhysicalType::kBool;
  }
}

}  // namespace

ExprStatePtr CompileSubPlan(ExprCompiler& compiler, const SubPlan& expr) {
  if (expr.use_hash_table) return std::make_unique<HashedSubPlanState>(compiler, expr);
  return std::make_unique<SubPlanState>(ResultTypeOf(expr), expr, compiler.CompileList(expr.args),
                                        expr.testexpr == nullptr ? nullptr : compiler.Compile(expr.testexpr));
}

}  // namespace walden
