// The one place that knows libpg_query: runs its grammar and copies its raw tree into our AST.
#pragma once

#include <vector>

#include "node/sql/parser/parser.h"

namespace walden {

// Parses `text` (null-terminated, valid UTF-8) into nodes in `arena`: RawStmts, or one TypeName for kTypeName.
// Warnings are appended to `warnings`. Throws what Parse throws.
ast::NodeList RunGrammar(const char* text, const ParseOptions& options, Arena& arena,
                         std::vector<ErrorFields>* warnings);

}  // namespace walden
