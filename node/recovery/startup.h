// The startup process's work as one object. Owner: recovery; RunStartup (background_processes.h) runs it,
// unit tests run it in a thread. README has the order of steps and what a crash at each leaves.
#pragma once

#include <memory>

#include "node/recovery/control_file.h"
#include "node/recovery/recovery_target.h"
#include "node/recovery/redo_dispatcher.h"
#include "node/recovery/wal_supply.h"

namespace walden {

// The file backup_label of a base backup (PostgreSQL's keys): recovery starts at its checkpoint, not the
// control file's.
struct BackupLabel {
  Lsn start;
  Lsn checkpoint;
  TimelineId timeline = 1;
  bool from_standby = false;
};
bool ReadBackupLabel(BackupLabel* label);

// Safe point of the startup process, while it waits and between records: notes a request to promote, throws
// (FATAL) when the node is being shut down.
void CheckStartupInterrupts();
// promote_trigger_file: its presence asks for promotion; it is removed. Waits last no longer than the poll.
void LookForPromoteTrigger();
int64_t PromoteTriggerPollMs();  // -1: there is no such file to look for

class StartupProcess {
 public:
  void Run();

 private:
  void ReadSignals();
  TimelineHistory ChooseHistory(TimelineId of_checkpoint, Lsn checkpoint);
  void LocateCheckpoint();
  void AdoptBackup(const BackupLabel& label);
  bool RecoveryIsNeeded() const;
  void PrepareReplay();
  void Replay();
  bool ReachedTarget(const DecodedRecord& record);
  bool ActAtTarget();
  void ApplyRecord(const DecodedRecord& record);
  void CheckConsistency();
  void HonourPause();
  void HonourDelay(const DecodedRecord& record);
  void HearPrimary(const DecodedRecord& record);
  void CheckReplayedEnough();
  TimelineId ChooseTimeline();
  Lsn FixRedoPoint(bool after_crash);
  void OpenForWriting();
  void FinishArchiveRecovery();

  ControlFile control_{};
  bool standby_ = false;      // standby.signal
  bool archive_ = false;      // either signal file
  bool from_backup_ = false;  // backup_label
  bool clean_ = false;        // shut down cleanly
  RecoveryTarget target_;
  Lsn checkpoint_, checkpoint_end_, end_;
  Lsn look_for_consistency_;  // not consistent before it
  CheckpointData checkpoint_data_{};
  std::unique_ptr<WalSupply> supply_;
  std::unique_ptr<WalReader> reader_;
  std::unique_ptr<RedoDispatcher> dispatcher_;
};

}  // namespace walden
