#include "node/sql/binder/target_list.h"

#include "node/sql/binder/coercion.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/function_result.h"
#include "node/sql/binder/range_table.h"
#include "node/sql/binder/type_names.h"

namespace walden {
namespace {

// How good a name is: 0 none, 1 a guess that a better one beats, 2 sure.
struct FiguredName {
  std::string_view name;
  int strength = 0;
};

FiguredName Figure(BindState& state, const ast::Node* node);

FiguredName LastString(const ast::NodeList& list) {
  for (uint32_t i = list.size(); i > 0; --i) {
    if (ast::Is<ast::String>(list[i - 1])) return {ast::StringOf(list[i - 1]), 2};
  }
  return {};
}

FiguredName FigureSubLink(BindState& state, const ast::SubLink& link) {
  if (link.sub_link_type == SubLinkType::kExists) return {"exists", 2};
  if (link.sub_link_type == SubLinkType::kArray) return {"array", 2};
  if (link.sub_link_type != SubLinkType::kExpr) return {};
  for (const auto& [syntax, query] : state.context.scalar_subqueries) {
    if (syntax == link.subselect) return {query->target_list[0]->resname, 2};
  }
  return {};
}

FiguredName FigureSqlValueFunction(SqlValueFunctionOp op) {
  using Op = SqlValueFunctionOp;
  switch (op) {
    case Op::kCurrentDate: return {"current_date", 2};
    case Op::kCurrentTime:
    case Op::kCurrentTimeN: return {"current_time", 2};
    case Op::kCurrentTimestamp:
    case Op::kCurrentTimestampN: return {"current_timestamp", 2};
    case Op::kLocalTime:
    case Op::kLocalTimeN: return {"localtime", 2};
    case Op::kLocalTimestamp:
    case Op::kLocalTimestampN: return {"localtimestamp", 2};
    case Op::kCurrentRole: return {"current_role", 2};
    case Op::kCurrentUser: return {"current_user", 2};
    case Op::kUser: return {"user", 2};
    case Op::kSessionUser: return {"session_user", 2};
    case Op::kCurrentCatalog: return {"current_catalog", 2};
    case Op::kCurrentSchema: return {"current_schema", 2};
  }
  return {};
}

FiguredName Figure(BindState& state, const ast::Node* node) {
  if (node == nullptr) return {};
  using ast::Tag;
  switch (node->tag) {
    case Tag::kColumnRef: {
      const ast::NodeList& fields = ast::As<ast::ColumnRef>(node)->fields;
      return LastString(fields);
    }
    case Tag::kAIndirection: {
      const auto& indirection = *ast::As<ast::AIndirection>(node);
      FiguredName name = LastString(indirection.indirection);
      return name.strength > 0 ? name : Figure(state, indirection.arg);
    }
    case Tag::kFuncCall: return {ast::StringOf(ast::As<ast::FuncCall>(node)->funcname.back()), 2};
    case Tag::kAExpr:
      if (ast::As<ast::AExpr>(node)->kind == AExprKind::kNullif) return {"nullif", 2};
      return {};
    case Tag::kTypeCast: {
      const auto& cast = *ast::As<ast::TypeCast>(node);
      FiguredName name = Figure(state, cast.arg);
      if (name.strength <= 1 && cast.type_name != nullptr)
        return {ast::StringOf(cast.type_name->names.back()), 1};
      return name;
    }
    case Tag::kCollateClause: return Figure(state, ast::As<ast::CollateClause>(node)->arg);
    case Tag::kGroupingFunc: return {"grouping", 2};
    case Tag::kSubLink: return FigureSubLink(state, *ast::As<ast::SubLink>(node));
    case Tag::kCaseExpr: {
      FiguredName name = Figure(state, ast::As<ast::CaseExpr>(node)->defresult);
      return name.strength <= 1 ? FiguredName{"case", 1} : name;
    }
    case Tag::kAArrayExpr: return {"array", 2};
    case Tag::kRowExpr: return {"row", 2};
    case Tag::kCoalesceExpr: return {"coalesce", 2};
    case Tag::kMinMaxExpr:
      return {ast::As<ast::MinMaxExpr>(node)->op == MinMaxOp::kGreatest ? "greatest" : "least", 2};
    case Tag::kSqlValueFunction: return FigureSqlValueFunction(ast::As<ast::SqlValueFunction>(node)->op);
    default: return {};
  }
}

List<TargetEntry*> ExpandAllTables(BindState& state, Location location) {
  List<TargetEntry*> targets;
  bool found = false;
  for (NamespaceItem* item : state.names) {
    if (!item->columns_visible) continue;
    found = true;
    targets.AppendAll(state.arena(), ExpandItemTargets(state, *item, 0, location));
  }
  if (!found) {
    throw SqlError(ErrorCode::kSyntaxError, "SELECT * with no tables specified is not valid")
        .WithPosition(state.Position(location));
  }
  return targets;
}

List<TargetEntry*> ExpandTableStar(BindState& state, const ast::ColumnRef& reference) {
  const ast::NodeList& fields = reference.fields;
  if (fields.size() == 1) return ExpandAllTables(state, reference.location);
  if (VariableHook* hook = state.context.options.variables) {
    if (Expr* row = hook->ResolveColumn(reference, nullptr)) {
      List<TargetEntry*> targets;
      (void)row;
      return targets;
    }
  }
  if (fields.size() > 4) {
    throw SqlError(ErrorCode::kSyntaxError, "improper qualified name (too many dotted names): {}",
                   JoinNames(fields))
        .WithPosition(state.Position(reference.location));
  }
  if (fields.size() == 4 && ast::StringOf(fields[0]) != state.catalog().DatabaseName()) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cross-database references are not implemented: {}",
                   JoinNames(fields))
        .WithPosition(state.Position(reference.location));
  }
  std::string_view table = ast::StringOf(fields[fields.size() - 2]);
  std::string_view schema =
      fields.size() >= 3 ? ast::StringOf(fields[fields.size() - 3]) : std::string_view();
  uint32_t levels_up = 0;
  NamespaceItem* item = FindTableName(state, schema, table, reference.location, &levels_up);
  if (item == nullptr) ThrowMissingTable(state, schema, table, reference.location);
  return ExpandItemTargets(state, *item, levels_up, reference.location);
}

