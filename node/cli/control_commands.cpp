// start, stop, restart, reload, status, promote.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/cli/commands.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/server/data_directory.h"
#include "node/server/postmaster.h"

namespace walden {
namespace {

constexpr OptionSpec kPgdata{'D', "pgdata", "DIR", "data directory (default: environment variable PGDATA)"};
constexpr OptionSpec kTimeout{'t', "timeout", "SECONDS", "longest time to wait (default 60)"};
constexpr OptionSpec kMode{
    'm', "mode", "MODE",
    "smart: wait for sessions; fast (default): end them; immediate: recover at next start"};
constexpr OptionSpec kLog{'l', "log", "FILE", "server log (default: server.log in the data directory)"};
constexpr OptionSpec kSet{'c', "set", "NAME=VALUE", "overrides a setting of postgresql.conf"};
constexpr OptionSpec kForeground{'F', "foreground", nullptr,
                                 "stay in the foreground and log to standard error (containers)"};
constexpr OptionSpec kReadyFd{0, "ready-fd", "FD", nullptr};

constexpr OptionSpec kStartOptions[] = {kPgdata, kLog, kTimeout, kSet, kForeground, kReadyFd};
constexpr OptionSpec kStopOptions[] = {kPgdata, kMode, kTimeout};
constexpr OptionSpec kRestartOptions[] = {kPgdata, kLog, kMode, kTimeout, kSet};
constexpr OptionSpec kPlainOptions[] = {kPgdata};
constexpr OptionSpec kPromoteOptions[] = {kPgdata, kTimeout};

constexpr int kDefaultTimeoutS = 60;
constexpr int64_t kPollUs = 20000;

std::vector<std::pair<std::string, std::string>> Overrides(const CommandLine& line) {
  std::vector<std::pair<std::string, std::string>> overrides;
  for (const std::string& text : line.Values("set")) {
    size_t equals = text.find('=');
    if (equals == std::string::npos) line.Fail(fmt::format("-c {} requires a value", text));
    overrides.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return overrides;
}

void PrintTail(const std::string& path, uint64_t from) {
  std::string text;
  if (!TryReadWholeFile(path, &text) || text.size() <= from) return;
  text.erase(0, from);
  constexpr int kLines = 20;
  size_t at = text.size();
  for (int lines = 0; at > 0 && lines <= kLines; --at) {
    if (text[at - 1] == '\n' && at < text.size() && ++lines > kLines) break;
  }
  fmt::print(stderr, "Last lines of {}:\n{}", path, text.substr(at));
}

// In the child: becomes `walden start -F`.
[[noreturn]] void ExecPostmaster(const std::string& directory, const std::string& log_path,
                                 const CommandLine& line, int ready_fd) {
  setsid();
  int null = open("/dev/null", O_RDONLY);
  int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (log < 0) {
    fmt::print(stderr, "walden start: error: could not open log file \"{}\": {}\n", log_path,
               std::strerror(errno));
    _exit(1);
  }
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  fcntl(ready_fd, F_SETFD, 0);
  std::vector<std::string> words = {"walden", "start",   "-F",
                                    "-D",     directory, fmt::format("--ready-fd={}", ready_fd)};
  for (const std::string& setting : line.Values("set")) {
    words.push_back("-c");
    words.push_back(setting);
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  // By its own path: the process's short name comes from it.
  std::string executable = "/proc/self/exe";
  fs().ReadLink("/proc/self/exe", &executable);
  execv(executable.c_str(), arguments.data());
  fmt::print(stderr, "walden start: error: could not execute: {}\n", std::strerror(errno));
  _exit(1);
}

enum class Started : uint8_t { kReady, kFailed, kTimeout };

Started WaitUntilReady(int fd, int timeout_s) {
  pollfd readable{fd, POLLIN, 0};
  int64_t deadline_us = MonotonicUs() + int64_t{timeout_s} * 1000000;
  for (;;) {
    int64_t left_ms = (deadline_us - MonotonicUs()) / 1000;
    int ready = poll(&readable, 1, static_cast<int>(std::max<int64_t>(left_ms, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Started::kTimeout;
    char byte;
    return read(fd, &byte, 1) == 1 ? Started::kReady : Started::kFailed;
  }
}

int StartInBackground(const CommandLine& line, const std::string& directory) {
  CheckDataDirectory(directory);
  if (std::optional<PidFile> running = RunningNode(directory)) {
    fmt::print(stderr, "walden {}: error: a node is already running in \"{}\" (PID {})\n", "start", directory,
               running->pid);
    return 1;
  }
  std::string log_path = line.Value("log", directory + "/server.log");
  struct stat status = {};
  uint64_t log_size = fs().Stat(log_path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  auto [ready_end, child_end] = MakePipe();
  fmt::print("waiting for server to start....");
  std::fflush(stdout);
  pid_t pid = ForkProcess();
  if (pid == 0) ExecPostmaster(directory, log_path, line, child_end.fd());
  child_end.Close();
  switch (WaitUntilReady(ready_end.fd(), line.IntValue("timeout", kDefaultTimeoutS))) {
    case Started::kReady: fmt::print(" done\nserver started\n"); return 0;
    case Started::kFailed: {
      fmt::print(" stopped waiting\n");
      std::fflush(stdout);
      int wait_status;
      waitpid(pid, &wait_status, 0);
      fmt::print(stderr, "walden start: could not start server\n");
      PrintTail(log_path, log_size);
      return 1;
    }
    case Started::kTimeout:
      fmt::print(" stopped waiting\n");
      std::fflush(stdout);
      fmt::print(stderr, "walden start: server did not start in time; it goes on trying (PID {})\n", pid);
      PrintTail(log_path, log_size);
      return 1;
  }
  return 1;
}

// The running node, or nullopt after saying that there is none.
std::optional<PidFile> RequireRunning(const char* command, const std::string& directory) {
  std::optional<PidFile> running = RunningNode(directory);
  if (!running)
    fmt::print(stderr, "walden {}: no server running in \"{}\"\nIs server running?\n", command, directory);
  return running;
}

template <class Condition>
bool WaitFor(int timeout_s, Condition&& condition) {
  int64_t deadline_us = MonotonicUs() + int64_t{timeout_s} * 1000000;
  while (!condition()) {
    if (MonotonicUs() > deadline_us) return false;
    usleep(kPollUs);
  }
  return true;
}

int StopNode(const CommandLine& line, const char* command, const std::string& directory) {
  std::string mode = line.Value("mode", "fast");
  int signal_number = mode == "smart" || mode == "s"       ? SIGTERM
                      : mode == "fast" || mode == "f"      ? SIGINT
                      : mode == "immediate" || mode == "i" ? SIGQUIT
                                                           : 0;
  if (signal_number == 0) line.Fail(fmt::format("unrecognized shutdown mode \"{}\"", mode));
  std::optional<PidFile> running = RequireRunning(command, directory);
  if (!running) return 1;
  if (kill(running->pid, signal_number) < 0)
    throw FileError(errno, fmt::format("could not send stop signal (PID: {})", running->pid));
  fmt::print("waiting for server to shut down....");
  std::fflush(stdout);
  if (!WaitFor(line.IntValue("timeout", kDefaultTimeoutS),
               [&] { return !ProcessExists(running->pid) || !RunningNode(directory); })) {
    fmt::print(" failed\n");
    std::fflush(stdout);
    fmt::print(stderr, "walden {}: server does not shut down\n", command);
    if (signal_number == SIGTERM)
      fmt::print(
          stderr,
          "HINT: The \"-m fast\" option immediately disconnects sessions rather than waiting for them.\n");
    return 1;
  }
  fmt::print(" done\nserver stopped\n");
  return 0;
}

}  // namespace

constexpr CommandSpec kStartSpec{
    "start", "start a node and wait until it accepts connections", nullptr, kStartOptions,
    "Exit code: 0 once connections are accepted, 1 otherwise (the last lines of the log are printed)."};
constexpr CommandSpec kStopSpec{"stop", "stop a node", nullptr, kStopOptions, nullptr};
constexpr CommandSpec kRestartSpec{"restart", "stop a node and start it again", nullptr, kRestartOptions,
                                   nullptr};
constexpr CommandSpec kReloadSpec{"reload", "make a node read its configuration files again", nullptr,
                                  kPlainOptions, nullptr};
constexpr CommandSpec kStatusSpec{"status", "tell whether a node runs and accepts connections", nullptr,
                                  kPlainOptions,
                                  "Exit code: 0 running, 3 not running, 4 no accessible data directory."};
constexpr CommandSpec kPromoteSpec{"promote", "make a standby the primary", nullptr, kPromoteOptions,
                                   nullptr};

int StartCommand(const CommandLine& line) {
  std::string directory = line.DataDirectory();
  if (!line.Has("foreground")) return StartInBackground(line, directory);
  return RunPostmaster({directory, Overrides(line), line.IntValue("ready-fd", -1)});
}

int StopCommand(const CommandLine& line) { return StopNode(line, "stop", line.DataDirectory()); }

int RestartCommand(const CommandLine& line) {
  std::string directory = line.DataDirectory();
  if (RunningNode(directory)) {
    if (int result = StopNode(line, "restart", directory); result != 0) return result;
  } else {
    fmt::print(stderr, "walden restart: no server running in \"{}\"; starting it anyway\n", directory);
  }
  return StartInBackground(line, directory);
}

int ReloadCommand(const CommandLine& line) {
  std::optional<PidFile> running = RequireRunning("reload", line.DataDirectory());
  if (!running) return 1;
  if (kill(running->pid, SIGHUP) < 0)
    throw FileError(errno, fmt::format("could not send reload signal (PID: {})", running->pid));
  fmt::print("server signaled\n");
  return 0;
}

int StatusCommand(const CommandLine& line) {
  std::string directory = line.DataDirectory(4);
  try {
    CheckDataDirectory(directory);
  } catch (const SqlError& error) {
    fmt::print(stderr, "walden status: {}\n", error.what());
    return 4;
  }
  std::optional<PidFile> running = RunningNode(directory);
  if (!running) {
    fmt::print("walden: no server running\n");
    return 3;
  }
  fmt::print("walden: server is running (PID: {})\n", running->pid);
  fmt::print("status: {}\nport: {}\n", running->status, running->port);
  if (!running->socket_directory.empty()) fmt::print("socket directory: {}\n", running->socket_directory);
  if (!running->listen_address.empty()) fmt::print("listen address: {}\n", running->listen_address);
  return 0;
}

int PromoteCommand(const CommandLine& line) {
  std::string directory = line.DataDirectory();
  std::optional<PidFile> running = RequireRunning("promote", directory);
  if (!running) return 1;
  if (running->status != "standby" && !PathExists(directory + "/standby.signal")) {
    fmt::print(stderr, "walden promote: cannot promote server; server is not in standby mode\n");
    return 1;
  }
  WriteWholeFileDurably(directory + "/promote", "");
  if (kill(running->pid, SIGUSR1) < 0) {
    UnlinkIfExists(directory + "/promote");
    throw FileError(errno, fmt::format("could not send promote signal (PID: {})", running->pid));
  }
  fmt::print("waiting for server to promote....");
  std::fflush(stdout);
  bool promoted = WaitFor(line.IntValue("timeout", kDefaultTimeoutS), [&] {
    std::optional<PidFile> now = ReadPidFile(directory);
    return now && now->status == "ready";
  });
  fmt::print("{}", promoted ? " done\nserver promoted\n" : " stopped waiting\n");
  if (!promoted) fmt::print(stderr, "walden promote: server did not promote in time\n");
  return promoted ? 0 : 1;
}

}  // namespace walden
