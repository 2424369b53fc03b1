#include "node/sql/functions/json_build.h"

#include "node/base/error.h"
#include "node/catalog/relation.h"
#include "node/catalog/syscache.h"
#include "node/sql/functions/aggregate.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/datetime.h"
#include "node/types/numeric.h"
#include "node/types/record.h"

namespace walden {
namespace {

using View = std::string_view;

bool IsNumberType(Oid type) {
  return type == type_oid::kInt2 || type == type_oid::kInt4 || type == type_oid::kInt8 ||
         type == type_oid::kFloat4 || type == type_oid::kFloat8 || type == type_oid::kNumeric;
}

// Dates and times as ISO 8601 asks: a T between date and time.
bool AppendIsoTime(CallContext& context, Oid type, const Datum& v, std::string* to) {
  TextFormat iso = context.format;
  iso.date_style = DateStyle::kIso;
  size_t start = to->size();
  if (type == type_oid::kDate)
    AppendDate(to, v.i32, iso);
  else if (type == type_oid::kTimestamp)
    AppendTimestamp(to, v.i64, iso);
  else if (type == type_oid::kTimestampTz)
    AppendTimestampTz(to, v.i64, iso);
  else
    return false;
  size_t space = to->find(' ', start);
  if (space != to->npos && type != type_oid::kDate) (*to)[space] = 'T';
  if (type == type_oid::kTimestampTz && IsTimestampFinite(v.i64)) {
    size_t sign = to->find_last_of("+-");  // ISO wants minutes in the offset
    if (sign != to->npos && sign > start + 10 && to->find(':', sign) == to->npos) {
      size_t end = sign + 3;
      to->insert(end, ":00");
    }
  }
  return true;
}

void AppendArrayAsJson(CallContext& context, const ArrayView& view, ArrayReader* reader, int dimension,
                       bool pretty, std::string* to) {
  to->push_back('[');
  for (int32_t i = 0; i < view.Length(dimension); ++i) {
    if (i != 0) to->append(pretty && dimension == 0 ? ",\n " : ",");
    if (dimension + 1 < view.dimensions()) {
      AppendArrayAsJson(context, view, reader, dimension + 1, pretty, to);
    } else {
      Value element;
      reader->Next(&element);
      AppendAsJson(context, view.element_type(), element, to);
    }
  }
  to->push_back(']');
}

// The fields' names: of the row itself, or of its type's columns.
std::vector<std::string> FieldNames(Oid type, std::string_view record, size_t count) {
  std::vector<std::string> names;
  if (uint32_t shape = RecordShape(record)) return RecordShapeNames(shape);
  RowRef<PgTypeRow> row = type == type_oid::kRecord ? nullptr : TypeRow(type);
  if (row && IsValid(row->typrelid)) {
    for (const PgAttributeRow& column : OpenRelation(row->typrelid, LockMode::kNone)->columns)
      names.push_back(column.attname);
  }
  for (size_t i = names.size(); i < count; ++i) names.push_back(fmt::format("f{}", i + 1));
  return names;
}

void AppendRecordAsJson(CallContext& context, Oid type, std::string_view record, bool pretty,
                        std::string* to) {
  std::vector<RecordField> fields = ReadRecord(record);
  std::vector<std::string> names = FieldNames(type, record, fields.size());
  to->push_back('{');
  bool first = true;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!IsValid(fields[i].type)) continue;
    if (!first) to->append(pretty ? ",\n " : ",");
    first = false;
    AppendJsonString(to, names[i]);
    to->push_back(':');
    AppendAsJson(context, fields[i].type, fields[i].value, to);
  }
  to->push_back('}');
}

bool IsRow(const TypeDescriptor& type) { return type.kind == 'c' || type.oid == type_oid::kRecord; }

template <bool kPretty>
void RowToJson(CallContext& c, std::span<const Value> args, Value* result) {
  std::string json;
  bool pretty = kPretty && args[1].datum.b;
  AppendRecordAsJson(c, c.site.arg_types[0], args[0].datum.string.view(), pretty, &json);
  *result = Value{StringDatum(Keep(c, json)), false};
}

}  // namespace

