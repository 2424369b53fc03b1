#include "node/recovery/replication_slot_file.h"

#include <fcntl.h>

#include <cstddef>

#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/os/file.h"
#include "node/shm/wait_events.h"

namespace walden {
namespace {

constexpr uint32_t kMagic = 0x544C5357;  // "WSLT"
constexpr uint32_t kVersion = 1;
constexpr const char* kFolder = "pg_replslot";
constexpr std::string_view kRubbish = ".tmp";

std::string FolderOf(const std::string& name) { return fmt::format("{}/{}", kFolder, name); }

void WriteState(const std::string& path, SlotFile state) {
  WaitEventScope waiting(WaitEvent::kReplicationSlotWrite);
  state.magic = kMagic;
  state.version = kVersion;
  state.unused = 0;
  state.crc = Crc32c(0, &state, offsetof(SlotFile, crc));
  File file = File::Open(path, O_WRONLY | O_CREAT | O_TRUNC);
  file.WriteAt(&state, sizeof state, 0);
  file.Sync();
}

SlotFile ReadState(const std::string& name) {
  WaitEventScope waiting(WaitEvent::kReplicationSlotRead);
  std::string path = FolderOf(name) + "/state";
  SlotFile state;
  File::Open(path, O_RDONLY).ReadExactlyAt(&state, sizeof state, 0);
  bool good = state.magic == kMagic && state.version == kVersion &&
              state.crc == Crc32c(0, &state, offsetof(SlotFile, crc)) && name == state.name;
  if (!good) {
    throw SqlError(ErrorCode::kDataCorrupted, "replication slot file \"{}\" is damaged", path)
        .WithHint(fmt::format("Remove the directory \"{}\" to give up the slot.", FolderOf(name)))
        .WithSeverity(Severity::kFatal);
  }
  return state;
}

}  // namespace

void CreateSlotFile(const SlotFile& state) {
  std::string folder = FolderOf(state.name), building = folder + std::string(kRubbish);
  if (!PathExists(kFolder)) MakeDirectories(kFolder);
  RemoveTree(building);
  MakeDirectory(building);
  WriteState(building + "/state", state);
  FsyncDirectory(building);
  MaybeFault(FaultPoint::kSlotDirectoryMade);
  RenamePath(building, folder);
  MaybeFault(FaultPoint::kSlotDirectoryRenamed);
  FsyncDirectory(kFolder);
}

void ReplaceSlotFile(const SlotFile& state) {
  std::string folder = FolderOf(state.name), path = folder + "/state";
  WriteState(path + std::string(kRubbish), state);
  MaybeFault(FaultPoint::kSlotStateWritten);
  RenamePath(path + std::string(kRubbish), path);
  MaybeFault(FaultPoint::kSlotStateRenamed);
  FsyncDirectory(folder);
}

void RemoveSlotFile(const std::string& name) {
  std::string folder = FolderOf(name), leaving = folder + std::string(kRubbish);
  RemoveTree(leaving);
  RenamePath(folder, leaving);
  MaybeFault(FaultPoint::kSlotDropRenamed);
  FsyncDirectory(kFolder);
  RemoveTree(leaving);
}

std::vector<SlotFile> ReadSlotFiles() {
  std::vector<SlotFile> states;
  if (!PathExists(kFolder)) return states;
  for (const std::string& name : ListDirectory(kFolder)) {
    if (!IsDirectory(FolderOf(name))) continue;
    if (name.ends_with(kRubbish)) {
      RemoveTree(FolderOf(name));
      continue;
    }
    UnlinkIfExists(FolderOf(name) + "/state" + std::string(kRubbish));
    states.push_back(ReadState(name));
  }
  return states;
}

}  // namespace walden
