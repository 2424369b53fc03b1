// Assigned columns: INSERT's column list, UPDATE's SET, subscripted and subfield targets.
#include <algorithm>

#include "node/sql/binder/coercion.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/range_table.h"
#include "node/sql/binder/target_list.h"

namespace walden {
namespace {

constexpr const char* kRewriteHint = "You will need to rewrite or cast the expression.";

const RelationInfo& TargetRelation(BindState& state) {
  return *state.catalog().GetRelation(state.target->rte->relid, RelationLockNeed::kNone);
}

// What is being assigned to, at one depth of the indirection.
struct AssignTarget {
  Expr* base = nullptr;  // its present value; null inside (a CaseTestExpr stands for it)
  std::string_view name;
  bool is_subscripting = false;
  Oid type{};
  int32_t typmod = -1;
  Oid collation{};
  Location location;
};

Expr* AssignInto(BindState& state, AssignTarget target, const ast::NodeList& indirection, uint32_t at,
                 Expr* value);

Expr* AssignSubscripts(BindState& state, const AssignTarget& target,
                       const std::vector<const ast::AIndices*>& subscripts, const ast::NodeList& indirection,
                       uint32_t next, Expr* value) {
  int32_t typmod = target.typmod;
  Oid container = state.types().BaseType(target.type, &typmod);
  if (container == type_oid::kInt2Vector || container == type_oid::kOidVector) {
    throw SqlError(ErrorCode::kCannotCoerce, "cannot cast type {} to {}",
                   container == type_oid::kInt2Vector ? "smallint[]" : "oid[]",
                   state.types().Format(container))
        .WithPosition(state.Position(target.location));
  }
  SubscriptingRef* ref = BindSubscripts(state, target.base, container, typmod, subscripts, true);
  AssignTarget inner;
  inner.name = target.name;
  inner.is_subscripting = true;
  inner.type = ref->refrestype;
  inner.typmod = ref->reftypmod;
  inner.location = target.location;
  ref->refassgnexpr = AssignInto(state, inner, indirection, next, value);
  // The assignment as a whole delivers the container.
  ref->refrestype = container;
  ref->reftypmod = typmod;
  if (container == target.type) return ref;
  return CoerceToDomainType(state, ref, container, typmod, {target.type}, false);
}

Expr* AssignField(BindState& state, const AssignTarget& target, const ast::NodeList& indirection, uint32_t at,
                  Expr* value) {
  std::string_view field = ast::StringOf(indirection[at]);
  int32_t typmod = target.typmod;
  Oid base = state.types().BaseType(target.type, &typmod);
  Oid relation_oid = state.types().Get(base).relation;
  int position = state.Position(target.location);
  if (!IsValid(relation_oid)) {
    throw SqlError(
        ErrorCode::kDatatypeMismatch,
        "cannot assign to field \"{}\" of column \"{}\" because its type {} is not a composite type", field,
        target.name, state.types().Format(target.type))
        .WithPosition(position);
  }
  const RelationInfo* relation = state.catalog().GetRelation(relation_oid, RelationLockNeed::kNone);
  AttrNumber number = ColumnNumber(*relation, field, true);
  if (number == 0) {
    throw SqlError(
        ErrorCode::kUndefinedColumn,
        "cannot assign to field \"{}\" of column \"{}\" because there is no such column in data type {}",
        field, target.name, state.types().Format(target.type))
        .WithPosition(position);
  }
  if (number < 0) {
    throw SqlError(ErrorCode::kUndefinedColumn, "cannot assign to system column \"{}\"", field)
        .WithPosition(position);
  }
  const ColumnInfo& column = relation->columns[static_cast<size_t>(number - 1)];
  AssignTarget inner;
  inner.name = field;
  inner.type = column.type;
  inner.typmod = column.typmod;
  inner.collation = column.collation;
  inner.location = target.location;
  auto* store = state.New<FieldStore>();
  store->arg = target.base;
  store->newvals.Append(state.arena(), AssignInto(state, inner, indirection, at + 1, value));
  store->fieldnums.Append(state.arena(), number);
  store->resulttype = base;
  if (base == target.type) return store;
  return CoerceToDomainType(state, store, base, typmod, {target.type}, false);
}

Expr* AssignInto(BindState& state, AssignTarget target, const ast::NodeList& indirection, uint32_t at,
                 Expr* value) {
  if (at < indirection.size() && target.base == nullptr) {
    auto* test = state.New<CaseTestExpr>();
    test->type_id = target.type;
    test->type_mod = target.typmod;
    test->collation = target.collation;
    target.base = test;
  }
  std::vector<const ast::AIndices*> subscripts;
  for (; at < indirection.size(); ++at) {
    const ast::Node* node = indirection[at];
    if (const auto* index = ast::TryAs<ast::AIndices>(node)) {
      subscripts.push_back(index);
      continue;
    }
    if (ast::Is<ast::AStar>(node)) {
      throw SqlError(ErrorCode::kFeatureNotSupported, "row expansion via \"*\" is not supported here")
          .WithPosition(state.Position(target.location));
    }
    if (!subscripts.empty()) return AssignSubscripts(state, target, subscripts, indirection, at, value);
    return AssignField(state, target, indirection, at, value);
  }
  if (!subscripts.empty()) return AssignSubscripts(state, target, subscripts, indirection, at, value);
  Oid from = ExprType(value);
  Expr* result =
      CoerceToTarget(state, value, from, {target.type, target.typmod, CoercionContext::kAssignment});
  if (result != nullptr) return result;
  throw SqlError(
      ErrorCode::kDatatypeMismatch,
      fmt::format(fmt::runtime(target.is_subscripting
                                   ? "subscripted assignment to \"{}\" requires type {} but expression is "
                                     "of type {}"
                                   : "subfield \"{}\" is of type {} but expression is of type {}"),
                  target.name, state.types().Format(target.type), state.types().Format(from)))
      .WithHint(kRewriteHint)
      .WithPosition(state.Position(target.location));
}

}  // namespace

std::vector<InsertColumn> BindInsertColumns(BindState& state, const ast::NodeList& list) {
  const RelationInfo& relation = TargetRelation(state);
  std::vector<InsertColumn> columns;
  if (list.empty()) {
    for (size_t i = 0; i < relation.columns.size(); ++i) {
      if (relation.columns[i].dropped) continue;
      columns.push_back({state.arena().Copy(relation.columns[i].name), nullptr, Location{},
                         static_cast<AttrNumber>(i + 1)});
    }
    return columns;
  }
  for (const ast::Node* node : list) {
    const auto& item = *ast::As<ast::ResTarget>(node);
    InsertColumn column{item.name, item.indirection.empty() ? nullptr : &item.indirection, item.location,
                        ColumnNumber(relation, item.name, false)};
    if (column.number == 0) {
      throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                     item.name, relation.name)
          .WithPosition(state.Position(item.location));
    }
    // The same column may come twice only as different parts of it.
    for (const InsertColumn& earlier : columns) {
      if (earlier.number != column.number) continue;
      if (earlier.indirection != nullptr && column.indirection != nullptr) continue;
      throw SqlError(ErrorCode::kDuplicateColumn, "column \"{}\" specified more than once", item.name)
          .WithPosition(state.Position(item.location));
    }
    columns.push_back(column);
  }
  return columns;
}

