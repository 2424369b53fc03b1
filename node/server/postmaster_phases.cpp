// What the postmaster does when a child ends or somebody asks for a stop.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/server/log_sink.h"
#include "node/server/postmaster.h"

namespace walden {
namespace {

constexpr int kMostFailedRecoveries = 3;
constexpr int64_t kRestartPauseUs = 1000000;

// Processes that outlive the shutdown checkpoint: they pass on what it wrote, and serve the log and the
// metrics meanwhile.
bool OutlivesCheckpoint(ProcessKind kind) {
  return kind == ProcessKind::kArchiver || kind == ProcessKind::kWalSender ||
         kind == ProcessKind::kStatsCollector;
}
bool IsExempt(ProcessKind kind) { return PolicyOf(kind) == MemoryPolicy::kExempt; }
bool IsSession(const Child& child) { return child.counts_as_session; }

// A session may end itself with FATAL; a background process may not.
bool EndedNormally(ProcessKind kind, int status) {
  if (!WIFEXITED(status)) return false;
  if (WEXITSTATUS(status) == 0) return true;
  bool may_fail = kind == ProcessKind::kBackend || kind == ProcessKind::kBackgroundWorker ||
                  kind == ProcessKind::kAutovacuumWorker || kind == ProcessKind::kAutovacuumLauncher ||
                  kind == ProcessKind::kWalReceiver || kind == ProcessKind::kArchiver ||
                  kind == ProcessKind::kStatsCollector || kind == ProcessKind::kWalSender;
  return may_fail && WEXITSTATUS(status) == 1;
}

// A worker that is told to stop with the node leaves its queue as it is.
bool LeftReplay(const Child& child, int status, bool stopping) {
  return child.kind == ProcessKind::kRedoWorker && stopping && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

}  // namespace

void Postmaster::Reap() {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    // What it said before it ended: a backend that took a client, served it and has gone already must not give it back.
    HandleMessages();
    Child* found = children_.Find(pid);
    if (found == nullptr) continue;  // an orphan that PID 1 inherited
    Child child = std::move(*found);
    children_.Remove(pid);
    HandleChildEnd(child, status);
  }
}

void Postmaster::HandleChildEnd(const Child& ended, int status) {
  Child& child = const_cast<Child&>(ended);
  if (child.stage == BackendStage::kHandedOver) ReturnClient(child);
  size_t kind = static_cast<size_t>(child.kind);
  if (IsExempt(child.kind)) {
    if (!Stopping()) {
      Log(Severity::kLog, "{} process (PID {}) {}", BackendTypeName(child.kind), child.pid,
          DescribeWaitStatus(status));
      bool too_soon = !child.asked_to_stop && child.started_us + kRestartPauseUs > MonotonicUs();
      if (too_soon) restart_not_before_us_[kind] = MonotonicUs() + kRestartPauseUs;
    }
    return;
  }
  if (child.kind == ProcessKind::kBackgroundWorker)
    WorkerEnded(child.worker, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  if (child.kind == ProcessKind::kWalReceiver)
    wal_receiver_wanted_ = std::exchange(wal_receiver_again_, false);
  if (phase_ == Phase::kCrashed) return;  // told to quit: the manner of death says nothing
  if (child.kind == ProcessKind::kStartup) return HandleStartupEnd(status);
  if (LeftReplay(child, status, Stopping())) return;
  // What stopped it will stop it again: its failure counts as the startup process's.
  if (child.kind == ProcessKind::kRedoWorker && !EndedNormally(child.kind, status) && !Stopping())
    return HandleReplayFailure(child, status);
  if (!EndedNormally(child.kind, status)) return HandleCrash(child, status);
  bool stopped_early = child.kind == ProcessKind::kCheckpointer && phase_ != Phase::kShutdownCheckpoint;
  if (stopped_early) return HandleCrash(child, status);
  if (child.kind != ProcessKind::kBackend && child.started_us + kRestartPauseUs > MonotonicUs()) {
    restart_not_before_us_[kind] = MonotonicUs() + kRestartPauseUs;
  }
}

void Postmaster::HandleStartupEnd(int status) {
  bool done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (done && !Stopping()) {
    failed_recoveries_ = 0;
    SetPhase(Phase::kRunning);
    return;
  }
  if (Stopping()) {
    if (!WIFEXITED(status)) HandleCrash({.kind = ProcessKind::kStartup}, status);
    return;
  }
  HandleReplayFailure({.kind = ProcessKind::kStartup}, status);
}

void Postmaster::HandleReplayFailure(const Child& child, int status) {
  bool killed = WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || phase_ == Phase::kHotStandby);
  Log(Severity::kLog, "{} process {}", BackendTypeName(child.kind), DescribeWaitStatus(status));
  if (killed && ++failed_recoveries_ < kMostFailedRecoveries)
    return HandleCrash({.kind = child.kind}, status);
  Log(Severity::kLog, "aborting startup due to {} process failure", BackendTypeName(child.kind));
  exit_code_ = 1;
  stop_ = StopMode::kImmediate;
  HandleCrash({.kind = child.kind}, status);
}

void Postmaster::HandleCrash(const Child& child, int status) {
  if (child.pid != 0) {
    const char* name = child.kind == ProcessKind::kBackend ? "server" : BackendTypeName(child.kind);
    Log(Severity::kLog, "{} process (PID {}) {}", name, child.pid, DescribeWaitStatus(status));
  }
  if (phase_ == Phase::kCrashed) return;
  Log(Severity::kLog, "terminating any other active server processes");
  crashed_ = true;
  SetPhase(Phase::kCrashed);
  quit_sent_us_ = MonotonicUs();
  SignalChildren(SIGQUIT, [](const Child& other) { return !IsExempt(other.kind); });
  // Its view of the region ends here; it is started again on the new one.
  if (Child* exporter = children_.FindKind(ProcessKind::kMetricsExporter)) {
    exporter->asked_to_stop = true;
    kill(exporter->pid, SIGTERM);
  }
}

void Postmaster::RequestStop(StopMode mode) {
  if (mode <= stop_) return;
  stop_ = mode;
  constexpr const char* kNames[] = {"", "smart", "fast", "immediate"};
  Log(Severity::kLog, "received {} shutdown request", kNames[static_cast<size_t>(mode)]);
  UpdatePidFile("stopping");
  if (mode == StopMode::kImmediate) {
    if (phase_ != Phase::kCrashed) {
      exit_code_ = 0;
      SetPhase(Phase::kCrashed);
      quit_sent_us_ = MonotonicUs();
      SignalChildren(SIGQUIT, [](const Child& child) { return !IsExempt(child.kind); });
    }
    return;
  }
  if (phase_ == Phase::kCrashed || phase_ >= Phase::kStoppingProcesses) return;
  if (mode == StopMode::kSmart) {
    SetPhase(Phase::kStoppingSessions);
    return;
  }
  Log(Severity::kLog, "aborting any active transactions");
  BeginStoppingProcesses();
}

void Postmaster::BeginStoppingProcesses() {
  SetPhase(Phase::kStoppingProcesses);
  SignalChildren(SIGTERM, [](const Child& child) {
    return !IsExempt(child.kind) && !OutlivesCheckpoint(child.kind) &&
           child.kind != ProcessKind::kCheckpointer;
  });
}

void Postmaster::SetPhase(Phase phase) {
  phase_ = phase;
  NodePhase shown = NodePhase::kStopping;
  switch (phase) {
    case Phase::kStarting:
    case Phase::kCrashed: shown = NodePhase::kStarting; break;
    case Phase::kRecovering: shown = NodePhase::kRecovering; break;
    case Phase::kHotStandby: shown = NodePhase::kHotStandby; break;
    case Phase::kRunning: shown = NodePhase::kRunning; break;
    default: break;
  }
  // A single store that nothing here depends on: probes read it, the postmaster never does.
  if (ServerState* state = TheServerState()) state->phase.store(shown, std::memory_order_relaxed);
  if (phase == Phase::kRunning || phase == Phase::kHotStandby) AnnounceReady();
}

void Postmaster::Advance() {
  while (AdvanceOnce()) {
  }
  StartMissing();
}

// One step of the state machine, if its condition holds.
bool Postmaster::AdvanceOnce() {
  auto any = [&](auto&& which) { return children_.CountIf(which) > 0; };
  switch (phase_) {
    case Phase::kStoppingSessions:
      if (any(IsSession)) return false;
      BeginStoppingProcesses();
      return true;
    case Phase::kStoppingProcesses: {
      if (any([](const Child& child) {
            return !IsExempt(child.kind) && !OutlivesCheckpoint(child.kind) &&
                   child.kind != ProcessKind::kCheckpointer;
          })) {
        return false;
      }
      SetPhase(Phase::kShutdownCheckpoint);
      Log(Severity::kLog, "shutting down");
      SignalChildren(SIGUSR2, [](const Child& child) { return child.kind == ProcessKind::kCheckpointer; });
      return true;
    }
    case Phase::kShutdownCheckpoint:
      if (any([](const Child& child) { return child.kind == ProcessKind::kCheckpointer; })) return false;
      SetPhase(Phase::kFinishing);
      SignalChildren(SIGUSR2, [](const Child& child) { return OutlivesCheckpoint(child.kind); });
      return true;
    case Phase::kFinishing: {
      if (any([](const Child& child) { return !IsExempt(child.kind); })) return false;
      if (!std::exchange(shutdown_logged_, true) && exit_code_ == 0) {
        Log(Severity::kLog, "database system is shut down");
      }
      if (children_.all().empty()) return false;
      Child* exporter = children_.FindKind(ProcessKind::kMetricsExporter);
      if (exporter != nullptr && !exporter->asked_to_stop) {
        exporter->asked_to_stop = true;
        kill(exporter->pid, SIGTERM);
      }
      Child* logger = children_.FindKind(ProcessKind::kLogger);
      if (exporter == nullptr && logger != nullptr && !logger->asked_to_stop) {
        logger->asked_to_stop = true;
        // The logger ends when no writer of its pipe is left.
        StopUsingLogPipe();
        log_pipe_ = {};
      }
      return false;
    }
    case Phase::kCrashed:
      if (any([&](const Child& child) {
            return !IsExempt(child.kind) || (child.kind == ProcessKind::kMetricsExporter && !Stopping());
          })) {
        return false;
      }
      quit_sent_us_ = 0;
      if (Stopping() || !GetBool(Setting::kRestartAfterCrash)) {
        if (stop_ == StopMode::kNone) {
          Log(Severity::kLog, "shutting down because restart_after_crash is off");
          exit_code_ = 1;
        } else if (crashed_) {
          Log(Severity::kLog, "abnormal database system shutdown");
          exit_code_ = 1;
        }
        stop_ = StopMode::kImmediate;
        SetPhase(Phase::kFinishing);
        return true;
      }
      Restart();
      return true;
    default: return false;
  }
}

void Postmaster::Restart() {
  Log(Severity::kLog, "all server processes terminated; reinitializing");
  if (GetBool(Setting::kRemoveTempFilesAfterCrash)) RemoveLeftovers(".", region_prefix_ + ".none");
  crashed_ = false;
  wal_receiver_wanted_ = wal_receiver_again_ = false;
  undelivered_.clear();
  ForgetWorkers();
  MakeRegion();
  UpdatePidFile("starting");
  SetPhase(Phase::kStarting);
}

}  // namespace walden
