// Names as text: quoting, splitting, qualified forms.
#include "node/base/error.h"
#include "node/catalog/builtin.h"
#include "node/catalog/namespace.h"

namespace walden {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

std::string Joined(std::span<const std::string> parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ".") + part;
  return text;
}

[[noreturn]] void ThrowInvalidName() { throw SqlError(ErrorCode::kInvalidName, "invalid name syntax"); }

// The identifier at the front of *text, folded unless quoted.
std::string TakeIdentifier(std::string_view* text) {
  std::string name;
  if (!text->empty() && text->front() == '"') {
    text->remove_prefix(1);
    for (;;) {
      if (text->empty()) ThrowInvalidName();
      char c = text->front();
      text->remove_prefix(1);
      if (c == '"') {
        if (text->empty() || text->front() != '"') break;
        text->remove_prefix(1);
      }
      name += c;
    }
  } else {
    while (!text->empty() && text->front() != '.' && !IsSpace(text->front())) {
      char c = text->front();
      name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      text->remove_prefix(1);
    }
  }
  if (name.empty()) ThrowInvalidName();
  return name;
}

void SkipSpace(std::string_view* text) {
  while (!text->empty() && IsSpace(text->front())) text->remove_prefix(1);
}

}  // namespace

CatalogName ToCatalogName(std::span<const std::string> parts) {
  switch (parts.size()) {
    case 1: return {"", "", parts[0]};
    case 2: return {"", parts[0], parts[1]};
    case 3: return {parts[0], parts[1], parts[2]};
    default:
      throw SqlError(ErrorCode::kSyntaxError, "improper qualified name (too many dotted names): {}",
                     Joined(parts));
  }
}

std::string ToString(const CatalogName& name) {
  std::string text;
  if (!name.database.empty()) text += QuoteIdentifier(name.database) + ".";
  if (!name.schema.empty()) text += QuoteIdentifier(name.schema) + ".";
  return text + QuoteIdentifier(name.name);
}

std::vector<std::string> ParseIdentifiers(std::string_view text) {
  std::vector<std::string> parts;
  SkipSpace(&text);
  for (;;) {
    SkipSpace(&text);
    parts.push_back(TakeIdentifier(&text));
    SkipSpace(&text);
    if (text.empty()) return parts;
    if (text.front() != '.') ThrowInvalidName();
    text.remove_prefix(1);
  }
}

}  // namespace walden
