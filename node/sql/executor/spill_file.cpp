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

constexpr size_t kTailBytes = size_t{64} * 1024;
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

// Writes a piece of a temporary file, within temp_file_limit.
void WriteTemporary(const File& file, std::string_view bytes, uint64_t offset) {
  SpillTotals& totals = spill_totals();
  if (bytes.size() > spill_limit_bytes || totals.current_bytes > spill_limit_bytes - bytes.size()) {
    throw SqlError(ErrorCode::kConfigurationLimitExceeded,
                   "temporary file size exceeds temp_file_limit ({}kB)", spill_limit_bytes / 1024);
  }
  file.WriteAt(bytes.data(), bytes.size(), offset);
  totals.current_bytes += bytes.size();
  totals.bytes_written += bytes.size();
  Count(DatabaseCounter::kTempBytes, bytes.size());
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

SpillFile::~SpillFile() {
  if (file_.is_open()) TemporaryGone(size_);
}

void SpillFile::Append(std::string_view record) {
  DCHECK(!reading_);
  uint32_t size = static_cast<uint32_t>(record.size());
  buffer_.append(reinterpret_cast<const char*>(&size), sizeof(size));
  buffer_.append(record);
  if (buffer_.size() >= kBufferBytes) FlushBuffer();
}

void SpillFile::FlushBuffer() {
  if (!file_.is_open()) {
    file_ = OpenTemporary();
    ++spill_totals().files;
  }
  WriteTemporary(file_, buffer_, size_);
  size_ += buffer_.size();
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
  size_t target = std::min<uint64_t>(std::max(wanted, kBufferBytes), left + (size_ - offset_));
  buffer_.resize(target);
  size_t got = file_.is_open() ? file_.ReadAt(buffer_.data() + left, target - left, offset_) : 0;
  spill_totals().bytes_read += got;
  offset_ += got;
  buffer_.resize(left + got);
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

RecordFile::RecordFile() : file_(OpenTemporary()) { ++spill_totals().files; }

RecordFile::~RecordFile() { TemporaryGone(size_); }

void RecordFile::Append(std::string_view record) {
  tail_.append(record);
  ends_.push_back(size_ + tail_.size());
  if (tail_.size() >= kTailBytes) FlushTail();
}

void RecordFile::FlushTail() {
  WriteTemporary(file_, tail_, size_);
  size_ += tail_.size();
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
  oldest->bytes.resize(std::min<uint64_t>(std::max<uint64_t>(end - begin, kWindowBytes), size_ - begin));
  file_.ReadExactlyAt(oldest->bytes.data(), oldest->bytes.size(), begin);
  spill_totals().bytes_read += oldest->bytes.size();
  return *oldest;
}

void RecordFile::ReadAt(size_t number, std::string* record) {
  uint64_t begin = number == 0 ? 0 : ends_[number - 1];
  uint64_t end = ends_[number];
  if (begin >= size_) {
    record->assign(tail_, begin - size_, end - begin);
    return;
  }
  const Window& window = WindowOf(begin, end);
  record->assign(window.bytes, begin - window.offset, end - begin);
}

}  // namespace walden
