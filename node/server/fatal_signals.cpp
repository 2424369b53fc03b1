#include "node/server/fatal_signals.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "node/shm/region.h"

namespace walden {
namespace {

// Async-signal-safe: one write, then the default action, so that the postmaster sees the signal.
void Report(int signal_number, siginfo_t* info, void*) {
  std::span<char> region = AttachedRegion();
  const char* address = static_cast<const char*>(info->si_addr);
  bool in_region = address >= region.data() && address < region.data() + region.size();
  const char* what =
      signal_number != SIGBUS ? "PANIC:  invalid memory access\n"
      : in_region
          ? "PANIC:  a page of shared memory could not be allocated: is /dev/shm or the memory limit full?\n"
          : "PANIC:  a page of memory could not be read\n";
  [[maybe_unused]] ssize_t put = write(STDERR_FILENO, what, std::strlen(what));
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

}  // namespace

void InstallFatalSignalHandlers() {
  // Its own stack: a stack overflow arrives as SIGSEGV too.
  static char stack[64 * 1024];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = Report;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, nullptr);
  sigaction(SIGSEGV, &action, nullptr);
}

void ProtectRegion() {
  std::span<char> region = AttachedRegion();
  if (!region.empty()) mprotect(region.data(), region.size(), PROT_READ);
}

}  // namespace walden
