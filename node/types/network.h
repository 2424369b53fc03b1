// inet: an address of IPv4 or IPv6, with the length of its network prefix.
//
// Format: u8 family (2: IPv4, 3: IPv6, as the wire has it), u8 prefix bits, 4 or 16 address bytes.
#pragma once

#include <span>
#include <string_view>

#include "node/types/type_table.h"

namespace walden {

std::span<const TypeDescriptor> NetworkTypes();

}  // namespace walden
