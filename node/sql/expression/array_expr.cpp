// ARRAY[...], subscripts and slices, rows and their fields.
#include <algorithm>
#include <optional>

#include "node/sql/expression/compile.h"
#include "node/types/array.h"
#include "node/types/record.h"

namespace walden {
namespace {

class ArrayState : public ExprState {
 public:
  ArrayState(Oid element, PhysicalType element_type, bool nested, std::vector<ExprStatePtr> elements)
      : ExprState(PhysicalType::kString),
        element_(element),
        element_type_(element_type),
        nested_(nested),
        elements_(std::move(elements)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    std::vector<const Vector*> values;
    for (ExprStatePtr& element : elements_) values.push_back(&element->Eval(context, input, selection));
    Vector& result = PrepareResult(selection);
    selection.ForEach([&](uint32_t row) {
      std::string_view array = nested_ ? Nest(context, values, row) : Flat(context, values, row);
      result.data<StringRef>()[row] = {array.data(), array.size()};
    });
    return result;
  }

 private:
  std::string_view Flat(EvalContext& context, const std::vector<const Vector*>& values, uint32_t row) {
    ArrayBuilder builder(element_, element_type_);
    for (const Vector* vector : values) builder.Add(vector->Get(row));
    return builder.Finish(*context.arena);
  }

  // The elements are arrays of one shape: the result has one dimension more.
  std::string_view Nest(EvalContext& context, const std::vector<const Vector*>& values, uint32_t row) {
    ArrayBuilder builder(element_, element_type_);
    std::vector<int32_t> lengths, bounds;
    bool first = true;
    int32_t count = 0;
    for (const Vector* vector : values) {
      Value value = vector->Get(row);
      if (value.is_null) continue;
      ArrayView view(value.datum.string.view());
      std::vector<int32_t> own_lengths, own_bounds;
      for (int i = 0; i < view.dimensions(); ++i) {
        own_lengths.push_back(view.Length(i));
        own_bounds.push_back(view.LowerBound(i));
      }
      if (!first && (own_lengths != lengths || own_bounds != bounds)) {
        throw SqlError(ErrorCode::kArraySubscriptError,
                       "multidimensional arrays must have array expressions with matching dimensions");
      }
      first = false;
      lengths = own_lengths;
      bounds = own_bounds;
      ++count;
      ArrayReader reader(view, element_type_);
      for (Value element; reader.Next(&element);) builder.Add(element);
    }
    if (lengths.empty()) return builder.Finish(*context.arena);
    lengths.insert(lengths.begin(), count);
    bounds.insert(bounds.begin(), 1);
    return builder.Finish(*context.arena, lengths, bounds);
  }

  Oid element_;
  PhysicalType element_type_;
  bool nested_;
  std::vector<ExprStatePtr> elements_;
};

struct Subscripts {
  std::vector<ExprStatePtr> upper;
  std::vector<ExprStatePtr> lower;  // empty: an element is wanted; null entries: bound omitted
};

// Values of one row's subscripts; false when one of them is null.
bool ReadSubscripts(const std::vector<const Vector*>& vectors, uint32_t row,
                    const std::vector<int32_t>& defaults, std::vector<int32_t>* out) {
  out->clear();
  for (size_t i = 0; i < vectors.size(); ++i) {
    if (vectors[i] == nullptr) {
      out->push_back(defaults[i]);
      continue;
    }
    Value value = vectors[i]->Get(row);
    if (value.is_null) return false;
    out->push_back(value.datum.i32);
  }
  return true;
}

std::vector<const Vector*> EvalSubscripts(EvalContext& context, std::span<Vector* const> input,
                                          const Selection& selection, std::vector<ExprStatePtr>& states) {
  std::vector<const Vector*> vectors;
  for (ExprStatePtr& state : states) {
    vectors.push_back(state == nullptr ? nullptr : &state->Eval(context, input, selection));
  }
  return vectors;
}

class SubscriptState : public ExprState {
 public:
  SubscriptState(PhysicalType type, Oid element, PhysicalType element_type, ExprStatePtr array,
                 Subscripts subscripts)
      : ExprState(type),
        element_(element),
        element_type_(element_type),
        array_(std::move(array)),
        subscripts_(std::move(subscripts)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& array = array_->Eval(context, input, selection);
    std::vector<const Vector*> upper = EvalSubscripts(context, input, selection, subscripts_.upper);
    std::vector<const Vector*> lower = EvalSubscripts(context, input, selection, subscripts_.lower);
    Vector& result = PrepareResult(selection);
    selection.ForEach([&](uint32_t row) {
      Value bytes = array.Get(row);
      if (bytes.is_null) {
        result.SetNull(row);
        return;
      }
      ArrayView view(bytes.datum.string.view());
      result.Set(row, subscripts_.lower.empty() ? Element(view, upper, row)
                                                : Slice(context, view, upper, lower, row));
    });
    return result;
  }

