#include "node/recovery/wal_supply.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/recovery/archive.h"
#include "node/recovery/hot_standby.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/startup.h"
#include "node/recovery/term.h"
#include "node/shm/interrupts.h"
#include "node/wal/wal.h"

namespace walden {

bool WalSupply::TryOpen(TimelineId timeline, uint64_t segment, bool from_archive) {
  std::string path = WalSegmentPath(timeline, segment);
  if (from_archive) {
    if (before_restore_) before_restore_();
    if (!RestoreFromArchive(WalSegmentName(timeline, segment), path)) return false;
  }
  int error = 0;
  File file = File::TryOpen(path, O_RDONLY, &error);
  if (!file.is_open()) {
    if (error == ENOENT) return false;
    throw FileError(error, fmt::format("could not open file \"{}\"", path));
  }
  SegmentHeader header{};
  std::string reason;
  if (file.ReadAt(&header, sizeof header, 0) != sizeof header ||
      !CheckWalSegmentHeader(header, timeline, segment, options_.system_id, &reason)) {
    Log(Severity::kLog, "WAL file \"{}\" is not usable: {}", path,
        reason.empty() ? "it is too short" : reason);
    return false;
  }
  file_ = std::move(file);
  segment_ = segment;
  if (!streaming_) NoteWalArrival(false);
  return true;
}

bool WalSupply::OpenSegment(uint64_t segment, Lsn at) {
  if (segment_ == segment) return true;
  // The newest timeline that reaches into the segment: a segment in which a timeline ends exists on both, and
  // the child's copy holds the parent's part as well.
  for (size_t i = history_.size(); i-- > 0;) {
    const TimelineSpan& span = history_[i];
    if (span.begin.IsValid() && SegmentOf(span.begin) > segment) continue;
    bool archive_first = options_.archive && !streaming_;
    if (archive_first && TryOpen(span.timeline, segment, true)) return true;
    if (TryOpen(span.timeline, segment, false)) return true;
    if (span.timeline == TimelineOf(history_, at) && at >= span.begin) break;
  }
  return false;
}

size_t WalSupply::Read(Lsn at, char* to, size_t size) {
  // A segment that is being received holds old bytes behind what has arrived.
  bool from_stream = streaming_ && at >= stream_start_;
  Lsn limit = from_stream ? ReceivedLsn() : stream_end_;
  if (from_stream) read_limit_ = limit;
  // Replay has caught up with what it knew of: what comes now has just arrived.
  if (from_stream && at >= known_received_ && limit > at) {
    NoteWalArrival(true);
    known_received_ = limit;
  }
  size_t done = 0;
  while (done < size && at + done < limit) {
    Lsn from = at + done;
    if (!OpenSegment(SegmentOf(from), from)) break;
    uint64_t offset = OffsetInSegment(from);
    size_t want = std::min<uint64_t>({size - done, kWalSegmentSize - offset, limit - from});
    size_t got = file_.ReadAt(to + done, want, kWalSegmentHeaderSize + offset);
    done += got;
    if (got < want) break;
  }
  return done;
}

// ---- standby ----

bool WalSupply::StreamHasMore(Lsn at) const {
  return streaming_ && ReceivedLsn() > std::max(at, read_limit_);
}

bool WalSupply::MuchIsComing(Lsn at) const {
  uint64_t much = static_cast<uint64_t>(GetInt(Setting::kMinParallelRedoSize)) * 1024;
  return streaming_ && at + much < LastPrimaryWord().end;
}

void WalSupply::StartStreaming(Lsn at) {
  if (GetString(Setting::kPrimaryConninfo).empty()) return;
  // From the start of the segment, so that no half-filled segment stays.
  stream_start_ = SegmentStart(SegmentOf(at));
  TimelineId timeline = TimelineOf(history_, at);
  Log(Severity::kDebug1, "requesting WAL from {} on timeline {}", stream_start_.ToString(), timeline);
  conninfo_ = GetString(Setting::kPrimaryConninfo);
  slot_name_ = GetString(Setting::kPrimarySlotName);
  known_received_ = read_limit_ = stream_start_;
  streaming_ = true;
  Forget();
  RequestStreaming({stream_start_, timeline});
}

// The primary may have been promoted from another node: a newer history that contains our position continues
// it.
bool WalSupply::LookForNewTimeline(Lsn at) {
  if (GetString(Setting::kRecoveryTargetTimeline) != "latest") return false;
  TimelineId newest = FindNewestTimeline(history_.back().timeline);
  if (newest == history_.back().timeline) return false;
  TimelineHistory history = ReadHistory(newest);
  Lsn switched = SwitchPoint(history, history_.back().timeline);
  if (!switched.IsValid() || switched < at) {
    ErrorFields fields;
    fields.severity = Severity::kLog;
    fields.message = fmt::format(
        "new timeline {} forked off current database system timeline {} before current recovery point {}",
        newest, history_.back().timeline, at.ToString());
    fields.hint = kBaseBackupHint;
    EmitLog(fields);
    return false;
  }
  Log(Severity::kLog, "new target timeline is {}", newest);
  history_ = std::move(history);
  Forget();
  return true;
}

bool WalSupply::ConnectionChanged() const {
  return conninfo_ != GetString(Setting::kPrimaryConninfo) ||
         slot_name_ != GetString(Setting::kPrimarySlotName);
}

bool WalSupply::WaitForMore(Lsn at) {
  if (!options_.standby) return false;
  for (;;) {
    self().latch.Reset();
    CheckStartupInterrupts();
    LookForPromoteTrigger();
    if (PromotionRequested()) {
      if (!streaming_) return false;
      // Nothing arrives any more; what has is applied.
      StopStreaming();
      stream_end_ = ReceivedLsn();
      return true;
    }
    if (StreamHasMore(at)) return true;
    if (streaming_ && ConnectionChanged()) {
      Log(Severity::kLog, "WAL receiver process shutdown requested");
      StopStreaming();
      return true;
    }
    ReceiverState receiver = GetReceiverState();
    bool being_fed = receiver == ReceiverState::kStarting || receiver == ReceiverState::kStreaming;
    if (streaming_ && being_fed) {
      WaitLatch(PromoteTriggerPollMs(), WaitEvent::kRecoveryWalStream);
      continue;
    }
    // Files had nothing: try the stream. The stream ended, or there is none: a pause, then files again.
    bool ended = streaming_;
    streaming_ = false;
    Forget();
    if (!ended) StartStreaming(at);
    if (streaming_) continue;
    if (ended && LookForNewTimeline(at)) return true;
    WaitLatch(GetInt(Setting::kWalRetrieveRetryInterval), WaitEvent::kRecoveryRetrieveRetryInterval);
    LookForNewTimeline(at);
    NoteWalArrival(false);
    return true;
  }
}

void WalSupply::StopStreaming() {
  if (!streaming_) return;
  RequestStreamingStop();
  while (GetReceiverState() != ReceiverState::kStopped) {
    self().latch.Reset();
    if (GetReceiverState() == ReceiverState::kStopped) break;
    WaitLatch(1000, WaitEvent::kWalReceiverWaitStart);
  }
  streaming_ = false;
  Forget();
}

}  // namespace walden
