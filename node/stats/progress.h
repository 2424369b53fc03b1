// How far a long command has come (pg_stat_progress_*): one row per process slot. Written by its owner with plain stores, read by
// anybody. Area::kProgress.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "node/base/ids.h"

namespace walden {

enum class ProgressCommand : uint8_t { kNone, kVacuum, kAnalyze, kCluster, kCreateIndex, kBaseBackup, kCopy };
inline constexpr size_t kProgressParameters = 20;

// Parameters of each command, in the order of the view's params (PostgreSQL's numbers).
namespace progress {
enum Vacuum {
  kVacuumPhase,
  kVacuumBlocksTotal,
  kVacuumBlocksScanned,
  kVacuumBlocksVacuumed,
  kVacuumIndexRounds,
  kVacuumMaxDead,
  kVacuumDead
};
enum Analyze {
  kAnalyzePhase,
  kAnalyzeBlocksTotal,
  kAnalyzeBlocksDone,
  kAnalyzeExtTotal,
  kAnalyzeExtDone,
  kAnalyzeChildrenTotal,
  kAnalyzeChildrenDone,
  kAnalyzeChild
};
enum Copy { kCopyBytes, kCopyBytesTotal, kCopyRows, kCopyExcluded, kCopyCommand, kCopyType };
enum BaseBackup { kBackupPhase, kBackupTotal, kBackupStreamed, kBackupTablespaces, kBackupTablespacesDone };
enum CreateIndex {
  kIndexCommand = 0,
  kIndexOid = 6,
  kIndexPhase = 9,
  kIndexLockers = 3,
  kIndexLockersDone = 4,
  kIndexLocker = 5,
  kIndexBlocks = 15,
  kIndexBlocksDone = 16,
  kIndexRows = 11,
  kIndexRowsDone = 12,
  kIndexPartitions = 13,
  kIndexPartitionsDone = 14
};
}  // namespace progress

// Shows a command of this process while it lives. Commands do not nest: the outer one stays shown.
class ProgressReport {
 public:
  ProgressReport(ProgressCommand command, Oid relation);
  ~ProgressReport();
  ProgressReport(const ProgressReport&) = delete;
  ProgressReport& operator=(const ProgressReport&) = delete;
  void Set(size_t parameter, int64_t value);
  void Add(size_t parameter, int64_t amount);

 private:
  struct ProgressEntry* entry_;  // nullptr: not shown
};

struct ProgressRow {
  ProgressCommand command = ProgressCommand::kNone;
  Oid relation;
  int64_t parameters[kProgressParameters];
};
// False if the process shows nothing.
bool ReadProgress(int slot, ProgressRow* row);

size_t ProgressAreaSize();
void ProgressAreaInit(void* at);

}  // namespace walden
