// json (text): operators and tables. Parts of a json value are returned as they were written.
#include <memory>

#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/array.h"
#include "node/types/integer.h"
#include "node/types/json_text.h"

namespace walden {
namespace {

using View = std::string_view;
using Maybe = std::optional<View>;

// ->> of a json value: null is SQL's null, strings are decoded.
Maybe AsText(CallContext& c, Maybe value) {
  if (!value) return std::nullopt;
  View text = TrimJson(*value);
  if (text == "null") return std::nullopt;
  return text[0] == '"' ? Keep(c, DecodeJsonString(text)) : text;
}

Maybe Field(View json, View key) {
  if (KindOfJson(json) != JsonKind::kObject) return std::nullopt;
  Maybe found;
  ForEachJsonMember(json, [&](View name, View value) {
    if (name == key) found = value;
    return true;
  });
  return found;
}
Maybe Element(View json, int32_t index) {
  if (KindOfJson(json) != JsonKind::kArray) return std::nullopt;
  std::vector<View> elements;
  ForEachJsonElement(json, [&](View value) { return elements.push_back(value), true; });
  int64_t position = index < 0 ? int64_t{index} + static_cast<int64_t>(elements.size()) : index;
  if (position < 0 || position >= static_cast<int64_t>(elements.size())) return std::nullopt;
  return elements[static_cast<size_t>(position)];
}
Maybe FieldText(CallContext& c, View json, View key) { return AsText(c, Field(json, key)); }
Maybe ElementText(CallContext& c, View json, int32_t index) { return AsText(c, Element(json, index)); }

bool ParseIndex(View text, int32_t* index) {
  try {
    *index = ParseInt32(text);
    return true;
  } catch (const SqlError&) {
    return false;
  }
}

Maybe Path(View json, View path) {
  ArrayView view(path);
  Maybe at = TrimJson(json);
  Value step;
  for (ArrayReader reader(view, PhysicalType::kString); at && reader.Next(&step);) {
    if (step.is_null) return std::nullopt;
    int32_t index;
    View word = step.datum.string.view();
    if (KindOfJson(*at) == JsonKind::kObject)
      at = Field(*at, word);
    else if (KindOfJson(*at) == JsonKind::kArray && ParseIndex(word, &index))
      at = Element(*at, index);
    else
      return std::nullopt;
  }
  return at;
}
Maybe PathText(CallContext& c, View json, View path) { return AsText(c, Path(json, path)); }

View TypeName(View json) { return JsonKindName(KindOfJson(json)); }
int32_t ArrayLength(View json) {
  JsonKind kind = KindOfJson(json);
  if (kind != JsonKind::kArray) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "cannot get array length of {}",
                   kind == JsonKind::kObject ? "a non-array" : "a scalar");
  }
  int32_t count = 0;
  ForEachJsonElement(json, [&](View) { return ++count, true; });
  return count;
}

void AppendWithoutNulls(std::string* to, View json) {
  View text = TrimJson(json);
  JsonKind kind = KindOfJson(text);
  bool first = true;
  if (kind == JsonKind::kArray) {
    to->push_back('[');
    ForEachJsonElement(text, [&](View value) {
      if (!first) to->push_back(',');
      first = false;
      AppendWithoutNulls(to, value);
      return true;
    });
    to->push_back(']');
  } else if (kind == JsonKind::kObject) {
    to->push_back('{');
    ForEachJsonMember(text, [&](View key, View value) {
      if (KindOfJson(value) == JsonKind::kNull) return true;
      if (!first) to->push_back(',');
      first = false;
      AppendJsonString(to, key);
      to->push_back(':');
      AppendWithoutNulls(to, value);
      return true;
    });
    to->push_back('}');
  } else {
    *to += text;
  }
}
View StripNulls(CallContext& c, View json) {
  std::string text;
  AppendWithoutNulls(&text, json);
  return Keep(c, text);
}

