#include "node/shm/postmaster_link.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace walden {
namespace {
int link_fd = -1;
}  // namespace

void SetPostmasterLink(int fd) { link_fd = fd; }

void NotifyPostmaster(PostmasterRequest request, int64_t argument) {
  if (link_fd < 0) return;
  PostmasterMessage message{request, getpid(), argument};
  // Blocks while the postmaster's queue is full; a vanished postmaster takes this process with it anyway.
  while (send(link_fd, &message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

}  // namespace walden
