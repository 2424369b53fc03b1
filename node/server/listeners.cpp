#include "node/server/listeners.h"

#include <fcntl.h>
#include <grp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/setting_values.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"

namespace walden {
namespace {

constexpr int kBacklog = 1024;

void ChangeGroup(const std::string& path, const std::string& name) {
  if (name.empty()) return;
  char* end;
  gid_t group = static_cast<gid_t>(std::strtoul(name.c_str(), &end, 10));
  if (*end != '\0') {
    struct group* found = getgrnam(name.c_str());
    if (found == nullptr) throw SqlError(ErrorCode::kConfigFileError, "group \"{}\" does not exist", name);
    group = found->gr_gid;
  }
  if (chown(path.c_str(), static_cast<uid_t>(-1), group) < 0) {
    throw FileError(errno, fmt::format("could not set group of file \"{}\"", path));
  }
}

// A living process that is not this one holds the socket's lock file.
bool LockedByOther(const std::string& lock_path) {
  std::string text;
  if (!TryReadWholeFile(lock_path, &text)) return false;
  pid_t pid = std::atoi(text.c_str());
  return pid != getpid() && ProcessExists(pid);
}

}  // namespace

void Listeners::OpenTcp(int port) {
  for (const std::string& address : SplitSettingList(GetString(Setting::kListenAddresses))) {
    std::vector<Descriptor> made = ListenTcp(address, static_cast<uint16_t>(port), kBacklog);
    if (first_address_.empty()) first_address_ = address;
    for (Descriptor& socket : made) sockets_.push_back(std::move(socket));
  }
}

void Listeners::OpenUnix(const std::string& directory, int port, const std::string& data_directory) {
  std::string path = fmt::format("{}/.s.PGSQL.{}", directory, port);
  std::string lock_path = path + ".lock";
  if (LockedByOther(lock_path)) {
    throw SqlError(ErrorCode::kLockFileExists, "lock file \"{}\" already exists", lock_path)
        .WithHint(fmt::format("Is another postmaster using socket file \"{}\"?", path));
  }
  // The mode lets other users' servers see who holds the port.
  UnlinkIfExists(lock_path);
  File lock = File::Open(lock_path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  std::string content = fmt::format("{}\n{}\n", getpid(), data_directory);
  lock.WriteAt(content.data(), content.size(), 0);
  Descriptor socket =
      ListenUnix(path, kBacklog, static_cast<mode_t>(GetInt(Setting::kUnixSocketPermissions)));
  ChangeGroup(path, GetString(Setting::kUnixSocketGroup));
  sockets_.push_back(std::move(socket));
  unix_paths_.push_back(path);
  if (first_unix_directory_.empty()) first_unix_directory_ = directory;
  Log(Severity::kLog, "listening on Unix socket \"{}\"", path);
}

void Listeners::Open(const std::string& data_directory) {
  int port = static_cast<int>(GetInt(Setting::kPort));
  OpenTcp(port);
  std::vector<std::string> directories = SplitSettingList(GetString(Setting::kUnixSocketDirectories));
  for (const std::string& directory : directories) {
    try {
      OpenUnix(directory, port, data_directory);
    } catch (const SqlError& error) {
      // Another node on the port is fatal; a directory that is not there or not writable is not, while
      // another one works.
      if (error.code() == ErrorCode::kLockFileExists || directories.size() == 1) throw;
      Log(Severity::kWarning, "could not create Unix-domain socket in directory \"{}\": {}", directory,
          error.what());
    }
  }
  if (sockets_.empty()) throw SqlError(ErrorCode::kConfigFileError, "no socket created for listening");
}

void Listeners::CloseAndRemove() {
  Close();
  for (const std::string& path : unix_paths_) {
    unlink(path.c_str());
    unlink((path + ".lock").c_str());
  }
  unix_paths_.clear();
}

void Listeners::Close() { sockets_.clear(); }

}  // namespace walden
