#include "node/config/conf_file.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/setting_rows.h"
#include "node/os/file.h"

namespace walden {
namespace {

constexpr int kMaxIncludeDepth = 10;

// One line of a configuration file: name [=] value [# comment].
class LineParser {
 public:
  LineParser(std::string_view line, const std::string& file, int number)
      : rest_(line), file_(file), number_(number) {}

  // False for an empty or comment line.
  bool Parse(ConfEntry* entry) {
    SkipBlanks();
    if (rest_.empty() || rest_[0] == '#') return false;
    entry->file = file_;
    entry->line = number_;
    entry->name = Name();
    SkipBlanks();
    if (!rest_.empty() && rest_[0] == '=') rest_.remove_prefix(1);
    SkipBlanks();
    entry->value = !rest_.empty() && rest_[0] == '\'' ? Quoted() : Bare();
    SkipBlanks();
    if (!rest_.empty() && rest_[0] != '#') Fail();
    return true;
  }

 private:
  [[noreturn]] void Fail() const {
    std::string near = rest_.empty()
                           ? "end of line"
                           : fmt::format("token \"{}\"", rest_.substr(0, rest_.find_first_of(" \t#")));
    throw SqlError(ErrorCode::kConfigFileError, "syntax error in file \"{}\" line {}, near {}", file_,
                   number_, near);
  }
  void SkipBlanks() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0]))) rest_.remove_prefix(1);
  }
  std::string Take(size_t size) {
    std::string taken(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return taken;
  }
  std::string Name() {
    size_t size = 0;
    while (size < rest_.size()) {
      unsigned char c = static_cast<unsigned char>(rest_[size]);
      bool first = size == 0;
      if (!(std::isalpha(c) || c == '_' || c >= 0x80 ||
            (!first && (std::isdigit(c) || c == '$' || c == '.'))))
        break;
      ++size;
    }
    if (size == 0) Fail();
    return Take(size);
  }
  std::string Bare() {
    constexpr std::string_view kUnquoted = "._:/+-";
    size_t size = 0;
    while (size < rest_.size()) {
      unsigned char c = static_cast<unsigned char>(rest_[size]);
      if (!(std::isalnum(c) || c >= 0x80 || kUnquoted.find(static_cast<char>(c)) != std::string_view::npos))
        break;
      ++size;
    }
    if (size == 0) Fail();
    return Take(size);
  }
  std::string Quoted() {
    std::string value;
    size_t i = 1;
    for (;; ++i) {
      if (i >= rest_.size()) Fail();
      char c = rest_[i];
      if (c == '\'') {
        if (i + 1 >= rest_.size() || rest_[i + 1] != '\'') break;
        value += rest_[++i];
      } else if (c == '\\' && i + 1 < rest_.size()) {
        value += Escaped(&i);
      } else {
        value += c;
      }
    }
    rest_.remove_prefix(i + 1);
    return value;
  }
  char Escaped(size_t* i) {
    char c = rest_[++*i];
    switch (c) {
      case 'b': return '\b';
      case 'f': return '\f';
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      default: break;
    }
    if (c < '0' || c > '7') return c;
    int value = 0;
    for (int digits = 0; digits < 3 && *i < rest_.size() && rest_[*i] >= '0' && rest_[*i] <= '7';
         ++digits, ++*i) {
      value = value * 8 + (rest_[*i] - '0');
    }
    --*i;
    return static_cast<char>(value);
  }

  std::string_view rest_;
  const std::string& file_;
  int number_;
};

std::string Relative(const std::string& path, const std::string& including_file) {
  if (path.starts_with('/')) return path;
  size_t slash = including_file.rfind('/');
  return slash == std::string::npos ? path : including_file.substr(0, slash + 1) + path;
}

void ParseFile(const std::string& path, int depth, bool must_exist, std::vector<ConfEntry>* entries);

void Include(const ConfEntry& directive, int depth, std::vector<ConfEntry>* entries) {
  std::string path = Relative(directive.value, directive.file);
  if (directive.name != "include_dir")
    return ParseFile(path, depth + 1, directive.name == "include", entries);
  for (const std::string& name : ListDirectory(path)) {
    if (name.ends_with(".conf") && !name.starts_with('.'))
      ParseFile(path + "/" + name, depth + 1, true, entries);
  }
}

void ParseText(std::string_view text, const std::string& file, int depth, bool includes,
               std::vector<ConfEntry>* entries) {
  int number = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ConfEntry entry;
    if (!LineParser(line, file, ++number).Parse(&entry)) continue;
    bool directive =
        entry.name == "include" || entry.name == "include_if_exists" || entry.name == "include_dir";
    if (directive && includes) {
      Include(entry, depth, entries);
    } else {
      entries->push_back(std::move(entry));
    }
  }
}

