// postgresql.conf: parsing (with include, include_if_exists, include_dir) and applying to settings;
// postgresql.auto.conf comes last and wins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/base/log.h"
#include "node/config/settings.h"

namespace walden {

struct ConfEntry {
  std::string name, value, file;
  int line = 0;
};

// Appends the entries of `path` and of what it includes. Throws F0000 naming file and line on a syntax error.
void ParseConfFile(const std::string& path, std::vector<ConfEntry>* entries);
// The same for text (no includes allowed).
void ParseConfText(std::string_view text, const std::string& file_name, std::vector<ConfEntry>* entries);

// Reads config_file and `data_directory`/postgresql.auto.conf and applies them. context kPostmaster at start: any
// error throws. kSighup on reload: each error is reported at `severity`; an unreadable file or an unknown name means
// that nothing is applied, a bad value or one that needs a restart only that this one is not. Settings that vanished
// from the files return to their defaults. Returns false if anything was refused.
bool LoadConfiguration(const std::string& config_file, const std::string& data_directory,
                       SettingContext context, Severity severity = Severity::kLog);

// What the files say now, entry by entry (pg_file_settings). Nothing is changed.
struct FileSetting {
  ConfEntry entry;
  bool applied = false;  // it would be in force after a reload
  std::string error;     // why not; empty also for what a later entry replaces
};
std::vector<FileSetting> ListFileSettings();

// SIGHUP in any process: reads the files again (their names and the data directory are settings themselves).
// Background processes call it when TakeInterrupt(Interrupt::kReload), sessions between statements. Only the
// postmaster reports at LOG: what is wrong with a file is said once, not by every process.
bool ReloadConfiguration(Severity severity = Severity::kDebug2);

// Rewrites one entry of postgresql.auto.conf (ALTER SYSTEM); empty value removes it.
void WriteAutoConf(const std::string& data_directory, std::string_view name,
                   const std::optional<std::string>& value);

// ALTER SYSTEM RESET ALL.
void ClearAutoConf(const std::string& data_directory);

}  // namespace walden
