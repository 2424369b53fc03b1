// Arrays: shape, elements, construction, search, set operators; unnest and generate_subscripts.
#include <algorithm>

#include "node/base/error.h"
#include "node/sql/functions/comparison.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/record.h"

namespace walden {
namespace {

using View = std::string_view;

int Order(View a, View b) { return CompareArrays(a, b); }
bool Eq(View a, View b) { return ArraysEqual(a, b); }
bool Ne(View a, View b) { return !ArraysEqual(a, b); }
using A = CompareBy<View, &Order>;
int32_t Hash(View a) { return static_cast<int32_t>(HashArray(a)); }
int64_t HashExtended(View a, int64_t seed) {
  return static_cast<int64_t>(HashArray(a) ^ HashInteger(static_cast<uint64_t>(seed)));
}

// --- Shape -----------------------------------------------------------------------------------------------------

std::optional<int32_t> Dimensions(View a) {
  int n = ArrayView(a).dimensions();
  return n == 0 ? std::optional<int32_t>() : n;
}
std::optional<View> DimensionsText(CallContext& c, View a) {
  ArrayView view(a);
  if (view.dimensions() == 0) return std::nullopt;
  std::string text;
  for (int i = 0; i < view.dimensions(); ++i) {
    text += fmt::format("[{}:{}]", view.LowerBound(i), int64_t{view.LowerBound(i)} + view.Length(i) - 1);
  }
  return Keep(c, text);
}
bool HasDimension(const ArrayView& view, int32_t d) { return d >= 1 && d <= view.dimensions(); }
std::optional<int32_t> Lower(View a, int32_t d) {
  ArrayView view(a);
  return HasDimension(view, d) ? view.LowerBound(d - 1) : std::optional<int32_t>();
}
std::optional<int32_t> Upper(View a, int32_t d) {
  ArrayView view(a);
  return HasDimension(view, d) ? view.LowerBound(d - 1) + view.Length(d - 1) - 1 : std::optional<int32_t>();
}
std::optional<int32_t> Length(View a, int32_t d) {
  ArrayView view(a);
  return HasDimension(view, d) ? view.Length(d - 1) : std::optional<int32_t>();
}
int32_t Cardinality(View a) { return static_cast<int32_t>(ArrayView(a).count()); }

// --- Building --------------------------------------------------------------------------------------------------

// A mutable copy of an array's parts.
struct Parts {
  std::vector<int32_t> lengths, lower_bounds;
  std::vector<Value> elements;
  Oid type;
  PhysicalType physical;

  explicit Parts(View a) {
    ArrayView view(a);
    type = view.element_type();
    physical = TypeOf(type).physical;
    for (int i = 0; i < view.dimensions(); ++i) {
      lengths.push_back(view.Length(i));
      lower_bounds.push_back(view.LowerBound(i));
    }
    Value element;
    for (ArrayReader reader(view, physical); reader.Next(&element);) elements.push_back(element);
  }
  explicit Parts(Oid element) : type(element), physical(TypeOf(element).physical) {}

