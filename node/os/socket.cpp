#include "node/os/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "node/base/error.h"
#include "node/base/log.h"

namespace walden {
namespace {

void SetOption(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

Descriptor ListenOn(const addrinfo& address, int backlog, int* error_number) {
  Descriptor listener(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  *error_number = 0;
  if (listener.is_open()) {
    SetOption(listener.fd(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (address.ai_family == AF_INET6) SetOption(listener.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (bind(listener.fd(), address.ai_addr, address.ai_addrlen) == 0 &&
        listen(listener.fd(), backlog) == 0) {
      return listener;
    }
  }
  *error_number = errno;
  return Descriptor();
}

// IPv4 address "127.0.0.1"
std::string NameOf(const addrinfo& address) {
  char text[NI_MAXHOST] = "?";
  getnameinfo(address.ai_addr, address.ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return fmt::format("IPv{} address \"{}\"", address.ai_family == AF_INET6 ? 6 : 4, text);
}

void ReportBindFailure(const addrinfo& address, uint16_t port, int error_number) {
  ErrorFields fields;
  fields.severity = Severity::kLog;
  fields.code = ErrorCode::kObjectInUse;
  fields.message = fmt::format("could not bind {}: {}", NameOf(address), std::strerror(error_number));
  if (error_number == EADDRINUSE) {
    fields.hint = fmt::format(
        "Is another postmaster already running on port {}? If not, wait a few seconds and retry.", port);
  }
  EmitLog(fields);
}

}  // namespace

void Descriptor::Close() noexcept {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

std::vector<Descriptor> ListenTcp(const std::string& host, uint16_t port, int backlog) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  std::string service = std::to_string(port);
  int error = getaddrinfo(host == "*" ? nullptr : host.c_str(), service.c_str(), &hints, &found);
  if (error != 0) {
    throw SqlError(ErrorCode::kConfigFileError,
                   "could not translate host name \"{}\", service \"{}\" to address: {}", host, service,
                   gai_strerror(error));
  }
  std::vector<Descriptor> listeners;
  bool in_use = false;
  for (addrinfo* address = found; address != nullptr; address = address->ai_next) {
    int error_number;
    Descriptor listener = ListenOn(*address, backlog, &error_number);
    if (listener.is_open()) {
      Log(Severity::kLog, "listening on {}, port {}", NameOf(*address), port);
      listeners.push_back(std::move(listener));
    } else if (error_number != EAFNOSUPPORT && error_number != EADDRNOTAVAIL) {
      ReportBindFailure(*address, port, error_number);
      in_use |= error_number == EADDRINUSE;
    }
  }
  freeaddrinfo(found);
  if (listeners.empty() || in_use) {
    throw SqlError(ErrorCode::kConfigFileError, "could not create listen socket for \"{}\"", host);
  }
  return listeners;
}

Descriptor ListenUnix(const std::string& path, int backlog, mode_t permissions) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw SqlError(ErrorCode::kConfigFileError,
                   "Unix-domain socket path \"{}\" is too long (maximum {} bytes)", path,
                   sizeof address.sun_path - 1);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  unlink(path.c_str());
  Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.is_open() || bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
      chmod(path.c_str(), permissions) < 0 || listen(listener.fd(), backlog) < 0) {
    throw FileError(errno, fmt::format("could not bind Unix address \"{}\"", path));
  }
  return listener;
}

Descriptor AcceptConnection(int listen_fd) {
  Descriptor connection(accept4(listen_fd, nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection.is_open() && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
    Log(Severity::kLog, "could not accept new connection: {}", std::strerror(errno));
  }
  return connection;
}

static PeerAddress Describe(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  PeerAddress peer;
  peer.host = "[local]";
  sockaddr_storage storage = {};
  socklen_t size = sizeof storage;
  if (ask(fd, reinterpret_cast<sockaddr*>(&storage), &size) < 0) return peer;
  char text[INET6_ADDRSTRLEN];
  if (storage.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(storage);
    peer.is_unix = false;
    std::memcpy(peer.ip, &address.sin_addr, 4);
    peer.port = ntohs(address.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(storage);
    peer.is_unix = false;
    peer.is_ipv6 = true;
    std::memcpy(peer.ip, &address.sin6_addr, 16);
    peer.port = ntohs(address.sin6_port);
  } else {
    return peer;
  }
  peer.host = inet_ntop(peer.is_ipv6 ? AF_INET6 : AF_INET, peer.ip, text, sizeof text);
  return peer;
}

PeerAddress DescribePeer(int fd) { return Describe(fd, getpeername); }
PeerAddress DescribeOwnEnd(int fd) { return Describe(fd, getsockname); }

bool PeerUser(int fd, uid_t* uid) {
  ucred credentials;
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) return false;
  *uid = credentials.uid;
  return true;
}

void SetNonBlocking(int fd, bool on) {
  int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

void SetTcpNoDelay(int fd) { SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

void SetTcpKeepAlive(int fd, int idle_s, int interval_s, int count, int user_timeout_ms) {
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (idle_s > 0) SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
  if (interval_s > 0) SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
  if (count > 0) SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, count);
  if (user_timeout_ms > 0) SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
}

std::pair<Descriptor, Descriptor> MakeSocketPair(int type) {
  int ends[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0)
    throw FileError(errno, "could not create socket pair");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

std::pair<Descriptor, Descriptor> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) throw FileError(errno, "could not create pipe");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

bool SendWithDescriptor(int fd, const void* data, size_t bytes, int passed_fd, bool blocking) {
  iovec part = {const_cast<void*>(data), bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (passed_fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &passed_fd, sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, MSG_NOSIGNAL | (blocking ? 0 : MSG_DONTWAIT));
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno != EAGAIN && errno != EPIPE && errno != ECONNRESET) {
    throw FileError(errno, "could not pass a message to another process");
  }
  return sent >= 0;
}

ssize_t ReceiveWithDescriptor(int fd, void* data, size_t bytes, Descriptor* passed_fd) {
  iovec part = {data, bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) {
    if (errno == EINTR || errno == EAGAIN) return -1;
    throw FileError(errno, "could not receive a message from another process");
  }
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int received;
    std::memcpy(&received, CMSG_DATA(header), sizeof(int));
    *passed_fd = Descriptor(received);
  }
  return got;
}

}  // namespace walden
