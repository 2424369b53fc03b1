// jsonb: operators, changes, tables.
#include <algorithm>
#include <memory>

#include "node/base/error.h"
#include "node/sql/functions/comparison.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/jsonb.h"
#include "node/types/numeric.h"

namespace walden {
namespace {

using View = std::string_view;
using Maybe = std::optional<View>;
using MaybeNode = std::optional<JsonbView>;

int Order(View a, View b) { return CompareJsonb(JsonbView(a), JsonbView(b)); }
using J = CompareBy<View, &Order>;
int32_t Hash(View a) { return static_cast<int32_t>(HashJsonb(JsonbView(a))); }
int64_t HashExtended(View a, int64_t seed) {
  return static_cast<int64_t>(HashJsonb(JsonbView(a)) ^ HashInteger(static_cast<uint64_t>(seed)));
}

Maybe Bytes(MaybeNode v) { return v ? Maybe(v->bytes()) : std::nullopt; }
Maybe AsText(CallContext& c, MaybeNode v) {
  if (!v || v->kind() == JsonKind::kNull) return std::nullopt;
  std::string text;
  AppendJsonbText(&text, *v);
  return Keep(c, text);
}

MaybeNode FieldOf(const JsonbView& v, View key) {
  return v.kind() == JsonKind::kObject ? v.Find(key) : std::nullopt;
}
MaybeNode ElementOf(const JsonbView& v, int64_t index) {
  if (v.kind() != JsonKind::kArray) return std::nullopt;
  if (index < 0) index += v.count();
  if (index < 0 || index >= int64_t{v.count()}) return std::nullopt;
  return v.Element(static_cast<uint32_t>(index));
}
bool ParseIndex(View text, int32_t* index) {
  try {
    *index = ParseInt32(text);
    return true;
  } catch (const SqlError&) {
    return false;
  }
}
std::vector<std::string> PathOf(View path) {
  std::vector<std::string> steps;
  Value step;
  ArrayView view(path);
  for (ArrayReader reader(view, PhysicalType::kString); reader.Next(&step);) {
    if (step.is_null)
      throw SqlError(ErrorCode::kNullValueNotAllowed, "path element at position {} is null",
                     steps.size() + 1);
    steps.emplace_back(step.datum.string.view());
  }
  return steps;
}
MaybeNode At(View json, View path) {
  MaybeNode at = JsonbView(json);
  Value step;
  ArrayView view(path);
  for (ArrayReader reader(view, PhysicalType::kString); at && reader.Next(&step);) {
    int32_t index;
    if (step.is_null) return std::nullopt;
    if (at->kind() == JsonKind::kObject)
      at = FieldOf(*at, step.datum.string.view());
    else if (at->kind() == JsonKind::kArray && ParseIndex(step.datum.string.view(), &index))
      at = ElementOf(*at, index);
    else
      return std::nullopt;
  }
  return at;
}

Maybe Field(View a, View key) { return Bytes(FieldOf(JsonbView(a), key)); }
Maybe FieldText(CallContext& c, View a, View key) { return AsText(c, FieldOf(JsonbView(a), key)); }
Maybe Element(View a, int32_t index) { return Bytes(ElementOf(JsonbView(a), index)); }
Maybe ElementText(CallContext& c, View a, int32_t index) { return AsText(c, ElementOf(JsonbView(a), index)); }
Maybe Path(View a, View path) { return Bytes(At(a, path)); }
Maybe PathText(CallContext& c, View a, View path) { return AsText(c, At(a, path)); }
View TypeName(View a) { return JsonKindName(JsonbView(a).kind()); }
int32_t ArrayLength(View a) {
  JsonbView v(a);
  if (v.kind() != JsonKind::kArray) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "cannot get array length of {}",
                   v.kind() == JsonKind::kObject ? "a non-array" : "a scalar");
  }
  return static_cast<int32_t>(v.count());
}
bool Contains(View a, View b) {
  JsonbView x(a), y(b);
  return JsonbContains(x, y);
}
bool Contained(View a, View b) { return Contains(b, a); }

