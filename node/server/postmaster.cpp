#include "node/server/postmaster.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/os/unsettled_file_system.h"
#include "node/pgwire/authentication.h"
#include "node/server/background_worker.h"
#include "node/server/composition.h"
#include "node/server/log_sink.h"
#include "node/server/server_settings.h"
#include "node/server/shm_areas.h"
#include "node/session/version.h"
#include "node/shm/log_context.h"

namespace walden {
namespace {

constexpr int kHandledSignals[] = {SIGHUP,  SIGTERM, SIGINT,  SIGQUIT, SIGCHLD,
                                   SIGUSR1, SIGUSR2, SIGPIPE, SIGURG};
// Processes of a killed postmaster die within milliseconds; a big one may need longer to give its memory
// back.
constexpr int kLockWaitMs = 10000;
constexpr int64_t kKillAfterUs = 5000000;

Descriptor BlockSignalsForFd() {
  sigset_t handled;
  sigemptyset(&handled);
  for (int signal_number : kHandledSignals) sigaddset(&handled, signal_number);
  sigprocmask(SIG_BLOCK, &handled, nullptr);
  return Descriptor(signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

Postmaster::Postmaster(PostmasterOptions options) : options_(std::move(options)) {}

void Postmaster::Prepare() {
  CheckDataDirectory(options_.data_directory);
  if (chdir(options_.data_directory.c_str()) < 0) {
    throw FileError(errno, fmt::format("could not change directory to \"{}\"", options_.data_directory));
  }
  log_context().start_time_us = WallClockUs();
  lock_ = std::make_unique<DataDirectoryLock>(options_.data_directory, kLockWaitMs);
  LoadServerSettings(options_.data_directory, options_.overrides);
  signals_ = BlockSignalsForFd();
  InstallLogSink(Destination::kStandardError);
  link_ = MakeSocketPair();
  SetNonBlocking(link_.first.fd(), true);
  SetPostmasterLink(link_.second.fd());
  pid_file_.pid = getpid();
  pid_file_.data_directory = options_.data_directory;
  pid_file_.start_time_s = (WallClockUs() + kUnixEpochToPostgresUs) / 1000000;
  pid_file_.port = static_cast<int>(GetInt(Setting::kPort));
  UpdatePidFile("starting");
  region_prefix_ = SharedMemoryPrefix(options_.data_directory, ReadSystemId());
  RemoveLeftovers(options_.data_directory, region_prefix_);
  ComposeNode();
  RefuseOtherCatalog();
  LoadWorkerLibraries();
  LoadClientAccess();
  StartLogger();
  Log(Severity::kLog, "starting {}", VersionText());
  listeners_.Open(options_.data_directory);
  pid_file_.socket_directory = listeners_.first_unix_directory();
  pid_file_.listen_address = listeners_.first_address() == "*" ? "*" : listeners_.first_address();
}

void Postmaster::MakeRegion() {
  DetachAreas();
  region_.reset();
  region_ = CreateServerRegion(fmt::format("{}.{}", region_prefix_, ++region_generation_));
  ServerState* state = TheServerState();
  state->start_time_us = pid_file_.start_time_s * 1000000 - kUnixEpochToPostgresUs;
  state->reload_time_us = WallClockUs();
  state->postmaster_pid = getpid();
  state->restarts = region_generation_ - 1;
  pid_file_.shared_memory = region_->name();
  for (int64_t request : PublishStaticWorkers()) WantWorker(request, true);
}

int Postmaster::Run() {
  Prepare();
  MakeRegion();
  UpdatePidFile("starting");
  SetPhase(Phase::kStarting);
  Loop();
  listeners_.CloseAndRemove();
  DetachAreas();
  region_.reset();
  UnlinkIfExists(kPidFile);
  if (!GetString(Setting::kExternalPidFile).empty()) UnlinkIfExists(GetString(Setting::kExternalPidFile));
  return exit_code_;
}

void Postmaster::Loop() {
  StartMissing();
  for (;;) {
    Advance();
    if (phase_ == Phase::kFinishing && children_.all().empty()) return;
    std::vector<pollfd> fds = {{signals_.fd(), POLLIN, 0}, {link_.first.fd(), POLLIN, 0}};
    bool listening = TakesClients() && undelivered_.empty();
    if (listening) {
      for (const Descriptor& socket : listeners_.sockets()) fds.push_back({socket.fd(), POLLIN, 0});
    }
    int ready = poll(fds.data(), fds.size(), PollTimeoutMs());
    if (ready < 0 && errno != EINTR) throw FileError(errno, "could not wait for events");
    if (fds[0].revents != 0) HandleSignals();
    if (fds[1].revents != 0) HandleMessages();
    for (size_t i = 2; i < fds.size() && TakesClients(); ++i) {
      if (fds[i].revents != 0) AcceptClients(fds[i].fd);
    }
    HandleTimers();
  }
}

int Postmaster::PollTimeoutMs() {
  int64_t next_us = INT64_MAX;
  if (quit_sent_us_ != 0) next_us = quit_sent_us_ + kKillAfterUs;
  for (const Child& child : children_.all()) {
    if (child.stage == BackendStage::kHandedOver) next_us = std::min(next_us, child.confirm_by_us);
  }
  int64_t now = MonotonicUs();
  for (int64_t at : restart_not_before_us_) {
    if (at > now) next_us = std::min(next_us, at);
  }
  if (next_us == INT64_MAX) return -1;
  return static_cast<int>(std::clamp<int64_t>((next_us - now + 999) / 1000, 0, INT_MAX));
}

void Postmaster::HandleSignals() {
  signalfd_siginfo info;
  while (read(signals_.fd(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (info.ssi_signo) {
      case SIGHUP: Reload(); break;
      case SIGTERM: RequestStop(StopMode::kSmart); break;
      case SIGINT: RequestStop(StopMode::kFast); break;
      case SIGQUIT: RequestStop(StopMode::kImmediate); break;
      case SIGCHLD:
        // What a child said before it ended comes first: a backend that served its client quickly did take it.
        HandleMessages();
        Reap();
        break;
      case SIGUSR1: HandleSignalFiles(); break;
      default: break;
    }
  }
}

void Postmaster::HandleMessages() {
  PostmasterMessage message;
  while (read(link_.first.fd(), &message, sizeof message) == static_cast<ssize_t>(sizeof message))
    HandleMessage(message);
}

void Postmaster::HandleMessage(const PostmasterMessage& message) {
  // A message of a process that is gone says nothing about the present.
  Child* sender = children_.Find(message.pid);
  if (sender == nullptr) return;
  switch (message.request) {
    case PostmasterRequest::kRecoveryStarted:
      if (phase_ == Phase::kStarting) SetPhase(Phase::kRecovering);
      break;
    case PostmasterRequest::kRecoveryConsistent:
      if (phase_ == Phase::kStarting || phase_ == Phase::kRecovering) SetPhase(Phase::kHotStandby);
      break;
    case PostmasterRequest::kStartRedoWorkers:
      for (int i = children_.Count(ProcessKind::kRedoWorker);
           i < SlotsOf(ProcessKind::kRedoWorker).count && ShouldRun(ProcessKind::kStartup); ++i)
        Launch(ProcessKind::kRedoWorker);
      break;
    case PostmasterRequest::kStartAutovacuumWorker:
      if (phase_ == Phase::kRunning)
        Launch(ProcessKind::kAutovacuumWorker, {.worker = static_cast<int>(message.argument)});
      break;
    case PostmasterRequest::kStartWalReceiver:
      wal_receiver_wanted_ = true;
      wal_receiver_again_ = children_.FindKind(ProcessKind::kWalReceiver) != nullptr;
      break;
    case PostmasterRequest::kReplicationPortTried:
      replication_port_tried_ = true;
      TellStarter();
      break;
    case PostmasterRequest::kStartBackgroundWorker: WantWorker(message.argument, true); break;
    case PostmasterRequest::kStopBackgroundWorker: WantWorker(message.argument, false); break;
    case PostmasterRequest::kRotateLog:
      if (Child* logger = children_.FindKind(ProcessKind::kLogger)) kill(logger->pid, SIGUSR1);
      break;
    case PostmasterRequest::kReload: Reload(); break;
    case PostmasterRequest::kBackendTookClient: ConfirmHandOver(message.pid); break;
    case PostmasterRequest::kBackendIsFree: TakeBack(message.pid); break;
    case PostmasterRequest::kPromote:
      if (Child* startup = children_.FindKind(ProcessKind::kStartup)) kill(startup->pid, SIGUSR2);
      break;
    case PostmasterRequest::kShutdown: RequestStop(StopMode::kFast); break;
  }
}

void Postmaster::HandleTimers() {
  int64_t now = MonotonicUs();
  for (Child& child : children_.all()) {
    if (child.stage != BackendStage::kHandedOver || child.confirm_by_us > now) continue;
    Log(Severity::kWarning, "server process (PID {}) did not take its client in time", child.pid);
    ReturnClient(child);
    kill(child.pid, SIGTERM);
  }
  if (quit_sent_us_ != 0 && now >= quit_sent_us_ + kKillAfterUs) {
    quit_sent_us_ = 0;
    SignalChildren(SIGKILL,
                   [](const Child& child) { return PolicyOf(child.kind) == MemoryPolicy::kSharesMemory; });
  }
}

void Postmaster::Reload() {
  if (Stopping()) return;
  Log(Severity::kLog, "received SIGHUP, reloading configuration files");
  ReloadConfiguration(Severity::kLog);
  if (ServerState* state = TheServerState()) state->reload_time_us = WallClockUs();
  ReloadClientAccess();
  ++reloads_;
  SignalChildren(SIGHUP, [](const Child&) { return true; });
  RetireWaitingBackends();
  FillPool();
}

// pg_ctl and `walden promote` leave a file and send SIGUSR1.
void Postmaster::HandleSignalFiles() {
  if (PathExists("promote")) {
    // Left for the startup process, which removes it when it has seen the request.
    if (Child* startup = children_.FindKind(ProcessKind::kStartup)) {
      kill(startup->pid, SIGUSR2);
    } else {
      UnlinkIfExists("promote");
    }
  }
  if (UnlinkIfExists("logrotate")) {
    if (Child* logger = children_.FindKind(ProcessKind::kLogger)) kill(logger->pid, SIGUSR1);
  }
}

void Postmaster::UpdatePidFile(const std::string& status) {
  pid_file_.status = status;
  WritePidFile(".", pid_file_);
  const std::string& external = GetString(Setting::kExternalPidFile);
  if (!external.empty() && status == "starting")
    WriteWholeFileDurably(external, std::to_string(getpid()) + "\n", 0644);
}

void Postmaster::AnnounceReady() {
  UpdatePidFile(phase_ == Phase::kHotStandby ? "standby" : "ready");
  Log(Severity::kLog, "database system is ready to accept {}connections",
      phase_ == Phase::kHotStandby ? "read-only " : "");
  TellStarter();
}

// `walden start` returns when replicas are served too; clients need not wait for them.
void Postmaster::TellStarter() {
  bool serving = phase_ == Phase::kRunning || phase_ == Phase::kHotStandby;
  if (options_.ready_fd < 0 || !serving || (ShouldRun(ProcessKind::kWalSender) && !replication_port_tried_))
    return;
  [[maybe_unused]] ssize_t told = write(options_.ready_fd, "R", 1);
  close(std::exchange(options_.ready_fd, -1));
}

namespace {

// Tests of power loss name a folder for the journal of what is not settled yet; see the header.
void InstallTestFileSystem() {
  const char* folder = std::getenv("WALDEN_UNSETTLED_JOURNAL");
  if (folder != nullptr) InstallFileSystem(MakeUnsettledFileSystem(folder).release());
}

}  // namespace

int RunPostmaster(PostmasterOptions options) {
  umask(077);
  try {
    InstallTestFileSystem();
    if (geteuid() == 0) {
      throw SqlError(ErrorCode::kInsufficientPrivilege,
                     "\"root\" execution of the Walden server is not permitted")
          .WithHint(
              "The server must be started under an unprivileged user id to prevent possible system security "
              "compromise.");
    }
    return Postmaster(std::move(options)).Run();
  } catch (const SqlError& error) {
    LogError(Severity::kFatal, error);
    return 1;
  }
}

}  // namespace walden
