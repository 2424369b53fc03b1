#include "replication/backup_writer.h"

#include <lz4.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

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
  std::string_view payload = DecodeBackup(bytes, &reply);
  last_bytes_ = 0;
  whole_files_.clear();
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
    case v1::BaseBackupReply::kFile: BeginFile(reply.file()); return Step::kFiles;
    case v1::BaseBackupReply::kData: TakeData(Unpack(reply.data().raw_bytes(), payload)); return Step::kFiles;
    case v1::BaseBackupReply::kFileEnd: EndFile(reply.file_end()); return Step::kFiles;
    case v1::BaseBackupReply::kBatch:
      TakeBatch(reply.batch(), Unpack(reply.batch().raw_bytes(), payload));
      return Step::kFiles;
    case v1::BaseBackupReply::kFinished:
      if (!has_started_ || in_file_) throw OutOfOrder("its end comes too early");
      finished_ = true;
      end_ = reply.finished();
      return Step::kFinished;
    default: throw OutOfOrder("an unknown message");
  }
}

void BackupWriter::TakeBatch(const v1::BackupBatch& batch, std::string_view content) {
  for (const v1::BackupPiece& piece : batch.pieces()) {
    if (piece.has_start()) BeginFile(piece.start());
    if (piece.data_bytes() > content.size()) throw OutOfOrder("a piece longer than its batch");
    if (piece.data_bytes() > 0) TakeData(content.substr(0, piece.data_bytes()));
    content.remove_prefix(piece.data_bytes());
    if (piece.zero_bytes() > 0) TakeZeros(piece.zero_bytes());
    if (piece.has_end()) EndFile(piece.end());
  }
  if (!content.empty()) throw OutOfOrder("a batch longer than its pieces");
}

std::string_view BackupWriter::Unpack(uint32_t raw_bytes, std::string_view data) {
  if (raw_bytes == 0) return data;
  if (raw_bytes > kMostChunkBytes) throw OutOfOrder("a chunk too large");
  unpacked_.resize(raw_bytes);
  int got = LZ4_decompress_safe(data.data(), unpacked_.data(), static_cast<int>(data.size()),
                                static_cast<int>(raw_bytes));
  if (got != static_cast<int>(raw_bytes)) throw OutOfOrder("a damaged compressed chunk");
  return unpacked_;
}

void BackupWriter::BeginFile(const v1::BackupFileStart& start) {
  if (!has_started_ || in_file_) throw OutOfOrder("a file where none is expected");
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
  announced_ = start.size_bytes();
  offset_ = written_back_ = 0;
}

void BackupWriter::TakeData(std::string_view content) {
  if (!in_file_) throw OutOfOrder("data without a file");
  file_.WriteAt(content.data(), content.size(), offset_);
  Advance(content);
  if (offset_ - written_back_ >= kWriteBackBytes) StartWriteBack();
}

// Space for them is taken, so that writing there later does not fail for lack of it; nothing else is written.
void BackupWriter::TakeZeros(uint64_t bytes) {
  static const std::string zeros(1 << 20, '\0');
  if (!in_file_) throw OutOfOrder("data without a file");
  if (bytes > announced_ - std::min(offset_, announced_)) throw OutOfOrder("a file longer than announced");
  while (bytes > 0) {
    ssize_t got = fs().Extend(file_.fd(), zeros.data(), std::min<uint64_t>(bytes, zeros.size()), offset_);
    if (got <= 0)
      throw FileError(got == 0 ? ENOSPC : static_cast<int>(-got),
                      fmt::format("could not extend file \"{}\"", file_.path()));
    Advance({zeros.data(), static_cast<size_t>(got)});
    bytes -= static_cast<uint64_t>(got);
  }
}

void BackupWriter::Advance(std::string_view content) {
  crc_ = Crc32c(crc_, content.data(), content.size());
  offset_ += content.size();
  last_bytes_ += content.size();
}

void BackupWriter::StartWriteBack() {
  file_.StartWriteBack(written_back_, offset_ - written_back_);
  written_back_ = offset_;
}

void BackupWriter::EndFile(const v1::BackupFileEnd& end) {
  if (!in_file_) throw OutOfOrder("the end of no file");
  if (end.size_bytes() != offset_ || end.crc32c() != crc_) {
    throw SqlError(ErrorCode::kDataCorrupted, "file \"{}\" arrived damaged", path_)
        .WithDetail(fmt::format("Received {} bytes with checksum {:08X}, sent were {} bytes with {:08X}.",
                                offset_, crc_, end.size_bytes(), end.crc32c()));
  }
  StartWriteBack();
  file_.Close();
  in_file_ = false;
  whole_files_.push_back({path_, offset_, crc_});
}

}  // namespace walden::replication
