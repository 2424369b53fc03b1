// Casts that are not function calls: through text, element by element, and domain checks.
#include "node/sql/expression/compile.h"
#include "node/types/array.h"

namespace walden {
namespace {

// The source type's output function, then the target type's input function.
class CoerceViaIoState : public ExprState {
 public:
  CoerceViaIoState(const TypeDescriptor& from, const TypeDescriptor& to, ExprStatePtr arg)
      : ExprState(to.physical), from_(from), to_(to), arg_(std::move(arg)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& arg = arg_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    TypeIo from{*context.arena, *context.format, context.session, &from_};
    TypeIo to{*context.arena, *context.format, context.session, &to_};
    selection.ForEach([&](uint32_t row) {
      Value value = arg.Get(row);
      if (!value.is_null) {
        text_.clear();
        from_.output(value.datum, from, &text_);
        to_.input(context.arena->Copy(text_), to, &value.datum);
      }
      result.Set(row, value);
    });
    return result;
  }

 private:
  const TypeDescriptor& from_;
  const TypeDescriptor& to_;
  ExprStatePtr arg_;
  std::string text_;
};

class ArrayCoerceState : public ExprState {
 public:
  ArrayCoerceState(Oid element, PhysicalType from, PhysicalType to, std::unique_ptr<Vector*> slot,
                   ExprStatePtr arg, ExprStatePtr convert)
      : ExprState(PhysicalType::kString),
        element_(element),
        from_(from),
        to_(to),
        slot_(std::move(slot)),
        arg_(std::move(arg)),
        convert_(std::move(convert)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& arg = arg_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    selection.ForEach([&](uint32_t row) {
      Value value = arg.Get(row);
      if (!value.is_null) value.datum = StringDatum(Convert(context, input, value.datum.string.view()));
      result.Set(row, value);
    });
    return result;
  }

 private:
  std::string_view Convert(EvalContext& context, std::span<Vector* const> input, std::string_view bytes) {
    ArrayView view(bytes);
    ArrayBuilder builder(element_, to_);
    ArrayReader reader(view, from_);
    *slot_ = &value_;
    for (Value element; reader.Next(&element);) {
      value_.SetConstantValue(from_, element);
      builder.Add(convert_->Eval(context, input, Selection{nullptr, 1}).Get(0));
    }
    if (view.dimensions() == 0) return builder.Finish(*context.arena);
    std::vector<int32_t> lengths, bounds;
    for (int i = 0; i < view.dimensions(); ++i) {
      lengths.push_back(view.Length(i));
      bounds.push_back(view.LowerBound(i));
    }
    return builder.Finish(*context.arena, lengths, bounds);
  }
  Oid element_;
  PhysicalType from_, to_;
  std::unique_ptr<Vector*> slot_;
  ExprStatePtr arg_, convert_;
  Vector value_;
};

}  // namespace

ExprStatePtr CompileCoerceViaIo(ExprCompiler& compiler, const CoerceViaIo& expr) {
  return std::make_unique<CoerceViaIoState>(TypeOf(ExprType(expr.arg)), TypeOf(expr.resulttype),
                                            compiler.Compile(expr.arg));
}

ExprStatePtr CompileArrayCoerce(ExprCompiler& compiler, const ArrayCoerceExpr& expr) {
  auto slot = std::make_unique<Vector*>(nullptr);
  const TypeDescriptor& from = TypeOf(TypeOf(ExprType(expr.arg)).element);
  const TypeDescriptor& to = TypeOf(TypeOf(expr.resulttype).element);
  ExprStatePtr arg = compiler.Compile(expr.arg);
  SlotScope scope(&compiler.case_slot, slot.get());
  ExprStatePtr convert = compiler.Compile(expr.elemexpr);
  return std::make_unique<ArrayCoerceState>(to.oid, from.physical, to.physical, std::move(slot),
                                            std::move(arg), std::move(convert));
}

ExprStatePtr CompileCoerceToDomain(ExprCompiler&, const CoerceToDomain&) { throw NotSupported("domain"); }

}  // namespace walden
