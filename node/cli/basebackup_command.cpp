// walden basebackup: a copy of a running node, ready to start as its replica.
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "node/base/error.h"
#include "node/cli/commands.h"
#include "node/cli/new_directory.h"
#include "node/cli/progress.h"
#include "node/os/process.h"
#include "replication/basebackup.h"

namespace walden {
namespace {

constexpr OptionSpec kOptions[] = {
    {'D', "pgdata", "DIR", "directory to make (default: environment variable PGDATA)"},
    {'d', "dbname", "CONNSTR", "connection string; what it says yields to the options below"},
    {'h', "host", "HOST", "host of the node to copy (default localhost)"},
    {'p', "port", "PORT", "its replication port: that of its clients + 10000 (default 15432)"},
    {'U', "username", "NAME", "role to connect as; needs REPLICATION"},
    {'w', "no-password", nullptr, "never ask for a password"},
    {'R', "write-recovery-conf", nullptr, "make it a standby of the node it was copied from"},
    {'S', "slot", "NAME", "replication slot that the standby will use (with -R)"},
    {'C', "create-slot", nullptr, "create that slot before the copy begins"},
    {'c', "checkpoint", "fast|spread", "how the node makes the checkpoint to start from (default spread)"},
    {'r', "max-rate", "RATE", "transfer limit in kB/s, or with suffix k or M"},
    {'X', "wal-method", "none|fetch", "include the WAL that makes the copy consistent (default fetch)"},
    {'l', "label", "LABEL", "label of the backup"},
    {'z', "compress", nullptr, "compress the transfer (LZ4)"},
    {'N', "no-sync", nullptr, "do not wait until the copy is safely on disk"},
    {'t', "reconnect-timeout", "SECONDS",
     "how long a broken transfer tries to go on (default 300; 0: not at all)"},
    {'n', "no-clean", nullptr, "keep an incomplete copy whatever ended it"},
    {'P', "progress", nullptr, "show progress"},
    {'v', "verbose", nullptr, "say what happens"},
};

uint32_t ParseRate(const CommandLine& line) {
  std::string text = line.Value("max-rate");
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view suffix(end, static_cast<size_t>(text.data() + text.size() - end));
  if (suffix == "M") value *= 1024;
  bool good = error == std::errc() && (suffix.empty() || suffix == "k" || suffix == "M");
  if (!good || value < 32 || value > 1024 * 1024) {
    line.Fail(fmt::format("invalid transfer rate \"{}\": from 32 kB/s to 1024 MB/s are allowed", text));
  }
  return static_cast<uint32_t>(value);
}

replication::Conninfo ConninfoOf(const CommandLine& line) {
  // Later words win.
  std::string text = line.Value("dbname");
  bool uri = text.starts_with("postgres://") || text.starts_with("postgresql://");
  replication::Conninfo info = replication::ParseConninfo(text);
  bool names_user = uri || text.find("user") != std::string::npos;
  if (const char* user = std::getenv("PGUSER"); user != nullptr && !names_user) info.user = user;
  if (const char* password = std::getenv("PGPASSWORD"); password != nullptr && info.password.empty())
    info.password = password;
  if (line.Has("username")) info.user = line.Value("username");
  if (line.Has("host")) info.hosts = {{line.Value("host"), info.hosts[0].port}};
  if (line.Has("port")) {
    int port = line.IntValue("port", 0);
    if (port < 1 || port > 65535) line.Fail(fmt::format("invalid port number \"{}\"", line.Value("port")));
    for (replication::Conninfo::Host& host : info.hosts) host.port = port;
  }
  return info;
}

std::string AskPassword() {
  char* answer = isatty(STDIN_FILENO) ? getpass("Password: ") : nullptr;
  return answer != nullptr ? answer : "";
}

replication::BaseBackupOptions OptionsOf(const CommandLine& line) {
  replication::BaseBackupOptions options;
  options.directory = line.DataDirectory();
  options.conninfo = ConninfoOf(line);
  options.slot = line.Value("slot");
  options.create_slot = line.Has("create-slot");
  if (options.create_slot && options.slot.empty())
    line.Fail("--create-slot needs a slot to be specified using --slot");
  std::string checkpoint = line.Value("checkpoint", "spread");
  if (checkpoint != "fast" && checkpoint != "spread") {
    line.Fail(fmt::format("invalid checkpoint argument \"{}\", must be \"fast\" or \"spread\"", checkpoint));
  }
  options.fast_checkpoint = checkpoint == "fast";
  std::string wal = line.Value("wal-method", "fetch");
  if (wal != "none" && wal != "fetch")
    line.Fail(fmt::format("invalid wal-method option \"{}\", must be \"fetch\" or \"none\"", wal));
  options.include_wal = wal == "fetch";
  options.write_recovery_conf = line.Has("write-recovery-conf");
  if (!options.slot.empty() && !options.write_recovery_conf && !options.create_slot)
    line.Fail("--slot is for the standby that --write-recovery-conf makes");
  options.label = line.Value("label", "walden basebackup");
  if (line.Has("max-rate")) options.max_rate_kb = ParseRate(line);
  options.compress = line.Has("compress");
  options.sync = !line.Has("no-sync");
  options.no_clean = line.Has("no-clean");
  options.reconnect_s = line.IntValue("reconnect-timeout", options.reconnect_s);
  if (options.reconnect_s < 0) line.Fail("--reconnect-timeout cannot be negative");
  if (!line.Has("no-password")) options.ask_password = AskPassword;
  return options;
}

}  // namespace

constexpr CommandSpec kBasebackupSpec{
    "basebackup", "copy a running node, over its replication port", nullptr, kOptions,
    "Passwords are also taken from PGPASSWORD, PGPASSFILE and ~/.pgpass (database \"replication\").\n"
    "A broken transfer is continued; by another run into the same directory too, for an hour, and if the "
    "node has the\n"
    "WAL since its start. Exit code: 0 when the copy is complete, 1 otherwise; then nothing of it is left "
    "unless it\n"
    "can be continued."};

int BasebackupCommand(const CommandLine& line) {
  replication::BaseBackupOptions options = OptionsOf(line);
  RefuseRoot();
  umask(077);
  NewDirectory directory = replication::HoldsIncompleteBackup(options.directory)
                               ? NewDirectory::HalfFilled(options.directory)
                               : NewDirectory(options.directory);
  SetSignalHandler(SIGINT, [](int) { replication::RequestBackupStop(); });
  SetSignalHandler(SIGTERM, [](int) { replication::RequestBackupStop(); });
  Progress bar("basebackup", line.Has("progress"));
  bool verbose = line.Has("verbose");
  replication::BaseBackupProgress progress;
  progress.say = [&](const std::string& text) {
    if (verbose) fmt::print(stderr, "walden basebackup: {}\n", text);
  };
  progress.warn = [](const std::string& text) { fmt::print(stderr, "walden basebackup: {}\n", text); };
  progress.at = [&](uint64_t done, uint64_t total) { bar.At(done, total); };
  bool keep = false;
  try {
    replication::TakeBaseBackup(options, progress, &keep);
  } catch (const SqlError&) {
    if (keep) {
      progress.warn(fmt::format("what was copied stays in \"{}\": the same command goes on with it",
                                options.directory));
    } else {
      directory.Undo();
    }
    throw;
  }
  bar.Finish();
  progress.say("base backup completed");
  return 0;
}

}  // namespace walden
