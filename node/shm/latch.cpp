#include "node/shm/latch.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/os/futex.h"
#include "node/os/may_block.h"
#include "node/os/process.h"
#include "node/shm/process.h"

namespace walden {
namespace {

// Ends a poll. SIGURG is ignored by default: a stray one harms nobody.
constexpr int kLatchSignal = SIGURG;

// The thread that receives has the signal open from its first receive on, so that no call is needed to open it; a poll closes it
// around itself, since only ppoll opens it together with the wait.
thread_local bool signal_is_open = false;
// The socket of a ReceiveOrLatch in progress, else -1; and whether the handler has cut it short.
volatile sig_atomic_t receiving_socket = -1;
volatile sig_atomic_t receive_was_cut = 0;

void LimitReceive(int fd, int64_t us) {
  timeval limit{us / 1000000, us % 1000000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

// A signal that comes after the latch was looked at but before recv() has begun to wait would be lost: the shortest
// time-out makes that recv() return.
void OnLatchSignal(int) {
  if (receiving_socket < 0) return;
  int saved_errno = errno;
  LimitReceive(receiving_socket, 1);
  receive_was_cut = 1;
  errno = saved_errno;
}

void OpenSignal(bool open) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kLatchSignal);
  pthread_sigmask(open ? SIG_UNBLOCK : SIG_BLOCK, &set, nullptr);
  signal_is_open = open;
}

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
    case kAwake: return;
    case kOnFutex: FutexWake(&word_, 1); return;
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
  CheckMayBlock();
  Latch& latch = self().latch;
  WaitEventScope shown(event);
  if (signal_is_open) OpenSignal(false);
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

ssize_t ReceiveOrLatch(int fd, void* to, size_t bytes, WaitEvent event) {
  Latch& latch = self().latch;
  WaitEventScope shown(event);
  if (!signal_is_open) OpenSignal(true);
  receiving_socket = fd;
  latch.sleep_.store(Latch::kInPoll, std::memory_order_seq_cst);
  bool set = latch.word_.load(std::memory_order_seq_cst) != 0;
  ssize_t got = recv(fd, to, bytes, set ? MSG_DONTWAIT : 0);
  int error = errno;
  latch.sleep_.store(Latch::kAwake, std::memory_order_relaxed);
  receiving_socket = -1;
  if (receive_was_cut != 0) {
    receive_was_cut = 0;
    LimitReceive(fd, 0);
  }
  errno = error;
  return got;
}

void PrepareLatchSignals() {
  // A late one must not end another system call.
  struct sigaction action = {};
  action.sa_handler = OnLatchSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  CHECK(sigaction(kLatchSignal, &action, nullptr) == 0);
  OpenSignal(false);
}

}  // namespace walden
