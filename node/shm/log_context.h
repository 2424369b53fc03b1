// What log lines say about this process and its session (escapes of log_line_prefix, columns of csvlog and
// jsonlog). The session fills it in; the log sink in `server` reads it. Views point into the session's
// strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace walden {

struct LogContext {
  const char* process_type = nullptr;  // of a process without a slot that is not the postmaster
  std::string user_name, database_name, application_name;
  std::string remote_host;  // "[local]" or an address; empty for background processes
  uint16_t remote_port = 0;
  std::string_view command_tag;         // of the running statement, or "idle" and friends
  std::string_view statement;           // logged as STATEMENT with errors at log_min_error_statement
  int64_t start_time_us = 0;            // of the process or session (TimestampUs)
  uint64_t (*current_xid)() = nullptr;  // 0: none
  std::string (*virtual_xid)() = nullptr;
  int64_t query_id = 0;
};
LogContext& log_context();

}  // namespace walden