bool HasKey(const JsonbView& v, View key) {
  if (v.kind() == JsonKind::kObject) return v.Find(key).has_value();
  if (v.kind() == JsonKind::kString) return v.string() == key;
  if (v.kind() != JsonKind::kArray) return false;
  for (uint32_t i = 0; i < v.count(); ++i) {
    JsonbView element = v.Element(i);
    if (element.kind() == JsonKind::kString && element.string() == key) return true;
  }
  return false;
}
bool Exists(View a, View key) { return HasKey(JsonbView(a), key); }
template <bool kAny>
bool ExistsSome(View a, View keys) {
  JsonbView v(a);
  ArrayView view(keys);
  Value key;
  for (ArrayReader reader(view, PhysicalType::kString); reader.Next(&key);) {
    if (key.is_null) continue;
    if (HasKey(v, key.datum.string.view()) == kAny) return kAny;
  }
  return !kAny;
}

// --- Changes ---------------------------------------------------------------------------------------------------

SqlError Invalid(const char* text) { return SqlError(ErrorCode::kInvalidParameterValue, "{}", text); }

View Concatenate(CallContext& c, View a, View b) {
  JsonbNode x = JsonbNode::FromView(JsonbView(a)), y = JsonbNode::FromView(JsonbView(b));
  if (x.kind == JsonKind::kObject && y.kind == JsonKind::kObject) {
    for (auto& member : y.members) x.members.push_back(std::move(member));
    return x.Encode(c.arena);
  }
  JsonbNode result;
  result.kind = JsonKind::kArray;
  for (JsonbNode* part : {&x, &y}) {
    if (part->kind == JsonKind::kArray) {
      for (JsonbNode& element : part->elements) result.elements.push_back(std::move(element));
    } else {
      result.elements.push_back(std::move(*part));
    }
  }
  return result.Encode(c.arena);
}

void RequireContainer(const JsonbView& v) {
  if (!v.is_container()) throw Invalid("cannot delete from scalar");
}
void EraseKey(JsonbNode* node, View key) {
  std::erase_if(node->members, [&](const auto& member) { return member.first == key; });
  std::erase_if(node->elements,
                [&](const JsonbNode& e) { return e.kind == JsonKind::kString && e.string == key; });
}
View Delete(CallContext& c, View a, View key) {
  RequireContainer(JsonbView(a));
  JsonbNode node = JsonbNode::FromView(JsonbView(a));
  EraseKey(&node, key);
  return node.Encode(c.arena);
}
View DeleteKeys(CallContext& c, View a, View keys) {
  RequireContainer(JsonbView(a));
  JsonbNode node = JsonbNode::FromView(JsonbView(a));
  Value key;
  ArrayView view(keys);
  for (ArrayReader reader(view, PhysicalType::kString); reader.Next(&key);) {
    if (!key.is_null) EraseKey(&node, key.datum.string.view());
  }
  return node.Encode(c.arena);
}
View DeleteIndex(CallContext& c, View a, int32_t index) {
  JsonbView v(a);
  RequireContainer(v);
  if (v.kind() == JsonKind::kObject) throw Invalid("cannot delete from object using integer index");
  JsonbNode node = JsonbNode::FromView(v);
  int64_t position = index < 0 ? int64_t{index} + v.count() : index;
  if (position < 0 || position >= int64_t{v.count()}) return a;
  node.elements.erase(node.elements.begin() + position);
  return node.Encode(c.arena);
}

int32_t RequireIndex(const std::string& step, size_t position) {
  int32_t index;
  if (!ParseIndex(step, &index)) {
    throw SqlError(ErrorCode::kInvalidTextRepresentation,
                   "path element at position {} is not an integer: \"{}\"", position + 1, step);
  }
  return index;
}

enum class Change { kSet, kSetOnly, kInsertBefore, kInsertAfter, kDelete };

