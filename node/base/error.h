// The one error mechanism: SqlError carries SQLSTATE, message, detail, hint and position from any layer to
// the statement loop, a savepoint, or the main loop of a background process.
//
//   throw SqlError(ErrorCode::kUndefinedTable, "relation \"{}\" does not exist", name).WithPosition(pos);
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace walden {

enum class ErrorCode : uint16_t {
#define X(name, sqlstate, condition) name,
#include "node/base/error_codes.def"
#undef X
};

// Five characters, static storage.
std::string_view SqlState(ErrorCode code);
// "undefined_table", static storage.
std::string_view ConditionName(ErrorCode code);
// Returns false when no such SQLSTATE exists.
bool FindErrorCode(std::string_view sqlstate, ErrorCode* code);

// As PostgreSQL's elevel, lowest first; kError and above abort what runs.
enum class Severity : uint8_t {
  kDebug5,
  kDebug4,
  kDebug3,
  kDebug2,
  kDebug1,
  kLog,
  kInfo,
  kNotice,
  kWarning,
  kError,
  kFatal,
  kPanic
};
std::string_view SeverityName(Severity severity);  // "ERROR", "LOG", ... ("DEBUG" for all debug levels)

// What an error, warning or notice says; field names as in the protocol's ErrorResponse.
struct ErrorFields {
  Severity severity = Severity::kError;
  ErrorCode code = ErrorCode::kInternalError;
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;
  int position = 0;           // 1-based character position in the statement, 0 = none
  int internal_position = 0;  // the same within internal_query
  std::string internal_query;
  std::string schema_name, table_name, column_name, datatype_name, constraint_name;
};

class SqlError : public std::exception {
 public:
  template <class... Args>
  SqlError(ErrorCode code, fmt::format_string<Args...> format, Args&&... args)
      : SqlError(code, fmt::format(format, std::forward<Args>(args)...)) {}
  SqlError(ErrorCode code, std::string message);
  explicit SqlError(ErrorFields fields) : fields_(std::move(fields)) {}

  // Builders; each returns *this so that they chain in a throw expression.
  SqlError& WithDetail(std::string text) {
    fields_.detail = std::move(text);
    return *this;
  }
  SqlError& WithHint(std::string text) {
    fields_.hint = std::move(text);
    return *this;
  }
  SqlError& WithPosition(int position) {
    fields_.position = position;
    return *this;
  }
  SqlError& WithContext(std::string_view line);  // appends a line
  SqlError& WithSchema(std::string_view name) {
    fields_.schema_name = name;
    return *this;
  }
  SqlError& WithTable(std::string_view schema, std::string_view table);
  SqlError& WithColumn(std::string_view name) {
    fields_.column_name = name;
    return *this;
  }
  SqlError& WithDatatype(std::string_view name) {
    fields_.datatype_name = name;
    return *this;
  }
  SqlError& WithConstraint(std::string_view name) {
    fields_.constraint_name = name;
    return *this;
  }
  SqlError& WithSeverity(Severity severity) {
    fields_.severity = severity;
    return *this;
  }

  const char* what() const noexcept override { return fields_.message.c_str(); }
  ErrorCode code() const { return fields_.code; }
  ErrorFields& fields() { return fields_; }
  const ErrorFields& fields() const { return fields_; }

 private:
  ErrorFields fields_;
};

// Shorthand for what lies beyond the product: 0A000 "<what> is not supported".
SqlError NotSupported(std::string_view what);

// From errno: chooses the SQLSTATE as PostgreSQL's errcode_for_file_access and appends ": <strerror>".
SqlError FileError(int error_number, std::string message);

}  // namespace walden
