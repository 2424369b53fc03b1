#include "node/server/server_settings.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/base/bytes.h"
#include "node/base/error.h"
#include "node/catalog/bootstrap.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/recovery/control_file.h"

namespace walden {
namespace {

constexpr SetRequest kCommandLine{
    .context = SettingContext::kPostmaster, .source = SettingSource::kCommandLine, .is_superuser = true};

std::string Absolute(const std::string& path, const std::string& directory) {
  return path.empty() || path.starts_with('/') ? path : directory + "/" + path;
}

// A file setting that nothing set is the usual name in the data directory; relative ones are relative to it.
void CompleteFileSetting(Setting setting, const char* usual_name, const std::string& directory) {
  std::string value = GetString(setting).empty() ? usual_name : GetString(setting);
  OverrideSetting(setting, Absolute(value, directory));
}

void CompleteSocketDirectories() {
  constexpr char kDebianDirectory[] = "/var/run/postgresql";
  if (access(kDebianDirectory, W_OK | X_OK) != 0) return;
  OverrideSetting(Setting::kUnixSocketDirectories, std::string("/tmp, ") + kDebianDirectory,
                  SettingSource::kDynamicDefault);
}

void TellDirectoryMode(const std::string& directory) {
  struct stat status;
  if (stat(directory.c_str(), &status) == 0) {
    OverrideSetting(Setting::kDataDirectoryMode, fmt::format("0{:o}", status.st_mode & 0777),
                    SettingSource::kDynamicDefault);
  }
}

}  // namespace

void LoadServerSettings(const std::string& data_directory,
                        const std::vector<std::pair<std::string, std::string>>& overrides) {
  OverrideSetting(Setting::kDataDirectory, data_directory);
  TellDirectoryMode(data_directory);
  CompleteSocketDirectories();
  for (const auto& [name, value] : overrides) SetSetting(name, value, kCommandLine);
  CompleteFileSetting(Setting::kConfigFile, "postgresql.conf", data_directory);
  LoadConfiguration(GetString(Setting::kConfigFile), data_directory, SettingContext::kPostmaster);
  CompleteFileSetting(Setting::kHbaFile, "pg_hba.conf", data_directory);
  CompleteFileSetting(Setting::kIdentFile, "pg_ident.conf", data_directory);
}

uint64_t ReadSystemId() {
  ControlFile control = LoadControlFile();
  OverrideSetting(Setting::kDataChecksums, control.data_checksums != 0 ? "on" : "off",
                  SettingSource::kDynamicDefault);
  return control.system_id;
}

void RefuseOtherCatalog() {
  const uint32_t theirs = ReadControlFile().catalog_version, ours = CatalogVersion();
  if (theirs == ours) return;
  throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "database files are incompatible with server")
      .WithSeverity(Severity::kFatal)
      .WithDetail(fmt::format(
          "The data directory was initialized with catalog version {}, this program uses {}.", theirs, ours))
      .WithHint(
          "Dump it with the program that made it (pg_dumpall), run walden init, and restore with psql.");
}

}  // namespace walden
