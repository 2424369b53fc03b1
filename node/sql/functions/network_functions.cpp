// inet and cidr: order, containment, parts.
#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/types/network.h"

namespace walden {
namespace {

using View = std::string_view;

int32_t Order(View a, View b) {
  int order = CompareNetworks(LoadNetwork(a), LoadNetwork(b));
  return order < 0 ? -1 : order > 0;
}
bool Eq(View a, View b) { return Order(a, b) == 0; }
bool Ne(View a, View b) { return Order(a, b) != 0; }
bool Lt(View a, View b) { return Order(a, b) < 0; }
bool Le(View a, View b) { return Order(a, b) <= 0; }
bool Gt(View a, View b) { return Order(a, b) > 0; }
bool Ge(View a, View b) { return Order(a, b) >= 0; }
View Larger(View a, View b) { return Order(a, b) > 0 ? a : b; }
View Smaller(View a, View b) { return Order(a, b) < 0 ? a : b; }

// Is `inner` within the network of `outer`? Strictly: not the same network.
bool Within(View inner, View outer, bool strictly) {
  NetworkAddress a = LoadNetwork(inner), b = LoadNetwork(outer);
  if (a.is_ipv6 != b.is_ipv6) return false;
  return (strictly ? a.bits > b.bits : a.bits >= b.bits) && SamePrefix(a, b, b.bits);
}
bool Sub(View a, View b) { return Within(a, b, true); }
bool SubEq(View a, View b) { return Within(a, b, false); }
bool Sup(View a, View b) { return Within(b, a, true); }
bool SupEq(View a, View b) { return Within(b, a, false); }
bool Overlap(View a, View b) { return Within(a, b, false) || Within(b, a, false); }

View Host(CallContext& c, View v) { return Keep(c, FormatNetwork(LoadNetwork(v), false)); }
View Text(CallContext& c, View v) { return Keep(c, FormatNetwork(LoadNetwork(v), true)); }
int32_t Family(View v) { return LoadNetwork(v).is_ipv6 ? 6 : 4; }
int32_t MaskLength(View v) { return LoadNetwork(v).bits; }
bool SameFamily(View a, View b) { return LoadNetwork(a).is_ipv6 == LoadNetwork(b).is_ipv6; }
View Network(CallContext& c, View v) { return StoreNetwork(LoadNetwork(v).Masked(false), c.arena); }
View Broadcast(CallContext& c, View v) { return StoreNetwork(LoadNetwork(v).Masked(true), c.arena); }

// A mask is the network of an address of ones (or zeroes).
View Mask(CallContext& c, View v, bool host) {
  NetworkAddress mask = LoadNetwork(v);
  std::fill(std::begin(mask.bytes), std::end(mask.bytes), host ? 0 : 0xFF);
  mask = mask.Masked(host);
  mask.bits = mask.max_bits();
  return StoreNetwork(mask, c.arena);
}
View NetMask(CallContext& c, View v) { return Mask(c, v, false); }
View HostMask(CallContext& c, View v) { return Mask(c, v, true); }

template <bool kCidr>
View SetMaskLength(CallContext& c, View v, int32_t bits) {
  NetworkAddress address = LoadNetwork(v);
  if (bits == -1) bits = address.max_bits();
  if (bits < 0 || bits > address.max_bits()) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "invalid mask length: {}", bits);
  }
  address.bits = bits;
  return StoreNetwork(kCidr ? address.Masked(false) : address, c.arena);
}

constexpr ScalarFunction kTable[] = {
    Scalar<&Order>("network_cmp"),
    Scalar<&Eq>("network_eq"),
    Scalar<&Ne>("network_ne"),
    Scalar<&Lt>("network_lt"),
    Scalar<&Le>("network_le"),
    Scalar<&Gt>("network_gt"),
    Scalar<&Ge>("network_ge"),
    Scalar<&Larger>("network_larger"),
    Scalar<&Smaller>("network_smaller"),
    Scalar<&Sub>("network_sub"),
    Scalar<&SubEq>("network_subeq"),
    Scalar<&Sup>("network_sup"),
    Scalar<&SupEq>("network_supeq"),
    Scalar<&Overlap>("network_overlap"),
    Scalar<&Host>("network_host"),
    Scalar<&Text>("network_show"),
    Scalar<&Family>("network_family"),
    Scalar<&MaskLength>("network_masklen"),
    Scalar<&SameFamily>("inet_same_family"),
    Scalar<&Network>("network_network"),
    Scalar<&Network>("inet_to_cidr"),
    Scalar<&Broadcast>("network_broadcast"),
    Scalar<&NetMask>("network_netmask"),
    Scalar<&HostMask>("network_hostmask"),
    Scalar<&SetMaskLength<false>>("inet_set_masklen"),
    Scalar<&SetMaskLength<true>>("cidr_set_masklen"),
};

}  // namespace

std::span<const ScalarFunction> NetworkFunctions() { return kTable; }

}  // namespace walden
