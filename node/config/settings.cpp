#include "node/config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <deque>
#include <map>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/config/session_settings.h"
#include "node/config/setting_generation.h"
#include "node/config/setting_options.h"
#include "node/config/setting_rows.h"
#include "node/config/setting_values.h"

namespace walden {

SettingNumber setting_numbers[static_cast<size_t>(Setting::kCount)];
uint64_t setting_generation = 1;

namespace {

using C = SettingContext;
using U = SettingUnit;
namespace F = setting_flag;
constexpr double kMaxReal = DBL_MAX;
#ifdef WALDEN_DCHECK
constexpr bool kDebugAssertions = true;
#else
constexpr bool kDebugAssertions = false;
#endif

constexpr SettingNumber Whole(int64_t value) { return SettingNumber{.integer = value}; }
constexpr SettingNumber Real(double value) { return SettingNumber{.real = value}; }

constexpr SettingRow kRows[] = {
#define BOOL(name, text, context, category, flags, boot, description) \
  {text, SettingType::kBool, context, category, flags, U::kNone, description, 0, 0, Whole(boot), nullptr, {}},
#define INT(name, text, context, category, flags, unit, boot, low, high, description) \
  {text, SettingType::kInt, context, category, flags, unit, description, low, high, Whole(boot), nullptr, {}},
#define REAL(name, text, context, category, flags, unit, boot, low, high, description) \
  {text, SettingType::kReal, context, category, flags, unit, description, low, high, Real(boot), nullptr, {}},
#define STRING(name, text, context, category, flags, boot, description) \
  {text, SettingType::kString, context, category, flags, U::kNone, description, 0, 0, Whole(0), boot, {}},
#define ENUM(name, text, context, category, flags, options, boot, description)   \
  {text, SettingType::kEnum, context, category, flags, U::kNone, description, 0, \
   0,    Whole(boot),        nullptr, options},
#include "node/config/settings.def"
#undef BOOL
#undef INT
#undef REAL
#undef STRING
#undef ENUM
};

// Custom parameters ("myapp.user") that no row declares: text only, user context. They are numbered behind the rows, so that transaction levels
// treat them alike.
struct Placeholders {
  std::map<std::string, Setting> by_name;
  std::deque<SettingState> states;
};
Placeholders& CustomSettings() {
  static auto* placeholders = new Placeholders;
  return *placeholders;
}
bool IsCustom(Setting setting) { return setting >= Setting::kCount; }

void (*report_hook)(std::string_view, const std::string&) = nullptr;

// What settings were before the session changed them. Empty and off outside of sessions.
struct SessionUndo {
  bool on = false;
  std::vector<std::pair<Setting, SettingState>> former;
  Placeholders custom;
};
SessionUndo session_undo;

void RememberFormer(Setting setting) {
  if (!session_undo.on || IsCustom(setting)) return;
  for (const auto& [known, state] : session_undo.former) {
    if (known == setting) return;
  }
  session_undo.former.emplace_back(setting, StateOf(setting));
}

std::vector<SettingState>& States() {
  static std::vector<SettingState>* states = [] {
    auto* fresh = new std::vector<SettingState>(std::size(kRows));
    for (size_t i = 0; i < std::size(kRows); ++i) {
      SettingState& state = (*fresh)[i];
      state.current.number = kRows[i].boot;
      if (kRows[i].boot_text != nullptr) state.current.text = kRows[i].boot_text;
      state.reset = state.current;
      setting_numbers[i] = kRows[i].boot;
    }
    return fresh;
  }();
  return *states;
}
[[maybe_unused]] const bool states_filled = (States(), true);

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(x) == std::tolower(y);
         });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  return lower;
}

const std::map<std::string, size_t>& NameIndex() {
  static const std::map<std::string, size_t>* index = [] {
    auto* fresh = new std::map<std::string, size_t>;
    for (size_t i = 0; i < std::size(kRows); ++i) fresh->emplace(Lower(kRows[i].name), i);
    return fresh;
  }();
  return *index;
}

}  // namespace

