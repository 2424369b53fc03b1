// The first packet: what the client wants before any message has a type.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/pgwire/connection.h"
#include "node/session/session.h"

namespace walden {

// Reads it, refusing encryption that is not offered, serving cancel requests (nothing is returned then). Throws FATAL
// errors for versions and options that are not supported.
std::optional<SessionStart> ReadStartupPacket(Connection& connection);

}  // namespace walden
