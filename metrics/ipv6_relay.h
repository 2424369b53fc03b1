// IPv6 for the exporter's web server, which Debian builds without: accepts on IPv6 addresses and passes bytes to and from the
// server's IPv4 port on the loopback interface. Knows nothing of HTTP. One thread, which touches sockets only; a handful of
// connections at a time, each for a few seconds.
#pragma once

#include <netinet/in.h>
#include <poll.h>

#include <cstdint>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "node/os/socket.h"

namespace walden {

class Ipv6Relay {
 public:
  // Throws 55006-class errors for an address that is taken.
  Ipv6Relay(const std::vector<sockaddr_in6>& addresses, uint16_t target_port);
  ~Ipv6Relay();
  Ipv6Relay(const Ipv6Relay&) = delete;
  Ipv6Relay& operator=(const Ipv6Relay&) = delete;

 private:
  // Bytes on their way from one socket to the other.
  struct Direction {
    std::string waiting;
    bool source_ended = false;
    bool told = false;  // the other side knows that no more comes
  };
  struct Connection {
    Descriptor client, server;
    Direction to_server, to_client;
    int64_t deadline_us;
  };

  static pollfd Wanted(int fd, const Direction& from, const Direction& to);
  void Run();
  void Accept(int listener);
  // False: the connection is over.
  static bool Serve(Connection& connection);
  static bool Pass(int source, int target, Direction& direction);

  uint16_t target_port_;
  std::vector<Descriptor> listeners_;
  Descriptor stop_;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace walden
