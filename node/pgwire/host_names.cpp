#include "node/pgwire/host_names.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <strings.h>

#include <cstring>
#include <memory>

namespace walden {
namespace {

const uint8_t* AddressBytes(const sockaddr* address) {
  if (address->sa_family == AF_INET)
    return reinterpret_cast<const uint8_t*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr);
  return reinterpret_cast<const uint8_t*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

// Is the peer in a network of an interface of ours? `exact`: is it the interface's own address?
bool MatchesInterface(const PeerAddress& peer, bool exact) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return false;
  std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  int family = peer.is_ipv6 ? AF_INET6 : AF_INET;
  size_t bytes = peer.is_ipv6 ? 16 : 4;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != family) continue;
    const uint8_t* own = AddressBytes(entry->ifa_addr);
    const uint8_t* mask = exact || entry->ifa_netmask == nullptr ? nullptr : AddressBytes(entry->ifa_netmask);
    bool same = true;
    for (size_t i = 0; i < bytes; ++i) {
      uint8_t bits = mask == nullptr ? 0xFF : mask[i];
      same = same && (own[i] & bits) == (peer.ip[i] & bits);
    }
    if (same) return true;
  }
  return false;
}

bool NameMatches(const std::string& name, const std::string& pattern) {
  if (!pattern.starts_with('.')) return strcasecmp(name.c_str(), pattern.c_str()) == 0;
  return name.size() > pattern.size() &&
         strcasecmp(name.c_str() + name.size() - pattern.size(), pattern.c_str()) == 0;
}

bool ResolvesTo(const std::string& name, const PeerAddress& peer) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_family = peer.is_ipv6 ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return false;
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (std::memcmp(AddressBytes(entry->ai_addr), peer.ip, peer.is_ipv6 ? 16 : 4) == 0) return true;
  }
  return false;
}

}  // namespace

bool SamePrefix(const uint8_t* a, const uint8_t* b, int bits) {
  for (int i = 0; bits > 0; ++i, bits -= 8) {
    uint8_t mask = bits >= 8 ? 0xFF : static_cast<uint8_t>(0xFF << (8 - bits));
    if ((a[i] & mask) != (b[i] & mask)) return false;
  }
  return true;
}

bool IsOwnAddress(const PeerAddress& peer) { return MatchesInterface(peer, true); }
bool IsInOwnNetwork(const PeerAddress& peer) { return MatchesInterface(peer, false); }

std::string HostNameOf(const PeerAddress& peer) {
  sockaddr_storage storage{};
  socklen_t length;
  if (peer.is_ipv6) {
    auto* address = reinterpret_cast<sockaddr_in6*>(&storage);
    address->sin6_family = AF_INET6;
    std::memcpy(&address->sin6_addr, peer.ip, 16);
    length = sizeof *address;
  } else {
    auto* address = reinterpret_cast<sockaddr_in*>(&storage);
    address->sin_family = AF_INET;
    std::memcpy(&address->sin_addr, peer.ip, 4);
    length = sizeof *address;
  }
  char name[NI_MAXHOST];
  if (getnameinfo(reinterpret_cast<sockaddr*>(&storage), length, name, sizeof name, nullptr, 0,
                  NI_NAMEREQD) != 0)
    return {};
  return name;
}

bool HasHostName(const PeerAddress& peer, const std::string& pattern) {
  std::string name = HostNameOf(peer);
  return !name.empty() && NameMatches(name, pattern) && ResolvesTo(name, peer);
}

}  // namespace walden