void ParseFile(const std::string& path, int depth, bool must_exist, std::vector<ConfEntry>* entries) {
  if (depth > kMaxIncludeDepth) {
    throw SqlError(ErrorCode::kConfigFileError,
                   "could not open configuration file \"{}\": maximum nesting depth exceeded", path);
  }
  std::string text;
  if (!TryReadWholeFile(path, &text)) {
    if (must_exist)
      throw SqlError(ErrorCode::kConfigFileError,
                     "could not open configuration file \"{}\": No such file or directory", path);
    Log(Severity::kLog, "skipping missing configuration file \"{}\"", path);
    return;
  }
  ParseText(text, path, depth, true, entries);
}

// The last entry of each name wins.
std::vector<ConfEntry> LastOfEach(const std::vector<ConfEntry>& entries) {
  std::vector<ConfEntry> result;
  std::set<std::string> seen;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    std::string key = entry->name;
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
    if (seen.insert(key).second) result.push_back(*entry);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

void ReportBad(const ConfEntry& entry, const SqlError& error, Severity severity) {
  ErrorFields fields = error.fields();
  fields.severity = severity;
  if (error.code() == ErrorCode::kUndefinedObject)
    fields.message += fmt::format(" in file \"{}\" line {}", entry.file, entry.line);
  EmitLog(fields);
}

struct BadEntries {
  bool unknown_names = false;
  bool values = false;
};

// Checks every entry and reports the bad ones, which are taken out.
BadEntries TakeOutBad(std::vector<ConfEntry>* entries, SettingContext context, Severity severity) {
  BadEntries bad;
  std::erase_if(*entries, [&](const ConfEntry& entry) {
    try {
      CheckSetting(entry.name, entry.value,
                   {.context = context, .source = SettingSource::kFile, .is_superuser = true});
      return false;
    } catch (const SqlError& error) {
      ReportBad(entry, error, severity);
      (error.code() == ErrorCode::kUndefinedObject ? bad.unknown_names : bad.values) = true;
      return true;
    }
  });
  return bad;
}

// Settings that a file set before and no longer does go back to their boot values.
// False if one of them needs a restart for that.
bool ResetVanished(const std::vector<ConfEntry>& entries, SettingContext context, Severity severity) {
  bool all = true;
  std::set<Setting> named;
  for (const ConfEntry& entry : entries) {
    if (auto setting = FindSetting(entry.name)) named.insert(*setting);
  }
  for (size_t i = 0; i < SettingRows().size(); ++i) {
    Setting setting = static_cast<Setting>(i);
    SettingState& state = StateOf(setting);
    const SettingRow& row = SettingRows()[i];
    if (named.count(setting) || state.reset.source != SettingSource::kFile) continue;
    if (row.context == SettingContext::kPostmaster) {
      state.pending_restart = true;
      all = false;
      Log(severity, "parameter \"{}\" cannot be changed without restarting the server", row.name);
      continue;
    }
    SourcedValue boot;
    boot.number = row.boot;
    if (row.boot_text != nullptr) boot.text = row.boot_text;
    bool in_force = state.current.source == SettingSource::kFile;
    state.reset = boot;
    if (!in_force) continue;
    InstallValue(setting, boot);
    if (context == SettingContext::kSighup)
      Log(severity, "parameter \"{}\" removed from configuration file, reset to default", row.name);
  }
  return all;
}

// False if the value was refused (it needs a restart).
bool Apply(const ConfEntry& entry, SettingContext context, Severity severity) {
  std::optional<Setting> setting = FindSetting(entry.name);
  std::string before = setting ? SettingText(*setting) : "";
  try {
    SetSetting(entry.name, entry.value,
               {.context = context,
                .source = SettingSource::kFile,
                .is_superuser = true,
                .file = entry.file.c_str(),
                .line = entry.line});
  } catch (const SqlError& error) {
    if (context == SettingContext::kSighup) ReportBad(entry, error, severity);
    return false;
  }
  if (context == SettingContext::kSighup && setting && SettingText(*setting) != before)
    Log(severity, "parameter \"{}\" changed to \"{}\"", SettingName(*setting), entry.value);
  return true;
}

void ReportErrors(const std::string& config_file, const char* consequence, Severity severity) {
  ErrorFields fields;
  fields.severity = severity;
  fields.code = ErrorCode::kConfigFileError;
  fields.message = fmt::format("configuration file \"{}\" contains errors{}", config_file, consequence);
  EmitLog(fields);
}

}  // namespace

