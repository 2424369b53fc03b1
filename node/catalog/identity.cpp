#include "node/catalog/identity.h"

#include "node/base/log.h"

namespace walden {

SessionIdentity& session_identity() {
  static thread_local SessionIdentity identity;
  return identity;
}

void ReportToClient(const ErrorFields& fields) {
  if (session_identity().report)
    session_identity().report(fields);
  else
    EmitLog(fields);
}

}  // namespace walden
