// What version() returns.
#pragma once

#include <string_view>

namespace walden {

std::string_view VersionText();

}  // namespace walden
