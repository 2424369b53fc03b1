#include "node/sql/binder/function_defaults.h"

#include "node/base/error.h"
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/collations.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/parser/parser.h"
#include "node/sql/query/query_text.h"

namespace walden {
namespace {

// Built-in functions' defaults are SQL text: "0, 'NFC', true".
std::vector<Expr*> DefaultsFromSql(const FunctionInfo& function, const BindOptions& options) {
  ParseResult tree = Parse("SELECT " + function.defaults);
  BindOptions inner{options.arena, options.catalog, tree->text, options.format, options.names};
  BindContext context(inner);
  BindState state(context);
  std::vector<Expr*> defaults;
  size_t parameter = function.arguments.size() - static_cast<size_t>(function.default_count);
  for (const ast::Node* item : ast::As<ast::SelectStmt>(tree->statements[0]->stmt)->target_list) {
    Expr* expr = BindExpr(state, ast::As<ast::ResTarget>(item)->val, ExprKind::kFunctionDefault);
    expr = CoerceToSpecific(state, expr, function.arguments[parameter++], -1, "DEFAULT");
    AssignExprCollations(state, expr);
    // The text dies with its parse tree.
    defaults.push_back(Copy(expr, options.arena));
  }
  return defaults;
}

// Expressions for the last default_count parameters.
std::vector<Expr*> DefaultsOf(const FunctionInfo& function, const BindOptions& options) {
  if (function.defaults_are_sql) return DefaultsFromSql(function, options);
  std::vector<Expr*> defaults;
  for (Node* node : ReadNodeList(function.defaults, options.arena))
    defaults.push_back(static_cast<Expr*>(node));
  return defaults;
}

}  // namespace

void ArrangeArguments(FuncExpr* call, const BindOptions& options) {
  const FunctionInfo* function = options.catalog.GetFunction(call->funcid);
  if (function == nullptr) return;
  bool named = false;
  for (const Expr* argument : call->args) named = named || Is<NamedArgExpr>(argument);
  auto parameters = static_cast<uint32_t>(function->arguments.size());
  if (!named && call->args.size() >= parameters) return;
  ExprList arranged;
  arranged.Resize(options.arena, parameters, nullptr);
  for (uint32_t i = 0; i < call->args.size(); ++i) {
    auto* argument = TryAs<NamedArgExpr>(call->args[i]);
    if (argument == nullptr) {
      arranged[i] = call->args[i];
    } else {
      arranged[static_cast<uint32_t>(argument->argnumber)] = argument->arg;
    }
  }
  std::vector<Expr*> defaults = DefaultsOf(*function, options);
  size_t first_default = parameters - defaults.size();
  for (uint32_t i = 0; i < parameters; ++i) {
    if (arranged[i] != nullptr) continue;
    if (i < first_default) throw SqlError(ErrorCode::kInternalError, "not enough default arguments");
    arranged[i] = defaults[i - first_default];
  }
  call->args = arranged;
}

void ArrangeAllArguments(Node* tree, const BindOptions& options) {
  if (tree == nullptr) return;
  if (auto* call = TryAs<FuncExpr>(tree)) ArrangeArguments(call, options);
  AnyChild(tree, [&](const Node* child) {
    ArrangeAllArguments(const_cast<Node*>(child), options);
    return false;
  });
}

}  // namespace walden
