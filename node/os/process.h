// Processes: fork, signals, titles. Used by the postmaster and at a child's start; single-threaded callers
// only.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace walden {

// Remembers argv's memory so that SetProcessTitle can overwrite it (ps shows it). Moves the environment away.
void InitProcessTitle(int argc, char** argv);
// "walden: checkpointer": sets argv and the short name that pstree shows.
void SetProcessTitle(std::string_view title);
// Replaces what follows the first `kept_bytes` of the title that was set last, which are more than the short name shows: what a session
// does changes with each statement.
inline constexpr size_t kShortNameEnd = 23;  // in a title
void SetProcessTitleEnd(size_t kept_bytes, std::string_view end);

// fork() that asserts that the caller has one thread and flushes nothing. Throws SqlError on failure.
pid_t ForkProcess();
// In a child: die with SIGKILL when the parent dies; exits at once if `parent` is gone already.
void DieWithParent(pid_t parent);
int ThreadCount();

using SignalHandler = void (*)(int signal_number);
// Installs without SA_RESTART, so that blocking calls return EINTR. SIG_IGN and SIG_DFL are allowed.
void SetSignalHandler(int signal_number, SignalHandler handler);
// Blocks every signal but SIGQUIT-like fatal ones while it lives.
class SignalBlocker {
 public:
  SignalBlocker();
  ~SignalBlocker();
  SignalBlocker(const SignalBlocker&) = delete;
  SignalBlocker& operator=(const SignalBlocker&) = delete;

 private:
  sigset_t previous_;
};

// Runs `command` with /bin/sh; no descriptor but 0-2 is inherited. Returns waitpid's status. While it runs
// the caller's SIGCHLD disposition is default. `output`: receives what it writes to its standard output.
int RunShellCommand(const std::string& command, std::string* output = nullptr);
// "exited with exit code 1" / "was terminated by signal 9: Killed", as PostgreSQL's logs say.
std::string DescribeWaitStatus(int status);

// True if a process with this pid runs (a zombie does not).
bool ProcessExists(pid_t pid);

}  // namespace walden
