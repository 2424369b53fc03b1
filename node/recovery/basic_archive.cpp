#include "node/recovery/basic_archive.h"

#include <unistd.h>

#include "node/base/error.h"
#include "node/config/settings.h"
#include "node/os/file.h"

namespace walden {
namespace {

bool SameContent(const std::string& a, const std::string& b) { return ReadWholeFile(a) == ReadWholeFile(b); }

}  // namespace

void CheckArchiveLibrary(const std::string& name) {
  if (name.empty() || name == "basic_archive") return;
  throw SqlError(ErrorCode::kInvalidParameterValue, "invalid value for parameter \"archive_library\": \"{}\"",
                 name)
      .WithHint("Available values: basic_archive.");
}

bool BasicArchiveIsConfigured() { return !GetString(Setting::kBasicArchiveDirectory).empty(); }

void BasicArchive(const std::string& name, const std::string& path) {
  const std::string& directory = GetString(Setting::kBasicArchiveDirectory);
  std::string target = directory + "/" + name;
  if (PathExists(target)) {
    if (!SameContent(path, target))
      throw SqlError(ErrorCode::kDuplicateFile, "archive file \"{}\" already exists", target);
    FsyncPath(target);
    FsyncDirectory(directory);
    return;
  }
  std::string temporary = fmt::format("{}/archtemp.{}.{}", directory, name, getpid());
  UnlinkIfExists(temporary);
  CopyFile(path, temporary, true);
  DurableRename(temporary, target);
}

}  // namespace walden
