// The logger: reads every process's entries from one pipe and writes the log files, rotating them by age and
// size.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "node/base/clock.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/conf_file.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/server/log_sink.h"
#include "node/server/logger.h"
#include "node/server/process_mains.h"
#include "node/shm/interrupts.h"

namespace walden {

LogFiles::LogFiles() { Open(false); }

std::string LogFiles::PathFor(int64_t unix_seconds, const char* suffix) const {
  char name[1024];
  time_t seconds = unix_seconds;
  tm local;
  localtime_r(&seconds, &local);
  std::string pattern = GetString(Setting::kLogFilename);
  if (strftime(name, sizeof name, pattern.c_str(), &local) == 0) std::strcpy(name, "walden.log");
  std::string path = GetString(Setting::kLogDirectory) + "/" + name;
  if (std::strcmp(suffix, ".log") == 0) return path;
  if (path.ends_with(".log")) path.resize(path.size() - 4);
  return path + suffix;
}

void LogFiles::Open(bool may_truncate) {
  MakeDirectories(GetString(Setting::kLogDirectory));
  opened_at_s_ = (WallClockUs() + kUnixEpochToPostgresUs) / 1000000;
  bool truncate = may_truncate && GetBool(Setting::kLogTruncateOnRotation);
  std::string listing;
  for (Target& target : targets_) {
    bool wanted = (LogDestinations() & target.bit) || target.bit == kLogStderr;
    if (!wanted) {
      target.file.Close();
      continue;
    }
    std::string path = PathFor(opened_at_s_, target.suffix);
    // Same name as before: truncating would lose what the current period wrote.
    bool reopened = target.file.is_open() && target.file.path() == path;
    int flags = O_WRONLY | O_CREAT | O_APPEND | (truncate && !reopened ? O_TRUNC : 0);
    target.file = File::Open(path, flags, static_cast<mode_t>(GetInt(Setting::kLogFileMode)));
    target.bytes = static_cast<int64_t>(target.file.Size());
    listing += fmt::format("{} {}\n", target.key, path);
  }
  WriteWholeFileDurably("current_logfiles", listing);
}

void LogFiles::Write(uint8_t bit, std::string_view text) {
  for (Target& target : targets_) {
    if (target.bit != bit && !(bit != kLogStderr && target.bit == kLogStderr && !HasFile(bit))) continue;
    size_t done = 0;
    while (done < text.size()) {
      ssize_t put = write(target.file.fd(), text.data() + done, text.size() - done);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return;  // a full disk loses log lines, never the node
      done += static_cast<size_t>(put);
    }
    target.bytes += static_cast<int64_t>(text.size());
    return;
  }
}

bool LogFiles::HasFile(uint8_t bit) const {
  for (const Target& target : targets_) {
    if (target.bit == bit) return target.file.is_open();
  }
  return false;
}

int64_t LogFiles::SecondsToRotation() const {
  int64_t age_s = GetInt(Setting::kLogRotationAge) * 60;
  if (age_s == 0) return -1;
  // Periods are counted in local time, so that daily files begin at midnight.
  time_t opened = opened_at_s_;
  tm local;
  localtime_r(&opened, &local);
  int64_t shifted = opened_at_s_ + local.tm_gmtoff;
  int64_t next = shifted - shifted % age_s + age_s - local.tm_gmtoff;
  int64_t now = (WallClockUs() + kUnixEpochToPostgresUs) / 1000000;
  return std::max<int64_t>(next - now, 0);
}

void LogFiles::RotateIfDue() {
  int64_t limit = GetInt(Setting::kLogRotationSize) * 1024;
  bool full = false;
  for (const Target& target : targets_) full |= limit > 0 && target.file.is_open() && target.bytes >= limit;
  if (SecondsToRotation() == 0) {
    Open(true);
  } else if (full) {
    Open(false);
  }
}

void LogAssembler::Feed(std::string_view bytes, const std::function<void(uint8_t, std::string_view)>& emit) {
  buffer_ += bytes;
  size_t at = 0;
  while (at < buffer_.size()) {
    std::string_view rest = std::string_view(buffer_).substr(at);
    if (rest[0] != '\0') {
      // Not ours: a library or a command wrote to standard error.
      size_t end = std::min(rest.find('\0'), rest.size());
      emit(kLogStderr, rest.substr(0, end));
      at += end;
      continue;
    }
    LogChunkHeader header;
    if (rest.size() < sizeof header) break;
    std::memcpy(&header, rest.data(), sizeof header);
    if (header.nul[1] != 0 || header.length == 0 || header.length > kLogChunkBytes) {
      emit(kLogStderr, rest.substr(0, 1));
      ++at;
      continue;
    }
    if (rest.size() < sizeof header + header.length) break;
    std::pair<int32_t, uint8_t> key(int32_t{header.pid}, header.destination);
    std::string& entry = partial_[key];
    entry += rest.substr(sizeof header, header.length);
    if (header.last) {
      emit(header.destination, entry);
      partial_.erase(key);
    }
    at += sizeof header + header.length;
  }
  buffer_.erase(0, at);
}

void LogAssembler::Flush(const std::function<void(uint8_t, std::string_view)>& emit) {
  for (auto& [key, entry] : partial_) emit(key.second, entry);
  partial_.clear();
  if (!buffer_.empty()) emit(kLogStderr, buffer_);
  buffer_.clear();
}

int LoggerMain(const ChildStart& start) {
  // It ends when nobody can write to the pipe any more; if the postmaster is killed, after what is in the
  // pipe.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  SetSignalHandler(SIGUSR1, [](int) { RaiseInterruptSelf(Interrupt::kLogRotate); });
  LogFiles files;
  LogAssembler assembler;
  auto emit = [&](uint8_t bit, std::string_view text) { files.Write(bit, text); };
  char buffer[64 * 1024];
  bool draining = false;
  for (;;) {
    int64_t wait_s = files.SecondsToRotation();
    pollfd readable{start.log_pipe_fd, POLLIN, 0};
    int ready = poll(&readable, 1,
                     draining     ? 0
                     : wait_s < 0 ? -1
                                  : static_cast<int>(std::min<int64_t>(wait_s, 3600) * 1000));
    if (TakeInterrupt(Interrupt::kReload)) {
      ReloadConfiguration();
      files.Open(false);
    }
    if (TakeInterrupt(Interrupt::kLogRotate)) files.Open(false);
    draining = draining || InterruptPending(Interrupt::kTerminate) || InterruptPending(Interrupt::kShutdown);
    if (ready > 0) {
      ssize_t got = read(start.log_pipe_fd, buffer, sizeof buffer);
      if (got == 0) break;
      if (got > 0) assembler.Feed({buffer, static_cast<size_t>(got)}, emit);
    } else if (draining) {
      break;
    }
    files.RotateIfDue();
  }
  assembler.Flush(emit);
  return 0;
}

}  // namespace walden
