#include "replication/backup_writer.h"

#include <lz4.h>
#include <sys/stat.h>

#include "node/base/crc32c.h"
#include "node/base/error.h"

namespace walden::replication {
namespace {

constexpr uint32_t kMostChunkBytes = 16 << 20;
constexpr uint64_t kWriteBackBytes = 8 << 20;  // of a file: on their way to the disk while more arrives

SqlError OutOfOrder(std::string_view what) {
  return SqlError(ErrorCode::kProtocolViolation, "invalid base backup: {}", what);
}

// Relative, and nowhere upwards.
bool StaysBelow(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string::npos) return false;
  for (size_t begin = 0; begin <= path.size();) {
    size_t slash = std::min(path.find('/', begin), path.size());
    std::string_view part(path.data() + begin, slash - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = slash + 1;
  }
  return true;
}

}  // namespace

BackupWriter::Step BackupWriter::OnMessage(const std::string& bytes) {
  v1::BaseBackupReply reply;
  Decode(bytes, &reply);
  if (reply.has_failure()) throw FailureToError(reply.failure());
  if (finished_) throw OutOfOrder("a message behind its end");
  switch (reply.body_case()) {
    case v1::BaseBackupReply::kWaiting: return Step::kWaiting;
    case v1::BaseBackupReply::kStarted:
      if (has_started_) throw OutOfOrder("it starts twice");
      has_started_ = true;
      started_ = reply.started();
      started_by_ = reply.at();
      return Step::kStarted;
    case v1::BaseBackupReply::kFile:
      if (!has_started_ || in_file_) throw OutOfOrder("a file where none is expected");
      BeginFile(reply.file());
      return Step::kFile;
    case v1::BaseBackupReply::kData:
      if (!in_file_) throw OutOfOrder("data without a file");
      TakeData(reply.data());
      return Step::kData;
    case v1::BaseBackupReply::kFileEnd:
      if (!in_file_) throw OutOfOrder("the end of no file");
      EndFile(reply.file_end());
      return Step::kFileEnd;
    case v1::BaseBackupReply::kFinished:
      if (!has_started_ || in_file_) throw OutOfOrder("its end comes too early");
      finished_ = true;
      end_ = reply.finished();
      return Step::kFinished;
    default: throw OutOfOrder("an unknown message");
  }
}

void BackupWriter::BeginFile(const v1::BackupFileStart& start) {
  path_ = start.path();
  if (!StaysBelow(path_)) throw OutOfOrder(fmt::format("path \"{}\"", path_));
  std::string full = directory_ + "/" + path_;
  if (start.kind() == v1::BackupFileStart::DIRECTORY) {
    MakeDirectories(full, kPrivateDirectoryMode);
    return;
  }
  file_ = File::Open(full, O_WRONLY | O_CREAT | O_TRUNC,
                     start.mode() & 0700 ? start.mode() & 0777 : kPrivateFileMode);
  in_file_ = true;
  crc_ = 0;
  offset_ = written_back_ = 0;
}

void BackupWriter::TakeData(const v1::BackupFileData& data) {
  std::string plain;
  const std::string* bytes = &data.data();
  if (data.raw_bytes() > 0) {
    if (data.raw_bytes() > kMostChunkBytes) throw OutOfOrder("a chunk too large");
    plain.resize(data.raw_bytes());
    int got = LZ4_decompress_safe(bytes->data(), plain.data(), static_cast<int>(bytes->size()),
                                  static_cast<int>(plain.size()));
    if (got != static_cast<int>(plain.size())) throw OutOfOrder("a damaged compressed chunk");
    bytes = &plain;
  }
  file_.WriteAt(bytes->data(), bytes->size(), offset_);
  crc_ = Crc32c(crc_, bytes->data(), bytes->size());
  offset_ += bytes->size();
  last_bytes_ = bytes->size();
  if (offset_ - written_back_ >= kWriteBackBytes) StartWriteBack();
}

void BackupWriter::StartWriteBack() {
  file_.StartWriteBack(written_back_, offset_ - written_back_);
  written_back_ = offset_;
}

void BackupWriter::EndFile(const v1::BackupFileEnd& end) {
  if (end.size_bytes() != offset_ || end.crc32c() != crc_) {
    throw SqlError(ErrorCode::kDataCorrupted, "file \"{}\" arrived damaged", path_)
        .WithDetail(fmt::format("Received {} bytes with checksum {:08X}, sent were {} bytes with {:08X}.",
                                offset_, crc_, end.size_bytes(), end.crc32c()));
  }
  StartWriteBack();
  file_.Close();
  in_file_ = false;
}

}  // namespace walden::replication
