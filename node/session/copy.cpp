// COPY.
#include "node/session/session_state.h"

namespace walden {

std::string SessionState::RunCopy(const ast::CopyStmt&, Portal*) { throw NotSupported("COPY"); }

}  // namespace walden
