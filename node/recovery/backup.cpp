#include "node/recovery/backup.h"

#include <ctime>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/os/file.h"
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

struct Running {
  bool active = false;
  bool forced_images = false;
  bool exit_handler = false;
  BackupStart start;
};
thread_local Running running;

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

std::string TablespaceMap() {
  std::string map;
  for (const std::string& name : ListDirectory("pg_tblspc")) {
    std::string target;
    if (fs().ReadLink(("pg_tblspc/" + name).c_str(), &target) >= 0) map += fmt::format("{} {}\n", name, target);
  }
  return map;
}

}  // namespace

bool BackupIsRunning() { return running.active; }

BackupStart StartBackup(const std::string& label, bool fast) {
  if (running.active)
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                   "a backup is already in progress in this session");
  if (!running.exit_handler) {
    OnProcessExit(AbortBackup);
    running.exit_handler = true;
  }
  bool standby = InRecovery();
  running.active = true;
  if (!standby) {
    // Images of every page changed from here on: the copy may catch a page half written.
    ForcePageImages(true);
    running.forced_images = true;
    RequestCheckpoint(kCheckpointForce | kCheckpointWait | (fast ? kCheckpointImmediate : 0u));
  }
  ControlFile control = GetControlFile();
  BackupStart start;
  start.start = Lsn{control.checkpoint_data.redo};
  start.checkpoint = Lsn{control.checkpoint};
  start.timeline = control.checkpoint_data.timeline;
  start.from_standby = standby;
  start.label_file = LabelFile(start, label);
  running.start = start;
  return start;
}

BackupStop StopBackup() {
  if (!running.active) {
    throw SqlError(ErrorCode::kObjectNotInPrerequisiteState, "backup is not in progress")
        .WithHint("Did you call pg_backup_start()?");
  }
  BackupStop stop;
  if (running.start.from_standby) {
    if (!InRecovery()) {
      AbortBackup();
      throw SqlError(ErrorCode::kObjectNotInPrerequisiteState,
                     "the standby was promoted during online backup")
          .WithHint(
              "This means that the backup being taken is corrupt and should not be used. Try taking another "
              "online backup.");
    }
    // Whatever the copied files hold was replayed by now.
    stop = {ReplayedLsn(), ReplayedTimeline(), running.start.label_file, TablespaceMap()};
    AbortBackup();
    return stop;
  }
  BackupEndRecord body{running.start.start.value};
  WalRecord record(RecordKind::kBackupEnd);
  record.SetXid(kInvalidXid);
  record.AddStruct(body);
  stop = {record.Insert(), WalTimeline(), running.start.label_file, TablespaceMap()};
  SwitchWalSegment();
  Flush(InsertPosition());
  AbortBackup();
  return stop;
}

void AbortBackup() {
  if (!running.active) return;
  if (running.forced_images) ForcePageImages(false);
  running.forced_images = false;
  running.active = false;
}

}  // namespace walden