  View Finish(Arena& arena) const {
    ArrayBuilder builder(type, physical);
    for (const Value& element : elements) builder.Add(element);
    if (elements.empty()) return builder.Finish(arena, {}, {});
    CountElements(lengths);
    return builder.Finish(arena, lengths, lower_bounds);
  }
  View FinishFlat(Arena& arena) {
    lengths = {static_cast<int32_t>(elements.size())};
    lower_bounds = {1};
    return Finish(arena);
  }
};

Oid ElementOf(CallContext& c, size_t array_argument) {
  const TypeDescriptor& type = TypeOf(c.site.arg_types[array_argument]);
  if (!IsValid(type.element))
    throw SqlError(ErrorCode::kDatatypeMismatch, "could not determine input data types");
  return type.element;
}

void Put(Value* result, View array) { *result = Value{StringDatum(array), false}; }

void Push(CallContext& c, const Value& array, const Value& element, size_t array_argument, bool front,
          Value* result) {
  Parts parts = array.is_null ? Parts(ElementOf(c, array_argument)) : Parts(array.datum.string.view());
  if (parts.lengths.size() > 1)
    throw SqlError(ErrorCode::kDataException, "argument must be empty or one-dimensional array");
  if (parts.lengths.empty()) {
    parts.lengths = {0};
    parts.lower_bounds = {1};
  }
  // Prepending keeps the lower bound.
  parts.elements.insert(front ? parts.elements.begin() : parts.elements.end(), element);
  ++parts.lengths[0];
  Put(result, parts.Finish(c.arena));
}
void Append(CallContext& c, std::span<const Value> args, Value* result) {
  Push(c, args[0], args[1], 0, false, result);
}
void Prepend(CallContext& c, std::span<const Value> args, Value* result) {
  Push(c, args[1], args[0], 1, true, result);
}

[[noreturn]] void Incompatible(const std::string& detail) {
  throw SqlError(ErrorCode::kArraySubscriptError, "cannot concatenate incompatible arrays")
      .WithDetail(detail);
}

std::optional<View> Concatenate(CallContext& c, std::optional<View> a, std::optional<View> b) {
  if (!a) return b;
  if (!b) return a;
  Parts x(*a), y(*b);
  if (x.lengths.empty()) return b;
  if (y.lengths.empty()) return a;
  size_t nx = x.lengths.size(), ny = y.lengths.size();
  if (nx != ny && nx != ny + 1 && ny != nx + 1) {
    Incompatible(fmt::format("Arrays of {} and {} dimensions are not compatible for concatenation.", nx, ny));
  }
  auto same_from = [](const Parts& p, size_t pi, const Parts& q, size_t qi) {
    return std::equal(p.lengths.begin() + static_cast<long>(pi), p.lengths.end(),
                      q.lengths.begin() + static_cast<long>(qi), q.lengths.end());
  };
  if (nx == ny) {
    if (!same_from(x, 1, y, 1))
      Incompatible("Arrays with differing element dimensions are not compatible for concatenation.");
    x.lengths[0] += y.lengths[0];
  } else if (nx > ny) {
    if (!same_from(x, 1, y, 0))
      Incompatible("Arrays with differing dimensions are not compatible for concatenation.");
    ++x.lengths[0];
  } else {
    if (!same_from(y, 1, x, 0))
      Incompatible("Arrays with differing dimensions are not compatible for concatenation.");
    x.lengths = y.lengths;
    ++x.lengths[0];
    x.lower_bounds = y.lower_bounds;
  }
  x.elements.insert(x.elements.end(), y.elements.begin(), y.elements.end());
  return x.Finish(c.arena);
}

std::vector<int32_t> Int4s(const Value& array) {
  std::vector<int32_t> result;
  ArrayView view(array.datum.string.view());
  if (view.dimensions() > 1) {
    throw SqlError(ErrorCode::kArraySubscriptError, "wrong number of array subscripts")
        .WithDetail("Dimension array must be one dimensional.");
  }
  Value element;
  for (ArrayReader reader(view, PhysicalType::kInt32); reader.Next(&element);) {
    if (element.is_null) throw SqlError(ErrorCode::kNullValueNotAllowed, "dimension values cannot be null");
    result.push_back(element.datum.i32);
  }
  return result;
}
void Fill(CallContext& c, std::span<const Value> args, Value* result) {
  if (args[1].is_null || (args.size() > 2 && args[2].is_null)) {
    throw SqlError(ErrorCode::kNullValueNotAllowed, "dimension array or low bound array cannot be null");
  }
  Parts parts(c.site.arg_types[0]);
  parts.lengths = Int4s(args[1]);
  parts.lower_bounds = args.size() > 2 ? Int4s(args[2]) : std::vector<int32_t>(parts.lengths.size(), 1);
  if (parts.lower_bounds.size() != parts.lengths.size()) {
    throw SqlError(ErrorCode::kArraySubscriptError, "wrong number of array subscripts")
        .WithDetail("Low bound array has different size than dimensions array.");
  }
  parts.elements.assign(CountElements(parts.lengths), args[0]);
  Put(result, parts.Finish(c.arena));
}

// --- Text ------------------------------------------------------------------------------------------------------

View ToTextNull(CallContext& c, View a, View separator, std::optional<View> null_text) {
  ArrayView view(a);
  const TypeDescriptor& element = TypeOf(view.element_type());
  TypeIo io = c.Io(element.oid);
  std::string text;
  bool first = true;
  Value value;
  for (ArrayReader reader(view, element.physical); reader.Next(&value);) {
    if (value.is_null && !null_text) continue;
    if (!first) text += separator;
    first = false;
    if (value.is_null)
      text += *null_text;
    else
      element.output(value.datum, io, &text);
  }
  return Keep(c, text);
}
View ToText(CallContext& c, View a, View separator) { return ToTextNull(c, a, separator, std::nullopt); }
std::optional<View> ToTextOr(CallContext& c, std::optional<View> a, std::optional<View> separator,
                             std::optional<View> null_text) {
  if (!a || !separator) return std::nullopt;
  return ToTextNull(c, *a, *separator, null_text);
}

std::vector<Value> SplitText(std::optional<View> text, std::optional<View> separator,
                             std::optional<View> null_text) {
  std::vector<Value> pieces;
  auto add = [&](View piece) {
    bool is_null = null_text && piece == *null_text;
    pieces.push_back(Value{StringDatum(piece), is_null});
  };
  if (text->empty()) return pieces;
  if (!separator) {  // one piece per character
    for (size_t at = 0; at < text->size();) {
      size_t end = at + 1;
      while (end < text->size() && ((*text)[end] & 0xC0) == 0x80) ++end;
      add(text->substr(at, end - at));
      at = end;
    }
  } else if (separator->empty()) {
    add(*text);
  } else {
    size_t at = 0;
    for (size_t found; (found = text->find(*separator, at)) != View::npos; at = found + separator->size()) {
      add(text->substr(at, found - at));
    }
    add(text->substr(at));
  }
  return pieces;
}
std::optional<View> FromTextNull(CallContext& c, std::optional<View> text, std::optional<View> separator,
                                 std::optional<View> null_text) {
  if (!text) return std::nullopt;
  Parts parts(type_oid::kText);
  parts.elements = SplitText(text, separator, null_text);
  return parts.FinishFlat(c.arena);
}
std::optional<View> FromText(CallContext& c, std::optional<View> text, std::optional<View> separator) {
  return FromTextNull(c, text, separator, std::nullopt);
}

// --- Searching and editing -------------------------------------------------------------------------------------

bool SameElement(const TypeDescriptor& type, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) return a.is_null && b.is_null;
  return type.compare(a.datum, b.datum, nullptr) == 0;
}
void RequireFlat(const ArrayView& view, const char* what) {
  if (view.dimensions() > 1)
    throw SqlError(ErrorCode::kFeatureNotSupported, "{} multidimensional arrays is not supported", what);
}

void PositionStart(CallContext&, std::span<const Value> args, Value* result) {
  if (args[0].is_null) return;
  ArrayView view(args[0].datum.string.view());
  RequireFlat(view, "searching for elements in");
  int32_t start = view.dimensions() == 0 ? 1 : view.LowerBound(0);
  int32_t from = start;
  if (args.size() > 2) {
    if (args[2].is_null) throw SqlError(ErrorCode::kNullValueNotAllowed, "initial position must not be null");
    from = args[2].datum.i32;
  }
  const TypeDescriptor& type = TypeOf(view.element_type());
  Value element;
  int32_t position = start;
  for (ArrayReader reader(view, type.physical); reader.Next(&element); ++position) {
    if (position >= from && SameElement(type, element, args[1])) {
      *result = Value{Datum{.i32 = position}, false};
      return;
    }
  }
}
void Positions(CallContext& c, std::span<const Value> args, Value* result) {
  if (args[0].is_null) return;
  ArrayView view(args[0].datum.string.view());
  RequireFlat(view, "searching for elements in");
  const TypeDescriptor& type = TypeOf(view.element_type());
  ArrayBuilder builder(type_oid::kInt4, PhysicalType::kInt32);
  Value element;
  int32_t position = view.dimensions() == 0 ? 1 : view.LowerBound(0);
  for (ArrayReader reader(view, type.physical); reader.Next(&element); ++position) {
    if (SameElement(type, element, args[1])) builder.Add(Value{Datum{.i32 = position}, false});
  }
  Put(result, builder.Finish(c.arena));
}
void Remove(CallContext& c, std::span<const Value> args, Value* result) {
  if (args[0].is_null) return;
  Parts parts(args[0].datum.string.view());
  if (parts.lengths.size() > 1) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "removing elements from multidimensional arrays is not supported");
  }
  const TypeDescriptor& type = TypeOf(parts.type);
  std::erase_if(parts.elements, [&](const Value& element) { return SameElement(type, element, args[1]); });
  if (!parts.lengths.empty()) parts.lengths[0] = static_cast<int32_t>(parts.elements.size());
  Put(result, parts.Finish(c.arena));
}
void Replace(CallContext& c, std::span<const Value> args, Value* result) {
  if (args[0].is_null) return;
  Parts parts(args[0].datum.string.view());
  const TypeDescriptor& type = TypeOf(parts.type);
  for (Value& element : parts.elements) {
    if (SameElement(type, element, args[1])) element = args[2];
  }
  Put(result, parts.Finish(c.arena));
}
View TrimEnd(CallContext& c, View a, int32_t count) {
  Parts parts(a);
  int32_t have = parts.lengths.empty() ? 0 : parts.lengths[0];
  if (count < 0 || count > have) {
    throw SqlError(ErrorCode::kArrayElementError, "number of elements to trim must be between 0 and {}",
                   have);
  }
  if (have == 0) return a;
  size_t stride = parts.elements.size() / static_cast<size_t>(have);
  parts.elements.resize(stride * static_cast<size_t>(have - count));
  parts.lengths[0] = have - count;
  parts.lower_bounds.assign(parts.lower_bounds.size(), 1);
  return parts.Finish(c.arena);
}

