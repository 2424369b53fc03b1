#include "node/recovery/control_file.h"

#include <cerrno>
#include <cstring>

#include "node/base/check.h"
#include "node/base/clock.h"
#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "node/recovery/recovery_shared.h"
#include "node/shm/wait_events.h"
#include "node/storage/relation_file.h"

namespace walden {

const char* ClusterStateText(ClusterState state) {
  switch (state) {
    case ClusterState::kStarting: return "starting up";
    case ClusterState::kShutDown: return "shut down";
    case ClusterState::kShutDownInRecovery: return "shut down in recovery";
    case ClusterState::kShuttingDown: return "shutting down";
    case ClusterState::kInCrashRecovery: return "in crash recovery";
    case ClusterState::kInArchiveRecovery: return "in archive recovery";
    case ClusterState::kInProduction: return "in production";
  }
  return "unrecognized status code";
}

ControlFile ReadControlFile(const std::string& path) {
  WaitEventScope waiting(WaitEvent::kControlFileRead);
  ControlFile control;
  int error = 0;
  File file = File::TryOpen(path, O_RDONLY, &error);
  if (!file.is_open()) throw FileError(error, fmt::format("could not open file \"{}\"", path));
  size_t got = file.ReadAt(&control, sizeof control, 0);
  if (got != sizeof control) {
    throw SqlError(ErrorCode::kDataCorrupted, "could not read file \"{}\": read {} of {}", path, got,
                   sizeof control);
  }
  if (std::memcmp(control.magic, "WALDNCTL", 8) != 0) {
    throw SqlError(ErrorCode::kDataCorrupted, "\"{}\" is not a control file of Walden", path)
        .WithHint(
            "A PostgreSQL data directory cannot be used directly; move the data with pg_dumpall and psql.");
  }
  if (control.version != kControlFileVersion || control.data_format != kDataFormatVersion) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "database files are incompatible with server")
        .WithSeverity(Severity::kFatal)
        .WithHint(fmt::format("The data directory has format version {}, this program uses {}. Dump it with "
                              "the program that made "
                              "it (pg_dumpall), run walden init, and restore with psql.",
                              control.data_format, kDataFormatVersion));
  }
  if (control.crc != Crc32c(0, &control, offsetof(ControlFile, crc))) {
    throw SqlError(ErrorCode::kDataCorrupted, "incorrect checksum in control file \"{}\"", path)
        .WithSeverity(Severity::kFatal);
  }
  return control;
}

void WriteControlFile(ControlFile control, const std::string& path) {
  WaitEventScope waiting(WaitEvent::kControlFileSyncUpdate);
  std::memcpy(control.magic, "WALDNCTL", 8);
  control.version = kControlFileVersion;
  control.data_format = kDataFormatVersion;
  control.unused = 0;
  control.crc = Crc32c(0, &control, offsetof(ControlFile, crc));
  char page[kPageSize] = {};
  std::memcpy(page, &control, sizeof control);
  bool is_new = !PathExists(path);
  File file = File::Open(path, O_RDWR | O_CREAT);
  file.WriteAt(page, sizeof page, 0);
  file.Sync();
  if (is_new) FsyncDirectory(path.substr(0, path.rfind('/')));
}

ControlFile LoadControlFile() {
  ControlFile control = ReadControlFile();
  data_checksums_enabled = control.data_checksums != 0;
  return control;
}

ControlFile GetControlFile() {
  RecoveryShared* shared = Recovery();
  LwLockGuard guard(shared->control_lock, LwMode::kShared);
  return shared->control;
}

void UpdateControlFileWith(void (*change)(ControlFile*, void*), void* argument) {
  RecoveryShared* shared = Recovery();
  LwLockGuard guard(shared->control_lock, LwMode::kExclusive);
  change(&shared->control, argument);
  shared->control.time_us = WallClockUs();
  try {
    WriteControlFile(shared->control);
  } catch (const SqlError& error) {
    Panic("{}", error.what());
  }
}

}  // namespace walden