List<TargetEntry*> ExpandRow(BindState& state, Expr* row) {
  List<TargetEntry*> targets;
  if (auto* var = TryAs<Var>(row); var != nullptr && var->varattno == 0) {
    BindState* level = &state;
    for (uint32_t i = 0; i < var->varlevelsup; ++i) level = level->parent;
    for (NamespaceItem* item : level->names) {
      if (item->rtindex == var->varno && item->names == item->rte->eref) {
        return ExpandItemTargets(state, *item, var->varlevelsup, var->location);
      }
    }
    return ExpandItemTargets(state, *ItemForRte(state, level->Rte(var->varno), var->varno), var->varlevelsup,
                             var->location);
  }
  std::vector<ColumnInfo> columns;
  if (auto* var = TryAs<Var>(row); var != nullptr && var->vartype == type_oid::kRecord) {
    columns = RecordVarColumns(state, *var);
  } else {
    ExprResult result = ResultOf(state.context, row);
    if (result.shape == ResultShape::kScalar || result.shape == ResultShape::kOther) {
      throw SqlError(ErrorCode::kWrongObjectType, "type {} is not composite",
                     state.types().Format(result.type));
    }
    columns = result.columns;
  }
  if (columns.empty()) {
    throw SqlError(ErrorCode::kWrongObjectType, "record type has not been registered");
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].dropped) continue;
    auto* select = state.New<FieldSelect>();
    select->arg = Copy(row, state.arena());
    select->fieldnum = static_cast<AttrNumber>(i + 1);
    select->resulttype = columns[i].type;
    select->resulttypmod = columns[i].typmod;
    select->resultcollid = columns[i].collation;
    targets.Append(state.arena(), MakeTargetEntry(state.arena(), select, state.next_resno++,
                                                  state.arena().Copy(columns[i].name), false));
  }
  return targets;
}

