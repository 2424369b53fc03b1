// A latch is what one process sleeps on and others set. It lives in the process's slot.
//
//   for (;;) {
//     self().latch.Reset();
//     if (condition()) break;
//     WaitLatch(timeout_ms, WaitEvent::k...);   // then CheckInterrupts()
//   }
//
// Whoever makes the condition true does so before Set(). Setting is async-signal-safe and cheap when already
// set.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <span>

#include "node/shm/wait_events.h"

namespace walden {

class Latch {
 public:
  void Init();
  // Binds to the calling thread, the only one that may wait on it.
  void Own();
  void Set();
  void Reset();
  bool is_set() const { return word_.load(std::memory_order_acquire) != 0; }

 private:
  friend int WaitLatchOrSockets(std::span<pollfd> sockets, int64_t timeout_ms, WaitEvent event);
  friend bool WaitLatch(int64_t timeout_ms, WaitEvent event);
  friend class SocketInput;
  // kInPoll: in a wait on sockets, which the signal ends.
  enum Sleep : uint32_t { kAwake, kOnFutex, kInPoll };
  std::atomic<uint32_t> word_;
  std::atomic<uint32_t> sleep_;
  std::atomic<int32_t> owner_pid_;
  std::atomic<int32_t> owner_tid_;
};
static_assert(sizeof(Latch) == 16);

// Sleeps until self().latch is set, a signal handler ran or the time is over (timeout_ms < 0: no limit). Does
// not reset the latch. Returns whether it is set.
bool WaitLatch(int64_t timeout_ms, WaitEvent event);
// The same, woken also by poll events on the sockets, which are stored in revents. Returns the number of
// ready sockets (0 when only the latch or the timeout ended the wait).
int WaitLatchOrSockets(std::span<pollfd> sockets, int64_t timeout_ms, WaitEvent event);
inline int WaitLatchOrSocket(int fd, short events, int64_t timeout_ms, WaitEvent event) {
  pollfd one{fd, events, 0};
  return WaitLatchOrSockets({&one, 1}, timeout_ms, event) > 0 ? one.revents : 0;
}
// Installs the handler and blocks the signal that ends a poll; every process calls it once before it
// waits on sockets (SetSelf does it for the calling thread).
void PrepareLatchSignals();

}  // namespace walden
