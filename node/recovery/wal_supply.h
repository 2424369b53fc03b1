// Where the startup process gets WAL from: segment files in pg_wal, the archive, and on a standby the WAL
// receiver, which writes into pg_wal too. Follows one timeline history.
#pragma once

#include <functional>
#include <string>

#include "node/os/file.h"
#include "node/recovery/timeline.h"
#include "node/wal/reader.h"

namespace walden {

class WalSupply : public WalSource {
 public:
  struct Options {
    bool archive = false;  // ask restore_command first
    bool standby = false;  // wait for more at the end
    uint64_t system_id = 0;
  };
  WalSupply(TimelineHistory history, const Options& options)
      : history_(std::move(history)), options_(options) {}

  // Bytes that are there now; never waits.
  size_t Read(Lsn at, char* to, size_t size) override;
  TimelineId TimelineAt(Lsn at) override { return TimelineOf(history_, at); }

  // Standby: waits until there may be WAL at `at`; false when promotion was asked for (or for a non-standby:
  // at once).
  bool WaitForMore(Lsn at);
  // The segment file is opened anew (its content may have been replaced).
  void Forget() { segment_ = kNoSegment; }
  const TimelineHistory& history() const { return history_; }
  // Ends streaming and waits until the receiver is gone (before the log is opened for writing).
  void StopStreaming();
  bool streaming() const { return streaming_; }
  // The primary has said that there is WAL far behind `at`: replay that waits for it will go on at once, and for long.
  bool MuchIsComing(Lsn at) const;
  // Called before restore_command runs, which may take long.
  void set_before_restore(std::function<void()> action) { before_restore_ = std::move(action); }
  // Asks for a receiver that feeds us from `at` on; nothing without primary_conninfo.
  void StartStreaming(Lsn at);

 private:
  static constexpr uint64_t kNoSegment = UINT64_MAX;
  bool OpenSegment(uint64_t segment, Lsn at);
  bool TryOpen(TimelineId timeline, uint64_t segment, bool from_archive);
  // More than what Read has looked at: an incomplete record does not keep replay busy.
  bool StreamHasMore(Lsn at) const;
  bool LookForNewTimeline(Lsn at);
  bool ConnectionChanged() const;

  TimelineHistory history_;
  Options options_;
  std::function<void()> before_restore_;
  File file_;
  uint64_t segment_ = kNoSegment;
  bool streaming_ = false;
  Lsn stream_start_;
  Lsn known_received_, read_limit_;
  Lsn stream_end_ = kMaxLsn;          // promotion: what lies behind never arrived
  std::string conninfo_, slot_name_;  // that the stream was asked for with
};

}  // namespace walden
