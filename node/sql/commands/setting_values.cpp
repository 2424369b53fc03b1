#include "node/sql/commands/setting_values.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "node/base/arena.h"
#include "node/base/error.h"
#include "node/base/stack_depth.h"
#include "node/config/setting_values.h"
#include "node/config/settings.h"
#include "node/sql/executor/spill_file.h"
#include "node/types/quote.h"

namespace walden {
namespace {

SqlError InvalidValue(Setting setting, const std::string& text) {
  return SqlError(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"",
                  SettingName(setting), text);
}

// The locales that Walden has; all of them write messages, numbers, money and dates as C does.
template <Setting kSetting>
void CheckLocale(ProposedValue& proposed) {
  constexpr std::string_view kLocales[] = {"", "C", "POSIX", "C.UTF-8", "C.utf8"};
  if (std::find(std::begin(kLocales), std::end(kLocales), proposed.text) == std::end(kLocales)) {
    throw InvalidValue(kSetting, proposed.text);
  }
}

void CheckAbbreviations(ProposedValue& proposed) {
  if (proposed.text != "Default") throw InvalidValue(Setting::kTimezoneAbbreviations, proposed.text);
}

void CheckTableAccessMethod(ProposedValue& proposed) {
  if (proposed.text == "heap") return;
  throw InvalidValue(Setting::kDefaultTableAccessMethod, proposed.text)
      .WithDetail(fmt::format("Table access method \"{}\" does not exist.", proposed.text));
}

// pg_default is the only one that tables can be put in.
template <Setting kSetting>
void CheckTablespaces(ProposedValue& proposed) {
  for (const std::string& name : SplitSettingList(proposed.text)) {
    if (name == "pg_default") continue;
    throw InvalidValue(kSetting, proposed.text)
        .WithDetail(fmt::format("Tablespace \"{}\" does not exist.", name));
  }
}

// What the system leaves of its stack limit for signal handlers and libraries.
constexpr int64_t kStackReserveKb = 512;

void CheckStackLimit(ProposedValue& proposed) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return;
  int64_t most_kb = static_cast<int64_t>(limit.rlim_cur / 1024) - kStackReserveKb;
  if (proposed.number.integer <= most_kb) return;
  throw SqlError(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"max_stack_depth\": {}",
                 proposed.number.integer)
      .WithDetail(fmt::format("\"max_stack_depth\" must not exceed {}kB.", most_kb))
      .WithHint("Increase the platform's stack depth limit via \"ulimit -s\" or local equivalent.");
}

void AssignSpillLimit() {
  int64_t limit_kb = GetInt(Setting::kTempFileLimit);
  SetSpillLimit(limit_kb < 0 ? UINT64_MAX : static_cast<uint64_t>(limit_kb) * 1024);
}

}  // namespace

void InstallValueHooks() {
  InstallSettingHooks(Setting::kLcMessages, {.check = CheckLocale<Setting::kLcMessages>});
  InstallSettingHooks(Setting::kLcMonetary, {.check = CheckLocale<Setting::kLcMonetary>});
  InstallSettingHooks(Setting::kLcNumeric, {.check = CheckLocale<Setting::kLcNumeric>});
  InstallSettingHooks(Setting::kLcTime, {.check = CheckLocale<Setting::kLcTime>});
  InstallSettingHooks(Setting::kTimezoneAbbreviations, {.check = CheckAbbreviations});
  InstallSettingHooks(Setting::kDefaultTableAccessMethod, {.check = CheckTableAccessMethod});
  InstallSettingHooks(Setting::kDefaultTablespace, {.check = CheckTablespaces<Setting::kDefaultTablespace>});
  InstallSettingHooks(Setting::kTempTablespaces, {.check = CheckTablespaces<Setting::kTempTablespaces>});
  InstallSettingHooks(Setting::kMaxStackDepth,
                      {.check = CheckStackLimit, .assign = [] {
                         SetStackDepthLimit(static_cast<size_t>(GetInt(Setting::kMaxStackDepth)) * 1024);
                       }});
  InstallSettingHooks(Setting::kWaldenClobberFreedMemory,
                      {.assign = [] { ClobberFreedMemory(GetBool(Setting::kWaldenClobberFreedMemory)); }});
  InstallSettingHooks(Setting::kTempFileLimit, {.assign = AssignSpillLimit});
  InstallSettingHooks(Setting::kQuoteAllIdentifiers,
                      {.assign = [] { quote_all_identifiers = GetBool(Setting::kQuoteAllIdentifiers); }});
}

}  // namespace walden
