#include "node/recovery/archive.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/recovery/background_processes.h"
#include "node/recovery/basic_archive.h"
#include "node/recovery/recovery_shared.h"
#include "node/shm/interrupts.h"
#include "node/stats/counter_tables.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

std::string StatusPath(std::string_view name, std::string_view suffix) {
  return fmt::format("pg_wal/archive_status/{}.{}", name, suffix);
}

void CreateEmpty(const std::string& path) { File::Open(path, O_RDWR | O_CREAT); }

}  // namespace

bool ArchivingIsOn() {
  ArchiveMode mode = GetEnum<ArchiveMode>(Setting::kArchiveMode);
  return mode == ArchiveMode::kAlways || (mode == ArchiveMode::kOn && WalIsWritable());
}

void NotifyArchiver(std::string_view name) {
  if (GetEnum<ArchiveMode>(Setting::kArchiveMode) == ArchiveMode::kOff) return;
  try {
    CreateEmpty(StatusPath(name, "ready"));
  } catch (const SqlError& error) {
    Log(Severity::kLog, "could not create archive status file: {}", error.what());
    return;
  }
  int slot = Recovery()->archiver_slot.load();
  if (slot >= 0) SlotAt(slot).latch.Set();
}

bool MayRecycle(const std::string& name) {
  if (!ArchivingIsOn()) return true;
  if (PathExists(StatusPath(name, "done"))) return true;
  if (PathExists(StatusPath(name, "ready"))) return false;
  NotifyArchiver(name);  // its status file was lost: archive it, perhaps again
  return false;
}

void ForgetArchiveStatus(const std::string& name) {
  UnlinkIfExists(StatusPath(name, "done"));
  UnlinkIfExists(StatusPath(name, "ready"));
}

std::string ExpandCommand(const std::string& command, const std::string& file, const std::string& path,
                          const std::string& restart_file) {
  std::string out;
  for (size_t i = 0; i < command.size(); ++i) {
    if (command[i] != '%' || i + 1 == command.size()) {
      out += command[i];
      continue;
    }
    switch (command[++i]) {
      case 'f': out += file; break;
      case 'p': out += path; break;
      case 'r': out += restart_file; break;
      case '%': out += '%'; break;
      default: (out += '%') += command[i];
    }
  }
  return out;
}

namespace {

bool UsesLibrary() { return !GetString(Setting::kArchiveLibrary).empty(); }

bool ArchiveByLibrary(const std::string& name) {
  try {
    BasicArchive(name, "pg_wal/" + name);
    CountArchived(name, true);
    return true;
  } catch (const SqlError& error) {
    LogError(Severity::kWarning, error);
    CountArchived(name, false);
    return false;
  }
}

bool ArchivingIsConfigured() {
  return UsesLibrary() ? BasicArchiveIsConfigured() : !GetString(Setting::kArchiveCommand).empty();
}

}  // namespace

bool ArchiveFile(const std::string& name) {
  if (!ArchivingIsConfigured()) return false;
  if (UsesLibrary()) return ArchiveByLibrary(name);
  const std::string& command = GetString(Setting::kArchiveCommand);
  int status = RunShellCommand(ExpandCommand(command, name, "pg_wal/" + name, ""));
  if (status == 0) {
    CountArchived(name, true);
    return true;
  }
  Log(Severity::kLog, "archive command failed: it {}", DescribeWaitStatus(status));
  CountArchived(name, false);
  return false;
}

namespace {

std::vector<std::string> ReadyFiles() {
  std::vector<std::string> names;
  for (const std::string& entry : ListDirectory("pg_wal/archive_status")) {
    if (entry.ends_with(".ready")) names.push_back(entry.substr(0, entry.size() - 6));
  }
  std::stable_sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    bool history_a = a.ends_with(".history"), history_b = b.ends_with(".history");
    return history_a != history_b ? history_a : a < b;
  });
  return names;
}

}  // namespace

bool ArchiveReadyFiles() {
  std::vector<std::string> names = ReadyFiles();
  if (names.empty()) return true;
  if (!ArchivingIsConfigured()) {
    Log(Severity::kWarning, "archive_mode enabled, yet archiving is not configured");
    return false;
  }
  for (const std::string& name : names) {
    if (InterruptPending(Interrupt::kTerminate)) return false;
    if (!PathExists("pg_wal/" + name)) {  // recycled before its status file went
      ForgetArchiveStatus(name);
      continue;
    }
    bool archived = false;
    for (int attempt = 0; attempt < 3 && !archived; ++attempt) {
      if (attempt > 0) WaitLatch(1000, WaitEvent::kArchiverMain);
      archived = ArchiveFile(name);
    }
    if (!archived) {
      Log(Severity::kWarning,
          "archiving write-ahead log file \"{}\" failed too many times, will try again later", name);
      return false;
    }
    RenamePath(StatusPath(name, "ready"), StatusPath(name, "done"));
  }
  return true;
}

bool RestoreFromArchive(const std::string& name, const std::string& path) {
  const std::string& command = GetString(Setting::kRestoreCommand);
  if (command.empty() || Recovery() == nullptr || !Recovery()->archive_recovery.load()) return false;
  std::string temporary = "pg_wal/RECOVERYXLOG";
  UnlinkIfExists(temporary);
  Lsn redo{GetControlFile().checkpoint_data.redo};
  std::string restart = WalSegmentName(GetControlFile().checkpoint_data.timeline, SegmentOf(redo));
  int status = RunShellCommand(ExpandCommand(command, name, temporary, restart));
  if (status == 0 && PathExists(temporary)) {
    RenamePath(temporary, path);
    Log(Severity::kLog, "restored log file \"{}\" from archive", name);
    return true;
  }
  bool fatal = WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) > 125);
  if (fatal && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)) {
    throw SqlError(ErrorCode::kSystemError, "could not restore file \"{}\" from archive: it {}", name,
                   DescribeWaitStatus(status))
        .WithSeverity(Severity::kFatal);
  }
  return false;
}

void RunArchiver() {
  RecoveryShared* shared = Recovery();
  shared->archiver_slot.store(self_slot());
  for (;;) {
    self().latch.Reset();
    CheckInterrupts();
    bool last_round = InterruptPending(Interrupt::kShutdown);
    if (InterruptPending(Interrupt::kTerminate)) break;
    ArchiveReadyFiles();
    if (last_round) break;
    WaitLatch(60000, WaitEvent::kArchiverMain);
  }
  shared->archiver_slot.store(-1);
}

}  // namespace walden
