#include "node/sql/binder/range_table.h"

#include "node/sql/binder/function_result.h"
#include "node/sql/binder/type_names.h"

namespace walden {
namespace {

constexpr int32_t kAccessShareLock = 1, kRowShareLock = 2, kRowExclusiveLock = 3;

int32_t LockNumber(RelationLockNeed need) {
  switch (need) {
    case RelationLockNeed::kNone:
    case RelationLockNeed::kAccessShare: return kAccessShareLock;
    case RelationLockNeed::kRowShare: return kRowShareLock;
    case RelationLockNeed::kRowExclusive: return kRowExclusiveLock;
  }
  return kAccessShareLock;
}

int32_t Push(BindState& state, RangeTblEntry* rte) {
  state.rtable.Append(state.arena(), rte);
  state.join_exprs.Resize(state.arena(), state.rtable.size(), nullptr);
  return static_cast<int32_t>(state.rtable.size());
}

// Column names: those of the alias first, then the entry's own. `what` words the error for too many aliases.
void NameColumns(BindState& state, RangeTblEntry* rte, std::string_view table,
                 const std::vector<std::string_view>& own, const char* what, const char* verb) {
  rte->eref = state.New<Alias>();
  rte->eref->aliasname = rte->alias != nullptr ? rte->alias->aliasname : state.arena().Copy(table);
  uint32_t given = rte->alias != nullptr ? rte->alias->colnames.size() : 0;
  uint32_t next = 0, available = 0;
  List<std::string_view> user_names;
  for (std::string_view name : own) {
    if (name.empty()) {
      rte->eref->colnames.Append(state.arena(), "");
      if (given > 0) user_names.Append(state.arena(), "");
      continue;
    }
    ++available;
    if (next < given) {
      std::string_view alias_name = rte->alias->colnames[next++];
      rte->eref->colnames.Append(state.arena(), alias_name);
      user_names.Append(state.arena(), alias_name);
    } else {
      rte->eref->colnames.Append(state.arena(), state.arena().Copy(name));
    }
  }
  if (next < given) {
    throw SqlError(ErrorCode::kInvalidColumnReference,
                   "{} \"{}\" {} {} columns available but {} columns specified", what, rte->eref->aliasname,
                   verb, available, given);
  }
  if (given > 0) rte->alias->colnames = user_names;
}

std::vector<std::string_view> NamesOf(const List<std::string_view>& names) {
  return {names.begin(), names.end()};
}

void AddFunctionColumns(BindContext& context, const RangeTblFunction& function,
                        std::vector<RteColumn>* columns) {
  if (!function.funccolnames.empty()) {
    for (uint32_t i = 0; i < function.funccolnames.size(); ++i) {
      columns->push_back({function.funccolnames[i], function.funccoltypes[i], function.funccoltypmods[i],
                          function.funccolcollations[i]});
    }
    return;
  }
  ExprResult result = ResultOf(context, function.funcexpr);
  if (result.shape == ResultShape::kComposite) {
    for (const ColumnInfo& column : result.columns) {
      columns->push_back({column.dropped ? std::string_view("") : context.arena.Copy(column.name),
                          column.type, column.typmod, column.collation});
    }
    return;
  }
  columns->push_back({"?", result.type, ExprTypmod(function.funcexpr), ExprCollation(function.funcexpr)});
}

}  // namespace

std::vector<RteColumn> RteColumns(BindContext& context, const RangeTblEntry& rte) {
  std::vector<RteColumn> columns;
  switch (rte.rtekind) {
    case RteKind::kRelation: {
      const RelationInfo* relation = context.catalog.GetRelation(rte.relid, RelationLockNeed::kNone);
      for (const ColumnInfo& column : relation->columns) {
        columns.push_back({column.dropped ? std::string_view("") : std::string_view(column.name), column.type,
                           column.typmod, column.collation});
      }
      break;
    }
    case RteKind::kSubquery:
      for (const TargetEntry* target : rte.subquery->target_list) {
        if (target->resjunk) continue;
        columns.push_back(
            {target->resname, ExprType(target->expr), ExprTypmod(target->expr), ExprCollation(target->expr)});
      }
      break;
    case RteKind::kFunction:
      for (const RangeTblFunction* function : rte.functions) AddFunctionColumns(context, *function, &columns);
      if (rte.funcordinality) columns.push_back({"ordinality", type_oid::kInt8, -1, Oid{}});
      break;
    case RteKind::kJoin:
      for (const Expr* source : rte.joinaliasvars) {
        if (source == nullptr) {
          columns.push_back({"", type_oid::kInt4, -1, Oid{}});
        } else {
          columns.push_back({"?", ExprType(source), ExprTypmod(source), ExprCollation(source)});
        }
      }
      break;
    default:
      for (uint32_t i = 0; i < rte.coltypes.size(); ++i) {
        columns.push_back({"?", rte.coltypes[i], rte.coltypmods[i], rte.colcollations[i]});
      }
      break;
  }
  // The names in effect; an entry may have been described before columns were added to its table.
  if (rte.eref != nullptr) {
    for (uint32_t i = 0; i < columns.size() && i < rte.eref->colnames.size(); ++i) {
      if (!columns[i].name.empty()) columns[i].name = rte.eref->colnames[i];
    }
  }
  return columns;
}

NamespaceItem* ItemForRte(BindState& state, RangeTblEntry* rte, int32_t rtindex) {
  auto* item = state.New<NamespaceItem>();
  item->names = rte->eref;
  item->rte = rte;
  item->rtindex = rtindex;
  AttrNumber number = 0;
  for (const RteColumn& column : RteColumns(state.context, *rte)) {
    ++number;
    NamespaceColumn visible;
    if (!column.name.empty()) {
      visible.varno = rtindex;
      visible.varattno = number;
      visible.type = column.type;
      visible.typmod = column.typmod;
      visible.collation = column.collation;
      visible.varnosyn = static_cast<uint32_t>(rtindex);
      visible.varattnosyn = number;
    }
    item->columns.Append(state.arena(), visible);
  }
  return item;
}

Alias* BindAlias(BindState& state, const ast::Alias* alias) {
  if (alias == nullptr) return nullptr;
  auto* bound = state.New<Alias>();
  bound->aliasname = alias->aliasname;
  for (const ast::Node* name : alias->colnames) bound->colnames.Append(state.arena(), ast::StringOf(name));
  return bound;
}

const RelationInfo& OpenRelation(BindState& state, const ast::RangeVar& name, RelationLockNeed lock) {
  if (!name.catalogname.empty() && name.catalogname != state.catalog().DatabaseName()) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "cross-database references are not implemented: \"{}.{}.{}\"", name.catalogname,
                   name.schemaname, name.relname)
        .WithPosition(state.Position(name.location));
  }
  const RelationInfo* relation = state.catalog().FindRelation(name.schemaname, name.relname, lock);
  if (relation == nullptr) {
    if (!name.schemaname.empty()) {
      throw SqlError(ErrorCode::kUndefinedTable, "relation \"{}.{}\" does not exist", name.schemaname,
                     name.relname)
          .WithPosition(state.Position(name.location));
    }
    SqlError error(ErrorCode::kUndefinedTable, "relation \"{}\" does not exist", name.relname);
    error.WithPosition(state.Position(name.location));
    for (BindState* level = &state; level != nullptr; level = level->parent) {
      for (const ast::CommonTableExpr* cte : level->future_ctes) {
        if (cte->ctename != name.relname) continue;
        throw error
            .WithDetail(fmt::format(
                "There is a WITH item named \"{}\", but it cannot be referenced from this part of "
                "the query.",
                name.relname))
            .WithHint("Use WITH RECURSIVE, or re-order the WITH items to remove forward references.");
      }
    }
    throw error;
  }
  if (relation->kind == 'i' || relation->kind == 'I' || relation->kind == 'c') {
    throw SqlError(ErrorCode::kWrongObjectType, "cannot open relation \"{}\"", relation->name)
        .WithDetail(relation->kind == 'c'   ? "This operation is not supported for composite types."
                    : relation->kind == 'i' ? "This operation is not supported for indexes."
                                            : "This operation is not supported for partitioned indexes.")
        .WithPosition(state.Position(name.location));
  }
  return *relation;
}

