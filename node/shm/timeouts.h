// Raises an interrupt in this process after a delay, by one SIGALRM timer per process. Arming and disarming
// cost no system call as long as an earlier alarm is pending. Main thread only.
#pragma once

#include <cstdint>

#include "node/shm/interrupts.h"

namespace walden {

void EnableTimeout(Interrupt interrupt, int64_t delay_ms);
// Also clears an interrupt that was raised but not handled yet.
void DisableTimeout(Interrupt interrupt);
bool TimeoutEnabled(Interrupt interrupt);
void DisableAllTimeouts();
// The SIGALRM handler (InstallProcessSignalHandlers installs it).
void HandleTimeoutSignal(int signal_number);

}  // namespace walden