void AppendAsJson(CallContext& context, Oid type_oid, const Value& value, std::string* to) {
  if (value.is_null) {
    to->append("null");
    return;
  }
  const TypeDescriptor& type = TypeOf(type_oid);
  if (type_oid == type_oid::kBool) {
    to->append(value.datum.b ? "true" : "false");
  } else if (IsNumberType(type_oid)) {
    std::string text;
    AppendText(context, type_oid, value.datum, &text);
    bool number = !text.empty() && text.find_first_not_of("0123456789+-.eE") == text.npos;
    if (number)
      *to += text;
    else
      AppendJsonString(to, text);  // NaN and the infinities
  } else if (type_oid == type_oid::kJson || type_oid == type_oid::kJsonb) {
    AppendText(context, type_oid, value.datum, to);
  } else if (IsRow(type)) {
    AppendRecordAsJson(context, type_oid, value.datum.string.view(), false, to);
  } else if (IsArrayType(type)) {
    ArrayView view(value.datum.string.view());
    if (view.dimensions() == 0) {
      to->append("[]");
      return;
    }
    ArrayReader reader(view, TypeOf(view.element_type()).physical);
    AppendArrayAsJson(context, view, &reader, 0, false, to);
  } else {
    std::string text;
    if (!AppendIsoTime(context, type_oid, value.datum, &text))
      AppendText(context, type_oid, value.datum, &text);
    AppendJsonString(to, text);
  }
}

void AppendAsJsonKey(CallContext& context, Oid type_oid, const Value& value, std::string* to) {
  const TypeDescriptor& type = TypeOf(type_oid);
  if (type_oid == type_oid::kJson || type_oid == type_oid::kJsonb || IsArrayType(type) || IsRow(type)) {
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "key value must be scalar, not array, composite, or json");
  }
  std::string text;
  if (type_oid == type_oid::kBool)
    text = value.datum.b ? "true" : "false";
  else if (!AppendIsoTime(context, type_oid, value.datum, &text))
    AppendText(context, type_oid, value.datum, &text);
  *to += text;
}

JsonbNode AsJsonbNode(CallContext& context, Oid type_oid, const Value& value) {
  if (value.is_null) return JsonbNode();
  if (type_oid == type_oid::kBool) return JsonbNode::Bool(value.datum.b);
  if (type_oid == type_oid::kJsonb) return JsonbNode::FromView(JsonbView(value.datum.string.view()));
  if (type_oid == type_oid::kNumeric && IsNumericFinite(value.datum.numeric))
    return JsonbNode::Number(value.datum.numeric);
  std::string json;
  AppendAsJson(context, type_oid, value, &json);
  return JsonbNode::Parse(json, context.arena);
}

namespace {

// The arguments, or the elements of the VARIADIC array.
struct Arguments {
  std::vector<Value> values;
  std::vector<Oid> types;
  bool is_null = false;
  Arguments(CallContext& c, std::span<const Value> args) {
    if (!c.site.is_variadic_array) {
      values.assign(args.begin(), args.end());
      types.assign(c.site.arg_types.begin(), c.site.arg_types.end());
      return;
    }
    is_null = args[0].is_null;
    if (is_null) return;
    ArrayView view(args[0].datum.string.view());
    Value element;
    for (ArrayReader reader(view, TypeOf(view.element_type()).physical); reader.Next(&element);) {
      values.push_back(element);
      types.push_back(view.element_type());
    }
  }
};

void Put(Value* result, View text) { *result = Value{StringDatum(text), false}; }

void CheckPairs(const Arguments& all, const char* function) {
  if (all.values.size() % 2 != 0) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "argument list must have even number of elements")
        .WithHint(
            fmt::format("The arguments of {}() must consist of alternating keys and values.", function));
  }
}

