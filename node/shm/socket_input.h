// The input of a client's socket, waited for together with the latch.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "node/os/socket.h"
#include "node/shm/latch.h"

namespace walden {

// Reads one socket, for as long as a client is served, and sleeps while nothing has come. The kernel is told once what is waited for,
// and wakes the process for that only: one that sleeps in recv() on a Unix socket wakes a second time whenever its peer has
// taken what was sent to it. For the thread that owns the latch; the signals that the thread blocks stay the same meanwhile.
class SocketInput {
 public:
  explicit SocketInput(int fd);  // does not own it
  // recv() that the latch ends too: -1 with errno EAGAIN when nothing came. The caller resets the latch and looks at its conditions
  // before, as for a wait.
  ssize_t ReceiveOrLatch(void* to, size_t bytes, WaitEvent event);
  // Whether something has come, the end of the stream included.
  bool WaitOrLatch(WaitEvent event);

 private:
  int fd_;
  Descriptor epoll_;
  sigset_t mask_;
  bool expects_more_ = false;  // all the room was filled the last time: more may have come already
};

}  // namespace walden
