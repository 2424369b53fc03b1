#include "replication/walreceiver.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/recovery/archive.h"
#include "node/recovery/control_file.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/term.h"
#include "node/recovery/timeline.h"
#include "node/shm/interrupts.h"
#include "node/txn/horizon.h"
#include "node/txn/sender_slots.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"
#include "replication/primary_connection.h"
#include "replication/received_wal.h"
#include "replication/receiver_stream.h"

namespace walden::replication {
namespace {

constexpr int64_t kFirstPauseMs = 100;
constexpr int kMostMessagesPerSync = 32;
constexpr uint64_t kMostBytesPerSync = 4 << 20;
constexpr uint64_t kFarBehind = 4 << 20;

// Recovery wants no stream any more, or the process is told to end.
struct StopReceiving {};
// primary_conninfo or primary_slot_name changed.
struct Reconnect {};

bool configuration_changed = false;
std::string last_failure;  // what was logged last; "" since a stream has begun

struct Upstream {
  std::string conninfo, slot_name;
  bool operator==(const Upstream&) const = default;
};
Upstream CurrentUpstream() {
  return {GetString(Setting::kPrimaryConninfo), GetString(Setting::kPrimarySlotName)};
}

template <size_t kSize>
void CopyText(char (&to)[kSize], const std::string& from) {
  std::snprintf(to, kSize, "%s", from.c_str());
}

// The primary's word about what may be seen. It never takes back what it said, except the state before its first word;
// and once promotion was asked for, it has no word any more.
void TakeSettled(Lsn settled) {
  Lsn known = AnnouncedSettledLsn();
  if (known == kMaxLsn || known < settled) {
    SaveAnnouncedSettled(settled);
    AnnounceSettled(settled);
    WakeSendersForWal();  // cascading
  }
  if (PromotionRequested()) AnnounceSettled(kMaxLsn);
}

// Feeds recovery from one request to its end: connections come and go meanwhile.
class Receiver {
 public:
  explicit Receiver(const StreamRequest& request)
      : system_id_(GetControlFile().system_id),
        wal_(system_id_),
        timeline_(request.timeline),
        position_(request.start) {}

  // Returns when the timeline has ended, or recovery should look into the archive.
  void Run() {
    int64_t pause_ms = kFirstPauseMs;
    for (;;) {
      SetReceiverState(ReceiverState::kStarting);
      Lsn before = position_;
      try {
        upstream_ = CurrentUpstream();
        if (upstream_.conninfo.empty()) return;
        Follow();
        return;
      } catch (const Reconnect&) {
        Log(Severity::kLog, "WAL receiver reconnects because of changed settings");
        pause_ms = kFirstPauseMs;
        continue;
      } catch (const SqlError& error) {
        Complain(error);
      }
      // Recovery may look into the archive meanwhile, unless it is us that it needs.
      if (!GetString(Setting::kRestoreCommand).empty() && !ReplayAwaitsSettled()) return;
      if (position_ > before) pause_ms = kFirstPauseMs;
      Pause(pause_ms);
      pause_ms = std::min(pause_ms * 2, std::max(kFirstPauseMs, GetInt(Setting::kWalRetrieveRetryInterval)));
    }
  }

 private:
  // Once until something else happens: the same failure comes back every few seconds while its cause lasts.
  static void Complain(const SqlError& error) {
    if (error.fields().message == last_failure) return;
    last_failure = error.fields().message;
    LogError(Severity::kLog, error);
  }

  static void Check() {
    if (InterruptPending(Interrupt::kTerminate) || StreamingStopRequested()) throw StopReceiving();
    CheckInterrupts();
  }
  void CheckUpstream() {
    Check();
    if (std::exchange(configuration_changed, false) && CurrentUpstream() != upstream_) throw Reconnect();
  }

  void Pause(int64_t pause_ms) {
    int64_t until_us = MonotonicUs() + pause_ms * 1000;
    for (;;) {
      self().latch.Reset();
      Check();
      if (std::exchange(configuration_changed, false)) return;
      int64_t left_ms = (until_us - MonotonicUs()) / 1000;
      if (left_ms <= 0) return;
      WaitLatch(left_ms, WaitEvent::kWalReceiverMain);
    }
  }

  Speaker Self() const { return {system_id_, CurrentTerm(), timeline_, position_}; }

  void Follow() {
    Conninfo info = ParseConninfo(upstream_.conninfo);
    if (info.application_name.empty()) {
      const std::string& cluster = GetString(Setting::kClusterName);
      info.application_name = cluster.empty() ? "walreceiver" : cluster;
    }
    PrimaryConnection primary(info, {WaitEvent::kWalReceiverMain, [this] { CheckUpstream(); }});
    primary.Connect(Self());
    peer_ = fmt::format("node {}:{}", primary.host().name, primary.host().port);
    CheckIdentity(primary.Identify(Self()));
    FetchHistories(primary);
    Describe(info, primary);
    Stream(primary, info.application_name);
  }