std::span<const SettingRow> SettingRows() { return kRows; }
SettingState& StateOf(Setting setting) {
  if (IsCustom(setting))
    return CustomSettings().states[static_cast<size_t>(setting) - static_cast<size_t>(Setting::kCount)];
  return States()[static_cast<size_t>(setting)];
}

std::string_view SettingContextName(SettingContext context) {
  constexpr std::string_view kNames[] = {"internal", "postmaster", "sighup", "superuser-backend",
                                         "backend",  "superuser",  "user"};
  return kNames[static_cast<size_t>(context)];
}

std::string_view SettingSourceName(SettingSource source) {
  constexpr std::string_view kNames[] = {"default",
                                         "default",
                                         "environment variable",
                                         "configuration file",
                                         "command line",
                                         "global",
                                         "database",
                                         "user",
                                         "database user",
                                         "client",
                                         "override",
                                         "interactive",
                                         "test",
                                         "session"};
  return kNames[static_cast<size_t>(source)];
}

std::optional<Setting> FindSetting(std::string_view name) {
  auto found = NameIndex().find(Lower(name));
  if (found != NameIndex().end()) return static_cast<Setting>(found->second);
  if (SameName(name, "sort_mem")) return Setting::kWorkMem;
  if (SameName(name, "vacuum_mem")) return Setting::kMaintenanceWorkMem;
  return std::nullopt;
}

const char* SettingName(Setting setting) { return kRows[static_cast<size_t>(setting)].name; }
SettingContext SettingContextOf(Setting setting) { return kRows[static_cast<size_t>(setting)].context; }
uint32_t SettingFlags(std::string_view name) {
  std::optional<Setting> setting = FindSetting(name);
  return setting ? kRows[static_cast<size_t>(*setting)].flags : 0;
}
const std::string& GetString(Setting setting) { return StateOf(setting).current.text; }

void SetReportHook(void (*hook)(std::string_view, const std::string&)) { report_hook = hook; }

std::vector<std::pair<std::string, std::string>> ReportedSettings() {
  std::vector<std::pair<std::string, std::string>> reported;
  for (size_t i = 0; i < std::size(kRows); ++i) {
    if (kRows[i].flags & F::kReport)
      reported.emplace_back(kRows[i].name, ShowSetting(static_cast<Setting>(i)));
  }
  return reported;
}

void InstallValue(Setting setting, SourcedValue value) {
  SettingState& state = StateOf(setting);
  state.current = std::move(value);
  ++setting_generation;
  if (IsCustom(setting)) return;
  setting_numbers[static_cast<size_t>(setting)] = state.current.number;
  if (state.hooks.assign) state.hooks.assign();
  const SettingRow& row = kRows[static_cast<size_t>(setting)];
  if ((row.flags & F::kReport) && report_hook != nullptr) report_hook(row.name, ShowSetting(setting));
}

void InstallSettingHooks(Setting setting, SettingHooks hooks) {
  RememberFormer(setting);
  SettingState& state = StateOf(setting);
  state.hooks = std::move(hooks);
  if (state.hooks.check) {
    ProposedValue proposed{state.current.number, state.current.text, state.current.source};
    state.hooks.check(proposed);
    state.current.number = proposed.number;
    state.current.text = std::move(proposed.text);
    if (state.reset.source == state.current.source) {
      state.reset.number = state.current.number;
      state.reset.text = state.current.text;
    }
    setting_numbers[static_cast<size_t>(setting)] = state.current.number;
  }
  if (state.hooks.assign) state.hooks.assign();
}

namespace {

SqlError Unrecognized(std::string_view name) {
  return SqlError(ErrorCode::kUndefinedObject, "unrecognized configuration parameter \"{}\"", name);
}

SqlError Invalid(const SettingRow& row, std::string_view text, std::string hint) {
  SqlError error(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"", row.name,
                 text);
  if (!hint.empty()) error.WithHint(std::move(hint));
  return error;
}

bool IsIdentifier(std::string_view part) {
  if (part.empty() || std::isdigit(static_cast<unsigned char>(part[0])) || part[0] == '$') return false;
  return std::all_of(part.begin(), part.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '$' || c >= 0x80; });
}

