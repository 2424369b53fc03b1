// A base backup: checkpoint, files, end record, WAL. The files are read by a thread of their own; this class drives it.
#include <algorithm>
#include <set>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/os/file.h"
#include "node/recovery/backup.h"
#include "node/recovery/control_file.h"
#include "node/stats/progress.h"
#include "node/txn/sender_slots.h"
#include "node/wal/wal.h"
#include "replication/backup_files.h"
#include "replication/sender_calls.h"

namespace walden::replication {
namespace {

constexpr size_t kMostLabelBytes = 8192;
// Phases of pg_stat_progress_basebackup.
enum BackupPhase : int64_t {
  kWaitingForCheckpoint = 1,
  kEstimating = 2,
  kStreaming = 3,
  kTransferringWal = 5
};

class BackupCall final : public ActiveCall, private BackupHolds::User {
 public:
  using ActiveCall::ActiveCall;
  ~BackupCall() override {
    if (row_ >= 0) ReleaseSenderSlot(row_);
    if (hold_.empty()) return;
    if (request_.resumable())
      context_.holds.Leave(hold_, this, MonotonicUs());
    else
      context_.holds.Drop(hold_);
  }

 private:
  enum class Phase : uint8_t { kAsked, kCheckpoint, kFiles, kReceiving, kWal, kDone };

  void Handle(const std::string& bytes) override {
    v1::BaseBackupRequest request;
    Decode(bytes, &request);
    if (request.files_received()) {
      received_ = true;
      return;
    }
    if (phase_ != Phase::kAsked || row_ >= 0) return;
    for (std::string& path : *request.mutable_have()) have_.insert(std::move(path));
    bool more = request.more();
    if (request_.token().empty()) {
      request_ = std::move(request);
      login_ = context_.Authorize(request_.token(), call_);
      context_.Meet(request_.at(), call_);
    }
    if (!more) Begin();
  }

  void Begin() {
    std::string application = login_.application_name.empty() ? "walden basebackup" : login_.application_name;
    row_ = ClaimSenderSlot(application, login_.user, login_.role, call_.peer().host, call_.peer().port);
    Sender(row_).state.store(SenderState::kBackup);
    if (request_.has_resume()) {
      Resume();
    } else {
      if (request_.include_wal() || request_.resumable()) hold_ = context_.holds.Make(this);
      backup_.Begin(request_.label().empty() ? "walden basebackup" : request_.label(),
                    request_.fast_checkpoint());
    }
    Show(progress::kBackupPhase, kWaitingForCheckpoint);
    Show(progress::kBackupTotal, -1);
    phase_ = Phase::kCheckpoint;
    v1::BaseBackupReply reply;
    reply.mutable_waiting();
    Send(Encode(reply));
  }

  void Resume() {
    const v1::BackupResume& resume = request_.resume();
    if (resume.label_file().empty() || resume.label_file().size() > kMostLabelBytes)
      throw SqlError(ErrorCode::kProtocolViolation, "a resumed base backup needs its label file");
    context_.holds.Take(resume.hold(), this);
    hold_ = resume.hold();
    BackupStart start;
    start.start = Lsn{resume.start_lsn()};
    start.timeline = resume.timeline();
    start.from_standby = resume.from_standby();
    start.label_file = resume.label_file();
    backup_.Resume(start, request_.fast_checkpoint());
    Log(Severity::kLog, "base backup that began at {} goes on: {} files are there", start.start.ToString(),
        have_.size());
  }

  void LoseHold() override {
    hold_.clear();
    call_.Abort();
  }

  void Produce(int64_t) override {
    switch (phase_) {
      case Phase::kAsked:
      case Phase::kDone: return;
      case Phase::kCheckpoint:
        if (backup_.Started()) BeginFiles();
        return;
      case Phase::kFiles:
        if (PassOn()) return;
        phase_ = Phase::kReceiving;
        [[fallthrough]];
      case Phase::kReceiving:
        // The end record says that the copies are all made: only who has them may let it be written.
        if (received_ || !request_.resumable()) EndFiles();
        return;
      case Phase::kWal:
        if (!PassOn()) End();
        return;
    }
  }

