#include "node/server/bootstrap.h"

#include <unistd.h>

#include <cerrno>
#include <memory>

#include "node/base/error.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/invalidation.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/recovery/control_file.h"
#include "node/recovery/node_storage.h"
#include "node/server/composition.h"
#include "node/server/data_directory.h"
#include "node/server/log_sink.h"
#include "node/server/shm_areas.h"
#include "node/session/session.h"
#include "node/shm/process.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

// Those of transactions are made by BootstrapTxnFiles.
constexpr const char* kDirectories[] = {
    "base",        "base/1",  "global",      "pg_wal",      "pg_wal/archive_status", "pg_tblspc",
    "pg_replslot", "pg_stat", "pg_stat_tmp", "pg_twophase", "pg_snapshots",
};

// Shared memory of this process alone, and a slot in it.
class PrivateNode {
 public:
  PrivateNode() : region_(Region::CreateAnonymous(RegionBytes(ServerAreas()))) {
    LayOutRegion(*region_, ServerAreas());
    SetSelf(SlotsOf(ProcessKind::kBackend).first, ProcessKind::kStandalone);
  }
  ~PrivateNode() {
    ReleaseSelf();
    DetachAreas();
  }

 private:
  std::unique_ptr<Region> region_;
};

void SyncTree(const std::string& directory) {
  for (const std::string& name : ListDirectory(directory)) {
    std::string path = directory + "/" + name;
    if (IsDirectory(path)) {
      SyncTree(path);
    } else {
      FsyncPath(path);
    }
  }
  FsyncDirectory(directory);
}

// Nobody listens.
class SilentSink : public ResultSink {
 public:
  void Describe(std::span<const ResultColumn>, std::span<const int16_t>) override {}
  void ExpectRows(std::span<const ResultColumn>, std::span<const int16_t>) override {}
  void Rows(const Batch&) override {}
  void Complete(std::string_view) override {}
  void EmptyQuery() override {}
  void PortalSuspended() override {}
  void Notice(const ErrorFields&) override {}
  void Notification(int32_t, std::string_view, std::string_view) override {}
  void ParameterStatus(std::string_view, std::string_view) override {}
  void CopyOutBegin(bool, int) override {}
  void CopyOutData(std::string_view) override {}
  void CopyOutEnd() override {}
  void CopyInBegin(bool, int) override {}
  bool CopyInRead(std::string_view*) override { return false; }
};

// A view exists only if the functions that it reads do: statements that name what is not there are passed over.
bool NamesSomethingAbsent(ErrorCode code) {
  return code == ErrorCode::kUndefinedFunction || code == ErrorCode::kUndefinedTable ||
         code == ErrorCode::kUndefinedColumn || code == ErrorCode::kFeatureNotSupported;
}

void MakeSystemViews(const std::string& superuser) {
  SilentSink sink;
  Session session(sink);
  session.Start({superuser, "template1", "walden init", {}});
  for (const SetupStatement& statement : SystemViewStatements()) {
    Session::Result error = session.SimpleQuery(statement.sql);
    if (error && !NamesSomethingAbsent(error->code)) {
      throw SqlError(ErrorCode::kInternalError, "could not make {}: {}", statement.name, error->message);
    }
  }
  session.End();
}

void MakeDirectories() {
  for (const char* name : kDirectories) {
    if (!IsDirectory(name)) MakeDirectory(name);
  }
}

}  // namespace

void BootstrapNode(const NodeBootstrap& options) {
  if (chdir(options.directory.c_str()) < 0) {
    throw FileError(errno, fmt::format("could not change directory to \"{}\"", options.directory));
  }
  MakeDirectories();
  // Nothing of value is there before the end, when everything is synced at once.
  OverrideSetting(Setting::kDataDirectory, options.directory);
  OverrideSetting(Setting::kFsync, "off");
  OverrideSetting(Setting::kSharedBuffers, "64MB");
  OverrideSetting(Setting::kLogMinMessages, "fatal");
  InstallLogSink(Destination::kStandardError);
  ComposeNode();
  BootstrapTxnFiles();
  {
    PrivateNode node;
    BeginNewCluster({.catalog_version = CatalogVersion()});
    JoinInvalidations();
    BootstrapCatalog({options.superuser, options.password_verifier, options.locale, options.locale});
    MakeSystemViews(options.superuser);
    FinishBootstrap();
    EndNewCluster();
  }
  WriteWholeFileDurably("PG_VERSION", std::string(kPgVersionText) + "\n");
  SyncTree(".");
}

}  // namespace walden