 private:
  Value Element(const ArrayView& view, const std::vector<const Vector*>& upper, uint32_t row) {
    std::vector<int32_t> at;
    if (!ReadSubscripts(upper, row, {}, &at) || static_cast<int>(at.size()) != view.dimensions()) return {};
    uint32_t position = 0;
    for (int i = 0; i < view.dimensions(); ++i) {
      int64_t offset = int64_t{at[i]} - view.LowerBound(i);
      if (offset < 0 || offset >= view.Length(i)) return {};
      position = position * static_cast<uint32_t>(view.Length(i)) + static_cast<uint32_t>(offset);
    }
    return view.At(position, element_type_);
  }

  Value Slice(EvalContext& context, const ArrayView& view, const std::vector<const Vector*>& upper,
              const std::vector<const Vector*>& lower, uint32_t row) {
    int dimensions = view.dimensions();
    std::vector<int32_t> first_default, last_default, first, last;
    for (int i = 0; i < static_cast<int>(upper.size()); ++i) {
      first_default.push_back(i < dimensions ? view.LowerBound(i) : 1);
      last_default.push_back(i < dimensions ? view.LowerBound(i) + view.Length(i) - 1 : 0);
    }
    if (!ReadSubscripts(lower, row, first_default, &first) ||
        !ReadSubscripts(upper, row, last_default, &last))
      return {};
    Value result;
    result.is_null = false;
    ArrayBuilder builder(element_, element_type_);
    std::vector<int32_t> lengths, bounds;
    bool empty = dimensions == 0 || static_cast<int>(upper.size()) > dimensions;
    for (int i = 0; i < dimensions && !empty; ++i) {
      int32_t low = view.LowerBound(i), high = low + view.Length(i) - 1;
      if (i < static_cast<int>(first.size())) {
        low = std::max(low, first[i]);
        high = std::min(high, last[i]);
      }
      first.resize(std::max<size_t>(first.size(), i + 1));
      first[i] = low;
      empty = high < low;
      lengths.push_back(high - low + 1);
      bounds.push_back(1);
    }
    if (empty) {
      result.datum = StringDatum(builder.Finish(*context.arena));
      return result;
    }
    AddBox(view, first, lengths, 0, 0, &builder);
    result.datum = StringDatum(builder.Finish(*context.arena, lengths, bounds));
    return result;
  }

  // Adds the elements of the box that begins at `first` in row-major order.
  void AddBox(const ArrayView& view, const std::vector<int32_t>& first, const std::vector<int32_t>& lengths,
              int dimension, uint32_t position, ArrayBuilder* builder) {
    if (dimension == view.dimensions()) {
      builder->Add(view.At(position, element_type_));
      return;
    }
    for (int32_t i = 0; i < lengths[dimension]; ++i) {
      uint32_t offset = static_cast<uint32_t>(first[dimension] - view.LowerBound(dimension) + i);
      AddBox(view, first, lengths, dimension + 1,
             position * static_cast<uint32_t>(view.Length(dimension)) + offset, builder);
    }
  }