void ParseConfFile(const std::string& path, std::vector<ConfEntry>* entries) {
  ParseFile(path, 0, true, entries);
}

void ParseConfText(std::string_view text, const std::string& file_name, std::vector<ConfEntry>* entries) {
  ParseText(text, file_name, 0, false, entries);
}

bool LoadConfiguration(const std::string& config_file, const std::string& data_directory,
                       SettingContext context, Severity severity) {
  std::vector<ConfEntry> entries;
  bool starting = context == SettingContext::kPostmaster;
  try {
    ParseConfFile(config_file, &entries);
    std::string automatic = data_directory + "/postgresql.auto.conf";
    if (PathExists(automatic)) ParseConfFile(automatic, &entries);
  } catch (const SqlError& error) {
    if (starting) throw;
    LogError(severity, error);
    ReportErrors(config_file, "; no changes were applied", severity);
    return false;
  }
  entries = LastOfEach(entries);
  std::vector<ConfEntry> good = entries;
  BadEntries bad = TakeOutBad(&good, context, severity);
  if (starting && (bad.unknown_names || bad.values))
    throw SqlError(ErrorCode::kConfigFileError, "configuration file \"{}\" contains errors", config_file);
  if (bad.unknown_names) {
    ReportErrors(config_file, "; no changes were applied", severity);
    return false;
  }
  bool all = ResetVanished(entries, context, severity) && !bad.values;
  for (const ConfEntry& entry : good) all &= Apply(entry, context, severity);
  if (!all && !starting) ReportErrors(config_file, "; unaffected changes were applied", severity);
  return all;
}

std::vector<FileSetting> ListFileSettings() {
  std::vector<ConfEntry> entries;
  std::string broken;
  try {
    ParseConfFile(GetString(Setting::kConfigFile), &entries);
    std::string automatic = GetString(Setting::kDataDirectory) + "/postgresql.auto.conf";
    if (PathExists(automatic)) ParseConfFile(automatic, &entries);
  } catch (const SqlError& error) {
    broken = error.fields().message;
  }
  std::vector<FileSetting> settings;
  std::set<std::string> later;
  bool unknown = false;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    FileSetting setting{*entry, false, ""};
    std::string key = entry->name;
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
    try {
      if (later.insert(key).second) {
        CheckSetting(
            entry->name, entry->value,
            {.context = SettingContext::kSighup, .source = SettingSource::kFile, .is_superuser = true});
        setting.applied = true;
      }
    } catch (const SqlError& error) {
      bool is_unknown = error.code() == ErrorCode::kUndefinedObject;
      unknown |= is_unknown;
      setting.error = is_unknown ? "unrecognized configuration parameter" : "setting could not be applied";
    }
    settings.insert(settings.begin(), std::move(setting));
  }
  // A file that cannot be read, or a name that is not known, keeps everything from being applied.
  if (!broken.empty() || unknown) {
    for (FileSetting& setting : settings) setting.applied = false;
  }
  if (!broken.empty()) settings.push_back({ConfEntry{}, false, broken});
  return settings;
}

bool ReloadConfiguration(Severity severity) {
  return LoadConfiguration(GetString(Setting::kConfigFile), GetString(Setting::kDataDirectory),
                           SettingContext::kSighup, severity);
}

namespace {

void StoreAutoConf(const std::string& path, const std::vector<ConfEntry>& entries) {
  std::string text =
      "# Do not edit this file manually!\n# It will be overwritten by the ALTER SYSTEM command.\n";
  for (const ConfEntry& entry : entries) {
    text += entry.name + " = '";
    for (char c : entry.value) {
      if (c == '\'' || c == '\\') text += c;
      text += c;
    }
    text += "'\n";
  }
  WriteWholeFileDurably(path, text);
}

}  // namespace

void WriteAutoConf(const std::string& data_directory, std::string_view name,
                   const std::optional<std::string>& value) {
  std::string path = data_directory + "/postgresql.auto.conf";
  std::vector<ConfEntry> entries;
  if (PathExists(path)) ParseConfFile(path, &entries);
  std::erase_if(entries, [&](const ConfEntry& entry) {
    return strcasecmp(entry.name.c_str(), std::string(name).c_str()) == 0;
  });
  if (value) entries.push_back({std::string(name), *value, path, 0});
  StoreAutoConf(path, entries);
}

void ClearAutoConf(const std::string& data_directory) {
  StoreAutoConf(data_directory + "/postgresql.auto.conf", {});
}

}  // namespace walden
