#include "replication/basebackup.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <set>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "node/recovery/control_file.h"
#include "node/shm/process.h"
#include "replication/backup_journal.h"
#include "replication/backup_sync.h"
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

constexpr std::string_view kStandbySignal = "standby.signal";

// Not yet durable, but whole or not there.
void PutFile(const std::string& path, std::string_view content) {
  std::string unfinished = path + ".tmp";
  {
    File file = File::Open(unfinished, O_WRONLY | O_CREAT | O_TRUNC);
    file.WriteAt(content.data(), content.size(), 0);
  }
  RenamePath(unfinished, path);
}

// standby.signal, and how to reach the node that was copied: as PostgreSQL's tools leave it, behind what was copied. Done again
// after an interruption, it changes nothing.
void WriteRecoveryConf(const BaseBackupOptions& options, uint64_t copied_bytes) {
  Conninfo info = options.conninfo;
  for (std::string* file : {&info.ssl_root_file, &info.ssl_cert_file, &info.ssl_key_file, &info.passfile})
    *file = Absolute(*file);
  std::string path = fmt::format("{}/{}", options.directory, kOwnSettings), text;
  TryReadWholeFile(path, &text);
  text.resize(std::min<uint64_t>(text.size(), copied_bytes));
  text += fmt::format("primary_conninfo = {}\n", QuoteSetting(FormatConninfo(info)));
  // The copy of a standby must not take over the slot that its original uses.
  if (!options.slot.empty() || text.find("primary_slot_name") != std::string::npos)
    text += fmt::format("primary_slot_name = {}\n", QuoteSetting(options.slot));
  PutFile(path, text);
  PutFile(fmt::format("{}/{}", options.directory, kStandbySignal), "");
}

// The connection broke, or the node is being restarted: another try may help.
bool IsBreak(const SqlError& error) {
  switch (error.code()) {
    case ErrorCode::kConnectionFailure:
    case ErrorCode::kSqlclientUnableToEstablishSqlconnection:
    case ErrorCode::kAdminShutdown:
    case ErrorCode::kCrashShutdown:
    case ErrorCode::kCannotConnectNow: return true;
    default: return false;
  }
}

constexpr int64_t kFirstPauseMs = 500, kLongestPauseMs = 5000;
constexpr size_t kMostHaveBytes = 1 << 20;
constexpr int kDropAttempts = 20;

// One run of `walden basebackup`: as many connections as it takes.
class Transfer {
 public:
  Transfer(const BaseBackupOptions& options, const BaseBackupProgress& progress)
      : options_(options), progress_(progress), journal_(options.directory), resumed_(journal_.Resumable()) {}

  void Run() {
    if (resumed_) {
      progress_.say("checking what an earlier run has copied");
      journal_.Verify();
    }
    Connect();
    if (options_.create_slot && journal_.made_slot() != options_.slot) {
      progress_.say(fmt::format("creating replication slot \"{}\"", options_.slot));
      connection_->CreateSlot({}, options_.slot, true);
      journal_.SlotMade(options_.slot);
    }
    ReceiveAll();
    writer_.reset();
    if (options_.write_recovery_conf) {
      auto settings = journal_.files().find(std::string(kOwnSettings));
      WriteRecoveryConf(options_, settings == journal_.files().end() ? 0 : settings->second.bytes);
      written_.insert({std::string(kOwnSettings), std::string(kStandbySignal)});
    }
    if (options_.sync) Sync();
    journal_.Remove();
    if (options_.sync) FsyncDirectory(options_.directory);
    DropHold();
  }

  // After a failure. What was there before this run is left alone, unless somebody says stop.
  bool MayBeResumed(const SqlError& error) const {
    if (options_.no_clean) return journal_.Resumable() || resumed_;
    return error.code() != ErrorCode::kQueryCanceled &&
           (resumed_ || (IsBreak(error) && journal_.Resumable()));
  }
  // Nobody will come back: the node need not keep WAL for it.
  void GiveUp() {
    stop_asked.store(false);
    DropHold();
    journal_.Remove();
  }