  Oid element_;
  PhysicalType element_type_;
  ExprStatePtr array_;
  Subscripts subscripts_;
};

// One byte of a name: its array is of fixed length, counted from 0 and filled up with zero bytes.
class NameByteState : public ExprState {
 public:
  NameByteState(ExprStatePtr name, Subscripts subscripts)
      : ExprState(PhysicalType::kInt8), name_(std::move(name)), subscripts_(std::move(subscripts)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& names = name_->Eval(context, input, selection);
    std::vector<const Vector*> upper = EvalSubscripts(context, input, selection, subscripts_.upper);
    Vector& result = PrepareResult(selection);
    std::vector<int32_t> at;
    selection.ForEach([&](uint32_t row) {
      Value bytes = names.Get(row);
      bool inside = !bytes.is_null && ReadSubscripts(upper, row, {}, &at) && at.size() == 1 && at[0] >= 0 &&
                    at[0] < kNameBytes;
      if (!inside) {
        result.SetNull(row);
        return;
      }
      std::string_view name = bytes.datum.string.view();
      size_t index = static_cast<size_t>(at[0]);
      Value byte;
      byte.is_null = false;
      byte.datum.i8 = index < name.size() ? static_cast<int8_t>(name[index]) : int8_t{0};
      result.Set(row, byte);
    });
    return result;
  }

 private:
  static constexpr int32_t kNameBytes = 64;
  ExprStatePtr name_;
  Subscripts subscripts_;
};

// container[subscripts] = value, as an expression that gives the changed container.
class SubscriptAssignState : public ExprState {
 public:
  SubscriptAssignState(Oid element, ExprStatePtr array, Subscripts subscripts, ExprStatePtr assigned)
      : ExprState(PhysicalType::kString),
        element_(element),
        array_(std::move(array)),
        subscripts_(std::move(subscripts)),
        assigned_(std::move(assigned)) {}

  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    const Vector& array = array_->Eval(context, input, selection);
    std::vector<const Vector*> upper = EvalSubscripts(context, input, selection, subscripts_.upper);
    std::vector<const Vector*> lower = EvalSubscripts(context, input, selection, subscripts_.lower);
    const Vector& assigned = assigned_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    std::string_view empty = ArrayBuilder(element_, PhysicalOf(element_)).Finish(*context.arena);
    selection.ForEach([&](uint32_t row) {
      Value bytes = array.Get(row);
      std::string_view before = bytes.is_null ? empty : bytes.datum.string.view();
      result.Set(row,
                 Value{StringDatum(Assign(context, before, upper, lower, assigned.Get(row), row)), false});
    });
    return result;
  }

 private:
  std::string_view Assign(EvalContext& context, std::string_view before,
                          const std::vector<const Vector*>& upper, const std::vector<const Vector*>& lower,
                          const Value& value, uint32_t row) const {
    std::vector<std::optional<int32_t>> last = Read(upper, row);
    if (lower.empty()) {
      std::vector<int32_t> at;
      for (const std::optional<int32_t>& each : last) at.push_back(*each);
      return AssignArrayElement(before, element_, at, value, *context.arena);
    }
    std::vector<std::optional<int32_t>> first = Read(lower, row);
    if (value.is_null) return before;
    return AssignArraySlice(before, element_, first, last, value.datum.string.view(), *context.arena);
  }

  static std::vector<std::optional<int32_t>> Read(const std::vector<const Vector*>& vectors, uint32_t row) {
    std::vector<std::optional<int32_t>> subscripts;
    for (const Vector* vector : vectors) {
      if (vector == nullptr) {
        subscripts.emplace_back();
        continue;
      }
      Value value = vector->Get(row);
      if (value.is_null)
        throw SqlError(ErrorCode::kNullValueNotAllowed, "array subscript in assignment must not be null");
      subscripts.push_back(value.datum.i32);
    }
    return subscripts;
  }

  Oid element_;
  ExprStatePtr array_;
  Subscripts subscripts_;
  ExprStatePtr assigned_;
};

}  // namespace

ExprStatePtr CompileArray(ExprCompiler& compiler, const ArrayExpr& expr) {
  return std::make_unique<ArrayState>(expr.element_typeid, PhysicalOf(expr.element_typeid), expr.multidims,
                                      compiler.CompileList(expr.elements));
}

