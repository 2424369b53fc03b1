// Where point-in-time recovery stops (recovery_target_*). Used by the startup process.
#pragma once

#include <optional>
#include <string>

#include "node/base/clock.h"
#include "node/base/ids.h"
#include "node/wal/reader.h"

namespace walden {

enum class TargetKind : uint8_t { kNone, kImmediate, kTime, kXid, kLsn, kName };

struct RecoveryTarget {
  TargetKind kind = TargetKind::kNone;
  bool inclusive = true;
  TimestampUs time = 0;
  Xid xid;
  Lsn lsn;
  std::string name;
  // "before transaction 7, time ..." once reached.
  std::string reached;

  // From the settings; throws 22023 for malformed values or more than one target. `parse_time` turns
  // recovery_target_time's text into a timestamp.
  static RecoveryTarget FromSettings();
  // Whether replay stops before, or after, this record.
  bool StopsBefore(const DecodedRecord& record);
  bool StopsAfter(const DecodedRecord& record);
};

// Text such as "2026-11-22 17:30:00+00" to a timestamp; `server` binds the SQL types' parser before recovery.
using TimestampParser = TimestampUs (*)(const std::string& text);
void BindTimestampParser(TimestampParser parser);
// The time and outcome of a commit or abort record; false for others.
bool TransactionEndTime(const DecodedRecord& record, TimestampUs* time);

}  // namespace walden
