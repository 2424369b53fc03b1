#include "node/recovery/redo_dispatcher.h"

#include <algorithm>
#include <array>

#include "node/base/check.h"
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/buffer/redo.h"
#include "node/config/settings.h"
#include "node/recovery/hot_standby.h"
#include "node/recovery/recovery_shared.h"
#include "node/recovery/recovery_target.h"
#include "node/recovery/redo_worker.h"
#include "node/recovery/startup.h"
#include "node/shm/postmaster_link.h"
#include "node/txn/durability.h"
#include "node/txn/horizon.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_state.h"
#include "node/wal/record_handler.h"

namespace walden {
namespace {

// Recovery from a crash keeps none: what clients did here was not replayed from elsewhere.
void NoteCommitTime(const DecodedRecord& record) {
  TimestampUs time;
  bool replica = Recovery()->archive_recovery.load(std::memory_order_relaxed);
  if (replica && TransactionEndTime(record, &time))
    Recovery()->last_commit_time.store(time, std::memory_order_relaxed);
}

// Often enough that commits become visible soon, seldom enough that the workers keep their cache lines.
constexpr uint32_t kLookEvery = 128;
constexpr uint32_t kWakeEvery = 16;  // looks
constexpr size_t kMostHeldEnds = 4096;
constexpr int64_t kLookAroundMs = 1000;

RedoDispatcher* the_dispatcher = nullptr;

bool HasWorkers() {
  return self().kind.load(std::memory_order_relaxed) == ProcessKind::kStartup && RedoWorkerCount() > 0;
}

}  // namespace

RouteKind RouteRecord(const DecodedRecord& record, bool hot_standby) {
  switch (FindRecordKind(record.kind)->scope) {
    case RedoScope::kNothing: return RouteKind::kNothing;
    case RedoScope::kCounter: return RouteKind::kDispatcher;
    case RedoScope::kTransactionEnd:
      return EndsTransactionOnly(record) ? RouteKind::kEnd : RouteKind::kBarrier;
    case RedoScope::kVisibility:
    case RedoScope::kIndexStructural: return hot_standby ? RouteKind::kBarrier : RouteKind::kPages;
    case RedoScope::kPages: return RouteKind::kPages;
    case RedoScope::kRelationBarrier:
    case RedoScope::kDatabaseBarrier:
    case RedoScope::kGlobalBarrier: break;
  }
  return RouteKind::kBarrier;
}

RedoDispatcher::RedoDispatcher(bool check_consistency) : check_consistency_(check_consistency) {
  the_dispatcher = this;
  BindForgottenPages(PassOnForgotten);
}

RedoDispatcher::~RedoDispatcher() {
  BindForgottenPages(nullptr);
  the_dispatcher = nullptr;
}

void RedoDispatcher::Apply(const DecodedRecord& record, RedoShare share) {
  ReplayRecord(record, hot_standby_, check_consistency_, share);
}

void RedoDispatcher::Dispatch(const DecodedRecord& record) {
  if (FindRecordKind(record.kind) == nullptr) {
    throw SqlError(ErrorCode::kDataCorrupted,
                   "WAL record at {} has kind {:#06x}, which this program does not know",
                   record.start.ToString(), static_cast<unsigned>(record.kind))
        .WithSeverity(Severity::kFatal);
  }
  if (record.timeline != timeline_) {
    Drain();
    timeline_ = record.timeline;
  }
  if (record.xid.IsValid()) ObserveRedoXid(record.xid);
  if (!parallel_) LookForWorkers(record);
  if (hot_standby_) Settle(record);
  if (parallel_) {
    Route(record);
  } else {
    ApplyWithoutWorkers(record);
  }
}

// Conflicts with queries, before the record is applied.
void RedoDispatcher::Settle(const DecodedRecord& record) {
  const RecordHandler* handler = FindRecordHandler(record.kind);
  if (handler == nullptr || handler->conflict == nullptr) return;
  RedoConflict conflict = handler->conflict(record);
  if (parallel_ && !conflict.ends_sessions && (conflict.conflict_lsn <= unread_ || IsUnread(record))) return;
  auto not_shown = [&] { return !ends_.empty() && ends_.front().end <= conflict.conflict_lsn; };
  if (not_shown()) Advance();
  if (not_shown()) Drain();
  // Whoever is in the way may be for long: what was dispatched is to be seen meanwhile.
  if (RedoConflictExists(conflict)) {
    Drain();
    ResolveRedoConflict(conflict);
  }
}

// Nobody needs to see first what lies below a record that nobody reads below: the workers go on, and sessions that come meanwhile
// wait until it is shown (Advance). Not so if that could take long: a commit that the primary has not announced.
bool RedoDispatcher::IsUnread(const DecodedRecord& record) {
  if (record.end <= unread_) return true;
  if (record.end > AnnouncedSettledLsn()) return false;
  SnapshotFloor floor = KeepSnapshotsFrom(record.end);
  if (floor == SnapshotFloor::kLeft) return false;
  awaited_ = record.end;
  if (floor == SnapshotFloor::kHolds) unread_ = record.end;
  return floor == SnapshotFloor::kHolds;
}

void RedoDispatcher::ApplyWithoutWorkers(const DecodedRecord& record) {
  if (FindRecordKind(record.kind)->scope != RedoScope::kNothing) Apply(record);
  dispatched_ = record.end;
  NoteCommitTime(record);
  Announce(record.end);
}

// ---- with workers ----

void RedoDispatcher::Route(const DecodedRecord& record) {
  RouteKind route = RouteRecord(record, hot_standby_);
  // No barrier but for those who read.
  bool for_readers = route == RouteKind::kBarrier && RouteRecord(record, false) == RouteKind::kPages;
  if (for_readers && IsUnread(record)) route = RouteKind::kPages;
  switch (route) {
    case RouteKind::kNothing: break;
    case RouteKind::kDispatcher: Apply(record); break;
    case RouteKind::kPages: FanOut(record); break;
    case RouteKind::kEnd: Hold(record); break;
    case RouteKind::kBarrier:
      Drain();
      ApplyWithoutWorkers(record);
      return;
  }
  dispatched_ = record.end;
  if (++since_look_ >= kLookEvery) Advance();
}

void RedoDispatcher::FanOut(const DecodedRecord& record) {
  uint32_t workers = static_cast<uint32_t>(writers_.size());
  uint64_t owners = 0;
  std::array<uint32_t, 64> hints;
  for (const PageRef& page : record.pages) {
    uint32_t owner = OwnerOfPage(page.key, workers);
    owners |= uint64_t{1} << owner;
    hints[owner] = LookupHintOf(page.key);
  }
  if (owners == 0 || record.whole.size() > RedoWriter::kLargestPayload) {
    Drain();
    Apply(record);
    return;
  }
  // Its own part first: a map loses its bit before any worker can apply what the bit denies.
  if ((owners >> workers & 1) != 0) Apply(record, {workers, workers});
  RedoMessage message{.size = static_cast<uint32_t>(record.whole.size()),
                      .command = RedoCommand::kRecord,
                      .hot_standby = hot_standby_,
                      .check_consistency = check_consistency_,
                      .start = record.start.value,
                      .end = record.end.value,
                      .timeline = record.timeline};
  for (uint32_t worker = 0; worker < workers; ++worker) {
    if ((owners >> worker & 1) == 0) continue;
    message.lookup_hint = hints[worker];
    Send(static_cast<int>(worker), message, record.whole.data());
  }
}

void RedoDispatcher::Send(int worker, const RedoMessage& message, const void* payload) {
  RedoWriter& writer = writers_[static_cast<size_t>(worker)];
  if (!writer.HasRoom(message.size)) {
    AwaitWorkers(DispatcherWait::kForRoom, [&] { return writer.HasRoomAgain(); });
  }
  writer.Write(message, payload);
}

void RedoDispatcher::Hold(const DecodedRecord& record) {
  if (spare_ends_.empty()) spare_ends_.emplace_back();
  DecodedRecord& end = ends_.emplace_back(std::move(spare_ends_.back()));
  spare_ends_.pop_back();
  end.bytes.assign(record.whole.begin(), record.whole.end());
  end.start = record.start;
  end.end = record.end;
  end.timeline = record.timeline;
  std::string error;
  CHECK(DecodeRecord(&end, &error));
  if (ends_.size() >= kMostHeldEnds) Drain();
}

void RedoDispatcher::PublishAll(RedoWake wake) {
  for (RedoWriter& writer : writers_) writer.Publish(wake);
}

bool RedoDispatcher::AllIdle() {
  return std::all_of(writers_.begin(), writers_.end(), [](RedoWriter& writer) { return writer.Idle(); });
}

// Ends of transactions whose turn has come take effect; tells how far replay is.
void RedoDispatcher::Advance() {
  since_look_ = 0;
  // Nobody's commit waits long for a worker that gets little, and no session that wants a snapshot waits for it at all.
  bool now = ++looks_ % kWakeEvery == 0 || PublishedLsn() < awaited_;
  PublishAll(now ? RedoWake::kNow : RedoWake::kWhenMuch);
  CheckRedoFailure();
  Lsn bound = kMaxLsn;
  for (RedoWriter& writer : writers_) bound = std::min(bound, writer.AppliedBelow());
  bound = std::max(bound, applied_);
  while (!ends_.empty() && ends_.front().start <= bound) {
    const DecodedRecord& end = ends_.front();
    Apply(end);
    NoteCommitTime(end);
    spare_ends_.push_back(std::move(ends_.front()));
    ends_.pop_front();
  }
  if (PublishedLsn() < awaited_ && awaited_ <= bound) PublishReplayed(awaited_);
  bound = std::min(bound, dispatched_);
  if (!ends_.empty()) bound = std::min(bound, ends_.front().start);
  if (bound > applied_) Announce(bound);
}

void RedoDispatcher::Announce(Lsn upto) {
  applied_ = upto;
  AnnounceReplayed(upto, timeline_);
}

template <class Condition>
void RedoDispatcher::AwaitWorkers(DispatcherWait wait, Condition condition) {
  RedoQueues* queues = TheRedoQueues();
  PublishAll(RedoWake::kNow);
  for (;;) {
    self().latch.Reset();
    queues->dispatcher_waits.store(wait, std::memory_order_seq_cst);
    if (condition()) break;
    CheckRedoFailure();
    WaitLatch(kLookAroundMs, WaitEvent::kRecoveryRedoWorkers);
    CheckStartupInterrupts();
  }
  queues->dispatcher_waits.store(DispatcherWait::kNone);
}

void RedoDispatcher::Drain() {
  if (!parallel_) return;
  AwaitWorkers(DispatcherWait::kUntilIdle, [&] { return AllIdle(); });
  Advance();
}

void RedoDispatcher::Pause() {
  Drain();
  parallel_ = false;
  busy_since_ = kMaxLsn;
}

// ---- the workers' life ----

void RedoDispatcher::LookForWorkers(const DecodedRecord& record) {
  if (busy_since_ == kMaxLsn) busy_since_ = record.start;
  uint64_t enough = static_cast<uint64_t>(GetInt(Setting::kMinParallelRedoSize)) * 1024;
  if (record.end < busy_since_ + enough || !HasWorkers()) return;
  int count = RedoWorkerCount();
  if (!asked_for_) {
    asked_for_ = true;
    NotifyPostmaster(PostmasterRequest::kStartRedoWorkers);
  }
  // With no size to wait for, replay is to be parallel from its first record on.
  if (!manned_ && enough == 0) AwaitReadiness();
  if (!manned_ && !AllReady()) return;
  if (!manned_) {
    writers_.resize(static_cast<size_t>(count));
    for (int worker = 0; worker < count; ++worker) writers_[static_cast<size_t>(worker)].Attach(worker);
    manned_ = true;
    Log(Severity::kDebug1, "replaying with {} redo workers", count);
  }
  parallel_ = true;
}

bool RedoDispatcher::AllReady() {
  for (int worker = 0; worker < RedoWorkerCount(); ++worker) {
    if (RedoQueueOf(worker).ready.load(std::memory_order_acquire) == 0) return false;
  }
  return true;
}

void RedoDispatcher::AwaitReadiness() {
  constexpr int64_t kPatienceUs = 5000000;  // the postmaster may be unable to fork
  for (int64_t end_us = MonotonicUs() + kPatienceUs; !AllReady() && MonotonicUs() < end_us;) {
    self().latch.Reset();
    if (!AllReady()) WaitLatch(10, WaitEvent::kRecoveryRedoWorkers);
    CheckStartupInterrupts();
  }
}

void RedoDispatcher::Broadcast(RedoCommand command, const void* payload, size_t size) {
  RedoMessage message{.size = static_cast<uint32_t>(size), .command = command};
  for (size_t worker = 0; worker < writers_.size(); ++worker)
    Send(static_cast<int>(worker), message, payload);
  PublishAll(RedoWake::kNow);
}

void RedoDispatcher::PassOnForgotten(const MissingRange& range) {
  if (the_dispatcher != nullptr) the_dispatcher->Broadcast(RedoCommand::kForgetPages, &range, sizeof range);
}

void RedoDispatcher::CheckMissing() {
  Drain();
  CheckMissingPages();
  if (!manned_) return;
  Broadcast(RedoCommand::kCheckMissing, nullptr, 0);
  AwaitWorkers(DispatcherWait::kUntilIdle, [&] { return AllIdle(); });
}

void RedoDispatcher::Dismiss() {
  Pause();
  if (!asked_for_) return;
  asked_for_ = false;
  Broadcast(RedoCommand::kDismiss, nullptr, 0);
  writers_.clear();
  manned_ = false;
}

}  // namespace walden
