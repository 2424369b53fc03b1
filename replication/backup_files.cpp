#include "replication/backup_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "node/base/clock.h"
#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/os/file.h"
#include "node/recovery/control_file.h"
#include "replication/backup_journal.h"

namespace walden::replication {
namespace {

constexpr size_t kBatchBytes = 1 << 20, kLeastBatchBytes = 8192;
constexpr size_t kMostReady = 4;
constexpr size_t kWorthEliding = 65536;

// Of a running node, or of the place where it runs.
constexpr std::array<std::string_view, 11> kLeftOut = {
    "postmaster.pid",           "postmaster.opts", "backup_label",     "backup_label.old",
    "tablespace_map",           "backup_manifest", "current_logfiles", "pg_internal.init",
    "postgresql.auto.conf.tmp", "lost+found",      kBackupJournal};
// Kept as empty directories.
constexpr std::array<std::string_view, 10> kEmptied = {
    "pg_wal",    "pg_wal/archive_status", "pg_replslot", "pg_csn", "pg_stat_tmp", "pg_dynshmem", "pg_notify",
    "pg_serial", "pg_snapshots",          "pg_subtrans"};

template <class List>
bool Contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "t5_16384": relations of sessions.
bool IsTemporaryRelation(std::string_view name) {
  size_t underscore = name.find('_');
  return name.starts_with('t') && underscore != std::string_view::npos &&
         AllDigits(name.substr(1, underscore - 1)) && underscore + 1 < name.size() &&
         AllDigits(name.substr(underscore + 1, 1));
}

// "16384", "16384.1", "16384_fsm", "16384_vm.2"; nothing for init forks.
std::string_view UnloggableRelation(std::string_view name) {
  std::string_view number = name.substr(0, name.find_first_of("_."));
  std::string_view rest = name.substr(number.size());
  if (!AllDigits(number) || rest.starts_with("_init")) return {};
  return number;
}

class Lister {
 public:
  explicit Lister(std::string root) : root_(std::move(root)) {}
  std::vector<BackupFile> Run() {
    Visit("");
    for (std::string_view path : kEmptied) AddDirectory(std::string(path));
    std::erase_if(files_, [&](const BackupFile& file) {
      if (file.path != kControlFilePath) return false;
      control_ = file;
      return true;
    });
    files_.push_back(control_);
    return std::move(files_);
  }

 private:
  void AddDirectory(const std::string& path) {
    struct stat info;
    if (stat((root_ + "/" + path).c_str(), &info) != 0) return;
    files_.push_back({path, true, info.st_mode & 0777, 0, {}});
  }

  void Visit(const std::string& directory) {
    std::vector<std::string> names = ListDirectory(directory.empty() ? root_ : root_ + "/" + directory);
    std::set<std::string, std::less<>> unlogged;
    for (const std::string& name : names) {
      if (name.ends_with("_init") && AllDigits(name.substr(0, name.size() - 5)))
        unlogged.insert(name.substr(0, name.size() - 5));
    }
    for (const std::string& name : names) {
      if (directory.empty() && Contains(kLeftOut, name)) continue;
      if (name == "pg_internal.init" || name.starts_with("pgsql_tmp") || IsTemporaryRelation(name)) continue;
      if (unlogged.contains(UnloggableRelation(name))) continue;
      VisitEntry(directory.empty() ? name : directory + "/" + name);
    }
  }

  void VisitEntry(const std::string& path) {
    struct stat info;
    if (stat((root_ + "/" + path).c_str(), &info) != 0) return;  // gone meanwhile
    if (S_ISDIR(info.st_mode)) {
      if (Contains(kEmptied, path)) return;
      files_.push_back({path, true, info.st_mode & 0777, 0, {}});
      Visit(path);
    } else if (S_ISREG(info.st_mode)) {
      files_.push_back({path, false, info.st_mode & 0777, static_cast<uint64_t>(info.st_size), {}});
    }
  }