void MarkOrigin(BindState& state, TargetEntry* target, const Var& var) {
  BindState* level = &state;
  for (uint32_t i = 0; i < var.varlevelsup; ++i) level = level->parent;
  const RangeTblEntry& rte = *level->Rte(var.varno);
  const Query* query = nullptr;
  if (rte.rtekind == RteKind::kRelation) {
    target->resorigtbl = rte.relid;
    target->resorigcol = var.varattno;
    return;
  }
  if (rte.rtekind == RteKind::kSubquery) query = rte.subquery;
  if (rte.rtekind == RteKind::kCte && !rte.self_reference) {
    BindState* cte_level = level;
    for (uint32_t i = 0; i < rte.ctelevelsup; ++i) cte_level = cte_level->parent;
    for (const CommonTableExpr* cte : cte_level->ctes) {
      if (cte->ctename == rte.ctename && cte->ctequery != nullptr) query = cte->ctequery;
    }
  }
  if (query == nullptr || var.varattno <= 0) return;
  const List<TargetEntry*>& list =
      query->command_type == CmdType::kSelect ? query->target_list : query->returning_list;
  if (const TargetEntry* source = FindTarget(list, var.varattno)) {
    target->resorigtbl = source->resorigtbl;
    target->resorigcol = source->resorigcol;
  }
}

}  // namespace

AttrNumber ColumnNumber(const RelationInfo& relation, std::string_view name, bool system_too) {
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    if (!relation.columns[i].dropped && relation.columns[i].name == name)
      return static_cast<AttrNumber>(i + 1);
  }
  AttrNumber number;
  Oid type;
  return system_too && FindSystemColumn(name, &number, &type) ? number : AttrNumber{0};
}

std::string_view FigureColumnName(BindState& state, const ast::Node* node) {
  FiguredName name = Figure(state, node);
  return name.strength > 0 ? name.name : "?column?";
}

bool IsStarReference(const ast::Node* node) {
  if (const auto* reference = ast::TryAs<ast::ColumnRef>(node))
    return ast::Is<ast::AStar>(reference->fields.back());
  if (const auto* indirection = ast::TryAs<ast::AIndirection>(node)) {
    return ast::Is<ast::AStar>(indirection->indirection.back());
  }
  return false;
}

List<TargetEntry*> ExpandStar(BindState& state, const ast::Node* node, ExprKind kind) {
  if (const auto* reference = ast::TryAs<ast::ColumnRef>(node)) return ExpandTableStar(state, *reference);
  ast::AIndirection without_star = *ast::As<ast::AIndirection>(node);
  without_star.indirection.PopBack();
  return ExpandRow(state, BindExpr(state, &without_star, kind));
}

TargetEntry* BindTarget(BindState& state, const ast::Node* node, Expr* bound, ExprKind kind,
                        std::string_view name, bool junk) {
  if (bound == nullptr) {
    if (kind == ExprKind::kUpdateSource && ast::Is<ast::SetToDefault>(node)) {
      auto* placeholder = state.New<SetToDefault>();
      placeholder->type_id = type_oid::kUnknown;
      placeholder->location = ast::As<ast::SetToDefault>(node)->location;
      bound = placeholder;
    } else {
      bound = BindExpr(state, node, kind);
    }
  }
  if (IsAbsent(name) && !junk) name = FigureColumnName(state, node);
  return MakeTargetEntry(state.arena(), bound, state.next_resno++, name, junk);
}

List<TargetEntry*> BindTargetList(BindState& state, const ast::NodeList& list, ExprKind kind) {
  List<TargetEntry*> targets;
  bool expand_star = kind != ExprKind::kUpdateSource;
  for (const ast::Node* node : list) {
    const auto& item = *ast::As<ast::ResTarget>(node);
    if (expand_star && IsStarReference(item.val)) {
      targets.AppendAll(state.arena(), ExpandStar(state, item.val, kind));
    } else {
      targets.Append(state.arena(), BindTarget(state, item.val, nullptr, kind, item.name, false));
    }
  }
  for (TargetEntry* extra : state.multi_assigns) targets.Append(state.arena(), extra);
  state.multi_assigns.clear();
  return targets;
}

void MarkTargetOrigins(BindState& state, const List<TargetEntry*>& targets) {
  for (TargetEntry* target : targets) {
    if (const auto* var = TryAs<Var>(target->expr)) MarkOrigin(state, target, *var);
  }
}

}  // namespace walden
