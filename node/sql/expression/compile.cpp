#include "node/sql/expression/compile.h"

#include "node/sql/query/expr.h"

namespace walden {
namespace {

class ConstState : public ExprState {
 public:
  explicit ConstState(const Const& constant) : ExprState(constant.value.physical) {
    result_.SetConstantValue(type(), constant.value);
  }
  Vector& Eval(EvalContext&, std::span<Vector* const>, const Selection&) override { return result_; }
};

class InputState : public ExprState {
 public:
  InputState(PhysicalType type, size_t column) : ExprState(type), column_(column) {}
  Vector& Eval(EvalContext&, std::span<Vector* const> input, const Selection&) override {
    DCHECK(column_ < input.size());
    return *input[column_];
  }

 private:
  size_t column_;
};

class SlotState : public ExprState {
 public:
  SlotState(PhysicalType type, Vector** slot) : ExprState(type), slot_(slot) {}
  Vector& Eval(EvalContext&, std::span<Vector* const>, const Selection&) override { return **slot_; }

 private:
  Vector** slot_;
};

class ExternParamState : public ExprState {
 public:
  explicit ExternParamState(const Param& param)
      : ExprState(PhysicalOf(param.paramtype)), id_(param.paramid) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const>, const Selection&) override {
    if (context.params == nullptr || id_ < 1 || static_cast<size_t>(id_) > context.params->external.size()) {
      throw SqlError(ErrorCode::kUndefinedObject, "no value found for parameter {}", id_);
    }
    result_.SetConstantValue(type(), context.params->external[id_ - 1]);
    return result_;
  }

 private:
  int32_t id_;
};

class ExecParamState : public ExprState {
 public:
  explicit ExecParamState(const Param& param) : ExprState(PhysicalOf(param.paramtype)), id_(param.paramid) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const>, const Selection&) override {
    ExecParam& param = context.params->exec[id_];
    if (param.pending_init_plan != 0) context.subplans->RunInitPlan(param.pending_init_plan);
    result_.SetConstantValue(type(), param.value);
    return result_;
  }

 private:
  int32_t id_;
};

constexpr int kMaxDepth = 10000;

}  // namespace

PhysicalType PhysicalOf(Oid type) { return TypeOf(type).physical; }

ExprStatePtr CompileExpression(const Expr* expr) { return ExprCompiler().Compile(expr); }

std::vector<ExprStatePtr> ExprCompiler::CompileList(const ExprList& list) {
  std::vector<ExprStatePtr> states;
  for (const Expr* expr : list) states.push_back(Compile(expr));
  return states;
}