void BuildObject(CallContext& c, std::span<const Value> args, Value* result) {
  Arguments all(c, args);
  if (all.is_null) return;
  CheckPairs(all, "json_build_object");
  std::string json = "{";
  for (size_t i = 0; i < all.values.size(); i += 2) {
    if (i != 0) json += ", ";
    if (all.values[i].is_null) {
      throw SqlError(ErrorCode::kNullValueNotAllowed, "argument {} cannot be null", i + 1)
          .WithHint("Object keys should be text.");
    }
    std::string key;
    AppendAsJsonKey(c, all.types[i], all.values[i], &key);
    AppendJsonString(&json, key);
    json += " : ";
    AppendAsJson(c, all.types[i + 1], all.values[i + 1], &json);
  }
  Put(result, Keep(c, json + "}"));
}
void BuildArray(CallContext& c, std::span<const Value> args, Value* result) {
  Arguments all(c, args);
  if (all.is_null) return;
  std::string json = "[";
  for (size_t i = 0; i < all.values.size(); ++i) {
    if (i != 0) json += ", ";
    AppendAsJson(c, all.types[i], all.values[i], &json);
  }
  Put(result, Keep(c, json + "]"));
}
void BuildObjectB(CallContext& c, std::span<const Value> args, Value* result) {
  Arguments all(c, args);
  if (all.is_null) return;
  CheckPairs(all, "jsonb_build_object");
  JsonbNode node;
  node.kind = JsonKind::kObject;
  for (size_t i = 0; i < all.values.size(); i += 2) {
    if (all.values[i].is_null) {
      throw SqlError(ErrorCode::kInvalidParameterValue, "argument {}: key must not be null", i + 1);
    }
    std::string key;
    AppendAsJsonKey(c, all.types[i], all.values[i], &key);
    node.members.emplace_back(std::move(key), AsJsonbNode(c, all.types[i + 1], all.values[i + 1]));
  }
  Put(result, node.Encode(c.arena));
}
void BuildArrayB(CallContext& c, std::span<const Value> args, Value* result) {
  Arguments all(c, args);
  if (all.is_null) return;
  JsonbNode node;
  node.kind = JsonKind::kArray;
  for (size_t i = 0; i < all.values.size(); ++i)
    node.elements.push_back(AsJsonbNode(c, all.types[i], all.values[i]));
  Put(result, node.Encode(c.arena));
}

void ToJson(CallContext& c, std::span<const Value> args, Value* result) {
  std::string json;
  AppendAsJson(c, c.site.arg_types[0], args[0], &json);
  Put(result, Keep(c, json));
}
void ToJsonB(CallContext& c, std::span<const Value> args, Value* result) {
  Put(result, AsJsonbNode(c, c.site.arg_types[0], args[0]).Encode(c.arena));
}
void ArrayToJson(CallContext& c, std::span<const Value> args, Value* result) {
  bool pretty = args.size() > 1 && args[1].datum.b;
  std::string json;
  ArrayView view(args[0].datum.string.view());
  if (view.dimensions() == 0) {
    json = "[]";
  } else {
    ArrayReader reader(view, TypeOf(view.element_type()).physical);
    AppendArrayAsJson(c, view, &reader, 0, pretty, &json);
  }
  Put(result, Keep(c, json));
}

// json_object(text[]): pairs flat or as an n by 2 array.
std::vector<std::pair<std::string, Value>> TextPairs(View array) {
  ArrayView view(array);
  if (view.dimensions() > 2 || (view.dimensions() == 2 && view.Length(1) != 2)) {
    throw SqlError(ErrorCode::kArraySubscriptError, view.dimensions() > 2 ? "wrong number of array subscripts"
                                                                          : "array must have two columns");
  }
  if (view.count() % 2 != 0)
    throw SqlError(ErrorCode::kArraySubscriptError, "array must have even number of elements");
  std::vector<std::pair<std::string, Value>> pairs;
  Value key, value;
  for (ArrayReader reader(view, PhysicalType::kString); reader.Next(&key) && reader.Next(&value);) {
    if (key.is_null) throw SqlError(ErrorCode::kNullValueNotAllowed, "null value not allowed for object key");
    pairs.emplace_back(key.datum.string.view(), value);
  }
  return pairs;
}
std::vector<std::pair<std::string, Value>> ZippedPairs(View keys, View values) {
  ArrayView key_view(keys), value_view(values);
  if (key_view.dimensions() > 1 || value_view.dimensions() > 1) {
    throw SqlError(ErrorCode::kArraySubscriptError, "wrong number of array subscripts");
  }
  if (key_view.count() != value_view.count())
    throw SqlError(ErrorCode::kArraySubscriptError, "mismatched array dimensions");
  std::vector<std::pair<std::string, Value>> pairs;
  Value key, value;
  ArrayReader value_reader(value_view, PhysicalType::kString);
  for (ArrayReader reader(key_view, PhysicalType::kString); reader.Next(&key) && value_reader.Next(&value);) {
    if (key.is_null) throw SqlError(ErrorCode::kNullValueNotAllowed, "null value not allowed for object key");
    pairs.emplace_back(key.datum.string.view(), value);
  }
  return pairs;
}
View ObjectText(CallContext& c, const std::vector<std::pair<std::string, Value>>& pairs) {
  std::string json = "{";
  for (const auto& [key, value] : pairs) {
    if (json.size() > 1) json += ", ";
    AppendJsonString(&json, key);
    json += " : ";
    if (value.is_null)
      json += "null";
    else
      AppendJsonString(&json, value.datum.string.view());
  }
  return Keep(c, json + "}");
}
View ObjectB(CallContext& c, const std::vector<std::pair<std::string, Value>>& pairs) {
  JsonbNode node;
  node.kind = JsonKind::kObject;
  for (const auto& [key, value] : pairs) {
    node.members.emplace_back(key,
                              value.is_null ? JsonbNode() : JsonbNode::String(value.datum.string.view()));
  }
  return node.Encode(c.arena);
}
View Object(CallContext& c, View array) { return ObjectText(c, TextPairs(array)); }
View ObjectTwo(CallContext& c, View keys, View values) { return ObjectText(c, ZippedPairs(keys, values)); }
View ObjectBOne(CallContext& c, View array) { return ObjectB(c, TextPairs(array)); }
View ObjectBTwo(CallContext& c, View keys, View values) { return ObjectB(c, ZippedPairs(keys, values)); }

