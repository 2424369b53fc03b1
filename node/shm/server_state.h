// What the whole node may know about its own state: written at shared memory creation, and by single atomic
// stores after that.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "node/shm/lwlock.h"

namespace walden {

enum class NodePhase : uint32_t { kStarting, kRecovering, kHotStandby, kRunning, kStopping };

// Area::kServerState.
struct ServerState {
  std::atomic<int64_t> start_time_us;   // of the postmaster; pg_postmaster_start_time
  std::atomic<int64_t> reload_time_us;  // pg_conf_load_time
  std::atomic<NodePhase> phase;
  std::atomic<uint32_t> restarts;  // crashes survived since the postmaster started
  std::atomic<int32_t> postmaster_pid;
  std::atomic<uint64_t> lwlock_waits[static_cast<size_t>(LwRank::kCount)];  // sleeps; see lwlock.cpp
  LwLock auto_file;  // who holds it may rewrite postgresql.auto.conf
};

size_t ServerStateBytes();
void InitServerState(void* at);
// nullptr without a region.
ServerState* TheServerState();

}  // namespace walden
