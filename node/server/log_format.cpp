// The text, csv and json forms of log entries.
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "node/base/clock.h"
#include "node/config/settings.h"
#include "node/server/log_sink.h"
#include "node/shm/log_context.h"
#include "node/shm/process.h"

namespace walden {
namespace {

// Lines count from 1 in each process, in each form of the log by itself.
class LineCounter {
 public:
  int64_t Next() {
    if (pid_ != getpid()) {
      pid_ = getpid();
      line_ = 0;
    }
    return ++line_;
  }
  int64_t current() const { return line_; }

 private:
  int64_t line_ = 0;
  pid_t pid_ = 0;
};
LineCounter text_lines, csv_lines, json_lines;

// The process's libc zone serves the log alone: SQL has its own time zones.
void UseLogZone() {
  static std::string zone;
  const std::string& wanted = GetString(Setting::kLogTimezone);
  if (zone == wanted) return;
  zone = wanted;
  setenv("TZ", zone.c_str(), 1);
  tzset();
}

std::string FormatTime(int64_t time_us, bool milliseconds) {
  UseLogZone();
  int64_t unix_us = time_us + kUnixEpochToPostgresUs;
  time_t seconds = unix_us / 1000000;
  tm local;
  localtime_r(&seconds, &local);
  char date[64], zone[32];
  strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
  strftime(zone, sizeof zone, "%Z", &local);
  if (milliseconds) return fmt::format("{}.{:03} {}", date, unix_us / 1000 % 1000, zone);
  return fmt::format("{} {}", date, zone);
}

std::string SessionId() {
  return fmt::format("{:x}.{:x}", (log_context().start_time_us + kUnixEpochToPostgresUs) / 1000000, getpid());
}

const char* BackendType() {
  if (self_slot() >= 0) return BackendTypeName(self().kind.load(std::memory_order_relaxed));
  return log_context().process_type != nullptr ? log_context().process_type : "postmaster";
}

std::string Remote(bool with_port) {
  const LogContext& context = log_context();
  if (!with_port || context.remote_port == 0) return context.remote_host;
  return fmt::format("{}({})", context.remote_host, context.remote_port);
}

std::string OrUnknown(const std::string& text) { return text.empty() ? "[unknown]" : text; }

uint64_t CurrentXid() { return log_context().current_xid ? log_context().current_xid() : 0; }
std::string VirtualXid() { return log_context().virtual_xid ? log_context().virtual_xid() : std::string(); }

// One escape of log_line_prefix. Those that make sense for sessions only are empty elsewhere.
std::string Escape(char which, const ErrorFields& fields) {
  const LogContext& context = log_context();
  bool session = !context.remote_host.empty();
  switch (which) {
    case 'a': return session ? OrUnknown(context.application_name) : "";
    case 'b': return BackendType();
    case 'u': return session ? OrUnknown(context.user_name) : "";
    case 'd': return session ? OrUnknown(context.database_name) : "";
    case 'c': return SessionId();
    case 'p': return std::to_string(getpid());
    case 'P': return "";
    case 'l': return std::to_string(text_lines.current());
    case 'm': return FormatTime(WallClockUs(), true);
    case 't': return FormatTime(WallClockUs(), false);
    case 'n': {
      int64_t ms = (WallClockUs() + kUnixEpochToPostgresUs) / 1000;
      return fmt::format("{}.{:03}", ms / 1000, ms % 1000);
    }
    case 's': return FormatTime(context.start_time_us, false);
    case 'i': return std::string(context.command_tag);
    case 'r': return Remote(true);
    case 'h': return Remote(false);
    case 'v': return VirtualXid();
    case 'x': return std::to_string(CurrentXid());
    case 'e': return std::string(SqlState(fields.code));
    case 'Q': return std::to_string(context.query_id);
    case '%': return "%";
    default: return "";
  }
}

bool LogsStatement(const ErrorFields& fields) {
  return !log_context().statement.empty() &&
         fields.severity >= static_cast<Severity>(GetEnum(Setting::kLogMinErrorStatement)) &&
         fields.severity != Severity::kLog;
}

// Continuation lines are indented by a tab, so that an entry cannot forge another one.
void AppendIndented(std::string* to, std::string_view text) {
  for (char c : text) {
    *to += c;
    if (c == '\n') *to += '\t';
  }
}

// Each labelled line has a prefix, and a number, of its own.
void AppendLine(std::string* to, const ErrorFields& fields, std::string_view label, std::string_view text) {
  if (text.empty()) return;
  text_lines.Next();
  *to += FormatLogPrefix(GetString(Setting::kLogLinePrefix), fields);
  *to += label;
  *to += ":  ";
  AppendIndented(to, text);
  *to += '\n';
}

}  // namespace

std::string FormatLogPrefix(std::string_view pattern, const ErrorFields& fields) {
  std::string prefix;
  bool session = !log_context().remote_host.empty();
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      prefix += pattern[i];
      continue;
    }
    ++i;
    int width = 0;
    bool left = i < pattern.size() && pattern[i] == '-';
    if (left) ++i;
    while (i < pattern.size() && pattern[i] >= '0' && pattern[i] <= '9')
      width = width * 10 + (pattern[i++] - '0');
    if (i >= pattern.size()) break;
    if (pattern[i] == 'q') {
      if (!session) break;
      continue;
    }
    std::string value = Escape(pattern[i], fields);
    prefix += left ? fmt::format("{:<{}}", value, width) : fmt::format("{:>{}}", value, width);
  }
  return prefix;
}

