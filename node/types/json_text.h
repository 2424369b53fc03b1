// JSON as text: validation with PostgreSQL's errors, and reading parts of text that is known to be valid.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace walden {

// What a parser finds. Strings arrive decoded, numbers as written.
class JsonHandler {
 public:
  virtual ~JsonHandler() = default;
  virtual void Null() {}
  virtual void Bool(bool) {}
  virtual void Number(std::string_view) {}
  virtual void String(std::string_view) {}
  virtual void StartArray() {}
  virtual void EndArray() {}
  virtual void StartObject() {}
  virtual void Key(std::string_view) {}
  virtual void EndObject() {}
};

// 22P02 "invalid input syntax for type json" with detail and context; 54001 if nested too deeply. `decode` = false leaves string
// contents unread where only the syntax matters (\u0000 is then allowed, as in json).
void ParseJson(std::string_view text, JsonHandler* handler, bool decode = true);
inline void ValidateJson(std::string_view text) {
  JsonHandler nothing;
  ParseJson(text, &nothing, false);
}

// --- Valid text only ---------------------------------------------------------------------------------------------

enum class JsonKind { kNull, kBool, kNumber, kString, kArray, kObject };
std::string_view JsonKindName(JsonKind kind);  // "null", "boolean", "number", "string", "array", "object"
std::string_view TrimJson(std::string_view text);
JsonKind KindOfJson(std::string_view text);
// The decoded contents of a string value.
std::string DecodeJsonString(std::string_view text);
// Calls f(value) for each element of an array, f(key, value) for each member of an object; false stops.
void ForEachJsonElement(std::string_view array, const std::function<bool(std::string_view value)>& f);
void ForEachJsonMember(std::string_view object,
                       const std::function<bool(std::string_view key, std::string_view value)>& f);

// A JSON string with quotes.
void AppendJsonString(std::string* to, std::string_view text);

}  // namespace walden
