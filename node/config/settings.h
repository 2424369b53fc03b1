// Settings: declaration table in settings.def, values in the process. Reads are array loads. Not thread-safe
// for writing; other threads may read numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/setting_types.h"

namespace walden {

enum class Setting : uint16_t {
#define SETTING(name) name,
#define BOOL(name, text, context, category, flags, boot, description) SETTING(name)
#define INT(name, text, context, category, flags, unit, boot, low, high, description) SETTING(name)
#define REAL(name, text, context, category, flags, unit, boot, low, high, description) SETTING(name)
#define STRING(name, text, context, category, flags, boot, description) SETTING(name)
#define ENUM(name, text, context, category, flags, options, boot, description) SETTING(name)
#include "node/config/settings.def"
#undef SETTING
#undef BOOL
#undef INT
#undef REAL
#undef STRING
#undef ENUM
  kCount
};

union SettingNumber {
  int64_t integer;  // int and enum (the option's value); bool as 0/1
  double real;
};
extern SettingNumber setting_numbers[static_cast<size_t>(Setting::kCount)];

// In the setting's base unit, as PostgreSQL keeps it (work_mem kB, shared_buffers 8 kB blocks, timeouts ms).
inline bool GetBool(Setting setting) { return setting_numbers[static_cast<size_t>(setting)].integer != 0; }
inline int64_t GetInt(Setting setting) { return setting_numbers[static_cast<size_t>(setting)].integer; }
inline double GetReal(Setting setting) { return setting_numbers[static_cast<size_t>(setting)].real; }
// Value of the chosen option; the enumerations are in setting_types.h.
inline int GetEnum(Setting setting) {
  return static_cast<int>(setting_numbers[static_cast<size_t>(setting)].integer);
}
template <class E>
E GetEnum(Setting setting) {
  return static_cast<E>(GetEnum(setting));
}
const std::string& GetString(Setting setting);

// Finds by name, ignoring case and knowing PostgreSQL's old names.
std::optional<Setting> FindSetting(std::string_view name);
const char* SettingName(Setting setting);
SettingContext SettingContextOf(Setting setting);
// setting_flag bits; 0 for a name that no row has.
uint32_t SettingFlags(std::string_view name);

enum class SetAction : uint8_t {
  kSet,    // until the session ends; undone if the transaction aborts
  kLocal,  // until the transaction ends
  kSave,   // until the current level ends (a function's SET clause)
};

// Who asks. `is_superuser` matters for superuser contexts.
struct SetRequest {
  SettingContext context = SettingContext::kUser;
  SettingSource source = SettingSource::kSession;
  SetAction action = SetAction::kSet;
  bool is_superuser = false;
  const char* file = nullptr;  // for SettingSource::kFile
  int line = 0;
};

// Sets from text; nullopt means RESET (to the value of the best source below kSession). Throws SqlError:
// 42704 unknown, 22023 invalid, 55P02 cannot be changed now, 42501. Placeholders "a.b" are created as needed.
void SetSetting(std::string_view name, std::optional<std::string_view> value, const SetRequest& request);
// Only checks what SetSetting would check (ALTER ROLE/DATABASE/SYSTEM SET).
void CheckSetting(std::string_view name, std::optional<std::string_view> value, const SetRequest& request);
// Sets at start-up or from inside: context kInternal, never refused for its context.
void OverrideSetting(Setting setting, std::string_view value,
                     SettingSource source = SettingSource::kOverride);
void ResetAllSettings(const SetRequest& request);

// SHOW text of a setting ("4MB"); throws 42704 for unknown names, 42501 when hidden from the role.
std::string ShowSetting(std::string_view name, bool can_see_all = true);
std::string ShowSetting(Setting setting);
// Without unit, as pg_settings.setting shows it ("4096").
std::string SettingText(Setting setting);

// Hooks. `check` may throw or change the proposed value to its canonical form; `assign` sees the new value in
// force; `show` replaces the shown text. One of each per setting, installed before values are set (they run
// for the boot value at once).
struct ProposedValue {
  SettingNumber number{};
  std::string text;  // string settings
  SettingSource source = SettingSource::kDefault;
};
struct SettingHooks {
  std::function<void(ProposedValue&)> check;
  std::function<void()> assign;
  std::function<std::string()> show;
};
void InstallSettingHooks(Setting setting, SettingHooks hooks);

// Called for every change of a setting with flag kReport: (name, shown text). The session sends
// ParameterStatus.
void SetReportHook(void (*hook)(std::string_view name, const std::string& value));
// Name and text of all settings with flag kReport.
std::vector<std::pair<std::string, std::string>> ReportedSettings();

// Transaction levels. Level 1 is the transaction, each savepoint or function call one more.
int OpenSettingLevel();                          // returns the new level
void CloseSettingLevel(int level, bool commit);  // closes `level` and all above it
int CurrentSettingLevel();
// RAII level for a function with SET clauses: closing commits unless an exception passes.
class SettingScope {
 public:
  SettingScope();
  ~SettingScope();
  SettingScope(const SettingScope&) = delete;
  SettingScope& operator=(const SettingScope&) = delete;

 private:
  int level_;
  int exceptions_;
};

// One row of pg_settings.
struct SettingInfo {
  std::string name, setting, unit, category, short_desc, context, vartype, source;
  std::optional<std::string> min_val, max_val, boot_val, reset_val, source_file;
  std::vector<std::string> enumvals;
  int source_line = 0;
  bool pending_restart = false;
  uint32_t flags = 0;
};
std::vector<SettingInfo> ListSettings();

// Values that differ from the boot values, for a child started by exec or for parking a session.
struct SettingAssignment {
  std::string name, value;
  SettingSource source;
};
std::vector<SettingAssignment> ChangedSettings();

// For tests: everything back to boot values, no levels.
void ResetSettingsForTest();

}  // namespace walden