NamespaceItem* AddRelation(BindState& state, const RelationInfo& relation, RelationLockNeed lock,
                           Alias* alias, bool inherit, bool in_from) {
  auto* rte = state.New<RangeTblEntry>();
  rte->rtekind = RteKind::kRelation;
  rte->alias = alias;
  rte->relid = relation.oid;
  rte->relkind = relation.kind;
  rte->rellockmode = LockNumber(lock);
  std::vector<std::string_view> names;
  for (const ColumnInfo& column : relation.columns) {
    names.push_back(column.dropped ? std::string_view("") : std::string_view(column.name));
  }
  NameColumns(state, rte, relation.name, names, "table", "has");
  rte->inh = inherit;
  rte->in_from_cl = in_from;
  rte->required_perms = acl_mode::kSelect;
  return ItemForRte(state, rte, Push(state, rte));
}

NamespaceItem* AddSubquery(BindState& state, Query* query, Alias* alias, bool lateral, bool in_from) {
  auto* rte = state.New<RangeTblEntry>();
  rte->rtekind = RteKind::kSubquery;
  rte->subquery = query;
  rte->alias = alias;
  std::vector<std::string_view> names;
  for (const TargetEntry* target : query->target_list) {
    if (!target->resjunk) names.push_back(target->resname);
  }
  NameColumns(state, rte, alias != nullptr ? alias->aliasname : "unnamed_subquery", names, "table", "has");
  rte->lateral = lateral;
  rte->in_from_cl = in_from;
  return ItemForRte(state, rte, Push(state, rte));
}