bool ContainsAll(View a, View b, bool any) {
  ArrayView outer(a), inner(b);
  if (outer.element_type() != inner.element_type()) {
    throw SqlError(ErrorCode::kDatatypeMismatch, "cannot compare arrays of different element types");
  }
  const TypeDescriptor& type = TypeOf(outer.element_type());
  std::vector<Value> have;
  Value element;
  for (ArrayReader reader(outer, type.physical); reader.Next(&element);) have.push_back(element);
  for (ArrayReader reader(inner, type.physical); reader.Next(&element);) {
    bool found = false;
    for (const Value& candidate : have) {
      if (!candidate.is_null && !element.is_null &&
          type.compare(candidate.datum, element.datum, nullptr) == 0)
        found = true;
    }
    if (any && found) return true;
    if (!any && !found) return false;
  }
  return !any;
}
bool Contains(View a, View b) { return ContainsAll(a, b, false); }
bool ContainedBy(View a, View b) { return ContainsAll(b, a, false); }
bool Overlaps(View a, View b) { return ContainsAll(a, b, true); }

View Larger(View a, View b) { return CompareArrays(a, b) > 0 ? a : b; }
View Smaller(View a, View b) { return CompareArrays(a, b) < 0 ? a : b; }

// width_bucket(operand, thresholds): thresholds at or below the operand.
int32_t WidthBucket(CallContext& c, Datum operand, View thresholds) {
  ArrayView view(thresholds);
  const TypeDescriptor& type = TypeOf(c.site.arg_types[0]);
  if (view.dimensions() > 1)
    throw SqlError(ErrorCode::kArraySubscriptError, "thresholds must be one-dimensional array");
  if (view.has_nulls())
    throw SqlError(ErrorCode::kNullValueNotAllowed, "thresholds array must not contain NULLs");
  int32_t bucket = 0;
  Value element;
  for (ArrayReader reader(view, type.physical); reader.Next(&element);) {
    if (type.compare(operand, element.datum, nullptr) >= 0) ++bucket;
  }
  return bucket;
}

