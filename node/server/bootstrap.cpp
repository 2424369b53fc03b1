#include "node/server/bootstrap.h"

#include <unistd.h>

#include <cerrno>

#include "node/base/error.h"
#include "node/base/random.h"
#include "node/os/file.h"
#include "node/server/data_directory.h"

namespace walden {
namespace {

constexpr const char* kDirectories[] = {
    "base",        "base/1",       "global",       "pg_wal",      "pg_wal/archive_status",
    "pg_xact",     "pg_multixact", "pg_tblspc",    "pg_replslot", "pg_stat",
    "pg_stat_tmp", "pg_twophase",  "pg_snapshots",
};

}  // namespace

void BootstrapNode(const NodeBootstrap& options) {
  for (const char* name : kDirectories) MakeDirectory(options.directory + "/" + name);
  WriteWholeFileDurably(options.directory + "/base/1/PG_VERSION", std::string(kPgVersionText) + "\n");
  WriteWholeFileDurably(options.directory + "/PG_VERSION", std::string(kPgVersionText) + "\n");
}

}  // namespace walden
