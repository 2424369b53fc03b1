// CURRENT_DATE and friends, and nextval of identity columns: functions called by name.
#include "node/sql/expression/compile.h"

namespace walden {
namespace {

// Calls a scalar function of the registry with constant arguments, once per Eval.
class NamedCallState : public ExprState {
 public:
  NamedCallState(std::string_view source, Oid result, std::vector<Value> args, bool per_row)
      : ExprState(PhysicalOf(result)),
        function_(FindScalar(source)),
        args_(std::move(args)),
        per_row_(per_row) {
    if (function_ == nullptr) throw NotSupported(fmt::format("function {}", source));
    site_.result_type = result;
  }
  Vector& Eval(EvalContext& context, std::span<Vector* const>, const Selection& selection) override {
    CallContext call{*context.arena, *context.format, context.session, site_};
    if (!per_row_) {
      result_.SetConstantValue(type(), CallScalar(*function_, call, args_));
      return result_;
    }
    Vector& result = PrepareResult(selection);
    selection.ForEach([&](uint32_t row) { result.Set(row, CallScalar(*function_, call, args_)); });
    return result;
  }

 private:
  const ScalarFunction* function_;
  std::vector<Value> args_;
  bool per_row_;
  CallSite site_;
};

Value Int4Value(int32_t number) {
  Value value;
  value.is_null = false;
  value.datum.i32 = number;
  return value;
}

// Two steps for the forms that are now() cast to something: evaluates `first`, then a one-argument function of it.
class ThenCallState : public ExprState {
 public:
  ThenCallState(ExprStatePtr first, std::string_view source, Oid result, std::vector<Value> more)
      : ExprState(PhysicalOf(result)),
        first_(std::move(first)),
        function_(FindScalar(source)),
        more_(std::move(more)) {
    if (function_ == nullptr) throw NotSupported(fmt::format("function {}", source));
    site_.result_type = result;
  }
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection&) override {
    CallContext call{*context.arena, *context.format, context.session, site_};
    std::vector<Value> args{first_->Eval(context, input, Selection{nullptr, 1}).Get(0)};
    args.insert(args.end(), more_.begin(), more_.end());
    result_.SetConstantValue(type(), CallScalar(*function_, call, args));
    return result_;
  }

 private:
  ExprStatePtr first_;
  const ScalarFunction* function_;
  std::vector<Value> more_;
  CallSite site_;
};

ExprStatePtr Now() {
  return std::make_unique<NamedCallState>("now", type_oid::kTimestampTz, std::vector<Value>{}, false);
}

ExprStatePtr NowAs(std::string_view cast, Oid type) {
  return std::make_unique<ThenCallState>(Now(), cast, type, std::vector<Value>{});
}

ExprStatePtr Rounded(ExprStatePtr value, std::string_view scale_function, Oid type, int32_t typmod) {
  return std::make_unique<ThenCallState>(std::move(value), scale_function, type,
                                         std::vector<Value>{Int4Value(typmod)});
}

ExprStatePtr Named(std::string_view source, Oid type) {
  return std::make_unique<NamedCallState>(source, type, std::vector<Value>{}, false);
}

}  // namespace

ExprStatePtr CompileSqlValue(ExprCompiler&, const SqlValueFunction& expr) {
  using Op = SqlValueFunctionOp;
  switch (expr.op) {
    case Op::kCurrentDate: return NowAs("timestamptz_date", type_oid::kDate);
    case Op::kCurrentTime: return NowAs("timestamptz_timetz", type_oid::kTimeTz);
    case Op::kCurrentTimeN:
      return Rounded(NowAs("timestamptz_timetz", type_oid::kTimeTz), "timetz_scale", type_oid::kTimeTz,
                     expr.typmod);
    case Op::kCurrentTimestamp: return Now();
    case Op::kCurrentTimestampN:
      return Rounded(Now(), "timestamptz_scale", type_oid::kTimestampTz, expr.typmod);
    case Op::kLocalTime: return NowAs("timestamptz_time", type_oid::kTime);
    case Op::kLocalTimeN:
      return Rounded(NowAs("timestamptz_time", type_oid::kTime), "time_scale", type_oid::kTime, expr.typmod);
    case Op::kLocalTimestamp: return NowAs("timestamptz_timestamp", type_oid::kTimestamp);
    case Op::kLocalTimestampN:
      return Rounded(NowAs("timestamptz_timestamp", type_oid::kTimestamp), "timestamp_scale",
                     type_oid::kTimestamp, expr.typmod);
    case Op::kCurrentRole:
    case Op::kCurrentUser:
    case Op::kUser: return Named("current_user", type_oid::kName);
    case Op::kSessionUser: return Named("session_user", type_oid::kName);
    case Op::kCurrentCatalog: return Named("current_database", type_oid::kName);
    case Op::kCurrentSchema: return Named("current_schema", type_oid::kName);
  }
  throw SqlError(ErrorCode::kInternalError, "unrecognized SQLValueFunction");
}

// nextval(seqid), then narrowed to the column's type.
ExprStatePtr CompileNextValue(ExprCompiler&, const NextValueExpr& expr) {
  auto next = std::make_unique<NamedCallState>(
      "nextval_oid", type_oid::kInt8,
      std::vector<Value>{Int4Value(static_cast<int32_t>(OidNumber(expr.seqid)))}, true);
  if (expr.type_id == type_oid::kInt8) return next;
  class NarrowState : public ExprState {
   public:
    NarrowState(Oid type, ExprStatePtr arg)
        : ExprState(PhysicalOf(type)), type_oid_(type), arg_(std::move(arg)) {}
    Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
      const Vector& arg = arg_->Eval(context, input, selection);
      Vector& result = PrepareResult(selection);
      selection.ForEach([&](uint32_t row) {
        int64_t number = arg.Get(row).datum.i64;
        bool is_small = type_oid_ == type_oid::kInt2;
        if (is_small ? number != static_cast<int16_t>(number) : number != static_cast<int32_t>(number)) {
          throw SqlError(ErrorCode::kNumericValueOutOfRange,
                         is_small ? "smallint out of range" : "integer out of range");
        }
        Value value;
        value.is_null = false;
        if (is_small) {
          value.datum.i16 = static_cast<int16_t>(number);
        } else {
          value.datum.i32 = static_cast<int32_t>(number);
        }
        result.Set(row, value);
      });
      return result;
    }

   private:
    Oid type_oid_;
    ExprStatePtr arg_;
  };
  return std::make_unique<NarrowState>(expr.type_id, std::move(next));
}

}  // namespace walden
