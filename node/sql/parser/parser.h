// SQL text to AST, by libpg_query (PostgreSQL 15's own grammar). Parsing looks nothing up: no catalog, no
// settings but those in ParseOptions. Main thread of a process only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/arena.h"
#include "node/base/error.h"
#include "node/sql/parser/ast_node.h"
#include "node/sql/parser/ast_query.h"

namespace walden {

// What the text is; as PostgreSQL's RawParseMode.
enum class ParseMode : uint8_t {
  kStatements,
  kTypeName,
  kPlpgsqlExpr,
  kPlpgsqlAssign1,
  kPlpgsqlAssign2,
  kPlpgsqlAssign3
};

// The lexer's settings, with their defaults.
struct ParseOptions {
  ParseMode mode = ParseMode::kStatements;
  bool standard_conforming_strings = true;
  bool escape_string_warning = true;
  enum class BackslashQuote : uint8_t {
    kOff,
    kOn,
    kSafeEncoding
  } backslash_quote = BackslashQuote::kSafeEncoding;
};

// Owns the AST of one text. Shared so that a prepared statement, a portal or a utility Query can keep the AST
// alive.
struct ParseTree {
  Arena arena;
  std::string_view text;               // a copy of the source in `arena`; locations are offsets into it
  List<ast::RawStmt*> statements;      // empty statements are left out
  ast::TypeName* type_name = nullptr;  // ParseMode::kTypeName only; `statements` is empty then
  std::vector<ErrorFields> warnings;   // to be sent to the client, in order
};
using ParseResult = std::shared_ptr<ParseTree>;

// Throws SqlError with PostgreSQL's SQLSTATE, message, hint and character position: 42601 syntax errors,
// 22021 invalid UTF-8 or a zero byte, 54001 nesting too deep for the stack.
ParseResult Parse(std::string_view sql, const ParseOptions& options = {});

// The text of one statement within `source`, without surrounding white space and semicolon.
std::string_view StatementText(std::string_view source, const ast::RawStmt& statement);

// "SELECT", "CREATE TABLE", "ALTER INDEX", ...: PostgreSQL's command tag; without counts. Static storage.
std::string_view CommandTagName(const ast::Node* statement);

}  // namespace walden
