// SIGBUS and SIGSEGV are reported before the process dies: a page of the shared region that could not be had
// (a full /dev/shm) says so.
#pragma once

namespace walden {

void InstallFatalSignalHandlers();
// Makes the region read-only for this process (exempt kinds, I2).
void ProtectRegion();

}  // namespace walden