std::string FormatLogText(const ErrorFields& fields) {
  text_lines.Next();
  LogVerbosity verbosity = GetEnum<LogVerbosity>(Setting::kLogErrorVerbosity);
  std::string text = FormatLogPrefix(GetString(Setting::kLogLinePrefix), fields);
  text += fmt::format("{}:  ", SeverityName(fields.severity));
  if (verbosity == LogVerbosity::kVerbose) text += fmt::format("{}: ", SqlState(fields.code));
  AppendIndented(&text, fields.message.empty() ? "missing error text" : fields.message);
  if (fields.position > 0) text += fmt::format(" at character {}", fields.position);
  text += '\n';
  if (verbosity != LogVerbosity::kTerse) {
    AppendLine(&text, fields, "DETAIL", fields.detail);
    AppendLine(&text, fields, "HINT", fields.hint);
    AppendLine(&text, fields, "QUERY", fields.internal_query);
    AppendLine(&text, fields, "CONTEXT", fields.context);
  }
  if (LogsStatement(fields)) AppendLine(&text, fields, "STATEMENT", log_context().statement);
  return text;
}

namespace {

class CsvRow {
 public:
  void Raw(std::string_view text) {
    if (columns_++ > 0) row_ += ',';
    row_ += text;
  }
  void Quoted(std::string_view text) {
    if (text.empty()) return Raw("");
    QuotedAlways(text);
  }
  void QuotedAlways(std::string_view text) {
    std::string quoted = "\"";
    for (char c : text) {
      if (c == '"') quoted += '"';
      quoted += c;
    }
    Raw(quoted + '"');
  }
  void Number(int64_t value) { Raw(value == 0 ? std::string() : std::to_string(value)); }
  std::string Finish() { return row_ + '\n'; }

 private:
  int columns_ = 0;
  std::string row_;
};

class JsonRow {
 public:
  void Text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    Key(key);
    row_ += '"';
    for (char c : value) AppendEscaped(c);
    row_ += '"';
  }
  void Number(std::string_view key, int64_t value, bool always = false) {
    if (value == 0 && !always) return;
    Key(key);
    row_ += std::to_string(value);
  }
  std::string Finish() { return row_ + "}\n"; }

 private:
  void Key(std::string_view key) { row_ += fmt::format("{}\"{}\":", row_.size() > 1 ? "," : "", key); }
  void AppendEscaped(char c) {
    switch (c) {
      case '"': row_ += "\\\""; break;
      case '\\': row_ += "\\\\"; break;
      case '\n': row_ += "\\n"; break;
      case '\r': row_ += "\\r"; break;
      case '\t': row_ += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          row_ += fmt::format("\\u{:04x}", c);
        } else {
          row_ += c;
        }
    }
  }
  std::string row_ = "{";
};

}  // namespace

std::string FormatLogCsv(const ErrorFields& fields) {
  const LogContext& context = log_context();
  CsvRow row;
  row.Raw(FormatTime(WallClockUs(), true));
  row.Quoted(context.user_name);
  row.Quoted(context.database_name);
  row.Number(getpid());
  row.Quoted(context.remote_port != 0 ? fmt::format("{}:{}", context.remote_host, context.remote_port)
                                      : context.remote_host);
  row.Raw(SessionId());
  row.Number(csv_lines.Next());
  // A session without a command has an empty text there, other processes have none.
  context.remote_host.empty() ? row.Raw("") : row.QuotedAlways(context.command_tag);
  row.Raw(FormatTime(context.start_time_us, false));
  row.Quoted(VirtualXid());
  row.Raw(std::to_string(CurrentXid()));
  row.Raw(SeverityName(fields.severity));
  row.Raw(SqlState(fields.code));
  row.Quoted(fields.message);
  row.Quoted(fields.detail);
  row.Quoted(fields.hint);
  row.Quoted(fields.internal_query);
  row.Number(fields.internal_position);
  row.Quoted(fields.context);
  row.Quoted(LogsStatement(fields) ? context.statement : std::string_view());
  row.Number(LogsStatement(fields) ? fields.position : 0);
  row.Raw("");
  row.QuotedAlways(context.application_name);
  row.Quoted(BackendType());
  row.Raw("");
  row.Raw(std::to_string(context.query_id));
  return row.Finish();
}

std::string FormatLogJson(const ErrorFields& fields) {
  const LogContext& context = log_context();
  JsonRow row;
  row.Text("timestamp", FormatTime(WallClockUs(), true));
  row.Text("user", context.user_name);
  row.Text("dbname", context.database_name);
  row.Number("pid", getpid());
  row.Text("remote_host", context.remote_host);
  row.Number("remote_port", context.remote_port);
  row.Text("session_id", SessionId());
  row.Number("line_num", json_lines.Next());
  row.Text("ps", context.command_tag);
  row.Text("session_start", FormatTime(context.start_time_us, false));
  row.Text("vxid", VirtualXid());
  row.Number("txid", static_cast<int64_t>(CurrentXid()), true);
  row.Text("error_severity", SeverityName(fields.severity));
  if (fields.code != ErrorCode::kSuccessfulCompletion) row.Text("state_code", SqlState(fields.code));
  row.Text("message", fields.message);
  row.Text("detail", fields.detail);
  row.Text("hint", fields.hint);
  row.Text("internal_query", fields.internal_query);
  row.Number("internal_position", fields.internal_position);
  row.Text("context", fields.context);
  if (LogsStatement(fields)) {
    row.Text("statement", context.statement);
    row.Number("cursor_position", fields.position);
  }
  row.Text("application_name", context.application_name);
  row.Text("backend_type", BackendType());
  row.Number("query_id", context.query_id, true);
  return row.Finish();
}

}  // namespace walden
