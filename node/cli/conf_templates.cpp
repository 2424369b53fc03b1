#include "node/cli/conf_templates.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "node/config/settings.h"

namespace walden {
namespace {

bool BelongsInFile(const SettingInfo& info) {
  constexpr uint32_t kHidden =
      setting_flag::kNoShowAll | setting_flag::kDisallowInFile | setting_flag::kPlaceholder;
  return info.context != "internal" && !(info.flags & kHidden) && info.category != "Developer Options" &&
         info.category != "File Locations";
}

std::string Quoted(const SettingInfo& info, const std::string& value) {
  if (info.vartype == "string" || info.vartype == "enum") {
    std::string text = "'";
    for (char c : value) {
      if (c == '\'') text += '\'';
      text += c;
    }
    return text + "'";
  }
  return value;
}

}  // namespace

// Every setting that a file may hold, commented out with its default, by category; then what init decided.
std::string PostgresqlConf(const std::string& time_zone) {
  std::string text =
      "# Configuration of a Walden node. Lines have the form:  name = value\n"
      "# What is commented out stands at its default. \"walden reload\" applies changes, but for settings "
      "marked\n"
      "# \"(restart)\". Units: B kB MB GB TB, us ms s min h d.\n";
  std::map<std::string, std::vector<SettingInfo>> categories;
  for (SettingInfo& info : ListSettings()) {
    if (BelongsInFile(info)) categories[info.category].push_back(std::move(info));
  }
  for (const auto& [category, settings] : categories) {
    text += fmt::format("\n# --- {} ---\n\n", category);
    for (const SettingInfo& info : settings) {
      bool restart = info.context == "postmaster";
      std::string shown = ShowSetting(info.name);
      text += fmt::format("#{:<50} # {}{}\n", fmt::format("{} = {}", info.name, Quoted(info, shown)),
                          info.short_desc, restart ? " (restart)" : "");
    }
  }
  text += fmt::format("\n# --- Decided by walden init ---\n\ntimezone = '{}'\nlog_timezone = '{}'\n",
                      time_zone, time_zone);
  return text;
}

std::string PgHbaConf(const std::string& auth_local, const std::string& auth_host) {
  return fmt::format(
      "# Client authentication rules: the first line that fits a connection decides.\n"
      "# TYPE  DATABASE        USER            ADDRESS                 METHOD\n\n"
      "local   all             all                                     {0}\n"
      "host    all             all             127.0.0.1/32            {1}\n"
      "host    all             all             ::1/128                 {1}\n"
      "host    all             all             all                     {1}\n"
      "local   replication     all                                     {0}\n"
      "host    replication     all             all                     scram-sha-256\n",
      auth_local, auth_host);
}

std::string PgIdentConf() {
  return "# Maps system users to roles, for peer and cert.\n# MAPNAME       SYSTEM-USERNAME         "
         "PG-USERNAME\n";
}

}  // namespace walden
