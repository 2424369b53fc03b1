#include "node/sql/binder/joins.h"

#include "node/sql/binder/coercion.h"
#include "node/sql/binder/collations.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/operators.h"
#include "node/sql/binder/range_table.h"

namespace walden {
namespace {

// The columns of a join while it is being put together.
struct JoinColumns {
  List<std::string_view> names;
  List<NamespaceColumn> columns;
  ExprList sources;
  List<int32_t> left, right;
};

Var* VarOf(BindState& state, const NamespaceColumn& column) {
  Var* var =
      MakeVar(state.arena(), column.varno, column.varattno, column.type, column.typmod, column.collation);
  var->varnosyn = column.varnosyn;
  var->varattnosyn = column.varattnosyn;
  return var;
}

// The column of that name on one side of USING.
uint32_t FindUsing(const NamespaceItem& side, std::string_view name, const char* which) {
  int found = -1;
  const List<std::string_view>& names = side.names->colnames;
  for (uint32_t i = 0; i < names.size(); ++i) {
    if (names[i] != name || names[i].empty()) continue;
    if (found >= 0) {
      throw SqlError(ErrorCode::kAmbiguousColumn,
                     "common column name \"{}\" appears more than once in {} table", name, which);
    }
    found = static_cast<int>(i);
  }
  if (found < 0) {
    throw SqlError(ErrorCode::kUndefinedColumn,
                   "column \"{}\" specified in USING clause does not exist in {} table", name, which);
  }
  return static_cast<uint32_t>(found);
}

List<std::string_view> UsingNames(BindState& state, const ast::JoinExpr& join, const NamespaceItem& left,
                                  const NamespaceItem& right) {
  List<std::string_view> names;
  if (join.is_natural) {
    for (std::string_view name : left.names->colnames) {
      if (!name.empty() && right.names->colnames.Contains(name)) names.Append(state.arena(), name);
    }
    return names;
  }
  for (const ast::Node* node : join.using_clause) {
    std::string_view name = ast::StringOf(node);
    if (names.Contains(name)) {
      throw SqlError(ErrorCode::kDuplicateColumn, "column name \"{}\" appears more than once in USING clause",
                     name);
    }
    names.Append(state.arena(), name);
  }
  return names;
}

// The value of a merged column.
Expr* MergedColumn(BindState& state, JoinType type, Var* left, Var* right) {
  ExprList pair(state.arena(), {left, right});
  Oid common = CommonTypeOf(state, pair, "JOIN/USING");
  int32_t typmod = CommonTypmodOf(pair, common);
  auto convert = [&](Var* var) -> Expr* {
    if (var->vartype != common) return CoerceType(state, var, var->vartype, {common, typmod});
    if (var->vartypmod == typmod) return var;
    return MakeRelabelType(state.arena(), var, common, typmod, Oid{}, CoercionForm::kImplicitCast);
  };
  Expr* from_left = convert(left);
  Expr* from_right = convert(right);
  Expr* merged = from_left;
  if (type == JoinType::kInner && !Is<Var>(from_left) && Is<Var>(from_right)) merged = from_right;
  if (type == JoinType::kRight) merged = from_right;
  if (type == JoinType::kFull) {
    auto* coalesce = state.New<CoalesceExpr>();
    coalesce->coalescetype = common;
    coalesce->args = ExprList(state.arena(), {from_left, from_right});
    merged = coalesce;
  }
  AssignExprCollations(state, merged);
  return merged;
}

Expr* UsingCondition(BindState& state, const std::vector<std::pair<Var*, Var*>>& pairs) {
  ExprKindScope scope(state, ExprKind::kJoinUsing);
  ExprList conditions;
  for (auto [left, right] : pairs) {
    MarkSelected(state, *left);
    MarkSelected(state, *right);
    Expr* equal = MakeOperator(state, {{}, "="}, Copy(left, state.arena()), Copy(right, state.arena()),
                               state.last_srf, Location{});
    conditions.Append(state.arena(), CoerceToBoolean(state, equal, "AND"));
  }
  Expr* all = MakeBoolExpr(state.arena(), BoolExprType::kAnd, conditions);
  return all == nullptr ? nullptr : CoerceToBoolean(state, all, "JOIN/USING");
}

void AddColumn(BindState& state, JoinColumns* to, std::string_view name, const NamespaceColumn& column,
               Expr* source, int32_t left, int32_t right) {
  to->names.Append(state.arena(), name);
  to->columns.Append(state.arena(), column);
  to->sources.Append(state.arena(), source);
  to->left.Append(state.arena(), left);
  to->right.Append(state.arena(), right);
}

Expr* AddUsingColumns(BindState& state, const ast::JoinExpr& join, JoinType type, const NamespaceItem& left,
                      const NamespaceItem& right, int32_t join_index, const List<std::string_view>& names,
                      std::vector<bool>* left_done, std::vector<bool>* right_done, JoinColumns* columns) {
  std::vector<std::pair<Var*, Var*>> pairs;
  for (std::string_view name : names) {
    uint32_t left_at = FindUsing(left, name, "left"), right_at = FindUsing(right, name, "right");
    (*left_done)[left_at] = (*right_done)[right_at] = true;
    Var* left_var = VarOf(state, left.columns[left_at]);
    Var* right_var = VarOf(state, right.columns[right_at]);
    pairs.emplace_back(left_var, right_var);
    Expr* merged = MergedColumn(state, type, left_var, right_var);
    NamespaceColumn column;
    if (merged == left_var) {
      column = left.columns[left_at];
    } else if (merged == right_var) {
      column = right.columns[right_at];
    } else {
      column.varno = join_index;
      column.varattno = static_cast<AttrNumber>(columns->names.size() + 1);
      column.type = ExprType(merged);
      column.typmod = ExprTypmod(merged);
      column.collation = ExprCollation(merged);
      column.varnosyn = static_cast<uint32_t>(join_index);
      column.varattnosyn = column.varattno;
    }
    column.hidden = false;
    AddColumn(state, columns, name, column, merged, static_cast<int32_t>(left_at + 1),
              static_cast<int32_t>(right_at + 1));
  }
  (void)join;
  return UsingCondition(state, pairs);
}

void AddRemainingColumns(BindState& state, const NamespaceItem& side, const std::vector<bool>& done,
                         bool is_left, JoinColumns* columns) {
  for (uint32_t i = 0; i < side.columns.size(); ++i) {
    if (done[i] || side.columns[i].varno == 0 || side.names->colnames[i].empty()) continue;
    auto number = static_cast<int32_t>(i + 1);
    AddColumn(state, columns, side.names->colnames[i], side.columns[i], VarOf(state, side.columns[i]),
              is_left ? number : 0, is_left ? 0 : number);
  }
}

}  // namespace

FromItem BindJoin(BindState& state, const ast::JoinExpr& join) {
  auto* tree = state.New<JoinExpr>();
  FromItem left = BindFromItem(state, join.larg);

  // The right side may refer to the left laterally, where the join type allows.
  bool lateral_ok = join.jointype == JoinType::kInner || join.jointype == JoinType::kLeft;
  SetLateralState(left.names, true, lateral_ok);
  size_t outer_names = state.names.size();
  state.names.insert(state.names.end(), left.names.begin(), left.names.end());
  FromItem right = BindFromItem(state, join.rarg);
  state.names.resize(outer_names);
  CheckNameConflicts(left.names, right.names);

  FromItem result;
  result.names = left.names;
  result.names.insert(result.names.end(), right.names.begin(), right.names.end());

  auto join_index = static_cast<int32_t>(state.rtable.size() + 1);
  JoinColumns columns;
  std::vector<bool> left_done(left.item->columns.size()), right_done(right.item->columns.size());
  List<std::string_view> using_names = UsingNames(state, join, *left.item, *right.item);
  if (!using_names.empty()) {
    tree->quals = AddUsingColumns(state, join, join.jointype, *left.item, *right.item, join_index,
                                  using_names, &left_done, &right_done, &columns);
  }
  uint32_t merged = columns.names.size();
  AddRemainingColumns(state, *left.item, left_done, true, &columns);
  AddRemainingColumns(state, *right.item, right_done, false, &columns);
  if (join.quals != nullptr) {
    std::vector<NamespaceItem*> saved = std::move(state.names);
    state.names = result.names;
    SetLateralState(state.names, false, true);
    tree->quals = BindWhere(state, join.quals, ExprKind::kJoinOn, "JOIN/ON");
    state.names = std::move(saved);
  }

  auto* rte = state.New<RangeTblEntry>();
  rte->jointype = join.jointype;
  rte->joinmergedcols = static_cast<int32_t>(merged);
  rte->joinaliasvars = columns.sources;
  rte->joinleftcols = columns.left;
  rte->joinrightcols = columns.right;
  if (join.join_using_alias != nullptr) {
    rte->join_using_alias = BindAlias(state, join.join_using_alias);
    rte->join_using_alias->colnames = using_names.Clone(state.arena());
  }
  List<NamespaceColumn> item_columns = columns.columns;
  if (join.alias != nullptr) {
    // An aliased join hides what is below it.
    for (uint32_t i = 0; i < item_columns.size(); ++i) {
      item_columns[i].varnosyn = static_cast<uint32_t>(join_index);
      item_columns[i].varattnosyn = static_cast<AttrNumber>(i + 1);
    }
  }
  result.item = AddJoin(state, rte, BindAlias(state, join.alias), columns.names, item_columns, true);

  tree->jointype = join.jointype;
  tree->is_natural = join.is_natural;
  tree->larg = left.tree;
  tree->rarg = right.tree;
  tree->using_clause = using_names;
  tree->join_using_alias = rte->join_using_alias;
  tree->alias = rte->alias;
  tree->rtindex = result.item->rtindex;
  state.join_exprs[static_cast<uint32_t>(tree->rtindex - 1)] = tree;
  result.tree = tree;

  if (join.alias != nullptr) {
    result.names.clear();
  } else {
    for (NamespaceItem* item : result.names) item->columns_visible = false;
  }
  result.item->rel_visible = join.alias != nullptr;
  result.item->columns_visible = true;
  if (rte->join_using_alias != nullptr && join.alias == nullptr) {
    auto* merged_item = state.New<NamespaceItem>();
    merged_item->names = rte->join_using_alias;
    merged_item->rte = rte;
    merged_item->rtindex = result.item->rtindex;
    for (uint32_t i = 0; i < merged; ++i) merged_item->columns.Append(state.arena(), columns.columns[i]);
    merged_item->rel_visible = true;
    merged_item->columns_visible = false;
    CheckNameConflicts({merged_item}, result.names);
    result.names.push_back(merged_item);
  }
  result.names.push_back(result.item);
  return result;
}

}  // namespace walden