ExprStatePtr ExprCompiler::Compile(const Expr* expr) {
  struct DepthGuard {
    explicit DepthGuard(int* depth) : depth_(depth) {
      if (++*depth_ > kMaxDepth)
        throw SqlError(ErrorCode::kStatementTooComplex, "stack depth limit exceeded");
    }
    ~DepthGuard() { --*depth_; }
    int* depth_;
  } guard(&depth_);
  switch (expr->tag) {
    case NodeTag::kConst: return std::make_unique<ConstState>(*As<Const>(expr));
    case NodeTag::kVar: {
      const Var& var = *As<Var>(expr);
      CHECK(var.varno == kInputVar);
      return std::make_unique<InputState>(PhysicalOf(var.vartype), static_cast<size_t>(var.varattno) - 1);
    }
    case NodeTag::kParam: {
      const Param& param = *As<Param>(expr);
      if (param.paramkind == ParamKind::kExtern) return std::make_unique<ExternParamState>(param);
      return std::make_unique<ExecParamState>(param);
    }
    case NodeTag::kFuncExpr: {
      const FuncExpr& call = *As<FuncExpr>(expr);
      CheckMayExecute(call.funcid);
      return CompileCall(*this, call.funcid, call.funcresulttype, call.inputcollid, call.funcvariadic,
                         call.args);
    }
    case NodeTag::kOpExpr: {
      const OpExpr& op = *As<OpExpr>(expr);
      CheckMayExecute(op.opfuncid);
      return CompileCall(*this, op.opfuncid, op.opresulttype, op.inputcollid, false, op.args);
    }
    case NodeTag::kDistinctExpr:
      CheckMayExecute(As<DistinctExpr>(expr)->opfuncid);
      return CompileDistinct(*this, *As<DistinctExpr>(expr));
    case NodeTag::kNullIfExpr:
      CheckMayExecute(As<NullIfExpr>(expr)->opfuncid);
      return CompileNullIf(*this, *As<NullIfExpr>(expr));
    case NodeTag::kScalarArrayOpExpr:
      CheckMayExecute(As<ScalarArrayOpExpr>(expr)->opfuncid);
      return CompileScalarArrayOp(*this, *As<ScalarArrayOpExpr>(expr));
    case NodeTag::kBoolExpr: return CompileBool(*this, *As<BoolExpr>(expr));
    case NodeTag::kSubPlan: return CompileSubPlan(*this, *As<SubPlan>(expr));
    case NodeTag::kFieldSelect: return CompileFieldSelect(*this, *As<FieldSelect>(expr));
    case NodeTag::kRelabelType: return Compile(As<RelabelType>(expr)->arg);
    case NodeTag::kCollateExpr: return Compile(As<CollateExpr>(expr)->arg);
    case NodeTag::kNamedArgExpr: return Compile(As<NamedArgExpr>(expr)->arg);
    case NodeTag::kTargetEntry: return Compile(As<TargetEntry>(expr)->expr);
    case NodeTag::kCoerceViaIo: return CompileCoerceViaIo(*this, *As<CoerceViaIo>(expr));
    case NodeTag::kArrayCoerceExpr: return CompileArrayCoerce(*this, *As<ArrayCoerceExpr>(expr));
    case NodeTag::kCaseExpr: return CompileCase(*this, *As<CaseExpr>(expr));
    case NodeTag::kCaseTestExpr:
      CHECK(case_slot != nullptr);
      return std::make_unique<SlotState>(PhysicalOf(As<CaseTestExpr>(expr)->type_id), case_slot);
    case NodeTag::kArrayExpr: return CompileArray(*this, *As<ArrayExpr>(expr));
    case NodeTag::kSubscriptingRef: return CompileSubscripting(*this, *As<SubscriptingRef>(expr));
    case NodeTag::kRowExpr: return CompileRow(*this, *As<RowExpr>(expr));
    case NodeTag::kRowCompareExpr: return CompileRowCompare(*this, *As<RowCompareExpr>(expr));
    case NodeTag::kCoalesceExpr: return CompileCoalesce(*this, *As<CoalesceExpr>(expr));
    case NodeTag::kMinMaxExpr: return CompileMinMax(*this, *As<MinMaxExpr>(expr));
    case NodeTag::kSqlValueFunction: return CompileSqlValue(*this, *As<SqlValueFunction>(expr));
    case NodeTag::kNullTest: return CompileNullTest(*this, *As<NullTest>(expr));
    case NodeTag::kBooleanTest: return CompileBooleanTest(*this, *As<BooleanTest>(expr));
    case NodeTag::kCoerceToDomain: return CompileCoerceToDomain(*this, *As<CoerceToDomain>(expr));
    case NodeTag::kCoerceToDomainValue:
      CHECK(domain_slot != nullptr);
      return std::make_unique<SlotState>(PhysicalOf(As<CoerceToDomainValue>(expr)->type_id), domain_slot);
    case NodeTag::kNextValueExpr: return CompileNextValue(*this, *As<NextValueExpr>(expr));
    case NodeTag::kXmlExpr: throw NotSupported("XML");
    case NodeTag::kConvertRowtypeExpr: throw NotSupported("conversion between row types");
    case NodeTag::kFieldStore: throw NotSupported("assignment to a field of a composite column");
    default:
      throw SqlError(ErrorCode::kInternalError, "unexpected {} in an expression", NodeTagName(expr->tag));
  }
}

}  // namespace walden
