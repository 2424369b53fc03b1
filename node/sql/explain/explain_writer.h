// The text of an EXPLAIN as its parts are told one after the other, in one of four formats. The shapes are
// PostgreSQL 15's, byte for byte, since tools parse them.
//
// Groups nest: Open, properties and further groups, Close. In the text format groups leave no trace, and properties are
// indented lines; the caller writes the lines that are peculiar to it into `text` itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace walden {

enum class ExplainFormat : uint8_t { kText, kJson, kYaml, kXml };

class ExplainWriter {
 public:
  explicit ExplainWriter(ExplainFormat format) : format_(format) {}

  void Begin();
  void End();
  // `label` may be empty where the group stands in a list; `labeled`: it holds named properties, else a list of items.
  void OpenGroup(std::string_view type, std::string_view label, bool labeled);
  void CloseGroup(std::string_view type, bool labeled);

  void Text(std::string_view label, std::string_view value);
  void Integer(std::string_view label, int64_t value, std::string_view unit = {});
  void Float(std::string_view label, double value, int digits, std::string_view unit = {});
  void Bool(std::string_view label, bool value);
  void List(std::string_view label, const std::vector<std::string>& items);
  // A list inside a list (grouping sets).
  void NestedList(std::string_view label, const std::vector<std::string>& items);
  // An object without properties: a statement that has no plan.
  void Dummy(std::string_view type);

  bool is_text() const { return format_ == ExplainFormat::kText; }
  ExplainFormat format() const { return format_; }
  void Indent() { text.append(static_cast<size_t>(indent) * 2, ' '); }

  std::string text;
  int indent = 0;

 private:
  void Property(std::string_view label, std::string_view unit, std::string_view value, bool is_number);
  void Separate();  // JSON: comma and new line; YAML: new line and indentation
  void Tag(std::string_view name, bool closing);
  void Quoted(std::string_view value);

  ExplainFormat format_;
  std::vector<bool> has_items_;
};

}  // namespace walden