int RecordOrder(View a, View b) { return CompareRecords(a, b); }
using R = CompareBy<View, &RecordOrder>;

View OidVectorTypes(CallContext& c, View types) {
  std::string text;
  Value element;
  ArrayView view(types);
  for (ArrayReader reader(view, PhysicalType::kInt32); reader.Next(&element);) {
    if (!text.empty()) text += ", ";
    AppendText(c, type_oid::kRegType, element.datum, &text);
  }
  return Keep(c, text);
}

constexpr ScalarFunction kTable[] = {
    Scalar<&Eq>("array_eq"),
    Scalar<&Ne>("array_ne"),
    Scalar<&A::Lt>("array_lt"),
    Scalar<&A::Le>("array_le"),
    Scalar<&A::Gt>("array_gt"),
    Scalar<&A::Ge>("array_ge"),
    Scalar<&A::Order>("btarraycmp"),
    Scalar<&Larger>("array_larger"),
    Scalar<&Smaller>("array_smaller"),
    Scalar<&Hash>("hash_array"),
    Scalar<&HashExtended>("hash_array_extended"),
    Scalar<&Eq>("oidvectoreq"),
    Scalar<&Ne>("oidvectorne"),
    Scalar<&A::Lt>("oidvectorlt"),
    Scalar<&A::Le>("oidvectorle"),
    Scalar<&A::Gt>("oidvectorgt"),
    Scalar<&A::Ge>("oidvectorge"),
    Scalar<&A::Order>("btoidvectorcmp"),
    Scalar<&Hash>("hashoidvector"),
    Scalar<&HashExtended>("hashoidvectorextended"),
    Scalar<&OidVectorTypes>("oidvectortypes"),
    Scalar<&R::Eq>("record_eq"),
    Scalar<&R::Ne>("record_ne"),
    Scalar<&R::Lt>("record_lt"),
    Scalar<&R::Le>("record_le"),
    Scalar<&R::Gt>("record_gt"),
    Scalar<&R::Ge>("record_ge"),
    Scalar<&R::Order>("btrecordcmp"),
    Scalar<&Dimensions>("array_ndims"),
    Scalar<&DimensionsText>("array_dims"),
    Scalar<&Lower>("array_lower"),
    Scalar<&Upper>("array_upper"),
    Scalar<&Length>("array_length"),
    Scalar<&Cardinality>("array_cardinality"),
    RowForm<&Append, false>("array_append"),
    RowForm<&Prepend, false>("array_prepend"),
    Scalar<&Concatenate>("array_cat"),
    RowForm<&Fill, false>("array_fill"),
    RowForm<&Fill, false>("array_fill_with_lower_bounds"),
    Scalar<&ToText>("array_to_text"),
    Scalar<&ToTextOr>("array_to_text_null"),
    Scalar<&FromText>("text_to_array"),
    Scalar<&FromTextNull>("text_to_array_null"),
    RowForm<&PositionStart, false>("array_position"),
    RowForm<&PositionStart, false>("array_position_start"),
    RowForm<&Positions, false>("array_positions"),
    RowForm<&Remove, false>("array_remove"),
    RowForm<&Replace, false>("array_replace"),
    Scalar<&TrimEnd>("trim_array"),
    Scalar<&Contains>("arraycontains"),
    Scalar<&ContainedBy>("arraycontained"),
    Scalar<&Overlaps>("arrayoverlap"),
    Scalar<&WidthBucket>("width_bucket_array"),
};