constexpr ScalarFunction kTable[] = {
    Scalar<&Field>("json_object_field"),     Scalar<&FieldText>("json_object_field_text"),
    Scalar<&Element>("json_array_element"),  Scalar<&ElementText>("json_array_element_text"),
    Scalar<&Path>("json_extract_path"),      Scalar<&PathText>("json_extract_path_text"),
    Scalar<&TypeName>("json_typeof"),        Scalar<&ArrayLength>("json_array_length"),
    Scalar<&StripNulls>("json_strip_nulls"),
};

// --- As tables: rows of one or two text columns -------------------------------------------------------------------

class Rows : public TableFunction {
 public:
  explicit Rows(View json) : json_(json) {}
  void Add(Maybe first) { rows_.push_back({Copy(first), std::nullopt}); }
  void Add(View key, Maybe value) { rows_.push_back({std::string(key), Copy(value)}); }
  View json() const { return json_; }
  uint32_t Next(CallContext&, std::span<Vector* const> columns, uint32_t max_rows) override {
    uint32_t count = 0;
    for (; count < max_rows && at_ < rows_.size(); ++count, ++at_) {
      for (size_t i = 0; i < columns.size() && i < 2; ++i) {
        const std::optional<std::string>& cell = i == 0 ? rows_[at_].first : rows_[at_].second;
        if (cell)
          columns[i]->Set(count, Value{StringDatum(*cell), false});
        else
          columns[i]->SetNull(count);
      }
    }
    return count;
  }

 private:
  static std::optional<std::string> Copy(Maybe text) {
    return text ? std::optional<std::string>(*text) : std::nullopt;
  }
  std::string json_;
  std::vector<std::pair<std::optional<std::string>, std::optional<std::string>>> rows_;
  size_t at_ = 0;
};

void Require(View json, JsonKind wanted, const char* function) {
  JsonKind kind = KindOfJson(json);
  if (kind == wanted) return;
  if (kind < JsonKind::kArray)
    throw SqlError(ErrorCode::kInvalidParameterValue, "cannot call {} on a scalar", function);
  throw SqlError(ErrorCode::kInvalidParameterValue, "cannot call {} on {}", function,
                 wanted == JsonKind::kArray ? "a non-array" : "a non-object");
}

template <bool kText>
std::unique_ptr<TableFunction> StartElements(CallContext& c, std::span<const Value> args) {
  auto rows = std::make_unique<Rows>(args[0].datum.string.view());
  Require(rows->json(), JsonKind::kArray, kText ? "json_array_elements_text" : "json_array_elements");
  ForEachJsonElement(rows->json(),
                     [&](View value) { return rows->Add(kText ? AsText(c, value) : Maybe(value)), true; });
  return rows;
}
template <bool kText>
std::unique_ptr<TableFunction> StartEach(CallContext& c, std::span<const Value> args) {
  auto rows = std::make_unique<Rows>(args[0].datum.string.view());
  JsonKind kind = KindOfJson(rows->json());
  if (kind != JsonKind::kObject) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "cannot deconstruct {} as an object",
                   kind == JsonKind::kArray ? "an array" : "a scalar");
  }
  ForEachJsonMember(rows->json(), [&](View key, View value) {
    return rows->Add(key, kText ? AsText(c, value) : Maybe(value)), true;
  });
  return rows;
}
std::unique_ptr<TableFunction> StartKeys(CallContext&, std::span<const Value> args) {
  auto rows = std::make_unique<Rows>(args[0].datum.string.view());
  JsonKind kind = KindOfJson(rows->json());
  if (kind != JsonKind::kObject) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "cannot call json_object_keys on {}",
                   kind == JsonKind::kArray ? "an array" : "a scalar");
  }
  ForEachJsonMember(rows->json(), [&](View key, View) { return rows->Add(Maybe(key)), true; });
  return rows;
}

constexpr SetFunction kSets[] = {
    {"json_array_elements", true, &StartElements<false>},
    {"json_array_elements_text", true, &StartElements<true>},
    {"json_each", true, &StartEach<false>},
    {"json_each_text", true, &StartEach<true>},
    {"json_object_keys", true, &StartKeys},
};

}  // namespace

std::span<const ScalarFunction> JsonFunctions() { return kTable; }
std::span<const SetFunction> JsonSetFunctions() { return kSets; }

}  // namespace walden