Expr* BindAssigned(BindState& state, Expr* expr, ExprKind kind, std::string_view column_name,
                   AttrNumber number, const ast::NodeList* indirection, Location location) {
  ExprKindScope scope(state, kind);
  if (number <= 0) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "cannot assign to system column \"{}\"", column_name)
        .WithPosition(state.Position(location));
  }
  const ColumnInfo& column = TargetRelation(state).columns[static_cast<size_t>(number - 1)];
  if (auto* placeholder = TryAs<SetToDefault>(expr)) {
    placeholder->type_id = column.type;
    placeholder->type_mod = column.typmod;
    placeholder->collation = column.collation;
    if (indirection != nullptr) {
      throw SqlError(ErrorCode::kFeatureNotSupported, ast::Is<ast::AIndices>((*indirection)[0])
                                                          ? "cannot set an array element to DEFAULT"
                                                          : "cannot set a subfield to DEFAULT")
          .WithPosition(state.Position(location));
    }
  }
  if (indirection != nullptr) {
    AssignTarget target;
    if (state.is_insert) {
      target.base = MakeNullConst(state.arena(), column.type, column.typmod, column.collation,
                                  ConstPhysicalType(column.type));
    } else {
      target.base =
          MakeVar(state.arena(), state.target->rtindex, number, column.type, column.typmod, column.collation);
    }
    target.name = column_name;
    target.type = column.type;
    target.typmod = column.typmod;
    target.collation = column.collation;
    target.location = location;
    return AssignInto(state, target, *indirection, 0, expr);
  }
  Oid from = ExprType(expr);
  Oid column_type = column.type;
  Expr* result =
      CoerceToTarget(state, expr, from, {column.type, column.typmod, CoercionContext::kAssignment});
  if (result != nullptr) return result;
  throw SqlError(ErrorCode::kDatatypeMismatch, "column \"{}\" is of type {} but expression is of type {}",
                 column_name, state.types().Format(column_type), state.types().Format(from))
      .WithHint(kRewriteHint)
      .WithPosition(state.Position(ExprLocation(expr)));
}