namespace {

// RECORD-returning functions: AS (name type, ...).
void BindColumnDefinitions(BindState& state, const ast::NodeList& definitions, RangeTblFunction* function) {
  for (const ast::Node* node : definitions) {
    const auto& definition = *ast::As<ast::ColumnDef>(node);
    if (definition.type_name->setof) {
      throw SqlError(ErrorCode::kInvalidTableDefinition, "column \"{}\" cannot be declared SETOF",
                     definition.colname)
          .WithPosition(state.Position(definition.location));
    }
    for (std::string_view earlier : function->funccolnames) {
      if (earlier == definition.colname) {
        throw SqlError(ErrorCode::kDuplicateColumn, "column name \"{}\" specified more than once",
                       definition.colname);
      }
    }
    ResolvedType type = ResolveTypeName(*definition.type_name, state.types());
    if (state.types().Get(type.type).kind == 'p') {
      throw SqlError(ErrorCode::kInvalidTableDefinition, "column \"{}\" has pseudo-type {}",
                     definition.colname, state.types().Format(type.type));
    }
    Oid collation = state.types().CollationOf(type.type);
    if (definition.coll_clause != nullptr) {
      collation =
          ResolveCollation(definition.coll_clause->collname, definition.coll_clause->location, state.types());
    }
    function->funccolnames.Append(state.arena(), definition.colname);
    function->funccoltypes.Append(state.arena(), type.type);
    function->funccoltypmods.Append(state.arena(), type.typmod);
    function->funccolcollations.Append(state.arena(), collation);
  }
  function->funccolcount = static_cast<int32_t>(function->funccolnames.size());
}

SqlError RedundantDefinitions(BindState& state, const ExprResult& result, const ast::NodeList& definitions) {
  const char* message =
      result.from_out_parameters ? "a column definition list is redundant for a function with OUT parameters"
      : result.shape == ResultShape::kComposite
          ? "a column definition list is redundant for a function returning a named composite type"
          : "a column definition list is only allowed for functions returning \"record\"";
  return SqlError(ErrorCode::kSyntaxError, std::string(message))
      .WithPosition(state.Position(ast::As<ast::ColumnDef>(definitions[0])->location));
}

// A scalar function's column is named for its OUT parameter, else the table alias, else the function.
std::string_view ScalarColumnName(BindState& state, const FunctionInFrom& function, const Alias* alias,
                                  bool single) {
  if (const auto* call = TryAs<FuncExpr>(function.call)) {
    const FunctionInfo* info = state.catalog().GetFunction(call->funcid);
    if (info != nullptr && !SingleOutName(*info).empty()) return state.arena().Copy(SingleOutName(*info));
  }
  return single && alias != nullptr ? alias->aliasname : function.name;
}

void AddOneFunction(BindState& state, const FunctionInFrom& function, const Alias* alias, bool single,
                    RangeTblEntry* rte, std::vector<std::string_view>* names) {
  auto* bound = state.New<RangeTblFunction>();
  bound->funcexpr = function.call;
  ExprResult result = ResultOf(state.context, function.call);
  if (function.column_definitions != nullptr) {
    if (result.shape != ResultShape::kRecord) {
      throw RedundantDefinitions(state, result, *function.column_definitions);
    }
    BindColumnDefinitions(state, *function.column_definitions, bound);
    for (std::string_view name : bound->funccolnames) names->push_back(name);
  } else if (result.shape == ResultShape::kRecord) {
    throw SqlError(ErrorCode::kSyntaxError,
                   "a column definition list is required for functions returning \"record\"")
        .WithPosition(state.Position(ExprLocation(function.call)));
  } else if (result.shape == ResultShape::kComposite) {
    for (const ColumnInfo& column : result.columns) {
      names->push_back(column.dropped ? std::string_view("") : state.arena().Copy(column.name));
    }
    bound->funccolcount = static_cast<int32_t>(result.columns.size());
  } else if (result.shape == ResultShape::kScalar) {
    names->push_back(ScalarColumnName(state, function, alias, single));
    bound->funccolcount = 1;
  } else {
    throw SqlError(ErrorCode::kDatatypeMismatch, "function \"{}\" in FROM has unsupported return type {}",
                   function.name, state.types().Format(result.type))
        .WithPosition(state.Position(ExprLocation(function.call)));
  }
  rte->functions.Append(state.arena(), bound);
}

}  // namespace

