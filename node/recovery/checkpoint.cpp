#include "node/recovery/checkpoint.h"

#include <unistd.h>

#include <algorithm>

#include "node/base/check.h"
#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/buffer/redo.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/recovery/archive.h"
#include "node/recovery/checkpoint_pace.h"
#include "node/recovery/recovery_shared.h"
#include "node/recovery/replication_slots.h"
#include "node/shm/interrupts.h"
#include "node/stats/counters.h"
#include "node/storage/sync_queue.h"
#include "node/wal/checkpoint_parts.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

uint64_t WalSegments(int64_t megabytes) {
  return static_cast<uint64_t>(megabytes) * 1024 * 1024 / kWalSegmentSize;
}

// As much WAL per checkpoint as keeps the whole below max_wal_size while one checkpoint is being spread.
uint64_t CheckpointSegments() {
  double target = GetReal(Setting::kCheckpointCompletionTarget);
  return std::max<uint64_t>(
      1,
      static_cast<uint64_t>(static_cast<double>(WalSegments(GetInt(Setting::kMaxWalSize))) / (1.0 + target)));
}

std::string DescribeFlags(uint32_t flags) {
  std::string text;
  auto add = [&](uint32_t flag, const char* word) {
    if ((flags & flag) != 0) text += word;
  };
  add(kCheckpointShutdownFlag, " shutdown");
  add(kCheckpointEndOfRecovery, " end-of-recovery");
  add(kCheckpointImmediate, " immediate");
  add(kCheckpointForce, " force");
  add(kCheckpointWait, " wait");
  add(kCheckpointCauseWal, " wal");
  add(kCheckpointCauseTime, " time");
  add(kCheckpointFlushAll, " flush-all");
  return text;
}

struct Report {
  int64_t start_us = 0, write_us = 0, sync_us = 0, end_us = 0;
  int written = 0, synced = 0;

  void Log(const char* what) const {
    if (!GetBool(Setting::kLogCheckpoints)) return;
    double buffers = SharedBufferCount();
    walden::Log(Severity::kLog,
                "{} complete: wrote {} buffers ({:.1f}%); write={:.3f} s, sync={:.3f} s, total={:.3f} s; "
                "sync files={}",
                what, written, 100.0 * written / buffers, static_cast<double>(write_us - start_us) / 1e6,
                static_cast<double>(sync_us - write_us) / 1e6, static_cast<double>(end_us - start_us) / 1e6,
                synced);
  }
};

// Steps 4 and 5: writes and fsyncs all that was dirty at the redo point.
void WriteEverything(uint32_t flags, Report* report) {
  bool shutdown = (flags & (kCheckpointShutdownFlag | kCheckpointEndOfRecovery)) != 0;
  report->start_us = MonotonicUs();
  BeginSyncCycle();
  for (const CheckpointPart& part : CheckpointParts()) {
    if (part.flush != nullptr) part.flush(shutdown);
  }
  SaveReplicationSlots();
  BeginPacing(flags);
  report->written = WriteDirtyBuffers(shutdown || (flags & kCheckpointFlushAll) != 0, PaceCheckpoint);
  report->write_us = MonotonicUs();
  report->synced = SyncPendingFiles();
  report->sync_us = MonotonicUs();
  Count(NodeCounter::kCheckpointWriteUs, static_cast<uint64_t>(report->write_us - report->start_us));
  Count(NodeCounter::kCheckpointSyncUs, static_cast<uint64_t>(report->sync_us - report->write_us));
}

Lsn InsertCheckpointRecord(const CheckpointData& data, bool shutdown, Lsn* start) {
  WalRecord record(shutdown ? RecordKind::kCheckpointShutdown : RecordKind::kCheckpointOnline);
  record.SetXid(kInvalidXid);
  record.AddStruct(data);
  Lsn end = record.Insert();
  Flush(end);
  *start = record.start();
  return end;
}

// How much WAL to keep ready as recycled segments: what a checkpoint's interval used lately (rising at once,
// falling slowly), within min_wal_size and max_wal_size.
uint64_t SegmentsAhead(Lsn redo) {
  static thread_local uint64_t last_redo = 0;
  static thread_local double estimate = 0;
  double distance =
      last_redo != 0 && redo.value > last_redo ? static_cast<double>(redo.value - last_redo) : 0;
  last_redo = redo.value;
  estimate = distance > estimate ? distance : 0.9 * estimate + 0.1 * distance;
  double until_next = estimate * (1 + GetReal(Setting::kCheckpointCompletionTarget)) * 1.1;
  uint64_t wanted = static_cast<uint64_t>(until_next) / kWalSegmentSize + 1;
  uint64_t least = std::max<uint64_t>(WalSegments(GetInt(Setting::kMinWalSize)), 3);
  return std::clamp(wanted, least, std::max(least, WalSegments(GetInt(Setting::kMaxWalSize))));
}

