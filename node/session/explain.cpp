// EXPLAIN.
#include "node/session/session_state.h"

namespace walden {

std::string SessionState::RunExplain(const ast::ExplainStmt&, Portal*) { throw NotSupported("EXPLAIN"); }

}  // namespace walden
