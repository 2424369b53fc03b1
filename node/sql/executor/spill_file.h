// A temporary file of length-prefixed records: written once from front to back, then read any number of times.
// The file is unlinked as soon as it is open, so a crash leaves nothing behind. Bytes written count against
// temp_file_limit (53400 when it is passed).
//
// Record: u32 size, then the bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/os/file.h"

namespace walden {

// One of many that may stay empty (partitions): the file itself is made with the first bytes.
class SpillFile {
 public:
  static constexpr size_t kBufferBytes = 64 * 1024;  // of memory while it is written, and while it is read

  SpillFile() = default;
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  void Append(std::string_view record);
  // Ends writing (the first time) and goes to the first record. Holds no memory until the first Read.
  void Rewind();
  // The view stays valid until the next Read. False at the end.
  bool Read(std::string_view* record);
  uint64_t bytes() const { return size_ + (reading_ ? 0 : buffer_.size()); }

 private:
  void FlushBuffer();
  // Makes at least `wanted` bytes readable at position_ of the buffer; false when the file ends before.
  bool Fill(size_t wanted);

  File file_;
  std::string buffer_;
  size_t position_ = 0;  // next unread byte of the buffer
  uint64_t offset_ = 0;  // file offset just past the buffer's bytes, while reading
  uint64_t size_ = 0;    // bytes in the file
  bool reading_ = false;
};

// Records read by number, in any order, also while more are appended. Keeps 8 bytes of memory a record.
class RecordFile {
 public:
  RecordFile();
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  void Append(std::string_view record);
  void ReadAt(size_t number, std::string* record);
  uint64_t bytes() const { return size_ + tail_.size(); }

 private:
  void FlushTail();
  File file_;
  std::vector<uint64_t> ends_;  // offset just past each record
  std::string tail_;            // not written yet
  uint64_t size_ = 0;           // bytes in the file
  // Pieces of the file: several readers go through it side by side (a window frame's ends, each function's place), each in its own.
  struct Window {
    std::string bytes;
    uint64_t offset = 0;
    uint64_t last_use = 0;
  };
  static constexpr size_t kWindowBytes = 16 * 1024;
  const Window& WindowOf(uint64_t begin, uint64_t end);
  std::array<Window, 8> windows_;
  uint64_t uses_ = 0;
};

// Bytes in this process's temporary files now, and how many files and bytes it has made in all (for statistics).
struct SpillTotals {
  uint64_t current_bytes = 0;
  uint64_t files = 0;
  uint64_t bytes_written = 0;
  uint64_t bytes_read = 0;
};
SpillTotals& spill_totals();
// temp_file_limit in bytes; UINT64_MAX = none.
void SetSpillLimit(uint64_t bytes);

}  // namespace walden