void CleanUpAfter(const CheckpointData& data) {
  UnlinkPendingFiles();
  for (const CheckpointPart& part : CheckpointParts()) {
    if (part.after != nullptr) part.after(data);
  }
  Lsn redo{data.redo};
  uint64_t oldest = OldestNeededSegment(redo);
  InvalidateSlotsBelow(oldest);
  RecycleWalSegments(oldest, SegmentOf(redo) + SegmentsAhead(redo), data.timeline, MayRecycle,
                     ForgetArchiveStatus);
}

// archive_cleanup_command: the archive may forget what no restart of this standby needs.
void RunArchiveCleanup(const CheckpointData& data) {
  const std::string& command = GetString(Setting::kArchiveCleanupCommand);
  if (command.empty()) return;
  std::string oldest = WalSegmentName(data.timeline, SegmentOf(Lsn{data.redo}));
  int status = RunShellCommand(ExpandCommand(command, "", "", oldest));
  if (status != 0)
    Log(Severity::kWarning, "archive_cleanup_command \"{}\" {}", command, DescribeWaitStatus(status));
}

CheckpointData Collect(bool shutdown) {
  CheckpointData data{};
  data.wall_time_us = static_cast<uint64_t>(WallClockUs());
  data.timeline = WalTimeline();
  data.previous_timeline = GetControlFile().checkpoint_data.timeline;
  if ((data.previous_timeline == 0) || data.previous_timeline > data.timeline)
    data.previous_timeline = data.timeline;
  data.full_page_writes = GetBool(Setting::kFullPageWrites);
  for (const CheckpointPart& part : CheckpointParts()) {
    if (part.save != nullptr) part.save(&data, shutdown);
  }
  if (shutdown) data.oldest_running_xid = 0;  // nothing runs: what recovery meets after this is new
  return data;
}

}  // namespace

bool CheckpointDueByWal(uint64_t current_segment) {
  Lsn redo{Recovery()->redo.load()};
  return redo.IsValid() && current_segment >= SegmentOf(redo) + CheckpointSegments();
}

Lsn LastCheckpointRedo() { return Lsn{Recovery()->redo.load(std::memory_order_acquire)}; }

namespace {

// What slots keep, within max_slot_wal_keep_size.
uint64_t OldestSlotSegment(Lsn end) {
  Lsn needed = OldestSlotWal();
  if (needed == kMaxLsn) return UINT64_MAX;
  int64_t limit = GetInt(Setting::kMaxSlotWalKeepSize);
  uint64_t most = limit < 0 ? UINT64_MAX : WalSegments(limit), current = SegmentOf(end);
  return current > most ? std::max(SegmentOf(needed), current - most) : SegmentOf(needed);
}

}  // namespace

uint64_t OldestNeededSegment(Lsn redo) {
  uint64_t oldest = SegmentOf(redo);
  Lsn end = WalIsWritable() ? FlushedLsn() : ReplayedLsn();
  uint64_t kept = WalSegments(GetInt(Setting::kWalKeepSize));
  if (kept > 0) oldest = std::min(oldest, SegmentOf(end) > kept ? SegmentOf(end) - kept : 0);
  for (const CheckpointPart& part : CheckpointParts()) {
    if (part.oldest_needed == nullptr) continue;
    Lsn needed = part.oldest_needed();
    if (needed.IsValid() && needed != kMaxLsn) oldest = std::min(oldest, SegmentOf(needed));
  }
  return std::min(oldest, OldestSlotSegment(end));
}

bool PerformCheckpoint(uint32_t flags) {
  RecoveryShared* shared = Recovery();
  bool final = (flags & kCheckpointShutdownFlag) != 0;
  Lsn last_end = Lsn{shared->last_checkpoint_end.load()};
  if (!final && (flags & kCheckpointForce) == 0 && InsertPosition() == last_end) return false;
  if (GetBool(Setting::kLogCheckpoints)) Log(Severity::kLog, "checkpoint starting:{}", DescribeFlags(flags));
  if (final) UpdateControlFile([](ControlFile& control) { control.state = ClusterState::kShuttingDown; });

  CheckpointData data;
  Report report;
  Lsn redo;
  if (final) {
    // Nobody inserts: the redo point is the record itself, wherever the flushes below leave the position.
    BeginRedoEpoch();
    WriteEverything(flags, &report);
    redo = BeginRedoEpoch();
    data = Collect(true);
  } else {
    redo = BeginRedoEpoch();
    data = Collect(false);
    MaybeFault(FaultPoint::kCheckpointRedoFixed);
    WaitForCheckpointDelays();
    WriteEverything(flags, &report);
  }
  data.redo = redo.value;
  Lsn start;
  MaybeFault(FaultPoint::kCheckpointPagesWritten);
  Lsn end = InsertCheckpointRecord(data, final, &start);
  CHECK(!final || start == redo);
  MaybeFault(FaultPoint::kCheckpointRecordFlushed);
  if (final) CloseWalForWriting();
  UpdateControlFile([&](ControlFile& control) {
    control.state = final ? ClusterState::kShutDown : ClusterState::kInProduction;
    control.checkpoint = start.value;
    control.checkpoint_data = data;
    control.min_recovery_point = 0;
    control.min_recovery_timeline = 0;
    control.backup_start = control.backup_end = 0;
    control.backup_end_required = 0;
  });
  shared->redo.store(redo.value);
  shared->last_checkpoint_end.store(end.value);
  MaybeFault(FaultPoint::kCheckpointControlWritten);
  CleanUpAfter(data);
  MaybeFault(FaultPoint::kCheckpointCleanedUp);
  report.end_us = MonotonicUs();
  report.Log("checkpoint");
  return true;
}

