#include "node/sql/explain/explain_writer.h"

#include <fmt/format.h>

#include "node/types/json_text.h"

namespace walden {
namespace {

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '\r': escaped += "&#x0d;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string TagName(std::string_view label) {
  std::string name(label);
  for (char& c : name) {
    bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                   c == '_' || c == '.';
    if (!allowed) c = '-';
  }
  return name;
}

}  // namespace

void ExplainWriter::Quoted(std::string_view value) { AppendJsonString(&text, value); }

void ExplainWriter::Separate() {
  if (format_ == ExplainFormat::kJson) {
    if (has_items_.back()) text += ',';
    text += '\n';
  } else if (has_items_.back()) {
    text += '\n';
    Indent();
  }
  has_items_.back() = true;
}

void ExplainWriter::Tag(std::string_view name, bool closing) {
  Indent();
  text += closing ? "</" : "<";
  text += TagName(name) + ">\n";
}

void ExplainWriter::Begin() {
  switch (format_) {
    case ExplainFormat::kText: break;
    case ExplainFormat::kXml:
      text += "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n";
      ++indent;
      break;
    case ExplainFormat::kJson:
      text += '[';
      has_items_.push_back(false);
      ++indent;
      break;
    case ExplainFormat::kYaml: has_items_.push_back(false); break;
  }
}

void ExplainWriter::End() {
  switch (format_) {
    case ExplainFormat::kText:
    case ExplainFormat::kYaml: break;
    case ExplainFormat::kXml:
      --indent;
      text += "</explain>";
      break;
    case ExplainFormat::kJson:
      --indent;
      text += "\n]";
      break;
  }
}

void ExplainWriter::OpenGroup(std::string_view type, std::string_view label, bool labeled) {
  switch (format_) {
    case ExplainFormat::kText: return;
    case ExplainFormat::kXml:
      Tag(type, false);
      ++indent;
      return;
    case ExplainFormat::kJson:
      Separate();
      Indent();
      if (!label.empty()) {
        Quoted(label);
        text += ": ";
      }
      text += labeled ? '{' : '[';
      has_items_.push_back(false);
      ++indent;
      return;
    case ExplainFormat::kYaml:
      Separate();
      if (!label.empty()) {
        text += fmt::format("{}: ", label);
        has_items_.push_back(true);
      } else {
        text += "- ";
        has_items_.push_back(false);
      }
      ++indent;
      return;
  }
}

void ExplainWriter::CloseGroup(std::string_view type, bool labeled) {
  switch (format_) {
    case ExplainFormat::kText: return;
    case ExplainFormat::kXml:
      --indent;
      Tag(type, true);
      return;
    case ExplainFormat::kJson:
      --indent;
      text += '\n';
      Indent();
      text += labeled ? '}' : ']';
      has_items_.pop_back();
      return;
    case ExplainFormat::kYaml:
      --indent;
      has_items_.pop_back();
      return;
  }
}

void ExplainWriter::Property(std::string_view label, std::string_view unit, std::string_view value,
                             bool is_number) {
  switch (format_) {
    case ExplainFormat::kText:
      Indent();
      text += unit.empty() ? fmt::format("{}: {}\n", label, value)
                           : fmt::format("{}: {} {}\n", label, value, unit);
      return;
    case ExplainFormat::kXml:
      Indent();
      text += fmt::format("<{0}>{1}</{0}>\n", TagName(label), EscapeXml(value));
      return;
    case ExplainFormat::kJson:
      Separate();
      Indent();
      Quoted(label);
      text += ": ";
      break;
    case ExplainFormat::kYaml:
      Separate();
      text += fmt::format("{}: ", label);
      break;
  }
  if (is_number) {
    text += value;
  } else {
    Quoted(value);
  }
}

void ExplainWriter::Text(std::string_view label, std::string_view value) {
  Property(label, {}, value, false);
}
void ExplainWriter::Integer(std::string_view label, int64_t value, std::string_view unit) {
  Property(label, unit, fmt::format("{}", value), true);
}
void ExplainWriter::Float(std::string_view label, double value, int digits, std::string_view unit) {
  Property(label, unit, fmt::format("{:.{}f}", value, digits), true);
}
void ExplainWriter::Bool(std::string_view label, bool value) {
  Property(label, {}, value ? "true" : "false", true);
}

void ExplainWriter::List(std::string_view label, const std::vector<std::string>& items) {
  switch (format_) {
    case ExplainFormat::kText:
      Indent();
      text += fmt::format("{}: {}\n", label, fmt::join(items, ", "));
      return;
    case ExplainFormat::kXml:
      Tag(label, false);
      for (const std::string& item : items) {
        Indent();
        text += fmt::format("  <Item>{}</Item>\n", EscapeXml(item));
      }
      Tag(label, true);
      return;
    case ExplainFormat::kJson: {
      Separate();
      Indent();
      Quoted(label);
      text += ": [";
      bool first = true;
      for (const std::string& item : items) {
        if (!first) text += ", ";
        first = false;
        Quoted(item);
      }
      text += ']';
      return;
    }
    case ExplainFormat::kYaml:
      Separate();
      text += fmt::format("{}: ", label);
      for (const std::string& item : items) {
        text += '\n';
        Indent();
        text += "  - ";
        Quoted(item);
      }
      return;
  }
}

void ExplainWriter::NestedList(std::string_view label, const std::vector<std::string>& items) {
  if (format_ == ExplainFormat::kText || format_ == ExplainFormat::kXml) {
    List(label, items);
    return;
  }
  Separate();
  if (format_ == ExplainFormat::kJson) Indent();
  text += format_ == ExplainFormat::kJson ? "[" : "- [";
  bool first = true;
  for (const std::string& item : items) {
    if (!first) text += ", ";
    first = false;
    Quoted(item);
  }
  text += ']';
}

void ExplainWriter::Dummy(std::string_view type) {
  switch (format_) {
    case ExplainFormat::kText: return;
    case ExplainFormat::kXml:
      Indent();
      text += fmt::format("<{} />\n", TagName(type));
      return;
    case ExplainFormat::kJson:
      Separate();
      Indent();
      Quoted(type);
      return;
    case ExplainFormat::kYaml:
      Separate();
      text += "- ";
      Quoted(type);
      return;
  }
}

}  // namespace walden
