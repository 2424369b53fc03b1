// A standby's end of the stream, without I/O: checks what arrives, says what to do with it, and when to report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "node/base/ids.h"
#include "replication/messages.h"

namespace walden::replication {

class ReceiverStream {
 public:
  struct Start {
    uint64_t system_id = 0;
    TimelineId timeline = 0;
    Lsn lsn;
    int64_t status_interval_us = 0;  // wal_receiver_status_interval; 0: no periodic reports
    int64_t timeout_us = 0;          // wal_receiver_timeout; 0: never
    int64_t now_us = 0;
  };
  explicit ReceiverStream(const Start& start);

  enum class Kind : uint8_t { kStarted, kWal, kKeepAlive, kEndOfTimeline };
  struct Event {
    Kind kind = Kind::kKeepAlive;
    Lsn start;                     // kWal: where `bytes` belong
    std::string_view bytes;        // kWal: a part of the message; gone with it, or with the next one
    TimelineId next_timeline = 0;  // kEndOfTimeline
    Lsn settled;                   // of every message
    Lsn primary_end;
    int64_t sent_us = 0;
    uint64_t term = 0;
    bool lazy_reports = false;
  };
  // Throws the primary's failure, or 08P01 for what does not fit.
  Event OnMessage(const std::string& bytes, int64_t now_us);

  void Written(Lsn upto) { written_ = upto; }
  void Flushed(Lsn upto) { flushed_ = upto; }
  void Applied(Lsn upto) { applied_ = std::max(applied_, upto); }
  Lsn received() const { return received_; }
  Lsn written() const { return written_; }
  Lsn flushed() const { return flushed_; }
  TimelineId timeline() const { return timeline_; }
  void set_intervals(int64_t status_us, int64_t timeout_us) {
    status_interval_us_ = status_us;
    timeout_us_ = timeout_us;
  }

  // Whether a report is due: something moved (with lazy_reports: some time ago), the primary asked, or time has passed.
  // kTimedOut: the primary is silent.
  enum class Due : uint8_t { kNothing, kReport, kTimedOut };
  Due Check(int64_t now_us) const;
  int64_t Deadline() const;
  // The report, for sending now.
  v1::StandbyStatus Report(int64_t now_us);

 private:
  bool Moved() const;
  bool Pinging(int64_t now_us) const { return timeout_us_ > 0 && now_us >= heard_us_ + timeout_us_ / 2; }

  v1::PrimaryMessage message_;  // the last one
  uint64_t system_id_;
  TimelineId timeline_;
  Lsn received_, written_, flushed_, applied_;
  Lsn reported_write_, reported_flush_, reported_apply_;
  int64_t status_interval_us_, timeout_us_;
  int64_t heard_us_, reported_us_;
  bool started_ = false, reply_wanted_ = true, pinged_ = false, lazy_ = false;
};

}  // namespace walden::replication
