#include "node/config/setting_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <span>

namespace walden {
namespace {

struct UnitText {
  const char* name;
  double in_base;  // how many of the base unit (bytes or milliseconds)
};

constexpr UnitText kMemoryUnits[] = {
    {"TB", 1099511627776.0}, {"GB", 1073741824.0}, {"MB", 1048576.0}, {"kB", 1024.0}, {"B", 1.0}};
constexpr UnitText kTimeUnits[] = {{"d", 86400000.0}, {"h", 3600000.0}, {"min", 60000.0},
                                   {"s", 1000.0},     {"ms", 1.0},      {"us", 0.001}};

bool IsTime(SettingUnit unit) { return unit >= SettingUnit::kMillisecond; }

std::span<const UnitText> UnitsFor(SettingUnit unit) {
  if (unit == SettingUnit::kNone) return {};
  if (IsTime(unit)) return kTimeUnits;
  return kMemoryUnits;
}

// One base unit in bytes or milliseconds.
double BaseSize(SettingUnit unit) {
  switch (unit) {
    case SettingUnit::kNone:
    case SettingUnit::kByte:
    case SettingUnit::kMillisecond: return 1;
    case SettingUnit::kKilobyte: return 1024;
    case SettingUnit::kMegabyte: return 1048576;
    case SettingUnit::kBlock:
    case SettingUnit::kWalBlock: return 8192;
    case SettingUnit::kSecond: return 1000;
    case SettingUnit::kMinute: return 60000;
  }
  return 1;
}

// Reads the unit after a number. Returns the factor to the base unit, or nullopt with a hint.
std::optional<double> ParseUnit(std::string_view text, SettingUnit base, double number, double* rounded,
                                std::string* hint) {
  *rounded = number;
  if (text.empty()) return 1.0;
  for (const UnitText& unit : UnitsFor(base)) {
    if (text != unit.name) continue;
    *rounded = number * unit.in_base / BaseSize(base);
    return unit.in_base / BaseSize(base);
  }
  if (base != SettingUnit::kNone) {
    *hint = IsTime(base) ? R"(Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".)"
                         : R"(Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".)";
  }
  return std::nullopt;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

// The number at the front of `text` and what follows it. Integers may be hexadecimal or octal; a fraction
// makes it decimal.
bool ParseNumber(std::string_view text, bool integer, double* value, std::string_view* rest) {
  std::string copy(text);
  char* end = nullptr;
  errno = 0;
  if (integer) {
    *value = static_cast<double>(std::strtol(copy.c_str(), &end, 0));
    if (*end == '.' || *end == 'e' || *end == 'E' || errno == ERANGE) {
      errno = 0;
      *value = std::strtod(copy.c_str(), &end);
    }
  } else {
    *value = std::strtod(copy.c_str(), &end);
  }
  if (end == copy.c_str() || errno == ERANGE || std::isnan(*value)) return false;
  *rest = Trim(text.substr(static_cast<size_t>(end - copy.c_str())));
  return true;
}

bool PrefixOf(std::string_view text, std::string_view word, size_t least) {
  return text.size() >= least && text.size() <= word.size() &&
         std::equal(text.begin(), text.end(), word.begin(),
                    [](char a, char b) { return std::tolower(a) == b; });
}

}  // namespace

std::optional<bool> ParseSettingBool(std::string_view text) {
  if (PrefixOf(text, "true", 1) || PrefixOf(text, "yes", 1) || PrefixOf(text, "on", 2) || text == "1")
    return true;
  if (PrefixOf(text, "false", 1) || PrefixOf(text, "no", 1) || PrefixOf(text, "off", 2) || text == "0")
    return false;
  return std::nullopt;
}

std::optional<int64_t> ParseSettingInt(std::string_view text, SettingUnit base, std::string* hint) {
  double number, scaled;
  std::string_view unit;
  if (!ParseNumber(Trim(text), true, &number, &unit) || !ParseUnit(unit, base, number, &scaled, hint))
    return std::nullopt;
  scaled = std::rint(scaled);
  if (scaled > INT_MAX || scaled < INT_MIN) {
    *hint = "Value exceeds integer range.";
    return std::nullopt;
  }
  return static_cast<int64_t>(scaled);
}

std::optional<double> ParseSettingReal(std::string_view text, SettingUnit base, std::string* hint) {
  double number, scaled;
  std::string_view unit;
  if (!ParseNumber(Trim(text), false, &number, &unit) || !ParseUnit(unit, base, number, &scaled, hint))
    return std::nullopt;
  return scaled;
}

std::string FormatSettingInt(int64_t value, SettingUnit base) {
  if (base == SettingUnit::kNone || value <= 0) return std::to_string(value);
  double total = static_cast<double>(value) * BaseSize(base);
  for (const UnitText& unit : UnitsFor(base)) {
    double count = total / unit.in_base;
    if (count >= 1 && count == std::floor(count))
      return fmt::format("{}{}", static_cast<int64_t>(count), unit.name);
  }
  return std::to_string(value);
}

std::string FormatSettingReal(double value, SettingUnit base) {
  char text[64];
  const char* name = "";
  if (base != SettingUnit::kNone && value > 0) {
    // The largest unit in which the value is a whole number; the smallest if there is none.
    double total = value * BaseSize(base);
    for (const UnitText& unit : UnitsFor(base)) {
      double count = total / unit.in_base;
      value = count;
      name = unit.name;
      if (count >= 1 && std::fabs(count - std::rint(count)) < 1e-8 * count) break;
    }
  }
  std::snprintf(text, sizeof text, "%g%s", value, name);
  return text;
}

std::string_view SettingUnitName(SettingUnit unit) {
  switch (unit) {
    case SettingUnit::kNone: return "";
    case SettingUnit::kByte: return "B";
    case SettingUnit::kKilobyte: return "kB";
    case SettingUnit::kMegabyte: return "MB";
    case SettingUnit::kBlock:
    case SettingUnit::kWalBlock: return "8kB";
    case SettingUnit::kMillisecond: return "ms";
    case SettingUnit::kSecond: return "s";
    case SettingUnit::kMinute: return "min";
  }
  return "";
}

std::vector<std::string> SplitSettingList(const std::string& text) {
  std::vector<std::string> items;
  size_t at = 0;
  while (at <= text.size()) {
    size_t comma = std::min(text.find(',', at), text.size());
    std::string item = text.substr(at, comma - at);
    item.erase(0, item.find_first_not_of(" \t\""));
    item.erase(item.find_last_not_of(" \t\"") + 1);
    if (!item.empty()) items.push_back(std::move(item));
    at = comma + 1;
  }
  return items;
}

}  // namespace walden
