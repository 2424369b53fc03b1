#include "node/base/log.h"

#include <unistd.h>

namespace walden {

std::atomic<Severity> log_threshold{Severity::kWarning};

namespace {

void WriteToStandardError(const ErrorFields& fields) {
  std::string text = fmt::format("{}:  {}\n", SeverityName(fields.severity), fields.message);
  if (!fields.detail.empty()) text += fmt::format("DETAIL:  {}\n", fields.detail);
  if (!fields.hint.empty()) text += fmt::format("HINT:  {}\n", fields.hint);
  // A log line that cannot be written has nowhere else to go.
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

LogSink log_sink = WriteToStandardError;

}  // namespace

void SetLogSink(LogSink sink) { log_sink = sink ? sink : WriteToStandardError; }

void EmitLog(const ErrorFields& fields) { log_sink(fields); }

void LogError(Severity severity, const SqlError& error) {
  ErrorFields fields = error.fields();
  fields.severity = severity;
  EmitLog(fields);
}

}  // namespace walden
