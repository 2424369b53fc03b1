// One slot per process: its transaction and its oldest snapshot. Parallel to the process
// table (shm/process.h), indexed by the same slot number.
#pragma once

#include <atomic>
#include <cstdint>

#include "node/base/ids.h"

namespace walden {

// Written by its owner only; read by anybody. Two cache lines, so that owners never share one.
struct alignas(128) TransactionSlot {
  std::atomic<uint64_t> snapshot_csn;   // oldest live snapshot, UINT64_MAX when none: bounds every horizon
  std::atomic<uint64_t> snapshot_xmin;  // the same snapshot's xmin (backend_xmin); 0 when none
  std::atomic<uint64_t> xid;            // top-level xid, 0 when none (backend_xid)
  std::atomic<uint64_t> virtual_local;  // number of the current transaction in this slot, 0 when idle
  std::atomic<uint32_t> database;       // whose tables the snapshot can read; 0 = any
  uint64_t last_virtual_local;          // owner only
};
static_assert(sizeof(TransactionSlot) == 128);

TransactionSlot& TransactionSlotOf(int slot);
int TransactionSlotCount();

}  // namespace walden
