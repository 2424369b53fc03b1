#include "node/types/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "node/base/error.h"
#include "node/types/hash.h"
#include "node/types/integer.h"
#include "node/types/wire.h"

namespace walden {
namespace {

constexpr uint8_t kIpv4 = 2, kIpv6 = 3;

struct Address {
  uint8_t family;
  uint8_t bits;
  uint8_t bytes[16];

  size_t size() const { return family == kIpv4 ? 4 : 16; }
  uint8_t most_bits() const { return static_cast<uint8_t>(8 * size()); }
};

Address Load(const Datum& value) {
  Address address{};
  std::string_view stored = value.string.view();
  std::memcpy(&address, stored.data(), std::min(stored.size(), sizeof address));
  return address;
}
Datum Store(const Address& address, Arena& arena) {
  return StringDatum(arena.Copy({reinterpret_cast<const char*>(&address), 2 + address.size()}));
}

SqlError BadText(std::string_view text) {
  return SqlError(ErrorCode::kInvalidTextRepresentation, "invalid input syntax for type inet: \"{}\"", text);
}

void InetIn(std::string_view text, TypeIo& io, Datum* to) {
  Address address{};
  size_t slash = text.find('/');
  std::string host(text.substr(0, slash));
  address.family = host.find(':') == host.npos ? kIpv4 : kIpv6;
  if (inet_pton(address.family == kIpv4 ? AF_INET : AF_INET6, host.c_str(), address.bytes) != 1) throw BadText(text);
  address.bits = address.most_bits();
  if (slash != text.npos) {
    std::string_view bits = text.substr(slash + 1);
    auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), address.bits);
    bool good = error == std::errc() && end == bits.data() + bits.size() && address.bits <= address.most_bits();
    if (!good) throw BadText(text);
  }
  *to = Store(address, io.arena);
}

void InetOut(const Datum& value, TypeIo&, std::string* to) {
  Address address = Load(value);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(address.family == kIpv4 ? AF_INET : AF_INET6, address.bytes, text, sizeof text);
  *to += text;
  if (address.bits == address.most_bits()) return;
  to->push_back('/');
  AppendUint(to, address.bits);
}

void InetReceive(std::string_view bytes, TypeIo& io, Datum* to) {
  WireReader reader(bytes);
  Address address{};
  address.family = reader.Take<uint8_t>();
  bool known = address.family == kIpv4 || address.family == kIpv6;
  address.bits = reader.Take<uint8_t>();
  reader.Take<uint8_t>();  // is it a cidr
  uint8_t size = reader.Take<uint8_t>();
  if (!known || address.bits > address.most_bits() || size != address.size()) {
    throw SqlError(ErrorCode::kInvalidBinaryRepresentation, "invalid address in external \"inet\" value");
  }
  std::memcpy(address.bytes, reader.TakeBytes(size).data(), size);
  *to = Store(address, io.arena);
}

void InetSend(const Datum& value, TypeIo&, std::string* to) {
  Address address = Load(value);
  for (uint8_t byte : {address.family, address.bits, uint8_t{0}, static_cast<uint8_t>(address.size())})
    to->push_back(static_cast<char>(byte));
  to->append(reinterpret_cast<const char*>(address.bytes), address.size());
}

int ComparePrefix(const Address& a, const Address& b, int bits) {
  int order = std::memcmp(a.bytes, b.bytes, static_cast<size_t>(bits / 8));
  if (order != 0 || bits % 8 == 0) return order;
  int shift = 8 - bits % 8;
  return (a.bytes[bits / 8] >> shift) - (b.bytes[bits / 8] >> shift);
}

// Networks in order, the wider one first; then the address within.
int InetCompare(const Datum& x, const Datum& y, const void*) {
  Address a = Load(x), b = Load(y);
  if (a.family != b.family) return a.family - b.family;
  if (int order = ComparePrefix(a, b, std::min(a.bits, b.bits)); order != 0) return order;
  if (a.bits != b.bits) return a.bits - b.bits;
  return ComparePrefix(a, b, a.most_bits());
}
uint64_t InetHash(const Datum& value) { return HashBytes(value.string.view()); }

constexpr TypeDescriptor kTypes[] = {
    {Oid{869}, "inet", PhysicalType::kString, -1, 'i', 'b', ',', Oid{0}, Oid{1041}, InetIn, InetOut, InetReceive,
     InetSend, nullptr, nullptr, InetCompare, InetHash},
};

}  // namespace

std::span<const TypeDescriptor> NetworkTypes() { return kTypes; }

}  // namespace walden
