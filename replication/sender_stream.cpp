#include "replication/sender_stream.h"

#include <algorithm>

#include "node/base/error.h"

namespace walden::replication {

SenderStream::SenderStream(const Start& start)
    : timeline_(start.timeline),
      sent_(start.lsn),
      timeline_end_(start.timeline_end),
      next_timeline_(start.next_timeline),
      timeout_us_(start.timeout_us),
      heard_us_(start.now_us) {}

void SenderStream::EndTimeline(Lsn at, TimelineId next) {
  timeline_end_ = at;
  next_timeline_ = next;
}

int64_t SenderStream::Deadline() const {
  if (ended_) return INT64_MAX;
  int64_t deadline = gathers_until_us_ != 0 ? gathers_until_us_ : INT64_MAX;
  if (timeout_us_ > 0 && !pinged_) deadline = std::min(deadline, heard_us_ + timeout_us_ / 2);
  return std::min(deadline, GivesUpAt());
}

// A whole message does not wait, nor does the end of a timeline.
bool SenderStream::Gathers(const NodeView& node, int64_t now_us) {
  bool little = sent_ + kMessageBytes > Limit(node) && timeline_end_ == kMaxLsn;
  if (gathering_ && little && now_us < gathers_until_us_) return true;
  gathers_until_us_ = 0;
  return false;
}

SenderStream::Step SenderStream::Next(const NodeView& node, int64_t now_us) {
  if (ended_) return {};
  if (now_us >= GivesUpAt()) return {Act::kTimedOut};
  Step step;
  bool gathers = Gathers(node, now_us);
  if (!started_sent_) {
    started_sent_ = true;
    step.act = Act::kStarted;
  } else if (Lsn limit = Limit(node); sent_ < limit && !gathers) {
    step = {Act::kWal, sent_, std::min<uint64_t>(limit - sent_, kMostMessageBytes)};
    sent_ = sent_ + step.size;
    lag_.Sent(sent_, now_us);
    if (gathering_) gathers_until_us_ = now_us + kGatherUs;
  } else if (timeline_end_ != kMaxLsn) {
    ended_ = true;
    step.act = Act::kEndOfTimeline;
  } else if (bool ping = timeout_us_ > 0 && !pinged_ && now_us >= heard_us_ + timeout_us_ / 2;
             ping || reply_wanted_ || (announced_ < node.settled && (!gathers || node.settled <= sent_))) {
    pinged_ = pinged_ || ping;
    step.act = Act::kKeepAlive;
    step.reply_wanted = ping;
  } else {
    return {};
  }
  // Every message carries it.
  announced_ = std::max(announced_, node.settled);
  reply_wanted_ = false;
  return step;
}

void SenderStream::OnStatus(const v1::StandbyStatus& status, const NodeView& node, int64_t now_us) {
  heard_us_ = now_us;
  pinged_ = false;
  Lsn write{status.write_lsn()}, flush{status.flush_lsn()}, apply{status.apply_lsn()};
  // What it had before this stream began may lie above what was sent; never above what there is.
  if (std::max({write, flush, apply}) > std::max(node.flushed, sent_)) {
    throw SqlError(ErrorCode::kProtocolViolation, "the standby is at {}, ahead of this node's WAL at {}",
                   std::max({write, flush, apply}).ToString(), node.flushed.ToString())
        .WithHint("It followed another node. Make a new base backup with \"walden basebackup\".");
  }
  written_ = std::max(written_, write);
  flushed_ = std::max(flushed_, flush);
  applied_ = std::max(applied_, apply);
  reply_wanted_ = reply_wanted_ || status.reply_wanted();
  lag_.Reached(written_, flushed_, applied_, now_us);
}

}  // namespace walden::replication