// "a.b": two or more identifiers. A name without a dot is simply unknown.
bool IsPlaceholderName(std::string_view name) {
  if (name.find('.') == std::string_view::npos) return false;
  for (std::string_view rest = name;;) {
    size_t dot = rest.find('.');
    if (!IsIdentifier(rest.substr(0, dot))) {
      throw SqlError(ErrorCode::kInvalidName, "invalid configuration parameter name \"{}\"", name)
          .WithDetail("Custom parameter names must be two or more simple identifiers separated by dots.");
    }
    if (dot == std::string_view::npos) return true;
    rest.remove_prefix(dot + 1);
  }
}

SettingNumber ParseEnum(const SettingRow& row, std::string_view text) {
  for (const EnumOption& option : row.options) {
    if (SameName(option.name, text)) return Whole(option.value);
  }
  std::string hint = "Available values: ";
  bool first = true;
  for (const EnumOption& option : row.options) {
    if (option.hidden) continue;
    if (!first) hint += ", ";
    hint += option.name;
    first = false;
  }
  throw Invalid(row, text, hint + ".");
}

SettingNumber ParseInt(const SettingRow& row, std::string_view text) {
  std::string hint;
  std::optional<int64_t> value = ParseSettingInt(text, row.unit, &hint);
  if (!value) throw Invalid(row, text, hint);
  if (static_cast<double>(*value) < row.low || static_cast<double>(*value) > row.high) {
    std::string_view unit = SettingUnitName(row.unit);
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "{}{}{} is outside the valid range for parameter \"{}\" ({} .. {})", *value,
                   unit.empty() ? "" : " ", unit, row.name, static_cast<int64_t>(row.low),
                   static_cast<int64_t>(row.high));
  }
  return Whole(*value);
}

SettingNumber ParseReal(const SettingRow& row, std::string_view text) {
  std::string hint;
  std::optional<double> value = ParseSettingReal(text, row.unit, &hint);
  if (!value) throw Invalid(row, text, hint);
  if (*value < row.low || *value > row.high) {
    std::string_view unit = SettingUnitName(row.unit);
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "{:g}{}{} is outside the valid range for parameter \"{}\" ({:g} .. {:g})", *value,
                   unit.empty() ? "" : " ", unit, row.name, row.low, row.high);
  }
  return Real(*value);
}

// Parses and checks; the result is canonical.
ProposedValue Propose(Setting setting, std::string_view text, SettingSource source) {
  const SettingRow& row = kRows[static_cast<size_t>(setting)];
  ProposedValue proposed;
  proposed.source = source;
  switch (row.type) {
    case SettingType::kBool: {
      std::optional<bool> value = ParseSettingBool(text);
      if (!value)
        throw SqlError(ErrorCode::kInvalidParameterValue, "parameter \"{}\" requires a Boolean value",
                       row.name);
      proposed.number = Whole(*value);
      break;
    }
    case SettingType::kInt: proposed.number = ParseInt(row, text); break;
    case SettingType::kReal: proposed.number = ParseReal(row, text); break;
    case SettingType::kEnum: proposed.number = ParseEnum(row, text); break;
    case SettingType::kString: {
      proposed.text = text;
      if (row.flags & F::kIsName) proposed.text.resize(std::min<size_t>(proposed.text.size(), 63));
      break;
    }
  }
  if (const auto& check = StateOf(setting).hooks.check) check(proposed);
  return proposed;
}

