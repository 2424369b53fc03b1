#include "node/types/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "node/base/error.h"
#include "node/types/hash.h"
#include "node/types/wire.h"

namespace walden {
namespace {

constexpr char kFamilyIpv4 = 2, kFamilyIpv6 = 3;

[[noreturn]] void ThrowInvalid(std::string_view text, bool is_cidr) {
  throw SqlError(ErrorCode::kInvalidTextRepresentation, "invalid input syntax for type {}: \"{}\"",
                 is_cidr ? "cidr" : "inet", text);
}

// A decimal number up to `most` at the start of `*rest`; -1: none.
int TakeNumber(std::string_view* rest, int most) {
  int value = -1;
  while (!rest->empty() && rest->front() >= '0' && rest->front() <= '9') {
    value = std::max(value, 0) * 10 + (rest->front() - '0');
    if (value > most) return -1;
    rest->remove_prefix(1);
  }
  return value;
}

// Octets separated by dots; how many, or -1.
int ParseOctets(std::string_view text, uint8_t* bytes) {
  for (int count = 0; count < 4;) {
    int octet = TakeNumber(&text, 255);
    if (octet < 0) return -1;
    bytes[count++] = static_cast<uint8_t>(octet);
    if (text.empty()) return count;
    if (text.front() != '.') return -1;
    text.remove_prefix(1);
  }
  return -1;
}

// The prefix that an abbreviated network has when none is written: that of its class, or all octets written.
int ClassBits(uint8_t first, int octets) {
  int bits = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
  bits = std::max(bits, octets * 8);
  return first == 224 && bits == 8 ? 4 : bits;  // of all multicast addresses
}

bool HasHostBits(const NetworkAddress& address) {
  NetworkAddress masked = address.Masked(false);
  return std::memcmp(masked.bytes, address.bytes, sizeof masked.bytes) != 0;
}

void InetIn(std::string_view text, TypeIo& io, Datum* to) {
  *to = StringDatum(StoreNetwork(ParseNetwork(text, false), io.arena));
}
void CidrIn(std::string_view text, TypeIo& io, Datum* to) {
  *to = StringDatum(StoreNetwork(ParseNetwork(text, true), io.arena));
}
void InetOut(const Datum& v, TypeIo&, std::string* to) {
  NetworkAddress address = LoadNetwork(v.string.view());
  *to += FormatNetwork(address, address.bits < address.max_bits());
}
void CidrOut(const Datum& v, TypeIo&, std::string* to) {
  *to += FormatNetwork(LoadNetwork(v.string.view()), true);
}

// The binary form has a flag (cidr?) and the address's size between the prefix and the address.
void Receive(std::string_view bytes, TypeIo& io, Datum* to, bool is_cidr) {
  const char* name = is_cidr ? "cidr" : "inet";
  WireReader reader(bytes);
  NetworkAddress address;
  int family = reader.Take<uint8_t>();
  if (family != kFamilyIpv4 && family != kFamilyIpv6) {
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid address family in external \"{}\" value",
                   name);
  }
  address.is_ipv6 = family == kFamilyIpv6;
  address.bits = reader.Take<uint8_t>();
  if (address.bits > address.max_bits()) {
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid bits in external \"{}\" value", name);
  }
  reader.Take<uint8_t>();
  if (reader.Take<uint8_t>() != address.size()) {
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid length in external \"{}\" value", name);
  }
  std::memcpy(address.bytes, reader.TakeBytes(static_cast<size_t>(address.size())).data(),
              static_cast<size_t>(address.size()));
  if (is_cidr && HasHostBits(address)) {
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid external \"cidr\" value")
        .WithDetail("Value has bits set to right of mask.");
  }
  *to = StringDatum(StoreNetwork(address, io.arena));
}
void InetReceive(std::string_view bytes, TypeIo& io, Datum* to) { Receive(bytes, io, to, false); }
void CidrReceive(std::string_view bytes, TypeIo& io, Datum* to) { Receive(bytes, io, to, true); }
void Send(const Datum& v, std::string* to, bool is_cidr) {
  std::string_view stored = v.string.view();
  to->append(stored.substr(0, 2));
  to->push_back(is_cidr ? 1 : 0);
  to->push_back(static_cast<char>(stored.size() - 2));
  to->append(stored.substr(2));
}
void InetSend(const Datum& v, TypeIo&, std::string* to) { Send(v, to, false); }
void CidrSend(const Datum& v, TypeIo&, std::string* to) { Send(v, to, true); }