constexpr ScalarFunction kTable[] = {
    RowForm<&BuildObject, false>("json_build_object"),
    RowForm<&BuildObject, false>("json_build_object_noargs"),
    RowForm<&BuildArray, false>("json_build_array"),
    RowForm<&BuildArray, false>("json_build_array_noargs"),
    RowForm<&BuildObjectB, false>("jsonb_build_object"),
    RowForm<&BuildObjectB, false>("jsonb_build_object_noargs"),
    RowForm<&BuildArrayB, false>("jsonb_build_array"),
    RowForm<&BuildArrayB, false>("jsonb_build_array_noargs"),
    RowForm<&RowToJson<false>, true>("row_to_json"),
    RowForm<&RowToJson<true>, true>("row_to_json_pretty"),
    RowForm<&ToJson, true>("to_json"),
    RowForm<&ToJsonB, true>("to_jsonb"),
    RowForm<&ArrayToJson, true>("array_to_json"),
    RowForm<&ArrayToJson, true>("array_to_json_pretty"),
    Scalar<&Object>("json_object"),
    Scalar<&ObjectTwo>("json_object_two_arg"),
    Scalar<&ObjectBOne>("jsonb_object"),
    Scalar<&ObjectBTwo>("jsonb_object_two_arg"),
};

// --- Aggregates ------------------------------------------------------------------------------------------------

// The text so far, without its last bracket.
template <bool kObject, bool kBinary>
struct JsonAggregate {
  ArenaBuffer text;
  bool any;
  void Add(CallContext& c, std::span<const Value> args) {
    std::string piece = !any ? (kObject ? (kBinary ? "{" : "{ ") : "[") : ", ";
    any = true;
    const Value& value = args[kObject ? 1 : 0];
    if constexpr (kObject) {
      if (args[0].is_null) throw SqlError(ErrorCode::kInvalidParameterValue, "field name must not be null");
      std::string key;
      AppendAsJsonKey(c, c.site.arg_types[0], args[0], &key);
      AppendJsonString(&piece, key);
      piece += " : ";
    }
    Oid type = c.site.arg_types[kObject ? 1 : 0];
    // Rows and arrays begin lines of their own.
    if (!kObject && !kBinary && text.size > 1 && !value.is_null &&
        (IsRow(TypeOf(type)) || IsArrayType(TypeOf(type))))
      piece += "\n ";
    AppendAsJson(c, type, value, &piece);
    text.Append(c.arena, piece);
  }
  void Finish(CallContext& c, Value* result) const {
    if (!any) return;
    std::string json = std::string(text.view()) + (kObject ? (kBinary ? "}" : " }") : "]");
    *result =
        Value{StringDatum(kBinary ? JsonbNode::Parse(json, c.arena).Encode(c.arena) : Keep(c, json)), false};
  }
  void Write(std::string* to) const {
    to->push_back(any ? 1 : 0);
    to->append(text.view());
  }
  void Read(CallContext& c, std::string_view from) {
    *this = JsonAggregate{};
    any = from[0] != 0;
    text.Append(c.arena, from.substr(1));
  }
};
constexpr AggregateFunction kAggregates[] = {
    AggregateRows<JsonAggregate<false, false>>(3175, "json_agg(anyelement)"),
    AggregateRows<JsonAggregate<true, false>>(3197, "json_object_agg(\"any\",\"any\")"),
    AggregateRows<JsonAggregate<false, true>>(3267, "jsonb_agg(anyelement)"),
    AggregateRows<JsonAggregate<true, true>>(3270, "jsonb_object_agg(\"any\",\"any\")"),
};

}  // namespace

std::span<const ScalarFunction> JsonBuildFunctions() { return kTable; }
std::span<const AggregateFunction> JsonAggregates() { return kAggregates; }

}  // namespace walden
