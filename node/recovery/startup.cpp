// The startup process: decides what recovery is needed, replays, and opens the log for writing.
#include "node/recovery/startup.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "node/base/check.h"
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/buffer/redo.h"
#include "node/buffer/relation_storage.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/recovery/archive.h"
#include "node/recovery/background_processes.h"
#include "node/recovery/checkpoint.h"
#include "node/recovery/hot_standby.h"
#include "node/recovery/recovery_shared.h"
#include "node/recovery/replication_slots.h"
#include "node/recovery/term.h"
#include "node/recovery/xlog_records.h"
#include "node/shm/interrupts.h"
#include "node/shm/postmaster_link.h"
#include "node/storage/sync_queue.h"
#include "node/txn/txn_records.h"
#include "node/txn/txn_state.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

constexpr const char* kRecoverySignal = "recovery.signal";
constexpr const char* kStandbySignal = "standby.signal";
constexpr const char* kBackupLabel = "backup_label";
constexpr uint32_t kLookAtClockEvery = 1024;        // records
constexpr const char* kPromoteRequest = "promote";  // left by `walden promote` for the postmaster

bool HasPostmaster() { return self().kind.load(std::memory_order_relaxed) == ProcessKind::kStartup; }

std::string FormatWallTime(int64_t time_us) {
  std::time_t seconds = static_cast<std::time_t>((time_us + kUnixEpochToPostgresUs) / 1000000);
  std::tm tm;
  gmtime_r(&seconds, &tm);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm);
  return text;
}

void LogPreviousState(const ControlFile& control) {
  std::string time = FormatWallTime(control.time_us);
  switch (control.state) {
    case ClusterState::kShutDown: Log(Severity::kLog, "database system was shut down at {}", time); break;
    case ClusterState::kShutDownInRecovery:
      Log(Severity::kLog, "database system was shut down in recovery at {}", time);
      break;
    case ClusterState::kShuttingDown:
      Log(Severity::kLog, "database system shutdown was interrupted; last known up at {}", time);
      break;
    case ClusterState::kInCrashRecovery:
      Log(Severity::kLog, "database system was interrupted while in recovery at {}", time);
      break;
    case ClusterState::kInArchiveRecovery:
      Log(Severity::kLog, "database system was interrupted while in recovery at log time {}", time);
      break;
    default: Log(Severity::kLog, "database system was interrupted; last known up at {}", time); break;
  }
}

// The minimum recovery point goes up before a page with a newer LSN is written, so that a crash in archive
// recovery knows how far it must replay before the files are consistent again.
void RaiseMinimumRecoveryPoint(Lsn page_lsn) {
  static thread_local uint64_t known = 0;
  RecoveryShared* shared = Recovery();
  if (!shared->archive_recovery.load(std::memory_order_relaxed) || page_lsn.value <= known) return;
  UpdateControlFile([&](ControlFile& control) {
    if (control.min_recovery_point < page_lsn.value) {
      control.min_recovery_point = std::max(page_lsn.value, ReplayedLsn().value);
      control.min_recovery_timeline = ReplayedTimeline();
    }
    known = control.min_recovery_point;
  });
}

void SegmentCompleted(uint64_t segment) {
  NotifyArchiver(WalSegmentName(WalTimeline(), segment));
  int slot = Recovery()->checkpointer_slot.load(std::memory_order_relaxed);
  if (slot < 0 || !CheckpointDueByWal(segment + 1)) return;
  {
    SpinGuard guard(Recovery()->checkpoint_lock);
    Recovery()->request_flags |= kCheckpointCauseWal;
  }
  SlotAt(slot).latch.Set();
}

}  // namespace

namespace {
void (*recovery_end)(void (*)()) = nullptr;
}

void BindRecoveryEnd(void (*action)(void (*)())) { recovery_end = action; }

void BindRecoveryHooks() {
  OnRecoveryFlush(RaiseMinimumRecoveryPoint);
  OnSegmentComplete(SegmentCompleted);
  BindStandbyLockConflict(ResolveLockConflict, LockConflictResolved);
  BindSettledWait([] {
    CheckStartupInterrupts();
    LookForPromoteTrigger();
    return PromotionRequested();
  });
  InstallRecoverySettingHooks();
  BindRecoveryConflictHandler();
}

