// Server log entry point. Low layers only name a severity and a text; `server` installs the sink that adds
// log_line_prefix and routes to the logger process. Until then entries go to standard error.
#pragma once

#include <atomic>
#include <string>

#include "node/base/error.h"

namespace walden {

using LogSink = void (*)(const ErrorFields& fields);

// Installs the process-wide sink; call before threads start.
void SetLogSink(LogSink sink);
// The lowest severity that is written (log_min_messages). Cheap to test before formatting.
extern std::atomic<Severity> log_threshold;

// Hands the entry to the sink, whatever the threshold.
void EmitLog(const ErrorFields& fields);
// An error that was caught, at the severity it has for this process: what a background process goes on after is a LOG.
void LogError(Severity severity, const SqlError& error);

template <class... Args>
void Log(Severity severity, fmt::format_string<Args...> format, Args&&... args) {
  // LOG sorts between ERROR and FATAL for the server log, as in PostgreSQL: it is always written here.
  if (severity != Severity::kLog && severity < log_threshold.load(std::memory_order_relaxed)) return;
  ErrorFields fields;
  fields.severity = severity;
  fields.code = severity == Severity::kWarning ? ErrorCode::kWarning
                : severity >= Severity::kError ? ErrorCode::kInternalError
                                               : ErrorCode::kSuccessfulCompletion;
  fields.message = fmt::format(format, std::forward<Args>(args)...);
  EmitLog(fields);
}

}  // namespace walden