ExprStatePtr CompileSubscripting(ExprCompiler& compiler, const SubscriptingRef& expr) {
  const TypeDescriptor& container = TypeOf(expr.refcontainertype);
  bool is_array = IsValid(container.element) && container.length == -1;
  if (!is_array && expr.refcontainertype != type_oid::kName) throw NotSupported("subscripting of this type");
  Subscripts subscripts;
  auto compile = [&](const ExprList& list, std::vector<ExprStatePtr>* to) {
    for (const Expr* each : list) to->push_back(each == nullptr ? nullptr : compiler.Compile(each));
  };
  compile(expr.refupperindexpr, &subscripts.upper);
  compile(expr.reflowerindexpr, &subscripts.lower);
  if (expr.refcontainertype == type_oid::kName) {
    if (!subscripts.lower.empty())
      throw SqlError(ErrorCode::kFeatureNotSupported, "slices of fixed-length arrays not implemented");
    if (expr.refassgnexpr != nullptr) throw NotSupported("assignment to an element of a name");
    return std::make_unique<NameByteState>(compiler.Compile(expr.refexpr), std::move(subscripts));
  }
  if (expr.refassgnexpr != nullptr) {
    return std::make_unique<SubscriptAssignState>(expr.refelemtype, compiler.Compile(expr.refexpr),
                                                  std::move(subscripts), compiler.Compile(expr.refassgnexpr));
  }
  return std::make_unique<SubscriptState>(PhysicalOf(expr.refrestype), expr.refelemtype,
                                          PhysicalOf(expr.refelemtype), compiler.Compile(expr.refexpr),
                                          std::move(subscripts));
}

namespace {

// ROW(a, b): a record with the fields' values.
class RowState : public ExprState {
 public:
  RowState(std::vector<Oid> types, std::vector<ExprStatePtr> fields, uint32_t shape)
      : ExprState(PhysicalType::kString),
        types_(std::move(types)),
        fields_(std::move(fields)),
        shape_(shape) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    std::vector<Vector*> values;
    for (ExprStatePtr& field : fields_) values.push_back(&field->Eval(context, input, selection));
    Vector& result = PrepareResult(selection);
    std::vector<RecordField> record(fields_.size());
    selection.ForEach([&](uint32_t row) {
      for (size_t i = 0; i < record.size(); ++i) record[i] = {types_[i], values[i]->Get(row)};
      result.Set(row, Value{StringDatum(MakeRecord(record, *context.arena, shape_)), false});
    });
    return result;
  }

 private:
  std::vector<Oid> types_;
  std::vector<ExprStatePtr> fields_;
  uint32_t shape_;  // of the fields' names
};

// (record).field
class FieldState : public ExprState {
 public:
  FieldState(PhysicalType type, ExprStatePtr record, size_t field)
      : ExprState(type), record_(std::move(record)), field_(field) {}
  Vector& Eval(EvalContext& context, std::span<Vector* const> input, const Selection& selection) override {
    Vector& records = record_->Eval(context, input, selection);
    Vector& result = PrepareResult(selection);
    selection.ForEach([&](uint32_t row) {
      Value record = records.Get(row), field;
      if (!record.is_null) {
        std::vector<RecordField> fields = ReadRecord(record.datum.string.view());
        if (field_ < fields.size()) field = fields[field_].value;
      }
      result.Set(row, field);
    });
    return result;
  }

 private:
  ExprStatePtr record_;
  size_t field_;
};

}  // namespace

ExprStatePtr CompileRow(ExprCompiler& compiler, const RowExpr& expr) {
  std::vector<Oid> types;
  for (const Expr* field : expr.args) types.push_back(ExprType(field));
  uint32_t shape = 0;
  if (expr.row_typeid == type_oid::kRecord && expr.colnames.size() == expr.args.size() &&
      !expr.args.empty()) {
    shape = RegisterRecordShape({expr.colnames.begin(), expr.colnames.end()});
  }
  return std::make_unique<RowState>(std::move(types), compiler.CompileList(expr.args), shape);
}

ExprStatePtr CompileFieldSelect(ExprCompiler& compiler, const FieldSelect& expr) {
  return std::make_unique<FieldState>(PhysicalOf(expr.resulttype), compiler.Compile(expr.arg),
                                      static_cast<size_t>(expr.fieldnum) - 1);
}

}  // namespace walden
