#include "node/server/bootstrap.h"

#include <unistd.h>

#include <cerrno>

#include "node/base/error.h"
#include "node/base/random.h"
#include "node/os/file.h"
#include "node/recovery/node_storage.h"
#include "node/server/composition.h"
#include "node/server/data_directory.h"
#include "node/server/shm_areas.h"
#include "node/shm/process.h"
#include "node/shm/region.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

constexpr const char* kDirectories[] = {
    "base",        "base/1",       "global",       "pg_wal",      "pg_wal/archive_status",
    "pg_tblspc",    "pg_replslot", "pg_stat",
    "pg_stat_tmp", "pg_twophase",  "pg_snapshots",
};

}  // namespace

namespace {

// Shared memory of this process alone, with a process identity, in the data directory.
class SoloRegion {
 public:
  SoloRegion() : region_(Region::CreateAnonymous(RegionBytes(ServerAreas()))) {
    LayOutRegion(*region_, ServerAreas());
    SetSelf(SlotsOf(ProcessKind::kStartup).first, ProcessKind::kStandalone);
  }
  ~SoloRegion() {
    ReleaseSelf();
    DetachAreas();
  }

 private:
  std::unique_ptr<Region> region_;
};

}  // namespace

void BootstrapNode(const NodeBootstrap& options) {
  for (const char* name : kDirectories) MakeDirectory(options.directory + "/" + name);
  WriteWholeFileDurably(options.directory + "/base/1/PG_VERSION", std::string(kPgVersionText) + "\n");
  WriteWholeFileDurably(options.directory + "/PG_VERSION", std::string(kPgVersionText) + "\n");
  if (chdir(options.directory.c_str()) != 0) {
    throw FileError(errno, fmt::format("could not change directory to \"{}\"", options.directory));
  }
  ComposeNode();
  SoloRegion region;
  BootstrapTxnFiles();
  BeginNewCluster({});
  EndNewCluster();
}

}  // namespace walden
