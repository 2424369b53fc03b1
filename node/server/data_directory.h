// The data directory as the postmaster and the commands see it: checks, the lock that one node at a time
// holds, postmaster.pid.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/os/socket.h"

namespace walden {

inline constexpr char kPgVersionText[] = "15";  // PG_VERSION
inline constexpr char kPidFile[] = "postmaster.pid";

// Throws unless `path` is a data directory of this format version, owned by this user, closed to others.
void CheckDataDirectory(const std::string& path);

// The flock'ed descriptor on the directory. Every child inherits it (commands do not), so that a second start
// waits or refuses while any process of the first one lives, whoever was killed.
class DataDirectoryLock {
 public:
  // Waits up to `wait_ms` for processes of a dead postmaster to go; then throws F0001 naming the holder if
  // known.
  DataDirectoryLock(const std::string& path, int wait_ms);
  static bool IsHeld(const std::string& path);

 private:
  Descriptor directory_;
};

// The lines of postmaster.pid, as PostgreSQL writes them.
struct PidFile {
  pid_t pid = 0;
  std::string data_directory;
  int64_t start_time_s = 0;
  int port = 0;
  std::string socket_directory;
  std::string listen_address;
  std::string shared_memory;
  std::string status;  // "starting", "stopping", "ready", "standby"
};
void WritePidFile(const std::string& directory, const PidFile& content);
// nullopt when there is none.
std::optional<PidFile> ReadPidFile(const std::string& directory);
// A pid file whose process lives and whose directory is locked.
std::optional<PidFile> RunningNode(const std::string& directory);

// "walden.<system id>.<device>.<inode>": names of this directory's shared memory start with it.
std::string SharedMemoryPrefix(const std::string& directory, uint64_t system_id);
// Shared memory, temporary files and sockets' lock files that a killed run of this directory left.
void RemoveLeftovers(const std::string& directory, const std::string& shared_memory_prefix);

}  // namespace walden
