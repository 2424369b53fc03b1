// statement_timeout for the duration of one entry of the session.
#pragma once

#include "node/config/settings.h"
#include "node/shm/timeouts.h"

namespace walden {

// Armed by the outermost entry only; the inner ones leave it running.
class StatementTimeout {
 public:
  StatementTimeout()
      : armed_(GetInt(Setting::kStatementTimeout) > 0 && !TimeoutEnabled(Interrupt::kStatementTimeout)) {
    if (armed_) EnableTimeout(Interrupt::kStatementTimeout, GetInt(Setting::kStatementTimeout));
  }
  ~StatementTimeout() {
    if (armed_) DisableTimeout(Interrupt::kStatementTimeout);
  }
  StatementTimeout(const StatementTimeout&) = delete;
  StatementTimeout& operator=(const StatementTimeout&) = delete;

 private:
  bool armed_;
};

}  // namespace walden
