// Requests to a process, delivered as bits in its slot plus a latch set: no signal is needed between our
// processes. Signals from outside (kill -TERM) become the same bits. A request acts where the process says
// CheckInterrupts().
#pragma once

#include <cstdint>

#include "node/shm/process.h"

namespace walden {

enum class Interrupt : uint8_t {
  kCancel,            // 57014 canceling statement due to user request
  kTerminate,         // 57P01 terminating connection due to administrator command
  kReload,            // re-read configuration files
  kShutdown,          // background process: finish (checkpointer: shutdown checkpoint)
  kInvalidation,      // the invalidation queue wants this process to catch up
  kRecoveryConflict,  // a standby's replay needs something that this process holds
  kNotify,            // an asynchronous notification waits
  kStatementTimeout,  // 57014 canceling statement due to statement timeout
  kLockTimeout,       // 55P03 canceling statement due to lock timeout
  kDeadlockCheck,     // run the deadlock detector
  kIdleInTransactionTimeout,
  kIdleSessionTimeout,
  kAuthenticationTimeout,
  kLogMemory,  // pg_log_backend_memory_contexts
  kPromote,    // startup process: leave recovery
  kWork,       // kind-specific: there is something to do
  kLogRotate,
  kCount
};
constexpr uint32_t InterruptBit(Interrupt interrupt) { return 1u << static_cast<unsigned>(interrupt); }

// Sets the bit and the latch. Async-signal-safe.
void RaiseInterrupt(int slot, Interrupt interrupt);
void RaiseInterruptSelf(Interrupt interrupt);
// The same if the slot still belongs to `pid`; returns whether it did.
bool RaiseInterruptOfPid(pid_t pid, Interrupt interrupt);
inline bool InterruptPending(Interrupt interrupt) {
  return (self().interrupts.load(std::memory_order_acquire) & InterruptBit(interrupt)) != 0;
}
// Clears the bit; returns whether it was set. Main loops of background processes use this.
bool TakeInterrupt(Interrupt interrupt);

// Called by CheckInterrupts when the bit is set (and cleared); may throw. nullptr: CheckInterrupts ignores
// the bit, it stays set for TakeInterrupt. Defaults: kCancel, kTerminate, kStatementTimeout and kLockTimeout
// throw. Process-wide.
using InterruptHandler = void (*)();
void SetInterruptHandler(Interrupt interrupt, InterruptHandler handler);

extern std::atomic<uint32_t> handled_interrupts;
void ProcessInterrupts();
// Safe point: throws when the process was asked to stop what it does. Does nothing inside HoldInterrupts, a
// critical section or while a lightweight lock is held.
inline void CheckInterrupts() {
  if (__builtin_expect(self().interrupts.load(std::memory_order_relaxed) &
                           handled_interrupts.load(std::memory_order_relaxed),
                       0)) {
    ProcessInterrupts();
  }
}

class HoldInterrupts {
 public:
  HoldInterrupts();
  ~HoldInterrupts();
  HoldInterrupts(const HoldInterrupts&) = delete;
  HoldInterrupts& operator=(const HoldInterrupts&) = delete;
};

// From the first change of a page to the WAL record that describes it: leaving by an exception would leave
// shared memory and WAL in disagreement, so it is a PANIC. Nests; interrupts wait.
class CriticalSection {
 public:
  CriticalSection();
  ~CriticalSection();
  CriticalSection(const CriticalSection&) = delete;
  CriticalSection& operator=(const CriticalSection&) = delete;
  static bool Inside();

 private:
  int exceptions_at_entry_;
};

// SIGTERM -> kTerminate, SIGINT -> kCancel, SIGHUP -> kReload, SIGUSR1 -> latch, SIGUSR2 -> kShutdown,
// SIGQUIT -> _exit(2) at once, SIGALRM -> timeouts, SIGPIPE ignored. Called once by every child.
void InstallProcessSignalHandlers();

}  // namespace walden
