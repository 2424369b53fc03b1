#include "node/base/check.h"

#include <cstdlib>

#include "node/base/log.h"

namespace walden {

void CheckFailed(const char* file, int line, const char* condition) {
  Panic("check failed at {}:{}: {}", file, line, condition);
}

void Panic(std::string_view message) noexcept {
  try {
    ErrorFields fields;
    fields.severity = Severity::kPanic;
    fields.message = message;
    EmitLog(fields);
  } catch (...) {
    // Nothing more can be reported: abort regardless.
  }
  std::abort();
}

}  // namespace walden
