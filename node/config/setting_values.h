// Text of one setting value to number and back, with units, as PostgreSQL accepts and prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/setting_types.h"

namespace walden {

// on/off/true/false/yes/no/1/0 and unique prefixes.
std::optional<bool> ParseSettingBool(std::string_view text);
// Decimal, hexadecimal, octal or fractional text with an optional unit, rounded to the base unit. nullopt on
// a syntax error; `hint` then may hold one.
std::optional<int64_t> ParseSettingInt(std::string_view text, SettingUnit base, std::string* hint);
std::optional<double> ParseSettingReal(std::string_view text, SettingUnit base, std::string* hint);
// "4096" in kB becomes "4MB": the largest unit that divides.
std::string FormatSettingInt(int64_t value, SettingUnit base);
std::string FormatSettingReal(double value, SettingUnit base);
// "kB", "8kB", "ms" ...; empty for kNone.
std::string_view SettingUnitName(SettingUnit unit);
// Items of a comma-separated setting, blanks trimmed, empty ones dropped, double quotes removed.
std::vector<std::string> SplitSettingList(const std::string& text);

}  // namespace walden
