// Proving who the client is, as pg_hba.conf demands.
#pragma once

#include "node/pgwire/connection.h"
#include "node/session/session.h"

namespace walden {

// Returns when the client may go on (AuthenticationOk has been sent). Throws FATAL errors (28000, 28P01).
void Authenticate(Connection& connection, const SessionStart& start);

}  // namespace walden
