#include "node/shm/latch.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/os/futex.h"
#include "node/os/process.h"
#include "node/shm/process.h"

namespace walden {
namespace {

// Ends a poll. SIGURG is ignored by default: a stray one harms nobody.
constexpr int kLatchSignal = SIGURG;

}  // namespace

void Latch::Init() {
  word_.store(0, std::memory_order_relaxed);
  sleep_.store(kAwake, std::memory_order_relaxed);
  owner_pid_.store(0, std::memory_order_relaxed);
  owner_tid_.store(0, std::memory_order_relaxed);
}

void Latch::Own() {
  owner_pid_.store(getpid(), std::memory_order_relaxed);
  owner_tid_.store(static_cast<int32_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
  sleep_.store(kAwake, std::memory_order_relaxed);
}

// Invariant: the waiter stores sleep_ before it looks at word_; the setter stores word_ before it looks at
// sleep_ (both seq_cst): one of them sees the other.
void Latch::Set() {
  if (word_.exchange(1, std::memory_order_seq_cst) != 0) return;
  switch (sleep_.load(std::memory_order_seq_cst)) {
    case kAwake:
      return;
    case kOnFutex:
      FutexWake(&word_, 1);
      return;
    case kInPoll: {
      int saved_errno = errno;
      syscall(SYS_tgkill, owner_pid_.load(std::memory_order_relaxed),
              owner_tid_.load(std::memory_order_relaxed), kLatchSignal);
      errno = saved_errno;
      return;
    }
  }
}

void Latch::Reset() {
  // A full barrier: what made the setter set the latch is visible to the condition that the caller looks at
  // next.
  word_.exchange(0, std::memory_order_seq_cst);
}

bool WaitLatch(int64_t timeout_ms, WaitEvent event) {
  Latch& latch = self().latch;
  if (latch.is_set() || timeout_ms == 0) return latch.is_set();
  WaitEventScope shown(event);
  latch.sleep_.store(Latch::kOnFutex, std::memory_order_seq_cst);
  if (latch.word_.load(std::memory_order_seq_cst) == 0)
    FutexWait(&latch.word_, 0, timeout_ms < 0 ? -1 : timeout_ms * 1000);
  latch.sleep_.store(Latch::kAwake, std::memory_order_relaxed);
  return latch.is_set();
}

int WaitLatchOrSockets(std::span<pollfd> sockets, int64_t timeout_ms, WaitEvent event) {
  Latch& latch = self().latch;
  WaitEventScope shown(event);
  latch.sleep_.store(Latch::kInPoll, std::memory_order_seq_cst);
  timespec timeout{timeout_ms / 1000, (timeout_ms % 1000) * 1000000};
  const timespec kNow{0, 0};
  bool set = latch.word_.load(std::memory_order_seq_cst) != 0;
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  sigdelset(&mask, kLatchSignal);
  int ready = ppoll(sockets.data(), sockets.size(), set ? &kNow : timeout_ms < 0 ? nullptr : &timeout, &mask);
  int error = errno;
  latch.sleep_.store(Latch::kAwake, std::memory_order_relaxed);
  if (ready >= 0) return ready;
  for (pollfd& socket : sockets) socket.revents = 0;
  if (error != EINTR) throw FileError(error, "could not poll sockets");
  return 0;
}

void PrepareLatchSignals() {
  SetSignalHandler(kLatchSignal, [](int) {});
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, kLatchSignal);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
}

}  // namespace walden
