// A backend's work: one client from its start-up packet to the end of its session.
#pragma once

#include <string_view>

#include "node/os/socket.h"
#include "node/shm/admission.h"

namespace walden {

// Returns when the client has gone or was refused. Throws nothing.
void ServeClient(Descriptor client, Admission verdict);

}  // namespace walden