// May this request change the setting? Throws; returns false for "silently not now" (a reload of something
// that was fixed at start).
bool CheckContext(const SettingRow& row, const SetRequest& request) {
  const C caller = request.context;
  auto refuse = [&](std::string_view why) {
    return SqlError(ErrorCode::kCantChangeRuntimeParam, "parameter \"{}\" {}", row.name, why);
  };
  switch (row.context) {
    case C::kInternal:
      if (caller != C::kInternal) throw refuse("cannot be changed");
      break;
    case C::kPostmaster:
      if (caller == C::kSighup) return false;
      if (caller != C::kPostmaster && caller != C::kInternal)
        throw refuse("cannot be changed without restarting the server");
      break;
    case C::kSighup:
      if (caller != C::kSighup && caller != C::kPostmaster && caller != C::kInternal)
        throw refuse("cannot be changed now");
      break;
    case C::kSuperuserBackend:
    case C::kBackend:
      if (caller == C::kBackend || caller == C::kSuperuserBackend) {
        if (row.context == C::kSuperuserBackend && !request.is_superuser) {
          throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to set parameter \"{}\"",
                         row.name);
        }
      } else if (caller != C::kSighup && caller != C::kPostmaster && caller != C::kInternal) {
        throw refuse("cannot be set after connection start");
      }
      break;
    case C::kSuperuser:
      if (!request.is_superuser && (caller == C::kUser || caller == C::kBackend || caller == C::kSuperuser)) {
        throw SqlError(ErrorCode::kInsufficientPrivilege, "permission denied to set parameter \"{}\"",
                       row.name);
      }
      break;
    case C::kUser: break;
  }
  return true;
}

// The custom parameter of this name, made if it is not there.
Setting CustomSetting(std::string_view name) {
  Placeholders& placeholders = CustomSettings();
  auto found = placeholders.by_name.find(Lower(name));
  if (found != placeholders.by_name.end()) return found->second;
  if (!IsPlaceholderName(name)) throw Unrecognized(name);
  Setting fresh = static_cast<Setting>(static_cast<size_t>(Setting::kCount) + placeholders.states.size());
  placeholders.states.emplace_back();
  placeholders.by_name.emplace(Lower(name), fresh);
  return fresh;
}

bool IsSessionLevel(SettingSource source) {
  return source == SettingSource::kSession || source == SettingSource::kInteractive;
}

}  // namespace

// A checked value takes effect, for good or as a level says.
static void ApplyValue(Setting setting, SourcedValue fresh, const SetRequest& request) {
  SettingState& state = StateOf(setting);
  if (!IsSessionLevel(request.source)) {
    // A default: it becomes what RESET restores, and takes effect unless something stronger is in force.
    if (request.source >= state.reset.source) state.reset = fresh;
    for (StackedValue& stacked : state.stack) {
      if (stacked.prior.source <= request.source) stacked.prior = fresh;
    }
    if (request.source < state.current.source) return;
  } else {
    PushForChange(setting, request.action);
  }
  if (request.file != nullptr) {
    state.source_file = request.file;
    state.source_line = request.line;
  }
  InstallValue(setting, std::move(fresh));
}

void SetSetting(std::string_view name, std::optional<std::string_view> value, const SetRequest& request) {
  std::optional<Setting> setting = FindSetting(name);
  if (!setting) {
    Setting custom = CustomSetting(name);
    SourcedValue fresh = StateOf(custom).reset;
    if (value) fresh = {{}, std::string(*value), request.source, request.context};
    return ApplyValue(custom, std::move(fresh), request);
  }
  RememberFormer(*setting);
  const SettingRow& row = kRows[static_cast<size_t>(*setting)];
  SettingState& state = StateOf(*setting);
  if (!CheckContext(row, request)) {
    ProposedValue proposed = Propose(*setting, value ? *value : std::string_view(), request.source);
    bool same = row.type == SettingType::kString ? proposed.text == state.current.text
                                                 : proposed.number.integer == state.current.number.integer;
    state.pending_restart = !same;
    if (!same) {
      throw SqlError(ErrorCode::kCantChangeRuntimeParam,
                     "parameter \"{}\" cannot be changed without restarting the server", row.name);
    }
    return;
  }
  SourcedValue fresh = state.reset;
  if (value) {
    ProposedValue proposed = Propose(*setting, *value, request.source);
    fresh = {proposed.number, std::move(proposed.text), request.source, request.context};
  }
  ApplyValue(*setting, std::move(fresh), request);
}

