// One replica's stream as its primary sees it, without I/O: what to send next, and what to believe of what comes
// back. README has the states.
#pragma once

#include <cstdint>
#include <optional>

#include "node/base/ids.h"
#include "replication/lag_tracker.h"
#include "replication/messages.h"

namespace walden::replication {

// The node that sends, at this moment.
struct NodeView {
  uint64_t system_id = 0;
  uint64_t term = 0;
  TimelineId timeline = 0;
  Lsn flushed;  // WAL up to here may leave
  Lsn settled;  // commits up to here may be seen
};

class SenderStream {
 public:
  // What is worth a message of its own, and the most that one carries: far behind, every message costs both ends a few wake-ups.
  static constexpr size_t kMessageBytes = 256 * 1024;
  static constexpr size_t kMostMessageBytes = 1024 * 1024;
  // How soon after a message the next one leaves that nobody waits for.
  static constexpr int64_t kGatherUs = 9000;

  struct Start {
    Lsn lsn;
    TimelineId timeline = 0;
    // When the timeline has ended: where, and what continues it.
    Lsn timeline_end = kMaxLsn;
    TimelineId next_timeline = 0;
    int64_t timeout_us = 0;  // wal_sender_timeout; 0: never
    int64_t now_us = 0;
  };
  explicit SenderStream(const Start& start);

  enum class Act : uint8_t { kNothing, kStarted, kWal, kKeepAlive, kEndOfTimeline, kTimedOut };
  struct Step {
    Act act = Act::kNothing;
    Lsn from;  // kWal
    size_t size = 0;
    bool reply_wanted = false;  // kKeepAlive
  };
  // What to send now. The caller sends it, then calls Next again when the stream can take more.
  Step Next(const NodeView& node, int64_t now_us);
  // When Next is to be asked again though nothing happened; INT64_MAX: never.
  int64_t Deadline() const;
  // When a standby that has said nothing is given up, also while it takes nothing and Next is not asked; INT64_MAX: never.
  int64_t GivesUpAt() const { return timeout_us_ > 0 && !ended_ ? heard_us_ + timeout_us_ : INT64_MAX; }

  // The standby's report. Throws 08P01 when it claims what was never there to be had.
  void OnStatus(const v1::StandbyStatus& status, const NodeView& node, int64_t now_us);
  // The timeline that is being sent has ended (this node was promoted).
  void EndTimeline(Lsn at, TimelineId next);
  void set_timeout(int64_t timeout_us) { timeout_us_ = timeout_us; }
  // No commit waits for this standby: what comes soon after a message is gathered for one more, while it is little.
  // A message after a pause leaves at once.
  void set_gathering(bool gathering) { gathering_ = gathering; }
  // Until then Next looks at nothing new; what has come meanwhile leaves when it is asked again then.
  int64_t gathers_until_us() const { return gathers_until_us_; }

  TimelineId timeline() const { return timeline_; }
  Lsn sent() const { return sent_; }
  Lsn written() const { return written_; }
  Lsn flushed() const { return flushed_; }
  Lsn applied() const { return applied_; }
  int64_t lag_us(LagTracker::Stage stage) const { return lag_.lag_us(stage); }
  bool CaughtUp(const NodeView& node) const { return sent_ >= Limit(node); }
  bool ended() const { return ended_; }

 private:
  bool Gathers(const NodeView& node, int64_t now_us);
  Lsn Limit(const NodeView& node) const { return std::min(timeline_end_, node.flushed); }

  TimelineId timeline_;
  Lsn sent_, written_, flushed_, applied_;
  Lsn timeline_end_;
  TimelineId next_timeline_;
  Lsn announced_;  // settled position that was sent last
  int64_t timeout_us_;
  int64_t heard_us_;  // of the standby
  bool started_sent_ = false, ended_ = false;
  bool reply_wanted_ = false;  // by the standby
  bool pinged_ = false;
  bool gathering_ = false;
  int64_t gathers_until_us_ = 0;
  LagTracker lag_;
};

}  // namespace walden::replication