  std::string root_;
  std::vector<BackupFile> files_;
  BackupFile control_;
};

// How many zeros stand at the end (but for a few), if they are worth a mention.
size_t TrailingZeros(std::string_view bytes) {
  size_t zeros = 0;
  for (uint64_t word; zeros + sizeof(word) <= bytes.size(); zeros += sizeof(word)) {
    std::memcpy(&word, bytes.data() + bytes.size() - zeros - sizeof(word), sizeof(word));
    if (word != 0) break;
  }
  return zeros < kWorthEliding ? 0 : zeros;
}

// Held back by a rate, a few batches a second leave.
size_t BatchBytes(uint32_t max_rate_kb) {
  if (max_rate_kb == 0) return kBatchBytes;
  return std::clamp(size_t{max_rate_kb} * 1024 / 8, kLeastBatchBytes, kBatchBytes);
}

}  // namespace

std::vector<BackupFile> ListBackupFiles(const std::string& root) { return Lister(root).Run(); }

BackupFileReader::BackupFileReader(MainQueue& queue, const Options& options, std::vector<BackupFile> files)
    : queue_(queue),
      options_(options),
      files_(std::move(files)),
      batch_({BatchBytes(options.max_rate_kb), options.compress, options.batches}),
      started_us_(MonotonicUs()) {
  thread_ = std::thread([this] { Run(); });
}

BackupFileReader::~BackupFileReader() {
  {
    std::lock_guard guard(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool BackupFileReader::Pop(OutMessage* message) {
  std::lock_guard guard(mutex_);
  if (ready_.empty()) return false;
  *message = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return true;
}

bool BackupFileReader::Finished() {
  std::lock_guard guard(mutex_);
  if (!done_ || !ready_.empty()) return false;
  if (error_) std::rethrow_exception(error_);
  return true;
}

void BackupFileReader::Run() {
  std::exception_ptr error;
  try {
    for (const BackupFile& file : files_) SendFile(file);
    SendBatch();
  } catch (const Stopped&) {
  } catch (...) {
    error = std::current_exception();
  }
  {
    std::lock_guard guard(mutex_);
    done_ = true;
    error_ = error;
  }
  queue_.Wake();
}

void BackupFileReader::Push(OutMessage message) {
  {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return stop_ || ready_.size() < kMostReady; });
    if (stop_) throw Stopped();
    ready_.push_back(std::move(message));
  }
  queue_.Wake();
}

void BackupFileReader::Throttle(uint64_t bytes) {
  uint64_t sent = read_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (options_.max_rate_kb == 0) return;
  int64_t due_us = started_us_ + static_cast<int64_t>(static_cast<double>(sent) * 1e6 /
                                                      (static_cast<double>(options_.max_rate_kb) * 1024));
  std::unique_lock guard(mutex_);
  int64_t wait_us = due_us - MonotonicUs();
  if (wait_us > 0) changed_.wait_for(guard, std::chrono::microseconds(wait_us), [this] { return stop_; });
  if (stop_) throw Stopped();
}

void BackupFileReader::SendBatch() {
  uint64_t bytes = batch_.content_bytes();
  for (OutMessage& message : batch_.Take()) Push(std::move(message));
  Throttle(bytes);
}

void BackupFileReader::SendFile(const BackupFile& listed) {
  int error_number = 0;
  File file;
  uint64_t size = listed.content ? listed.content->size() : 0;
  if (!listed.is_directory && !listed.content) {
    file = File::TryOpen(options_.root + "/" + listed.path, O_RDONLY, &error_number);
    if (!file.is_open()) {
      if (error_number == ENOENT) return;  // dropped meanwhile: replay drops it too
      throw FileError(error_number, fmt::format("could not open file \"{}\"", listed.path));
    }
    size = file.Size();
  }
  v1::BackupFileStart start;
  start.set_path(listed.path);
  start.set_kind(listed.is_directory ? v1::BackupFileStart::DIRECTORY : v1::BackupFileStart::FILE);
  start.set_mode(listed.mode);
  start.set_size_bytes(size);
  batch_.Begin(std::move(start));
  if (!listed.is_directory) SendContent(listed, file, size);
  if (batch_.full()) SendBatch();
}

void BackupFileReader::SendContent(const BackupFile& listed, const File& file, uint64_t size) {
  uint32_t crc = 0;
  uint64_t offset = 0;
  while (offset < size) {
    if (batch_.full()) SendBatch();
    std::span<char> room = batch_.Room(size - offset);
    size_t got = listed.content ? listed.content->copy(room.data(), room.size(), offset)
                                : file.ReadAt(room.data(), room.size(), offset);
    if (got == 0) break;  // truncated meanwhile
    crc = Crc32c(crc, room.data(), got);
    size_t zeros = batch_.together() ? TrailingZeros({room.data(), got}) : 0;
    batch_.Fill(got - zeros);
    batch_.Zeros(zeros);
    offset += got;
  }
  batch_.End(crc, offset);
}

}  // namespace walden::replication
