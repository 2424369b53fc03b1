// Owned sockets. Failures throw SqlError. Descriptors are close-on-exec.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace walden {

// Any descriptor that closes itself (sockets, pipes, eventfds). File is for regular files.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Close() noexcept;

 private:
  int fd_ = -1;
};

// Address of a peer as pg_stat_activity and hba rules see it.
struct PeerAddress {
  bool is_unix = true;
  bool is_ipv6 = false;
  uint8_t ip[16] = {};  // network order; IPv4 uses the first four bytes
  uint16_t port = 0;
  std::string host;  // numeric text form; "[local]" for a Unix socket
};

// One listening socket per address that `host` resolves to ("*" = all interfaces), each logged. Throws if none could
// be made, or if somebody else listens on the port of one.
std::vector<Descriptor> ListenTcp(const std::string& host, uint16_t port, int backlog);
// Binds `path` (removing a stale socket file) with the given permissions.
Descriptor ListenUnix(const std::string& path, int backlog, mode_t permissions);
// Closed descriptor when nothing waits (listening sockets are non-blocking) or the peer went away.
Descriptor AcceptConnection(int listen_fd);
PeerAddress DescribePeer(int fd);
PeerAddress DescribeOwnEnd(int fd);  // the end on this machine
// The user id at the other end of a Unix socket; false if unknown.
bool PeerUser(int fd, uid_t* uid);

void SetNonBlocking(int fd, bool on);
void SetTcpNoDelay(int fd);
// Zero keeps the system's value.
void SetTcpKeepAlive(int fd, int idle_s, int interval_s, int count, int user_timeout_ms);

std::pair<Descriptor, Descriptor> MakeSocketPair(int type = SOCK_SEQPACKET);
std::pair<Descriptor, Descriptor> MakePipe();

// One message with optional descriptor. Returns false on EAGAIN or a closed peer; other errors throw.
bool SendWithDescriptor(int fd, const void* data, size_t bytes, int passed_fd, bool blocking);
// Returns bytes received, 0 at end of stream, -1 if nothing waits (non-blocking) or a signal came.
ssize_t ReceiveWithDescriptor(int fd, void* data, size_t bytes, Descriptor* passed_fd);

}  // namespace walden
