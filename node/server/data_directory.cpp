#include "node/server/data_directory.h"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/shm/region.h"
#include "replication/backup_journal.h"

namespace walden {
namespace {

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

void RemoveTemporaryFiles(const std::string& directory) {
  if (!IsDirectory(directory)) return;
  for (const std::string& name : ListDirectory(directory)) {
    if (name.starts_with("pgsql_tmp")) RemoveTree(directory + "/" + name);
  }
}

}  // namespace

void CheckDataDirectory(const std::string& path) {
  struct stat status;
  int result = fs().Stat(path.c_str(), &status);
  if (result == -ENOENT)
    throw SqlError(ErrorCode::kUndefinedFile, "data directory \"{}\" does not exist", path);
  if (result < 0)
    throw FileError(-result, fmt::format("could not read permissions of directory \"{}\"", path));
  if (!S_ISDIR(status.st_mode)) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "specified data directory \"{}\" is not a directory", path);
  }
  if (status.st_uid != geteuid()) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "data directory \"{}\" has wrong ownership",
                   path)
        .WithHint("The server must be started by the user that owns the data directory.");
  }
  if (status.st_mode & (S_IWGRP | S_IRWXO)) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "data directory \"{}\" has invalid permissions",
                   path)
        .WithDetail("Permissions should be u=rwx (0700) or u=rwx,g=rx (0750).");
  }
  std::string version;
  if (!TryReadWholeFile(path + "/PG_VERSION", &version)) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "\"{}\" is not a valid data directory", path)
        .WithDetail(fmt::format("File \"{}/PG_VERSION\" is missing.", path))
        .WithHint(fmt::format("Create one with: walden init -D {}", path));
  }
  if (PathExists(path + "/" + std::string(replication::kBackupJournal))) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "the base backup in directory \"{}\" is not complete", path)
        .WithHint("Run the same \"walden basebackup\" again: it goes on where it stopped.");
  }
  if (FirstLine(version) != kPgVersionText) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "database files are incompatible with server")
        .WithDetail(fmt::format(
            "The data directory was initialized by version {}, which is not compatible with this version {}.",
            FirstLine(version), kPgVersionText))
        .WithHint(
            "Move the data with pg_dumpall of the old version and psql into a directory made by \"walden "
            "init\".");
  }
}

DataDirectoryLock::DataDirectoryLock(const std::string& path, int wait_ms)
    : directory_(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!directory_.is_open()) throw FileError(errno, fmt::format("could not open directory \"{}\"", path));
  int64_t deadline_us = MonotonicUs() + int64_t{wait_ms} * 1000;
  while (flock(directory_.fd(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      throw FileError(errno, fmt::format("could not lock directory \"{}\"", path));
    std::optional<PidFile> holder = ReadPidFile(path);
    bool postmaster_lives = holder && ProcessExists(holder->pid);
    if (postmaster_lives || MonotonicUs() > deadline_us) {
      SqlError error(ErrorCode::kLockFileExists, "data directory \"{}\" is in use by another node", path);
      if (postmaster_lives)
        error.WithHint(fmt::format("Is another postmaster (PID {}) running in data directory \"{}\"?",
                                   holder->pid, path));
      throw error;
    }
    // The kernel has no timed flock; the wait is for processes that are being killed right now.
    usleep(10000);
  }
}

bool DataDirectoryLock::IsHeld(const std::string& path) {
  Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open()) return false;
  return flock(directory.fd(), LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

void WritePidFile(const std::string& directory, const PidFile& content) {
  std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", content.pid, content.data_directory,
                                 content.start_time_s, content.port, content.socket_directory,
                                 content.listen_address, content.shared_memory, content.status);
  // Readers see the old or the new one. Not synced: after a power cut its processes and its shared memory are gone, whatever it says.
  std::string path = directory + "/" + kPidFile;
  File file = File::Open(path + ".tmp", O_WRONLY | O_CREAT | O_TRUNC);
  file.WriteAt(text.data(), text.size(), 0);
  file.Close();
  RenamePath(path + ".tmp", path);
}

std::optional<PidFile> ReadPidFile(const std::string& directory) {
  std::string text;
  if (!TryReadWholeFile(directory + "/" + kPidFile, &text)) return std::nullopt;
  std::string lines[8];
  for (std::string& line : lines) {
    line = FirstLine(text);
    text.erase(0, line.size() + 1 > text.size() ? text.size() : line.size() + 1);
  }
  PidFile content;
  content.pid = std::atoi(lines[0].c_str());
  content.data_directory = lines[1];
  content.start_time_s = std::atoll(lines[2].c_str());
  content.port = std::atoi(lines[3].c_str());
  content.socket_directory = lines[4];
  content.listen_address = lines[5];
  content.shared_memory = lines[6];
  content.status = lines[7];
  return content;
}

std::optional<PidFile> RunningNode(const std::string& directory) {
  std::optional<PidFile> content = ReadPidFile(directory);
  if (!content || !ProcessExists(content->pid) || !DataDirectoryLock::IsHeld(directory)) return std::nullopt;
  return content;
}

std::string SharedMemoryPrefix(const std::string& directory, uint64_t system_id) {
  struct stat status = {};
  fs().Stat(directory.c_str(), &status);
  return fmt::format("walden.{}.{:x}.{}", system_id, status.st_dev, status.st_ino);
}

void RemoveLeftovers(const std::string& directory, const std::string& shared_memory_prefix) {
  for (const std::string& name : Region::ListByPrefix(shared_memory_prefix)) {
    Log(Severity::kDebug1, "removing shared memory \"{}\" of an earlier run", name);
    Region::RemoveByName(name);
  }
  RemoveTemporaryFiles(directory + "/base");
  if (!IsDirectory(directory + "/pg_tblspc")) return;
  for (const std::string& tablespace : ListDirectory(directory + "/pg_tblspc")) {
    std::string path = directory + "/pg_tblspc/" + tablespace;
    for (const std::string& version : IsDirectory(path) ? ListDirectory(path) : std::vector<std::string>{}) {
      if (IsDirectory(path + "/" + version)) RemoveTemporaryFiles(path + "/" + version);
    }
  }
}

}  // namespace walden
