#include "replication/backup_journal.h"

#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "node/base/crc32c.h"
#include "node/base/error.h"

namespace walden::replication {
namespace {

constexpr std::string_view kFirstLine = "walden basebackup journal 1";
constexpr std::string_view kLabel = "backup_label";
constexpr std::string_view kControlFile = "global/pg_control";  // the last one of a backup

// The words of a line; the last one takes what is left.
std::vector<std::string> Words(std::string_view line, size_t count) {
  std::vector<std::string> words;
  while (words.size() + 1 < count) {
    size_t space = std::min(line.find(' '), line.size());
    words.emplace_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  words.emplace_back(line);
  return words;
}

}  // namespace

BackupJournal::BackupJournal(std::string directory) : directory_(std::move(directory)) {
  file_ = File::Open(directory_ + "/" + std::string(kBackupJournal), O_RDWR | O_CREAT);
  if (flock(file_.fd(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) throw FileError(errno, fmt::format("could not lock file \"{}\"", file_.path()));
    throw SqlError(ErrorCode::kObjectInUse, "another \"walden basebackup\" is filling directory \"{}\"",
                   directory_);
  }
  std::string text(file_.Size(), '\0');
  text.resize(file_.ReadAt(text.data(), text.size(), 0));
  text.resize(text.rfind('\n') + 1);
  end_ = text.size();
  file_.Truncate(end_);
  Parse(text);
  if (end_ == 0) Append(fmt::format("{}\n", kFirstLine));
}

void BackupJournal::Parse(std::string_view text) {
  for (bool first = true; !text.empty(); first = false) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (first && line != kFirstLine)
      throw SqlError(ErrorCode::kDataCorrupted, "\"{}\" is no journal of a base backup", file_.path());
    if (!first) TakeLine(line);
  }
}

void BackupJournal::TakeLine(std::string_view line) {
  if (line.starts_with("start ")) {
    std::vector<std::string> words = Words(line, 6);
    start_ = {std::strtoull(words[1].c_str(), nullptr, 10), Lsn{std::strtoull(words[2].c_str(), nullptr, 16)},
              static_cast<TimelineId>(std::strtoul(words[3].c_str(), nullptr, 10)), words[4] == "1",
              words[5]};
    files_.clear();
  } else if (line.starts_with("slot ")) {
    made_slot_ = Words(line, 2)[1];
  } else if (line.starts_with("file ")) {
    std::vector<std::string> words = Words(line, 4);
    files_[words[3]] = {std::strtoull(words[1].c_str(), nullptr, 10),
                        static_cast<uint32_t>(std::strtoul(words[2].c_str(), nullptr, 16))};
  } else {
    throw SqlError(ErrorCode::kDataCorrupted, "invalid line in \"{}\": \"{}\"", file_.path(), line);
  }
}

bool BackupJournal::IsGood(const std::string& path, const Whole& whole) const {
  int error = 0;
  File file = File::TryOpen(directory_ + "/" + path, O_RDONLY, &error);
  if (!file.is_open() || file.Size() < whole.bytes) return false;
  bool longer = path == kOwnSettings && HasAllFiles();
  if (file.Size() > whole.bytes && !longer) return false;
  uint32_t crc = 0;
  std::string buffer(1 << 20, '\0');
  for (uint64_t at = 0; at < whole.bytes;) {
    size_t got = file.ReadAt(buffer.data(), std::min<uint64_t>(buffer.size(), whole.bytes - at), at);
    if (got == 0) return false;
    crc = Crc32c(crc, buffer.data(), got);
    at += got;
  }
  return crc == whole.crc;
}

void BackupJournal::Verify() {
  std::vector<std::string> bad;
  for (const auto& [path, whole] : files_) {
    if (!IsGood(path, whole)) bad.push_back(path);
  }
  if (bad.empty()) return;
  bool mendable = !HasAllFiles() && std::find(bad.begin(), bad.end(), kLabel) == bad.end();
  for (const std::string& path : bad) files_.erase(path);
  if (mendable) return;
  throw SqlError(ErrorCode::kDataCorrupted, "the incomplete base backup in directory \"{}\" is damaged",
                 directory_)
      .WithHint("Remove the directory and take a new base backup.");
}

bool BackupJournal::Resumable() const { return !start_.hold.empty() && files_.contains(std::string(kLabel)); }
bool BackupJournal::HasAllFiles() const { return files_.contains(std::string(kControlFile)); }

uint64_t BackupJournal::WholeBytes() const {
  uint64_t bytes = 0;
  for (const auto& [path, whole] : files_) bytes += whole.bytes;
  return bytes;
}

void BackupJournal::Append(const std::string& lines) {
  file_.WriteAt(lines.data(), lines.size(), end_);
  end_ += lines.size();
}

void BackupJournal::Begin(const Start& start) {
  start_ = start;
  files_.clear();
  Append(fmt::format("start {} {:X} {} {} {}\n", start.system_id, start.lsn.value, start.timeline,
                     start.from_standby ? 1 : 0, start.hold));
}

void BackupJournal::SlotMade(const std::string& name) {
  made_slot_ = name;
  Append(fmt::format("slot {}\n", name));
}

void BackupJournal::FilesAreWhole(const std::vector<WholeFile>& files) {
  std::string lines;
  for (const WholeFile& file : files) {
    if (file.path.starts_with("pg_wal/") || file.path.find('\n') != std::string::npos) continue;
    files_[file.path] = {file.bytes, file.crc};
    lines += fmt::format("file {} {:08X} {}\n", file.bytes, file.crc, file.path);
  }
  Append(lines);
}

void BackupJournal::Remove() {
  UnlinkIfExists(file_.path());
  file_.Close();
}

}  // namespace walden::replication
