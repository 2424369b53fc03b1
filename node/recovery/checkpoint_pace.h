// Spreading a checkpoint's writes over checkpoint_completion_target of the interval. Internal to recovery/.
#pragma once

#include <cstdint>

namespace walden {

void BeginPacing(uint32_t flags);
// After each write: naps (a tenth of a second) if ahead of schedule (by time and by WAL), and absorbs fsync
// requests.
void PaceCheckpoint(double fraction_done);
// Checkpoint requests that arrived (checkpointer only); cleared by the main loop.
bool ImmediateCheckpointRequested();

}  // namespace walden
