// jsonb: a binary form that finds elements and keys without reading the rest.
//
// Format (little-endian, no alignment). value = u8 kind (JsonKind) and:
//   null: nothing; boolean: u8; number: a numeric as element.h packs it; string: u32 size, bytes;
//   array: u32 count, then count * u32 end offset of each element, then the elements;
//   object: u32 count, then per member u32 end offset of its key bytes, then u32 end offset of its value, then all key
//   bytes, then all values. Members are sorted by key: shorter first, then by bytes; keys are unique (the last one wins).
// Offsets count from the first element, key byte or value.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/base/arena.h"
#include "node/types/json_text.h"
#include "node/types/type_table.h"
#include "node/types/value.h"

namespace walden {

// A value in place. The bytes must outlive it.
class JsonbView {
 public:
  explicit JsonbView(std::string_view bytes) : at_(bytes.data()), size_(bytes.size()) {}
  JsonKind kind() const { return static_cast<JsonKind>(at_[0]); }
  std::string_view bytes() const { return {at_, size_}; }
  bool boolean() const { return at_[1] != 0; }
  NumericRef number() const;
  std::string_view string() const;
  uint32_t count() const;                   // of elements or members
  JsonbView Element(uint32_t index) const;  // of an array
  std::string_view Key(uint32_t index) const;
  JsonbView MemberValue(uint32_t index) const;
  std::optional<JsonbView> Find(std::string_view key) const;
  bool is_container() const { return kind() >= JsonKind::kArray; }

 private:
  const char* at_;
  size_t size_;
};

// A value to build or change.
struct JsonbNode {
  JsonKind kind = JsonKind::kNull;
  bool boolean = false;
  NumericRef number{};
  std::string string;
  std::vector<JsonbNode> elements;
  std::vector<std::pair<std::string, JsonbNode>> members;  // sorted and unique once encoded

  // Declared here, made where the type is complete: `members` is of pairs of it.
  JsonbNode();
  JsonbNode(const JsonbNode&);
  JsonbNode(JsonbNode&&) noexcept;
  JsonbNode& operator=(const JsonbNode&);
  JsonbNode& operator=(JsonbNode&&) noexcept;
  ~JsonbNode();
  static JsonbNode FromView(const JsonbView& view);
  static JsonbNode String(std::string_view text);
  static JsonbNode Number(const NumericRef& number);
  static JsonbNode Bool(bool value);
  // Numbers keep pointing into `arena`.
  static JsonbNode Parse(std::string_view json, Arena& arena);
  std::string_view Encode(Arena& arena);  // sorts members
  JsonbNode* Find(std::string_view key);
};

void AppendJsonb(std::string* to, const JsonbView& view);  // {"a": 1, "b": [1, 2]}
void AppendJsonbPretty(std::string* to, const JsonbView& view, int indent);
// A scalar's text without quotes (->>); containers as AppendJsonb.
void AppendJsonbText(std::string* to, const JsonbView& view);
int CompareJsonb(const JsonbView& a, const JsonbView& b);
uint64_t HashJsonb(const JsonbView& view);
bool JsonbContains(const JsonbView& outer, const JsonbView& inner);

std::span<const TypeDescriptor> JsonTypes();

}  // namespace walden