void CheckStartupInterrupts() {
  CheckInterrupts();
  if (TakeInterrupt(Interrupt::kShutdown) || TakeInterrupt(Interrupt::kPromote)) RequestPromotion();
  if (InterruptPending(Interrupt::kTerminate)) {
    throw SqlError(ErrorCode::kAdminShutdown, "startup process is told to stop")
        .WithSeverity(Severity::kFatal);
  }
}

void LookForPromoteTrigger() {
  const std::string& file = GetString(Setting::kPromoteTriggerFile);
  if (file.empty() || PromotionRequested() || !PathExists(file)) return;
  Log(Severity::kLog, "promote trigger file found: {}", file);
  UnlinkIfExists(file);
  RequestPromotion();
}

int64_t PromoteTriggerPollMs() { return GetString(Setting::kPromoteTriggerFile).empty() ? -1 : 5000; }

// ---- what is to be done ----

namespace {

bool ParseLsnAfter(const std::string& text, const char* key, Lsn* lsn) {
  size_t at = text.find(key);
  unsigned high, low;
  if (at == std::string::npos ||
      std::sscanf(text.c_str() + at + std::strlen(key), " %X/%X", &high, &low) != 2)
    return false;
  *lsn = Lsn{uint64_t{high} << 32 | low};
  return true;
}

}  // namespace

bool ReadBackupLabel(BackupLabel* label) {
  std::string text;
  if (!TryReadWholeFile(kBackupLabel, &text)) return false;
  bool good = ParseLsnAfter(text, "START WAL LOCATION:", &label->start) &&
              ParseLsnAfter(text, "CHECKPOINT LOCATION:", &label->checkpoint);
  size_t at = text.find("START TIMELINE:");
  unsigned timeline = 1;
  if (at != std::string::npos) std::sscanf(text.c_str() + at, "START TIMELINE: %u", &timeline);
  label->timeline = timeline;
  label->from_standby = text.find("BACKUP FROM: standby") != std::string::npos;
  if (!good) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "invalid data in file \"{}\"", kBackupLabel)
        .WithSeverity(Severity::kFatal);
  }
  return true;
}

void StartupProcess::ReadSignals() {
  standby_ = PathExists(kStandbySignal);
  archive_ = standby_ || PathExists(kRecoverySignal);
  if (archive_ && !standby_ && GetString(Setting::kRestoreCommand).empty()) {
    throw SqlError(ErrorCode::kInvalidParameterValue,
                   "must specify restore_command when standby mode is not enabled")
        .WithSeverity(Severity::kFatal);
  }
  target_ = RecoveryTarget::FromSettings();  // malformed ones are told at every start
  if (archive_) {
    Recovery()->archive_recovery.store(true);
  }
  if (standby_)
    Log(Severity::kLog, "entering standby mode");
  else if (archive_)
    Log(Severity::kLog, "starting archive recovery");
}

TimelineHistory StartupProcess::ChooseHistory(TimelineId of_checkpoint, Lsn checkpoint) {
  if (!archive_) return ReadHistory(of_checkpoint);
  const std::string& wanted = GetString(Setting::kRecoveryTargetTimeline);
  TimelineId from = std::max(of_checkpoint, control_.min_recovery_timeline), target = from;
  if (wanted == "latest")
    target = FindNewestTimeline(from);
  else if (wanted != "current")
    target = static_cast<TimelineId>(std::strtoul(wanted.c_str(), nullptr, 10));
  if (target == 0 || !HistoryExists(target)) {
    throw SqlError(ErrorCode::kInvalidParameterValue, "recovery target timeline {} does not exist", wanted)
        .WithSeverity(Severity::kFatal);
  }
  TimelineHistory history = ReadHistory(target);
  if (TimelineOf(history, checkpoint) != of_checkpoint) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "requested timeline {} is not a child of this server's history", target)
        .WithDetail(
            fmt::format("Latest checkpoint is at {} on timeline {}.", checkpoint.ToString(), of_checkpoint))
        .WithSeverity(Severity::kFatal);
  }
  return history;
}

