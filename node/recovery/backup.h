// Online base backups: what brackets the copying of the data directory. The caller copies files between Start
// and Stop, adds the label as `backup_label`, and makes WAL from `start` to `stop` available. Owner:
// recovery.
#pragma once

#include <string>

#include "node/base/ids.h"
#include "node/recovery/checkpoint.h"

namespace walden {

struct BackupStart {
  Lsn start;  // redo point: WAL is needed from here
  Lsn checkpoint;
  TimelineId timeline = 0;
  bool from_standby = false;
  std::string label_file;
};
// Forces page images on and makes a checkpoint (`fast`: immediate). On a standby: starts at the last
// restartpoint. A backup that is not stopped ends when the process does. Throws 55000 if this process has one
// already.
BackupStart StartBackup(const std::string& label, bool fast);

// The same for who must not sleep and may have several at a time: the walsender.
struct BackupStop;
class OnlineBackup {
 public:
  OnlineBackup() = default;
  ~OnlineBackup();  // gives up: no end record
  OnlineBackup(const OnlineBackup&) = delete;
  OnlineBackup& operator=(const OnlineBackup&) = delete;

  void Begin(const std::string& label, bool fast);
  // Goes on with a backup that broke off, in this process or another: its start stays, and WAL from there was kept. A new
  // checkpoint is made all the same, since page images may have been off meanwhile. Throws 55000 if the node was
  // promoted since.
  void Resume(const BackupStart& start, bool fast);
  // True once its checkpoint is complete and start() is valid; until then ask again whenever the latch was set.
  bool Started();
  void AwaitStart();
  const BackupStart& start() const { return start_; }
  // Logs the end of the backup, ends the segment and leaves a backup history file for the archive. Throws 55000 if a
  // standby was promoted meanwhile.
  BackupStop Stop();

 private:
  void Release();
  std::string label_;
  CheckpointTicket checkpoint_;
  BackupStart start_;
  bool from_standby_ = false, begun_ = false, started_ = false, forced_images_ = false, resumed_ = false;
};

struct BackupStop {
  Lsn stop;  // the backup is consistent once WAL up to here is replayed
  TimelineId timeline = 0;
  std::string label_file;      // as StartBackup gave it
  std::string tablespace_map;  // "<oid> <path>" a line
};
// Logs the end of the backup, ends the segment, and lets page images be decided by the setting again.
BackupStop StopBackup();
// Gives up: no end record.
void AbortBackup();
bool BackupIsRunning();  // in this process

}  // namespace walden