bool PerformRestartpoint(uint32_t flags) {
  RecoveryShared* shared = Recovery();
  CheckpointData data;
  uint64_t checkpoint;
  {
    SpinGuard guard(shared->restart_lock);
    data = shared->restart_data;
    checkpoint = shared->restart_checkpoint;
  }
  if (checkpoint == 0 || data.redo <= GetControlFile().checkpoint_data.redo) return false;
  if (GetBool(Setting::kLogCheckpoints))
    Log(Severity::kLog, "restartpoint starting:{}", DescribeFlags(flags));
  Report report;
  WriteEverything(flags, &report);
  bool counts = false;
  UpdateControlFile([&](ControlFile& control) {
    if (control.state == ClusterState::kInProduction) return;  // recovery has ended meanwhile
    counts = true;
    control.checkpoint = checkpoint;
    control.checkpoint_data = data;
    // What was replayed is on disk now: consistency needs at least that.
    control.min_recovery_point = std::max(control.min_recovery_point, ReplayedLsn().value);
    control.min_recovery_timeline = ReplayedTimeline();
    if ((flags & kCheckpointShutdownFlag) != 0) control.state = ClusterState::kShutDownInRecovery;
  });
  if (!counts) return false;
  shared->redo.store(data.redo);
  CleanUpAfter(data);
  report.end_us = MonotonicUs();
  report.Log("restartpoint");
  RunArchiveCleanup(data);
  return true;
}

// ---- requests ----

namespace {

bool DoesCheckpointsItself(RecoveryShared* shared) {
  int slot = shared->checkpointer_slot.load();
  return slot < 0 || slot == self_slot();
}

void PerformHere(uint32_t flags) {
  BecomeSyncOwner();
  if (WalIsWritable())
    PerformCheckpoint(flags | kCheckpointImmediate);
  else
    PerformRestartpoint(flags | kCheckpointImmediate);
}

}  // namespace

CheckpointTicket AskForCheckpoint(uint32_t flags) {
  RecoveryShared* shared = Recovery();
  CheckpointTicket ticket;
  if (DoesCheckpointsItself(shared)) {
    PerformHere(flags);
    ticket.done = true;
    return ticket;
  }
  {
    SpinGuard guard(shared->checkpoint_lock);
    ticket.started_before = shared->started;
    ticket.failed_before = shared->failed;
    shared->request_flags |= flags;
  }
  SlotAt(shared->checkpointer_slot.load()).latch.Set();
  return ticket;
}

bool CheckpointIsDone(CheckpointTicket* ticket) {
  RecoveryShared* shared = Recovery();
  uint64_t failed;
  if (ticket->done) return true;
  {
    SpinGuard guard(shared->checkpoint_lock);
    // Not one that was already running: it may have fixed its redo point before what the caller needs.
    if (ticket->mine == 0 && shared->started > ticket->started_before) ticket->mine = shared->started;
    if (ticket->mine == 0 || shared->done < ticket->mine) return false;
    failed = shared->failed;
  }
  if (failed > ticket->failed_before) {
    throw SqlError(ErrorCode::kSystemError, "checkpoint request failed")
        .WithHint("Consult recent messages in the server log for details.");
  }
  return ticket->done = true;
}

void AwaitCheckpoint(CheckpointTicket* ticket) {
  RecoveryShared* shared = Recovery();
  auto begun = [&] { return CheckpointIsDone(ticket) || ticket->mine != 0; };
  shared->started_waiting.Wait(WaitEvent::kCheckpointStart, begun);
  shared->done_waiting.Wait(WaitEvent::kCheckpointDone, [&] { return CheckpointIsDone(ticket); });
}

void RequestCheckpoint(uint32_t flags) {
  CheckpointTicket ticket = AskForCheckpoint(flags);
  if ((flags & kCheckpointWait) != 0) AwaitCheckpoint(&ticket);
}

}  // namespace walden
