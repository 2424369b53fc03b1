#include "node/sql/parser/parser.h"

#include "node/sql/parser/ast_expr.h"
#include "node/sql/parser/raw_tree.h"
#include "node/types/utf8.h"

namespace walden {

namespace {

bool IsScannerSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

// A null-terminated copy in the arena; the view does not include the terminator.
std::string_view CopyTerminated(std::string_view text, Arena& arena) {
  char* copy = arena.NewArray<char>(text.size() + 1);
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return {copy, text.size()};
}

}  // namespace

int CharacterPosition(std::string_view source, Location location) {
  if (!location.IsKnown()) return 0;
  return static_cast<int>(Utf8Count(source.substr(0, static_cast<size_t>(location.offset)))) + 1;
}

ParseResult Parse(std::string_view sql, const ParseOptions& options) {
  Utf8Validate(sql);
  auto tree = std::make_shared<ParseTree>();
  tree->text = CopyTerminated(sql, tree->arena);
  ast::NodeList nodes = RunGrammar(tree->text.data(), options, tree->arena, &tree->warnings);
  if (options.mode == ParseMode::kTypeName) {
    tree->type_name = ast::As<ast::TypeName>(nodes[0]);
    return tree;
  }
  tree->statements.Reserve(tree->arena, nodes.size());
  for (ast::Node* node : nodes) tree->statements.Append(tree->arena, ast::As<ast::RawStmt>(node));
  return tree;
}

std::string_view StatementText(std::string_view source, const ast::RawStmt& statement) {
  std::string_view text = source;
  if (statement.stmt_location.IsKnown())
    text.remove_prefix(static_cast<size_t>(statement.stmt_location.offset));
  if (statement.stmt_len > 0) text = text.substr(0, static_cast<size_t>(statement.stmt_len));
  while (!text.empty() && IsScannerSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsScannerSpace(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace walden
