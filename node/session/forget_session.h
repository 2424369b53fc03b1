// A process that serves one client after the other starts each session as fresh as a new process would.
#pragma once

namespace walden {

// Before the first client comes: remembers what the process was like.
void BeginSessions();

// After a session has ended (no Session lives): everything that it did to this process is undone. What stays are caches that
// invalidations keep true: catalog rows and relations of its database, types, time zones, regular expressions, opened files.
// False: the session left something that goes only with the process (temporary objects, a backup, memory).
bool ForgetSession();

}  // namespace walden
