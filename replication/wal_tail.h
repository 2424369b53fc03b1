// Reads WAL for a stream: from the WAL buffers while it is still there, else from segment files.
#pragma once

#include <string>

#include "node/os/file.h"
#include "node/recovery/timeline.h"

namespace walden::replication {

class WalTail {
 public:
  explicit WalTail(uint64_t system_id) : system_id_(system_id) {}
  // The bytes [at, at + size) of `timeline`, all of which are flushed. `history` is the node's own: a segment in which the
  // timeline ended may be there under a descendant's name only. Throws 58P01 when the segment has been removed.
  std::string Read(TimelineId timeline, const TimelineHistory& history, Lsn at, size_t size);

 private:
  void ReadFiles(TimelineId timeline, const TimelineHistory& history, Lsn at, char* to, size_t size);
  bool Open(TimelineId timeline, const TimelineHistory& history, uint64_t segment);
  bool TryOpen(TimelineId timeline, uint64_t segment);
  bool IsStill() const;

  uint64_t system_id_;
  File file_;
  TimelineId asked_timeline_ = 0, file_timeline_ = 0;
  uint64_t file_segment_ = 0;
};

}  // namespace walden::replication
