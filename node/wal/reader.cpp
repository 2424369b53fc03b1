#include "node/wal/reader.h"

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "node/storage/page.h"
#include "node/wal/wal.h"

namespace walden {

uint32_t FinishRecordCrc(uint32_t crc, Lsn lsn, TimelineId timeline) {
  char where[12];
  Store(where, lsn.value);
  Store(where + 8, timeline);
  return Crc32c(crc, where, sizeof where);
}

uint32_t RecordCrc(const char* record, size_t size, Lsn lsn, TimelineId timeline) {
  uint32_t crc = Crc32c(0, record, offsetof(RecordHeader, crc));
  crc = Crc32c(crc, record + 8, size - 8);
  return FinishRecordCrc(crc, lsn, timeline);
}

// ---- decoding ----

bool PageRef::RestoreImage(char* page) const {
  if (!HasImage() || hole_offset + hole_size > static_cast<int>(kPageSize)) return false;
  size_t stored = kPageSize - hole_size;
  char unpacked[kPageSize];
  const char* from = image.data();
  if ((flags & kRefImageLz4) != 0) {
    int size = LZ4_decompress_safe(image.data(), unpacked, static_cast<int>(image.size()), kPageSize);
    if (size != static_cast<int>(stored)) return false;
    from = unpacked;
  } else if ((flags & kRefImageZstd) != 0) {
    if (ZSTD_decompress(unpacked, kPageSize, image.data(), image.size()) != stored) return false;
    from = unpacked;
  } else if (image.size() != stored) {
    return false;
  }
  std::memcpy(page, from, hole_offset);
  std::memset(page + hole_offset, 0, hole_size);
  std::memcpy(page + hole_offset + hole_size, from + hole_offset, stored - hole_offset);
  return true;
}

const PageRef* DecodedRecord::FindPage(int id) const {
  for (const PageRef& page : pages) {
    if (page.id == id) return &page;
  }
  return nullptr;
}

std::string_view DecodedRecord::PageData(int id) const {
  const PageRef* page = FindPage(id);
  return page == nullptr ? std::string_view() : page->data;
}

void DecodedRecord::CheckSize(std::string_view from, size_t size) {
  if (from.size() < size) {
    throw SqlError(ErrorCode::kDataCorrupted, "WAL record is too short: {} bytes where {} are needed",
                   from.size(), size);
  }
}

namespace {

// A cursor over a record's bytes; Take returns nullptr past the end.
struct Cursor {
  const char* at;
  const char* end;
  const char* Take(size_t size) {
    if (static_cast<size_t>(end - at) < size) return nullptr;
    const char* taken = at;
    at += size;
    return taken;
  }
};

// Of the last page.
bool TakeLocator(Cursor* cursor, const PageRefHeader& header, std::vector<PageRef>* pages) {
  RelFileLocator* rel = &pages->back().key.rel;
  if ((header.flags & kRefSameRelation) != 0) {
    if (pages->size() < 2) return false;
    *rel = (*pages)[pages->size() - 2].key.rel;
    return true;
  }
  const char* bytes = cursor->Take(kRefLocatorSize);
  if (bytes == nullptr) return false;
  rel->tablespace = Load<Oid>(bytes);
  rel->database = Load<Oid>(bytes + 4);
  rel->number = Load<uint32_t>(bytes + 8);
  rel->owner = header.owner;
  return true;
}

bool TakePage(Cursor* cursor, std::vector<PageRef>* pages) {
  const char* bytes = cursor->Take(sizeof(PageRefHeader));
  if (bytes == nullptr) return false;
  auto header = Load<PageRefHeader>(bytes);
  if (header.fork >= kForkCount || header.id >= kMaxRecordPages) return false;
  // Made where it stays: a copy would wait for the stores before it.
  PageRef& page = pages->emplace_back();
  page.id = header.id;
  page.flags = header.flags;
  page.key.fork = static_cast<Fork>(header.fork);
  page.key.block = header.block;
  page.hole_offset = header.hole_offset;
  page.hole_size = header.hole_size;
  if (!TakeLocator(cursor, header, pages)) return false;
  const char* image = cursor->Take(header.image_size);
  const char* data = cursor->Take(header.data_size);
  if (image == nullptr || data == nullptr) return false;
  page.image = {image, header.image_size};
  page.data = {data, header.data_size};
  return true;
}

}  // namespace

bool DecodeRecord(DecodedRecord* record, std::string* error) {
  return DecodeRecord({record->bytes.data(), record->bytes.size()}, record, error);
}

bool DecodeRecord(std::string_view from, DecodedRecord* record, std::string* error) {
  Cursor cursor{from.data(), from.data() + from.size()};
  record->pages.clear();
  record->whole = from;
  const char* bytes = cursor.Take(sizeof(RecordHeader));
  if (bytes == nullptr) {
    *error = "record is shorter than its header";
    return false;
  }
  auto header = Load<RecordHeader>(bytes);
  record->kind = static_cast<RecordKind>(header.kind);
  record->xid = Xid{header.xid};
  for (int i = 0; i < header.page_count; ++i) {
    if (!TakePage(&cursor, &record->pages)) {
      *error = fmt::format("invalid page reference {} in record", i);
      return false;
    }
  }
  if (static_cast<size_t>(cursor.end - cursor.at) != header.data_size) {
    *error = "record lengths disagree";
    return false;
  }
  record->data = {cursor.at, header.data_size};
  return true;
}

// ---- files ----

struct FileWalSource::OpenSegment {
  uint64_t segment = UINT64_MAX;
  File file;
};

FileWalSource::FileWalSource(std::string directory, TimelineId timeline, Lsn end)
    : directory_(std::move(directory)),
      timeline_(timeline),
      end_(end),
      open_(std::make_unique<OpenSegment>()) {}
FileWalSource::~FileWalSource() = default;

size_t FileWalSource::Read(Lsn at, char* to, size_t size) {
  size_t done = 0;
  while (done < size) {
    Lsn from = at + done;
    if (from >= end_) break;
    if (open_->segment != SegmentOf(from)) {
      int error = 0;
      std::string path = directory_ + "/" + WalSegmentName(timeline_, SegmentOf(from));
      open_->file = File::TryOpen(path, O_RDONLY, &error);
      open_->segment = open_->file.is_open() ? SegmentOf(from) : UINT64_MAX;
      if (!open_->file.is_open()) {
        if (error == ENOENT) break;
        throw FileError(error, fmt::format("could not open file \"{}\"", path));
      }
    }
    uint64_t offset = OffsetInSegment(from);
    size_t want = std::min<uint64_t>({size - done, kWalSegmentSize - offset, end_ - from});
    size_t got = open_->file.ReadAt(to + done, want, kWalSegmentHeaderSize + offset);
    done += got;
    if (got < want) break;
  }
  return done;
}

// ---- reader ----

namespace {
constexpr size_t kReadAhead = 128 * 1024;
}

WalReader::WalReader(WalSource* source) : source_(source) {}
WalReader::~WalReader() = default;

void WalReader::Seek(Lsn at) {
  position_ = at;
  if (at < buffer_start_ || at >= buffer_start_ + buffer_size_) buffer_size_ = 0;
}

bool WalReader::Fill(Lsn at, size_t size) {
  if (at >= buffer_start_ && at + size <= buffer_start_ + buffer_size_) return true;
  size_t kept = 0;
  if (at >= buffer_start_ && at < buffer_start_ + buffer_size_) {
    kept = buffer_start_ + buffer_size_ - at;
    std::memmove(buffer_.data(), buffer_.data() + (at - buffer_start_), kept);
  }
  buffer_start_ = at;
  buffer_size_ = kept;
  // A large record is read piece by piece: its size field may be garbage, and memory follows only what
  // exists.
  while (buffer_size_ < size) {
    size_t target = std::max(std::min(size, buffer_size_ + 4 * kReadAhead), kReadAhead);
    if (buffer_.size() < target) buffer_.resize(target);
    size_t got = source_->Read(at + buffer_size_, buffer_.data() + buffer_size_, target - buffer_size_);
    if (got == 0) return false;
    buffer_size_ += got;
  }
  return true;
}

ReadResult WalReader::End(std::string reason) {
  error_ = std::move(reason);
  buffer_size_ = 0;  // what was read may be overwritten by real records before the next attempt
  return ReadResult::kEnd;
}

bool WalReader::ReadHeader(Lsn at, RecordHeader* header) {
  if (!Fill(at, sizeof(RecordHeader))) {
    error_ = fmt::format("no WAL at {}", at.ToString());
    return false;
  }
  *header = Load<RecordHeader>(buffer_.data() + (at - buffer_start_));
  if (header->size < sizeof(RecordHeader) || header->size > kMaxRecordSize) {
    error_ = fmt::format("invalid record length at {}: wanted {}, got {}", at.ToString(),
                         sizeof(RecordHeader), header->size);
    return false;
  }
  bool sane = header->page_count <= kMaxRecordPages && header->flags == 0 &&
              header->data_size <= header->size - sizeof(RecordHeader);
  if (!sane) error_ = fmt::format("invalid record header at {}", at.ToString());
  return sane;
}

ReadResult WalReader::NextInPlace(DecodedRecord* record) {
  RecordHeader header;
  if (!ReadHeader(position_, &header)) return End(std::move(error_));
  if (!Fill(position_, header.size)) return End(fmt::format("record at {} is cut off", position_.ToString()));
  const char* bytes = buffer_.data() + (position_ - buffer_start_);
  TimelineId timeline = source_->TimelineAt(position_);
  if (RecordCrc(bytes, header.size, position_, timeline) != header.crc) {
    return End(fmt::format("incorrect resource manager data checksum in record at {}", position_.ToString()));
  }
  record->start = position_;
  record->end = Lsn{AlignUp((position_ + header.size).value, 8)};
  record->timeline = timeline;
  if (!DecodeRecord({bytes, header.size}, record, &error_))
    return End(fmt::format("{} at {}", error_, position_.ToString()));
  if (record->kind == RecordKind::kSwitch && OffsetInSegment(record->end) != 0) {
    record->end = SegmentStart(SegmentOf(record->end) + 1);
  }
  position_ = record->end;
  return ReadResult::kRecord;
}

ReadResult WalReader::Next(DecodedRecord* record) {
  if (NextInPlace(record) != ReadResult::kRecord) return ReadResult::kEnd;
  record->bytes.assign(record->whole.begin(), record->whole.end());
  CHECK(DecodeRecord(record, &error_));
  return ReadResult::kRecord;
}

bool WalReader::SeekToRecord(Lsn at, uint64_t limit) {
  DecodedRecord record;
  Lsn candidate{AlignUp(at.value, 8)};
  for (Lsn end = candidate + limit; candidate < end; candidate = candidate + 8) {
    Seek(candidate);
    RecordHeader header;
    if (!Fill(candidate, sizeof header)) return false;
    if (!ReadHeader(candidate, &header) || FindRecordKind(static_cast<RecordKind>(header.kind)) == nullptr)
      continue;
    if (Next(&record) == ReadResult::kRecord) {
      Seek(candidate);
      return true;
    }
  }
  return false;
}

}  // namespace walden
