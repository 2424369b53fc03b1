// A backend's work: one client from its start-up packet to the end of its session.
#pragma once

#include <string_view>

#include "node/os/socket.h"
#include "node/shm/admission.h"

namespace walden {

// Returns when the client has gone or was refused. True: its session came to an orderly end, so the process may forget it and serve
// another client. Throws nothing.
bool ServeClient(Descriptor client, Admission verdict);

}  // namespace walden