// Finds the checkpoint to start from: the backup label's, or the control file's.
void StartupProcess::LocateCheckpoint() {
  BackupLabel label;
  from_backup_ = ReadBackupLabel(&label);
  checkpoint_ = from_backup_ ? label.checkpoint : Lsn{control_.checkpoint};
  TimelineId timeline = from_backup_ ? label.timeline : control_.checkpoint_data.timeline;
  WalSupply::Options options{archive_, standby_, control_.system_id};
  supply_ = std::make_unique<WalSupply>(ChooseHistory(timeline, checkpoint_), options);
  reader_ = std::make_unique<WalReader>(supply_.get());
  reader_->Seek(checkpoint_);
  DecodedRecord record;
  ReadResult result;
  while ((result = reader_->Next(&record)) != ReadResult::kRecord && from_backup_ &&
         supply_->WaitForMore(checkpoint_)) {
  }
  bool good = result == ReadResult::kRecord && (record.kind == RecordKind::kCheckpointShutdown ||
                                                record.kind == RecordKind::kCheckpointOnline);
  if (!good) {
    ErrorFields fields;
    fields.severity = Severity::kFatal;
    fields.code = ErrorCode::kDataCorrupted;
    fields.message = from_backup_ ? "could not locate required checkpoint record"
                                  : "could not locate a valid checkpoint record";
    fields.detail = reader_->error();
    throw SqlError(std::move(fields));
  }
  checkpoint_data_ = record.Struct<CheckpointData>();
  checkpoint_end_ = record.end;
  clean_ = record.kind == RecordKind::kCheckpointShutdown && !from_backup_ &&
           control_.state == ClusterState::kShutDown;
  if (from_backup_) AdoptBackup(label);
}

void StartupProcess::AdoptBackup(const BackupLabel& label) {
  UpdateControlFile([&](ControlFile& control) {
    control.checkpoint = checkpoint_.value;
    control.checkpoint_data = checkpoint_data_;
    control.state = archive_ ? ClusterState::kInArchiveRecovery : ClusterState::kInCrashRecovery;
    control.backup_start = label.start.value;
    control.backup_end_required = !label.from_standby;
    control.min_recovery_point = std::max(control.min_recovery_point, label.start.value);
    control.min_recovery_timeline = label.timeline;
  });
  DurableRename(kBackupLabel, "backup_label.old");
  control_ = GetControlFile();
}

bool StartupProcess::RecoveryIsNeeded() const {
  if (archive_ || from_backup_) return true;
  return !clean_ || Lsn{checkpoint_data_.redo} < checkpoint_;
}

// ---- replay ----

void StartupProcess::PrepareReplay() {
  RecoveryShared* shared = Recovery();
  shared->redo.store(checkpoint_data_.redo);
  shared->replayed_timeline.store(checkpoint_data_.timeline);
  shared->replayed.store(RecoveryIsNeeded() ? checkpoint_data_.redo : 0);
  for (const CheckpointPart& part : CheckpointParts()) {
    if (part.restore != nullptr) part.restore(checkpoint_data_);
  }
  RemoveTemporaryRelationFiles();
  if (!RecoveryIsNeeded()) return;
  if (!archive_)
    Log(Severity::kLog, "database system was not properly shut down; automatic recovery in progress");
  UpdateControlFile([&](ControlFile& control) {
    control.state = archive_ ? ClusterState::kInArchiveRecovery : ClusterState::kInCrashRecovery;
  });
  ResetUnloggedRelations(false);
  if (standby_ && !GetString(Setting::kPrimaryConninfo).empty()) AnnounceSettled(LoadAnnouncedSettled());
  if (archive_) NotifyPostmaster(PostmasterRequest::kRecoveryStarted);
  // Alone, this process keeps the list of files to be synced; else the checkpointer does.
  if (!HasPostmaster()) BecomeSyncOwner();
}

void StartupProcess::CheckConsistency() {
  RecoveryShared* shared = Recovery();
  if (!archive_ || shared->consistent.load(std::memory_order_relaxed) ||
      ReplayedLsn() < look_for_consistency_)
    return;
  ControlFile control = GetControlFile();
  look_for_consistency_ = Lsn{control.min_recovery_point};
  if (control.backup_end_required != 0 || ReplayedLsn().value < control.min_recovery_point) return;
  dispatcher_->CheckMissing();
  shared->consistent.store(true);
  Log(Severity::kLog, "consistent recovery state reached at {}", ReplayedLsn().ToString());
  if (!GetBool(Setting::kHotStandby)) return;
  dispatcher_->set_hot_standby(true);
  NotifyPostmaster(PostmasterRequest::kRecoveryConsistent);
}

