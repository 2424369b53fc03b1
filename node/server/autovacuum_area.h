// Area::kAutovacuum. Private to autovacuum.
#pragma once

#include <atomic>
#include <cstdint>

#include "node/base/clock.h"
#include "node/base/ids.h"
#include "node/shm/lwlock.h"
#include "node/shm/region.h"

namespace walden {

enum class AutovacuumState : uint8_t { kFree, kAsked, kRunning };

// One worker. Guarded by: the area's lock, but for the atomics, which the worker writes and anybody reads.
struct AutovacuumPlace {
  std::atomic<AutovacuumState> state;
  Oid database;
  int64_t asked_us;           // MonotonicUs
  std::atomic<Oid> relation;  // being worked on
  std::atomic<bool> relation_is_shared;
  std::atomic<bool> balanced;  // takes its share of the common budget
  std::atomic<double> delay_ms;
  std::atomic<int64_t> limit;
};

// How old the oldest transaction is that some row of a database may still name, as found by a settling round. Guarded by: lock.
struct SettledDatabase {
  Oid database;
  uint64_t oldest_xid, oldest_multi;
};
inline constexpr int kMaxSettledDatabases = 256;

struct AutovacuumArea {
  LwLock lock;
  std::atomic<int32_t> launcher_slot;  // -1: none
  int32_t count;
  int32_t settled_count;
  SettledDatabase settled[kMaxSettledDatabases];
  AutovacuumPlace* places() { return reinterpret_cast<AutovacuumPlace*>(this + 1); }
};
inline AutovacuumArea& TheAutovacuum() { return *ShmArea<AutovacuumArea>(Area::kAutovacuum); }

}  // namespace walden
