#include "node/base/error.h"

#include <cerrno>
#include <cstring>

namespace walden {
namespace {

struct ErrorCodeRow {
  std::string_view sqlstate;
  std::string_view condition;
};

constexpr ErrorCodeRow kErrorCodes[] = {
#define X(name, sqlstate, condition) {sqlstate, condition},
#include "node/base/error_codes.def"
#undef X
};

ErrorCode CodeForFileAccess(int error_number) {
  switch (error_number) {
    case EPERM:
    case EACCES:
    case EROFS: return ErrorCode::kInsufficientPrivilege;
    case ENOENT: return ErrorCode::kUndefinedFile;
    case EEXIST: return ErrorCode::kDuplicateFile;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY: return ErrorCode::kWrongObjectType;
    case ENOSPC:
    case EDQUOT: return ErrorCode::kDiskFull;
    case ENOMEM: return ErrorCode::kOutOfMemory;
    case ENFILE:
    case EMFILE: return ErrorCode::kInsufficientResources;
    case EIO: return ErrorCode::kIoError;
    default: return ErrorCode::kInternalError;
  }
}

}  // namespace

std::string_view SqlState(ErrorCode code) { return kErrorCodes[static_cast<size_t>(code)].sqlstate; }

std::string_view ConditionName(ErrorCode code) { return kErrorCodes[static_cast<size_t>(code)].condition; }

bool FindErrorCode(std::string_view sqlstate, ErrorCode* code) {
  for (size_t i = 0; i < std::size(kErrorCodes); ++i) {
    if (kErrorCodes[i].sqlstate == sqlstate) {
      *code = static_cast<ErrorCode>(i);
      return true;
    }
  }
  return false;
}

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kLog: return "LOG";
    case Severity::kInfo: return "INFO";
    case Severity::kNotice: return "NOTICE";
    case Severity::kWarning: return "WARNING";
    case Severity::kError: return "ERROR";
    case Severity::kFatal: return "FATAL";
    case Severity::kPanic: return "PANIC";
    default: return "DEBUG";
  }
}

SqlError::SqlError(ErrorCode code, std::string message) {
  fields_.code = code;
  fields_.message = std::move(message);
}

SqlError& SqlError::WithContext(std::string_view line) {
  if (!fields_.context.empty()) fields_.context += '\n';
  fields_.context += line;
  return *this;
}

SqlError& SqlError::WithTable(std::string_view schema, std::string_view table) {
  fields_.schema_name = schema;
  fields_.table_name = table;
  return *this;
}

SqlError NotSupported(std::string_view what) {
  return SqlError(ErrorCode::kFeatureNotSupported, "{} is not supported", what);
}

SqlError FileError(int error_number, std::string message) {
  return SqlError(CodeForFileAccess(error_number), "{}: {}", message, std::strerror(error_number));
}

}  // namespace walden
