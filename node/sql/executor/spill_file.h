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

#include "node/base/arena.h"
#include "node/os/file.h"

namespace walden {

// A file without a name, made with its first bytes.
class TemporaryFile {
 public:
  TemporaryFile() = default;
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  // At its end or before.
  void Write(std::string_view bytes, uint64_t offset);
  void Read(char* to, size_t bytes, uint64_t offset) const;
  uint64_t size() const { return size_; }

 private:
  File file_;
  uint64_t size_ = 0;
};

// One of many that may stay empty (partitions).
class SpillFile {
 public:
  static constexpr size_t kBufferBytes = 64 * 1024;  // of memory while it is written, and while it is read

  void Append(std::string_view record);
  // Ends writing (the first time) and goes to the first record. Holds no memory until the first Read.
  void Rewind();
  // The view stays valid until the next Read. False at the end.
  bool Read(std::string_view* record);
  uint64_t bytes() const { return file_.size() + (reading_ ? 0 : buffer_.size()); }

 private:
  void FlushBuffer();
  // Makes at least `wanted` bytes readable at position_ of the buffer; false when the file ends before.
  bool Fill(size_t wanted);

  TemporaryFile file_;
  std::string buffer_;
  size_t position_ = 0;  // next unread byte of the buffer
  uint64_t offset_ = 0;  // file offset just past the buffer's bytes, while reading
  bool reading_ = false;
};

// Records read by number, in any order, also while more are appended. Keeps 8 bytes of memory a record.
class RecordFile {
 public:
  void Append(std::string_view record);
  void ReadAt(size_t number, std::string* record);
  uint64_t bytes() const { return file_.size() + tail_.size(); }

 private:
  void FlushTail();
  TemporaryFile file_;
  std::vector<uint64_t> ends_;  // offset just past each record
  std::string tail_;            // not written yet
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

// Records appended at the end, read from any place, cut back to a place: a queue. The first ones are kept in memory, up to a limit.
class RecordLog {
 public:
  // `name`: of its memory account.
  RecordLog(const char* name, size_t memory_limit_bytes);

  void Append(std::string_view record);
  // The place just past the last record; 0 is the first one's.
  uint64_t end() const { return memory_.size() + file_end_ + tail_.size(); }
  // The record at the place, which becomes the next one's. The view is valid until the next call of anything.
  std::string_view Read(uint64_t* place);
  // Forgets the records from `place` on. Does no I/O; throws nothing.
  void CutBack(uint64_t place);

 private:
  void AppendToMemory(std::string_view size, std::string_view record);
  // Bytes of the log behind memory_, `offset` counted from there.
  std::string_view Spilled(uint64_t offset, size_t bytes);
  void FreeMemory();

  MemoryAccount account_;
  size_t memory_limit_;
  std::string memory_;
  TemporaryFile file_;     // may be longer than what counts
  uint64_t file_end_ = 0;  // bytes of the file that count
  std::string tail_;       // follows them, not written yet
  std::string window_;     // a piece of the file
  uint64_t window_offset_ = 0;
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