// --- As tables -------------------------------------------------------------------------------------------------

class Unnest : public TableFunction {
 public:
  explicit Unnest(View array)
      : bytes_(array), view_(bytes_), type_(TypeOf(view_.element_type()).physical), reader_(view_, type_) {}
  uint32_t Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    for (Value value; count < max_rows && reader_.Next(&value); ++count) columns[0]->Set(count, value);
    return count;
  }

 private:
  std::string bytes_;
  ArrayView view_;
  PhysicalType type_;
  ArrayReader reader_;
};
std::unique_ptr<TableFunction> StartUnnest(CallContext&, std::span<const Value> args) {
  return std::make_unique<Unnest>(args[0].datum.string.view());
}

class Subscripts : public TableFunction {
 public:
  Subscripts(int32_t first, int32_t last, bool reverse)
      : next_(reverse ? last : first), left_(int64_t{last} - first + 1), step_(reverse ? -1 : 1) {}
  uint32_t Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    for (; count < max_rows && left_ > 0; ++count, --left_, next_ += step_) {
      columns[0]->data<int32_t>()[count] = static_cast<int32_t>(next_);
    }
    return count;
  }

 private:
  int64_t next_, left_;
  int step_;
};
std::unique_ptr<TableFunction> StartSubscripts(CallContext&, std::span<const Value> args) {
  ArrayView view(args[0].datum.string.view());
  int32_t d = args[1].datum.i32;
  if (!HasDimension(view, d)) return std::make_unique<Subscripts>(1, 0, false);
  bool reverse = args.size() > 2 && args[2].datum.b;
  return std::make_unique<Subscripts>(view.LowerBound(d - 1), view.LowerBound(d - 1) + view.Length(d - 1) - 1,
                                      reverse);
}

class TextPieces : public TableFunction {
 public:
  explicit TextPieces(const std::vector<Value>& pieces) {
    for (const Value& piece : pieces) {
      pieces_.push_back(piece.is_null ? std::optional<std::string>()
                                      : std::string(piece.datum.string.view()));
    }
  }
  uint32_t Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    for (; count < max_rows && at_ < pieces_.size(); ++count, ++at_) {
      if (pieces_[at_])
        columns[0]->Set(count, Value{StringDatum(*pieces_[at_]), false});
      else
        columns[0]->SetNull(count);
    }
    return count;
  }

 private:
  std::vector<std::optional<std::string>> pieces_;
  size_t at_ = 0;
};
std::unique_ptr<TableFunction> StartTextToTable(CallContext&, std::span<const Value> args) {
  auto text = [&](size_t i) -> std::optional<View> {
    if (i >= args.size() || args[i].is_null) return std::nullopt;
    return args[i].datum.string.view();
  };
  return std::make_unique<TextPieces>(text(0) ? SplitText(text(0), text(1), text(2)) : std::vector<Value>());
}

constexpr SetFunction kSets[] = {
    {"array_unnest", true, &StartUnnest},
    {"generate_subscripts", true, &StartSubscripts},
    {"generate_subscripts_nodir", true, &StartSubscripts},
    {"text_to_table", false, &StartTextToTable},
    {"text_to_table_null", false, &StartTextToTable},
};

}  // namespace

std::span<const ScalarFunction> ArrayFunctions() { return kTable; }
std::span<const SetFunction> ArraySetFunctions() { return kSets; }

}  // namespace walden