NamespaceItem* AddFunctions(BindState& state, const std::vector<FunctionInFrom>& functions, Alias* alias,
                            bool ordinality, bool lateral, bool rows_from) {
  (void)rows_from;
  auto* rte = state.New<RangeTblEntry>();
  rte->rtekind = RteKind::kFunction;
  rte->alias = alias;
  rte->funcordinality = ordinality;
  std::vector<std::string_view> names;
  for (const FunctionInFrom& function : functions) {
    AddOneFunction(state, function, alias, functions.size() == 1, rte, &names);
  }
  if (ordinality) names.push_back("ordinality");
  NameColumns(state, rte, functions[0].name, names, "table", "has");
  rte->lateral = lateral;
  rte->in_from_cl = true;
  return ItemForRte(state, rte, Push(state, rte));
}

NamespaceItem* AddValues(BindState& state, RangeTblEntry* rte, Alias* alias) {
  rte->alias = alias;
  std::vector<std::string_view> names;
  for (uint32_t i = 0; i < rte->coltypes.size(); ++i) {
    names.push_back(state.arena().Copy(fmt::format("column{}", i + 1)));
  }
  NameColumns(state, rte, "*VALUES*", names, "VALUES lists", "have");
  rte->in_from_cl = true;
  return ItemForRte(state, rte, Push(state, rte));
}

NamespaceItem* AddCte(BindState& state, CommonTableExpr& cte, uint32_t levels_up, const ast::RangeVar& name,
                      Alias* alias) {
  auto* rte = state.New<RangeTblEntry>();
  rte->rtekind = RteKind::kCte;
  rte->ctename = cte.ctename;
  rte->ctelevelsup = levels_up;
  // While a recursive CTE's own query is being bound, its target list is not known to be finished.
  rte->self_reference = cte.ctequery == nullptr;
  ++cte.cterefcount;
  if (cte.ctequery != nullptr && cte.ctequery->command_type != CmdType::kSelect &&
      cte.ctequery->returning_list.empty()) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "WITH query \"{}\" does not have a RETURNING clause",
                   cte.ctename)
        .WithPosition(state.Position(name.location));
  }
  rte->coltypes = cte.ctecoltypes;
  rte->coltypmods = cte.ctecoltypmods;
  rte->colcollations = cte.ctecolcollations;
  rte->alias = alias;
  NameColumns(state, rte, cte.ctename, NamesOf(cte.ctecolnames), "table", "has");
  rte->in_from_cl = true;
  return ItemForRte(state, rte, Push(state, rte));
}

NamespaceItem* AddJoin(BindState& state, RangeTblEntry* rte, Alias* alias,
                       List<std::string_view> column_names, List<NamespaceColumn> item_columns,
                       bool in_from) {
  rte->rtekind = RteKind::kJoin;
  rte->alias = alias;
  NameColumns(state, rte, "unnamed_join", NamesOf(column_names), "join expression", "has");
  rte->in_from_cl = in_from;
  auto* item = state.New<NamespaceItem>();
  item->names = rte->eref;
  item->rte = rte;
  item->rtindex = Push(state, rte);
  item->columns = item_columns;
  return item;
}

void AddToJoinList(BindState& state, const NamespaceItem& item) {
  auto* reference = state.New<RangeTblRef>();
  reference->rtindex = item.rtindex;
  state.join_list.Append(state.arena(), reference);
}

