#include "node/os/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/os/file.h"

extern char** environ;

namespace walden {
namespace {

char* title_area = nullptr;
size_t title_area_bytes = 0;

}  // namespace

void InitProcessTitle(int argc, char** argv) {
  if (argc == 0) return;
  // The kernel lays argv and then the environment out contiguously; both become the title's room.
  char* end = argv[0] + std::strlen(argv[0]) + 1;
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == end) end = argv[i] + std::strlen(argv[i]) + 1;
  }
  std::vector<char*> moved;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (*variable == end) end = *variable + std::strlen(*variable) + 1;
    moved.push_back(strdup(*variable));
  }
  char** fresh = static_cast<char**>(std::malloc((moved.size() + 1) * sizeof(char*)));
  std::copy(moved.begin(), moved.end(), fresh);
  fresh[moved.size()] = nullptr;
  environ = fresh;
  title_area = argv[0];
  title_area_bytes = static_cast<size_t>(end - argv[0]);
}

void SetProcessTitleEnd(size_t kept_bytes, std::string_view end) {
  static size_t shown_bytes = title_area_bytes;
  if (title_area == nullptr || kept_bytes >= title_area_bytes) return;
  size_t used = kept_bytes + std::min(end.size(), title_area_bytes - 1 - kept_bytes);
  std::memcpy(title_area + kept_bytes, end.data(), used - kept_bytes);
  if (used < shown_bytes) std::memset(title_area + used, 0, shown_bytes - used);
  shown_bytes = used;
}

void SetProcessTitle(std::string_view title) {
  SetProcessTitleEnd(0, title);
  // The short name has 15 characters: what follows "walden: " says more than the product's name.
  constexpr std::string_view kPrefix = "walden: ";
  std::string_view brief = title.starts_with(kPrefix) ? title.substr(kPrefix.size()) : title;
  static char shown_name[16];
  char name[16] = {};
  std::memcpy(name, brief.data(), std::min<size_t>(brief.size(), 15));
  if (std::memcmp(name, shown_name, sizeof name) == 0) return;
  std::memcpy(shown_name, name, sizeof name);
  prctl(PR_SET_NAME, name);
}

int ThreadCount() {
  std::string status;
  if (!TryReadWholeFile("/proc/self/status", &status)) return 1;
  size_t at = status.find("\nThreads:");
  return at == std::string::npos ? 1 : std::atoi(status.c_str() + at + 9);
}

pid_t ForkProcess() {
  DCHECK(ThreadCount() == 1);
  pid_t pid = fork();
  if (pid < 0) {
    throw SqlError(ErrorCode::kInsufficientResources, "could not fork process: {}", std::strerror(errno));
  }
  return pid;
}

void DieWithParent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
}

void SetSignalHandler(int signal_number, SignalHandler handler) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  if (signal_number == SIGCHLD) action.sa_flags = SA_NOCLDSTOP;
  CHECK(sigaction(signal_number, &action, nullptr) == 0);
}

SignalBlocker::SignalBlocker() {
  sigset_t blocked;
  sigfillset(&blocked);
  for (int fatal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGCONT})
    sigdelset(&blocked, fatal);
  pthread_sigmask(SIG_SETMASK, &blocked, &previous_);
}

SignalBlocker::~SignalBlocker() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

static void ReadToEnd(int fd, std::string* output) {
  char bytes[4096];
  while (true) {
    ssize_t count = read(fd, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    output->append(bytes, static_cast<size_t>(count));
  }
}

int RunShellCommand(const std::string& command, std::string* output) {
  int pipe_ends[2] = {-1, -1};
  if (output != nullptr && pipe2(pipe_ends, O_CLOEXEC) < 0) {
    throw FileError(errno, fmt::format("could not execute command \"{}\"", command));
  }
  struct sigaction default_action = {}, previous;
  default_action.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &default_action, &previous);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (output != nullptr) posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  const char* arguments[] = {"sh", "-c", command.c_str(), nullptr};
  pid_t pid;
  int error =
      posix_spawn(&pid, "/bin/sh", &actions, &attributes, const_cast<char* const*>(arguments), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (output != nullptr) {
    close(pipe_ends[1]);
    if (error == 0) ReadToEnd(pipe_ends[0], output);
    close(pipe_ends[0]);
  }
  int status = 127 << 8;
  if (error == 0) {
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
  }
  sigaction(SIGCHLD, &previous, nullptr);
  if (error != 0) throw FileError(error, fmt::format("could not execute command \"{}\"", command));
  return status;
}

std::string DescribeWaitStatus(int status) {
  if (WIFEXITED(status)) return fmt::format("exited with exit code {}", WEXITSTATUS(status));
  if (WIFSIGNALED(status)) {
    return fmt::format("was terminated by signal {}: {}", WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  return fmt::format("exited with unrecognized status {}", status);
}

bool ProcessExists(pid_t pid) {
  if (pid <= 0 || (kill(pid, 0) < 0 && errno != EPERM)) return false;
  // "pid (name) S ...": a zombie waits for a parent that may never look.
  std::string path = fmt::format("/proc/{}/stat", pid);
  int error = 0;
  File file = File::TryOpen(path, O_RDONLY | O_CLOEXEC, &error);
  if (error == ENOENT || error == ESRCH) return false;
  if (!file.is_open()) throw FileError(error, fmt::format("could not open file \"{}\"", path));
  char buffer[512];
  ssize_t got = read(file.fd(), buffer, sizeof buffer);
  if (got < 0 && errno == ESRCH) return false;  // gone since it was opened
  if (got < 0) throw FileError(errno, fmt::format("could not read file \"{}\"", path));
  std::string_view status(buffer, static_cast<size_t>(got));
  size_t name_end = status.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= status.size() || status[name_end + 2] != 'Z';
}

}  // namespace walden
