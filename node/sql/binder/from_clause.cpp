#include "node/sql/binder/from_clause.h"

#include <algorithm>

#include "node/sql/binder/coercion.h"
#include "node/sql/binder/collations.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/joins.h"
#include "node/sql/binder/query_binding.h"
#include "node/sql/binder/range_table.h"
#include "node/sql/binder/target_list.h"

namespace walden {
namespace {

Node* Reference(BindState& state, const NamespaceItem& item) {
  auto* reference = state.New<RangeTblRef>();
  reference->rtindex = item.rtindex;
  return reference;
}

NamespaceItem* BindTable(BindState& state, const ast::RangeVar& name) {
  if (name.schemaname.empty() && name.catalogname.empty()) {
    uint32_t levels_up = 0;
    if (CommonTableExpr* cte = FindCte(state, name.relname, &levels_up)) {
      return AddCte(state, *cte, levels_up, name, BindAlias(state, name.alias));
    }
  }
  std::string_view visible_name = name.alias != nullptr ? name.alias->aliasname : name.relname;
  RelationLockNeed lock =
      IsLockedName(state, visible_name) ? RelationLockNeed::kRowShare : RelationLockNeed::kAccessShare;
  const RelationInfo& relation = OpenRelation(state, name, lock);
  return AddRelation(state, relation, lock, BindAlias(state, name.alias), name.inh, true);
}

NamespaceItem* BindFromSubselect(BindState& state, const ast::RangeSubselect& item) {
  Query* query;
  {
    ExprKindScope scope(state, ExprKind::kFromSubselect);
    state.lateral_active = item.lateral;
    bool locked = item.alias != nullptr && IsLockedName(state, item.alias->aliasname);
    query = BindSubquery(state, *item.subquery, nullptr, locked, true);
    state.lateral_active = false;
  }
  if (query->command_type != CmdType::kSelect) {
    throw SqlError(ErrorCode::kInternalError, "unexpected non-SELECT command in subquery in FROM");
  }
  return AddSubquery(state, query, BindAlias(state, item.alias), item.lateral, true);
}

// unnest(a, b, ...) stands for ROWS FROM(unnest(a), unnest(b), ...).
bool IsMultiUnnest(const ast::Node* node, const ast::NodeList& definitions) {
  const auto* call = ast::TryAs<ast::FuncCall>(node);
  return call != nullptr && call->funcname.size() == 1 && ast::StringOf(call->funcname[0]) == "unnest" &&
         call->args.size() > 1 && call->agg_order.empty() && call->agg_filter == nullptr &&
         call->over == nullptr && !call->agg_star && !call->agg_distinct && !call->func_variadic &&
         definitions.empty();
}

const ast::FuncCall* UnnestOf(BindState& state, ast::Node* argument, Location location) {
  auto* schema = state.New<ast::String>();
  schema->sval = "pg_catalog";
  auto* name = state.New<ast::String>();
  name->sval = "unnest";
  auto* call = state.New<ast::FuncCall>();
  call->funcname = ast::NodeList(state.arena(), {schema, name});
  call->args = ast::NodeList(state.arena(), {argument});
  call->location = location;
  return call;
}

FunctionInFrom BindOneFunction(BindState& state, const ast::Node* node) {
  Node* last_srf = state.last_srf;
  FunctionInFrom function;
  function.call = BindNested(state, node);
  if (state.last_srf != last_srf && state.last_srf != function.call) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "set-returning functions must appear at top level of FROM")
        .WithPosition(state.Position(ExprLocation(state.last_srf)));
  }
  function.name = FigureColumnName(state, node);
  AssignExprCollations(state, function.call);
  return function;
}

SqlError BadDefinitions(BindState& state, const ast::Node* definition, const char* message,
                        const char* hint) {
  SqlError error(ErrorCode::kSyntaxError, std::string(message));
  if (hint != nullptr) error.WithHint(hint);
  error.WithPosition(state.Position(ast::As<ast::ColumnDef>(definition)->location));
  return error;
}

