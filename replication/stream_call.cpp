// One replica's WAL stream: SenderStream decides, this class reads WAL, keeps the shared tables and talks.
#include <optional>

#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/recovery/replication_slots.h"
#include "node/txn/sender_slots.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"
#include "replication/sender_calls.h"
#include "replication/wal_tail.h"

namespace walden::replication {
namespace {

int64_t SenderTimeoutUs() { return GetInt(Setting::kWalSenderTimeout) * 1000; }

// A row of pg_stat_replication.
class SenderRow {
 public:
  SenderRow(const std::string& application, const Login& login, const PeerAddress& peer)
      : index_(ClaimSenderSlot(application, login.user, login.role, peer.host, peer.port)) {}
  ~SenderRow() { ReleaseSenderSlot(index_); }
  SenderRow(const SenderRow&) = delete;
  SenderRow& operator=(const SenderRow&) = delete;
  int index() const { return index_; }
  SenderSlot& operator*() const { return Sender(index_); }
  SenderSlot* operator->() const { return &Sender(index_); }

 private:
  int index_;
};

class SlotUse {
 public:
  explicit SlotUse(const std::string& name) : handle_(AcquireReplicationSlot(name)) {}
  ~SlotUse() { ReleaseReplicationSlot(handle_); }
  SlotUse(const SlotUse&) = delete;
  SlotUse& operator=(const SlotUse&) = delete;
  int handle() const { return handle_; }

 private:
  int handle_;
};

class StreamCall final : public ActiveCall {
 public:
  StreamCall(SenderContext& context, ServerCall& call)
      : ActiveCall(context, call),
        wal_(context.View().system_id),
        deadline_us_(MonotonicUs() + GetInt(Setting::kAuthenticationTimeout) * 1000000) {}
  ~StreamCall() override {
    if (stream_) {
      Log(Severity::kDebug1, "standby \"{}\" has left at {}", application_, stream_->flushed().ToString());
    }
  }

  // While a message is on its way nothing is due but the end of our patience: what is, waits for it.
  int64_t Deadline() const override {
    if (finishing() || cut_) return INT64_MAX;
    if (!stream_) return deadline_us_;
    return Ready() ? stream_->Deadline() : stream_->GivesUpAt();
  }
  int64_t GathersUntil() const override {
    return stream_ && Ready() ? stream_->gathers_until_us() : INT64_MAX;
  }
  bool MayBeCut() const override {
    if (!stream_ || finishing()) return true;
    NodeView node = context_.View();
    return stream_->CaughtUp(node) && stream_->flushed() >= node.flushed;
  }

 private:
  void Handle(const std::string& bytes) override {
    v1::StandbyMessage message;
    Decode(bytes, &message);
    if (!stream_) {
      if (!message.has_start())
        throw SqlError(ErrorCode::kProtocolViolation, "a stream begins with its start");
      return Begin(message.at(), message.start());
    }
    if (!context_.Meet(message.at(), call_)) return;  // an older term: does not count
    if (message.has_status()) TakeStatus(message.status());
  }

  void Begin(const v1::Position& at, const v1::StartStream& request) {
    Login login = context_.Authorize(request.token(), call_);
    application_ = request.application_name().empty() ? "walreceiver" : request.application_name();
    if (!context_.Meet(at, call_)) {
      throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "the standby is in an older term")
          .WithHint("It learns the term of this node with its next question.");
    }
    NodeView node = context_.View();
    SenderStream::Start start;
    start.lsn = Lsn{request.start_lsn()};
    start.timeline = request.timeline();
    start.timeout_us = SenderTimeoutUs();
    start.now_us = MonotonicUs();
    CheckTimeline(node, &start);
    if (!request.slot_name().empty()) slot_.emplace(request.slot_name());
    row_.emplace(application_, login, call_.peer());
    (*row_)->state.store(SenderState::kCatchup);
    (*row_)->sent_lsn.store(start.lsn.value);
    stream_.emplace(start);
    Log(Severity::kDebug1, "standby \"{}\" streams from {} on timeline {}", application_,
        start.lsn.ToString(), start.timeline);
  }

