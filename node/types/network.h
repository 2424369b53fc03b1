// inet and cidr.
//
// Format, in memory and on disk: family (2: IPv4, 3: IPv6), bits of the network's prefix, address (4 or 16 bytes) in network order.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "node/types/type_table.h"

namespace walden {

inline constexpr Oid kInetOid{869}, kCidrOid{650};

struct NetworkAddress {
  bool is_ipv6 = false;
  int bits = 32;
  uint8_t bytes[16] = {};

  int max_bits() const { return is_ipv6 ? 128 : 32; }
  int size() const { return is_ipv6 ? 16 : 4; }
  // Host part cleared, or set.
  NetworkAddress Masked(bool ones) const;
};

NetworkAddress LoadNetwork(std::string_view stored);
std::string_view StoreNetwork(const NetworkAddress& address, Arena& arena);
// Throws 22P02.
NetworkAddress ParseNetwork(std::string_view text, bool is_cidr);
// "10.1.2.3"; with "/n" if asked.
std::string FormatNetwork(const NetworkAddress& address, bool with_bits);
// Family, common prefix, length of the prefix, address.
int CompareNetworks(const NetworkAddress& a, const NetworkAddress& b);
// Whether the first `bits` bits are the same (of one family).
bool SamePrefix(const NetworkAddress& a, const NetworkAddress& b, int bits);

std::span<const TypeDescriptor> NetworkTypes();

}  // namespace walden
