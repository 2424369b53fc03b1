#include "node/shm/interrupts.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <exception>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/os/process.h"
#include "node/shm/lwlock.h"
#include "node/shm/timeouts.h"

namespace walden {
namespace {

thread_local int hold_depth = 0;
thread_local int critical_depth = 0;

void OnCancel() { throw SqlError(ErrorCode::kQueryCanceled, "canceling statement due to user request"); }
void OnTerminate() {
  throw SqlError(ErrorCode::kAdminShutdown, "terminating connection due to administrator command")
      .WithSeverity(Severity::kFatal);
}
void OnStatementTimeout() {
  throw SqlError(ErrorCode::kQueryCanceled, "canceling statement due to statement timeout");
}
void OnLockTimeout() {
  throw SqlError(ErrorCode::kLockNotAvailable, "canceling statement due to lock timeout");
}

constexpr size_t kInterruptCount = static_cast<size_t>(Interrupt::kCount);
static_assert(kInterruptCount <= 32);

std::array<InterruptHandler, kInterruptCount> DefaultHandlers() {
  std::array<InterruptHandler, kInterruptCount> handlers{};
  handlers[static_cast<size_t>(Interrupt::kCancel)] = OnCancel;
  handlers[static_cast<size_t>(Interrupt::kTerminate)] = OnTerminate;
  handlers[static_cast<size_t>(Interrupt::kStatementTimeout)] = OnStatementTimeout;
  handlers[static_cast<size_t>(Interrupt::kLockTimeout)] = OnLockTimeout;
  return handlers;
}
std::array<InterruptHandler, kInterruptCount> handlers = DefaultHandlers();

void Raise(ProcessSlot& slot, Interrupt interrupt) {
  slot.interrupts.fetch_or(InterruptBit(interrupt), std::memory_order_seq_cst);
  slot.latch.Set();
}

// Signals arrive on the main thread's behalf: the slot that it owned when the handlers were installed.
ProcessSlot* signalled_slot = &detached_process_slot;

void HandleSignal(int signal_number) {
  switch (signal_number) {
    case SIGTERM: Raise(*signalled_slot, Interrupt::kTerminate); break;
    case SIGINT: Raise(*signalled_slot, Interrupt::kCancel); break;
    case SIGHUP: Raise(*signalled_slot, Interrupt::kReload); break;
    case SIGUSR2: Raise(*signalled_slot, Interrupt::kShutdown); break;
    default: signalled_slot->latch.Set(); break;
  }
}

}  // namespace

std::atomic<uint32_t> handled_interrupts{
    InterruptBit(Interrupt::kCancel) | InterruptBit(Interrupt::kTerminate) |
    InterruptBit(Interrupt::kStatementTimeout) | InterruptBit(Interrupt::kLockTimeout)};

void RaiseInterrupt(int slot, Interrupt interrupt) { Raise(SlotAt(slot), interrupt); }

void RaiseInterruptSelf(Interrupt interrupt) { Raise(self(), interrupt); }

bool RaiseInterruptOfPid(pid_t pid, Interrupt interrupt) {
  int slot = FindSlotByPid(pid);
  if (slot < 0) return false;
  RaiseInterrupt(slot, interrupt);
  return true;
}

bool TakeInterrupt(Interrupt interrupt) {
  if (!InterruptPending(interrupt)) return false;
  return (self().interrupts.fetch_and(~InterruptBit(interrupt), std::memory_order_acq_rel) &
          InterruptBit(interrupt)) != 0;
}

void SetInterruptHandler(Interrupt interrupt, InterruptHandler handler) {
  handlers[static_cast<size_t>(interrupt)] = handler;
  if (handler != nullptr) {
    handled_interrupts.fetch_or(InterruptBit(interrupt), std::memory_order_relaxed);
  } else {
    handled_interrupts.fetch_and(~InterruptBit(interrupt), std::memory_order_relaxed);
  }
}

void ProcessInterrupts() {
  if (hold_depth > 0 || critical_depth > 0 || HeldLwLockCount() > 0) return;
  // Termination outranks the rest; otherwise in the order of the enumeration.
  if (handlers[static_cast<size_t>(Interrupt::kTerminate)] != nullptr &&
      TakeInterrupt(Interrupt::kTerminate)) {
    handlers[static_cast<size_t>(Interrupt::kTerminate)]();
  }
  for (size_t i = 0; i < kInterruptCount; ++i) {
    if (handlers[i] != nullptr && TakeInterrupt(static_cast<Interrupt>(i))) handlers[i]();
  }
}

HoldInterrupts::HoldInterrupts() { ++hold_depth; }
HoldInterrupts::~HoldInterrupts() { --hold_depth; }

CriticalSection::CriticalSection() : exceptions_at_entry_(std::uncaught_exceptions()) { ++critical_depth; }

CriticalSection::~CriticalSection() {
  if (std::uncaught_exceptions() > exceptions_at_entry_) Panic("an error left a critical section");
  --critical_depth;
}

bool CriticalSection::Inside() { return critical_depth > 0; }

void InstallProcessSignalHandlers() {
  signalled_slot = &self();
  for (int signal_number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2})
    SetSignalHandler(signal_number, HandleSignal);
  SetSignalHandler(SIGQUIT, [](int) { _exit(2); });
  SetSignalHandler(SIGALRM, HandleTimeoutSignal);
  SetSignalHandler(SIGPIPE, SIG_IGN);
  SetSignalHandler(SIGCHLD, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  PrepareLatchSignals();
}

}  // namespace walden
