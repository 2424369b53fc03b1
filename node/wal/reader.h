// Reading the WAL: decoded records from any source of bytes (segment files, WAL buffers, archive, a stream).
// Not thread-safe. Used by recovery, waldump, walsender, rewind.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/ids.h"
#include "node/storage/relation_file.h"
#include "node/wal/record_format.h"
#include "node/wal/record_kind.h"

namespace walden {

struct PageRef {
  int id = 0;
  PageKey key;
  uint8_t flags = 0;       // PageRefFlag
  std::string_view image;  // stored bytes; RestoreImage unpacks
  uint16_t hole_offset = 0, hole_size = 0;
  std::string_view data;
  bool HasImage() const { return (flags & kRefHasImage) != 0; }
  bool ImageRestores() const { return (flags & kRefImageRestores) != 0; }
  bool WillInit() const { return (flags & kRefWillInit) != 0; }
  // Writes the 8 KiB page. False if the image is corrupt.
  bool RestoreImage(char* page) const;
};

// A record; views point into its bytes, which it owns in `bytes` unless it was decoded where they lie. Movable, reusable.
struct DecodedRecord {
  Lsn start, end;
  TimelineId timeline = 0;
  RecordKind kind{};
  Xid xid;
  std::string_view data;
  std::vector<PageRef> pages;
  std::string_view whole;  // header to end, wherever it lies
  std::vector<char> bytes;

  const PageRef* FindPage(int id) const;
  // The record's own data as a struct (copied: data is unaligned). Requires data.size() >= sizeof(T).
  template <class T>
  T Struct() const {
    T value;
    CheckSize(data, sizeof(T));
    __builtin_memcpy(&value, data.data(), sizeof(T));
    return value;
  }
  // Bytes of the data behind a leading T.
  template <class T>
  std::string_view AfterStruct() const {
    CheckSize(data, sizeof(T));
    return data.substr(sizeof(T));
  }
  template <class T>
  T PageStruct(int id) const {
    T value;
    std::string_view from = PageData(id);
    CheckSize(from, sizeof(T));
    __builtin_memcpy(&value, from.data(), sizeof(T));
    return value;
  }
  std::string_view PageData(int id) const;

 private:
  static void CheckSize(std::string_view from, size_t size);  // throws XX001 when shorter
};

// Decodes the record in `record->bytes` (header to end). False with a reason if it is malformed.
bool DecodeRecord(DecodedRecord* record, std::string* error);
// The same for bytes that stay where they are: `record` is valid as long as they.
bool DecodeRecord(std::string_view bytes, DecodedRecord* record, std::string* error);

class WalSource {
 public:
  virtual ~WalSource() = default;
  // Copies up to `size` bytes at `at`; returns how many are available now (0: none, may come later or never).
  // May wait, as the source sees fit. Throws on I/O errors.
  virtual size_t Read(Lsn at, char* to, size_t size) = 0;
  // The timeline of the bytes at `at` (CRCs depend on it).
  virtual TimelineId TimelineAt(Lsn at) = 0;
};

// Segment files of one directory and timeline; missing file = no bytes. `end`, if given, hides what is
// beyond.
class FileWalSource : public WalSource {
 public:
  FileWalSource(std::string directory, TimelineId timeline, Lsn end = kMaxLsn);
  ~FileWalSource() override;
  size_t Read(Lsn at, char* to, size_t size) override;
  TimelineId TimelineAt(Lsn) override { return timeline_; }
  void set_end(Lsn end) { end_ = end; }

 private:
  struct OpenSegment;
  std::string directory_;
  TimelineId timeline_;
  Lsn end_;
  std::unique_ptr<OpenSegment> open_;
};

enum class ReadResult {
  kRecord,
  kEnd,  // no valid record here: end of WAL so far (zeroes, old content, missing bytes, bad CRC); see error()
};

class WalReader {
 public:
  // Reads ahead in blocks from `source`, which outlives the reader.
  explicit WalReader(WalSource* source);
  ~WalReader();
  // The next Next() reads the record that starts at `at` (a record boundary).
  void Seek(Lsn at);
  // Finds the first record boundary at or after `at` by scanning for a valid record; false if there is none
  // in the next `limit` bytes.
  bool SeekToRecord(Lsn at, uint64_t limit = kWalSegmentSize);
  ReadResult Next(DecodedRecord* record);
  // The same without a copy: the record is valid until the reader is used again.
  ReadResult NextInPlace(DecodedRecord* record);
  Lsn position() const { return position_; }  // where the next record is expected
  const std::string& error() const { return error_; }

 private:
  bool Fill(Lsn at, size_t size);  // have [at, at+size) in buffer_
  bool ReadHeader(Lsn at, RecordHeader* header);
  ReadResult End(std::string reason);

  WalSource* source_;
  Lsn position_;
  Lsn buffer_start_;
  std::vector<char> buffer_;
  size_t buffer_size_ = 0;
  std::string error_;
};

}  // namespace walden