void StartupProcess::HonourPause() {
  RecoveryShared* shared = Recovery();
  dispatcher_->Drain();
  while (shared->pause.load() != ReplayPause::kNotPaused && !PromotionRequested()) {
    ReplayPause requested = ReplayPause::kPauseRequested;
    if (shared->pause.compare_exchange_strong(requested, ReplayPause::kPaused)) {
      Log(Severity::kLog, "recovery has paused");
    }
    self().latch.Reset();
    CheckStartupInterrupts();
    LookForPromoteTrigger();
    if (shared->pause.load() != ReplayPause::kNotPaused) WaitLatch(1000, WaitEvent::kRecoveryPause);
  }
}

void StartupProcess::HonourDelay(const DecodedRecord& record) {
  int64_t delay_ms = GetInt(Setting::kRecoveryMinApplyDelay);
  TimestampUs time;
  if (delay_ms <= 0 || !archive_ || !RecoveryIsConsistent() || !TransactionEndTime(record, &time)) return;
  for (;;) {
    int64_t wait_ms = (time + delay_ms * 1000 - WallClockUs()) / 1000;
    if (wait_ms <= 0 || PromotionRequested()) return;
    dispatcher_->Pause();
    self().latch.Reset();
    CheckStartupInterrupts();
    LookForPromoteTrigger();
    WaitLatch(std::min<int64_t>(wait_ms, 1000), WaitEvent::kRecoveryApplyDelay);
  }
}

// What the primary has not announced as settled is not shown (I8). After a restart it must be heard first, and replay would
// wait for it with nobody listening.
void StartupProcess::HearPrimary(const DecodedRecord& record) {
  TimestampUs time;
  bool must_wait = standby_ && RecoveryIsConsistent() && record.end > AnnouncedSettledLsn() &&
                   TransactionEndTime(record, &time);
  if (must_wait && !supply_->streaming()) supply_->StartStreaming(record.end);
}

void StartupProcess::ApplyRecord(const DecodedRecord& record) {
  HonourDelay(record);
  HearPrimary(record);
  dispatcher_->Dispatch(record);
  if (archive_) CheckConsistency();
}

// Applies records until the log ends, a target is reached or promotion is asked for.
void StartupProcess::Replay() {
  dispatcher_ = std::make_unique<RedoDispatcher>(!GetString(Setting::kWalConsistencyChecking).empty());
  supply_->set_before_restore([this] { dispatcher_->Drain(); });
  Lsn redo{checkpoint_data_.redo};
  reader_->Seek(redo);
  Log(Severity::kLog, "redo starts at {}", redo.ToString());
  int64_t start_us = MonotonicUs();
  int64_t told_us = start_us;
  uint32_t records = 0;
  // A standby replays for ever.
  auto tell_progress = [&] {
    if (++records % kLookAtClockEvery != 0) return;
    int64_t interval_ms = standby_ ? 0 : GetInt(Setting::kLogStartupProgressInterval);
    if (interval_ms <= 0) return;
    int64_t now_us = MonotonicUs();
    if (now_us - told_us < interval_ms * 1000) return;
    told_us = now_us;
    Log(Severity::kLog, "redo in progress, elapsed time: {:.2f} s, current LSN: {}",
        static_cast<double>(now_us - start_us) / 1e6, ReplayedLsn().ToString());
  };
  DecodedRecord record;
  CheckConsistency();
  for (bool going = true; going;) {
    if (reader_->NextInPlace(&record) != ReadResult::kRecord) {
      if (supply_->MuchIsComing(reader_->position()))
        dispatcher_->Drain();
      else
        dispatcher_->Pause();
      if (!RecoveryIsConsistent()) CheckConsistency();
      going = supply_->WaitForMore(reader_->position());
      continue;
    }
    CheckStartupInterrupts();
    tell_progress();
    if (Recovery()->pause.load(std::memory_order_relaxed) != ReplayPause::kNotPaused) HonourPause();
    if (ReachedTarget(record)) break;
    // Archive recovery without standby mode also ends on request.
    if (PromotionRequested() && !standby_ && RecoveryIsConsistent()) break;
  }
  dispatcher_->Drain();
  if (archive_) CheckConsistency();
  end_ = std::max(ReplayedLsn(), redo);
  Log(Severity::kLog, "redo done at {} system usage: elapsed: {:.2f} s", end_.ToString(),
      static_cast<double>(MonotonicUs() - start_us) / 1e6);
}

