// Functions about clients' access: the rules as files, the ends of this connection. Registered by the
// composition root.
#pragma once

#include <span>

#include "node/sql/functions/registry.h"

namespace walden {

std::span<const ScalarFunction> ClientAccessFunctions();
std::span<const SetFunction> ClientAccessSetFunctions();

// The connection that the session of this process serves.
void ServesConnection(int fd);

}  // namespace walden
