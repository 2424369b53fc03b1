// The member types of the generated row structs (generated/node/catalog/rows/*.h): what one catalog row looks like
// to C++ code. A nullable column is a std::optional.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/base/ids.h"
#include "node/types/identifier.h"

namespace walden {

// An access control list; the rights are in acl.h.
using Acl = std::vector<AclItem>;

}  // namespace walden
