// Expressions inside DDL and utility statements: each is bound over the columns it may see and checked for what its
// place forbids.
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/collations.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/function_defaults.h"
#include "node/sql/binder/functions.h"
#include "node/sql/binder/operators.h"
#include "node/sql/binder/range_table.h"

namespace walden {
namespace {

ExprKind KindOf(ConditionKind kind) {
  switch (kind) {
    case ConditionKind::kCheck: return ExprKind::kCheckConstraint;
    case ConditionKind::kIndexPredicate: return ExprKind::kIndexPredicate;
    case ConditionKind::kTriggerWhen: return ExprKind::kTriggerWhen;
    case ConditionKind::kPolicy: return ExprKind::kPolicy;
    case ConditionKind::kCopyWhere: return ExprKind::kCopyWhere;
  }
  return ExprKind::kOther;
}

ExprKind KindOf(ValueKind kind) {
  switch (kind) {
    case ValueKind::kPartitionBound: return ExprKind::kPartitionBound;
    case ValueKind::kExecuteParameter: return ExprKind::kExecuteParameter;
    case ValueKind::kFunctionDefault: return ExprKind::kFunctionDefault;
    case ValueKind::kCallArgument: return ExprKind::kCallArgument;
    case ValueKind::kOther: return ExprKind::kOther;
  }
  return ExprKind::kOther;
}

const char* ConstructOf(ConditionKind kind) {
  switch (kind) {
    case ConditionKind::kCheck: return "CHECK";
    case ConditionKind::kTriggerWhen: return "WHEN";
    case ConditionKind::kPolicy: return "POLICY";
    default: return "WHERE";
  }
}

// Makes the columns of `relation` visible, by name and qualified, as entry 1.
void ShowRelation(BindState& state, const RelationInfo& relation) {
  NamespaceItem* item = AddRelation(state, relation, RelationLockNeed::kAccessShare, nullptr, false, true);
  AddToNamespace(state, item, true, true);
}

bool IsMutable(BindState& state, const Node* node, char allowed) {
  if (node == nullptr) return false;
  Oid function{};
  if (const auto* call = TryAs<FuncExpr>(node)) function = call->funcid;
  if (Is<OpExpr>(node) || Is<DistinctExpr>(node) || Is<NullIfExpr>(node)) {
    function = static_cast<const OpExprFields*>(node)->opfuncid;
  }
  if (const auto* op = TryAs<ScalarArrayOpExpr>(node)) function = op->opfuncid;
  bool is_mutable = false;
  // text || anything: as mutable as the other side's text form.
  constexpr Oid kTextAnyCat{2003}, kAnyTextCat{2004};
  if (const auto* op = TryAs<OpExpr>(node);
      op != nullptr && (function == kTextAnyCat || function == kAnyTextCat)) {
    char category = state.types().Category(ExprType(op->args[function == kTextAnyCat ? 1 : 0]));
    is_mutable = allowed == 'i' && (category == 'D' || category == 'T');
    function = Oid{};
  }
  if (IsValid(function)) {
    const FunctionInfo* info = state.catalog().GetFunction(function);
    is_mutable = info != nullptr && (info->volatility == 'v' || (info->volatility == 's' && allowed == 'i'));
  }
  if (Is<SqlValueFunction>(node)) is_mutable = allowed == 'i';
  if (Is<NextValueExpr>(node)) is_mutable = true;
  // Text forms of dates and the like depend on settings.
  if (const auto* cast = TryAs<CoerceViaIo>(node)) {
    char category = state.types().Category(ExprType(cast->arg));
    char target = state.types().Category(cast->resulttype);
    is_mutable = allowed == 'i' && (category == 'D' || category == 'T' || target == 'D');
  }
  return is_mutable || AnyChild(node, [&](const Node* child) { return IsMutable(state, child, allowed); });
}

void RefuseSet(BindState& state, const Expr* expr, const char* what) {
  if (!ContainsSetReturning(expr)) return;
  throw SqlError(ErrorCode::kInvalidTableDefinition, "{} must not return a set", what)
      .WithPosition(state.Position(ExprLocation(expr)));
}

SqlError MustBeImmutable(const char* message) {
  return SqlError(ErrorCode::kInvalidObjectDefinition, std::string(message));
}

// A generated column may not depend on another one, nor on the whole row.
void CheckGeneratedReferences(BindState& state, const Node* node, const RelationInfo& relation) {
  if (node == nullptr) return;
  if (const auto* var = TryAs<Var>(node)) {
    if (var->varattno == 0) {
      throw SqlError(ErrorCode::kInvalidObjectDefinition,
                     "cannot use whole-row variable in column generation expression")
          .WithDetail("This would cause the generated column to depend on its own value.")
          .WithPosition(state.Position(var->location));
    }
    if (var->varattno > 0 && relation.columns[static_cast<size_t>(var->varattno - 1)].generated != 0) {
      throw SqlError(ErrorCode::kInvalidObjectDefinition,
                     "cannot use generated column \"{}\" in column generation "
                     "expression",
                     relation.columns[static_cast<size_t>(var->varattno - 1)].name)
          .WithDetail("A generated column cannot reference another generated column.")
          .WithPosition(state.Position(var->location));
    }
    return;
  }
  AnyChild(node, [&](const Node* child) {
    CheckGeneratedReferences(state, child, relation);
    return false;
  });
}

// COPY FROM ... WHERE looks at rows before their generated columns are computed.
void RefuseGeneratedColumns(const Node* node, const RelationInfo& relation) {
  if (node == nullptr) return;
  if (const auto* var = TryAs<Var>(node)) {
    for (size_t i = 0; i < relation.columns.size(); ++i) {
      bool is_meant = var->varattno == 0 || static_cast<size_t>(var->varattno) == i + 1;
      if (!is_meant || relation.columns[i].generated == 0) continue;
      throw SqlError(ErrorCode::kInvalidColumnReference,
                     "generated columns are not supported in COPY FROM WHERE conditions")
          .WithDetail(fmt::format("Column \"{}\" is a generated column.", relation.columns[i].name));
    }
    return;
  }
  AnyChild(node, [&](const Node* child) {
    RefuseGeneratedColumns(child, relation);
    return false;
  });
}

}  // namespace

Expr* BindColumnDefault(const ast::Node& expression, const ColumnTarget& column, const RelationInfo* relation,
                        const BindOptions& options) {
  BindContext context(options);
  BindState state(context);
  bool generated = column.generated != 0;
  if (generated && relation != nullptr) ShowRelation(state, *relation);
  Expr* expr =
      BindExpr(state, &expression, generated ? ExprKind::kGeneratedColumn : ExprKind::kColumnDefault);
  if (generated) {
    if (relation != nullptr) CheckGeneratedReferences(state, expr, *relation);
    if (IsMutable(state, expr, 'i')) throw MustBeImmutable("generation expression is not immutable");
  }
  Oid from = ExprType(expr);
  Expr* coerced =
      CoerceToTarget(state, expr, from, {column.type, column.typmod, CoercionContext::kAssignment});
  if (coerced == nullptr) {
    throw SqlError(ErrorCode::kDatatypeMismatch,
                   "column \"{}\" is of type {} but default expression is of type {}", column.name,
                   state.types().Format(column.type), state.types().Format(from))
        .WithHint("You will need to rewrite or cast the expression.");
  }
  AssignExprCollations(state, coerced);
  return coerced;
}

Expr* BindCondition(const ast::Node& expression, const RelationInfo& relation, ConditionKind kind,
                    const BindOptions& options) {
  BindContext context(options);
  BindState state(context);
  ShowRelation(state, relation);
  Expr* expr = BindWhere(state, &expression, KindOf(kind), ConstructOf(kind));
  AssignExprCollations(state, expr);
  if (kind == ConditionKind::kIndexPredicate && IsMutable(state, expr, 'i')) {
    throw MustBeImmutable("functions in index predicate must be marked IMMUTABLE");
  }
  if (kind == ConditionKind::kCopyWhere) RefuseGeneratedColumns(expr, relation);
  return expr;
}

Expr* BindDomainCheck(const ast::Node& expression, Oid base_type, int32_t typmod, Oid collation,
                      const BindOptions& options) {
  BindContext context(options);
  BindState state(context);
  auto* value = state.New<CoerceToDomainValue>();
  value->type_id = base_type;
  value->type_mod = typmod;
  value->collation = collation;
  state.domain_value = value;
  Expr* expr = BindWhere(state, &expression, ExprKind::kDomainCheck, "CHECK");
  AssignExprCollations(state, expr);
  return expr;
}

Expr* BindKeyExpression(const ast::Node& expression, const RelationInfo& relation, KeyKind kind,
                        const BindOptions& options) {
  BindContext context(options);
  BindState state(context);
  ShowRelation(state, relation);
  ExprKind expr_kind = kind == KeyKind::kIndex       ? ExprKind::kIndexExpression
                       : kind == KeyKind::kPartition ? ExprKind::kPartitionExpression
                                                     : ExprKind::kStatsExpression;
  Expr* expr = BindExpr(state, &expression, expr_kind);
  // A literal cannot stay of unknown type in a stored expression.
  expr = ResolveUnknown(state, expr);
  AssignExprCollations(state, expr);
  if (kind == KeyKind::kIndex) {
    RefuseSet(state, expr, "index expression");
    if (IsMutable(state, expr, 'i'))
      throw MustBeImmutable("functions in index expression must be marked IMMUTABLE");
  } else if (kind == KeyKind::kPartition && IsMutable(state, expr, 'i')) {
    throw MustBeImmutable("functions in partition key expression must be marked IMMUTABLE");
  }
  return expr;
}

Expr* BindColumnTransform(const ast::Node* expression, const RelationInfo& relation, AttrNumber column,
                          const ColumnTarget& to, const BindOptions& options) {
  BindContext context(options);
  BindState state(context);
  ShowRelation(state, relation);
  const ColumnInfo& old = relation.columns[static_cast<size_t>(column - 1)];
  Expr* expr = expression != nullptr ? BindExpr(state, expression, ExprKind::kAlterColumnTransform)
                                     : MakeVar(state.arena(), 1, column, old.type, old.typmod, old.collation);
  Expr* coerced =
      CoerceToTarget(state, expr, ExprType(expr), {to.type, to.typmod, CoercionContext::kAssignment});
  if (coerced == nullptr) {
    std::string type = state.types().FormatWithTypmod(to.type, to.typmod);
    if (expression != nullptr) {
      throw SqlError(ErrorCode::kDatatypeMismatch,
                     "result of USING clause for column \"{}\" cannot be cast automatically to type {}",
                     to.name, state.types().Format(to.type))
          .WithHint("You might need to add an explicit cast.");
    }
    throw SqlError(ErrorCode::kDatatypeMismatch, "column \"{}\" cannot be cast automatically to type {}",
                   to.name, state.types().Format(to.type))
        .WithHint(fmt::format("You might need to specify \"USING {}::{}\".", to.name, type));
  }
  AssignExprCollations(state, coerced);
  return coerced;
}

Expr* BindCommonConversion(Expr* expr, Oid type, const char* construct, const BindOptions& options) {
  BindContext context(options);
  BindState state(context);
  Expr* converted = CoerceToCommon(state, expr, type, construct);
  AssignExprCollations(state, converted);
  return converted;
}

Expr* BindAssignmentConversion(Expr* expr, Oid type, int32_t typmod, const BindOptions& options) {
  BindContext context(options);
  BindState state(context);
  Expr* converted = CoerceToTarget(state, expr, ExprType(expr), {type, typmod, CoercionContext::kAssignment});
  if (converted != nullptr) AssignExprCollations(state, converted);
  return converted;
}

Expr* BindValue(const ast::Node& expression, Oid type, int32_t typmod, Oid collation,
                std::string_view target_name, ValueKind kind, const BindOptions& options) {
  (void)collation;
  BindContext context(options);
  BindState state(context);
  Expr* expr = BindExpr(state, &expression, KindOf(kind));
  if (!IsValid(type)) {
    expr = ResolveUnknown(state, expr);
    AssignExprCollations(state, expr);
    return expr;
  }
  Oid from = ExprType(expr);
  Expr* coerced = CoerceToTarget(state, expr, from, {type, typmod, CoercionContext::kAssignment});
  if (coerced == nullptr) {
    int position = state.Position(ExprLocation(expr));
    if (kind == ValueKind::kExecuteParameter) {
      throw SqlError(ErrorCode::kDatatypeMismatch, "{} of type {} cannot be coerced to the expected type {}",
                     target_name, state.types().Format(from), state.types().Format(type))
          .WithHint("You will need to rewrite or cast the expression.")
          .WithPosition(position);
    }
    if (kind == ValueKind::kFunctionDefault) {
      throw SqlError(ErrorCode::kDatatypeMismatch, "argument of DEFAULT must be type {}, not type {}",
                     state.types().Format(type), state.types().Format(from))
          .WithPosition(position);
    }
    throw SqlError(ErrorCode::kDatatypeMismatch,
                   "specified value cannot be cast to type {} for column \"{}\"", state.types().Format(type),
                   target_name)
        .WithPosition(position);
  }
  AssignExprCollations(state, coerced);
  return coerced;
}

FuncExpr* BindCall(const ast::FuncCall& call, const BindOptions& options) {
  BindContext context(options);
  BindState state(context);
  ExprKindScope scope(state, ExprKind::kCallArgument);
  CallRequest request;
  request.names = &call.funcname;
  request.call = &call;
  request.is_procedure = true;
  request.location = call.location;
  for (const ast::Node* argument : call.args)
    request.arguments.Append(state.arena(), BindNested(state, argument));
  Expr* expr = BindCallOrColumn(state, request);
  AssignExprCollations(state, expr);
  auto* bound = As<FuncExpr>(expr);
  ArrangeArguments(bound, options);
  return bound;
}

}  // namespace walden
