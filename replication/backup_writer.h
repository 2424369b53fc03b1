// The receiving end of a base backup: the order of messages, checksums, and files below a directory. No network; what is
// written is not yet synced, only on its way to the disk.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "node/os/file.h"
#include "replication/backup_journal.h"
#include "replication/messages.h"

namespace walden::replication {

class BackupWriter {
 public:
  enum class Step : uint8_t { kWaiting, kStarted, kFiles, kFinished };
  explicit BackupWriter(std::string directory) : directory_(std::move(directory)) {}

  // Throws the sender's failure; 08P01 for what comes out of order or leaves the directory; XX001 for a wrong checksum.
  Step OnMessage(const std::string& bytes);
  bool finished() const { return finished_; }
  const v1::BackupStarted& started() const { return started_; }
  const v1::BackupFinished& end() const { return end_; }
  // What the last message has brought: bytes of content, and files that are whole with it.
  uint64_t last_bytes() const { return last_bytes_; }
  const std::vector<WholeFile>& whole_files() const { return whole_files_; }
  const v1::Position& started_by() const { return started_by_; }  // who sent kStarted

 private:
  void BeginFile(const v1::BackupFileStart& start);
  // The content itself. Throws 08P01 if it is not what was compressed.
  std::string_view Unpack(uint32_t raw_bytes, std::string_view data);
  void TakeBatch(const v1::BackupBatch& batch, std::string_view content);
  void TakeData(std::string_view content);
  void TakeZeros(uint64_t bytes);
  void Advance(std::string_view content);
  void StartWriteBack();
  void EndFile(const v1::BackupFileEnd& end);

  std::string directory_;
  bool has_started_ = false, in_file_ = false, finished_ = false;
  v1::BackupStarted started_;
  v1::Position started_by_;
  v1::BackupFinished end_;
  std::string path_;
  File file_;
  uint32_t crc_ = 0;
  uint64_t announced_ = 0;  // its size when it began
  uint64_t offset_ = 0, written_back_ = 0;
  uint64_t last_bytes_ = 0;
  std::vector<WholeFile> whole_files_;
  std::string unpacked_;
};

}  // namespace walden::replication
