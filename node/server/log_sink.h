// Where log entries go from every process: prefix, text, csv and json forms; to standard error, or as chunks
// through the logger's pipe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "node/base/error.h"

namespace walden {

enum class Destination : uint8_t { kStandardError, kLoggerPipe };
// Makes this process log according to the settings (log_destination, log_line_prefix, ...). Inherited by
// children.
void InstallLogSink(Destination destination);
// Standard error becomes the pipe; the original is kept for RestoreStandardError.
void RedirectStandardError(int pipe_fd);
void RestoreStandardError();

// log_destination as bits.
inline constexpr uint8_t kLogStderr = 1, kLogCsv = 2, kLogJson = 4;
uint8_t LogDestinations();

// What the logger's pipe carries: chunks of at most 4096 bytes (written whole by the kernel), with this
// header.
//   0 nul  1 nul  2 length of the text (2)  4 pid (4)  8 destination bit (1)  9 last chunk of the entry (1)
struct LogChunkHeader {
  char nul[2];
  uint16_t length;
  int32_t pid;
  uint8_t destination;
  uint8_t last;
} __attribute__((packed));
static_assert(sizeof(LogChunkHeader) == 10);
inline constexpr size_t kLogChunkBytes = 4096;

// The forms of one entry, for the sink and its tests.
std::string FormatLogText(const ErrorFields& fields);
std::string FormatLogCsv(const ErrorFields& fields);
std::string FormatLogJson(const ErrorFields& fields);
// Expands log_line_prefix.
std::string FormatLogPrefix(std::string_view pattern, const ErrorFields& fields);

}  // namespace walden
