#include "node/base/ids.h"

#include <fmt/format.h>

namespace walden {

std::string Lsn::ToString() const { return fmt::format("{:X}/{:X}", value >> 32, value & 0xFFFFFFFFu); }

}  // namespace walden