 private:
  // Asks for a password where one is wanted and none is known.
  void Connect() {
    for (bool asked = false;; asked = true) {
      connection_.reset();
      // This name is the copying's own: what -R writes says nothing of it, and the replica has the name of its receiver.
      Conninfo info = options_.conninfo;
      if (info.application_name.empty()) info.application_name = "walden basebackup";
      connection_ = std::make_unique<PrimaryConnection>(info, WaitManner{WaitEvent::kNone, CheckStop});
      try {
        return connection_->Connect(Self());
      } catch (const SqlError& error) {
        bool ask = error.code() == ErrorCode::kInvalidPassword && options_.conninfo.password.empty() &&
                   !asked && options_.ask_password;
        if (!ask) throw;
        options_.conninfo.password = options_.ask_password();
        if (options_.conninfo.password.empty()) throw;
      }
    }
  }

  void ReceiveAll() {
    for (;;) {
      heard_us_ = MonotonicUs();
      try {
        return Receive();
      } catch (const SqlError& error) {
        if (!IsBreak(error) || options_.reconnect_s == 0) throw;
        progress_.warn(error.fields().message);
      }
      writer_.reset();
      Reconnect();
      progress_.warn("the transfer goes on");
    }
  }

  void Reconnect() {
    connection_.reset();
    for (int64_t pause_ms = kFirstPauseMs;; pause_ms = std::min(pause_ms * 2, kLongestPauseMs)) {
      Pause(pause_ms);
      try {
        return Connect();
      } catch (const SqlError& error) {
        bool late = MonotonicUs() - heard_us_ > int64_t{options_.reconnect_s} * 1000000;
        if (!IsBreak(error) || late) throw;
      }
    }
  }

  static void Pause(int64_t pause_ms) {
    int64_t until_us = MonotonicUs() + pause_ms * 1000;
    for (;;) {
      self().latch.Reset();
      CheckStop();
      int64_t left_ms = (until_us - MonotonicUs()) / 1000;
      if (left_ms <= 0) return;
      WaitLatch(left_ms, WaitEvent::kNone);
    }
  }

  Speaker Self() const {
    Speaker speaker;
    if (journal_.Resumable()) speaker.system_id = journal_.start().system_id;
    return speaker;
  }

  // The request, and the names of what is here already in as many messages as they need.
  void Ask(ClientCall& call) {
    v1::BaseBackupRequest request;
    PutSpeaker(Self(), request.mutable_at());
    request.set_token(connection_->token());
    request.set_label(options_.label);
    request.set_fast_checkpoint(options_.fast_checkpoint);
    request.set_max_rate_kb(options_.max_rate_kb);
    request.set_include_wal(options_.include_wal);
    request.set_compress(options_.compress);
    request.set_resumable(true);
    request.set_batches(true);
    if (!journal_.Resumable()) return call.Write(Encode(request));
    const BackupJournal::Start& start = journal_.start();
    v1::BackupResume* resume = request.mutable_resume();
    resume->set_hold(start.hold);
    resume->set_start_lsn(start.lsn.value);
    resume->set_timeline(start.timeline);
    resume->set_from_standby(start.from_standby);
    resume->set_label_file(ReadWholeFile(options_.directory + "/backup_label"));
    size_t bytes = 0;
    for (const auto& [path, whole] : journal_.files()) {
      request.add_have(path);
      bytes += path.size();
      if (bytes < kMostHaveBytes) continue;
      request.set_more(true);
      call.Write(Encode(request));
      request.Clear();
      bytes = 0;
    }
    call.Write(Encode(request));
  }

  void Receive() {
    done_bytes_ = journal_.Resumable() ? journal_.WholeBytes() : 0;
    writer_.emplace(options_.directory);
    std::unique_ptr<ClientCall> call = connection_->Start("BaseBackup");
    Ask(*call);
    std::string bytes;
    while (call->Read(&bytes, 0)) Take(*call, writer_->OnMessage(bytes));
    if (!writer_->finished())
      throw SqlError(ErrorCode::kProtocolViolation, "the node ended the base backup before it was complete");
  }