void CheckSetting(std::string_view name, std::optional<std::string_view> value, const SetRequest& request) {
  std::optional<Setting> setting = FindSetting(name);
  if (!setting) {
    if (!IsPlaceholderName(name)) throw Unrecognized(name);
    return;
  }
  CheckContext(kRows[static_cast<size_t>(*setting)], request);
  if (value) Propose(*setting, *value, request.source);
}

void OverrideSetting(Setting setting, std::string_view value, SettingSource source) {
  SetSetting(SettingName(setting), value, {.context = C::kInternal, .source = source, .is_superuser = true});
}

void ResetAllSettings(const SetRequest& request) {
  for (size_t i = 0; i < std::size(kRows); ++i) {
    const SettingRow& row = kRows[i];
    SettingState& state = States()[i];
    if (row.context < C::kSuperuser || (row.flags & F::kNoReset) || !IsSessionLevel(state.current.source))
      continue;
    PushForChange(static_cast<Setting>(i), request.action);
    InstallValue(static_cast<Setting>(i), state.reset);
  }
  for (auto& [name, setting] : CustomSettings().by_name) {
    if (!IsSessionLevel(StateOf(setting).current.source)) continue;
    PushForChange(setting, request.action);
    InstallValue(setting, StateOf(setting).reset);
  }
}

namespace {

std::string NumberText(const SettingRow& row, SettingNumber number, const std::string& text, bool with_unit) {
  switch (row.type) {
    case SettingType::kBool: return number.integer ? "on" : "off";
    case SettingType::kInt:
      return with_unit ? FormatSettingInt(number.integer, row.unit) : std::to_string(number.integer);
    case SettingType::kReal: return FormatSettingReal(number.real, with_unit ? row.unit : U::kNone);
    case SettingType::kEnum:
      for (const EnumOption& option : row.options) {
        if (option.value == number.integer) return option.name;
      }
      return "";
    case SettingType::kString: return text;
  }
  return "";
}

}  // namespace

static std::string ShownText(Setting setting, bool with_unit) {
  const SettingState& state = StateOf(setting);
  if (state.hooks.show) return state.hooks.show();
  const SettingRow& row = kRows[static_cast<size_t>(setting)];
  if ((row.flags & F::kOctal) != 0) return fmt::format("{:04o}", state.current.number.integer);
  return NumberText(row, state.current.number, state.current.text, with_unit);
}

std::string ShowSetting(Setting setting) { return ShownText(setting, /*with_unit=*/true); }
std::string SettingText(Setting setting) { return ShownText(setting, /*with_unit=*/false); }

std::string ShowSetting(std::string_view name, bool can_see_all) {
  std::optional<Setting> setting = FindSetting(name);
  if (!setting) {
    auto custom = CustomSettings().by_name.find(Lower(name));
    if (custom == CustomSettings().by_name.end()) throw Unrecognized(name);
    return StateOf(custom->second).current.text;
  }
  const SettingRow& row = kRows[static_cast<size_t>(*setting)];
  if ((row.flags & F::kSuperuserOnly) && !can_see_all) {
    throw SqlError(ErrorCode::kInsufficientPrivilege,
                   "must be superuser or have privileges of pg_read_all_settings to examine \"{}\"",
                   row.name);
  }
  return ShowSetting(*setting);
}

