// The walsender process: owns the gRPC listener on replication_port and serves every replica and base backup. README has the
// state machines.
#pragma once

#include "replication/login_policy.h"

namespace walden::replication {

// Main loop. Returns when the process is told to end (after the shutdown checkpoint has reached the replicas).
void RunWalSender(const LoginPolicy& policy);

}  // namespace walden::replication
