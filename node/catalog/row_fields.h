// The member types of the generated row structs (generated/node/catalog/rows/*.h): what one catalog row looks like
// to C++ code. A nullable column is a std::optional.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/base/ids.h"

namespace walden {

// One entry of an access control list. Format (12 bytes, little-endian): grantee, grantor, privileges; the low 16
// bits of `privileges` are the rights (acl.h), the high 16 the grant options. Grantee 0 is PUBLIC.
struct AclItem {
  Oid grantee = Oid::kInvalid;
  Oid grantor = Oid::kInvalid;
  uint32_t privileges = 0;
  bool operator==(const AclItem&) const = default;
};
using Acl = std::vector<AclItem>;

}  // namespace walden
