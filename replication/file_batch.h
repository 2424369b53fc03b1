// Files on their way into messages: their pieces fill one batch after the other. No I/O; the receiving end is BackupWriter.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "replication/messages.h"

namespace walden::replication {

class FileBatch {
 public:
  struct Options {
    size_t bytes = 0;       // of content in a batch
    bool compress = false;  // LZ4, where it helps
    bool together =
        true;  // as one message; otherwise a message for every start, part and end, as older receivers want it
  };
  explicit FileBatch(const Options& options) : options_(options) {}

  void Begin(v1::BackupFileStart start);
  // Where to put content of the file that has begun: at most `wanted` bytes, and not empty unless the batch is full.
  std::span<char> Room(uint64_t wanted);
  void Fill(size_t bytes);   // so many of them were put there
  void Zeros(size_t bytes);  // so many zeros follow. Requires: together
  void End(uint32_t crc, uint64_t size_bytes);

  bool empty() const { return pieces_.empty(); }
  bool full() const {
    return used_ == options_.bytes || zeros_ >= kMostZeros || pieces_.size() >= kMostPieces;
  }
  bool together() const { return options_.together; }
  uint64_t content_bytes() const { return used_ + zeros_; }
  // What it consists of; empty afterwards. A file that has begun and not ended goes on in the next.
  std::vector<OutMessage> Take();

 private:
  static constexpr size_t kMostPieces = 1024;
  static constexpr uint64_t kMostZeros = 8 << 20;
  v1::BackupPiece& Current();
  uint32_t Compress(std::string* bytes) const;
  OutMessage TakeTogether();
  std::vector<OutMessage> TakeApart();

  Options options_;
  std::vector<v1::BackupPiece> pieces_;
  std::string content_;
  size_t used_ = 0;
  uint64_t zeros_ = 0;
};

}  // namespace walden::replication
