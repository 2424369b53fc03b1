#include "node/recovery/recovery_state.h"

#include <cstring>
#include <new>

#include "node/base/check.h"
#include "node/base/crc32c.h"
#include "node/os/file.h"
#include "node/recovery/recovery_shared.h"
#include "node/shm/postmaster_link.h"
#include "node/shm/process.h"
#include "node/txn/sender_slots.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

void (*replayed_callbacks[4])(Lsn);

void WakeStartup() {
  int slot = Recovery()->startup_slot.load(std::memory_order_acquire);
  if (slot >= 0) SlotAt(slot).latch.Set();
}

}  // namespace

size_t RecoveryShmSize() { return sizeof(RecoveryShared); }

void RecoveryShmInit(void* area) {
  RecoveryShared* shared = new (area) RecoveryShared{};
  shared->control_lock.Init(LwRank::kControlFile);
  for (ConditionVariable* waiting :
       {&shared->replay_waiting, &shared->pause_waiting, &shared->started_waiting, &shared->done_waiting}) {
    waiting->Init();
  }
  shared->startup_slot.store(-1);
  shared->receiver_notice.store(UINT64_MAX);
  shared->checkpointer_slot.store(-1);
  shared->archiver_slot.store(-1);
}

Lsn ReplayedLsn() { return Lsn{Recovery()->replayed.load(std::memory_order_acquire)}; }
TimelineId ReplayedTimeline() { return Recovery()->replayed_timeline.load(std::memory_order_acquire); }
Lsn ReceivedLsn() { return Lsn{Recovery()->received.load(std::memory_order_acquire)}; }
TimelineId ReceivedTimeline() { return Recovery()->received_timeline.load(std::memory_order_acquire); }
TimestampUs LastReplayedCommitTime() { return Recovery()->last_commit_time.load(std::memory_order_relaxed); }
bool RecoveryIsConsistent() { return Recovery()->consistent.load(std::memory_order_acquire); }

bool WaitForReplay(Lsn lsn, int64_t timeout_ms) {
  RecoveryShared* shared = Recovery();
  shared->replay_waiters.fetch_add(1);
  struct Leave {
    RecoveryShared* shared;
    ~Leave() { shared->replay_waiters.fetch_sub(1); }
  } leave{shared};
  return shared->replay_waiting.Wait(
      WaitEvent::kRecoveryApply, [&] { return ReplayedLsn() >= lsn; }, timeout_ms);
}

void OnReplayed(void (*callback)(Lsn)) {
  for (auto*& entry : replayed_callbacks) {
    if (entry == callback) return;
    if (entry != nullptr) continue;
    entry = callback;
    return;
  }
  CHECK(false);
}

void AnnounceReplayed(Lsn replayed, TimelineId timeline) {
  RecoveryShared* shared = Recovery();
  shared->replayed_timeline.store(timeline, std::memory_order_release);
  shared->replayed.store(replayed.value, std::memory_order_seq_cst);
  if (shared->replay_waiters.load(std::memory_order_seq_cst) != 0) shared->replay_waiting.Broadcast();
  if (replayed.value >= shared->receiver_notice.load(std::memory_order_seq_cst)) {
    shared->receiver_notice.store(UINT64_MAX, std::memory_order_relaxed);
    SlotAt(SlotsOf(ProcessKind::kWalReceiver).first).latch.Set();
  }
  for (auto* callback : replayed_callbacks) {
    if (callback != nullptr) callback(replayed);
  }
}

ReplayPause GetReplayPause() { return Recovery()->pause.load(); }
void SetReplayPause(bool pause) {
  RecoveryShared* shared = Recovery();
  if (!pause) {
    shared->pause.store(ReplayPause::kNotPaused);
  } else {
    ReplayPause running = ReplayPause::kNotPaused;
    shared->pause.compare_exchange_strong(running, ReplayPause::kPauseRequested);
  }
  shared->pause_waiting.Broadcast();
  WakeStartup();
}

void RequestPromotion() {
  Recovery()->promote.store(true);
  AnnounceSettled(kMaxLsn);  // the old primary's word counts no more: what was received is applied and shown
  Recovery()->pause_waiting.Broadcast();
  WakeStartup();
}
bool PromotionRequested() { return Recovery()->promote.load(); }

// ---- WAL receiver ----

ReceiverState GetReceiverState() { return Recovery()->receiver_state.load(std::memory_order_acquire); }

