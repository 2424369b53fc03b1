#include "node/recovery/backup.h"

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "node/recovery/archive.h"
#include "node/recovery/checkpoint.h"
#include "node/recovery/control_file.h"
#include "node/recovery/recovery_state.h"
#include "node/recovery/xlog_records.h"
#include "node/shm/process.h"
#include "node/txn/txn_state.h"
#include "node/wal/record_builder.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

std::string NowText() {
  std::time_t now = std::time(nullptr);
  std::tm tm;
  gmtime_r(&now, &tm);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm);
  return text;
}

std::string LabelFile(const BackupStart& start, const std::string& label) {
  return fmt::format(
      "START WAL LOCATION: {} (file {})\nCHECKPOINT LOCATION: {}\nBACKUP METHOD: streamed\nBACKUP FROM: "
      "{}\nSTART TIME: {}\n"
      "LABEL: {}\nSTART TIMELINE: {}\n",
      start.start.ToString(), WalSegmentName(start.timeline, SegmentOf(start.start)),
      start.checkpoint.ToString(), start.from_standby ? "standby" : "primary", NowText(), label,
      start.timeline);
}

SqlError PromotedMeanwhile() {
  return SqlError(ErrorCode::kObjectNotInPrerequisiteState, "the standby was promoted during online backup")
      .WithHint(
          "This means that the backup being taken is corrupt and should not be used. Try taking another "
          "online backup.");
}

// "000000010000000000000002.00000028.backup"
std::string BackupHistoryName(const BackupStart& start) {
  return fmt::format("{}.{:08X}.backup", WalSegmentName(start.timeline, SegmentOf(start.start)),
                     OffsetInSegment(start.start));
}

// What the archive knows about the backup: the label, and where it ended. Once it is archived, those before it have no
// use here.
void WriteBackupHistory(const BackupStart& start, const BackupStop& stop) {
  std::string stop_line = fmt::format("STOP WAL LOCATION: {} (file {})\n", stop.stop.ToString(),
                                      WalSegmentName(stop.timeline, SegmentOf(Lsn{stop.stop.value - 1})));
  std::string text = start.label_file;
  size_t first_line = std::min(text.find('\n'), text.size() - 1) + 1;
  text.insert(first_line, stop_line);
  text += fmt::format("STOP TIME: {}\nSTOP TIMELINE: {}\n", NowText(), stop.timeline);
  std::string name = BackupHistoryName(start);
  WriteWholeFileDurably("pg_wal/" + name, text);
  NotifyArchiver(name);
  for (const std::string& other : ListDirectory("pg_wal")) {
    if (!other.ends_with(".backup") || other == name || !MayRecycle(other)) continue;
    UnlinkIfExists("pg_wal/" + other);
    ForgetArchiveStatus(other);
  }
}

std::string TablespaceMap() {
  std::string map;
  for (const std::string& name : ListDirectory("pg_tblspc")) {
    std::string target;
    if (fs().ReadLink(("pg_tblspc/" + name).c_str(), &target) >= 0)
      map += fmt::format("{} {}\n", name, target);
  }
  return map;
}

}  // namespace

OnlineBackup::~OnlineBackup() { Release(); }

void OnlineBackup::Release() {
  if (forced_images_) ForcePageImages(false);
  forced_images_ = begun_ = started_ = resumed_ = false;
}

void OnlineBackup::Resume(const BackupStart& start, bool fast) {
  if (start.from_standby != InRecovery()) throw PromotedMeanwhile();
  Begin({}, fast);
  start_ = start;
  resumed_ = true;
}

void OnlineBackup::Begin(const std::string& label, bool fast) {
  label_ = label;
  begun_ = true;
  from_standby_ = InRecovery();
  if (from_standby_) return;
  // Images of every page changed from here on: the copy may catch a page half written.
  ForcePageImages(true);
  forced_images_ = true;
  checkpoint_ = AskForCheckpoint(kCheckpointForce | kCheckpointWait | (fast ? kCheckpointImmediate : 0u));
}

bool OnlineBackup::Started() {
  if (started_) return true;
  if (!from_standby_ && !CheckpointIsDone(&checkpoint_)) return false;
  if (resumed_) return started_ = true;
  ControlFile control = GetControlFile();
  start_.start = Lsn{control.checkpoint_data.redo};
  start_.checkpoint = Lsn{control.checkpoint};
  start_.timeline = control.checkpoint_data.timeline;
  start_.from_standby = from_standby_;
  start_.label_file = LabelFile(start_, label_);
  return started_ = true;
}

void OnlineBackup::AwaitStart() {
  if (!from_standby_) AwaitCheckpoint(&checkpoint_);
  Started();
}

BackupStop OnlineBackup::Stop() {
  BackupStop stop;
  if (from_standby_) {
    if (!InRecovery()) throw PromotedMeanwhile();
    // Whatever the copied files hold was replayed by now.
    stop = {ReplayedLsn(), ReplayedTimeline(), start_.label_file, TablespaceMap()};
  } else {
    BackupEndRecord body{start_.start.value};
    WalRecord record(RecordKind::kBackupEnd);
    record.SetXid(kInvalidXid);
    record.AddStruct(body);
    stop = {record.Insert(), WalTimeline(), start_.label_file, TablespaceMap()};
    SwitchWalSegment();
    Flush(InsertPosition());
    WriteBackupHistory(start_, stop);
  }
  Release();
  return stop;
}

// ---- the backup of this process: pg_backup_start ----

namespace {

thread_local std::optional<OnlineBackup> own_backup;

}  // namespace

bool BackupIsRunning() { return own_backup.has_value(); }

BackupStart StartBackup(const std::string& label, bool fast) {
  if (own_backup)
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "a backup is already in progress in this session");
  static thread_local bool exit_handler = false;
  if (!std::exchange(exit_handler, true)) OnProcessExit(AbortBackup);
  OnlineBackup& backup = own_backup.emplace();
  try {
    backup.Begin(label, fast);
    backup.AwaitStart();
  } catch (...) {
    AbortBackup();
    throw;
  }
  return backup.start();
}

BackupStop StopBackup() {
  if (!own_backup) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "backup is not in progress")
        .WithHint("Did you call pg_backup_start()?");
  }
  struct End {
    ~End() { AbortBackup(); }
  } end;
  return own_backup->Stop();
}

void AbortBackup() { own_backup.reset(); }

}  // namespace walden
