// walden controldata: prints global/pg_control.
#include <fmt/format.h>

#include <cstdio>
#include <ctime>

#include "node/base/clock.h"
#include "node/cli/commands.h"
#include "node/recovery/control_file.h"
#include "node/server/data_directory.h"
#include "node/wal/record_format.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

constexpr OptionSpec kOptions[] = {
    {'D', "pgdata", "DIR", "data directory (default: environment variable PGDATA)"},
};

std::string LocalTime(int64_t time_us) {
  char text[64];
  time_t seconds = (time_us + kUnixEpochToPostgresUs) / 1000000;
  tm local;
  localtime_r(&seconds, &local);
  strftime(text, sizeof text, "%a %d %b %Y %I:%M:%S %p %Z", &local);
  return text;
}

template <class T>
void Line(const char* label, const T& value) {
  fmt::print("{:<38}{}\n", fmt::format("{}:", label), value);
}

std::string LsnText(uint64_t lsn) { return Lsn{lsn}.ToString(); }

}  // namespace

constexpr CommandSpec kControldataSpec{"controldata", "print the control file of a data directory", nullptr,
                                       kOptions, nullptr};

// Labels as pg_controldata's where it has the item, so that scripts find them.
int ControldataCommand(const CommandLine& line) {
  ControlFile control = ReadControlFile(line.DataDirectory() + "/" + kControlFilePath);
  const CheckpointData& checkpoint = control.checkpoint_data;
  constexpr const char* kWalLevels[] = {"minimal", "replica", "logical"};
  Line("pg_control version number", control.version);
  Line("Data format version", control.data_format);
  Line("Catalog version number", control.catalog_version);
  Line("Database system identifier", control.system_id);
  Line("Database cluster state", ClusterStateText(control.state));
  Line("pg_control last modified", LocalTime(control.time_us));
  Line("Latest checkpoint location", LsnText(control.checkpoint));
  Line("Latest checkpoint's REDO location", LsnText(checkpoint.redo));
  Line("Latest checkpoint's REDO WAL file",
       WalSegmentName(checkpoint.timeline, SegmentOf(Lsn{checkpoint.redo})));
  Line("Latest checkpoint's TimeLineID", checkpoint.timeline);
  Line("Latest checkpoint's PrevTimeLineID", checkpoint.previous_timeline);
  Line("Latest checkpoint's full_page_writes", checkpoint.full_page_writes ? "on" : "off");
  Line("Latest checkpoint's NextXID", checkpoint.next_xid);
  Line("Latest checkpoint's NextOID", checkpoint.next_oid);
  Line("Latest checkpoint's NextMultiXactId", checkpoint.next_multixact);
  Line("Latest checkpoint's NextMultiOffset", checkpoint.next_multixact_member);
  Line("Latest checkpoint's oldestXID", checkpoint.oldest_xid);
  Line("Latest checkpoint's oldestActiveXID", checkpoint.oldest_running_xid);
  Line("Latest checkpoint's oldestMultiXid", checkpoint.oldest_multixact);
  Line("Time of latest checkpoint", LocalTime(static_cast<int64_t>(checkpoint.wall_time_us)));
  Line("Minimum recovery ending location", LsnText(control.min_recovery_point));
  Line("Min recovery ending loc's timeline", control.min_recovery_timeline);
  Line("Backup start location", LsnText(control.backup_start));
  Line("Backup end location", LsnText(control.backup_end));
  Line("End-of-backup record required", control.backup_end_required ? "yes" : "no");
  Line("Replication term", control.term);
  Line("Fenced by term", control.fenced_by_term);
  Line("wal_level setting",
       control.wal_level >= 0 && control.wal_level < 3 ? kWalLevels[control.wal_level] : "unknown");
  Line("max_connections setting", control.max_connections);
  Line("max_worker_processes setting", control.max_worker_processes);
  Line("max_wal_senders setting", control.max_wal_senders);
  Line("Database block size", kPageSize);
  Line("Bytes per WAL segment", kWalSegmentSize);
  Line("Data page checksum version", control.data_checksums);
  return 0;
}

}  // namespace walden