// Applies the change at the end of the path; steps that do not exist leave the value as it is.
void ApplyAt(JsonbNode* node, const std::vector<std::string>& path, size_t depth, Change change,
             const JsonbNode& value) {
  bool last = depth + 1 == path.size();
  if (node->kind == JsonKind::kObject) {
    JsonbNode* found = node->Find(path[depth]);
    if (!last) {
      if (found != nullptr) ApplyAt(found, path, depth + 1, change, value);
      return;
    }
    if (change == Change::kDelete) {
      EraseKey(node, path[depth]);
    } else if (found == nullptr) {
      if (change != Change::kSetOnly) node->members.emplace_back(path[depth], value);
    } else if (change == Change::kInsertBefore || change == Change::kInsertAfter) {
      throw Invalid("cannot replace existing key")
          .WithHint("Try using the function jsonb_set to replace key value.");
    } else {
      *found = value;
    }
    return;
  }
  if (node->kind != JsonKind::kArray) return;
  auto count = static_cast<int64_t>(node->elements.size());
  int64_t index = RequireIndex(path[depth], depth);
  bool before_start = index < 0 && index + count < 0;
  if (index < 0) index += count;
  if (!last) {
    if (index >= 0 && index < count)
      ApplyAt(&node->elements[static_cast<size_t>(index)], path, depth + 1, change, value);
    return;
  }
  bool inside = index >= 0 && index < count;
  auto at = [&](int64_t i) { return node->elements.begin() + std::clamp<int64_t>(i, 0, count); };
  switch (change) {
    case Change::kDelete:
      if (inside) node->elements.erase(at(index));
      break;
    case Change::kSetOnly:
      if (inside) *at(index) = value;
      break;
    case Change::kSet:
      if (inside)
        *at(index) = value;
      else
        node->elements.insert(before_start ? node->elements.begin() : node->elements.end(), value);
      break;
    case Change::kInsertBefore:
      node->elements.insert(before_start ? node->elements.begin() : at(index), value);
      break;
    case Change::kInsertAfter:
      node->elements.insert(before_start ? node->elements.begin() : at(index + 1), value);
      break;
  }
}

View Changed(CallContext& c, View a, View path, Change change, const JsonbNode& value, const char* verb) {
  JsonbView v(a);
  if (ArrayView(path).dimensions() > 1)
    throw SqlError(ErrorCode::kArraySubscriptError, "wrong number of array subscripts");
  if (!v.is_container()) throw SqlError(ErrorCode::kInvalidParameterValue, "cannot {} scalar", verb);
  std::vector<std::string> steps = PathOf(path);
  if (steps.empty() || (v.count() == 0 && change == Change::kSetOnly)) return a;
  JsonbNode node = JsonbNode::FromView(v);
  ApplyAt(&node, steps, 0, change, value);
  return node.Encode(c.arena);
}
View Set(CallContext& c, View a, View path, View value, bool create) {
  return Changed(c, a, path, create ? Change::kSet : Change::kSetOnly, JsonbNode::FromView(JsonbView(value)),
                 "set path in");
}
View Insert(CallContext& c, View a, View path, View value, bool after) {
  return Changed(c, a, path, after ? Change::kInsertAfter : Change::kInsertBefore,
                 JsonbNode::FromView(JsonbView(value)), "set path in");
}
View DeletePath(CallContext& c, View a, View path) {
  return Changed(c, a, path, Change::kDelete, JsonbNode(), "delete path in");
}

Maybe SetLax(CallContext& c, Maybe a, Maybe path, Maybe value, std::optional<bool> create, Maybe treatment) {
  if (!a || !path || !create) return std::nullopt;
  if (!treatment)
    throw Invalid(
        "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or "
        "\"raise_exception\"");
  if (value) return Set(c, *a, *path, *value, *create);
  if (*treatment == "raise_exception") {
    throw SqlError(ErrorCode::kNullValueNotAllowed, "JSON value must not be null")
        .WithDetail("Exception was raised because null_value_treatment is \"raise_exception\".")
        .WithHint(
            "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not "
            "passed.");
  }
  if (*treatment == "use_json_null") return Set(c, *a, *path, JsonbNode().Encode(c.arena), *create);
  if (*treatment == "delete_key") return DeletePath(c, *a, *path);
  if (*treatment == "return_target") return a;
  throw Invalid(
      "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or "
      "\"raise_exception\"");
}