void RequestStreaming(const StreamRequest& request) {
  RecoveryShared* shared = Recovery();
  {
    SpinGuard guard(shared->receiver_lock);
    shared->stream_request = request;
    shared->stream_wanted = true;
    shared->stop_streaming.store(false);
    shared->received.store(request.start.value);
    shared->received_timeline.store(request.timeline);
    shared->written.store(request.start.value);
    shared->receiver.start = request.start;
    shared->receiver.start_timeline = request.timeline;
  }
  if (GetReceiverState() == ReceiverState::kStopped) {
    SetReceiverState(ReceiverState::kStarting);
    NotifyPostmaster(PostmasterRequest::kStartWalReceiver);
  } else {
    SetReceiverState(ReceiverState::kStarting);
    SlotAt(SlotsOf(ProcessKind::kWalReceiver).first).latch.Set();
  }
}

void RequestStreamingStop() {
  Recovery()->stop_streaming.store(true);
  if (GetReceiverState() != ReceiverState::kStopped)
    SlotAt(SlotsOf(ProcessKind::kWalReceiver).first).latch.Set();
}

bool TakeStreamRequest(StreamRequest* request) {
  RecoveryShared* shared = Recovery();
  SpinGuard guard(shared->receiver_lock);
  if (!shared->stream_wanted || shared->stop_streaming.load()) return false;
  *request = shared->stream_request;
  shared->stream_wanted = false;
  return true;
}

void ReportReceived(Lsn flushed, TimelineId timeline) {
  Recovery()->received_timeline.store(timeline, std::memory_order_release);
  Recovery()->received.store(flushed.value, std::memory_order_release);
  WakeStartup();
  WakeSendersForWal();  // cascading
}

void SetReceiverState(ReceiverState state) {
  Recovery()->receiver_state.store(state, std::memory_order_release);
  WakeStartup();
}

void DescribeReceiver(const ReceiverConnection& connection) {
  RecoveryShared* shared = Recovery();
  SpinGuard guard(shared->receiver_lock);
  shared->receiver.pid = self().pid.load();
  shared->receiver.connection = connection;
}

void NoteReceiverMessage(TimestampUs sent, Lsn primary_end) {
  TimestampUs now = WallClockUs();
  RecoveryShared* shared = Recovery();
  if (primary_end.value > shared->primary_end.load(std::memory_order_relaxed)) {
    shared->primary_end.store(primary_end.value, std::memory_order_relaxed);
  }
  shared->primary_sent.store(sent, std::memory_order_relaxed);
  shared->primary_heard.store(now, std::memory_order_release);
  SpinGuard guard(shared->receiver_lock);
  ReceiverInfo& info = shared->receiver;
  info.last_message_sent = sent;
  info.last_message_received = now;
  if (primary_end <= info.latest_end) return;
  info.latest_end = primary_end;
  info.latest_end_time = sent;
}

PrimaryWord LastPrimaryWord() {
  RecoveryShared* shared = Recovery();
  TimestampUs heard = shared->primary_heard.load(std::memory_order_acquire);
  return {Lsn{shared->primary_end.load(std::memory_order_relaxed)},
          shared->primary_sent.load(std::memory_order_relaxed), heard};
}

void ReportWritten(Lsn written) { Recovery()->written.store(written.value, std::memory_order_release); }

ReceiverInfo GetReceiverInfo() {
  RecoveryShared* shared = Recovery();
  ReceiverInfo info;
  {
    SpinGuard guard(shared->receiver_lock);
    info = shared->receiver;
  }
  info.state = GetReceiverState();
  if (info.state == ReceiverState::kStopped) info.pid = 0;
  info.written = Lsn{shared->written.load(std::memory_order_acquire)};
  info.flushed = ReceivedLsn();
  info.timeline = ReceivedTimeline();
  return info;
}

namespace {

constexpr const char* kSettledPath = "pg_wal/settled";
struct SettledFile {
  uint64_t lsn;
  uint32_t crc;
  uint32_t unused;
};

}  // namespace

void SaveAnnouncedSettled(Lsn settled) {
  static File file;
  if (!file.is_open()) file = File::Open(kSettledPath, O_RDWR | O_CREAT);
  SettledFile content{settled.value, Crc32c(0, &settled.value, sizeof settled.value), 0};
  file.WriteAt(&content, sizeof content, 0);
}

Lsn LoadAnnouncedSettled() {
  int error = 0;
  SettledFile content{};
  File file = File::TryOpen(kSettledPath, O_RDONLY, &error);
  if (!file.is_open()) return kMaxLsn;
  bool good = file.ReadAt(&content, sizeof content, 0) == sizeof content &&
              content.crc == Crc32c(0, &content.lsn, sizeof content.lsn);
  return good ? Lsn{content.lsn} : kInvalidLsn;
}

bool TellWhenReplayed(Lsn lsn) {
  RecoveryShared* shared = Recovery();
  shared->receiver_notice.store(lsn.value, std::memory_order_seq_cst);
  return ReplayedLsn() < lsn;
}
bool StreamingStopRequested() { return Recovery()->stop_streaming.load(); }

}  // namespace walden