  // The asked timeline must be ours, or an ancestor that reaches the asked position.
  void CheckTimeline(const NodeView& node, SenderStream::Start* start) {
    if (start->timeline == node.timeline) {
      if (start->lsn > node.flushed && SegmentStart(SegmentOf(start->lsn)) > node.flushed) {
        throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                       "requested starting point {} is ahead of the WAL flush position of this server {}",
                       start->lsn.ToString(), node.flushed.ToString());
      }
      return;
    }
    const TimelineHistory& history = context_.History(node.timeline);
    Lsn end = SwitchPoint(history, start->timeline);
    if (!end.IsValid()) {
      throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                     "requested timeline {} is not in this server's history", start->timeline);
    }
    if (end < start->lsn) {
      throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                     "requested starting point {} on timeline {} is not in this server's history",
                     start->lsn.ToString(), start->timeline)
          .WithDetail(fmt::format("This server's history forked from timeline {} at {}.", start->timeline,
                                  end.ToString()));
    }
    start->timeline_end = end;
    start->next_timeline = NextAfter(history, start->timeline);
  }

  static TimelineId NextAfter(const TimelineHistory& history, TimelineId timeline) {
    for (size_t i = 0; i + 1 < history.size(); ++i) {
      if (history[i].timeline == timeline) return history[i + 1].timeline;
    }
    return timeline;
  }

  void TakeStatus(const v1::StandbyStatus& status) {
    stream_->OnStatus(status, context_.View(), MonotonicUs());
    SenderSlot& row = **row_;
    row.write_lag_us.store(stream_->lag_us(LagTracker::kWrite), std::memory_order_relaxed);
    row.flush_lag_us.store(stream_->lag_us(LagTracker::kFlush), std::memory_order_relaxed);
    row.apply_lag_us.store(stream_->lag_us(LagTracker::kApply), std::memory_order_relaxed);
    uint64_t oldest = status.has_oldest_snapshot() ? status.oldest_snapshot() : kMaxLsn.value;
    if (slot_) {
      SetReplicationSlotFeedback(slot_->handle(), Lsn{oldest}, Xid{status.oldest_xmin()});
      AdvanceReplicationSlot(slot_->handle(), stream_->flushed());
    }
    row.feedback_lsn.store(oldest, std::memory_order_seq_cst);
    row.feedback_xmin.store(status.oldest_xmin(), std::memory_order_relaxed);
    ReportStandbyPositions(row_->index(), stream_->written(), stream_->flushed(), stream_->applied());
  }

  void Produce(int64_t now_us) override {
    if (!stream_) {
      if (now_us >= deadline_us_) Cut();
      return;
    }
    if (slot_ && ReplicationSlotLost(slot_->handle())) {
      throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                     "terminating the stream because its replication slot has lost its WAL");
    }
    stream_->set_timeout(SenderTimeoutUs());
    stream_->set_gathering(Unhurried());
    NodeView node = context_.View();
    // Promoted under the stream.
    if (node.timeline > stream_->timeline() && !stream_->ended()) {
      const TimelineHistory& history = context_.History(node.timeline);
      stream_->EndTimeline(SwitchPoint(history, stream_->timeline()),
                           NextAfter(history, stream_->timeline()));
    }
    Take(stream_->Next(node, now_us), node, now_us);
  }

  void Stalled(int64_t now_us) override {
    if (!stream_) return;
    stream_->set_timeout(SenderTimeoutUs());
    if (now_us >= stream_->GivesUpAt()) GiveUp();
  }

  void GiveUp() {
    if (!cut_) Log(Severity::kLog, "terminating walsender process due to replication timeout");
    Cut();
  }
  void Cut() {
    cut_ = true;
    call_.Abort();
  }

  // No commit waits for this standby.
  bool Unhurried() const {
    return (*row_)->sync_priority.load(std::memory_order_relaxed) == 0 && !context_.stopping;
  }

  void Take(const SenderStream::Step& step, const NodeView& node, int64_t) {
    v1::PrimaryMessage message;
    PutSpeaker({node.system_id, node.term, node.timeline, node.flushed}, message.mutable_at());
    message.set_settled_lsn(node.settled.value);
    message.set_sent_us(WallClockUs());
    message.set_lazy_reports(Unhurried());
    switch (step.act) {
      case SenderStream::Act::kNothing: return ShowState(node);
      case SenderStream::Act::kTimedOut: return GiveUp();
      case SenderStream::Act::kWal:
        Send(
            EncodeWal(message, step.from,
                      wal_.Read(stream_->timeline(), context_.History(node.timeline), step.from, step.size)));
        (*row_)->sent_lsn.store(stream_->sent().value, std::memory_order_relaxed);
        return ShowState(node);
      case SenderStream::Act::kStarted: message.mutable_started(); break;
      case SenderStream::Act::kKeepAlive:
        message.mutable_keep_alive()->set_reply_wanted(step.reply_wanted);
        break;
      case SenderStream::Act::kEndOfTimeline: {
        const TimelineHistory& history = context_.History(node.timeline);
        v1::EndOfTimeline* end = message.mutable_end_of_timeline();
        end->set_switch_lsn(SwitchPoint(history, stream_->timeline()).value);
        end->set_next_timeline(NextAfter(history, stream_->timeline()));
        FinishAfterwards();
        break;
      }
    }
    Send(Encode(message));
  }

  // A standby counts for a quorum from the moment when it has caught up.
  void ShowState(const NodeView& node) {
    SenderSlot& row = **row_;
    if (context_.stopping) {
      row.state.store(SenderState::kStopping);
    } else if (row.state.load() == SenderState::kCatchup && stream_->CaughtUp(node)) {
      Log(Severity::kDebug1, "\"{}\" has now caught up with upstream server", application_);
      row.state.store(SenderState::kStreaming);
      ReportStandbyPositions(row_->index(), stream_->written(), stream_->flushed(), stream_->applied());
    }
  }

  OutMessage FailureMessage(const SqlError& error) override {
    v1::PrimaryMessage message;
    PutSpeaker(context_.Speak(), message.mutable_at());
    PutFailure(error, message.mutable_failure());
    return Encode(message);
  }
  void OnHalfClose() override { call_.Finish(); }

  WalTail wal_;
  int64_t deadline_us_;
  std::string application_;
  std::optional<SlotUse> slot_;
  std::optional<SenderRow> row_;
  std::optional<SenderStream> stream_;
  bool cut_ = false;  // the standby was given up
};

}  // namespace

std::unique_ptr<CallHandler> MakeStreamCall(SenderContext& context, ServerCall& call) {
  return std::make_unique<StreamCall>(context, call);
}

}  // namespace walden::replication
