// The receiving end of a base backup: the order of messages, checksums, and files below a directory. No network; what is
// written is not yet synced, only on its way to the disk.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "node/os/file.h"
#include "replication/messages.h"

namespace walden::replication {

class BackupWriter {
 public:
  enum class Step : uint8_t { kWaiting, kStarted, kFile, kData, kFileEnd, kFinished };
  explicit BackupWriter(std::string directory) : directory_(std::move(directory)) {}

  // Throws the sender's failure; 08P01 for what comes out of order or leaves the directory; XX001 for a wrong checksum.
  Step OnMessage(const std::string& bytes);
  bool finished() const { return finished_; }
  const v1::BackupStarted& started() const { return started_; }
  const v1::BackupFinished& end() const { return end_; }
  const std::string& current_path() const { return path_; }
  uint64_t last_bytes() const { return last_bytes_; }  // of content, by the last kData
  uint64_t file_bytes() const { return offset_; }      // of the current file, or the last one
  uint32_t file_crc() const { return crc_; }
  const v1::Position& started_by() const { return started_by_; }  // who sent kStarted

 private:
  void BeginFile(const v1::BackupFileStart& start);
  void TakeData(const v1::BackupFileData& data);
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
  uint64_t offset_ = 0, last_bytes_ = 0, written_back_ = 0;
};

}  // namespace walden::replication
