#include "node/types/quote.h"

#include "node/types/keyword.h"

namespace walden {

bool quote_all_identifiers = false;

std::string QuoteIdentifier(std::string_view name) {
  bool safe =
      !quote_all_identifiers && !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_');
  for (char c : name) safe &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  if (safe && !NeedsQuotesAsIdentifier(name)) return std::string(name);
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

std::string QuoteLiteral(std::string_view text) {
  std::string quoted;
  if (text.find('\\') != text.npos) quoted.push_back('E');
  quoted.push_back('\'');
  for (char c : text) {
    if (c == '\'' || c == '\\') quoted.push_back(c);
    quoted.push_back(c);
  }
  quoted.push_back('\'');
  return quoted;
}

}  // namespace walden
