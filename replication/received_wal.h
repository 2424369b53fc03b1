// Received WAL onto disk: segment files as the primary's, made durable before anybody is told.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "node/base/ids.h"
#include "node/os/file.h"
#include "replication/sync_thread.h"

namespace walden::replication {

class ReceivedWal {
 public:
  explicit ReceivedWal(uint64_t system_id) : system_id_(system_id) {}
  // Writes bytes that begin at `at`. A full segment is made durable while the next ones are written, then offered to the
  // archiver. `coming`: where the sender's WAL ends by now.
  void Write(TimelineId timeline, Lsn at, std::string_view bytes, Lsn coming);
  // Everything written is durable on return; a failed sync is a PANIC.
  void Sync();
  // Everything written will be durable soon, unless something is on its way already; sets this process's latch then.
  void BeginSync();
  // What was handed over by BeginSync or has filled a segment is durable up to here; invalid before the first.
  Lsn Synced();

 private:
  struct Segment {
    Lsn end;
    std::string name;
  };
  void Open(TimelineId timeline, uint64_t segment, Lsn coming);
  void Complete();
  void HandOver();

  uint64_t system_id_;
  std::shared_ptr<File> file_;
  TimelineId timeline_ = 0;
  uint64_t segment_ = 0;
  Lsn written_;
  bool dirty_ = false;           // written and not handed over since the last sync
  std::deque<Segment> to_tell_;  // full segments for the archiver, once they are durable
  std::optional<SyncThread> syncing_;
};

}  // namespace walden::replication
