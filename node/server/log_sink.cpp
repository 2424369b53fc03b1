#include "node/server/log_sink.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "node/base/log.h"
#include "node/config/setting_values.h"
#include "node/config/settings.h"
#include "node/os/socket.h"
#include "node/shm/log_context.h"

namespace walden {
namespace {

Destination destination = Destination::kStandardError;
uint8_t destinations = kLogStderr;
Descriptor original_stderr;

// LOG ranks between ERROR and FATAL for the server log, as in PostgreSQL.
bool Wanted(Severity severity) {
  Severity least = static_cast<Severity>(GetEnum(Setting::kLogMinMessages));
  if (severity == Severity::kLog) return least <= Severity::kError;
  if (least == Severity::kLog) return severity >= Severity::kFatal;
  return severity >= least;
}

void WriteAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    ssize_t put = write(fd, data, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;  // a log line that cannot be written has nowhere else to go
    data += put;
    size -= static_cast<size_t>(put);
  }
}

void WriteChunks(const std::string& text, uint8_t bit) {
  char chunk[kLogChunkBytes];
  constexpr size_t kRoom = kLogChunkBytes - sizeof(LogChunkHeader);
  for (size_t at = 0; at < text.size(); at += kRoom) {
    size_t size = std::min(kRoom, text.size() - at);
    LogChunkHeader header{{0, 0}, static_cast<uint16_t>(size), getpid(), bit, at + size == text.size()};
    std::memcpy(chunk, &header, sizeof header);
    text.copy(chunk + sizeof header, size, at);
    WriteAll(STDERR_FILENO, chunk, sizeof header + size);
  }
}

void Emit(const std::string& text, uint8_t bit) {
  if (destination == Destination::kLoggerPipe) {
    WriteChunks(text, bit);
  } else {
    WriteAll(STDERR_FILENO, text.data(), text.size());
  }
}

void LogToServer(const ErrorFields& fields) {
  if (!Wanted(fields.severity)) return;
  // Without the logger the structured forms have no file to go to: the text form stands in.
  uint8_t bits = destination == Destination::kLoggerPipe ? destinations : kLogStderr;
  if (bits & kLogStderr) Emit(FormatLogText(fields), kLogStderr);
  if (bits & kLogCsv) Emit(FormatLogCsv(fields), kLogCsv);
  if (bits & kLogJson) Emit(FormatLogJson(fields), kLogJson);
}

uint8_t ParseDestinations(const std::string& text) {
  uint8_t bits = 0;
  for (const std::string& item : SplitSettingList(text)) {
    if (item == "stderr") {
      bits |= kLogStderr;
    } else if (item == "csvlog") {
      bits |= kLogCsv;
    } else if (item == "jsonlog") {
      bits |= kLogJson;
    } else {
      throw SqlError(ErrorCode::kInvalidParameterValue,
                     "invalid value for parameter \"log_destination\": \"{}\"", text)
          .WithDetail(fmt::format("Unrecognized key word: \"{}\".", item));
    }
  }
  return bits;
}

void InstallHooksOnce() {
  static bool installed = false;
  if (installed) return;
  installed = true;
  InstallSettingHooks(
      Setting::kLogDestination,
      {.check = [](ProposedValue& value) { ParseDestinations(value.text); },
       .assign = [] { destinations = ParseDestinations(GetString(Setting::kLogDestination)); }});
  InstallSettingHooks(Setting::kLogMinMessages, {.assign = [] {
                        log_threshold = static_cast<Severity>(GetEnum(Setting::kLogMinMessages));
                      }});
}

}  // namespace

void InstallLogSink(Destination where) {
  InstallHooksOnce();
  destination = where;
  SetLogSink(LogToServer);
}

void RedirectStandardError(int pipe_fd) {
  if (!original_stderr.is_open()) original_stderr = Descriptor(dup(STDERR_FILENO));
  dup2(pipe_fd, STDERR_FILENO);
}

void RestoreStandardError() {
  if (!original_stderr.is_open()) return;
  dup2(original_stderr.fd(), STDERR_FILENO);
  original_stderr.Close();
}

uint8_t LogDestinations() { return destinations; }

}  // namespace walden
