// EXPLAIN's result column: its type depends on the format asked for.
#pragma once

#include "node/base/ids.h"
#include "node/sql/parser/ast.h"

namespace walden {

Oid ExplainResultType(const ast::ExplainStmt& statement);

}  // namespace walden