  void Show(progress::BaseBackup what, int64_t value) {
    Sender(row_).backup_progress[what].store(value, std::memory_order_relaxed);
  }
  void ShowStreamed() {
    int64_t streamed = static_cast<int64_t>(streamed_before_ + reader_->read_bytes());
    Show(progress::kBackupStreamed, streamed);
    if (streamed > total_) Show(progress::kBackupTotal, total_ = streamed);
  }

  // False: the reader has finished.
  bool PassOn() {
    OutMessage message;
    if (reader_->Pop(&message)) {
      Send(std::move(message));
      ShowStreamed();
      return true;
    }
    return !reader_->Finished();
  }

  void Read(std::vector<BackupFile> files) {
    if (reader_) streamed_before_ += reader_->read_bytes();
    reader_ = std::make_unique<BackupFileReader>(
        context_.queue,
        BackupFileReader::Options{".", request_.max_rate_kb(), request_.compress(), request_.batches()},
        std::move(files));
  }

  void BeginFiles() {
    const BackupStart& start = backup_.start();
    Show(progress::kBackupPhase, kEstimating);
    std::vector<BackupFile> files = FilesToSend();
    v1::BaseBackupReply reply;
    v1::BackupStarted* started = reply.mutable_started();
    PutSpeaker(context_.Speak(), reply.mutable_at());
    started->set_start_lsn(start.start.value);
    started->set_timeline(start.timeline);
    started->set_hold(hold_);
    started->set_from_standby(start.from_standby);
    uint64_t total = 0;
    for (const BackupFile& file : files) total += file.size_bytes;
    if (request_.include_wal()) {
      uint64_t segments = SegmentOf(context_.View().flushed) - SegmentOf(start.start) + 1;
      total += segments * kWalSegmentFileSize;
    }
    started->set_total_bytes(total);
    started->set_total_files(static_cast<uint32_t>(files.size()));
    Send(Encode(reply));
    total_ = static_cast<int64_t>(total);
    Show(progress::kBackupTotal, total_);
    Show(progress::kBackupTablespaces, 1);
    Show(progress::kBackupPhase, kStreaming);
    phase_ = Phase::kFiles;
    Read(std::move(files));
  }

  // The label first, the control file last.
  std::vector<BackupFile> FilesToSend() {
    if (have_.contains(kControlFilePath)) {
      // All were there when the connection broke, and the end of the backup may be logged: not one may be copied now.
      received_ = true;
      return {};
    }
    std::vector<BackupFile> files = ListBackupFiles(".");
    const std::string& label = backup_.start().label_file;
    files.insert(files.begin(), {"backup_label", false, 0600, label.size(), label});
    std::erase_if(files,
                  [&](const BackupFile& file) { return !file.is_directory && have_.contains(file.path); });
    return files;
  }

  void EndFiles() {
    stop_ = backup_.Stop();
    phase_ = Phase::kWal;
    Show(progress::kBackupTablespacesDone, 1);
    Show(progress::kBackupPhase, kTransferringWal);
    std::vector<BackupFile> files;
    for (const std::string& name : ListDirectory("pg_wal")) {
      TimelineId timeline;
      uint64_t segment;
      bool history = name.ends_with(".history");
      bool wanted = ParseWalSegmentName(name, &timeline, &segment) && timeline <= stop_.timeline &&
                    segment >= SegmentOf(backup_.start().start) &&
                    segment <= SegmentOf(Lsn{stop_.stop.value - 1});
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
  Login login_;
  std::set<std::string, std::less<>> have_;  // files that the receiver has
  bool received_ = false;                    // it has them all
  std::string hold_;
  OnlineBackup backup_;
  BackupStop stop_;
  std::unique_ptr<BackupFileReader> reader_;
  uint64_t streamed_before_ = 0;  // by earlier readers
  int64_t total_ = 0;
};

}  // namespace

std::unique_ptr<CallHandler> MakeBackupCall(SenderContext& context, ServerCall& call) {
  return std::make_unique<BackupCall>(context, call);
}

}  // namespace walden::replication
