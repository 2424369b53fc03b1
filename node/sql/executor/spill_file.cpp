#include "node/sql/executor/spill_file.h"

#include <unistd.h>

#include <algorithm>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/stats/counters.h"

namespace walden {
namespace {

constexpr size_t kTailBytes = 64 * 1024;
constexpr size_t kLogBytes = 256;  // of memory that a log begins with
constexpr const char* kTemporaryDirectory = "base/pgsql_tmp";
uint64_t spill_limit_bytes = UINT64_MAX;

File OpenTemporary() {
  static uint64_t counter = 0;
  std::string path = fmt::format("{}/pgsql_tmp{}.{}", kTemporaryDirectory, getpid(), counter++);
  int error_number = 0;
  File file = File::TryOpen(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, &error_number);
  if (!file.is_open()) {
    MakeDirectories(kTemporaryDirectory);
    file = File::Open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC);
  }
  UnlinkIfExists(path);
  Count(DatabaseCounter::kTempFiles);
  return file;
}

// log_temp_files. The file has lost its name by now: the folder stands for it.
void TemporaryGone(uint64_t bytes) {
  spill_totals().current_bytes -= bytes;
  int64_t limit_kb = GetInt(Setting::kLogTempFiles);
  if (limit_kb < 0 || bytes < static_cast<uint64_t>(limit_kb) * 1024) return;
  Log(Severity::kLog, "temporary file: path \"{}\", size {}", kTemporaryDirectory, bytes);
}

}  // namespace

SpillTotals& spill_totals() {
  static SpillTotals totals;
  return totals;
}

void SetSpillLimit(uint64_t bytes) { spill_limit_bytes = bytes; }

TemporaryFile::~TemporaryFile() {
  if (file_.is_open()) TemporaryGone(size_);
}

void TemporaryFile::Write(std::string_view bytes, uint64_t offset) {
  if (!file_.is_open()) {
    file_ = OpenTemporary();
    ++spill_totals().files;
  }
  SpillTotals& totals = spill_totals();
  uint64_t end = offset + bytes.size();
  uint64_t added = end > size_ ? end - size_ : 0;
  if (added > spill_limit_bytes || totals.current_bytes > spill_limit_bytes - added) {
    throw SqlError(ErrorCode::kConfigurationLimitExceeded,
                   "temporary file size exceeds temp_file_limit ({}kB)", spill_limit_bytes / 1024);
  }
  file_.WriteAt(bytes.data(), bytes.size(), offset);
  size_ += added;
  totals.current_bytes += added;
  totals.bytes_written += bytes.size();
  Count(DatabaseCounter::kTempBytes, bytes.size());
}

void TemporaryFile::Read(char* to, size_t bytes, uint64_t offset) const {
  if (bytes == 0) return;
  file_.ReadExactlyAt(to, bytes, offset);
  spill_totals().bytes_read += bytes;
}

void SpillFile::Append(std::string_view record) {
  DCHECK(!reading_);
  uint32_t size = static_cast<uint32_t>(record.size());
  buffer_.append(reinterpret_cast<const char*>(&size), sizeof(size));
  buffer_.append(record);
  if (buffer_.size() >= kBufferBytes) FlushBuffer();
}

void SpillFile::FlushBuffer() {
  file_.Write(buffer_, file_.size());
  buffer_.clear();
}

void SpillFile::Rewind() {
  if (!reading_ && !buffer_.empty()) FlushBuffer();
  reading_ = true;
  std::string().swap(buffer_);
  position_ = 0;
  offset_ = 0;
}

bool SpillFile::Fill(size_t wanted) {
  size_t left = buffer_.size() - position_;
  if (left >= wanted) return true;
  buffer_.erase(0, position_);
  position_ = 0;
  size_t target = std::min<uint64_t>(std::max(wanted, kBufferBytes), left + (file_.size() - offset_));
  buffer_.resize(target);
  file_.Read(buffer_.data() + left, target - left, offset_);
  offset_ += target - left;
  return buffer_.size() >= wanted;
}

bool SpillFile::Read(std::string_view* record) {
  DCHECK(reading_);
  if (!Fill(sizeof(uint32_t))) return false;
  uint32_t size = Load<uint32_t>(buffer_.data() + position_);
  CHECK(Fill(sizeof(size) + size));
  *record = std::string_view(buffer_.data() + position_ + sizeof(size), size);
  position_ += sizeof(size) + size;
  return true;
}

