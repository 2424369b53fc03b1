// Which processes should run in which phase, and how they are started.
#include <signal.h>
#include <unistd.h>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/process.h"
#include "node/server/fatal_signals.h"
#include "node/server/log_sink.h"
#include "node/server/postmaster.h"

namespace walden {

bool Postmaster::ShouldRun(ProcessKind kind) const {
  if (kind == ProcessKind::kMetricsExporter)
    return GetInt(Setting::kMetricsPort) != 0 && phase_ < Phase::kFinishing && phase_ != Phase::kCrashed;
  if (kind == ProcessKind::kLogger) return log_pipe_.first.is_open() && phase_ != Phase::kFinishing;
  if (Stopping()) return false;
  bool running = phase_ == Phase::kRunning;
  bool serving = running || phase_ == Phase::kHotStandby;
  bool alive = serving || phase_ == Phase::kStarting || phase_ == Phase::kRecovering;
  switch (kind) {
    case ProcessKind::kCheckpointer:
    case ProcessKind::kBackgroundWriter:
    case ProcessKind::kStatsCollector: return alive;
    case ProcessKind::kStartup: return alive && !running;
    case ProcessKind::kWalWriter: return running;
    case ProcessKind::kAutovacuumLauncher:
      return running && GetBool(Setting::kAutovacuum) && GetBool(Setting::kTrackCounts);
    case ProcessKind::kArchiver: {
      ArchiveMode mode = GetEnum<ArchiveMode>(Setting::kArchiveMode);
      return mode == ArchiveMode::kAlways ? serving : mode == ArchiveMode::kOn && running;
    }
    case ProcessKind::kWalSender:
      return serving && GetInt(Setting::kMaxWalSenders) > 0 &&
             GetEnum<WalLevel>(Setting::kWalLevel) != WalLevel::kMinimal;
    case ProcessKind::kWalReceiver: return alive && !running && wal_receiver_wanted_;
    default: return false;
  }
}

// First of all what a start waits for.
void Postmaster::StartMissing() {
  constexpr ProcessKind kSingletons[] = {
      ProcessKind::kLogger,          ProcessKind::kStartup,          ProcessKind::kCheckpointer,
      ProcessKind::kWalReceiver,     ProcessKind::kBackgroundWriter, ProcessKind::kStatsCollector,
      ProcessKind::kMetricsExporter, ProcessKind::kWalWriter,        ProcessKind::kAutovacuumLauncher,
      ProcessKind::kArchiver,        ProcessKind::kWalSender,
  };
  int64_t now = MonotonicUs();
  for (ProcessKind kind : kSingletons) {
    if (!ShouldRun(kind) || children_.FindKind(kind) != nullptr ||
        restart_not_before_us_[static_cast<size_t>(kind)] > now)
      continue;
    Launch(kind, {.log_pipe_fd = kind == ProcessKind::kLogger ? log_pipe_.first.fd() : -1});
  }
  StartDueWorkers();
  FillPool();
}

pid_t Postmaster::Launch(ProcessKind kind, ChildStart start, Child child) {
  int slot = -1;
  if (ChildTable::NeedsSlot(kind)) {
    slot = children_.TakeSlot(kind);
    if (slot < 0) return -1;
  }
  start.kind = kind;
  pid_t pid;
  try {
    pid = ForkProcess();
  } catch (const SqlError& error) {
    Log(Severity::kLog, "could not fork {} process: {}", BackendTypeName(kind), error.what());
    children_.ReturnSlot(slot);
    restart_not_before_us_[static_cast<size_t>(kind)] = MonotonicUs() + 1000000;
    return -1;
  }
  if (pid == 0) BecomeChild(start, slot);
  child.pid = pid;
  child.kind = kind;
  child.slot = slot;
  child.worker = start.worker;
  child.started_us = MonotonicUs();
  children_.Add(std::move(child));
  return pid;
}

void Postmaster::BecomeChild(const ChildStart& start, int slot) {
  DieWithParent(pid_file_.pid);
  // What belongs to the postmaster alone; the data directory's lock and the link's far end stay.
  listeners_.Close();
  signals_.Close();
  link_.first.Close();
  children_.Clear();
  undelivered_.clear();
  if (options_.ready_fd >= 0) close(options_.ready_fd);
  if (start.kind != ProcessKind::kLogger) log_pipe_.first.Close();
  if (start.kind == ProcessKind::kLogger) {
    // It must not keep its own pipe open for writing.
    StopUsingLogPipe();
    log_pipe_.second.Close();
  }
  if (slot >= 0) {
    SetSelf(slot, start.kind);
  } else if (PolicyOf(start.kind) == MemoryPolicy::kExempt) {
    ProtectRegion();
  }
  RunChild(start);
}

void Postmaster::SignalChildren(int signal_number, const std::function<bool(const Child&)>& which) {
  for (Child& child : children_.all()) {
    if (which(child)) kill(child.pid, signal_number);
  }
}

void Postmaster::StartLogger() {
  if (!GetBool(Setting::kLoggingCollector)) return;
  log_pipe_ = MakePipe();
  Log(Severity::kLog, "redirecting log output to logging collector process");
  Log(Severity::kLog, "Future log output will appear in directory \"{}\".",
      GetString(Setting::kLogDirectory));
  InstallLogSink(Destination::kLoggerPipe);
  RedirectStandardError(log_pipe_.second.fd());
}

void Postmaster::StopUsingLogPipe() {
  InstallLogSink(Destination::kStandardError);
  RestoreStandardError();
}

}  // namespace walden