int Compare(const Datum& a, const Datum& b, const void*) {
  return CompareNetworks(LoadNetwork(a.string.view()), LoadNetwork(b.string.view()));
}
uint64_t Hash(const Datum& v) { return HashBytes(v.string.view()); }

constexpr TypeDescriptor kTypes[] = {
    {kInetOid, "inet", PhysicalType::kString, -1, 'i', 'b', ',', Oid{0}, Oid{1041}, InetIn, InetOut,
     InetReceive, InetSend, nullptr, nullptr, Compare, Hash},
    {kCidrOid, "cidr", PhysicalType::kString, -1, 'i', 'b', ',', Oid{0}, Oid{651}, CidrIn, CidrOut,
     CidrReceive, CidrSend, nullptr, nullptr, Compare, Hash},
};

}  // namespace

NetworkAddress NetworkAddress::Masked(bool ones) const {
  NetworkAddress result = *this;
  for (int i = 0; i < size(); ++i) {
    int kept = std::clamp(bits - i * 8, 0, 8);
    uint8_t mask = static_cast<uint8_t>(0xFF00 >> kept);
    result.bytes[i] = static_cast<uint8_t>((bytes[i] & mask) | (ones ? static_cast<uint8_t>(~mask) : 0));
  }
  return result;
}

NetworkAddress LoadNetwork(std::string_view stored) {
  NetworkAddress address;
  address.is_ipv6 = stored[0] == kFamilyIpv6;
  address.bits = static_cast<uint8_t>(stored[1]);
  std::memcpy(address.bytes, stored.data() + 2, static_cast<size_t>(address.size()));
  return address;
}

std::string_view StoreNetwork(const NetworkAddress& address, Arena& arena) {
  char stored[18] = {address.is_ipv6 ? kFamilyIpv6 : kFamilyIpv4, static_cast<char>(address.bits)};
  std::memcpy(stored + 2, address.bytes, static_cast<size_t>(address.size()));
  return arena.Copy({stored, static_cast<size_t>(2 + address.size())});
}

NetworkAddress ParseNetwork(std::string_view text, bool is_cidr) {
  NetworkAddress result;
  size_t slash = text.find('/');
  std::string address(text.substr(0, slash));
  int bits = -1;
  result.is_ipv6 = address.find(':') != std::string::npos;
  if (slash != text.npos) {
    std::string_view rest = text.substr(slash + 1);
    bits = TakeNumber(&rest, result.max_bits());
    if (bits < 0 || !rest.empty()) ThrowInvalid(text, is_cidr);
  }
  if (result.is_ipv6) {
    if (inet_pton(AF_INET6, address.c_str(), result.bytes) != 1) ThrowInvalid(text, is_cidr);
    result.bits = bits < 0 ? 128 : bits;
  } else {
    int octets = ParseOctets(address, result.bytes);
    if (octets < 0 || (octets < 4 && bits < 0 && !is_cidr)) ThrowInvalid(text, is_cidr);
    result.bits = bits >= 0 ? bits : is_cidr ? ClassBits(result.bytes[0], octets) : 32;
  }
  if (is_cidr && HasHostBits(result)) {
    throw SqlError(ErrorCode::kInvalidTextRepresentation, "invalid cidr value: \"{}\"", text)
        .WithDetail("Value has bits set to right of mask.");
  }
  return result;
}

std::string FormatNetwork(const NetworkAddress& address, bool with_bits) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(address.is_ipv6 ? AF_INET6 : AF_INET, address.bytes, text, sizeof text);
  return with_bits ? fmt::format("{}/{}", text, address.bits) : std::string(text);
}

bool SamePrefix(const NetworkAddress& a, const NetworkAddress& b, int bits) {
  NetworkAddress left = a, right = b;
  left.bits = right.bits = bits;
  return std::memcmp(left.Masked(false).bytes, right.Masked(false).bytes, sizeof left.bytes) == 0;
}

int CompareNetworks(const NetworkAddress& a, const NetworkAddress& b) {
  if (a.is_ipv6 != b.is_ipv6) return a.is_ipv6 ? 1 : -1;
  NetworkAddress left = a, right = b;
  left.bits = right.bits = std::min(a.bits, b.bits);
  int order = std::memcmp(left.Masked(false).bytes, right.Masked(false).bytes, sizeof left.bytes);
  if (order == 0) order = a.bits - b.bits;
  return order != 0 ? order : std::memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

std::span<const TypeDescriptor> NetworkTypes() { return kTypes; }

}  // namespace walden
