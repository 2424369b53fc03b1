#include "node/sql/binder/on_conflict.h"

#include <algorithm>

#include "node/sql/binder/collations.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/range_table.h"
#include "node/sql/binder/target_list.h"
#include "node/sql/binder/type_names.h"
#include "node/sql/query/query_text.h"

namespace walden {
namespace {

const RelationInfo& TargetRelation(BindState& state) {
  return *state.catalog().GetRelation(state.target->rte->relid, RelationLockNeed::kNone);
}

InferenceElem* BindInferenceElement(BindState& state, const ast::InferClause& infer,
                                    const ast::IndexElem& element) {
  int position = state.Position(infer.location);
  if (element.ordering != SortByDir::kDefault) {
    throw SqlError(ErrorCode::kInvalidColumnReference, "ASC/DESC is not allowed in ON CONFLICT clause")
        .WithPosition(position);
  }
  if (element.nulls_ordering != SortByNulls::kDefault) {
    throw SqlError(ErrorCode::kInvalidColumnReference,
                   "NULLS FIRST/LAST is not allowed in ON CONFLICT clause")
        .WithPosition(position);
  }
  auto* result = state.New<InferenceElem>();
  const ast::Node* node = element.expr;
  if (node == nullptr) {
    auto* name = state.New<ast::String>();
    name->sval = element.name;
    auto* column = state.New<ast::ColumnRef>();
    column->fields.Append(state.arena(), name);
    column->location = infer.location;
    node = column;
  }
  result->expr = BindExpr(state, node, ExprKind::kIndexExpression);
  if (!element.collation.empty()) {
    result->infercollid = ResolveCollation(element.collation, infer.location, state.types());
  }
  if (!element.opclass.empty()) {
    WrittenName name = SplitName(element.opclass, state.catalog());
    Oid schema = name.schema.empty() ? Oid{} : state.catalog().FindSchema(name.schema);
    result->inferopclass = state.catalog().FindOpclass(schema, name.name, "btree");
    if (!IsValid(result->inferopclass)) {
      throw SqlError(ErrorCode::kUndefinedObject,
                     "operator class \"{}\" does not exist for access method \"btree\"",
                     JoinNames(element.opclass));
    }
  }
  return result;
}

void BindArbiter(BindState& state, const ast::OnConflictClause& clause, OnConflictExpr* result) {
  const ast::InferClause* infer = clause.infer;
  if (infer == nullptr) {
    if (clause.action != OnConflictAction::kUpdate) return;
    throw SqlError(ErrorCode::kSyntaxError,
                   "ON CONFLICT DO UPDATE requires inference specification or constraint name")
        .WithHint("For example, ON CONFLICT (column_name).")
        .WithPosition(state.Position(clause.location));
  }
  std::vector<NamespaceItem*> saved = std::move(state.names);
  state.names.clear();
  AddToNamespace(state, state.target, false, true);
  for (const ast::Node* node : infer->index_elems) {
    result->arbiter_elems.Append(state.arena(),
                                 BindInferenceElement(state, *infer, *ast::As<ast::IndexElem>(node)));
  }
  if (infer->where_clause != nullptr) {
    result->arbiter_where = BindExpr(state, infer->where_clause, ExprKind::kIndexPredicate);
  }
  state.names = std::move(saved);
  AssignListCollations(state, result->arbiter_elems);
  AssignExprCollations(state, result->arbiter_where);
  if (infer->conname.empty()) return;
  const RelationInfo& relation = TargetRelation(state);
  for (const UniqueInfo& unique : state.catalog().UniqueIndexes(relation.oid)) {
    if (!IsValid(unique.constraint) || unique.constraint_name != infer->conname) continue;
    result->constraint = unique.constraint;
    // The constraint's columns are read.
    RangeTblEntry* rte = state.target->rte;
    rte->required_perms |= acl_mode::kSelect;
    for (AttrNumber key : unique.keys) {
      if (key > 0) rte->selected_cols.AppendUnique(state.arena(), key);
    }
    return;
  }
  throw SqlError(ErrorCode::kUndefinedObject, "constraint \"{}\" for table \"{}\" does not exist",
                 infer->conname, relation.name);
}

// EXCLUDED: the row that was to be inserted.
NamespaceItem* AddExcluded(BindState& state, OnConflictExpr* result) {
  const RelationInfo& relation = TargetRelation(state);
  auto* alias = state.New<Alias>();
  alias->aliasname = "excluded";
  NamespaceItem* item = AddRelation(state, relation, RelationLockNeed::kRowExclusive, alias, false, false);
  // It has no storage: neither locks, nor permissions, nor system columns.
  item->rte->relkind = 'c';
  item->rte->required_perms = 0;
  result->excl_rel_index = item->rtindex;
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    const ColumnInfo& column = relation.columns[i];
    auto number = static_cast<AttrNumber>(i + 1);
    Expr* expr;
    std::string_view name;
    if (column.dropped) {
      expr = MakeNullConst(state.arena(), type_oid::kInt4, -1, Oid{}, PhysicalType::kInt32);
    } else {
      expr = MakeVar(state.arena(), item->rtindex, number, column.type, column.typmod, column.collation);
      name = state.arena().Copy(column.name);
    }
    result->excl_rel_tlist.Append(state.arena(), MakeTargetEntry(state.arena(), expr, number, name, false));
  }
  Var* row = MakeVar(state.arena(), item->rtindex, 0, relation.row_type, -1, Oid{});
  result->excl_rel_tlist.Append(state.arena(), MakeTargetEntry(state.arena(), row, 0, {}, true));
  return item;
}

}  // namespace

OnConflictExpr* BindOnConflict(BindState& state, const ast::OnConflictClause& clause) {
  auto* result = state.New<OnConflictExpr>();
  result->action = clause.action;
  NamespaceItem* excluded = clause.action == OnConflictAction::kUpdate ? AddExcluded(state, result) : nullptr;
  BindArbiter(state, clause, result);
  if (excluded == nullptr) return result;
  std::vector<NamespaceItem*> saved = std::move(state.names);
  state.names.clear();
  AddToNamespace(state, excluded, true, true);
  AddToNamespace(state, state.target, true, true);
  // SET works as in UPDATE: element assignments start from the present row.
  state.is_insert = false;
  result->on_conflict_set = BindUpdateTargets(state, clause.target_list);
  result->on_conflict_where = BindWhere(state, clause.where_clause, ExprKind::kWhere, "WHERE");
  state.names = std::move(saved);
  return result;
}

}  // namespace walden
