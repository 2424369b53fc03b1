#include "replication/basebackup.h"

#include <atomic>
#include <cstdlib>

#include "node/base/error.h"
#include "node/os/file.h"
#include "node/shm/process.h"
#include "replication/backup_writer.h"
#include "replication/primary_connection.h"

namespace walden::replication {
namespace {

std::atomic<bool> stop_asked{false};

void CheckStop() {
  if (stop_asked.load()) throw SqlError(ErrorCode::kQueryCanceled, "interrupted");
}

std::string QuoteSetting(const std::string& value) {
  std::string quoted = "'";
  for (char c : value) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + "'";
}

std::string Absolute(const std::string& path) {
  char* resolved = path.empty() ? nullptr : realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string absolute = resolved;
  std::free(resolved);
  return absolute;
}

// standby.signal, and how to reach the node that was copied: as PostgreSQL's tools leave it.
void WriteRecoveryConf(const BaseBackupOptions& options) {
  Conninfo info = options.conninfo;
  for (std::string* file : {&info.ssl_root_file, &info.ssl_cert_file, &info.ssl_key_file, &info.passfile})
    *file = Absolute(*file);
  std::string path = options.directory + "/postgresql.auto.conf", text;
  TryReadWholeFile(path, &text);
  text += fmt::format("primary_conninfo = {}\n", QuoteSetting(FormatConninfo(info)));
  // The copy of a standby must not take over the slot that its original uses.
  if (!options.slot.empty() || text.find("primary_slot_name") != std::string::npos)
    text += fmt::format("primary_slot_name = {}\n", QuoteSetting(options.slot));
  WriteWholeFileDurably(path, text);
  WriteWholeFileDurably(options.directory + "/standby.signal", "");
}

// Asks for a password where one is wanted and none is known.
std::unique_ptr<PrimaryConnection> ConnectTo(BaseBackupOptions* options) {
  for (bool asked = false;; asked = true) {
    auto connection = std::make_unique<PrimaryConnection>(options->conninfo, WaitManner{WaitEvent::kNone, CheckStop});
    try {
      connection->Connect({});
      return connection;
    } catch (const SqlError& error) {
      bool ask = error.code() == ErrorCode::kInvalidPassword && options->conninfo.password.empty() && !asked &&
                 options->ask_password;
      if (!ask) throw;
      options->conninfo.password = options->ask_password();
      if (options->conninfo.password.empty()) throw;
    }
  }
}

void Receive(ClientCall& call, const BaseBackupOptions& options, const BaseBackupProgress& progress) {
  BackupWriter writer(options.directory, options.sync);
  std::string bytes;
  while (call.Read(&bytes, 0)) {
    switch (writer.OnMessage(bytes)) {
      case BackupWriter::Step::kWaiting:
        progress.say("waiting for checkpoint");
        break;
      case BackupWriter::Step::kStarted:
        progress.say(fmt::format("write-ahead log start point: {} on timeline {}",
                                 Lsn{writer.started().start_lsn()}.ToString(), writer.started().timeline()));
        progress.total(writer.started().total_bytes());
        break;
      case BackupWriter::Step::kFile:
        break;
      case BackupWriter::Step::kData:
        progress.advance(writer.last_bytes());
        break;
      case BackupWriter::Step::kFileEnd:
        break;
      case BackupWriter::Step::kFinished:
        progress.say(fmt::format("write-ahead log end point: {}", Lsn{writer.end().stop_lsn()}.ToString()));
        break;
    }
  }
  if (!writer.finished())
    throw SqlError(ErrorCode::kProtocolViolation, "the node ended the base backup before it was complete");
  if (options.sync) {
    progress.say("syncing data to disk ...");
    writer.SyncDirectories();
  }
}

}  // namespace

void RequestBackupStop() {
  stop_asked.store(true);
  self().latch.Set();
}

void TakeBaseBackup(const BaseBackupOptions& given, const BaseBackupProgress& progress) {
  BaseBackupOptions options = given;
  if (options.conninfo.application_name.empty()) options.conninfo.application_name = "walden basebackup";
  std::unique_ptr<PrimaryConnection> connection = ConnectTo(&options);
  options.conninfo.application_name = given.conninfo.application_name;
  if (options.create_slot) {
    progress.say(fmt::format("creating replication slot \"{}\"", options.slot));
    connection->CreateSlot({}, options.slot, true);
  }
  v1::BaseBackupRequest request;
  request.set_token(connection->token());
  request.set_label(options.label);
  request.set_fast_checkpoint(options.fast_checkpoint);
  request.set_max_rate_kb(options.max_rate_kb);
  request.set_include_wal(options.include_wal);
  request.set_compress(options.compress);
  std::unique_ptr<ClientCall> call = connection->Start("BaseBackup");
  call->Write(Encode(request));
  call->WritesDone();
  Receive(*call, options, progress);
  if (options.write_recovery_conf) WriteRecoveryConf(options);
}

}  // namespace walden::replication