List<TargetEntry*> BindUpdateTargets(BindState& state, const ast::NodeList& list) {
  List<TargetEntry*> targets = BindTargetList(state, list, ExprKind::kUpdateSource);
  const RelationInfo& relation = TargetRelation(state);
  auto first_free = static_cast<AttrNumber>(relation.columns.size() + 1);
  if (state.next_resno < first_free) state.next_resno = first_free;
  uint32_t next = 0;
  for (TargetEntry* target : targets) {
    if (target->resjunk) {
      target->resno = state.next_resno++;
      target->resname = {};
      continue;
    }
    const auto& item = *ast::As<ast::ResTarget>(list[next++]);
    AttrNumber number = ColumnNumber(relation, item.name, true);
    if (number == 0) {
      throw SqlError(ErrorCode::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                     item.name, relation.name)
          .WithPosition(state.Position(item.location));
    }
    target->expr = BindAssigned(state, target->expr, ExprKind::kUpdateTarget, item.name, number,
                                item.indirection.empty() ? nullptr : &item.indirection, item.location);
    target->resno = number;
    target->resname = item.name;
    state.target->rte->updated_cols.AppendUnique(state.arena(), number);
  }
  return targets;
}

namespace {

SqlError WrongValueCount(BindState& state, Location location) {
  SqlError error(ErrorCode::kSyntaxError, "number of columns does not match number of values");
  error.WithPosition(state.Position(location));
  return error;
}

// The first column of SET (a, b, ...) = source: binds the source for all of them.
void BindMultiSource(BindState& state, const ast::MultiAssignRef& reference) {
  if (const auto* link = ast::TryAs<ast::SubLink>(reference.source);
      link != nullptr && link->sub_link_type == SubLinkType::kExpr) {
    ast::SubLink multi = *link;
    multi.sub_link_type = SubLinkType::kMultiExpr;
    auto* bound = As<SubLink>(BindExpr(state, &multi, ExprKind::kUpdateSource));
    int32_t columns = 0;
    for (const TargetEntry* target : bound->subselect->target_list) columns += target->resjunk ? 0 : 1;
    if (columns != reference.ncolumns) throw WrongValueCount(state, link->location);
    state.multi_assigns.push_back(MakeTargetEntry(state.arena(), bound, 0, {}, true));
    bound->sub_link_id = static_cast<int32_t>(state.multi_assigns.size());
    return;
  }
  const auto* row = ast::TryAs<ast::RowExpr>(reference.source);
  if (row == nullptr) {
    int position = 0;
    if (reference.source != nullptr) {
      position = state.Position(ExprLocation(BindExpr(state, reference.source, ExprKind::kUpdateSource)));
    }
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression")
        .WithPosition(position);
  }
  auto* bound = state.New<RowExpr>();
  bound->args = BindExprList(state, row->args, ExprKind::kUpdateSource, true);
  bound->location = row->location;
  if (static_cast<int32_t>(bound->args.size()) != reference.ncolumns)
    throw WrongValueCount(state, row->location);
  state.multi_assigns.push_back(MakeTargetEntry(state.arena(), bound, 0, {}, true));
}

}  // namespace

Expr* BindMultiAssign(BindState& state, const ast::MultiAssignRef& reference) {
  if (reference.colno == 1) BindMultiSource(state, reference);
  TargetEntry* source = state.multi_assigns.back();
  if (auto* link = TryAs<SubLink>(source->expr)) {
    const TargetEntry* column =
        FindTarget(link->subselect->target_list, static_cast<AttrNumber>(reference.colno));
    auto* param = state.New<Param>();
    param->paramkind = ParamKind::kMultiExpr;
    param->paramid = (link->sub_link_id << 16) | reference.colno;
    param->paramtype = ExprType(column->expr);
    param->paramtypmod = ExprTypmod(column->expr);
    param->paramcollid = ExprCollation(column->expr);
    param->location = ExprLocation(column->expr);
    return param;
  }
  auto* row = As<RowExpr>(source->expr);
  Expr* value = row->args[static_cast<uint32_t>(reference.colno - 1)];
  if (reference.colno == reference.ncolumns) state.multi_assigns.pop_back();
  return value;
}

}  // namespace walden