void Strip(JsonbNode* node) {
  std::erase_if(node->members, [](const auto& member) { return member.second.kind == JsonKind::kNull; });
  for (auto& [key, value] : node->members) Strip(&value);
  for (JsonbNode& element : node->elements) Strip(&element);
}
View StripNulls(CallContext& c, View a) {
  JsonbNode node = JsonbNode::FromView(JsonbView(a));
  Strip(&node);
  return node.Encode(c.arena);
}
View Pretty(CallContext& c, View a) {
  std::string text;
  AppendJsonbPretty(&text, JsonbView(a), 0);
  return Keep(c, text);
}

// --- Casts to SQL types ----------------------------------------------------------------------------------------

NumericRef RequireNumber(View a, const char* type) {
  JsonbView v(a);
  if (v.kind() == JsonKind::kNumber) return v.number();
  const char* what = v.kind() == JsonKind::kArray    ? "array"
                     : v.kind() == JsonKind::kObject ? "object"
                     : v.kind() == JsonKind::kNull   ? "null"
                     : v.kind() == JsonKind::kBool   ? "boolean"
                                                     : "string";
  throw SqlError(ErrorCode::kInvalidParameterValue, "cannot cast jsonb {} to type {}", what, type);
}
bool ToBool(View a) {
  JsonbView v(a);
  if (v.kind() == JsonKind::kBool) return v.boolean();
  const char* what = v.kind() == JsonKind::kArray    ? "array"
                     : v.kind() == JsonKind::kObject ? "object"
                     : v.kind() == JsonKind::kNull   ? "null"
                     : v.kind() == JsonKind::kNumber ? "numeric"
                                                     : "string";
  throw SqlError(ErrorCode::kInvalidParameterValue, "cannot cast jsonb {} to type boolean", what);
}
NumericRef ToNumeric(View a) { return RequireNumber(a, "numeric"); }
int16_t ToInt2(View a) { return NumericToInt16(RequireNumber(a, "smallint")); }
int32_t ToInt4(View a) { return NumericToInt32(RequireNumber(a, "integer")); }
int64_t ToInt8(View a) { return NumericToInt64(RequireNumber(a, "bigint")); }
float ToFloat4(View a) { return NumericToFloat(RequireNumber(a, "real")); }
double ToFloat8(View a) { return NumericToDouble(RequireNumber(a, "double precision")); }

constexpr ScalarFunction kTable[] = {
    Scalar<&J::Eq>("jsonb_eq"),
    Scalar<&J::Ne>("jsonb_ne"),
    Scalar<&J::Lt>("jsonb_lt"),
    Scalar<&J::Le>("jsonb_le"),
    Scalar<&J::Gt>("jsonb_gt"),
    Scalar<&J::Ge>("jsonb_ge"),
    Scalar<&J::Order>("jsonb_cmp"),
    Scalar<&Hash>("jsonb_hash"),
    Scalar<&HashExtended>("jsonb_hash_extended"),
    Scalar<&Field>("jsonb_object_field"),
    Scalar<&FieldText>("jsonb_object_field_text"),
    Scalar<&Element>("jsonb_array_element"),
    Scalar<&ElementText>("jsonb_array_element_text"),
    Scalar<&Path>("jsonb_extract_path"),
    Scalar<&PathText>("jsonb_extract_path_text"),
    Scalar<&TypeName>("jsonb_typeof"),
    Scalar<&ArrayLength>("jsonb_array_length"),
    Scalar<&Contains>("jsonb_contains"),
    Scalar<&Contained>("jsonb_contained"),
    Scalar<&Exists>("jsonb_exists"),
    Scalar<&ExistsSome<true>>("jsonb_exists_any"),
    Scalar<&ExistsSome<false>>("jsonb_exists_all"),
    Scalar<&Concatenate>("jsonb_concat"),
    Scalar<&Delete>("jsonb_delete"),
    Scalar<&DeleteKeys>("jsonb_delete_array"),
    Scalar<&DeleteIndex>("jsonb_delete_idx"),
    Scalar<&DeletePath>("jsonb_delete_path"),
    Scalar<&Set>("jsonb_set"),
    Scalar<&SetLax>("jsonb_set_lax"),
    Scalar<&Insert>("jsonb_insert"),
    Scalar<&StripNulls>("jsonb_strip_nulls"),
    Scalar<&Pretty>("jsonb_pretty"),
    Scalar<&ToBool>("jsonb_bool"),
    Scalar<&ToNumeric>("jsonb_numeric"),
    Scalar<&ToInt2>("jsonb_int2"),
    Scalar<&ToInt4>("jsonb_int4"),
    Scalar<&ToInt8>("jsonb_int8"),
    Scalar<&ToFloat4>("jsonb_float4"),
    Scalar<&ToFloat8>("jsonb_float8"),
};

