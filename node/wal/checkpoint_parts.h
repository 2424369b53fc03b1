// What other modules add to a checkpoint. A part is a row {name, functions}, registered once at start in
// every process (server's composition root), before recovery. Owner: wal (type only); recovery drives.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "node/base/ids.h"

namespace walden {

// Body of a checkpoint record. Format: fixed little-endian struct, version 1.
struct CheckpointData {
  uint64_t redo;          // replay starts here
  uint64_t wall_time_us;  // TimestampUs
  uint32_t timeline;
  uint32_t previous_timeline;  // differs only in the first checkpoint of a timeline
  uint64_t next_xid;
  uint64_t oldest_running_xid;  // at an online checkpoint; 0 at shutdown
  uint64_t oldest_xid;          // CLOG reaches back to here
  uint64_t next_multixact;
  uint64_t next_multixact_member;
  uint64_t oldest_multixact;
  uint32_t next_oid;
  uint32_t full_page_writes;
  uint64_t settled_lsn;
  uint64_t reserved[6];  // 0
};
static_assert(sizeof(CheckpointData) == 136);

struct CheckpointPart {
  const char* name;
  // Writes the counters into the record. Called after the redo point is fixed (counters may run ahead: replay
  // only raises them). At shutdown nothing moves any more: exact counters instead of the ends of reserved
  // batches.
  void (*save)(CheckpointData* data, bool shutdown) = nullptr;
  // Start of recovery: sets the counters from the checkpoint that recovery starts from.
  void (*restore)(const CheckpointData& data) = nullptr;
  // Replay of a checkpoint record met on the way: raise counters; never lower them.
  void (*replay)(const CheckpointData& data, bool shutdown) = nullptr;
  // Makes everything before the redo point durable (write and register or do fsync).
  void (*flush)(bool shutdown) = nullptr;
  // After the control file says that the checkpoint is complete: drop what lies before.
  void (*after)(const CheckpointData& data) = nullptr;
  // Lowest LSN whose WAL this module needs kept (kMaxLsn: none); replication slots, two-phase state.
  Lsn (*oldest_needed)() = nullptr;
};
void RegisterCheckpointPart(const CheckpointPart& part);
std::span<const CheckpointPart> CheckpointParts();

}  // namespace walden
