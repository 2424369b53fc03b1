// What addresses mean to pg_hba.conf: networks of this machine, names of other ones.
#pragma once

#include <cstdint>
#include <string>

#include "node/os/socket.h"

namespace walden {

// Do the first `bits` bits agree?
bool SamePrefix(const uint8_t* a, const uint8_t* b, int bits);
// One of this machine's own addresses; an address in one of the networks that it is attached to.
bool IsOwnAddress(const PeerAddress& peer);
bool IsInOwnNetwork(const PeerAddress& peer);
// The name that reverse look-up gives; empty if there is none. Asks the resolver and may wait.
std::string HostNameOf(const PeerAddress& peer);
// The address has this name (or one below ".domain") by reverse look-up, and that name has the address. Asks the resolver and may wait.
bool HasHostName(const PeerAddress& peer, const std::string& name);

}  // namespace walden
