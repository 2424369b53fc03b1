#include "node/shm/latch.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/os/futex.h"
#include "node/os/may_block.h"
#include "node/os/process.h"
#include "node/shm/process.h"
#include "node/shm/socket_input.h"

namespace walden {
namespace {

// Ends a wait on sockets. SIGURG is ignored by default: a stray one harms nobody. It is blocked but for these waits, which open it
// together with the sleep, so that none comes in between the look at the latch and the sleep.
constexpr int kLatchSignal = SIGURG;

void OnLatchSignal(int) {}

sigset_t MaskOfWaits() {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  sigdelset(&mask, kLatchSignal);
  return mask;
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
    case kOnFutex: FutexWake(&word_, 1); return;
    case kInPoll: {
      int saved_errno = errno;
      syscall(SYS_tgkill, owner_pid_.load(std::memory_order_relaxed),
              owner_tid_.load(std::memory_order_relaxed), kLatchSignal);
      errno = saved_errno;
      return;
    }
    default: return;  // kAwake
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
  latch.sleep_.store(Latch::kInPoll, std::memory_order_seq_cst);
  timespec timeout{timeout_ms / 1000, (timeout_ms % 1000) * 1000000};
  const timespec kNow{0, 0};
  bool set = latch.word_.load(std::memory_order_seq_cst) != 0;
  const sigset_t mask = MaskOfWaits();
  int ready = ppoll(sockets.data(), sockets.size(), set ? &kNow : timeout_ms < 0 ? nullptr : &timeout, &mask);
  int error = errno;
  latch.sleep_.store(Latch::kAwake, std::memory_order_relaxed);
  if (ready >= 0) return ready;
  for (pollfd& socket : sockets) socket.revents = 0;
  if (error != EINTR) throw FileError(error, "could not poll sockets");
  return 0;
}

SocketInput::SocketInput(int fd) : fd_(fd), epoll_(epoll_create1(EPOLL_CLOEXEC)), mask_(MaskOfWaits()) {
  epoll_event input{EPOLLIN, {}};
  if (epoll_.fd() < 0 || epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, fd, &input) != 0)
    throw FileError(errno, "could not wait for input of a socket");
}

bool SocketInput::WaitOrLatch(WaitEvent event) {
  CheckMayBlock();
  Latch& latch = self().latch;
  WaitEventScope shown(event);
  latch.sleep_.store(Latch::kInPoll, std::memory_order_seq_cst);
  int timeout_ms = latch.word_.load(std::memory_order_seq_cst) != 0 ? 0 : -1;
  epoll_event input;
  int ready = epoll_pwait(epoll_.fd(), &input, 1, timeout_ms, &mask_);
  int error = errno;
  latch.sleep_.store(Latch::kAwake, std::memory_order_relaxed);
  if (ready < 0 && error != EINTR) throw FileError(error, "could not wait for input of a socket");
  return ready > 0;
}

ssize_t SocketInput::ReceiveOrLatch(void* to, size_t bytes, WaitEvent event) {
  if (!expects_more_ && !WaitOrLatch(event)) {
    errno = EAGAIN;
    return -1;
  }
  ssize_t got = recv(fd_, to, bytes, MSG_DONTWAIT);
  expects_more_ = got == static_cast<ssize_t>(bytes);
  return got;
}

void PrepareLatchSignals() {
  // A late one must not end another system call.
  struct sigaction action = {};
  action.sa_handler = OnLatchSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  CHECK(sigaction(kLatchSignal, &action, nullptr) == 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kLatchSignal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace walden
