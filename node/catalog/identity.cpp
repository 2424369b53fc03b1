#include "node/catalog/identity.h"

namespace walden {

SessionIdentity& session_identity() {
  static thread_local SessionIdentity identity;
  return identity;
}

}  // namespace walden
