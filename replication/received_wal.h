// Received WAL onto disk: segment files as the primary's, made durable before anybody is told.
#pragma once

#include <string_view>

#include "node/base/ids.h"
#include "node/os/file.h"

namespace walden::replication {

class ReceivedWal {
 public:
  explicit ReceivedWal(uint64_t system_id) : system_id_(system_id) {}
  // Writes bytes that begin at `at`. A segment that is full is made durable and offered to the archiver. `coming`: where the
  // sender's WAL ends by now.
  void Write(TimelineId timeline, Lsn at, std::string_view bytes, Lsn coming);
  // Everything written is durable on return; a failed sync is a PANIC.
  void Sync();

 private:
  void Open(TimelineId timeline, uint64_t segment, Lsn coming);
  void Complete();

  uint64_t system_id_;
  File file_;
  TimelineId timeline_ = 0;
  uint64_t segment_ = 0;
  bool dirty_ = false;
};

}  // namespace walden::replication
