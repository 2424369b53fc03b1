#include "replication/receiver_stream.h"

#include <algorithm>

#include "node/base/error.h"

namespace walden::replication {
namespace {

// How late a report may be that nobody waits for.
constexpr int64_t kLazyUs = 50000;

}  // namespace

ReceiverStream::ReceiverStream(const Start& start)
    : system_id_(start.system_id),
      timeline_(start.timeline),
      received_(start.lsn),
      written_(start.lsn),
      flushed_(start.lsn),
      status_interval_us_(start.status_interval_us),
      timeout_us_(start.timeout_us),
      heard_us_(start.now_us),
      reported_us_(start.now_us) {}

ReceiverStream::Event ReceiverStream::OnMessage(const std::string& bytes, int64_t now_us) {
  v1::PrimaryMessage& message = message_;
  std::string_view payload = DecodeStream(bytes, &message);
  heard_us_ = now_us;
  pinged_ = false;
  if (message.has_failure()) throw FailureToError(message.failure());
  Speaker speaker = GetSpeaker(message.at());
  if (speaker.system_id != system_id_) {
    throw SqlError(ErrorCode::kProtocolViolation, "the stream comes from system {}, not from {}",
                   speaker.system_id, system_id_);
  }
  Event event;
  event.settled = Lsn{message.settled_lsn()};
  event.primary_end = speaker.lsn;
  event.sent_us = message.sent_us();
  event.term = speaker.term;
  event.lazy_reports = lazy_ = message.lazy_reports();
  switch (message.body_case()) {
    case v1::PrimaryMessage::kStarted:
      started_ = true;
      event.kind = Kind::kStarted;
      break;
    case v1::PrimaryMessage::kKeepAlive:
      event.kind = Kind::kKeepAlive;
      reply_wanted_ = reply_wanted_ || message.keep_alive().reply_wanted();
      break;
    case v1::PrimaryMessage::kEndOfTimeline:
      event.kind = Kind::kEndOfTimeline;
      event.next_timeline = message.end_of_timeline().next_timeline();
      if (Lsn{message.end_of_timeline().switch_lsn()} < received_) {
        throw SqlError(ErrorCode::kProtocolViolation,
                       "timeline {} ended at {}, before the received position {}", timeline_,
                       Lsn{message.end_of_timeline().switch_lsn()}.ToString(), received_.ToString());
      }
      break;
    case v1::PrimaryMessage::kWal:
      event.kind = Kind::kWal;
      event.start = Lsn{message.wal().start_lsn()};
      event.bytes = payload;
      if (!started_ || event.start != received_ || event.bytes.empty()) {
        throw SqlError(ErrorCode::kProtocolViolation, "WAL at {} arrived where {} was expected",
                       event.start.ToString(), received_.ToString());
      }
      received_ = received_ + event.bytes.size();
      break;
    default: throw SqlError(ErrorCode::kProtocolViolation, "invalid replication message");
  }
  return event;
}

bool ReceiverStream::Moved() const {
  return written_ > reported_write_ || flushed_ > reported_flush_ || applied_ > reported_apply_;
}

ReceiverStream::Due ReceiverStream::Check(int64_t now_us) const {
  if (timeout_us_ > 0 && now_us >= heard_us_ + timeout_us_) return Due::kTimedOut;
  bool moved = Moved() && (!lazy_ || now_us >= reported_us_ + kLazyUs);
  bool periodic = status_interval_us_ > 0 && now_us >= reported_us_ + status_interval_us_;
  bool ping = !pinged_ && Pinging(now_us);
  return moved || periodic || ping || reply_wanted_ ? Due::kReport : Due::kNothing;
}

int64_t ReceiverStream::Deadline() const {
  int64_t deadline = INT64_MAX;
  if (status_interval_us_ > 0) deadline = reported_us_ + status_interval_us_;
  if (lazy_ && Moved()) deadline = std::min(deadline, reported_us_ + kLazyUs);
  if (timeout_us_ > 0) deadline = std::min(deadline, heard_us_ + (pinged_ ? timeout_us_ : timeout_us_ / 2));
  return deadline;
}

v1::StandbyStatus ReceiverStream::Report(int64_t now_us) {
  v1::StandbyStatus status;
  bool periodic = status_interval_us_ > 0 && now_us >= reported_us_ + status_interval_us_;
  bool ping = !pinged_ && Pinging(now_us);
  pinged_ = pinged_ || ping;
  // An idle pair speaks once an interval, so that the standby knows how fresh it is.
  status.set_reply_wanted(ping || periodic);
  status.set_write_lsn(written_.value);
  status.set_flush_lsn(flushed_.value);
  status.set_apply_lsn(applied_.value);
  reported_write_ = written_;
  reported_flush_ = flushed_;
  reported_apply_ = applied_;
  reported_us_ = now_us;
  reply_wanted_ = false;
  return status;
}

}  // namespace walden::replication