  void Take(ClientCall& call, BackupWriter::Step step) {
    heard_us_ = MonotonicUs();
    switch (step) {
      case BackupWriter::Step::kWaiting: progress_.say("waiting for checkpoint"); break;
      case BackupWriter::Step::kStarted: Begin(); break;
      case BackupWriter::Step::kFiles: TakeFiles(call); break;
      case BackupWriter::Step::kFinished:
        progress_.say(
            fmt::format("write-ahead log end point: {}", Lsn{writer_->end().stop_lsn()}.ToString()));
        break;
    }
  }

  void TakeFiles(ClientCall& call) {
    done_bytes_ += writer_->last_bytes();
    progress_.at(done_bytes_, total_bytes_);
    const std::vector<WholeFile>& files = writer_->whole_files();
    if (files.empty()) return;
    journal_.FilesAreWhole(files);
    for (const WholeFile& file : files) written_.insert(file.path);
    if (files.back().path != kControlFilePath) return;
    v1::BaseBackupRequest received;
    received.set_files_received(true);
    call.Write(Encode(received));
  }

  void Begin() {
    const v1::BackupStarted& started = writer_->started();
    total_bytes_ = done_bytes_ + started.total_bytes();
    progress_.say(fmt::format("write-ahead log start point: {} on timeline {}",
                              Lsn{started.start_lsn()}.ToString(), started.timeline()));
    if (journal_.Resumable()) {
      progress_.say(
          fmt::format("{} files of {} MB are there already", journal_.files().size(), done_bytes_ >> 20));
      return;
    }
    journal_.Begin({writer_->started_by().system_id(), Lsn{started.start_lsn()}, started.timeline(),
                    started.from_standby(), started.hold()});
  }

  void Sync() {
    progress_.say("syncing data to disk ...");
    for (const auto& [path, whole] : journal_.files()) written_.insert(path);
    std::vector<std::string> paths;
    paths.reserve(written_.size());
    for (const std::string& path : written_) paths.push_back(options_.directory + "/" + path);
    std::function<void(const std::string&)> add_directories = [&](const std::string& directory) {
      for (const std::string& name : ListDirectory(directory)) {
        std::string path = fmt::format("{}/{}", directory, name);
        if (IsDirectory(path)) add_directories(path);
      }
      paths.push_back(directory);
    };
    add_directories(options_.directory);
    FsyncAll(paths, CheckStop);
  }

  // The node would keep the WAL for an hour. It may not have noticed yet that the call is over.
  void DropHold() {
    const std::string& hold = journal_.start().hold;
    if (hold.empty() || connection_ == nullptr) return;
    for (int attempt = 0; attempt < kDropAttempts; ++attempt) {
      try {
        connection_->DropSlot(Self(), hold);
        return;
      } catch (const SqlError& error) {
        if (error.code() != ErrorCode::kObjectInUse) return;
      }
      Pause(100);
    }
  }

  BaseBackupOptions options_;
  const BaseBackupProgress& progress_;
  BackupJournal journal_;
  bool resumed_;  // of an earlier run
  std::unique_ptr<PrimaryConnection> connection_;
  std::optional<BackupWriter> writer_;
  std::set<std::string> written_;
  uint64_t done_bytes_ = 0, total_bytes_ = 0;
  int64_t heard_us_ = 0;
};

}  // namespace

void RequestBackupStop() {
  stop_asked.store(true);
  self().latch.Set();
}

bool HoldsIncompleteBackup(const std::string& directory) {
  return PathExists(directory + "/" + std::string(kBackupJournal));
}

void TakeBaseBackup(const BaseBackupOptions& options, const BaseBackupProgress& progress, bool* keep) {
  *keep = HoldsIncompleteBackup(options.directory);
  Transfer transfer(options, progress);
  try {
    transfer.Run();
  } catch (const SqlError& error) {
    *keep = transfer.MayBeResumed(error);
    if (!*keep) transfer.GiveUp();
    throw;
  }
}

}  // namespace walden::replication