void RecordFile::Append(std::string_view record) {
  tail_.append(record);
  ends_.push_back(bytes());
  if (tail_.size() >= kTailBytes) FlushTail();
}

void RecordFile::FlushTail() {
  file_.Write(tail_, file_.size());
  tail_.clear();
}

// The piece that holds [begin, end); the one that was of no use for longest is read anew.
const RecordFile::Window& RecordFile::WindowOf(uint64_t begin, uint64_t end) {
  Window* oldest = &windows_[0];
  for (Window& window : windows_) {
    if (begin >= window.offset && end <= window.offset + window.bytes.size()) {
      window.last_use = ++uses_;
      return window;
    }
    if (window.last_use < oldest->last_use) oldest = &window;
  }
  oldest->offset = begin;
  oldest->last_use = ++uses_;
  oldest->bytes.resize(
      std::min<uint64_t>(std::max<uint64_t>(end - begin, kWindowBytes), file_.size() - begin));
  file_.Read(oldest->bytes.data(), oldest->bytes.size(), begin);
  return *oldest;
}

void RecordFile::ReadAt(size_t number, std::string* record) {
  uint64_t begin = number == 0 ? 0 : ends_[number - 1];
  uint64_t end = ends_[number];
  if (begin >= file_.size()) {
    record->assign(tail_, begin - file_.size(), end - begin);
    return;
  }
  const Window& window = WindowOf(begin, end);
  record->assign(window.bytes, begin - window.offset, end - begin);
}

RecordLog::RecordLog(const char* name, size_t memory_limit_bytes)
    : account_(name, &ProcessMemory()), memory_limit_(memory_limit_bytes) {}

void RecordLog::FreeMemory() {
  account_.Charge(-account_.bytes());
  memory_ = std::string();
}

void RecordLog::AppendToMemory(std::string_view size, std::string_view record) {
  size_t needed = memory_.size() + size.size() + record.size();
  if (needed > memory_.capacity()) {
    memory_.reserve(std::min(std::max({needed, memory_.capacity() * 2, kLogBytes}), memory_limit_));
    account_.Charge(static_cast<int64_t>(memory_.capacity()) - account_.bytes());
  }
  memory_.append(size);
  memory_.append(record);
}

void RecordLog::Append(std::string_view record) {
  uint32_t size = static_cast<uint32_t>(record.size());
  std::string_view size_bytes(reinterpret_cast<const char*>(&size), sizeof(size));
  bool spilled = file_end_ > 0 || !tail_.empty();
  if (!spilled && memory_.size() + sizeof(size) + record.size() <= memory_limit_) {
    AppendToMemory(size_bytes, record);
    return;
  }
  tail_.append(size_bytes);
  tail_.append(record);
  if (tail_.size() < kTailBytes) return;
  file_.Write(tail_, file_end_);
  file_end_ += tail_.size();
  tail_.clear();
}

std::string_view RecordLog::Spilled(uint64_t offset, size_t bytes) {
  if (offset >= file_end_) return std::string_view(tail_).substr(offset - file_end_, bytes);
  if (offset < window_offset_ || offset + bytes > window_offset_ + window_.size()) {
    window_.resize(std::min<uint64_t>(std::max(bytes, kTailBytes), file_end_ - offset));
    window_offset_ = offset;
    file_.Read(window_.data(), window_.size(), offset);
  }
  return std::string_view(window_).substr(offset - window_offset_, bytes);
}

std::string_view RecordLog::Read(uint64_t* place) {
  DCHECK(*place < end());
  uint64_t at = *place;
  bool in_memory = at < memory_.size();
  uint64_t offset = at - memory_.size();  // of the spilled part
  uint32_t size = Load<uint32_t>(in_memory ? memory_.data() + at : Spilled(offset, sizeof(size)).data());
  *place = at + sizeof(size) + size;
  if (in_memory) return std::string_view(memory_).substr(at + sizeof(size), size);
  return Spilled(offset, sizeof(size) + size).substr(sizeof(size));
}

void RecordLog::CutBack(uint64_t place) {
  window_.clear();
  if (place < memory_.size()) {
    memory_.resize(place);
    if (place == 0) FreeMemory();
    file_end_ = 0;
    tail_.clear();
  } else if (uint64_t offset = place - memory_.size(); offset < file_end_) {
    file_end_ = offset;
    tail_.clear();
  } else {
    tail_.resize(offset - file_end_);
  }
}

}  // namespace walden
