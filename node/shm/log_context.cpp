#include "node/shm/log_context.h"

namespace walden {

LogContext& log_context() {
  static LogContext* context = new LogContext;
  return *context;
}

}  // namespace walden
