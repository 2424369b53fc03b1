// A base backup: checkpoint, files, end record, WAL. The files are read by a thread of their own; this class drives it.
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/recovery/backup.h"
#include "node/recovery/replication_slots.h"
#include "node/txn/sender_slots.h"
#include "node/wal/wal.h"
#include "replication/backup_files.h"
#include "replication/sender_calls.h"

namespace walden::replication {
namespace {

// Keeps WAL from the backup's start until it is sent, where slots are allowed at all.
class WalPin {
 public:
  WalPin() {
    if (GetInt(Setting::kMaxReplicationSlots) == 0) return;
    static int count = 0;
    name_ = fmt::format("walden_basebackup_{}_{}", getpid(), ++count);
    CreateReplicationSlot(name_, true, true);
  }
  ~WalPin() {
    try {
      if (!name_.empty()) DropReplicationSlot(name_);
    } catch (const SqlError& error) {
      EmitLog(error.fields());
    }
  }
  WalPin(const WalPin&) = delete;
  WalPin& operator=(const WalPin&) = delete;

 private:
  std::string name_;
};

class BackupCall final : public ActiveCall {
 public:
  using ActiveCall::ActiveCall;
  ~BackupCall() override {
    if (row_ >= 0) ReleaseSenderSlot(row_);
  }

 private:
  enum class Phase : uint8_t { kAsked, kCheckpoint, kFiles, kWal, kDone };

  void Handle(const std::string& bytes) override {
    if (phase_ != Phase::kAsked || row_ >= 0) return;
    Decode(bytes, &request_);
    Login login = context_.Authorize(request_.token(), call_);
    context_.Meet(request_.at(), call_);
    std::string application = login.application_name.empty() ? "walden basebackup" : login.application_name;
    row_ = ClaimSenderSlot(application, login.user, login.role, call_.peer().host, call_.peer().port);
    Sender(row_).state.store(SenderState::kBackup);
    if (request_.include_wal()) wal_pin_.emplace();
    backup_.Begin(request_.label().empty() ? "walden basebackup" : request_.label(), request_.fast_checkpoint());
    phase_ = Phase::kCheckpoint;
    v1::BaseBackupReply reply;
    reply.mutable_waiting();
    Send(Encode(reply));
  }

  void Produce(int64_t) override {
    switch (phase_) {
      case Phase::kAsked:
      case Phase::kDone:
        return;
      case Phase::kCheckpoint:
        if (backup_.Started()) BeginFiles();
        return;
      case Phase::kFiles:
        if (!PassOn()) EndFiles();
        return;
      case Phase::kWal:
        if (!PassOn()) End();
        return;
    }
  }

  // False: the reader has finished.
  bool PassOn() {
    OutMessage message;
    if (reader_->Pop(&message)) {
      Send(std::move(message));
      return true;
    }
    return !reader_->Finished();
  }

  void Read(std::vector<BackupFile> files) {
    reader_ = std::make_unique<BackupFileReader>(
        context_.queue, BackupFileReader::Options{".", request_.max_rate_kb(), request_.compress()},
        std::move(files));
  }

  void BeginFiles() {
    const BackupStart& start = backup_.start();
    std::vector<BackupFile> files = ListBackupFiles(".");
    BackupFile label{"backup_label", false, 0600, start.label_file.size(), start.label_file};
    files.insert(files.begin(), label);
    v1::BaseBackupReply reply;
    v1::BackupStarted* started = reply.mutable_started();
    PutSpeaker(context_.Speak(), reply.mutable_at());
    started->set_start_lsn(start.start.value);
    started->set_timeline(start.timeline);
    uint64_t total = 0;
    for (const BackupFile& file : files) total += file.size_bytes;
    if (request_.include_wal()) {
      uint64_t segments = SegmentOf(context_.View().flushed) - SegmentOf(start.start) + 1;
      total += segments * kWalSegmentFileSize;
    }
    started->set_total_bytes(total);
    started->set_total_files(static_cast<uint32_t>(files.size()));
    Send(Encode(reply));
    phase_ = Phase::kFiles;
    Read(std::move(files));
  }

  void EndFiles() {
    stop_ = backup_.Stop();
    phase_ = Phase::kWal;
    std::vector<BackupFile> files;
    for (const std::string& name : ListDirectory("pg_wal")) {
      TimelineId timeline;
      uint64_t segment;
      bool history = name.ends_with(".history");
      bool wanted = ParseWalSegmentName(name, &timeline, &segment) && timeline <= stop_.timeline &&
                    segment >= SegmentOf(backup_.start().start) && segment <= SegmentOf(Lsn{stop_.stop.value - 1});
      if (history || (wanted && request_.include_wal())) {
        std::string path = "pg_wal/" + name;
        files.push_back({path, false, 0600, history ? 0 : kWalSegmentFileSize, {}});
      }
    }
    Read(std::move(files));
  }

  void End() {
    v1::BaseBackupReply reply;
    PutSpeaker(context_.Speak(), reply.mutable_at());
    reply.mutable_finished()->set_stop_lsn(stop_.stop.value);
    reply.mutable_finished()->set_timeline(stop_.timeline);
    Send(Encode(reply));
    phase_ = Phase::kDone;
    FinishAfterwards();
  }

  OutMessage FailureMessage(const SqlError& error) override {
    v1::BaseBackupReply reply;
    PutFailure(error, reply.mutable_failure());
    return Encode(reply);
  }

  Phase phase_ = Phase::kAsked;
  v1::BaseBackupRequest request_;
  int row_ = -1;
  std::optional<WalPin> wal_pin_;
  OnlineBackup backup_;
  BackupStop stop_;
  std::unique_ptr<BackupFileReader> reader_;
};

}  // namespace

std::unique_ptr<CallHandler> MakeBackupCall(SenderContext& context, ServerCall& call) {
  return std::make_unique<BackupCall>(context, call);
}

}  // namespace walden::replication