void AddToNamespace(BindState& state, NamespaceItem* item, bool rel_visible, bool columns_visible) {
  item->rel_visible = rel_visible;
  item->columns_visible = columns_visible;
  item->lateral_only = false;
  item->lateral_ok = true;
  state.names.push_back(item);
}

void CheckNameConflicts(const std::vector<NamespaceItem*>& a, const std::vector<NamespaceItem*>& b) {
  for (const NamespaceItem* first : a) {
    if (!first->rel_visible) continue;
    for (const NamespaceItem* second : b) {
      if (!second->rel_visible || first->names->aliasname != second->names->aliasname) continue;
      bool both_plain = first->rte->rtekind == RteKind::kRelation && first->rte->alias == nullptr &&
                        second->rte->rtekind == RteKind::kRelation && second->rte->alias == nullptr;
      if (both_plain && first->rte->relid != second->rte->relid) continue;  // told apart by schema
      throw SqlError(ErrorCode::kDuplicateAlias, "table name \"{}\" specified more than once",
                     first->names->aliasname);
    }
  }
}

ExprList ExpandItem(BindState& state, NamespaceItem& item, uint32_t levels_up, Location location,
                    List<std::string_view>* names) {
  ExprList vars;
  for (uint32_t i = 0; i < item.names->colnames.size() && i < item.columns.size(); ++i) {
    const NamespaceColumn& column = item.columns[i];
    if (column.hidden || column.varno == 0 || item.names->colnames[i].empty()) continue;
    Var* var = MakeVar(state.arena(), column.varno, column.varattno, column.type, column.typmod,
                       column.collation, levels_up);
    var->varnosyn = column.varnosyn;
    var->varattnosyn = column.varattnosyn;
    var->location = location;
    vars.Append(state.arena(), var);
    if (names != nullptr) names->Append(state.arena(), item.names->colnames[i]);
  }
  return vars;
}

List<TargetEntry*> ExpandItemTargets(BindState& state, NamespaceItem& item, uint32_t levels_up,
                                     Location location) {
  List<std::string_view> names;
  ExprList vars = ExpandItem(state, item, levels_up, location, &names);
  // "t.*" of a table without columns still reads the table.
  if (item.rte->rtekind == RteKind::kRelation) item.rte->required_perms |= acl_mode::kSelect;
  List<TargetEntry*> targets;
  for (uint32_t i = 0; i < vars.size(); ++i) {
    targets.Append(state.arena(),
                   MakeTargetEntry(state.arena(), vars[i], state.next_resno++, names[i], false));
    MarkSelected(state, *As<Var>(vars[i]));
  }
  return targets;
}

ExprList ExpandRangeTableVars(BindState& state, int32_t varno, int levels_up, Location location) {
  BindState* level = &state;
  for (int i = 0; i < levels_up; ++i) level = level->parent;
  for (NamespaceItem* item : level->names) {
    if (item->rtindex == varno && item->names == item->rte->eref) {
      return ExpandItem(state, *item, static_cast<uint32_t>(levels_up), location, nullptr);
    }
  }
  NamespaceItem* item = ItemForRte(state, level->Rte(varno), varno);
  return ExpandItem(state, *item, static_cast<uint32_t>(levels_up), location, nullptr);
}

namespace {

void MarkRteSelected(BindState& level, int32_t rtindex, AttrNumber column);

void MarkJoinSide(BindState& level, const Node* side) {
  if (const auto* reference = TryAs<RangeTblRef>(side)) MarkRteSelected(level, reference->rtindex, 0);
  if (const auto* join = TryAs<JoinExpr>(side)) MarkRteSelected(level, join->rtindex, 0);
}

void MarkRteSelected(BindState& level, int32_t rtindex, AttrNumber column) {
  RangeTblEntry* rte = level.Rte(rtindex);
  if (rte->rtekind == RteKind::kRelation) {
    rte->required_perms |= acl_mode::kSelect;
    rte->selected_cols.AppendUnique(level.arena(), column);
  } else if (rte->rtekind == RteKind::kJoin && column == 0) {
    const JoinExpr* join = level.join_exprs[static_cast<uint32_t>(rtindex - 1)];
    if (join == nullptr) return;
    MarkJoinSide(level, join->larg);
    MarkJoinSide(level, join->rarg);
  }
}

}  // namespace

void MarkSelected(BindState& state, const Var& var) {
  BindState* level = &state;
  for (uint32_t i = 0; i < var.varlevelsup; ++i) level = level->parent;
  MarkRteSelected(*level, var.varno, var.varattno);
}

}  // namespace walden