NamespaceItem* BindFromFunction(BindState& state, const ast::RangeFunction& item) {
  std::vector<FunctionInFrom> functions;
  {
    ExprKindScope scope(state, ExprKind::kFromFunction);
    state.lateral_active = true;
    for (const ast::Node* pair : item.functions) {
      const ast::NodeList& parts = ast::As<ast::ListNode>(pair)->items;
      ast::NodeList none;
      const ast::NodeList& definitions =
          parts.size() > 1 && parts[1] != nullptr ? ast::As<ast::ListNode>(parts[1])->items : none;
      if (IsMultiUnnest(parts[0], definitions)) {
        const auto& call = *ast::As<ast::FuncCall>(parts[0]);
        for (ast::Node* argument : call.args) {
          functions.push_back(BindOneFunction(state, UnnestOf(state, argument, call.location)));
        }
        continue;
      }
      functions.push_back(BindOneFunction(state, parts[0]));
      if (definitions.empty()) continue;
      if (!item.coldeflist.empty()) {
        throw BadDefinitions(state, item.coldeflist[0],
                             "multiple column definition lists are not allowed for the same function",
                             nullptr);
      }
      functions.back().column_definitions = &ast::As<ast::ListNode>(parts[1])->items;
    }
    state.lateral_active = false;
  }
  if (!item.coldeflist.empty()) {
    const ast::Node* first = item.coldeflist[0];
    if (functions.size() != 1) {
      if (item.is_rowsfrom) {
        throw BadDefinitions(state, first,
                             "ROWS FROM() with multiple functions cannot have a column definition list",
                             "Put a separate column definition list for each function inside ROWS FROM().");
      }
      throw BadDefinitions(
          state, first, "UNNEST() with multiple arguments cannot have a column definition list",
          "Use separate UNNEST() calls inside ROWS FROM(), and attach a column definition list to each one.");
    }
    if (item.ordinality) {
      throw BadDefinitions(state, first, "WITH ORDINALITY cannot be used with a column definition list",
                           "Put the column definition list inside ROWS FROM().");
    }
    functions[0].column_definitions = &item.coldeflist;
  }
  bool lateral = item.lateral || std::ranges::any_of(functions, [](const FunctionInFrom& function) {
                   return ContainsVarOfLevel(function.call, 0);
                 });
  return AddFunctions(state, functions, BindAlias(state, item.alias), item.ordinality, lateral,
                      item.is_rowsfrom);
}

}  // namespace

FromItem BindFromItem(BindState& state, const ast::Node* node) {
  FromItem result;
  switch (node->tag) {
    case ast::Tag::kRangeVar: result.item = BindTable(state, *ast::As<ast::RangeVar>(node)); break;
    case ast::Tag::kRangeSubselect:
      result.item = BindFromSubselect(state, *ast::As<ast::RangeSubselect>(node));
      break;
    case ast::Tag::kRangeFunction:
      result.item = BindFromFunction(state, *ast::As<ast::RangeFunction>(node));
      break;
    case ast::Tag::kJoinExpr: return BindJoin(state, *ast::As<ast::JoinExpr>(node));
    case ast::Tag::kRangeTableSample: throw NotSupported("TABLESAMPLE");
    case ast::Tag::kRangeTableFunc: throw NotSupported("XMLTABLE");
    default: throw SqlError(ErrorCode::kInternalError, "unrecognized FROM item {}", ast::TagName(node->tag));
  }
  result.tree = Reference(state, *result.item);
  result.names.push_back(result.item);
  return result;
}

void SetLateralState(const std::vector<NamespaceItem*>& names, bool lateral_only, bool lateral_ok) {
  for (NamespaceItem* item : names) {
    item->lateral_only = lateral_only;
    item->lateral_ok = lateral_ok;
  }
}

void BindFrom(BindState& state, const ast::NodeList& from) {
  for (const ast::Node* node : from) {
    FromItem item = BindFromItem(state, node);
    CheckNameConflicts(state.names, item.names);
    SetLateralState(item.names, true, true);
    state.join_list.Append(state.arena(), item.tree);
    state.names.insert(state.names.end(), item.names.begin(), item.names.end());
  }
  SetLateralState(state.names, false, true);
}

int32_t BindTargetTable(BindState& state, const ast::RangeVar& name, bool inherit, bool also_source,
                        uint32_t permissions) {
  uint32_t levels_up = 0;
  if (name.schemaname.empty() && FindCte(state, name.relname, &levels_up) != nullptr &&
      state.catalog().FindRelation({}, name.relname, RelationLockNeed::kNone) == nullptr) {
    throw SqlError(ErrorCode::kUndefinedTable,
                   "relation \"{}\" cannot be the target of a modifying statement", name.relname);
  }
  const RelationInfo& relation = OpenRelation(state, name, RelationLockNeed::kRowExclusive);
  NamespaceItem* item = AddRelation(state, relation, RelationLockNeed::kRowExclusive,
                                    BindAlias(state, name.alias), inherit, false);
  state.target = item;
  item->rte->required_perms = permissions;
  if (also_source) {
    AddToJoinList(state, *item);
    AddToNamespace(state, item, true, true);
  }
  return item->rtindex;
}

bool IsLockedName(const BindState& state, std::string_view name) {
  if (state.locked_from_parent) return true;
  if (state.locking_clause == nullptr) return false;
  for (const ast::Node* node : *state.locking_clause) {
    const ast::NodeList& relations = ast::As<ast::LockingClause>(node)->locked_rels;
    if (relations.empty()) return true;
    for (const ast::Node* relation : relations) {
      if (ast::As<ast::RangeVar>(relation)->relname == name) return true;
    }
  }
  return false;
}

}  // namespace walden