// --- As tables -------------------------------------------------------------------------------------------------

class Members : public TableFunction {
 public:
  enum class Form { kElements, kElementTexts, kEach, kEachText, kKeys };
  Members(View json, Form form) : json_(json), view_(json_), form_(form) {}
  uint32_t Next(CallContext& c, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    for (; count < max_rows && at_ < view_.count(); ++count, ++at_) {
      if (form_ == Form::kElements || form_ == Form::kElementTexts) {
        Put(c, columns[0], count, view_.Element(at_), form_ == Form::kElementTexts);
        continue;
      }
      columns[0]->Set(count, Value{StringDatum(view_.Key(at_)), false});
      if (form_ != Form::kKeys) Put(c, columns[1], count, view_.MemberValue(at_), form_ == Form::kEachText);
    }
    return count;
  }

 private:
  static void Put(CallContext& c, Vector* column, uint32_t row, const JsonbView& v, bool as_text) {
    Maybe cell = as_text ? AsText(c, v) : Maybe(v.bytes());
    if (cell)
      column->Set(row, Value{StringDatum(*cell), false});
    else
      column->SetNull(row);
  }
  std::string json_;
  JsonbView view_;
  Form form_;
  uint32_t at_ = 0;
};

template <Members::Form F>
std::unique_ptr<TableFunction> Start(CallContext&, std::span<const Value> args) {
  View json = args[0].datum.string.view();
  JsonKind kind = JsonbView(json).kind();
  bool elements = F == Members::Form::kElements || F == Members::Form::kElementTexts;
  if (elements && kind != JsonKind::kArray)
    throw Invalid(kind == JsonKind::kObject ? "cannot extract elements from an object"
                                            : "cannot extract elements from a scalar");
  if (!elements && kind != JsonKind::kObject) {
    const char* function = F == Members::Form::kEach       ? "jsonb_each"
                           : F == Members::Form::kEachText ? "jsonb_each_text"
                                                           : "jsonb_object_keys";
    if (F == Members::Form::kKeys) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "cannot call {} on {}", function,
                     kind == JsonKind::kArray ? "an array" : "a scalar");
    }
    throw SqlError(ErrorCode::kInvalidParameterValue, "cannot call {} on a non-object", function);
  }
  return std::make_unique<Members>(json, F);
}

constexpr SetFunction kSets[] = {
    {"jsonb_array_elements", true, &Start<Members::Form::kElements>},
    {"jsonb_array_elements_text", true, &Start<Members::Form::kElementTexts>},
    {"jsonb_each", true, &Start<Members::Form::kEach>},
    {"jsonb_each_text", true, &Start<Members::Form::kEachText>},
    {"jsonb_object_keys", true, &Start<Members::Form::kKeys>},
};

}  // namespace

std::span<const ScalarFunction> JsonbFunctions() { return kTable; }
std::span<const SetFunction> JsonbSetFunctions() { return kSets; }

}  // namespace walden