// Applies the record unless the target lies before it; true if replay ends here.
bool StartupProcess::ReachedTarget(const DecodedRecord& record) {
  bool looking = target_.kind != TargetKind::kNone && archive_;
  if (looking && target_.kind == TargetKind::kImmediate && RecoveryIsConsistent()) {
    target_.reached = "after reaching consistency";
  } else if (looking && target_.StopsBefore(record)) {
  } else {
    ApplyRecord(record);
    if (!looking || !target_.StopsAfter(record)) return false;
  }
  Log(Severity::kLog, "recovery stopping {}", target_.reached);
  return ActAtTarget();
}

bool StartupProcess::ActAtTarget() {
  dispatcher_->Drain();
  CheckConsistency();
  auto action = GetEnum<RecoveryTargetAction>(Setting::kRecoveryTargetAction);
  if (action == RecoveryTargetAction::kShutdown) {
    NotifyPostmaster(PostmasterRequest::kShutdown, 15);
    throw SqlError(ErrorCode::kAdminShutdown, "shutting down because recovery_target_action is shutdown")
        .WithSeverity(Severity::kFatal);
  }
  if (action == RecoveryTargetAction::kPause && RecoveryIsConsistent() && GetBool(Setting::kHotStandby)) {
    Log(Severity::kLog, "pausing at the end of recovery");
    SetReplayPause(true);
    HonourPause();
  }
  return true;
}

// ---- the end of recovery ----

void StartupProcess::CheckReplayedEnough() {
  if (!RecoveryIsNeeded()) return;
  ControlFile control = GetControlFile();
  if (control.backup_end_required != 0) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "WAL ends before end of online backup")
        .WithHint("All WAL generated while online backup was taken must be available at recovery.")
        .WithSeverity(Severity::kFatal);
  }
  if (archive_ && end_.value < control.min_recovery_point) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "WAL ends before consistent recovery point")
        .WithSeverity(Severity::kFatal);
  }
  bool target_missed = archive_ && target_.kind != TargetKind::kNone &&
                       target_.kind != TargetKind::kImmediate && target_.reached.empty();
  if (target_missed && !PromotionRequested()) {
    throw SqlError(ErrorCode::kConfigFileError,
                   "recovery ended before configured recovery target was reached")
        .WithSeverity(Severity::kFatal);
  }
  dispatcher_->CheckMissing();
  dispatcher_->Dismiss();
}

// Archive recovery continues on a timeline of its own, so that it cannot collide with what it left behind.
TimelineId StartupProcess::ChooseTimeline() {
  TimelineId old = TimelineOf(supply_->history(), Lsn{end_.value - 1});
  if (!archive_) return old;
  TimelineId fresh = FindNewestTimeline(supply_->history().back().timeline) + 1;
  Log(Severity::kLog, "selected new timeline ID: {}", fresh);
  CopyWalSegment(old, fresh, end_, control_.system_id);
  TimelineHistory parent;
  for (const TimelineSpan& span : supply_->history()) {
    parent.push_back(span);
    if (span.timeline == old) break;
  }
  WriteHistory(fresh, parent, end_,
               target_.reached.empty() ? "no recovery target specified" : target_.reached);
  MaybeFault(FaultPoint::kPromotionHistoryWritten);
  return fresh;
}

void StartupProcess::FinishArchiveRecovery() {
  UnlinkIfExists(kPromoteRequest);
  for (const char* signal : {kStandbySignal, kRecoverySignal}) {
    if (UnlinkIfExists(signal)) FsyncDirectory(".");
  }
  const std::string& command = GetString(Setting::kRecoveryEndCommand);
  if (!command.empty()) {
    int status = RunShellCommand(ExpandCommand(command, "", "", ""));
    if (status != 0)
      Log(Severity::kWarning, "recovery_end_command \"{}\" {}", command, DescribeWaitStatus(status));
  }
  Log(Severity::kLog, "archive recovery complete");
}