  void MeetPrimary(uint64_t term) {
    if (MeetTerm(term, peer_) != TermOrder::kPeerIsOlder) return;
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "{} is no longer the primary", peer_)
        .WithDetail(fmt::format("It is in term {}; this standby is in term {}.", term, CurrentTerm()));
  }

  void CheckIdentity(const v1::IdentifyReply& reply) {
    Speaker primary = GetSpeaker(reply.at());
    if (primary.system_id != system_id_) {
      throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                     "database system identifier differs between the primary and standby")
          .WithDetail(fmt::format("The primary's identifier is {}, the standby's identifier is {}.",
                                  primary.system_id, system_id_));
    }
    MeetPrimary(primary.term);
    if (primary.timeline < timeline_) {
      throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                     "highest timeline {} of the primary is behind recovery timeline {}", primary.timeline,
                     timeline_);
    }
    primary_timeline_ = primary.timeline;
  }

  // Histories of the timelines between ours and the primary's, so that recovery finds its way.
  void FetchHistories(PrimaryConnection& primary) {
    for (TimelineId timeline = timeline_; timeline <= primary_timeline_; ++timeline) {
      std::string path = "pg_wal/" + HistoryFileName(timeline);
      if (timeline == 1 || PathExists(path)) continue;
      try {
        v1::TimelineHistoryReply history = primary.TimelineHistory(Self(), timeline);
        ParseHistory(timeline, history.content());
        Log(Severity::kLog, "fetching timeline history file for timeline {} from primary server", timeline);
        WriteWholeFileDurably(path, history.content());
        if (GetEnum<ArchiveMode>(Setting::kArchiveMode) == ArchiveMode::kAlways)
          NotifyArchiver(HistoryFileName(timeline));
      } catch (const SqlError& error) {
        // A timeline that the primary has never been on.
        if (error.code() != ErrorCode::kUndefinedFile) throw;
      }
    }
  }

  void Describe(const Conninfo& info, const PrimaryConnection& primary) {
    ReceiverConnection connection{};
    CopyText(connection.slot_name, upstream_.slot_name);
    CopyText(connection.sender_host, primary.host().name);
    connection.sender_port = primary.host().port;
    CopyText(connection.conninfo, ConninfoForDisplay(info));
    DescribeReceiver(connection);
  }

  ReceiverStream MakeStream() const {
    ReceiverStream::Start start;
    start.system_id = system_id_;
    start.timeline = timeline_;
    start.lsn = position_;
    start.now_us = MonotonicUs();
    return ReceiverStream(start);
  }

  void Stream(PrimaryConnection& primary, const std::string& application) {
    call_ = primary.Start("Stream");
    stream_.emplace(MakeStream());
    // However the stream ends, what has come is kept: a promotion replays it.
    struct Leave {
      Receiver& receiver;
      ~Leave() {
        receiver.SyncWritten();
        receiver.call_.reset();
      }
    } leave{*this};
    v1::StandbyMessage message;
    PutSpeaker(Self(), message.mutable_at());
    v1::StartStream* start = message.mutable_start();
    start->set_token(primary.token());
    start->set_start_lsn(position_.value);
    start->set_timeline(timeline_);
    start->set_application_name(application);
    start->set_slot_name(upstream_.slot_name);
    call_->Write(Encode(message));
    while (!ended_) {
      self().latch.Reset();
      CheckUpstream();
      stream_->set_intervals(GetInt(Setting::kWalReceiverStatusInterval) * 1000000,
                             GetInt(Setting::kWalReceiverTimeout) * 1000);
      TakeMessages();
      ReportProgress();
      if (ended_) break;
      if (more_) continue;
      if (call_->Ended()) {
        call_->ThrowIfBroken();
        throw SqlError(ErrorCode::kConnectionFailure, "replication terminated by primary server")
            .WithDetail(
                fmt::format("End of WAL reached on timeline {} at {}.", timeline_, position_.ToString()));
      }
      Sleep();
    }
    FetchHistories(primary);
    SetProcessTitle("walden: walreceiver");
  }

  void Sleep() {
    int64_t deadline = stream_->Deadline();
    int64_t wait_ms =
        deadline == INT64_MAX ? -1 : std::max<int64_t>(0, (deadline - MonotonicUs()) / 1000 + 1);
    WaitLatch(wait_ms, WaitEvent::kWalReceiverMain);
  }

  // What has arrived is written, then synced once. While much more is there to come and nobody waits for our word, syncing goes
  // on beside receiving, as much at a time as comes meanwhile.
  void TakeMessages() {
    std::string bytes;
    NoteSynced(wal_.Synced());
    more_ = true;
    Lsn enough = stream_->written() + kMostBytesPerSync;
    for (int i = 0; i < kMostMessagesPerSync && !ended_ && more_ && stream_->written() < enough; ++i) {
      more_ = call_->TryRead(&bytes);
      if (more_) Take(stream_->OnMessage(bytes, MonotonicUs()));
    }
    if (stream_->written() == stream_->flushed()) return;
    ReportWritten(stream_->written());
    if (lazy_ && !ended_ && stream_->written() + kFarBehind < primary_end_) return wal_.BeginSync();
    if (!lazy_) Report();
    SyncWritten();
    if (!lazy_) TellWhenReplayed(position_);
  }

  void SyncWritten() noexcept {
    if (stream_->written() == stream_->flushed()) return;
    wal_.Sync();
    NoteSynced(stream_->written());
  }

  void NoteSynced(Lsn upto) {
    if (upto <= position_) return;
    stream_->Flushed(upto);
    position_ = upto;
    ReportReceived(position_, timeline_);
    SetProcessTitle(fmt::format("walden: walreceiver streaming {}", position_.ToString()));
  }

  void Take(const ReceiverStream::Event& event) {
    MeetPrimary(event.term);
    lazy_ = event.lazy_reports;
    primary_end_ = event.primary_end;
    NoteReceiverMessage(event.sent_us, event.primary_end);
    TakeSettled(event.settled);
    switch (event.kind) {
      case ReceiverStream::Kind::kStarted:
        Log(Severity::kLog, "started streaming WAL from primary at {} on timeline {}", position_.ToString(),
            timeline_);
        SetReceiverState(ReceiverState::kStreaming);
        last_failure.clear();
        break;
      case ReceiverStream::Kind::kWal:
        wal_.Write(timeline_, event.start, event.bytes, event.primary_end);
        stream_->Written(event.start + event.bytes.size());
        break;
      case ReceiverStream::Kind::kKeepAlive: break;
      case ReceiverStream::Kind::kEndOfTimeline:
        Log(Severity::kLog, "replication terminated by primary server: end of WAL on timeline {} at {}",
            timeline_, stream_->received().ToString());
        primary_timeline_ = std::max(primary_timeline_, event.next_timeline);
        ended_ = true;
        break;
    }
  }

  void ReportProgress() {
    stream_->Applied(ReplayedLsn());
    switch (stream_->Check(MonotonicUs())) {
      case ReceiverStream::Due::kNothing: return;
      case ReceiverStream::Due::kReport:
        if (lazy_ && ReplayedLsn() < position_) {
          // Replay wakes us once a report, not once a batch.
          TellWhenReplayed(position_);
          stream_->Applied(ReplayedLsn());
        }
        return Report();
      case ReceiverStream::Due::kTimedOut:
        throw SqlError(ErrorCode::kConnectionFailure, "terminating walreceiver due to timeout");
    }
  }

  void Report() {
    v1::StandbyMessage message;
    *message.mutable_status() = stream_->Report(MonotonicUs());
    Speaker speaker = Self();
    speaker.lsn = stream_->flushed();
    PutSpeaker(speaker, message.mutable_at());
    message.mutable_status()->set_sent_us(WallClockUs());
    if (GetBool(Setting::kHotStandbyFeedback) && RecoveryIsConsistent()) {
      SnapshotFeedback feedback = HotStandbyFeedback();
      if (feedback.oldest != kMaxLsn) {
        message.mutable_status()->set_oldest_snapshot(feedback.oldest.value);
        message.mutable_status()->set_oldest_xmin(feedback.xmin.value);
      }
    }
    call_->Write(Encode(message));
  }

  uint64_t system_id_;
  ReceivedWal wal_;
  TimelineId timeline_;
  Lsn position_;  // durable up to here
  Upstream upstream_;
  std::string peer_;
  TimelineId primary_timeline_ = 0;
  Lsn primary_end_;  // of its WAL, as it said last
  std::unique_ptr<ClientCall> call_;
  std::optional<ReceiverStream> stream_;
  bool ended_ = false;
  bool lazy_ = false;  // nobody waits for our reports
  bool more_ = false;  // messages may be waiting
};

// Waits until recovery wants something again. False: it is over.
bool AwaitRequest(StreamRequest* request) {
  for (;;) {
    self().latch.Reset();
    if (InterruptPending(Interrupt::kTerminate) || StreamingStopRequested()) return false;
    CheckInterrupts();
    if (TakeStreamRequest(request)) return true;
    WaitLatch(-1, WaitEvent::kWalReceiverWaitStart);
  }
}

}  // namespace

void RunWalReceiver() {
  OnProcessExit([] { SetReceiverState(ReceiverState::kStopped); });
  SetInterruptHandler(Interrupt::kReload, [] {
    ReloadConfiguration();
    configuration_changed = true;
  });
  StreamRequest request;
  try {
    while (AwaitRequest(&request)) {
      Receiver(request).Run();
      SetReceiverState(ReceiverState::kWaiting);
    }
  } catch (const StopReceiving&) {
  }
}

}  // namespace walden::replication