namespace {

std::string_view TypeName(SettingType type) {
  constexpr std::string_view kNames[] = {"bool", "integer", "real", "string", "enum"};
  return kNames[static_cast<size_t>(type)];
}

SettingInfo Describe(Setting setting) {
  const SettingRow& row = kRows[static_cast<size_t>(setting)];
  const SettingState& state = StateOf(setting);
  SettingInfo info;
  info.name = row.name;
  info.setting = SettingText(setting);
  info.unit = SettingUnitName(row.unit);
  info.category = row.category;
  info.short_desc = row.description;
  info.context = SettingContextName(row.context);
  info.vartype = TypeName(row.type);
  info.source = SettingSourceName(state.current.source);
  info.flags = row.flags;
  if (row.type == SettingType::kInt) {
    info.min_val = std::to_string(static_cast<int64_t>(row.low));
    info.max_val = std::to_string(static_cast<int64_t>(row.high));
  } else if (row.type == SettingType::kReal) {
    info.min_val = fmt::format("{:g}", row.low);
    info.max_val = fmt::format("{:g}", row.high);
  }
  for (const EnumOption& option : row.options) {
    if (!option.hidden) info.enumvals.push_back(option.name);
  }
  info.boot_val = NumberText(row, row.boot, row.boot_text != nullptr ? row.boot_text : "", false);
  info.reset_val = NumberText(row, state.reset.number, state.reset.text, false);
  if (state.current.source == SettingSource::kFile) {
    info.source_file = state.source_file;
    info.source_line = state.source_line;
  }
  info.pending_restart = state.pending_restart;
  return info;
}

}  // namespace

std::vector<SettingInfo> ListSettings() {
  std::vector<SettingInfo> settings;
  for (size_t i = 0; i < std::size(kRows); ++i) {
    if (!(kRows[i].flags & F::kNoShowAll)) settings.push_back(Describe(static_cast<Setting>(i)));
  }
  for (const auto& [name, custom] : CustomSettings().by_name) {
    SettingInfo info;
    info.name = name;
    info.setting = StateOf(custom).current.text;
    info.reset_val = StateOf(custom).reset.text;
    info.category = "Customized Options";
    info.context = "user";
    info.vartype = "string";
    info.source = SettingSourceName(StateOf(custom).current.source);
    info.flags = F::kPlaceholder;
    settings.push_back(std::move(info));
  }
  std::sort(settings.begin(), settings.end(),
            [](const SettingInfo& a, const SettingInfo& b) { return Lower(a.name) < Lower(b.name); });
  return settings;
}

std::vector<SettingAssignment> ChangedSettings() {
  std::vector<SettingAssignment> changed;
  for (size_t i = 0; i < std::size(kRows); ++i) {
    const SettingState& state = States()[i];
    if (state.current.source == SettingSource::kDefault) continue;
    changed.push_back({kRows[i].name, NumberText(kRows[i], state.current.number, state.current.text, false),
                       state.current.source});
  }
  return changed;
}

void BeginSessionSettings() {
  CHECK(CurrentSettingLevel() == 0);
  session_undo.on = true;
  session_undo.former.clear();
  session_undo.custom = CustomSettings();
}

void UndoSessionSettings() {
  CHECK(session_undo.on && CurrentSettingLevel() == 0);
  session_undo.on = false;
  for (auto& [setting, former] : session_undo.former) {
    StateOf(setting) = std::move(former);
    setting_numbers[static_cast<size_t>(setting)] = StateOf(setting).current.number;
  }
  ++setting_generation;
  for (const auto& [setting, former] : session_undo.former) {
    if (const auto& assign = StateOf(setting).hooks.assign) assign();
  }
  session_undo.former.clear();
  CustomSettings() = std::move(session_undo.custom);
}

void ResetSettingsForTest() {
  CloseSettingLevel(1, false);
  for (size_t i = 0; i < std::size(kRows); ++i) {
    SourcedValue boot;
    boot.number = kRows[i].boot;
    if (kRows[i].boot_text != nullptr) boot.text = kRows[i].boot_text;
    SettingState& state = States()[i];
    state.stack.clear();
    state.reset = boot;
    state.pending_restart = false;
    InstallValue(static_cast<Setting>(i), boot);
  }
  CustomSettings() = {};
}

}  // namespace walden