namespace {

// Started before or with this process, it may still be on its way. A process without postmaster has none.
void AwaitCheckpointer() {
  while (HasPostmaster() && Recovery()->checkpointer_slot.load() < 0) {
    self().latch.Reset();
    WaitLatch(10, WaitEvent::kCheckpointStart);
    CheckStartupInterrupts();
  }
}

void LogEndOfRecovery(TimelineId timeline, TimelineId previous) {
  EndOfRecoveryRecord body{WallClockUs(), timeline, previous};
  WalRecord record(RecordKind::kEndOfRecovery);
  record.SetXid(kInvalidXid);
  record.AddStruct(body);
  Flush(record.Insert());
}

}  // namespace

namespace {

void CheckpointTheRecovered() {
  RequestCheckpoint(kCheckpointEndOfRecovery | kCheckpointForce | kCheckpointImmediate | kCheckpointWait);
}

}  // namespace

// Where the next recovery would begin: changes of pages log images from there on. After a crash nothing moves it any more once the
// state says so, until there is a checkpoint.
Lsn StartupProcess::FixRedoPoint(bool after_crash) {
  if (!after_crash) return Lsn{checkpoint_data_.redo};
  UpdateControlFile([](ControlFile& control) { control.state = ClusterState::kInProduction; });
  Lsn redo{GetControlFile().checkpoint_data.redo};
  Recovery()->redo.store(redo.value);
  return redo;
}

void StartupProcess::OpenForWriting() {
  supply_->StopStreaming();
  TimelineId previous = TimelineOf(supply_->history(), Lsn{end_.value - 1});
  // Durable before the first write of the new primary: an old one that comes back is in a lower term.
  if (archive_) BeginTerm();
  TimelineId timeline = ChooseTimeline();
  bool recovered = RecoveryIsNeeded(), after_crash = recovered && !archive_ && !from_backup_;
  if (recovered) ResetUnloggedRelations(true);
  OpenWalForWriting({end_, timeline, control_.system_id, FixRedoPoint(after_crash)});
  if (recovered) LogEndOfRecovery(timeline, previous);
  MaybeFault(FaultPoint::kRecoveryWalOpened);
  MaybeFault(FaultPoint::kPromotionLogOpened);
  TxnEndRecovery(end_, clean_ && !recovered);
  AwaitCheckpointer();
  if (archive_) {
    RequestCheckpoint(kCheckpointForce | kCheckpointImmediate | kCheckpointWait);
    MaybeFault(FaultPoint::kPromotionCheckpointed);
    Recovery()->archive_recovery.store(false);
    FinishArchiveRecovery();
  } else if (from_backup_) {
    CheckpointTheRecovered();
  } else if (!recovered) {
    UpdateControlFile([](ControlFile& control) { control.state = ClusterState::kInProduction; });
    Recovery()->last_checkpoint_end.store(end_.value);
  }
  MaybeFault(FaultPoint::kRecoveryInProduction);
  if (recovered && recovery_end != nullptr) recovery_end(CheckpointTheRecovered);
  LogParameterChange();
  // Nobody waits for it: another crash before its end replays the same once more, and what has come since.
  if (after_crash) RequestCheckpoint(kCheckpointForce | kCheckpointImmediate);
}

void StartupProcess::Run() {
  control_ = ReadControlFile();
  Recovery()->control = control_;
  Recovery()->term.store(control_.term);
  Recovery()->startup_slot.store(self_slot(), std::memory_order_release);
  RefuseFencedStart();
  LogPreviousState(control_);
  ReadSignals();
  Recovery()->owns_term.store(!archive_);
  RestoreReplicationSlots();
  UnlinkIfExists(kPromoteRequest);  // of an earlier run
  LocateCheckpoint();
  PrepareReplay();
  end_ = checkpoint_end_;
  if (RecoveryIsNeeded()) Replay();
  MaybeFault(FaultPoint::kRecoveryReplayed);
  CheckReplayedEnough();
  OpenForWriting();
  Recovery()->startup_slot.store(-1);
  ReleaseAllPins();
  CloseAllRelationFiles();
}

void RunStartup() {
  BindReplayWaits();
  StartupProcess startup;
  startup.Run();
}

}  // namespace walden
