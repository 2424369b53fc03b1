// pg_settings_*: every setting that is a number or a switch, in base units.
#include <cstdlib>
#include <string>

#include "node/config/settings.h"
#include "node/stats/metrics.h"

namespace walden {
namespace {

struct BaseUnit {
  std::string_view unit;    // as pg_settings shows it
  std::string_view suffix;  // of the metric's name
  double factor;
};
constexpr BaseUnit kBaseUnits[] = {
    {"B", "_bytes", 1},        {"kB", "_bytes", 1024}, {"8kB", "_bytes", 8192}, {"MB", "_bytes", 1048576},
    {"ms", "_seconds", 0.001}, {"s", "_seconds", 1},   {"min", "_seconds", 60},
};

const BaseUnit* FindBaseUnit(std::string_view unit) {
  for (const BaseUnit& base : kBaseUnits) {
    if (base.unit == unit) return &base;
  }
  return nullptr;
}

double ValueOf(const SettingInfo& setting) {
  if (setting.vartype == "bool") return setting.setting == "on" ? 1 : 0;
  return std::strtod(setting.setting.c_str(), nullptr);
}

// postgresql.conf's names may have capitals; extensions' have dots.
std::string MetricName(const SettingInfo& setting) {
  std::string name = "pg_settings_" + setting.name;
  for (char& c : name) c = c == '.' ? '_' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return name;
}

}  // namespace

void SettingMetrics(MetricSink& sink) {
  for (const SettingInfo& setting : ListSettings()) {
    if (setting.vartype != "bool" && setting.vartype != "integer" && setting.vartype != "real") continue;
    const BaseUnit* base = FindBaseUnit(setting.unit);
    double value = ValueOf(setting);
    std::string name = MetricName(setting);
    // Negative values are switches (-1: off), not sizes or times: they stay as they are.
    if (base != nullptr) {
      if (!name.ends_with(base->suffix)) name += base->suffix;
      if (value > 0) value *= base->factor;
    }
    sink.Add({name, MetricType::kGauge, "", setting.short_desc}, value, {});
  }
}

}  // namespace walden
