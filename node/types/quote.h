// Words as SQL identifiers and literals.
#pragma once

#include <string>
#include <string_view>

namespace walden {

// The name itself, or in double quotes when it needs them to be read back as the same identifier.
std::string QuoteIdentifier(std::string_view name);
// The setting: every name gets quotes. Process-wide.
extern bool quote_all_identifiers;
// 'text', quotes doubled; E'text' when there is a backslash.
std::string QuoteLiteral(std::string_view text);

}  // namespace walden
