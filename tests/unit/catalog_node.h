// A private node with catalogs: shared areas, a data directory of its own, `walden init`'s bootstrap done.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "private_node.h"

#include "node/catalog/bootstrap.h"
#include "node/catalog/builtin.h"
#include "node/catalog/identity.h"
#include "node/catalog/invalidation.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/txn/clog.h"
#include "node/txn/transaction.h"
#include "node/txn/txn_state.h"
#include "node/wal/wal.h"

namespace walden {

class CatalogNode {
 public:
  explicit CatalogNode(HasImplementation has_implementation) {
    previous_ = std::filesystem::current_path();
    char name[] = "/tmp/walden_catalog_XXXXXX";
    directory_ = mkdtemp(name);
    std::filesystem::current_path(directory_);
    for (const char* sub : {"base/1", "global", "pg_wal/archive_status"})
      std::filesystem::create_directories(sub);
    OverrideSetting(Setting::kSharedBuffers, "2000");
    OverrideSetting(Setting::kFsync, "off");
    BootstrapTxnFiles();
    region_ = std::make_unique<PrivateRegion>(Areas());
    me_ = std::make_unique<ThreadIdentity>(0);
    TxnCheckpointPart().restore({});
    constexpr Lsn kStart{kWalSegmentSize};
    OpenWalForWriting({kStart, 1, 42, kStart});
    TxnEndRecovery(kStart, true);
    InstallBuiltins(has_implementation);
    InstallCatalogHooks();
    JoinInvalidations();
    BootstrapCatalog({});
  }
  ~CatalogNode() {
    if (InTransaction()) AbortTransaction();
    ReleaseAllPins();
    DropAllCaches();
    me_.reset();
    region_.reset();
    std::filesystem::current_path(previous_);
    std::filesystem::remove_all(directory_);
  }

 private:
  static std::vector<AreaBinding> Areas() {
    std::vector<AreaBinding> areas = PrivateNodeAreas();
    areas.push_back({Area::kInvalidations, InvalidationAreaSize, InvalidationAreaInit});
    return areas;
  }

  std::filesystem::path previous_;
  std::string directory_;
  std::unique_ptr<PrivateRegion> region_;
  std::unique_ptr<ThreadIdentity> me_;
};

}  // namespace walden
