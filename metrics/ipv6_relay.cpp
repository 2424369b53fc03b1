#include "metrics/ipv6_relay.h"

#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "node/os/process.h"

namespace walden {
namespace {

constexpr size_t kMostConnections = 32;
constexpr size_t kMostWaiting = 64 * 1024;
constexpr int64_t kLifeUs = 10 * 1000000;

Descriptor ListenOn(const sockaddr_in6& address) {
  Descriptor listener(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  int on = 1;
  bool good = listener.is_open() &&
              setsockopt(listener.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              setsockopt(listener.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0 &&
              bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
              listen(listener.fd(), kMostConnections) == 0;
  if (!good) throw FileError(errno, "could not listen on an IPv6 address");
  return listener;
}

bool WouldBlock() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

Ipv6Relay::Ipv6Relay(const std::vector<sockaddr_in6>& addresses, uint16_t target_port)
    : target_port_(target_port), stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (const sockaddr_in6& address : addresses) listeners_.push_back(ListenOn(address));
  SignalBlocker signals;
  thread_ = std::thread([this] { Run(); });
}

Ipv6Relay::~Ipv6Relay() {
  eventfd_write(stop_.fd(), 1);
  thread_.join();
}

// What to wait for on a socket from which one direction comes and into which the other goes. Nothing: its end must not wake us.
pollfd Ipv6Relay::Wanted(int fd, const Direction& from, const Direction& to) {
  bool read = !from.source_ended && from.waiting.size() < kMostWaiting;
  int events = (read ? POLLIN : 0) | (to.waiting.empty() ? 0 : POLLOUT);
  return {events == 0 ? -1 : fd, static_cast<short>(events), 0};
}

void Ipv6Relay::Run() {
  for (;;) {
    std::vector<pollfd> wanted{{stop_.fd(), POLLIN, 0}};
    bool room = connections_.size() < kMostConnections;
    for (const Descriptor& listener : listeners_)
      wanted.push_back({listener.fd(), static_cast<short>(room ? POLLIN : 0), 0});
    int64_t wake_us = INT64_MAX, now_us = MonotonicUs();
    for (const Connection& connection : connections_) {
      wanted.push_back(Wanted(connection.client.fd(), connection.to_server, connection.to_client));
      wanted.push_back(Wanted(connection.server.fd(), connection.to_client, connection.to_server));
      wake_us = std::min(wake_us, connection.deadline_us);
    }
    int timeout_ms =
        wake_us == INT64_MAX ? -1 : static_cast<int>(std::max<int64_t>(0, (wake_us - now_us) / 1000 + 1));
    if (poll(wanted.data(), wanted.size(), timeout_ms) < 0 && errno != EINTR) return;
    if (wanted[0].revents != 0) return;
    now_us = MonotonicUs();
    std::erase_if(connections_, [&](Connection& each) { return now_us >= each.deadline_us || !Serve(each); });
    for (size_t i = 0; i < listeners_.size(); ++i) {
      if ((wanted[i + 1].revents & POLLIN) != 0) Accept(listeners_[i].fd());
    }
  }
}

void Ipv6Relay::Accept(int listener) {
  Connection connection;
  connection.client = Descriptor(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  connection.server = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!connection.client.is_open() || !connection.server.is_open()) return;
  sockaddr_in target = {};
  target.sin_family = AF_INET;
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  target.sin_port = htons(target_port_);
  if (connect(connection.server.fd(), reinterpret_cast<sockaddr*>(&target), sizeof target) < 0 &&
      errno != EINPROGRESS)
    return;
  connection.deadline_us = MonotonicUs() + kLifeUs;
  connections_.push_back(std::move(connection));
}

bool Ipv6Relay::Serve(Connection& connection) {
  int client = connection.client.fd(), server = connection.server.fd();
  if (!Pass(client, server, connection.to_server) || !Pass(server, client, connection.to_client))
    return false;
  return !connection.to_client.told;  // the server has answered and gone
}

bool Ipv6Relay::Pass(int source, int target, Direction& direction) {
  char bytes[16 * 1024];
  while (!direction.source_ended && direction.waiting.size() < kMostWaiting) {
    ssize_t got = recv(source, bytes, sizeof bytes, 0);
    if (got < 0 && !WouldBlock() && errno != ENOTCONN) return false;
    if (got < 0) break;
    direction.source_ended = got == 0;
    direction.waiting.append(bytes, static_cast<size_t>(got));
  }
  while (!direction.waiting.empty()) {
    ssize_t sent = send(target, direction.waiting.data(), direction.waiting.size(), MSG_NOSIGNAL);
    if (sent < 0 && !WouldBlock() && errno != ENOTCONN) return false;
    if (sent < 0) break;
    direction.waiting.erase(0, static_cast<size_t>(sent));
  }
  if (direction.source_ended && direction.waiting.empty() && !direction.told) {
    shutdown(target, SHUT_WR);
    direction.told = true;
  }
  return true;
}

}  // namespace walden
