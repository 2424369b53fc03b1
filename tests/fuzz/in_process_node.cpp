#include "tests/fuzz/in_process_node.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "node/base/check.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/catalog/bootstrap.h"
#include "node/catalog/invalidation.h"
#include "node/config/settings.h"
#include "node/pgwire/authentication.h"
#include "node/recovery/node_storage.h"
#include "node/server/composition.h"
#include "node/server/shm_areas.h"
#include "node/shm/interrupts.h"
#include "node/shm/process.h"
#include "node/shm/timeouts.h"
#include "node/stats/activity.h"
#include "node/stats/counters.h"
#include "node/txn/transaction.h"
#include "node/txn/txn_state.h"

namespace walden {

namespace {
char directory[] = "/tmp/walden-fuzz-XXXXXX";
}

InProcessNode::InProcessNode() {
  CHECK(mkdtemp(directory) != nullptr && chdir(directory) == 0);
  std::atexit([] { std::filesystem::remove_all(directory); });
  for (const char* folder : {"base/1", "global", "pg_wal/archive_status", "pg_tblspc", "pg_replslot",
                             "pg_stat", "pg_stat_tmp", "pg_twophase", "pg_snapshots"}) {
    std::filesystem::create_directories(folder);
  }
  std::ofstream("pg_hba.conf") << "local all all trust\n";
  std::ofstream("pg_ident.conf") << "";
  OverrideSetting(Setting::kDataDirectory, directory);
  OverrideSetting(Setting::kHbaFile, std::string(directory) + "/pg_hba.conf");
  OverrideSetting(Setting::kIdentFile, std::string(directory) + "/pg_ident.conf");
  OverrideSetting(Setting::kFsync, "off");
  OverrideSetting(Setting::kSharedBuffers, "16MB");
  OverrideSetting(Setting::kLogMinMessages, "panic");
  ComposeNode();
  SetLogSink([](const ErrorFields&) {});
  BootstrapTxnFiles();
  region_ = Region::CreateAnonymous(RegionBytes(ServerAreas()));
  LayOutRegion(*region_, ServerAreas());
  SetSelf(SlotsOf(ProcessKind::kBackend).first, ProcessKind::kBackend);
  InstallProcessSignalHandlers();
  BeginActivity();
  BeginCounting();
  BeginNewCluster({});
  JoinInvalidations();
  BootstrapCatalog({});
  LoadClientAccess();
}

void InProcessNode::Serve(std::string_view bytes) {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  std::thread client([fd = pair[1], bytes] {
    size_t sent = 0;
    char ignored[65536];
    while (sent < bytes.size()) {  // no more than its socket takes, so that answers are read meanwhile
      ssize_t count =
          send(fd, bytes.data() + sent, std::min<size_t>(bytes.size() - sent, 4096), MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<size_t>(count);
      while (recv(fd, ignored, sizeof ignored, MSG_DONTWAIT) > 0) {
      }
    }
    shutdown(fd, SHUT_WR);
    while (recv(fd, ignored, sizeof ignored, 0) > 0) {
    }
    close(fd);
  });
  ServeClient(Descriptor(pair[0]), Admission::kAccept);
  client.join();
  // What the end of the process would do.
  DisableAllTimeouts();
  if (InTransaction()) AbortTransaction();
  ReleaseAllPins();
  self().interrupts.store(0, std::memory_order_relaxed);
}

}  // namespace walden
