// The postmaster: starts, watches and stops every other process. It holds no locks, reads no table and no
// shared data, and starts no thread (I1): what it must know from children comes as messages
// (postmaster_link.h). If a child that shares memory dies abnormally, it stops the others, makes the region
// anew and lets the startup process recover (I2).
//
//   kStarting -> [kRecovering -> [kHotStandby]] -> kRunning
//   kRunning, kHotStandby -> [kStoppingSessions] -> kStoppingProcesses -> kShutdownCheckpoint -> kFinishing -> exit
//   any -> kCrashed -> kStarting with a fresh region; or exit when stopping
//
// Recovery is done when the startup process exits with 0. A smart stop lets sessions end by themselves. Archiver,
// walsender and stats collector outlive the shutdown checkpoint: they pass on what it wrote.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/os/socket.h"
#include "node/server/child_table.h"
#include "node/server/data_directory.h"
#include "node/server/listeners.h"
#include "node/server/process_mains.h"
#include "node/server/worker_schedule.h"
#include "node/shm/admission.h"
#include "node/shm/postmaster_link.h"
#include "node/shm/region.h"
#include "node/shm/server_state.h"

namespace walden {

struct PostmasterOptions {
  std::string data_directory;
  std::vector<std::pair<std::string, std::string>> overrides;  // -c name=value
  int ready_fd = -1;  // gets one byte when clients and replicas are served
};

class Postmaster {
 public:
  explicit Postmaster(PostmasterOptions options);
  // Returns the process's exit code.
  int Run();

 private:
  enum class Phase : uint8_t {
    kStarting,
    kRecovering,
    kHotStandby,
    kRunning,
    kStoppingSessions,
    kStoppingProcesses,
    kShutdownCheckpoint,
    kFinishing,
    kCrashed,
  };
  enum class StopMode : uint8_t { kNone, kSmart, kFast, kImmediate };

  // postmaster.cpp: the loop
  void Prepare();
  void MakeRegion();
  void Loop();
  int PollTimeoutMs();
  void HandleSignals();
  void HandleMessages();
  void HandleMessage(const PostmasterMessage& message);
  void HandleTimers();
  void Reload();
  void HandleSignalFiles();
  void UpdatePidFile(const std::string& status);
  void AnnounceReady();
  void TellStarter();

  // postmaster_phases.cpp: what follows from what
  void Reap();
  void HandleChildEnd(const Child& child, int status);
  void HandleStartupEnd(int status);
  void HandleReplayFailure(const Child& child, int status);
  void HandleCrash(const Child& child, int status);
  void RequestStop(StopMode mode);
  void BeginStoppingProcesses();
  void Advance();
  bool AdvanceOnce();
  void SetPhase(Phase phase);
  void Restart();
  bool Stopping() const { return stop_ != StopMode::kNone; }

  // postmaster_children.cpp: who should run, starting and signalling
  void StartMissing();
  bool ShouldRun(ProcessKind kind) const;
  pid_t Launch(ProcessKind kind, ChildStart start = {}, Child child = {});
  [[noreturn]] void BecomeChild(const ChildStart& start, int slot);
  void StartLogger();
  void SignalChildren(int signal_number, const std::function<bool(const Child&)>& which);
  void StopUsingLogPipe();

  // postmaster_workers.cpp: background workers
  void StartDueWorkers();
  void WantWorker(int64_t request, bool wanted);
  void WorkerEnded(int worker, int exit_code);
  void ForgetWorkers();

  // postmaster_clients.cpp: pre-forked backends
  bool TakesClients() const;
  void FillPool();
  void RetireWaitingBackends();
  void AcceptClients(int listen_fd);
  Child* WaitingBackend();
  Admission Verdict() const;
  bool HandOver(Descriptor client);
  void ConfirmHandOver(pid_t pid);
  void TakeBack(pid_t pid);
  int CountInStage(BackendStage stage) const;
  void ReturnClient(Child& child);
  int SessionCount() const;

  PostmasterOptions options_;
  std::unique_ptr<DataDirectoryLock> lock_;
  std::unique_ptr<Region> region_;
  std::string region_prefix_;
  uint32_t region_generation_ = 0;
  Listeners listeners_;
  Descriptor signals_;
  std::pair<Descriptor, Descriptor> link_;      // first: ours, second: the children's
  std::pair<Descriptor, Descriptor> log_pipe_;  // first: the logger reads, second: everybody's standard error
  ChildTable children_;
  PidFile pid_file_;

  Phase phase_ = Phase::kStarting;
  StopMode stop_ = StopMode::kNone;
  bool crashed_ = false;  // since the last fresh region
  bool wal_receiver_wanted_ = false;
  bool wal_receiver_again_ = false;  // asked for while the last one was still on its way out
  bool shutdown_logged_ = false;
  bool replication_port_tried_ = false;
  int failed_recoveries_ = 0;
  int64_t quit_sent_us_ = 0;  // when children were told to quit at once; SIGKILL follows
  int64_t restart_not_before_us_[static_cast<size_t>(ProcessKind::kCount)] = {};
  WorkerSchedule workers_;
  std::vector<Descriptor> undelivered_;  // accepted, no backend free
  uint32_t reloads_ = 0;
  int exit_code_ = 0;
};

// Sets the process up as a postmaster and runs it.
int RunPostmaster(PostmasterOptions options);

}  // namespace walden
